"""Orders first seen long after their time: a case, but no step, no pick-up and no pool of their own."""

import pytest

from rules.decide import decide
from rules.instant import DAY, HOUR
from rules.model import History, Violation
from rules.why import explain
from tests.builders import LATE, SHIP_BY, a_case, a_history, a_line, a_policy, an_order, lived

LONG = SHIP_BY + 2 * DAY
POLICY = a_policy()
FLAGGED = frozenset({"out_of_stock"})


@pytest.mark.parametrize("flags", [frozenset(), FLAGGED])
def test_an_order_first_seen_two_days_after_its_time_gets_no_steps(flags: frozenset[str]) -> None:
    decision = decide(an_order(flags=flags), POLICY, History(), LONG)

    assert {"LONG_OVERDUE"} == {case.reason for case in decision.opened}
    assert () == decision.acts
    assert all(member.overdue and member.sku is None for member in decision.members)


def test_why_says_so() -> None:
    told = explain(an_order(), POLICY, History(), LONG)

    assert ("late_shipment", True, "LONG_OVERDUE") in {(rule.id, rule.fired, rule.reason) for rule in told.rules}
    assert () == told.steps


def test_nor_later() -> None:
    order = an_order()
    first = decide(order, POLICY, History(), LONG)
    later = decide(order, POLICY, lived(History(), first, POLICY, LONG), LONG + DAY)

    assert ((), (), True) == (later.acts, later.opened, later.members[0].overdue)


@pytest.mark.parametrize(
    ("history", "now"),
    [(History(), LONG - 1), (a_history(decided_at=SHIP_BY - 3 * DAY), LONG), (a_history(a_case()), LONG)],
    ids=["not so long ago", "known before", "with a case"],
)
def test_what_was_known_in_time_or_is_not_long_past_is_seen_to_as_ever(history: History, now: int) -> None:
    history = history if history.cases == () else history._replace(decided_at=SHIP_BY)
    decision = decide(an_order(), POLICY, history, now)

    assert "LONG_OVERDUE" not in {case.reason for case in decision.opened}
    assert not any(member.overdue for member in decision.members)


def test_a_claim_is_never_too_old_to_be_answered() -> None:
    order = an_order(flags=frozenset({"refund_requested"}), status="delivered")
    decision = decide(order, POLICY, History(), LONG)

    assert {Violation.DISPUTE: "REFUND_REQUESTED"} == {case.violation: case.reason for case in decision.opened}
    assert decision.acts


def test_a_new_date_makes_it_an_order_like_any_other() -> None:
    order = an_order()
    first = decide(order, POLICY, History(), LONG)
    agreed = an_order(ship_by=LONG + 12 * HOUR)
    then = decide(agreed, POLICY, lived(History(), first, POLICY, LONG), LONG + HOUR)

    assert ["SHIP_BY_NEAR"] == [case.reason for case in then.moved if case.violation is LATE]
    assert then.acts
    assert not then.members[0].overdue


def test_lines_of_what_is_long_past_are_no_shortage_of_its_pool() -> None:
    order = an_order(a_line(stock=0))
    decision = decide(order, POLICY, History(short=("1",)), LONG)

    assert {None} == {member.sku for member in decision.members}
