"""Penalty points: which year counts, where the seller's own line is, what is coming, what nobody told."""

import pytest

from rules import health, packs, points
from rules.health import Budget, Reading
from rules.instant import DAY, SECOND
from tests.builders import at

NEW_YEAR = at("2027-01-01 00:00")
LATE = at("2026-12-31 23:00")


def read(*taken: tuple[int, int], line: int | None = 12, now: int = LATE) -> Reading:
    return points.read(points.gauge(packs.load("taobao"), line, now), taken, now)


@pytest.mark.parametrize(("now", "year"), [(NEW_YEAR - SECOND, 2026), (NEW_YEAR, 2027)])
def test_the_year_is_that_of_the_platform(now, year):
    """In UTC the old year still has eight hours."""
    gauge = points.gauge(packs.load("taobao"), None, now)
    assert (at(f"{year}-01-01 00:00"), at(f"{year + 1}-01-01 00:00")) == (gauge.since, gauge.until)


@pytest.mark.parametrize(("taken_at", "count"), [(NEW_YEAR - SECOND, 0), (NEW_YEAR, 3)])
def test_points_of_the_old_year_are_gone_at_new_year(taken_at, count):
    assert count == read((taken_at, 3), now=NEW_YEAR).count


def test_every_deduction_counts_with_its_points():
    found = read((LATE - DAY, 3), (LATE, 4))
    assert (7, LATE) == (found.count, found.newest)


@pytest.mark.parametrize(
    ("count", "state", "left"),
    [(1, "fine", 11), (8, "fine", 4), (9, "near", 3), (11, "near", 1), (12, "over", 0), (15, "over", -3)],
)
def test_near_is_one_stock_out_before_the_line(count, state, left):
    """An hour before New Year nothing more is expected."""
    found = read((LATE, count))
    assert (state, left, 12) == (found.state, found.left, found.crossing)


@pytest.mark.parametrize(("count", "state"), [(38, "fine"), (39, "near")])
def test_a_line_of_many_points_is_near_at_four_fifths(count, state):
    assert state == read((LATE, count), line=48).state


@pytest.mark.parametrize(("line", "state"), [(12, "near"), (13, "fine")])
def test_what_was_taken_in_a_year_is_expected_in_the_time_to_come(line, state):
    """Twelve in the last 365 days, six of them this year: until New Year, half a year away, six more."""
    july = at("2026-07-02 12:00")
    found = read((at("2025-12-31 00:00"), 6), (july, 6), line=line, now=july)
    assert (6, 12, state) == (found.count, found.forecast, found.state)


def test_what_was_taken_last_year_alone_is_no_alarm():
    found = read((LATE, 11), now=NEW_YEAR)
    assert (0, 11, "fine") == (found.count, found.forecast, found.state)
    assert "fine" == read((LATE, 12), now=NEW_YEAR).state


def test_what_is_older_than_a_year_makes_no_pace():
    july = at("2026-07-02 12:00")
    assert 0 == read((july - 365 * DAY - SECOND, 9), now=july).forecast


def test_without_a_line_of_the_seller_there_is_none():
    found = read((LATE, 50), line=None)
    assert ("no_line", None, 50) == (found.state, found.left, found.count)


def test_what_nobody_told_is_not_known_rather_than_nought():
    silent = points.read(points.gauge(packs.load("taobao"), 12, LATE), None, LATE)
    assert ("unknown", ("points",), None) == (silent.state, silent.missing, silent.left)
    assert ("fine", (), 12) == (read().state, read().missing, read().left)


@pytest.mark.parametrize(("count", "left"), [(9, 2), (11, 0), (12, 0)])
def test_the_point_that_reaches_the_line_cannot_be_spent(count, left):
    assert Budget(points_left=left, until=NEW_YEAR) == health.budget([read((LATE, count))])


def test_far_from_the_line_there_is_no_budget_of_points():
    assert None is health.budget([read((LATE, 8)), read((LATE, 80), line=None)])
