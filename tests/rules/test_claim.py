"""Claims of a buyer: what raises them, the clock that starts when they are seen, cheap and dear goods."""

import pytest

from rules import finding
from rules.decide import decide
from rules.instant import DAY, HOUR
from rules.model import NO_HISTORY, Violation
from tests.builders import (
    PAID,
    a_history,
    a_line,
    a_look,
    a_playbook,
    a_policy,
    an_event,
    an_order,
    ladder,
    lived,
    told,
)

SHORT, WRONG, DISPUTE = Violation.SHORT_SHIPMENT, Violation.WRONG_ITEM, Violation.DISPUTE
BOOK = a_playbook(
    more="""
[short_shipment]
answer = "48h"
low_value_minor = 3000
auto_close = "10d"
steps = [
  { name = "send_again", action = "task", delay = "0m", value = "low" },
  { name = "check", action = "task", delay = "0m", value = "high" },
  { name = "hurry", action = "task", lead = "6h" },
]
[dispute]
answer = "48h"
complaint = "24h"
auto_close = "10d"
steps = [
  { name = "reply", action = "task", delay = "0m", on = ["refund_requested"] },
  { name = "settle", action = "task", delay = "0m", on = ["complained", "intervention_requested"] },
  { name = "prove", action = "task", after = "0m", until = "48h", on = ["complained", "intervention_requested"] },
]
"""
)
POLICY = a_policy(play=BOOK)


def claimed(*flags: str, unit: int | None = 2000, **facts):
    ordinary = {"status": "delivered", "flags": flags}
    return an_order(a_line(unit_minor=unit), **{**ordinary, **facts})


def reason(order, violation: Violation, history=NO_HISTORY, now: int = PAID) -> str:
    return finding.find(a_look(order, POLICY, history, now), ladder(POLICY, violation)).reason


def live(order, moments: dict, history=NO_HISTORY):
    """What is done at each moment; `moments`: instant -> order as it is then (None: unchanged)."""
    done = {}
    for now, changed in sorted(moments.items()):
        order = changed or order
        decision = decide(order, POLICY, history, now)
        history = lived(history, decision, POLICY, now)
        done[now] = (told(decision), [(case.key, case.reason) for case in decision.closed], decision)
    return done


@pytest.mark.parametrize(
    ("flag", "violation", "code"),
    [
        ("short_claimed", SHORT, "SHORT_CLAIMED"),
        ("wrong_claimed", WRONG, "WRONG_CLAIMED"),
        ("refund_requested", DISPUTE, "REFUND_REQUESTED"),
        ("intervention_requested", DISPUTE, "INTERVENTION_REQUESTED"),
    ],
)
def test_a_flag_raises_its_claim_and_no_other(flag, violation, code):
    order = claimed(flag)
    assert code == reason(order, violation)
    assert {"NOT_SEEN"} == {reason(order, other) for other in (SHORT, WRONG, DISPUTE) if other is not violation}


@pytest.mark.parametrize(
    ("status", "code"), [("refunded", "ORDER_CLOSED"), ("cancelled", "ORDER_CLOSED"), ("unpaid", "NOT_PAID")]
)
def test_a_claim_is_over_with_the_order(status, code):
    assert code == reason(claimed("short_claimed", status=status), SHORT)


def test_a_completed_order_can_still_be_claimed():
    assert "SHORT_CLAIMED" == reason(claimed("short_claimed", status="completed"), SHORT)


def test_a_complaint_is_known_by_its_event_until_nobody_watches_it_any_more():
    history = a_history(events=[an_event("complaint", PAID)])
    found = finding.find(a_look(claimed(), POLICY, history, PAID), ladder(POLICY, DISPUTE))
    assert ("COMPLAINED", PAID + 10 * DAY, PAID) == (found.reason, found.wake_at, found.since)
    assert "COMPLAINED" == reason(claimed(), DISPUTE, history, PAID + 10 * DAY - 1)
    assert "TOO_OLD" == reason(claimed(), DISPUTE, history, PAID + 10 * DAY)


@pytest.mark.parametrize(("unit", "steps"), [(3000, ["send_again"]), (3001, ["check"]), (None, ["check"])])
def test_cheap_goods_are_made_good_at_once_dear_ones_and_those_without_a_price_are_checked(unit, steps):
    decision = decide(claimed("short_claimed", unit=unit), POLICY, NO_HISTORY, PAID)
    assert steps == told(decision)
    assert [unit] == [act.amount_minor for act in decision.acts]


def test_the_dearest_line_decides_since_nobody_says_which_one_is_missing():
    lines = (a_line("1", unit_minor=100), a_line("2", unit_minor=None, paid_minor=8000))
    order = an_order(*lines, status="delivered", flags=("short_claimed",))
    assert [4000] == [act.amount_minor for act in decide(order, POLICY, NO_HISTORY, PAID).acts]


def test_the_answer_is_due_from_the_moment_the_claim_is_seen_whatever_the_ship_by_time():
    decision = decide(claimed("short_claimed"), POLICY, NO_HISTORY, PAID)
    assert [PAID + 48 * HOUR] == [case.ship_by for case in decision.opened]
    assert [(PAID + 48 * HOUR, PAID)] == [(member.act_by, member.seen_at) for member in decision.members]
    assert PAID + 42 * HOUR == decision.wake_at
    done = live(claimed("short_claimed"), {PAID: None, PAID + 42 * HOUR: None})
    assert ["hurry"] == done[PAID + 42 * HOUR][0]


def test_the_claim_is_worth_the_unit_and_a_dispute_the_order():
    assert [2000] == [
        member.stake_minor for member in decide(claimed("short_claimed"), POLICY, NO_HISTORY, PAID).members
    ]
    refund = decide(claimed("refund_requested"), POLICY, NO_HISTORY, PAID)
    assert [15000] == [member.stake_minor for member in refund.members]


def test_a_claim_closes_when_the_shop_no_longer_shows_it():
    done = live(claimed("short_claimed"), {PAID: None, PAID + HOUR: claimed()})
    assert [("north/1/short_shipment/1", "CLAIM_GONE")] == done[PAID + HOUR][1]


def test_a_claim_that_flaps_is_the_same_episode_and_a_later_one_a_new_one():
    flaps = {PAID: None, PAID + HOUR: claimed(), PAID + 2 * HOUR: claimed("short_claimed")}
    again = live(claimed("short_claimed"), flaps)[PAID + 2 * HOUR]
    assert ([], ["north/1/short_shipment/1"]) == (again[0], [case.key for case in again[2].opened])
    later = {PAID: None, PAID + HOUR: claimed(), PAID + 8 * HOUR: claimed("short_claimed")}
    new = live(claimed("short_claimed"), later)[PAID + 8 * HOUR]
    assert (["send_again"], ["north/1/short_shipment/2"]) == (new[0], [case.key for case in new[2].opened])


def test_a_refund_request_that_becomes_an_intervention_goes_on_as_a_new_episode_with_its_own_clock():
    graver = claimed("refund_requested", "intervention_requested")
    done = live(claimed("refund_requested"), {PAID: None, PAID + 30 * HOUR: graver})
    steps, closed, decision = done[PAID + 30 * HOUR]
    assert (["settle"], [("north/1/dispute/1", "ESCALATED")]) == (steps, closed)
    assert [("north/1/dispute/2", PAID + 54 * HOUR)] == [(case.key, case.ship_by) for case in decision.opened]


def test_a_refund_request_that_is_found_graver_after_days_of_silence_goes_on_with_the_new_clock():
    """Found by a property: the old episode was given up, and the next look opened a new one."""
    graver = claimed("refund_requested", "intervention_requested")
    done = live(claimed("refund_requested"), {PAID: None, PAID + 11 * DAY: graver})
    closed, opened = done[PAID + 11 * DAY][1], done[PAID + 11 * DAY][2].opened
    assert ([("north/1/dispute/1", "ESCALATED")], ["north/1/dispute/2"]) == (closed, [case.key for case in opened])


def test_an_intervention_that_is_withdrawn_leaves_the_same_case():
    graver = claimed("refund_requested", "intervention_requested")
    done = live(graver, {PAID: None, PAID + HOUR: claimed("refund_requested")})
    assert (["reply"], []) == done[PAID + HOUR][:2]


def test_the_evidence_is_asked_for_between_24_and_72_hours_after_a_complaint():
    moments = {PAID: None, PAID + 24 * HOUR: None}
    done = live(claimed("intervention_requested"), moments)
    assert (["settle"], ["prove"]) == (done[PAID][0], done[PAID + 24 * HOUR][0])
    assert [PAID + 72 * HOUR] == [act.not_after for act in done[PAID + 24 * HOUR][2].acts]


def test_a_claim_nobody_solves_is_let_go_and_stays_so():
    done = live(claimed("short_claimed"), {PAID: None, PAID + 10 * DAY: None, PAID + 11 * DAY: None})
    assert [("north/1/short_shipment/1", "TOO_OLD")] == done[PAID + 10 * DAY][1]
    assert ((), ()) == (done[PAID + 11 * DAY][2].opened, done[PAID + 11 * DAY][2].acts)


def test_what_a_person_resolved_stays_resolved_until_something_graver_or_newer_comes():
    first = decide(claimed("refund_requested"), POLICY, NO_HISTORY, PAID)
    solved = a_history(*(_resolved(case, PAID + HOUR) for case in first.opened), playbook=BOOK.digest, decided_at=PAID)
    assert () == decide(claimed("refund_requested"), POLICY, solved, PAID + 2 * HOUR).opened
    graver = decide(claimed("intervention_requested"), POLICY, solved, PAID + 2 * HOUR)
    assert ["north/1/dispute/2"] == [case.key for case in graver.opened]
    complained = a_history(*solved.cases, events=[an_event("complaint", PAID + 3 * HOUR)], playbook=BOOK.digest)
    newer = decide(claimed("refund_requested"), POLICY, complained, PAID + 3 * HOUR)
    assert ["north/1/dispute/2"] == [case.key for case in newer.opened]


def _resolved(case, when):
    return case._replace(closed_at=when, reason="RESOLVED_BY_PERSON")
