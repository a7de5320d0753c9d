"""The cheapest safe way out: every cost by hand, every obstacle, and what holds whatever the numbers are."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import packs
from rules.assume import Assume
from rules.choice import CASH, Choice, Way, weigh
from rules.health import Budget
from rules.instant import HOUR
from rules.model import Violation
from tests.builders import LATE, PAID, SHIP_BY, STOCK_OUT, a_look, a_policy, an_order, at

ASSUMED = Assume(
    miss=30,
    complain=10,
    agree=40,
    coupon_minor=500,
    coupon_helps=20,
    payment_minor=500,
    payment_helps=60,
    dispute_minor=2000,
    point_minor=5000,
    near_line=5,
)
OLD = {"paid_at": at("2024-06-01 08:00"), "promise_hours": 48}
"""Of a Taobao order under TB-L4: the buyer must complain, 5 % of 142 yuan, 7.10."""


def choice(violation: Violation = LATE, platform: str = "taobao", now: int = SHIP_BY, **facts) -> Choice:
    """The ways out of one violation. Of `facts`: confirmed rows, other open violations, attempts, guesses, budget."""
    rows, others, tried = facts.pop("confirmed", ()), facts.pop("others", ()), facts.pop("tried", 0)
    assumed, budget = facts.pop("assumed", ASSUMED), facts.pop("budget", None)
    pack = packs.load(platform)
    digests = frozenset(row.digest for row in pack.rows if row.id in rows)
    order = an_order(**{"platform": platform, **facts})
    policy = a_policy(platform, confirmed=digests, budget=budget)
    return weigh(a_look(order, policy, now=now), violation, frozenset(others), tried, assumed)


def costs(found: Choice) -> dict[str, int]:
    return {one.way.value: one.cost_minor for one in found.alternatives}


def obstacles(found: Choice) -> dict[str, str | None]:
    return {one.way.value: one.obstacle for one in found.alternatives}


# ---- what each way costs -------------------------------------------------------------------------------------


def test_before_the_deadline_the_risk_is_the_guess():
    found = choice(now=PAID, confirmed=["TB-L4"], **OLD)

    # X = 710 + 2000; wait .3 * .1 * X = 81.3; new date .6 of it; complaints left beside a coupon: .8, a payment: .4
    expected = {"wait": 81, "negotiate": 49, "coupon": 565, "small_payment": 533, "rule_payout": 710, "refund": 15_000}
    assert (30, 0, 2_710) == (found.miss, found.auto_minor, found.complaint_minor)
    assert expected == costs(found)


def test_a_late_order_is_no_risk_any_more_but_a_fact():
    found = choice(confirmed=["TB-L4"], **OLD)

    expected = {
        "wait": 271,
        "negotiate": 163,
        "coupon": 717,
        "small_payment": 608,
        "rule_payout": 710,
        "refund": 15_000,
    }
    assert 100 == found.miss
    assert expected | {"refund": 15_000} == costs(found)


def test_an_instant_before_the_deadline_it_is_still_a_risk():
    assert 30 == choice(now=SHIP_BY - 1, **OLD).miss


def test_goods_that_are_missing_will_be_late_too_and_the_platform_charges_that_by_itself():
    found = choice(STOCK_OUT, "tmall", PAID, confirmed=["TM-S2"], paid_minor=300_000, shipping_minor=0)

    # A = 5 % cap 50 yuan (TM-L4); X = 15 % of 3000 yuan (TM-S2, 58 h promised) + a dispute; no coupon: its words are
    # not allowed
    expected = {"wait": 9_700, "negotiate": 5_820, "small_payment": 7_380, "rule_payout": 50_000, "refund": 305_000}
    assert (100, 5_000, 47_000) == (found.miss, found.auto_minor, found.complaint_minor)
    assert expected == costs(found)


@pytest.mark.parametrize(
    ("paid", "row", "expected"),
    [
        ("2014-06-01 08:00", "TB-L1", 710 + 2_000 + 3 * 5_000),  # three points
        ("2020-06-01 08:00", "TB-L3", 2 * 1_420 + 2_000),  # as much again to Taobao
        ("2024-06-01 08:00", "TB-L4", 710 + 2_000),
    ],
)
def test_a_complaint_brings_payout_points_and_what_the_platform_takes_beside_them(paid, row, expected):
    found = choice(confirmed=[row], paid_at=at(paid), promise_hours=48)
    assert (0, expected) == (found.auto_minor, found.complaint_minor)


def test_where_nobody_knows_who_starts_a_payout_it_counts_as_certain():
    found = choice(platform="jd", shipping_minor=0)
    assert (750, 2_000) == (found.auto_minor, found.complaint_minor)


def test_a_weak_row_counts_for_nothing_and_is_named():
    found = choice(confirmed=["TB-L5"], paid_at=at("2025-06-01 08:00"))
    assert (("TB-L5",), 0, 2_000) == (found.weak, found.auto_minor, found.complaint_minor)


def test_without_a_rule_only_the_dispute_counts():
    found = choice(platform="generic")
    assert (0, 2_000, {"wait", "negotiate", "coupon", "refund"}) == (
        found.auto_minor, found.complaint_minor, set(costs(found))
    )  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "margin", "expected"),
    [
        ({}, 25, 3_750),  # the goods are still here: the margin is lost
        ({}, None, 15_000),
        ({"shipped_at": SHIP_BY - HOUR}, 25, 15_000),
        ({"status": "shipped"}, 25, 15_000),
    ],
)
def test_a_refund_costs_the_margin_while_the_goods_are_here(facts, margin, expected):
    found = choice(assumed=replace(ASSUMED, margin=margin), confirmed=["TB-L4"], **OLD, **facts)
    assert expected == costs(found)["refund"]


@pytest.mark.parametrize(
    ("platform", "paid_minor", "payment", "expected"),
    [
        ("douyin", 1_500, 5_000, 2_000),  # up to 20 yuan: 20
        ("douyin", 2_000, 5_000, 2_000),
        ("douyin", 2_001, 5_000, 2_001),  # up to 500 yuan: the order's amount
        ("douyin", 100_000, 60_000, 50_000),
        ("douyin", 100_000, 500, 500),
        ("pinduoduo", 1_500, 50, 100),  # one yuan at least
        ("taobao", 1_500, 50, 50),
    ],
)
def test_a_small_payment_keeps_within_what_the_platforms_tool_allows(platform, paid_minor, payment, expected):
    found = choice(platform=platform, paid_minor=paid_minor, assumed=replace(ASSUMED, payment_minor=payment))
    assert [expected] == [one.pay_minor for one in found.alternatives if one.way is Way.SMALL_PAYMENT]


def test_jd_has_no_small_payment():
    assert Way.SMALL_PAYMENT not in costs(choice(platform="jd"))


# ---- what is chosen ------------------------------------------------------------------------------------------


def test_a_new_date_is_the_cheapest_while_it_can_be_asked_for():
    assert Way.NEGOTIATE is choice(now=PAID, confirmed=["TB-L4"], **OLD).chosen.way


@pytest.mark.parametrize(
    ("facts", "obstacle"),
    [
        ({"now": SHIP_BY}, "DEADLINE_PASSED"),
        ({"now": PAID, "tried": 3}, "NO_ATTEMPT_LEFT"),
        ({"now": PAID, "platform": "jd"}, "NO_TOOL"),
        ({"now": PAID, "platform": "pinduoduo", "others": [STOCK_OUT]}, "STOCK_OUT_OPEN"),
        ({"now": SHIP_BY - 1}, None),
        ({"now": PAID, "tried": 2}, None),
    ],
)
def test_a_new_date_is_asked_for_only_where_the_platform_lets_it(facts, obstacle):
    assert obstacle == obstacles(choice(**facts))["negotiate"]


def test_a_cheap_order_waits_and_a_dear_one_is_made_good():
    cheap = choice(STOCK_OUT, "tmall", confirmed=["TM-S2"])
    dear = choice(STOCK_OUT, "tmall", confirmed=["TM-S2"], paid_minor=300_000)
    assert (Way.WAIT, Way.SMALL_PAYMENT) == (cheap.chosen.way, dear.chosen.way)


def test_near_a_line_of_the_platform_the_choice_is_more_generous():
    far, near = (choice(confirmed=["TB-L4"], budget=budget, **OLD) for budget in (None, Budget(disputes_left=2)))
    assert (Way.WAIT, Way.RULE_PAYOUT) == (far.chosen.way, near.chosen.way)
    assert (False, True, 10_710) == (far.near_line, near.near_line, near.complaint_minor)


def test_of_equally_dear_ways_waiting_comes_first():
    free = replace(ASSUMED, complain=0)
    found = choice(now=PAID, assumed=free, confirmed=["TB-L4"], **OLD)
    assert (Way.WAIT, 0, 0) == (found.chosen.way, costs(found)["wait"], costs(found)["negotiate"])


@pytest.mark.parametrize(
    ("platform", "violation", "confirmed", "obstacle"),
    [
        ("taobao", LATE, (), "RULE_NOT_CONFIRMED"),
        ("pinduoduo", STOCK_OUT, ("PD-S1",), "PLATFORM_PAYS_ITSELF"),
        ("tmall", LATE, ("TM-L4",), "PLATFORM_PAYS_ITSELF"),
        ("douyin", LATE, ("DY-L3",), "PLATFORM_PAYS_ITSELF"),
        ("jd", LATE, ("JD-L2",), "INITIATION_UNKNOWN"),
        ("generic", LATE, (), "NO_RULE"),
        ("taobao", LATE, ("TB-L4",), None),
    ],
)
def test_cash_is_given_only_by_a_confirmed_row_that_makes_it_help(platform, violation, confirmed, obstacle):
    found = choice(violation, platform, confirmed=confirmed, flags=("refund_requested",), **OLD)
    given = {one.obstacle for one in found.alternatives if one.way in CASH}
    assert {obstacle} == given


def test_where_the_platform_pays_itself_voluntary_cash_is_shown_as_additional_cost():
    found = choice(STOCK_OUT, "pinduoduo", paid_minor=43_000, confirmed=["PD-S1"])
    assert (2_100, 2_300, 2_680) == (found.auto_minor, costs(found)["wait"], costs(found)["small_payment"])
    assert Way.WAIT is found.chosen.way


def test_only_the_buyer_can_begin_a_refund():
    asked, silent = (
        obstacles(choice(confirmed=["TB-L4"], flags=flags, **OLD)) for flags in (("refund_requested",), ())
    )
    assert (None, "BUYER_MUST_ASK") == (asked["refund"], silent["refund"])


def test_nothing_is_no_payment():
    found = choice(confirmed=["TB-L4"], assumed=replace(ASSUMED, coupon_minor=0), **OLD)
    assert "NOTHING_TO_PAY" == obstacles(found)["coupon"]


# ---- where the choice tips -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "expected"),
    [(Way.SMALL_PAYMENT, 2), (Way.RULE_PAYOUT, 96), (Way.REFUND, None), (Way.WAIT, None), (Way.NEGOTIATE, None)],
)
def test_the_break_even_is_the_share_of_complaints_from_which_giving_is_no_dearer_than_waiting(way, expected):
    found = choice(STOCK_OUT, "tmall", confirmed=["TM-S2"], paid_minor=300_000, shipping_minor=0)
    assert [expected] == [one.break_even for one in found.alternatives if one.way is way]


def test_at_the_break_even_it_is_no_dearer_and_just_below_it_is():
    tips = {one.way: one.break_even for one in choice(confirmed=["TB-L4"], **OLD).alternatives}[Way.RULE_PAYOUT]
    assert 27 == tips  # 710 of 2710 is 26.2 %
    above, below = (
        costs(choice(confirmed=["TB-L4"], assumed=replace(ASSUMED, complain=share), **OLD))
        for share in (tips, tips - 1)
    )
    assert above["rule_payout"] <= above["wait"]
    assert below["rule_payout"] > below["wait"]


# ---- what always holds ---------------------------------------------------------------------------------------

PERCENT = st.integers(0, 100)
MONEY = st.integers(0, 10**9)
GUESSES = st.builds(
    Assume,
    miss=PERCENT,
    complain=PERCENT,
    agree=PERCENT,
    coupon_minor=MONEY,
    coupon_helps=PERCENT,
    payment_minor=MONEY,
    payment_helps=PERCENT,
    dispute_minor=MONEY,
    point_minor=MONEY,
    near_line=st.integers(1, 1000),
    margin=st.none() | PERCENT,
)
ANY = st.fixed_dictionaries(
    {
        "platform": st.sampled_from(packs.PLATFORMS),
        "violation": st.sampled_from(list(Violation)),
        "now": st.sampled_from([PAID, SHIP_BY - 1, SHIP_BY, SHIP_BY + 99 * HOUR]),
        "paid_minor": st.none() | MONEY,
        "shipping_minor": st.none() | MONEY,
        "paid_at": st.none() | st.integers(0, 2**51),
        "ship_by": st.none() | st.integers(0, 2**51),
        "promise_hours": st.none() | st.integers(1, 999),
        "flags": st.none() | st.lists(st.sampled_from(("presale", "refund_requested", "out_of_stock"))).map(tuple),
        "status": st.sampled_from(("paid", "shipped", "completed")),
        "currency": st.sampled_from(("CNY", "USD", None)),
        "others": st.sets(st.sampled_from(list(Violation))),
        "tried": st.integers(0, 5),
        "budget": st.none() | st.just(Budget(disputes_left=1)),
        "assumed": GUESSES,
    }
)
EVERY_ROW = [row.id for pack in packs.all_packs() for row in pack.rows]


@given(ANY, st.lists(st.sampled_from(EVERY_ROW), max_size=6) | st.just(EVERY_ROW))
def test_the_chosen_way_is_safe_and_never_dearer_than_another_safe_one(facts, confirmed):
    found = choice(**facts, confirmed=confirmed)
    safe = [one for one in found.alternatives if one.obstacle is None]
    assert found.chosen in safe
    assert all(found.chosen.cost_minor <= one.cost_minor for one in safe)
    assert all(one.cost_minor >= 0 for one in found.alternatives)


@given(ANY)
def test_nothing_is_given_when_no_row_is_confirmed(facts):
    assert choice(**facts, confirmed=()).chosen.way not in CASH


@given(ANY)
def test_a_weak_row_never_gives_anything_however_it_is_confirmed(facts):
    weak = [row.id for pack in packs.all_packs() for row in pack.rows if row.confidence == "C"]
    assert choice(**facts, confirmed=weak).chosen.way not in CASH


@given(ANY, st.just(EVERY_ROW))
def test_where_the_platform_pays_by_itself_nothing_is_given(facts, confirmed):
    automatic = {**facts, "platform": "pinduoduo"}
    assert choice(**automatic, confirmed=confirmed).chosen.way not in CASH
