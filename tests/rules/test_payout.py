"""Payouts are exact: below the minimum, at the cap, at every rounding edge, on the day a regime changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import packs, payout
from rules.instant import HOUR, parse
from rules.model import Line, Order, Violation
from rules.packdata import Tier

LATE, OUT, FAKE = Violation.LATE_SHIPMENT, Violation.STOCK_OUT, Violation.FAKE_SHIPMENT
SHORT, WRONG, STALLED = Violation.SHORT_SHIPMENT, Violation.WRONG_ITEM, Violation.TRACK_STALLED
NOW = "2026-06-01T08:00:00+08:00"
WEAK = "2025-06-01T08:00:00+08:00"
"""A day of TB-L5, which a weak source tells of."""


def order(platform: str, paid_minor: int | None, paid: str | None = NOW, **facts) -> Order:
    at = None if paid is None else parse(paid if "T" in paid else f"{paid}T12:00:00+08:00")
    known = {"shop": "n", "order_id": "1", "status": "paid", "currency": "CNY", "paid_at": at}
    return Order(**{**known, "platform": platform, "paid_minor": paid_minor, **facts})


def cost(platform: str, violation: Violation, paid_minor: int | None, paid: str | None = NOW, **facts):
    found = payout.stake(order(platform, paid_minor, paid, **facts), packs.load(platform), violation)
    return None if found is None else (found.row, found.low_minor, found.high_minor)


TABLE = [
    # TB-L1: 5% [1,30] of what was paid without postage
    ("taobao", LATE, "2014-06-18", 1_999, "TB-L1", 100),
    ("taobao", LATE, "2014-06-18", 2_000, "TB-L1", 100),
    ("taobao", LATE, "2014-06-18", 2_029, "TB-L1", 101),
    ("taobao", LATE, "2014-06-18", 15_000, "TB-L1", 750),
    ("taobao", LATE, "2014-06-18", 59_989, "TB-L1", 2_999),
    ("taobao", LATE, "2014-06-18", 60_000, "TB-L1", 3_000),
    ("taobao", LATE, "2014-06-18", 999_999, "TB-L1", 3_000),
    ("taobao", LATE, "2015-10-28", 2_000, "TB-L1", 100),
    # TB-L2: 5% [5,30] from the next day
    ("taobao", LATE, "2015-10-29", 2_000, "TB-L2", 500),
    ("taobao", LATE, "2015-10-29", 10_010, "TB-L2", 501),
    ("taobao", LATE, "2019-08-25", 60_001, "TB-L2", 3_000),
    # TB-L3: 10% [5,100]
    ("taobao", LATE, "2019-08-26", 4_999, "TB-L3", 500),
    ("taobao", LATE, "2019-08-26", 5_005, "TB-L3", 501),
    ("taobao", LATE, "2022-07-17", 100_000, "TB-L3", 10_000),
    ("taobao", LATE, "2022-07-17", 100_010, "TB-L3", 10_000),
    # TB-L4: 5% [5,30]
    ("taobao", LATE, "2022-07-18", 15_000, "TB-L4", 750),
    ("taobao", LATE, "2025-02-12", 60_000, "TB-L4", 3_000),
    # TB-S0 10% [5,100], TB-S2 30% [5,100], TB-S3 10% [5,100] up to 48 h
    ("taobao", OUT, "2022-07-17", 15_000, "TB-S0", 1_500),
    ("taobao", OUT, "2022-07-18", 15_000, "TB-S2", 4_500),
    ("taobao", OUT, "2025-02-12", 1_000, "TB-S2", 500),
    ("taobao", OUT, "2025-02-12", 33_334, "TB-S2", 10_000),
    ("taobao", OUT, "2025-02-13", 15_000, "TB-S3", 1_500),
    ("taobao", OUT, "2025-02-13", 100_001, "TB-S3", 10_000),
    # TB-L6 1% [3,30] up to 48 h
    ("taobao", LATE, "2026-11-28", 30_000, "TB-L6", 300),
    ("taobao", LATE, "2025-09-05", 45_050, "TB-L6", 451),
    ("taobao", LATE, "2026-11-28", 400_000, "TB-L6", 3_000),
    # TB-F1 30% [5,100], TB-F2 20% [5,100], TB-T1 5% [5,50]
    ("taobao", FAKE, "2023-12-31", 10_000, "TB-F1", 3_000),
    ("taobao", FAKE, "2024-01-01", 10_000, "TB-F2", 2_000),
    ("taobao", FAKE, "2024-01-01", 50_001, "TB-F2", 10_000),
    ("taobao", FAKE, "2025-09-05", 30_000, "TB-F3", 1_500),
    ("taobao", STALLED, "2025-09-05", 9_999, "TB-T1", 500),
    ("taobao", STALLED, "2025-09-05", 100_001, "TB-T1", 5_000),
    # TM-L1 30% [5,500], TM-L2 5% [5,50], TM-S1 and TM-F1 30% [5,500], then TM-S2 10% and TM-F2 5% [5,100]
    # TM-W1 30% cap 500 and no minimum
    ("tmall", LATE, "2020-09-16", 1_666, "TM-L1", 500),
    ("tmall", LATE, "2020-09-16", 166_667, "TM-L1", 50_000),
    ("tmall", LATE, "2020-09-17", 9_999, "TM-L2", 500),
    ("tmall", LATE, "2020-09-17", 10_010, "TM-L2", 501),
    ("tmall", LATE, "2025-03-06", 100_000, "TM-L2", 5_000),
    ("tmall", LATE, "2026-11-28", 30_000, "TM-L4", 1_500),
    ("tmall", OUT, "2025-03-06", 1_000, "TM-S1", 500),
    ("tmall", OUT, "2025-03-06", 15_000, "TM-S1", 4_500),
    ("tmall", OUT, "2025-03-06", 200_000, "TM-S1", 50_000),
    ("tmall", OUT, "2026-11-28", 30_000, "TM-S2", 3_000),
    ("tmall", FAKE, "2025-03-06", 15_000, "TM-F1", 4_500),
    ("tmall", FAKE, "2026-11-28", 30_000, "TM-F2", 1_500),
    ("tmall", SHORT, "2026-06-01", 101, "TM-W1", 30),
    ("tmall", WRONG, "2026-06-01", 166_700, "TM-W1", 50_000),
    # PD-L1 3 yuan flat, PD-L2/L3 1% from 300 yuan on, cap 30
    ("pinduoduo", LATE, "2022-10-25", 90_000, "PD-L1", 300),
    ("pinduoduo", LATE, "2022-10-26", 29_999, "PD-L2", 300),
    ("pinduoduo", LATE, "2022-10-26", 30_000, "PD-L2", 300),
    ("pinduoduo", LATE, "2025-05-14", 30_050, "PD-L2", 301),
    ("pinduoduo", LATE, "2025-05-15", 30_049, "PD-L3", 300),
    ("pinduoduo", LATE, "2025-05-15", 300_000, "PD-L3", 3_000),
    ("pinduoduo", LATE, "2025-05-15", 300_100, "PD-L3", 3_000),
    # PD-S1: 5 yuan, from 100 yuan on 5% cut to whole yuan, cap 100
    ("pinduoduo", OUT, "2026-06-01", 100, "PD-S1", 500),
    ("pinduoduo", OUT, "2026-06-01", 9_999, "PD-S1", 500),
    ("pinduoduo", OUT, "2026-06-01", 10_000, "PD-S1", 500),
    ("pinduoduo", OUT, "2026-06-01", 11_999, "PD-S1", 500),
    ("pinduoduo", OUT, "2026-06-01", 12_000, "PD-S1", 600),
    ("pinduoduo", OUT, "2026-06-01", 43_000, "PD-S1", 2_100),
    ("pinduoduo", OUT, "2026-06-01", 199_999, "PD-S1", 9_900),
    ("pinduoduo", OUT, "2026-06-01", 200_000, "PD-S1", 10_000),
    ("pinduoduo", OUT, "2026-06-01", 500_000, "PD-S1", 10_000),
    # PD-F1 by amount, PD-F2 25% [5,100], PD-F3 5% [5,100]
    ("pinduoduo", FAKE, "2022-12-31", 4_999, "PD-F1", 1_000),
    ("pinduoduo", FAKE, "2022-12-31", 5_000, "PD-F1", 2_000),
    ("pinduoduo", FAKE, "2022-12-31", 9_999, "PD-F1", 2_000),
    ("pinduoduo", FAKE, "2022-12-31", 10_000, "PD-F1", 3_000),
    ("pinduoduo", FAKE, "2022-12-31", 29_999, "PD-F1", 3_000),
    ("pinduoduo", FAKE, "2022-12-31", 30_000, "PD-F1", 4_000),
    ("pinduoduo", FAKE, "2023-01-01", 1_000, "PD-F2", 500),
    ("pinduoduo", FAKE, "2025-05-14", 40_000, "PD-F2", 10_000),
    ("pinduoduo", FAKE, "2025-05-15", 40_000, "PD-F3", 2_000),
    ("pinduoduo", FAKE, "2025-05-15", 200_001, "PD-F3", 10_000),
    # JD-L1 30% [5,500], JD-L2 5% [5,50], JD-S1 30% [5,500]
    ("jd", LATE, "2022-12-15", 15_000, "JD-L1", 4_500),
    ("jd", LATE, "2022-12-16", 15_000, "JD-L2", 750),
    ("jd", LATE, "2022-12-16", 100_001, "JD-L2", 5_000),
    ("jd", OUT, "2026-06-01", 1_000, "JD-S1", 500),
    ("jd", OUT, "2026-06-01", 166_667, "JD-S1", 50_000),
    # DY-L2 none up to 3 yuan, 3 yuan, 1% cap 30 from 300 on; DY-S1/S2 5% [5,100] and [5,500] up to 48 h
    ("douyin", LATE, "2026-03-31", 300, "DY-L2", 0),
    ("douyin", LATE, "2026-03-31", 301, "DY-L2", 300),
    ("douyin", LATE, "2026-03-31", 29_999, "DY-L2", 300),
    ("douyin", LATE, "2026-03-31", 45_050, "DY-L2", 451),
    ("douyin", LATE, "2026-03-31", 300_100, "DY-L2", 3_000),
    # DY-L3 nothing for the first 48 h late, DY-S3 1% [2,50] up to 48 h
    ("douyin", LATE, "2026-04-01", 300_100, "DY-L3", 0),
    ("douyin", OUT, "2026-11-28", 30_000, "DY-S3", 300),
    ("douyin", OUT, "2025-06-04", 300_000, "DY-S1", 10_000),
    ("douyin", OUT, "2025-06-05", 300_000, "DY-S2", 15_000),
    ("douyin", OUT, "2025-06-05", 9_999, "DY-S2", 500),
    ("douyin", OUT, "2025-06-05", 2_000_000, "DY-S2", 50_000),
]


@pytest.mark.parametrize(("platform", "violation", "paid", "amount", "row", "expected"), TABLE)
def test_a_payout_is_exact_to_the_fen(platform, violation, paid, amount, row, expected):
    assert (row, expected, expected) == cost(platform, violation, amount, paid)


@pytest.mark.parametrize(
    ("platform", "violation", "paid", "hours", "expected"),
    [
        ("taobao", OUT, NOW, 48, ("TB-S3", 1_500, 1_500)),
        ("taobao", OUT, NOW, 49, ("TB-S3", 2_250, 2_250)),
        ("taobao", LATE, NOW, 49, ("TB-L6", 750, 750)),
        ("tmall", OUT, NOW, 49, ("TM-S2", 2_250, 2_250)),
        ("douyin", OUT, "2026-03-31", 48, ("DY-S2", 750, 750)),
        ("douyin", OUT, "2026-03-31", 72, ("DY-S2", 1_500, 1_500)),
        ("douyin", OUT, NOW, 48, ("DY-S3", 200, 200)),
        ("douyin", OUT, NOW, 240, ("DY-S3", 450, 450)),
        ("douyin", OUT, NOW, 241, ("DY-S3", 750, 750)),
        ("douyin", LATE, NOW, 48, ("DY-L3", 0, 0)),
        ("douyin", LATE, NOW, 240, ("DY-L3", 200, 200)),
        ("douyin", LATE, NOW, 241, ("DY-L3", 300, 300)),
        ("douyin", OUT, "2024-06-01", 72, ("DY-S1", 1_500, 1_500)),
    ],
)
def test_the_promised_hours_choose_the_tier(platform, violation, paid, hours, expected):
    assert expected == cost(platform, violation, 15_000, paid, promise_hours=hours)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, (1_500, 1_500)),
        ({"ship_by": parse(NOW) + 48 * HOUR}, (1_500, 1_500)),
        ({"ship_by": parse(NOW) + 72 * HOUR}, (2_250, 2_250)),
        ({"presale_ship_by": parse(NOW) + 240 * HOUR}, (2_250, 2_250)),
        ({"ship_by": parse(NOW) + 72 * HOUR, "negotiated_ship_by": parse(NOW) + 72 * HOUR}, (1_500, 2_250)),
        ({"ship_by": parse(NOW) + 72 * HOUR, "report_ship_by": parse(NOW) + 72 * HOUR}, (1_500, 2_250)),
        ({"ship_by": parse(NOW) + 72 * HOUR, "promise_hours": 24}, (1_500, 1_500)),
        ({"ship_by": parse(NOW) + 72 * HOUR, "paid_at": None}, (1_500, 1_500)),
    ],
)
def test_unstated_hours_are_read_off_the_deadline_unless_it_was_moved(facts, expected):
    assert ("TB-S3", *expected) == cost("taobao", OUT, 15_000, **facts)


def test_a_festival_deadline_does_not_pass_for_a_promise():
    paid = "2026-02-17T12:00:00+08:00"
    found = cost("douyin", OUT, 15_000, paid, ship_by=parse("2026-02-24T23:59:59+08:00"))
    assert ("DY-S2", 750, 1_500) == found


def test_a_weak_row_shows_the_range_of_its_tiers_and_says_so():
    found = payout.stake(order("taobao", 15_000, WEAK, promise_hours=24), packs.load("taobao"), LATE)
    assert found is not None
    assert (750, 1_500, "C", False) == (found.low_minor, found.high_minor, found.confidence, found.confirmed)
    assert "unconfirmed: weak source" == found.note


def test_a_weak_row_that_a_person_confirmed_is_exact():
    pack = packs.load("taobao")
    row = pack.row("TB-L5")
    assert row is not None
    confirmed = frozenset({packs.digest(row)})
    found = payout.stake(order("taobao", 15_000, WEAK, promise_hours=24), pack, LATE, confirmed)
    assert found is not None
    assert (750, 750, True) == (found.low_minor, found.high_minor, found.confirmed)


def test_only_the_confirmed_row_counts_as_confirmed():
    pack = packs.load("pinduoduo")
    row = pack.row("PD-S1")
    assert row is not None
    confirmed = frozenset({packs.digest(row)})
    assert payout.stake(order("pinduoduo", 43_000), pack, OUT, confirmed).confirmed
    assert not payout.stake(order("pinduoduo", 43_000), pack, LATE, confirmed).confirmed


@pytest.mark.parametrize(
    ("confirmed", "expected"),
    [
        ((), ("TB-S3", 1_500, False)),
        (("TB-S3",), ("TB-S3", 1_500, True)),
        (("TB-S3-P10",), ("TB-S3-P10", 4_500, True)),
        (("TB-S4",), ("TB-S3", 1_500, False)),
    ],
)
def test_what_another_source_says_counts_once_a_person_confirmed_it(confirmed, expected):
    pack = packs.load("taobao")
    digests = frozenset(row.digest for row in pack.rows if row.id in confirmed)
    found = payout.stake(order("taobao", 15_000, WEAK), pack, OUT, digests)
    assert found is not None
    assert expected == (found.row, found.low_minor, found.confirmed)


def test_both_of_two_contradicting_rows_confirmed_span_a_range():
    pack = packs.load("taobao")
    digests = frozenset(row.digest for row in pack.rows if row.id in ("TB-S3", "TB-S3-P10"))
    found = payout.stake(order("taobao", 15_000, WEAK), pack, OUT, digests)
    assert found is not None
    assert (1_500, 4_500, True) == (found.low_minor, found.high_minor, found.confirmed)


@pytest.mark.parametrize(
    ("paid", "expected"),
    [
        ("2019-06-24", None),
        ("2019-06-25", ("TB-W1", 750, 750)),
        ("2020-01-01", ("TB-W1", 1_500, 1_500)),
        ("2024-01-01", ("TB-W1", 750, 750)),
    ],
)
def test_taobao_charges_a_wrong_item_as_the_late_order_of_its_day(paid, expected):
    assert expected == cost("taobao", WRONG, 15_000, paid)


def test_what_is_charged_like_another_row_is_confirmed_with_both():
    pack, wrong = packs.load("taobao"), order("taobao", 15_000, "2024-01-01")
    digests = {row.id: row.digest for row in pack.rows}
    for names, sure in [(("TB-W1",), False), (("TB-L4",), False), (("TB-W1", "TB-L4"), True)]:
        found = payout.stake(wrong, pack, WRONG, frozenset(digests[name] for name in names))
        assert found is not None
        assert sure is found.confirmed


def test_a_jd_bean_is_a_fen():
    """X15: 100 beans are 1 yuan, so 5 % of 150 yuan are 750 beans, from 500 up to 5,000."""
    found = payout.stake(order("jd", 15_000), packs.load("jd"), LATE)
    assert ("jd_beans", 750) == (found.form, found.low_minor)
    assert [("JD-L2", 500), ("JD-L2", 5_000)] == [cost("jd", LATE, paid)[:2] for paid in (10_000, 100_000)]


def test_a_stake_names_its_row_form_initiation_and_currency():
    found = payout.stake(order("pinduoduo", 43_000), packs.load("pinduoduo"), OUT)
    assert payout.Stake(2_100, 2_100, "CNY", "PD-S1", "cash_coupon", "auto", "A", False, "") == found


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"tags": ("billion_subsidy",)}, 4_300),
        ({"tags": ("billion_subsidy",), "paid_minor": 9_999}, 1_000),
        ({"tags": ("billion_subsidy",), "paid_minor": 400_000}, 30_000),
        ({"flags": ("customised",), "category": "家具/沙发"}, 500),
        ({"flags": ("customised",), "category": "Furniture"}, 500),
        ({"flags": ("customised",), "category": "饰品"}, 2_100),
        ({"category": "家具"}, 2_100),
        ({"flags": ("presale",), "tags": ("bonded",)}, 2_100),
    ],
)
def test_pinduoduo_has_other_payouts_for_subsidised_and_custom_goods(facts, expected):
    facts = {"paid_minor": 43_000, **facts}
    amount = facts.pop("paid_minor")
    assert ("PD-S1", expected, expected) == cost("pinduoduo", OUT, amount, **facts)


@pytest.mark.parametrize(
    ("category", "paid", "expected"),
    [("定制/DIY", "2016-01-01", 100), ("女装", "2016-01-01", 500), ("机票/门票", "2020-01-01", 200)],
)
def test_taobao_kept_a_lower_minimum_for_special_categories(category, paid, expected):
    assert expected == cost("taobao", LATE, 2_000, paid, category=category)[1]


@pytest.mark.parametrize(
    ("facts", "note"),
    [
        ({"flags": ("presale",)}, "exempt: presale"),
        ({"flags": ("urged", "customised")}, "exempt: customised"),
        ({"tags": ("voucher",)}, "exempt: voucher"),
    ],
)
def test_tmall_paid_nothing_by_itself_for_exempt_goods(facts, note):
    found = payout.stake(order("tmall", 15_000, "2025-03-06", **facts), packs.load("tmall"), LATE)
    assert found is not None
    assert (0, 0, note) == (found.low_minor, found.high_minor, found.note)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, 1_500),
        ({"flags": ("presale",)}, 3_000),
        ({"flags": ("customised",), "promise_hours": 48}, 1_500),
        ({"flags": ("customised",), "promise_hours": 49}, 3_000),
        ({"tags": ("voucher",)}, 0),
    ],
)
def test_tmall_charges_presales_and_customised_goods_by_what_was_promised(facts, expected):
    assert ("TM-L4", expected, expected) == cost("tmall", LATE, 30_000, "2026-11-28", **facts)


@pytest.mark.parametrize(
    ("platform", "hours", "late", "out"),
    [
        # the worked examples of the official texts: goods of 1,000 yuan (together at most 100 where 48 h were promised)
        ("taobao", 48, 1_000, 10_000),
        ("taobao", 49, 3_000, 15_000),
    ],
)
def test_the_worked_examples_of_the_platform_come_out(platform, hours, late, out):
    found = [cost(platform, kind, 100_000, "2026-11-28", promise_hours=hours) for kind in (LATE, OUT)]
    assert [late, out] == [one[2] for one in found if one is not None]


def test_an_order_customised_for_its_buyer_is_left_out_of_what_taobao_pays_by_itself():
    assert ("TB-L6", 0, 0) == cost("taobao", LATE, 30_000, "2026-11-28", flags=("customised",))


@pytest.mark.parametrize(
    ("kind", "facts", "expected"),
    [
        ("item_paid_ex_postage", {}, 14_200),
        ("paid_ex_postage", {}, 14_200),
        ("item_paid", {}, 14_200),
        ("order_paid", {}, 15_000),
        ("order_received", {}, 15_000),
        ("order_received", {"received_minor": 13_000}, 13_000),
        ("order_paid", {"received_minor": 13_000}, 15_000),
        ("item_paid", {"shipping_minor": None}, 15_000),
        ("item_paid", {"shipping_minor": 16_000}, 0),
        ("item_paid", {"paid_minor": None}, None),
        ("order_received", {"paid_minor": None, "received_minor": 1}, 1),
    ],
)
def test_the_base_is_with_or_without_postage(kind, facts, expected):
    known = {"paid_minor": 15_000, "shipping_minor": 800, **facts}
    assert expected == payout.base_of(order("x", known.pop("paid_minor"), **known), kind)


@pytest.mark.parametrize(
    ("lines", "kind", "expected"),
    [
        ((Line(line_id="1", quantity=2, unit_minor=7_100),), "item_paid", 14_200),
        ((Line(line_id="1", quantity=2, unit_minor=7_100),), "order_paid", 15_000),
        ((Line(line_id="1", quantity=2, unit_minor=7_100, paid_minor=14_000),), "item_paid", 14_000),
        ((Line(line_id="1", unit_minor=100), Line(line_id="2", paid_minor=50)), "item_paid", 150),
        ((Line(line_id="1", unit_minor=100), Line(line_id="2")), "item_paid", None),
        ((Line(line_id="1", unit_minor=100, quantity=None),), "item_paid", None),
        ((), "item_paid", None),
    ],
)
def test_without_a_total_the_lines_are_added_up(lines, kind, expected):
    assert expected == payout.base_of(order("x", None, lines=lines, shipping_minor=800), kind)


@pytest.mark.parametrize(
    ("platform", "violation", "facts"),
    [
        ("generic", LATE, {}),
        ("olist", OUT, {}),
        ("taobao", SHORT, {}),
        ("pinduoduo", SHORT, {}),
        ("taobao", LATE, {"currency": "USD"}),
        ("taobao", LATE, {"paid_minor": None}),
        ("taobao", Violation.DISPUTE, {}),
    ],
)
def test_what_no_row_or_price_tells_is_not_guessed(platform, violation, facts):
    facts = {"paid_minor": 15_000, **facts}
    assert cost(platform, violation, facts.pop("paid_minor"), **facts) is None


def test_group_success_chooses_the_row_on_pinduoduo():
    paid, grouped = "2025-05-14T23:00:00+08:00", parse("2025-05-15T00:00:00+08:00")
    assert "PD-F2" == cost("pinduoduo", FAKE, 10_000, paid)[0]
    assert "PD-F3" == cost("pinduoduo", FAKE, 10_000, paid, group_success_at=grouped)[0]


OVERLAP = """
platform = "x"
zone = "UTC"
currency = "CNY"
[contact]
admits_no_stock = "allowed"
[[row]]
id = "OLD"
violation = "late_shipment"
initiation = "complaint"
base = "order_paid"
tiers = [{ percent_bp = 500 }]
source = ["P1"]
confidence = "B"
[[row]]
id = "NEW"
violation = "late_shipment"
initiation = "auto"
base = "order_paid"
tiers = [{ percent_bp = 3000, max_minor = 2000 }]
source = ["P2"]
confidence = "B"
"""


def test_overlapping_rows_span_a_range():
    found = payout.stake(order("x", 10_000), packs.parse(OVERLAP, "x.toml"), LATE)
    assert found is not None
    assert (500, 2_000, "OLD", False) == (found.low_minor, found.high_minor, found.row, found.confirmed)


def test_of_overlapping_rows_a_confirmed_one_counts_alone():
    pack = packs.parse(OVERLAP, "x.toml")
    new = pack.row("NEW")
    assert new is not None
    found = payout.stake(order("x", 10_000), pack, LATE, frozenset({packs.digest(new)}))
    assert found is not None
    assert (2_000, 2_000, "NEW", True) == (found.low_minor, found.high_minor, found.row, found.confirmed)


def test_overlapping_rows_without_a_price_cost_nothing_known():
    assert payout.stake(order("x", None), packs.parse(OVERLAP, "x.toml"), LATE) is None


def test_a_base_that_no_tier_covers_has_no_payout():
    tiers = (Tier(base_from_minor=100, flat_minor=5), Tier(promise_hours_over=48, flat_minor=5))
    assert payout.payout(tiers, 99, 48) is None


ROWS = [row for pack in packs.all_packs() for row in pack.rows if row.tiers]
AMOUNTS = st.integers(min_value=0, max_value=10**9)
HOURS = st.integers(min_value=0, max_value=24 * 60)


@given(st.sampled_from(ROWS), AMOUNTS, AMOUNTS, HOURS)
def test_a_larger_base_never_costs_less(row, a, b, hours):
    floor = row.rounding == "floor_yuan"
    low, high = (payout.payout(row.tiers, base, hours, floor) for base in sorted((a, b)))
    assert low is not None
    assert high is not None
    assert low <= high


@given(st.sampled_from(ROWS), AMOUNTS, HOURS)
def test_a_payout_keeps_within_the_minimum_and_maximum_of_its_row(row, base, hours):
    amount = payout.payout(row.tiers, base, hours, row.rounding == "floor_yuan")
    assert amount is not None
    lowest = min(t.flat_minor if t.flat_minor is not None else t.min_minor for t in row.tiers)
    most = [t.max_minor if t.max_minor is not None else base for t in row.tiers if t.flat_minor is None]
    highest = max([*most, *(t.flat_minor or 0 for t in row.tiers)])
    assert lowest <= amount <= highest


@given(AMOUNTS, st.integers(min_value=1, max_value=10_000))
def test_rounding_is_half_up_to_the_fen_and_never_off_by_more_than_half(base, percent_bp):
    amount = payout.payout((Tier(percent_bp=percent_bp),), base, 48)
    assert amount is not None
    assert -5_000 < amount * 10_000 - base * percent_bp <= 5_000


@given(AMOUNTS)
def test_a_floored_payout_is_whole_yuan_and_at_most_the_exact_share(base):
    amount = payout.payout((Tier(percent_bp=500),), base, 48, floor_yuan=True)
    assert amount is not None
    assert 0 == amount % 100
    assert 0 <= base * 500 - amount * 10_000 < 1_000_000


@given(AMOUNTS, st.integers(min_value=0, max_value=2**51), st.sampled_from(list(Violation)))
def test_a_stake_is_total_and_ordered(amount, paid_at, violation):
    for pack in packs.all_packs():
        found = payout.stake(order(pack.platform, amount, paid_at=paid_at), pack, violation)
        assert found is None or 0 <= found.low_minor <= found.high_minor
