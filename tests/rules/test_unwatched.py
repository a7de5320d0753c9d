"""No order is waited for in silence: what is paid or due is watched by its deadline, or counted as unwatched."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import finding
from rules.deadline import effective
from rules.instant import DAY, HOUR
from rules.model import STATUSES, UNKNOWN, Violation
from rules.unwatched import GAPS, gap
from tests.builders import PAID, SHIP_BY, a_line, a_look, a_policy, an_order, ladder

POLICY = a_policy()
BARE = {"ship_by": None, "paid_at": None}


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        ({}, None),
        ({"paid_at": None}, None),
        (BARE, "NO_PAYMENT_TIME"),
        ({"ship_by": None}, "NO_DEADLINE"),
        (BARE | {"status": "partly_shipped"}, "NO_PAYMENT_TIME"),
        ({"status": UNKNOWN}, "NO_STATUS"),
        (BARE | {"status": UNKNOWN}, "NO_STATUS"),
        ({"status": UNKNOWN, "collected_at": PAID}, None),
        ({"status": "unpaid"}, "STATUS_UNPAID"),
        ({"status": "unpaid", "paid_at": None}, None),
        (BARE | {"status": "shipped"}, None),
        (BARE | {"status": "cancelled"}, None),
        (BARE | {"status": "paid", "collected_at": PAID}, None),
        (BARE | {"lines": (a_line(shipped_quantity=9),)}, None),
    ],
)
def test_what_an_order_lacks_is_named_only_while_somebody_waits_for_it(facts, missing):
    order = replace(an_order(), **facts)
    assert missing == gap(order, order.ship_by)


@given(
    st.sampled_from([*STATUSES, UNKNOWN]),
    st.sampled_from([None, PAID]),
    st.sampled_from([None, SHIP_BY]),
    st.sampled_from([None, PAID + HOUR]),
    st.sampled_from(["generic", "taobao", "tmall", "pinduoduo", "jd", "douyin"]),
    st.sampled_from([(), (a_line(),), (a_line(shipped_quantity=9),)]),
)
def test_an_order_that_is_owed_or_of_no_known_state_is_watched_or_counted(
    status, paid_at, ship_by, collected_at, platform, lines
):
    facts = {"status": status, "paid_at": paid_at, "ship_by": ship_by, "collected_at": collected_at, "lines": lines}
    order = replace(an_order(platform=platform), **facts)
    due = effective(order, a_policy(platform).pack)
    look = a_look(order, a_policy(platform), now=(due.ship_by or PAID) + DAY)
    watched = finding.find(look, ladder(look.policy, Violation.LATE_SHIPMENT)).fired
    without_state = status == UNKNOWN or (status == "unpaid" and paid_at is not None)
    gone = collected_at is not None and status != "partly_shipped"
    waited_for = not gone and (without_state or finding.owes(order))

    missing = gap(order, due.ship_by)

    assert waited_for == (watched or missing in GAPS)
    assert not (watched and missing)
