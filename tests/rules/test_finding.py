"""Is a violation threatening? An answer with a reason for every order."""

import pytest

from rules import finding
from rules.finding import Finding
from rules.instant import DAY, HOUR
from tests.builders import LATE, PAID, SHIP_BY, STOCK_OUT, a_history, a_line, a_look, a_policy, an_order, ladder

POLICY = a_policy()
CLOSES = SHIP_BY + 30 * DAY


def late(now: int, **facts) -> Finding:
    return finding.find(a_look(an_order(**facts), POLICY, now=now), ladder(POLICY))


def stock_out(*lines, short: tuple[str, ...] = (), now: int = PAID, **facts) -> Finding:
    look = a_look(an_order(*lines, **facts), POLICY, a_history(short=short), now)
    return finding.find(look, ladder(POLICY, STOCK_OUT))


def test_an_order_far_from_its_deadline_is_looked_at_again_when_the_first_lead_begins():
    assert Finding(LATE, False, "NOT_DUE_YET", SHIP_BY - 24 * HOUR) == late(SHIP_BY - 24 * HOUR - 1)


def test_within_the_first_lead_the_deadline_is_near():
    assert Finding(LATE, True, "SHIP_BY_NEAR", CLOSES) == late(SHIP_BY - 24 * HOUR)


def test_from_the_deadline_on_the_order_is_late_until_nobody_watches_it_any_more():
    assert "SHIP_BY_NEAR" == late(SHIP_BY - 1).reason
    assert Finding(LATE, True, "ALREADY_LATE", CLOSES) == late(SHIP_BY)
    assert Finding(LATE, True, "ALREADY_LATE", CLOSES) == late(CLOSES - 1)
    assert Finding(LATE, False, "TOO_OLD") == late(CLOSES)


def test_a_shipped_parcel_that_is_known_not_to_be_scanned_still_runs_against_the_clock():
    facts = {"status": "shipped", "shipped_at": SHIP_BY - 5 * HOUR, "collection_known": True}
    assert "SCAN_MISSING" == late(SHIP_BY - HOUR, **facts).reason
    assert "ALREADY_LATE" == late(SHIP_BY, **facts).reason
    assert Finding(LATE, False, "COLLECTED") == late(SHIP_BY, **facts, collected_at=SHIP_BY - HOUR)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"status": "unpaid"}, "NOT_PAID"),
        ({"status": "cancelled"}, "ORDER_CLOSED"),
        ({"status": "refunded"}, "ORDER_CLOSED"),
        ({"status": "shipped"}, "SHIPPED"),
        ({"status": "delivered"}, "SHIPPED"),
        ({"status": "completed"}, "SHIPPED"),
        ({"status": "paid", "collected_at": PAID}, "COLLECTED"),
        ({"ship_by": None, "paid_at": None}, "NO_DEADLINE"),
    ],
)
def test_an_order_that_owes_nothing_or_has_no_date_is_safe_with_a_reason(facts, reason):
    assert Finding(LATE, False, reason) == late(SHIP_BY, **facts)


def test_an_order_whose_units_are_all_shipped_or_refunded_owes_nothing():
    lines = (a_line(shipped_quantity=1, refunded_quantity=1), a_line("2", quantity=0))
    assert not finding.owes(an_order(*lines))
    assert "NOTHING_OWED" == stock_out(*lines).reason
    assert finding.owes(an_order(a_line(shipped_quantity=1)))


def test_a_line_of_unknown_quantity_is_owed():
    assert finding.owes(an_order(a_line(quantity=None)))


def test_a_collected_parcel_of_a_partly_shipped_order_leaves_the_rest_owed():
    order = an_order(a_line(shipped_quantity=2), a_line("2"), status="partly_shipped", collected_at=PAID)
    assert not finding.handed_over(order)
    assert "SHIP_BY_NEAR" == finding.find(a_look(order, POLICY, now=SHIP_BY - HOUR), ladder(POLICY)).reason


def test_an_order_without_lines_is_owed_by_its_status():
    assert finding.owes(an_order(status="paid"))
    assert not finding.owes(an_order(status="unpaid"))


def test_the_platforms_flag_is_a_stock_out():
    assert Finding(STOCK_OUT, True, "OUT_OF_STOCK_FLAG", CLOSES) == stock_out(flags=("out_of_stock",))


def test_a_line_its_pool_cannot_cover_is_a_stock_out():
    assert Finding(STOCK_OUT, True, "STOCK_SHORT", CLOSES) == stock_out(short=("1",))


def test_no_stock_on_a_line_alone_is_no_stock_out():
    assert Finding(STOCK_OUT, False, "IN_STOCK") == stock_out(a_line(stock=0))


def test_a_short_line_that_has_been_refunded_since_is_no_stock_out():
    assert "IN_STOCK" == stock_out(a_line(refunded_quantity=2), a_line("2"), short=("1",)).reason


def test_a_shipped_order_is_no_stock_out_whatever_is_flagged():
    facts = {"status": "shipped", "collection_known": True, "flags": ("out_of_stock",)}
    assert Finding(STOCK_OUT, False, "SHIPPED") == stock_out(**facts)


def test_a_stock_out_without_a_deadline_stays_until_somebody_solves_it():
    assert None is stock_out(short=("1",), ship_by=None, paid_at=None).wake_at


def test_a_stock_out_long_after_the_deadline_is_let_go():
    assert Finding(STOCK_OUT, False, "TOO_OLD") == stock_out(short=("1",), now=CLOSES)
