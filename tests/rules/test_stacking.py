"""Late and out of stock together, and several orders of one buyer: what adds up, and what shares a cap."""

import pytest

from rules import packs, stacking
from rules.instant import HOUR, parse
from rules.model import Order, Violation

LATE, OUT = Violation.LATE_SHIPMENT, Violation.STOCK_OUT
BOTH = (LATE, OUT)


def order(platform: str, paid: str, paid_minor: int | None = 15_000, order_id: str = "1", **facts) -> Order:
    known = {"shop": "n", "status": "paid", "currency": "CNY", "buyer": "b", "paid_at": parse(paid)}
    return Order(**{**known, "platform": platform, "order_id": order_id, "paid_minor": paid_minor, **facts})


@pytest.mark.parametrize(
    ("platform", "paid", "expected"),
    [
        ("taobao", "2022-07-18T00:00:00+08:00", (5_250, ("TB-S2", "TB-L4"))),  # P06: 7.5 + 45
        ("taobao", "2022-07-17T23:59:59+08:00", (1_500, ("TB-L3",))),  # not said to stack: the dearer
        ("taobao", "2025-09-04T00:00:00+08:00", (3_000, ("TB-L5", "TB-S3"))),
        ("taobao", "2026-06-01T00:00:00+08:00", (1_800, ("TB-S3", "TB-L6"))),
        ("tmall", "2026-06-01T00:00:00+08:00", (2_250, ("TM-S2", "TM-L4"))),
        ("tmall", "2025-03-06T00:00:00+08:00", (5_250, ("TM-S1", "TM-L2"))),  # P12: 35 % in all
        ("tmall", "2020-09-24T00:00:00+08:00", (5_250, ("TM-S1", "TM-L2"))),
        ("tmall", "2020-09-23T23:59:59+08:00", (750, ("TM-L2",))),
        ("douyin", "2025-06-04T23:59:59+08:00", (1_050, ("DY-S1", "DY-L2"))),
        ("douyin", "2025-06-05T00:00:00+08:00", (1_050, ("DY-S2", "DY-L2"))),
        ("douyin", "2026-04-01T00:00:00+08:00", (200, ("DY-S3", "DY-L3"))),
        ("pinduoduo", "2026-06-01T00:00:00+08:00", (700, ("PD-S1",))),
        ("jd", "2026-06-01T00:00:00+08:00", (4_500, ("JD-S1",))),
    ],
)
def test_payouts_add_up_only_where_the_platform_says_so(platform, paid, expected):
    found = stacking.together(order(platform, paid), packs.load(platform), BOTH)
    assert found is not None
    assert expected == (found.high_minor, tuple(one.row for one in found.stakes))


def test_stacked_payouts_keep_each_its_own_cap():
    dear = order("tmall", "2026-06-01T00:00:00+08:00", 1_000_000)
    found = stacking.together(dear, packs.load("tmall"), BOTH)
    assert found is not None
    assert (55_000, 55_000, [50_000, 5_000]) == (
        found.low_minor,
        found.high_minor,
        [one.high_minor for one in found.stakes],
    )


def test_the_order_of_the_violations_changes_nothing():
    one, pack = order("tmall", "2026-06-01T00:00:00+08:00"), packs.load("tmall")
    assert stacking.together(one, pack, BOTH) == stacking.together(one, pack, BOTH[::-1])


@pytest.mark.parametrize(("platform", "amount"), [("generic", 15_000), ("tmall", None)])
def test_without_a_price_there_is_no_total(platform, amount):
    assert stacking.together(order(platform, "2026-06-01T00:00:00+08:00", amount), packs.load(platform), BOTH) is None


def amounts(platform: str, violation: Violation, *paid: tuple[str, int], **facts) -> tuple[int, ...]:
    orders = [order(platform, at, amount, str(n), **facts) for n, (at, amount) in enumerate(paid)]
    return stacking.shared(orders, packs.load(platform), violation)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("2020-03-02T12:00:00+08:00", (8_000, 2_000)),  # 24 h to the second: shared
        ("2020-03-02T12:00:01+08:00", (8_000, 8_000)),
        ("2020-03-01T12:00:00+08:00", (8_000, 2_000)),
    ],
)
def test_taobao_shares_a_cap_over_what_a_buyer_paid_within_24_hours(second, expected):
    first = ("2020-03-01T12:00:00+08:00", 80_000)
    assert expected == amounts("taobao", LATE, first, (second, 80_000))


def test_the_24_hours_run_from_the_first_order_not_from_the_last():
    paid = [(f"2020-03-0{day}T{hour}:00:00+08:00", 60_000) for day, hour in ((1, "00"), (1, "20"), (2, "10"))]
    assert (6_000, 4_000, 6_000) == amounts("taobao", LATE, *paid)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("2026-06-01T23:59:59+08:00", (30_000, 20_000)),
        ("2026-06-02T00:00:00+08:00", (30_000, 30_000)),
    ],
)
def test_tmall_shares_500_yuan_over_one_local_day_of_a_buyer(second, expected):
    first = ("2026-06-01T00:00:00+08:00", 300_000)
    assert expected == amounts("tmall", OUT, first, (second, 300_000))


def test_the_cap_is_used_up_by_the_earlier_order_whichever_is_named_first():
    late, early = ("2026-06-01T20:00:00+08:00", 300_000), ("2026-06-01T08:00:00+08:00", 450_000)
    assert (5_000, 45_000) == amounts("tmall", OUT, late, early)


def test_orders_of_nobody_known_share_with_none():
    day = ("2026-06-01T08:00:00+08:00", 450_000)
    assert (45_000, 45_000) == amounts("tmall", OUT, day, day, buyer=None)


def test_other_buyers_and_rows_without_a_shared_cap_are_left_alone():
    pack, at = packs.load("tmall"), "2025-03-01T08:00:00+08:00"
    orders = [order("tmall", at, 150_000, name, buyer=name) for name in "ab"]
    assert (45_000, 45_000) == stacking.shared(orders, pack, OUT)
    assert (5_000, 5_000) == amounts("tmall", LATE, (at, 150_000), (at, 150_000))


def test_an_order_without_a_price_counts_nothing():
    pack = packs.load("tmall")
    orders = [order("tmall", "2026-06-01T08:00:00+08:00", amount, str(amount)) for amount in (None, 450_000)]
    assert (0, 45_000) == stacking.shared(orders, pack, OUT)


def test_group_success_starts_the_clock_of_a_shared_window_too():
    pack = packs.parse(PINDUODUO, "x.toml")
    start = parse("2026-06-01T08:00:00Z")
    orders = [
        order("x", "2026-06-01T08:00:00Z", 1_000, "1"),
        order("x", "2026-06-01T08:00:00Z", 1_000, "2", group_success_at=start + 25 * HOUR),
    ]
    assert (700, 700) == stacking.shared(orders, pack, LATE)


PINDUODUO = """
platform = "x"
zone = "UTC"
currency = "CNY"
[contact]
admits_no_stock = "allowed"
[[promise]]
hours = 48
start = "group_success"
stop = "collection_scan"
source = ["P1"]
confidence = "B"
[[row]]
id = "A"
violation = "late_shipment"
initiation = "auto"
base = "order_paid"
tiers = [{ percent_bp = 7000, max_minor = 1000 }]
merge_window_hours = 24
source = ["P1"]
confidence = "B"
"""
