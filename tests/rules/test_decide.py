"""What is decided about one order: cases open and close, ladders go up step by step and stop on facts."""

from dataclasses import replace

import pytest

from rules import packs, playbook
from rules.decide import decide, latest
from rules.health import Budget
from rules.instant import DAY, HOUR, MINUTE
from rules.model import NO_HISTORY, Kind, Outcome, Past
from tests.builders import (
    LATE,
    PAID,
    SHIP_BY,
    STOCK_OUT,
    a_case,
    a_history,
    a_line,
    a_past,
    a_playbook,
    a_policy,
    an_event,
    an_order,
    at,
    lived,
    told,
)  # fmt: skip

POLICY = a_policy()
FIRST = SHIP_BY - 24 * HOUR
ASK = SHIP_BY - 12 * HOUR


def on(platform: str, row: str, **facts):
    """A policy in which a person has confirmed one row of the platform's pack."""
    pack = packs.load(platform)
    return a_policy(platform, confirmed=frozenset(r.digest for r in pack.rows if r.id == row), **facts)


# ---- cases -------------------------------------------------------------------------------------------


def test_a_quiet_order_sleeps_until_its_first_lead():
    decision = decide(an_order(), POLICY, NO_HISTORY, PAID)
    assert ((), (), (), (), FIRST) == (
        decision.opened, decision.closed, decision.acts, decision.members, decision.wake_at
    )  # fmt: skip


def test_a_case_opens_with_its_reason_and_first_step_and_looks_again_at_the_next():
    decision = decide(an_order(), POLICY, NO_HISTORY, FIRST)
    case = decision.opened[0]
    assert ("north/1/late_shipment/1", FIRST, "SHIP_BY_NEAR", SHIP_BY) == (
        case.key, case.opened_at, case.reason, case.ship_by
    )  # fmt: skip
    assert ["ship"] == told(decision)
    assert ASK == decision.wake_at


def test_an_open_case_is_not_opened_again():
    history = lived(NO_HISTORY, decide(an_order(), POLICY, NO_HISTORY, FIRST), POLICY, FIRST)
    decision = decide(an_order(), POLICY, history, FIRST + HOUR)
    assert ((), (), ()) == (decision.opened, decision.closed, decision.acts)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"status": "shipped", "shipped_at": ASK}, "SHIPPED"),
        ({"status": "cancelled"}, "ORDER_CLOSED"),
        ({"ship_by": SHIP_BY + 9 * DAY}, "SHIP_BY_MOVED"),
        ({"ship_by": None, "paid_at": None}, "NO_DEADLINE"),
    ],
)
def test_a_case_closes_with_the_reason_it_is_over(facts, reason):
    decision = decide(an_order(**facts), POLICY, a_history(a_case(opened_at=FIRST)), ASK)
    assert [(ASK, reason)] == [(case.closed_at, case.reason) for case in decision.closed]
    assert ((), ()) == (decision.acts, decision.members)


def test_a_case_nobody_solves_is_let_go_after_its_time():
    over = SHIP_BY + 30 * DAY
    decision = decide(an_order(), POLICY, a_history(a_case(opened_at=FIRST)), over)
    assert ["TOO_OLD"] == [case.reason for case in decision.closed]
    assert None is decision.wake_at


def test_a_flag_that_flaps_reopens_the_same_episode_and_repeats_no_step():
    closed = a_case(STOCK_OUT, PAID, closed_at=PAID + HOUR, reason="IN_STOCK")
    history = a_history(closed, past=[a_past("find_stock", PAID, Kind.TASK, STOCK_OUT)])
    decision = decide(an_order(flags=("out_of_stock",)), POLICY, history, PAID + 7 * HOUR)
    assert [("north/1/stock_out/1", "REOPENED", None)] == [(c.key, c.reason, c.closed_at) for c in decision.opened]
    assert "find_stock" not in told(decision)


def test_a_case_that_comes_back_keeps_no_acknowledgement_and_is_told_anew():
    closed = a_case(STOCK_OUT, PAID, closed_at=PAID + HOUR, reason="IN_STOCK", acked_at=PAID + MINUTE)
    decision = decide(an_order(flags=("out_of_stock",)), POLICY, a_history(closed), PAID + 7 * HOUR)
    assert [("REOPENED", None)] == [(case.reason, case.acked_at) for case in decision.opened]
    assert [(None, True)] == [(one.acked_at, one.anew) for one in decision.members]


def test_an_acknowledgement_holds_while_the_case_stands():
    standing = a_case(STOCK_OUT, PAID, acked_at=PAID + MINUTE)
    decision = decide(an_order(flags=("out_of_stock",)), POLICY, a_history(standing), PAID + HOUR)
    assert [(PAID + MINUTE, False)] == [(one.acked_at, one.anew) for one in decision.members]


@pytest.mark.parametrize("sure", [True, False])
def test_a_member_says_whether_a_person_confirmed_what_is_at_stake(sure: bool):
    order = an_order(flags=("out_of_stock",))
    rows = POLICY.pack.orders[STOCK_OUT](PAID)
    policy = replace(POLICY, confirmed=frozenset(row.digest for row in rows) if sure else frozenset())
    decision = decide(order, policy, a_history(), PAID)
    assert [sure] == [one.confirmed for one in decision.members]


def test_a_flag_that_comes_back_later_opens_a_new_episode():
    closed = a_case(STOCK_OUT, PAID, closed_at=PAID + HOUR, reason="IN_STOCK")
    decision = decide(an_order(flags=("out_of_stock",)), POLICY, a_history(closed), PAID + 7 * HOUR + 1)
    assert ["north/1/stock_out/2"] == [case.key for case in decision.opened]
    assert "find_stock" in told(decision)


def test_a_new_date_makes_a_new_episode_with_steps_of_its_own():
    moved = a_case(opened_at=FIRST, closed_at=ASK, reason="SHIP_BY_MOVED")
    order = an_order(ship_by=SHIP_BY + DAY)
    decision = decide(order, POLICY, a_history(moved, past=[a_past("ship", FIRST, Kind.TASK)]), SHIP_BY)
    assert ["north/1/late_shipment/2"] == [case.key for case in decision.opened]
    assert ["ship"] == told(decision)


def test_an_old_date_that_returns_reopens_its_episode_so_that_the_buyer_is_not_asked_twice():
    moved = a_case(opened_at=FIRST, closed_at=ASK, reason="SHIP_BY_MOVED")
    asked = [a_past("ship", FIRST, Kind.TASK), a_past("agree_new_date", ASK)]
    decision = decide(an_order(), POLICY, a_history(moved, past=asked), SHIP_BY - 3 * HOUR)
    assert [("north/1/late_shipment/1", "REOPENED")] == [(case.key, case.reason) for case in decision.opened]
    assert "agree_new_date" not in told(decision)


def test_what_a_person_resolved_stays_resolved_until_the_date_changes():
    resolved = a_history(a_case(opened_at=FIRST, closed_at=ASK, reason="RESOLVED_BY_PERSON"))
    assert () == decide(an_order(), POLICY, resolved, SHIP_BY + DAY).opened
    assert 1 == len(decide(an_order(ship_by=SHIP_BY + HOUR), POLICY, resolved, SHIP_BY + DAY).opened)


def test_the_newest_episode_counts():
    cases = [a_case(episode=1), a_case(episode=3), a_case(episode=2), a_case(STOCK_OUT, episode=9)]
    assert 3 == latest(cases, LATE).episode
    assert None is latest([], LATE)


def test_in_maintenance_a_case_opens_silently_until_its_end():
    policy = a_policy(maintenance=((FIRST - HOUR, FIRST + 6 * HOUR),))
    decision = decide(an_order(), policy, NO_HISTORY, FIRST)
    assert FIRST + 6 * HOUR == decision.opened[0].snoozed_until
    assert ([], FIRST + 6 * HOUR) == (told(decision), decision.wake_at)


# ---- the ladder --------------------------------------------------------------------------------------


def climbed(now: int, *, order=None, policy=POLICY, **facts):
    """A decision in a case that opened a day before the deadline and whose first task is done."""
    past = [a_past("ship", FIRST, Kind.TASK), *facts.pop("past", ())]
    facts = {"decided_at": now - 1, "playbook": policy.playbook.digest, **facts}
    history = a_history(*facts.pop("cases", [a_case(opened_at=FIRST)]), past=past, **facts)
    return decide(order or an_order(), policy, history, now)


def test_a_new_date_is_asked_for_half_a_day_before():
    act = climbed(ASK).acts[0]
    assert ("north/1/late_shipment/1/agree_new_date", Kind.NEGOTIATE, SHIP_BY - 2 * HOUR) == (
        act.key, act.kind, act.not_after
    )  # fmt: skip


def test_the_buyer_is_told_when_the_date_stays_open():
    asked = [a_past("agree_new_date", ASK)]
    assert [] == told(climbed(ASK + 4 * HOUR - 1, past=asked))
    act = climbed(SHIP_BY - 8 * HOUR, past=asked).acts[0]
    assert ("tell_buyer", "platform_chat", "delay_notice@1") == (act.step, act.channel, act.template)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("date_agreed", ["tell_buyer: DATE_AGREED"]),
        ("buyer_reply", ["tell_buyer: BUYER_REPLIED"]),
        ("opt_out", ["tell_buyer: OPTED_OUT"]),
        ("ack", ["tell_buyer"]),
    ],
)
def test_an_answer_stops_the_next_message_and_says_so(event, expected):
    events = [an_event(event, ASK + HOUR)]
    assert expected == told(climbed(SHIP_BY - 8 * HOUR, past=[a_past("agree_new_date", ASK)], events=events))


def test_an_answer_from_before_the_case_is_no_answer_to_it_but_an_opt_out_holds():
    asked = [a_past("agree_new_date", ASK)]
    events = [an_event("buyer_reply", FIRST - HOUR), an_event("date_agreed", FIRST - HOUR)]
    assert ["tell_buyer"] == told(climbed(SHIP_BY - 8 * HOUR, past=asked, events=events))
    events.append(an_event("opt_out", FIRST - HOUR))
    assert ["tell_buyer: OPTED_OUT"] == told(climbed(SHIP_BY - 8 * HOUR, past=asked, events=events))


def test_a_case_taken_over_by_a_person_drops_every_step():
    cases = [a_case(opened_at=FIRST, taken_over=True)]
    assert ["agree_new_date: HUMAN_TAKEOVER"] == told(climbed(ASK, cases=cases))


def test_an_order_first_seen_too_late_does_what_still_fits_and_drops_the_rest_with_a_reason():
    decision = decide(an_order(), POLICY, NO_HISTORY, SHIP_BY - HOUR)
    assert ["ship", "agree_new_date: NO_TIME_LEFT", "tell_buyer"] == told(decision)


def test_a_step_whose_time_passed_while_we_were_down_is_dropped_as_missed():
    assert ["agree_new_date: MISSED_WHILE_DOWN"] == told(climbed(SHIP_BY - HOUR, decided_at=FIRST))[:1]


def test_a_deadline_that_moves_closer_is_not_taken_for_a_time_of_absence():
    order = an_order(ship_by=SHIP_BY - 10 * HOUR)
    assert ["agree_new_date: NO_TIME_LEFT"] == told(climbed(SHIP_BY - 11 * HOUR, order=order))[:1]


def test_a_deadline_that_moves_closer_leaves_all_effects_to_do_that_still_fit():
    play = a_playbook('name = "a", action = "negotiate", lead = "12h"\nname = "b", action = "negotiate", lead = "10h"')
    history = a_history(a_case(opened_at=FIRST), decided_at=FIRST, playbook=play.digest, woken_at=SHIP_BY - 8 * HOUR)
    assert ["a", "b"] == told(decide(an_order(), a_policy(play=play), history, SHIP_BY - 8 * HOUR))


def test_after_an_absence_only_the_latest_of_several_effects_is_done():
    play = a_playbook("""
        name = "ship", action = "task", lead = "24h"
        name = "first", action = "negotiate", lead = "12h"
        name = "second", action = "negotiate", lead = "10h"
    """)
    policy = a_policy(play=play)
    decision = climbed(SHIP_BY - 8 * HOUR, policy=policy, decided_at=FIRST)
    assert ["first: MISSED_WHILE_DOWN", "second"] == told(decision)


# ---- an edited playbook (scenarios 10 to 12) ---------------------------------------------------------

SHORT = a_playbook('name = "now", action = "task", delay = "0m"\nname = "s60", action = "task", delay = "60m"')
LONGER = a_playbook(
    """
    name = "now", action = "task", delay = "0m"
    name = "also_now", action = "task", delay = "0m"
    name = "s30", action = "task", delay = "30m"
    name = "s60", action = "task", delay = "60m"
    name = "s90", action = "task", delay = "90m"
    """,
    version=2,
)
OTHER = a_playbook('name = "b_now", action = "task", delay = "0m"\nname = "b30", action = "task", delay = "30m"')


def edited(before, after, minutes: int):
    """The decision of a case `minutes` old when its playbook is replaced."""
    opened = lived(
        NO_HISTORY, decide(an_order(), a_policy(play=before), NO_HISTORY, FIRST), a_policy(play=before), FIRST
    )
    now = FIRST + minutes * MINUTE
    policy = a_policy(play=after)
    decision = decide(an_order(), policy, opened._replace(decided_at=now - 1), now)
    return decision, lived(opened, decision, policy, now), policy


def test_a_step_added_after_its_time_is_skipped_and_later_ones_are_done():
    decision, history, policy = edited(SHORT, LONGER, 35)
    assert ["also_now: ADDED_TOO_LATE", "s30: ADDED_TOO_LATE"] == told(decision)
    assert ["s60"] == told(decide(an_order(), policy, history, FIRST + 60 * MINUTE))


def test_a_new_cycle_climbs_the_edited_ladder_in_full():
    _, history, policy = edited(SHORT, LONGER, 35)
    closed = history._replace(cases=(history.cases[0]._replace(closed_at=FIRST + HOUR, reason="SHIP_BY_MOVED"),))
    order = an_order(ship_by=SHIP_BY + 2 * DAY)
    assert ["now", "also_now"] == told(decide(order, policy, closed, SHIP_BY + DAY))


def test_another_ladder_starts_with_its_first_step_at_once_and_the_old_one_ends():
    decision, history, policy = edited(SHORT, OTHER, 20)
    assert ["b_now"] == told(decision)
    assert ["b30"] == told(decide(an_order(), policy, history, FIRST + 60 * MINUTE))


# ---- stock-outs --------------------------------------------------------------------------------------


def test_on_pinduoduo_a_stock_out_is_a_task_for_the_platform_and_never_a_word_to_the_buyer():
    order = an_order(platform="pinduoduo", flags=("out_of_stock",), ship_by=PAID + 9 * DAY)
    policy = a_policy("pinduoduo")
    history, said = NO_HISTORY, []
    now: int | None = PAID
    while now is not None:
        decision = decide(order, policy, history, now)
        said += [line for line, act in zip(told(decision), decision.acts, strict=True) if act.violation is STOCK_OUT]
        history, now = lived(history, decision, policy, now), decision.wake_at
    assert ["apply_to_platform", "find_stock", "agree_new_date: NO_TOOL", "tell_buyer: ADMITS_NO_STOCK"] == said[:4]


def test_elsewhere_the_platforms_application_is_no_step():
    decision = decide(an_order(flags=("out_of_stock",)), POLICY, NO_HISTORY, PAID)
    assert ["find_stock"] == told(decision)


def test_a_new_date_for_a_late_order_is_not_asked_for_while_its_stock_out_has_no_tool():
    order = an_order(platform="pinduoduo", flags=("out_of_stock",))
    cases = [a_case(opened_at=FIRST), a_case(STOCK_OUT, FIRST)]
    past = [a_past("apply_to_platform", FIRST, Kind.TASK, STOCK_OUT), a_past("find_stock", FIRST, Kind.TASK, STOCK_OUT)]
    decision = climbed(ASK, order=order, policy=a_policy("pinduoduo"), cases=cases, past=past)
    assert "agree_new_date: STOCK_OUT_OPEN" in told(decision)


def test_an_open_stock_out_silences_the_message_about_the_delay_where_it_would_admit_it():
    order = an_order(platform="pinduoduo", flags=("out_of_stock",))
    cases = [a_case(opened_at=FIRST), a_case(STOCK_OUT, FIRST)]
    past = [a_past("agree_new_date", ASK, dropped=True)]
    decision = climbed(SHIP_BY - 8 * HOUR, order=order, policy=a_policy("pinduoduo"), cases=cases, past=past)
    assert "tell_buyer: ADMITS_NO_STOCK" in told(decision)


def test_two_open_cases_ask_for_one_new_date():
    cases = [a_case(opened_at=FIRST), a_case(STOCK_OUT, FIRST)]
    past = [a_past("find_stock", FIRST, Kind.TASK, STOCK_OUT), a_past("agree_new_date", FIRST, violation=STOCK_OUT)]
    order = an_order(flags=("out_of_stock",))
    assert ["agree_new_date: ALREADY_UNDER_WAY"] == told(climbed(ASK, order=order, cases=cases, past=past))[:1]


def test_two_cases_that_are_due_at_the_same_instant_ask_for_one_new_date():
    play = a_playbook(
        'name = "ask", action = "negotiate", delay = "0m"', 'name = "ask_too", action = "negotiate", delay = "0m"'
    )
    decision = decide(an_order(flags=("out_of_stock",)), a_policy(play=play), NO_HISTORY, FIRST)
    assert ["ask", "ask_too: ALREADY_UNDER_WAY"] == told(decision)


def test_a_negotiation_that_was_never_carried_out_blocks_no_other():
    cases = [a_case(opened_at=FIRST), a_case(STOCK_OUT, FIRST)]
    refused = a_past("agree_new_date", FIRST, violation=STOCK_OUT, outcome=Outcome.REFUSED)
    past = [a_past("find_stock", FIRST, Kind.TASK, STOCK_OUT), refused]
    order = an_order(flags=("out_of_stock",))
    assert "agree_new_date" in told(climbed(ASK, order=order, cases=cases, past=past))


def test_a_stock_out_belongs_to_the_pools_of_its_missing_lines():
    lines = (a_line("1", "A"), a_line("2", "B"), a_line("3", "C", shipped_quantity=2))
    decision = decide(an_order(*lines), POLICY, a_history(short=("2", "3")), PAID)
    assert ["B"] == [member.sku for member in decision.members]


def test_a_flagged_order_belongs_to_the_pools_that_may_be_empty():
    lines = (a_line("1", "A", stock=9), a_line("2", "B", stock=1), a_line("3", None, listing_id="L3"))
    decision = decide(an_order(*lines, flags=("out_of_stock",)), POLICY, NO_HISTORY, PAID)
    assert ["B", "L3"] == [member.sku for member in decision.members]


def test_a_flagged_order_of_which_no_line_is_known_is_a_cause_of_its_own():
    order = replace(an_order(flags=("out_of_stock",)), lines=())
    assert ["order-1"] == [member.sku for member in decide(order, POLICY, NO_HISTORY, PAID).members]


def test_a_late_order_belongs_to_its_pick_up_with_what_is_at_stake():
    member = decide(an_order(), POLICY, NO_HISTORY, FIRST).members[0]
    assert (None, SHIP_BY, "CNY") == (member.sku, member.act_by, member.currency)
    assert member.stake_minor > 0


# ---- negotiating -------------------------------------------------------------------------------------


def test_where_only_a_person_can_ask_for_a_new_date_it_is_a_task():
    act = climbed(ASK, order=an_order(platform="pinduoduo"), policy=a_policy("pinduoduo")).acts[0]
    assert ("agree_new_date", Kind.TASK, False) == (act.step, act.kind, act.dropped)


def test_where_the_platform_has_no_tool_no_date_is_asked_for():
    decision = climbed(ASK, order=an_order(platform="generic"), policy=a_policy("generic"))
    assert ["agree_new_date: NO_TOOL"] == told(decision)[:1]


def test_a_date_can_only_be_agreed_before_the_deadline():
    play = a_playbook('name = "ask", action = "negotiate", after = "0m"')
    decision = decide(an_order(), a_policy(play=play), NO_HISTORY, SHIP_BY)
    assert ["ask: DEADLINE_PASSED"] == told(decision)


def test_no_more_dates_are_asked_for_than_the_platform_allows():
    asked = [a_past("agree_new_date", PAID, episode=episode)._replace(key=str(episode)) for episode in (1, 2, 3)]
    history = a_history(a_case(opened_at=FIRST, episode=4), past=asked, decided_at=ASK - 1)
    assert "agree_new_date: NO_ATTEMPT_LEFT" in told(decide(an_order(), POLICY, history, ASK))


# ---- money -------------------------------------------------------------------------------------------

ROW = "TB-L4"
"""Of 2024: a row under which the buyer must complain first, so that paying before it helps."""


def an_old_order(**facts):
    """Paid when ROW was in force, due at SHIP_BY."""
    return an_order(**{"paid_at": at("2024-06-01 08:00"), "promise_hours": 48, **facts})


UNWEIGHED = replace(playbook.shipped(), assume=None)
"""The shipped steps without guesses: what a rule says is paid, whatever else it may cost."""


def paying(policy, order=None, **facts):
    """Whether and how the order is compensated at its deadline, all other steps being done."""
    past: list[Past] = [a_past("agree_new_date", ASK), a_past("tell_buyer", ASK, Kind.CONTACT), *facts.pop("past", ())]
    decision = climbed(SHIP_BY, order=order or an_old_order(), policy=policy, past=past, **facts)
    return next(act for act in decision.acts if act.step == "make_good")


def test_a_confirmed_row_is_paid_under_a_key_without_the_episode():
    act = paying(on("taobao", ROW, play=UNWEIGHED))
    assert ("north/1/late_shipment/compensate", False, "CNY", SHIP_BY + 48 * HOUR) == (
        act.key, act.dropped, act.currency, act.not_after
    )  # fmt: skip
    assert ("rule_payout", 710) == (act.channel, act.amount_minor)


def test_where_waiting_costs_less_than_paying_the_money_stays():
    act = paying(on("taobao", ROW))
    assert ("WAITING_IS_CHEAPER", None, True) == (act.reason, act.amount_minor, act.dropped)
    assert "north/1/late_shipment/1/make_good" == act.key


def test_near_a_line_of_the_platform_the_same_order_is_paid():
    act = paying(on("taobao", ROW, budget=Budget(disputes_left=1)))
    assert ("rule_payout", 710, False) == (act.channel, act.amount_minor, act.dropped)


def test_a_step_before_the_deadline_leaves_it_to_the_cheaper_new_date():
    play = replace(a_playbook('name = "pay", action = "compensate", lead = "12h"'), assume=playbook.shipped().assume)
    decision = decide(an_old_order(), on("taobao", ROW, play=play), NO_HISTORY, SHIP_BY - 12 * HOUR)
    assert ["pay: NEW_DATE_IS_CHEAPER"] == told(decision)


def test_a_weak_source_pays_nothing_even_when_confirmed():
    pack = packs.load("taobao")
    row = replace(pack.row(ROW), confidence="C")
    weak = replace(pack, orders={**pack.orders, LATE: packs.Regimes((), ((row,),))})
    policy = a_policy(play=UNWEIGHED, pack=weak, confirmed=frozenset({row.digest}))
    assert "WEAK_SOURCE" == paying(policy).reason


def test_a_row_nobody_confirmed_moves_no_money():
    act = paying(POLICY)
    assert ("RULE_NOT_CONFIRMED", None, True) == (act.reason, act.amount_minor, act.dropped)


def test_a_payment_that_was_dropped_leaves_the_key_of_the_money_free_for_a_later_episode():
    first = paying(POLICY)
    assert "north/1/late_shipment/1/make_good" == first.key
    dropped = a_past("make_good", SHIP_BY, Kind.COMPENSATE, key=first.key, dropped=True, outcome=Outcome.VOID)
    again = paying(
        on("taobao", ROW, play=UNWEIGHED),
        past=[dropped, *(a_past(name, ASK, episode=2) for name in ("ship", "agree_new_date", "tell_buyer"))],
        cases=[a_case(opened_at=FIRST, episode=2)],
    )
    assert ("north/1/late_shipment/compensate", False) == (again.key, again.dropped)


def test_a_payment_that_was_made_is_never_made_again_in_a_later_episode():
    paid = a_past("make_good", SHIP_BY, Kind.COMPENSATE, key="north/1/late_shipment/compensate")
    history = a_history(a_case(opened_at=FIRST, episode=2), past=[paid], decided_at=SHIP_BY - 1)
    assert "make_good" not in [act.step for act in decide(an_old_order(), on("taobao", ROW), history, SHIP_BY).acts]


def test_without_a_rule_nothing_is_paid():
    assert "NO_RULE" == paying(a_policy("generic"), an_order(platform="generic")).reason


@pytest.mark.parametrize(
    ("platform", "row", "reason"),
    [("pinduoduo", "PD-L3", "PLATFORM_PAYS_ITSELF"), ("jd", "JD-L2", "INITIATION_UNKNOWN")],
)
def test_where_paying_first_is_not_known_to_help_nothing_is_paid(platform, row, reason):
    assert reason == paying(on(platform, row), an_order(platform=platform)).reason


PAY = 'name = "{}", action = "compensate", after = "0m"'


def test_two_violations_of_one_order_are_paid_for_once():
    everything = frozenset(row.digest for row in packs.load("taobao").rows)
    policy = a_policy(play=a_playbook(PAY.format("pay"), PAY.format("make_good")), confirmed=everything)
    decision = decide(an_old_order(flags=("out_of_stock",)), policy, NO_HISTORY, SHIP_BY)
    assert ["pay", "make_good: ALREADY_UNDER_WAY"] == told(decision)


def test_two_payments_in_one_ladder_pay_once():
    play = a_playbook(f"{PAY.format('a')}\n{PAY.format('b')}")
    decision = decide(an_old_order(), on("taobao", ROW, play=play), NO_HISTORY, SHIP_BY)
    assert ["a", "b: ALREADY_UNDER_WAY"] == told(decision)


@pytest.mark.parametrize("event", ["complaint", "intervention"])
def test_after_a_complaint_the_platform_decides_and_nothing_is_paid_beside_it(event):
    assert "ALREADY_COMPLAINED" == paying(on("taobao", ROW), events=[an_event(event, ASK)]).reason


def test_an_intervention_the_shop_shows_stops_the_payment_too():
    assert "ALREADY_COMPLAINED" == paying(on("taobao", ROW), an_old_order(flags=("intervention_requested",))).reason


def test_an_agreed_date_stops_the_payment():
    assert "DATE_AGREED" == paying(on("taobao", ROW), events=[an_event("date_agreed", ASK)]).reason
