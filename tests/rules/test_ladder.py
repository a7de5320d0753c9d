"""Where steps stand in time: placed backwards from act_by, inside their hours, after what they wait for."""

import pytest

from rules.calendars import warehouse
from rules.instant import HOUR, MINUTE
from rules.ladder import NEVER, missed, open_rungs, performed_at, place
from rules.model import Kind, Outcome
from tests.builders import (
    LATE,
    SHANGHAI,
    SHIP_BY,
    STOCK_OUT,
    a_case,
    a_history,
    a_look,
    a_past,
    a_playbook,
    a_policy,
    an_event,
    an_order,
    at,
    ladder,
)  # fmt: skip

TALK = 'action = "contact", channel = "platform_chat", intent = "apology", template = "t", hours = "09:00-21:00"'
OPENED = SHIP_BY - 24 * HOUR


def placed(step: str, *, case=None, performed=None, now: int = OPENED, events=(), warehouse=None, **facts):
    """Where one step of a late_shipment ladder stands."""
    policy = a_policy(play=a_playbook(f'name = "before", action = "negotiate", lead = "20h"\nname = "it", {step}'))
    policy = a_policy(play=policy.playbook, warehouse=warehouse)
    look = a_look(an_order(**facts), policy, a_history(events=events), now)
    return place(look, case or a_case(opened_at=OPENED), ladder(policy).steps[1], performed or {})


def test_a_lead_step_is_due_that_long_before_the_deadline_and_useless_after_it():
    rung = placed('action = "negotiate", lead = "12h"')
    assert (SHIP_BY - 12 * HOUR, SHIP_BY) == (rung.at, rung.until)


def test_a_lead_counts_back_from_the_last_pick_up_and_its_use_from_the_deadline():
    house = warehouse("Mon-Sat 09:00-18:00", ["11:00"], "2h", SHANGHAI)
    rung = placed('action = "negotiate", lead = "1h", until = "2h"', warehouse=house)
    assert (at("2026-06-03 10:00"), SHIP_BY - 2 * HOUR) == (rung.at, rung.until)


def test_a_task_for_a_person_never_becomes_useless_unless_told():
    assert NEVER == placed('action = "task", lead = "1h"').until
    assert SHIP_BY - HOUR == placed('action = "task", lead = "2h", until = "1h"').until


def test_an_after_step_counts_from_the_deadline():
    rung = placed('action = "compensate", after = "1h", until = "48h"')
    assert (SHIP_BY + HOUR, SHIP_BY + 49 * HOUR) == (rung.at, rung.until)
    assert NEVER == placed('action = "compensate", after = "1h"').until


def test_a_delay_step_counts_from_the_opening_of_the_case():
    assert OPENED + 30 * MINUTE == placed('action = "task", delay = "30m"').at


def test_no_step_is_due_before_its_case_opened():
    assert SHIP_BY - HOUR == placed('action = "task", lead = "12h"', case=a_case(opened_at=SHIP_BY - HOUR)).at


@pytest.mark.parametrize("anchor", ['lead = "1h"', 'after = "1h"'])
def test_without_a_deadline_a_step_that_counts_from_it_has_no_place(anchor):
    assert None is placed(f'action = "task", {anchor}', ship_by=None, paid_at=None)


def test_without_a_deadline_a_delay_step_stays_useful_for_ever():
    assert NEVER == placed('action = "negotiate", delay = "1h"', ship_by=None, paid_at=None).until


def test_a_message_that_would_fall_into_the_night_goes_out_the_evening_before():
    rung = placed(f'{TALK}, lead = "8h"', ship_by=at("2026-06-04 08:00"))
    assert at("2026-06-03 20:59") == rung.at


def test_a_message_whose_evening_has_passed_waits_for_the_morning():
    ship_by = at("2026-06-04 10:00")
    rung = placed(f'{TALK}, lead = "8h"', case=a_case(opened_at=at("2026-06-03 22:00")), ship_by=ship_by)
    assert at("2026-06-04 09:00") == rung.at


def test_a_message_that_counts_from_a_missed_deadline_is_never_sent_before_it():
    rung = placed(f'{TALK}, after = "0m"', ship_by=at("2026-06-03 23:00"))
    assert at("2026-06-04 09:00") == rung.at


def test_a_message_that_becomes_possible_at_night_waits_for_the_morning():
    rung = placed(f'{TALK}, lead = "8h"', now=at("2026-06-03 23:30"), ship_by=at("2026-06-04 10:00"))
    assert at("2026-06-04 09:00") == rung.at


def test_a_snooze_moves_a_step_to_its_end_and_a_message_to_the_next_open_hour():
    night = at("2026-06-03 02:00")
    case = a_case(opened_at=OPENED, snoozed_until=night)
    assert night == placed('action = "task", lead = "20h"', case=case).at
    assert at("2026-06-03 09:00") == placed(f'{TALK}, lead = "20h"', case=case).at


def test_a_step_leaves_time_for_the_one_that_waits_for_it():
    play = a_playbook(f"""
        name = "ask", action = "negotiate", lead = "12h"
        name = "tell", {TALK}, lead = "8h", waits_for = "ask", wait = "4h"
    """)
    policy = a_policy(play=play)
    look = a_look(an_order(ship_by=at("2026-06-04 08:00")), policy)
    rungs = open_rungs(look, a_case(opened_at=at("2026-06-03 08:00")), ladder(policy), {})
    assert [("ask", at("2026-06-03 16:59"))] == [(rung.step.name, rung.at) for rung in rungs]


def test_a_step_waits_for_no_follower_of_another_platform():
    play = a_playbook(f"""
        name = "ask", action = "negotiate", lead = "12h"
        name = "tell", {TALK}, lead = "30h", waits_for = "ask", platforms = ["jd"]
    """)
    policy = a_policy(play=play)
    assert SHIP_BY - 12 * HOUR == open_rungs(a_look(an_order(), policy), a_case(opened_at=0), ladder(policy), {})[0].at


WAITING = (
    'action = "contact", channel = "sms", intent = "i", template = "t", lead = "20h", waits_for = "before", wait = "4h"'
)


def test_a_step_waits_until_the_one_before_had_its_time():
    done = SHIP_BY - 20 * HOUR
    assert done + 4 * HOUR == placed(WAITING, performed={"before": done}).at


def test_a_refusal_ends_the_wait_at_once_and_an_older_one_does_not():
    done = SHIP_BY - 20 * HOUR
    events = [an_event("date_refused", done - HOUR), an_event("date_refused", done + 2 * HOUR)]
    assert done + 2 * HOUR == placed(WAITING, performed={"before": done}, events=events).at
    assert done + 4 * HOUR == placed(WAITING, performed={"before": done}, events=events[:1]).at


def test_the_first_refusal_seen_ends_the_wait_in_whatever_order_they_are_stored():
    done = SHIP_BY - 20 * HOUR
    events = [an_event("date_refused", done + 3 * HOUR), an_event("date_refused", done + HOUR)]
    assert done + HOUR == placed(WAITING, performed={"before": done}, events=events).at


def test_nobody_waits_for_a_step_that_was_dropped():
    assert SHIP_BY - 20 * HOUR == placed(WAITING, performed={"before": None}).at


def names(steps: str, performed=None, **facts) -> list[str]:
    policy = a_policy(play=a_playbook(steps))
    return [
        r.step.name for r in open_rungs(a_look(an_order(**facts), policy), a_case(), ladder(policy), performed or {})
    ]


STEPS = """
    name = "ship", action = "task", lead = "24h"
    name = "scan", action = "task", lead = "4h", stage = "unscanned"
    name = "ask", action = "negotiate", lead = "12h", platforms = ["taobao", "jd"]
    name = "tell", action = "task", lead = "8h", waits_for = "ask"
"""


def test_steps_of_other_stages_and_platforms_and_those_that_wait_are_not_open():
    assert ["ship", "ask"] == names(STEPS)
    assert ["scan"] == names(STEPS, status="shipped", collection_known=True)


def test_a_step_opens_once_its_predecessor_is_done_or_does_not_apply_here():
    assert ["ship", "tell"] == names(STEPS, {"ask": None})
    assert ["ship", "tell"] == names(STEPS, platform="pinduoduo")


def test_an_order_without_a_deadline_has_no_open_lead_step():
    assert [] == names(STEPS, ship_by=None, paid_at=None)


def rungs(*hours: int):
    play = "\n".join(f'name = "s{hour}", action = "negotiate", lead = "{hour}h"' for hour in hours)
    policy = a_policy(play=a_playbook(play + '\nname = "t", action = "task", lead = "13h"'))
    return open_rungs(a_look(an_order(), policy), a_case(opened_at=SHIP_BY - 99 * HOUR), ladder(policy), {})


def test_of_steps_passed_while_nobody_looked_only_the_latest_is_still_done():
    assert {"s12", "s10"} == missed(rungs(12, 10, 8), SHIP_BY - 20 * HOUR, 15 * MINUTE, SHIP_BY - 7 * HOUR)


def test_a_step_passed_within_our_patience_or_before_the_last_look_was_not_missed():
    assert set() == missed(rungs(12, 10), SHIP_BY - 11 * HOUR, 15 * MINUTE, SHIP_BY - 7 * HOUR)
    assert set() == missed(rungs(12, 7), SHIP_BY - 20 * HOUR, 6 * HOUR, SHIP_BY - 7 * HOUR)


def test_a_step_passed_while_nobody_looked_gives_way_to_the_one_due_now():
    assert {"s12"} == missed(rungs(12, 7), SHIP_BY - 20 * HOUR, 15 * MINUTE, SHIP_BY - 7 * HOUR)


def test_an_order_never_looked_at_has_missed_nothing():
    assert set() == missed(rungs(12, 10), None, 15 * MINUTE, SHIP_BY - 7 * HOUR)


def test_steps_performed_are_remembered_with_their_time_and_dropped_ones_without():
    past = (a_past("ask", 7), a_past("tell", 8, dropped=True), a_past("ship", 9, Kind.TASK, episode=2))
    assert {"ask": 7, "tell": None} == performed_at(past, a_case())


@pytest.mark.parametrize("outcome", [Outcome.VOID, Outcome.REFUSED])
def test_a_step_that_was_never_carried_out_gives_nobody_anything_to_answer(outcome):
    assert {"ask": None} == performed_at((a_past("ask", 7, outcome=outcome),), a_case())


def test_money_paid_in_an_earlier_episode_counts_and_a_payment_that_was_dropped_does_not():
    paid = a_past("make_good", 7, Kind.COMPENSATE)
    assert {"make_good": 7} == performed_at((paid,), a_case(episode=2))
    assert {} == performed_at((a_past("make_good", 7, Kind.COMPENSATE, dropped=True),), a_case(episode=2))


def test_another_violations_steps_do_not_count():
    assert {} == performed_at((a_past("ask", 7, violation=STOCK_OUT),), a_case(LATE))
