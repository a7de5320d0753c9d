"""Shop health: what each regime counts, over which days, where its line is, and what is coming."""

from dataclasses import replace

import pytest

from daemon import words
from rules import health, packs
from rules.health import Budget, Counts, Gauge
from rules.instant import DAY, HOUR
from tests.builders import at

NOW = at("2026-11-24 10:00")


def gauge(metric: str, period: str = "rolling", platform: str = "taobao", now: int = NOW) -> Gauge:
    (found,) = [g for g in health.gauges(packs.load(platform), now) if (g.metric, g.period) == (metric, period)]
    return found


def read(g: Gauge, count: int = 0, trades: int | None = 10_000, now: int = NOW, **facts: int) -> health.Reading:
    """A reading of so many incidents, all of them on the window's first instant."""
    ordinary = {"paced": 0, "known_since": g.since - DAY, "expected_trades": trades}
    return health.read(g, Counts(at=(g.since,) * count, trades=trades, **{**ordinary, **facts}), now)


@pytest.mark.parametrize(
    ("metric", "period", "since", "until"),
    [
        ("DM-1", "rolling", "2026-10-28 00:00", "2026-11-25 00:00"),
        ("DM-1", "month", "2026-11-01 00:00", "2026-12-01 00:00"),
        ("DM-3", "rolling", "2026-10-26 00:00", "2026-11-25 00:00"),
        ("DM-7", "rolling", "2026-10-26 00:00", "2026-11-25 00:00"),
    ],
)
def test_a_window_is_whole_local_days_with_today(metric, period, since, until):
    assert (at(since), at(until)) == (gauge(metric, period).since, gauge(metric, period).until)


@pytest.mark.parametrize(
    ("now", "since"),
    [
        (at("2026-11-24 00:00") - 1, "2026-10-27 00:00"),
        (at("2026-11-24 00:00"), "2026-10-28 00:00"),
        (at("2026-11-25 00:00") - 1, "2026-10-28 00:00"),
    ],
)
def test_a_window_moves_on_at_local_midnight(now, since):
    assert at(since) == gauge("DM-1", now=now).since


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (at("2026-12-01 00:00") - 1, "2026-12-01 00:00"),
        (at("2026-12-01 00:00"), "2027-01-01 00:00"),
        (at("2028-02-29 12:00"), "2028-03-01 00:00"),
    ],
)
def test_a_month_ends_where_the_next_begins(now, until):
    assert at(until) == gauge("DM-1", "month", now=now).until


@pytest.mark.parametrize(
    ("metric", "period", "platform", "count", "trades", "state"),
    [
        # DM-1: more than 5 in a month, whatever the trades
        ("DM-1", "month", "taobao", 3, 10_000, "fine"),
        ("DM-1", "month", "taobao", 4, 10_000, "near"),
        ("DM-1", "month", "taobao", 5, 10_000, "near"),
        ("DM-1", "month", "taobao", 6, 10_000, "over"),
        ("DM-1", "month", "taobao", 6, None, "over"),
        # DM-3, entry to campaigns: 6 or 0.1 % are allowed
        ("DM-3", "rolling", "taobao", 6, 100, "near"),
        ("DM-3", "rolling", "taobao", 7, 6_999, "over"),
        ("DM-3", "rolling", "taobao", 7, 7_000, "near"),
        ("DM-3", "rolling", "taobao", 8, 7_999, "over"),
        # DM-3, calendar month: more than 6 and at least 0.1 %
        ("DM-3", "month", "taobao", 7, 7_000, "over"),
        ("DM-3", "month", "taobao", 7, 7_001, "near"),
        ("DM-3", "month", "taobao", 6, 100, "near"),
        # PD-S2: 100 and 5 %, or 30 %
        ("PD-S2", "day", "pinduoduo", 99, 2_000, "near"),
        ("PD-S2", "day", "pinduoduo", 100, 2_000, "over"),
        ("PD-S2", "day", "pinduoduo", 100, 2_001, "near"),
        ("PD-S2", "day", "pinduoduo", 101, 2_001, "over"),
        ("PD-S2", "day", "pinduoduo", 29, 100, "near"),
        ("PD-S2", "day", "pinduoduo", 30, 100, "over"),
        ("PD-S2", "day", "pinduoduo", 10, 100, "fine"),
        # DY-S3: more than 30 % and at least 30
        ("DY-S3", "day", "douyin", 30, 100, "near"),
        ("DY-S3", "day", "douyin", 31, 100, "over"),
        ("DY-S3", "day", "douyin", 29, 50, "near"),
        ("DY-S3", "day", "douyin", 30, 99, "over"),
        ("DY-S3", "day", "douyin", 20, 50, "fine"),
        # no line is known
        ("DM-1", "rolling", "taobao", 500, 1_000, "no_line"),
        ("DM-7", "rolling", "tmall", 500, 1_000, "no_line"),
        ("DM-9", "rolling", "pinduoduo", 500, 1_000, "no_line"),
    ],
)
def test_where_the_line_is(metric, period, platform, count, trades, state):
    assert state == read(gauge(metric, period, platform), count, trades).state


@pytest.mark.parametrize("row", ["PD-S2", "DY-S2", "DY-S3"])
def test_a_line_for_a_day_begins_with_its_regime(row):
    platform = {"PD-S2": "pinduoduo", "DY-S2": "douyin", "DY-S3": "douyin"}[row]
    first = packs.midnight(packs.load(platform).row(row).first, packs.load(platform).zone)
    day = [g.metric for g in health.gauges(packs.load(platform), first - 1) if g.period == "day"]
    assert row not in day
    assert row == gauge(row, "day", platform, first).metric


def test_every_intervention_counts_but_in_the_formula_that_counts_rulings():
    assert {"intervention"} == gauge("DM-1").counts
    assert set() == gauge("DM-1").excuses
    assert {"ruled_against"} == gauge("DM-3").counts


def test_asking_the_platform_counts_until_the_refund_is_closed():
    assert ({"intervention", "complaint"}, {"refund_closed"}) == (gauge("DM-7").counts, gauge("DM-7").excuses)


@pytest.mark.parametrize(("trades", "rate"), [(None, None), (10_000, 6), (9_999, 6), (1_200, 50)])
def test_without_trades_there_is_no_rate(trades, rate):
    assert rate == read(gauge("DM-1"), 6, trades).rate_bp


def test_without_trades_the_count_alone_draws_the_line():
    assert 7 == read(gauge("DM-3"), 1, None).crossing
    assert 1_001 == read(gauge("DM-3"), 1, 1_000_000).crossing


def test_a_share_of_nobody_knows_what_is_no_line():
    """On the first day of our data one order of one is no 100 %; 100 are 100."""
    g = gauge("PD-S2", "day", "pinduoduo")
    first_day = read(g, 1, 1, known_since=g.since)
    assert (100, None, ("history",), "fine") == (
        first_day.crossing, first_day.rate_bp, first_day.missing, first_day.state
    )  # fmt: skip
    assert (1, 10_000, (), "over") == (
        read(g, 1, 1).crossing, read(g, 1, 1).rate_bp, read(g, 1, 1).missing, read(g, 1, 1).state
    )  # fmt: skip


def test_what_nobody_told_is_said():
    g = gauge("DM-3")
    assert ("trades",) == read(g, 1, None).missing
    assert ("history",) == read(g, 1, known_since=g.since + DAY).missing
    assert () == read(g, 1, known_since=g.since + DAY - 1).missing
    assert ("rulings",) == read(g, 1, undecided=2).missing
    assert ("trusted_buyers",) == read(gauge("DM-7"), 1).missing


def test_room_grows_when_the_oldest_leaves_the_window():
    """A dispute of 30 October is counted up to 26 November."""
    g = gauge("DM-1")
    oldest = Counts(at=(at("2026-10-30 23:59"), NOW), trades=100)
    assert at("2026-11-25 00:00") == read(g, 1).horizon
    assert at("2026-11-27 00:00") == health.read(g, oldest, NOW).horizon
    leaves = at("2026-11-27 00:00")
    assert gauge("DM-1", now=leaves - 1).since <= oldest.at[0] < gauge("DM-1", now=leaves).since


def test_a_month_holds_until_its_end():
    assert at("2026-12-01 00:00") == read(gauge("DM-1", "month"), 3).horizon


@pytest.mark.parametrize(
    ("paced", "forecast"),
    [
        (0, 3),
        (2, 3),  # 2 in 28 days, 6 d 14 h to go: 0.47
        (3, 4),  # 0.71
        (10, 5),  # 2.35
        (13, 6),  # 3.06
    ],
)
def test_disputes_go_on_at_the_pace_of_the_window(paced, forecast):
    reading = read(gauge("DM-1", "month"), 3, paced=paced)
    assert forecast == reading.forecast
    assert (forecast >= 6) == reading.forecast_crosses


def test_a_forecast_beyond_the_line_is_near_it():
    assert "near" == read(gauge("DM-1", "month"), 3, paced=13).state


def test_what_is_under_way_may_end_badly():
    assert "fine" == read(gauge("DM-3"), 3, 5_000).state
    assert "near" == read(gauge("DM-3"), 3, 5_000, undecided=4).state
    assert 7 == read(gauge("DM-3"), 3, 5_000, undecided=4).forecast


def test_a_day_is_judged_by_the_orders_it_will_have():
    """Of two orders at night one is out of stock; by the evening there will be 100."""
    g = gauge("PD-S2", "day", "pinduoduo")
    assert "fine" == read(g, 0, 2, pending=1, expected_trades=100).state
    assert "near" == read(g, 0, 2, pending=30, expected_trades=100).state


def test_two_more_disputes_and_campaigns_close():
    reading = read(gauge("DM-1", "month"), 4)
    assert (2, "campaigns", at("2026-12-01 00:00")) == (reading.left, reading.gauge.effect, reading.horizon)


def test_far_from_every_line_there_is_no_budget_to_keep():
    assert None is health.budget([read(gauge("DM-1", "month"), 3), read(gauge("DM-3"), 2)])


@pytest.mark.parametrize(("count", "left"), [(4, 1), (5, 0), (6, 0), (9, 0)])
def test_the_dispute_that_crosses_the_line_cannot_be_spent(count, left):
    month = gauge("DM-1", "month")
    assert Budget(disputes_left=left, until=month.until) == health.budget([read(month, count)])


def test_the_tightest_line_is_the_budget():
    month, rolling = read(gauge("DM-1", "month"), 4), read(gauge("DM-3"), 6, 100)
    assert Budget(disputes_left=0, until=rolling.horizon) == health.budget([month, rolling])


def test_stock_outs_of_a_day_are_no_budget_of_disputes():
    assert None is health.budget([read(gauge("DY-S3", "day", "douyin"), 31, 100)])


def test_a_platform_without_lines_has_no_gauges():
    assert () == health.gauges(packs.load("generic"), NOW)


def test_the_pace_of_a_passed_horizon_adds_nothing():
    g = replace(gauge("DM-1", "month"), until=NOW - HOUR)
    assert 3 == read(g, 3, paced=50).forecast


def test_everything_a_gauge_says_has_its_words():
    for pack in packs.all_packs():
        for g in health.gauges(pack, NOW):
            assert g.name in words.METRICS
            assert g.effect in words.EFFECTS
