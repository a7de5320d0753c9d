"""Penalty points (扣分): how many a platform took from a shop in this calendar year, and how many are left.

Platforms start points anew each year; what happens at how many is in none of our sources for every platform, so no
pack names a line. A seller who knows the line states it (`[shops.NAME] points_line`).
"""

from collections.abc import Sequence
from datetime import date

from rules.health import Bound, Gauge, Reading, State, at_pace
from rules.instant import DAY
from rules.packs import Pack, local_date, midnight

NEAR = 3
"""So many more and the line is reached: what one stock-out that is ruled against the seller costs (C010, TB-L1)."""
NEAR_SHARE = 5
"""A line of many points is near at four fifths, as those of orders are."""
PACE_DAYS = 365
"""The pace is that of a year: points come seldom and several at once."""


def gauge(pack: Pack, line: int | None, now: int) -> Gauge:
    """Points of the calendar year of `now` in the platform's zone; `line` of them are over."""
    year = local_date(now, pack.zone).year
    return Gauge(
        metric="points",
        name="points",
        period="year",
        since=midnight(date(year, 1, 1), pack.zone),
        until=midnight(date(year + 1, 1, 1), pack.zone),
        days=PACE_DAYS,
        numerator="points",
        bounds=() if line is None else (Bound(count_from=line),),
    )


def since(gauge: Gauge, now: int) -> int:
    """From when deductions must be known: those of the year, and those that make the pace."""
    return min(gauge.since, now - PACE_DAYS * DAY)


def read(gauge: Gauge, taken: Sequence[tuple[int, int]] | None, now: int) -> Reading:
    """Where the points stand. `taken`: (at, points) from `since` on, oldest first; None = nobody ever told any."""
    told = taken or ()
    of_year = [(at, points) for at, points in told if gauge.since <= at < gauge.until]
    count = sum(points for _, points in of_year)
    paced = sum(points for at, points in told if now - PACE_DAYS * DAY <= at <= now)
    forecast = count + at_pace(gauge, paced, now, gauge.until)
    line = min((bound.count_from for bound in gauge.bounds), default=None)
    crosses = line is not None and forecast >= line
    return Reading(
        gauge=gauge,
        count=count,
        trades=None,
        rate_bp=None,
        crossing=line,
        left=None if line is None or taken is None else line - count,
        horizon=gauge.until,
        pending=0,
        forecast=forecast,
        forecast_crosses=crosses,
        state="unknown" if taken is None else _state(count, line, crosses=crosses),
        newest=of_year[-1][0] if of_year else None,
        missing=("points",) if taken is None else (),
    )


def _state(count: int, line: int | None, *, crosses: bool) -> State:
    if line is None:
        return "no_line"
    if count >= line:
        return "over"
    if not count:
        return "fine"  # the pace of last year alone is no alarm: on 1 January it would be one every day
    return "near" if crosses or line - count <= max(NEAR, line // NEAR_SHARE) else "fine"
