"""A replay decides the same whatever its step: time is visited where something is due, not where a step ends."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import OrderEvent, Record, Snapshot, StockReport
from daemon import lines
from daemon.replay import Simulation
from daemon.shops import Shops
from daemon.store import journal
from rules import packs, playbook
from rules.calendars import warehouse
from rules.instant import DAY, HOUR, MINUTE, parse
from tests.builders import SHANGHAI

MORNING = parse("2026-06-01T08:00:00+08:00")
MOMENTS = st.integers(0, 3 * 24 * 4).map(lambda quarter: MORNING + quarter * 15 * MINUTE)
WEIGHING = playbook.parse(f"{playbook.shipped_text()}\nmargin_percent = 20\n", "test")
"""The shipped playbook with a margin: listings are stopped by themselves where that pays."""
PLATFORM = {"north": "taobao", "south": "pinduoduo"}
SHOPS = st.sampled_from(sorted(PLATFORM))
IDS = st.sampled_from("123")
STATUS = st.sampled_from(["paid", "paid", "shipped", "cancelled"])
LINE = st.fixed_dictionaries({"sku": st.sampled_from("AB"), "listing_id": st.just("L1")}, optional={
    "quantity": st.integers(1, 3), "stock": st.integers(0, 5)})  # fmt: skip
FIELDS = st.fixed_dictionaries(
    {"status": STATUS, "paid_at": st.just(MORNING), "paid_minor": st.just(15000), "currency": st.just("CNY")},
    optional={
        "ship_by": st.sampled_from(
            [MORNING + 2 * DAY, MORNING + 3 * DAY, MORNING + 37 * MINUTE, MORNING + 13 * HOUR, MORNING - 3 * DAY]
        ),
        "flags": st.sampled_from([[], ["out_of_stock"], ["intervention_requested"]]),
        "collected_at": st.just(None),
    },
)
QUIET = st.builds(
    lambda at, shop, name, fields: Snapshot(
        observed_at=at, shop=shop, order_id=name, platform=PLATFORM[shop], fields=fields, lines={}
    ),
    MOMENTS, SHOPS, IDS, FIELDS,
)  # fmt: skip
COUPLED = st.builds(
    lambda at, shop, name, fields, line: Snapshot(
        observed_at=at, shop=shop, order_id=name, platform=PLATFORM[shop], fields=fields, lines={"1": line}
    ),
    MOMENTS, SHOPS, IDS, FIELDS, LINE,
)  # fmt: skip
TOLD = ["ack", "date_agreed", "date_refused", "buyer_reply", "opt_out", "complaint", "intervention"]
EVENTS = st.builds(
    lambda at, shop, name, event: OrderEvent(observed_at=at, shop=shop, order_id=name, event=event, at=at),
    MOMENTS, SHOPS, IDS, st.sampled_from(TOLD),
) | st.builds(
    lambda at, shop, name, points: OrderEvent(
        observed_at=at, shop=shop, order_id=name, event="points_deducted", at=at, points=points
    ),
    MOMENTS, SHOPS, IDS, st.integers(1, 4),
)  # fmt: skip
STOCK = st.builds(
    lambda at, shop, sku, units: StockReport(observed_at=at, shop=shop, sku=sku, stock=units),
    MOMENTS, SHOPS, st.sampled_from("AB"), st.integers(0, 6),
)  # fmt: skip


def decided(records: list[Record], step: int, *, pickups: bool = False) -> bytes:
    """All decision lines of a replay."""
    shops = Shops(playbook=WEIGHING)
    for shop, platform in PLATFORM.items():
        known = shops.known[shop] = replace(shops.get(shop, platform), points_line=4)
        if pickups:
            hours = warehouse("Mon-Sat 09:00-18:00", ["11:00", "18:00"], "2h", SHANGHAI)
            shops.known[shop] = replace(known, policy=replace(known.policy, warehouse=hours))
    simulation = Simulation(shops)
    simulation.run(sorted(records, key=lambda record: record.observed_at), MORNING, step, lambda: MORNING + 9 * DAY)
    with simulation.database.begin() as tx:
        return b"".join(lines.encode(journal.lines(tx)))


@pytest.mark.slow
@given(st.lists(QUIET | EVENTS, min_size=1, max_size=8), st.booleans())
@settings(max_examples=15)
def test_orders_that_share_no_stock_are_decided_alike_whatever_the_step(records, pickups):
    results = {decided(records, step, pickups=pickups) for step in (HOUR, 7 * HOUR, DAY)}
    assert 1 == len(results)


@pytest.mark.slow
@given(st.lists(COUPLED | STOCK | EVENTS, min_size=1, max_size=8), st.booleans())
@settings(max_examples=15)
def test_orders_that_share_stock_are_decided_alike_whatever_the_step(records, pickups):
    results = {decided(records, step, pickups=pickups) for step in (HOUR, 7 * HOUR, DAY)}
    assert 1 == len(results)


def test_a_deadline_that_moves_within_its_pick_up_is_told_of_as_it_was_at_each_moment():
    def snapshot(at: int, ship_by: int) -> Snapshot:
        facts = {"status": "paid", "paid_at": MORNING, "paid_minor": 15000, "currency": "CNY", "ship_by": ship_by}
        return Snapshot(observed_at=at, shop="north", order_id="1", platform="taobao", fields=facts, lines={})

    moved: list[Record] = [
        snapshot(MORNING, MORNING + 5 * HOUR + 37 * MINUTE),
        snapshot(MORNING + 6 * HOUR, MORNING + 6 * HOUR + 30 * MINUTE),
    ]
    first, *others = (decided(moved, step, pickups=True) for step in (15 * MINUTE, HOUR, DAY))
    assert first.count(b"SHIP_BY_PASSED") == 2
    assert [first, first] == others


# ---- the budget of disputes


PAID = parse("2024-06-01T08:00:00+08:00")
DISPUTED = tuple(f"d{number}" for number in range(4))


def points_taken(points: int) -> Iterator[Record]:
    """The platform takes so many points, a day after everything was paid."""
    at = PAID + DAY
    yield OrderEvent(observed_at=at, shop="north", order_id="d0", event="points_deducted", at=at, points=points)


def paid_out(step: int, disputes: int, points: int = 0) -> tuple[bytes, list[tuple[str, str]]]:
    """All lines of a replay in which one order misses its deadline, and what became of its compensation.

    It was paid when a row held under which a complaint must come first (TB-L4); a person has confirmed that row.
    """
    taobao = packs.load("taobao")
    confirmed = frozenset(row.digest for row in taobao.rows if row.id == "TB-L4")
    shops = Shops(playbook=WEIGHING, confirmed=confirmed)
    shops.known["north"] = replace(shops.get("north", "taobao"), points_line=12)
    simulation = Simulation(shops)
    facts = {"status": "paid", "paid_at": PAID, "promise_hours": 48, "ship_by": PAID + 2 * DAY}
    late = {**facts, "paid_minor": 15000, "shipping_minor": 800, "currency": "CNY"}
    told: list[Record] = [
        Snapshot(observed_at=PAID, shop="north", order_id="late", platform="taobao", fields=late),
        *(
            Snapshot(observed_at=PAID, shop="north", order_id=name, platform="taobao", fields={"status": "delivered"})
            for name in DISPUTED
        ),
        *(
            OrderEvent(observed_at=PAID + DAY, shop="north", order_id=name, event="intervention", at=PAID + DAY)
            for name in DISPUTED[:disputes]
        ),
        *(points_taken(points) if points else ()),
    ]
    simulation.run(told, PAID, step, lambda: PAID + 5 * DAY)
    with simulation.database.begin() as tx:
        found = list(journal.lines(tx))
    money = [(line["event"], line["reason"]) for line in found if line["step"] == "make_good"]
    return b"".join(lines.encode(found)), money


def test_near_a_line_of_the_platform_a_replay_pays_what_it_else_would_not():
    assert [("dropped", "WAITING_IS_CHEAPER")] == paid_out(HOUR, disputes=1)[1]
    ((event, _),) = paid_out(HOUR, disputes=4)[1]
    assert "action" == event


@pytest.mark.parametrize("disputes", [0, 1, 3, 4])
def test_the_budget_is_the_same_whatever_the_step(disputes):
    assert 1 == len({paid_out(step, disputes)[0] for step in (MINUTE, HOUR, 7 * HOUR, DAY, 5 * DAY)})


def test_near_the_sellers_line_of_points_a_replay_pays_what_it_else_would_not():
    assert [("dropped", "WAITING_IS_CHEAPER")] == paid_out(HOUR, disputes=0, points=3)[1]
    ((event, _),) = paid_out(HOUR, disputes=0, points=9)[1]
    assert "action" == event


@pytest.mark.parametrize("points", [3, 9, 12])
def test_the_budget_of_points_is_the_same_whatever_the_step(points):
    assert 1 == len({paid_out(step, disputes=0, points=points)[0] for step in (MINUTE, HOUR, 7 * HOUR, DAY, 5 * DAY)})
