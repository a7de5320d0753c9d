"""Shop health: what a platform counts against a shop, where the line is, how much room is left, what is coming.

A `Gauge` is one count over one window with its line, made from the pack (platform-rules §2, rows DM-1 to DM-9,
PD-S2, DY-S3). A `Reading` is the gauge together with what is known of the shop. Windows are whole local days of
the pack's zone, the current one included: a dispute counts from the instant it happened.

The forecast is no oracle: what has been counted goes on at the pace of the gauge's own window until the horizon,
and what is already under way (`pending`) ends badly. Every number it uses is in the reading.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Literal

from rules.instant import DAY
from rules.model import Violation
from rules.packdata import Effect, Metric, Numerator, Threshold
from rules.packs import Pack, local_date, midnight

Incident = Literal[
    "intervention", "complaint", "stock_out", "ruled_against", "ruled_for", "refund_closed", "points_deducted"
]
"""What happens to an order that a platform may count: told by events, or by flags of a snapshot."""
Period = Literal["rolling", "month", "day", "year"]
State = Literal["fine", "near", "over", "no_line", "unknown"]
Missing = Literal["trades", "history", "rulings", "trusted_buyers", "points"]
"""What a formula needs and nobody told: paid orders in the window; days before our first order; how interventions
ended; which buyers the platform trusts (they weigh more); any penalty points."""
Formula = Numerator | Literal["points"]
"""What a gauge counts: the packs' formulas, and penalty points, for which no pack names a line (rules/points.py)."""

COUNTED: dict[Formula, tuple[frozenset[Incident], frozenset[Incident]]] = {
    "refunds_with_intervention_all": (frozenset({"intervention"}), frozenset()),
    "rulings_against_seller": (frozenset({"ruled_against"}), frozenset()),
    "complaints_all": (frozenset({"complaint"}), frozenset()),
    "stock_out_orders": (frozenset({"stock_out"}), frozenset()),
    "consumer_started_disputes_plus_complaints_unless_refund_closed": (
        frozenset({"intervention", "complaint"}),
        frozenset({"refund_closed"}),
    ),
    "points": (frozenset({"points_deducted"}), frozenset()),
}
"""Which incidents a formula counts, and which one takes the order out of it again. Every intervention counts,
also one the seller wins (C084), except where the formula itself counts rulings only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A line: crossed by at least `count_from` orders that are also a share of all trades, in basis points.

    `over`: the share must be larger, not equal.
    """

    count_from: int = 1
    share_bp: int | None = None
    over: bool = False

    def crossing(self, trades: int | None) -> int | None:
        """The smallest count that crosses the line. Without trades the count alone decides: early, never late.

        None where a share alone is the line and nobody knows of what.
        """
        if trades is None and self.share_bp is not None and self.count_from == 1:
            return None
        if self.share_bp is None or trades is None:
            return self.count_from
        return max(self.count_from, _share(self.share_bp, trades, over=self.over))


def _share(share_bp: int, trades: int, *, over: bool) -> int:
    exact = share_bp * trades
    return exact // 10_000 + 1 if over else -(-exact // 10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """One count over one window: incidents in [since, until), where any of `bounds` is the line."""

    metric: str
    name: str
    period: Period
    since: int
    until: int
    days: int
    numerator: Formula
    bounds: tuple[Bound, ...] = ()
    normal_bp: tuple[int, ...] = ()
    effect: Effect | None = None
    weighted: bool = False
    confidence: str = "S"

    @property
    def counts(self) -> frozenset[Incident]:
        """The incidents that count an order in."""
        return COUNTED[self.numerator][0]

    @property
    def excuses(self) -> frozenset[Incident]:
        """The incidents that take a counted order out."""
        return COUNTED[self.numerator][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What is known of a shop for one gauge.

    `at`: the first counted incident of each order in the window, oldest first. `paced`: how many there were in the
    last `Gauge.days` days. `trades`: orders paid in the window; None = unknown. `expected_trades`: by the end of a
    day. `pending`: under way, not counted yet. `known_since`: the oldest payment on record.
    """

    at: tuple[int, ...] = ()
    paced: int = 0
    trades: int | None = None
    expected_trades: int | None = None
    pending: int = 0
    undecided: int = 0
    known_since: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A gauge as it stands at one instant.

    `left`: so many more cross the line (0 or less: crossed); None without a line. `horizon`: until when that holds:
    the period's end, or when the oldest one leaves the window. `forecast`: the count expected by then.
    `rate_bp`: per ten thousand trades.
    """

    gauge: Gauge
    count: int
    trades: int | None
    rate_bp: int | None
    crossing: int | None
    left: int | None
    horizon: int
    pending: int
    forecast: int
    forecast_crosses: bool
    state: State
    newest: int | None
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a shop can still afford: further disputes and points before a line, and until when. None = plenty."""

    disputes_left: int | None = None
    points_left: int | None = None
    until: int | None = None


NEAR = 2
"""Two more and the line is crossed: C080 wants the alarm at 4 to 5 of "more than 5"."""
NEAR_SHARE = 5
"""Lines of many orders are near at four fifths: 80 of 100 stock-outs in a day."""


def gauges(pack: Pack, now: int) -> tuple[Gauge, ...]:
    """All that a platform measures at `now`, in the pack's order; lines for a day come last."""
    made = [gauge for metric in pack.metrics for gauge in _of_metric(metric, pack, now)]
    return (*made, *_of_days(pack, now))


def _of_metric(metric: Metric, pack: Pack, now: int) -> Iterator[Gauge]:
    """The gauge over the metric's own days, and the one over the month where a line is drawn for that."""
    if metric.numerator is None:
        return
    today = local_date(now, pack.zone)
    made = partial(
        Gauge,
        metric=metric.id,
        name=metric.name,
        days=metric.window_days,
        numerator=metric.numerator,
        confidence=metric.confidence,
    )
    line, month = metric.line_count, metric.month_count_over
    yield made(
        period="rolling",
        since=midnight(today - timedelta(days=metric.window_days - 1), pack.zone),
        until=midnight(today + timedelta(days=1), pack.zone),
        bounds=() if line is None else (Bound(count_from=line + 1, share_bp=metric.line_rate_bp, over=True),),
        normal_bp=metric.normal_bp,
        effect=metric.effect,
        weighted=metric.weight_trusted is not None,
    )
    if month is not None:
        first = today.replace(day=1)
        yield made(
            period="month",
            since=midnight(first, pack.zone),
            until=midnight(first + timedelta(days=monthrange(today.year, today.month)[1]), pack.zone),
            bounds=(Bound(count_from=month + 1, share_bp=metric.month_rate_from_bp),),
            effect=metric.month_effect,
        )


def _of_days(pack: Pack, now: int) -> Iterator[Gauge]:
    """The lines for one day's stock-outs (PD-S2, DY-S3) of the rows in force at `now`."""
    today = local_date(now, pack.zone)
    rows = (*pack.rows_at(Violation.STOCK_OUT, now), *pack.rows_at(Violation.STOCK_OUT, now, "shop"))
    for row in rows:
        if not row.thresholds:
            continue
        yield Gauge(
            metric=row.id,
            name="day_stock_out",
            period="day",
            since=midnight(today, pack.zone),
            until=midnight(today + timedelta(days=1), pack.zone),
            days=1,
            numerator="stock_out_orders",
            bounds=tuple(map(_bound, row.thresholds)),
            effect="slots",
            confidence=row.confidence,
        )


def _bound(threshold: Threshold) -> Bound:
    over = threshold.day_share_over_bp is not None
    share = threshold.day_share_over_bp if over else threshold.day_share_from_bp
    return Bound(count_from=threshold.day_count_from or 1, share_bp=share, over=over)


def read(gauge: Gauge, counts: Counts, now: int) -> Reading:
    """Where a gauge stands at `now`, and where it is heading."""
    count = len(counts.at)
    trades = counts.trades if _covered(gauge, counts) else None
    crossing = _crossing(gauge, trades)
    horizon = _horizon(gauge, counts)
    pending = counts.pending + counts.undecided
    forecast = count + pending + _more(gauge, counts, now, horizon)
    ahead = crossing if gauge.period != "day" or trades is None else _crossing(gauge, counts.expected_trades)
    crosses = ahead is not None and forecast >= ahead
    return Reading(
        gauge=gauge,
        count=count,
        trades=trades,
        rate_bp=count * 10_000 // trades if trades else None,
        crossing=crossing,
        left=None if crossing is None else crossing - count,
        horizon=horizon,
        pending=pending,
        forecast=forecast,
        forecast_crosses=crosses,
        state=_state(gauge, count, crossing, crosses),
        newest=counts.at[-1] if counts.at else None,
        missing=tuple(_missing(gauge, counts)),
    )


def _crossing(gauge: Gauge, trades: int | None) -> int | None:
    crossings = [bound.crossing(trades) for bound in gauge.bounds]
    return min((crossing for crossing in crossings if crossing is not None), default=None)


def _covered(gauge: Gauge, counts: Counts) -> bool:
    """A day's share is only known where our data began before the day: the first order is no 100 %.

    Longer windows that it does not cover have a rate that is too high: early, never late.
    """
    return gauge.period != "day" or (counts.known_since is not None and counts.known_since < gauge.since)


def _horizon(gauge: Gauge, counts: Counts) -> int:
    """A month or day ends; of a rolling window the oldest one leaves after so many days."""
    if gauge.period != "rolling" or not counts.at:
        return gauge.until
    return gauge.until + (counts.at[0] - gauge.since) // DAY * DAY


def _more(gauge: Gauge, counts: Counts, now: int, horizon: int) -> int:
    """How many more come until the horizon at the pace of the last days, rounded half up.

    Stock-outs of a day have no pace: what is under way says it all.
    """
    return 0 if gauge.period == "day" else at_pace(gauge, counts.paced, now, horizon)


def at_pace(gauge: Gauge, paced: int, now: int, horizon: int) -> int:
    """How many more come from `now` until `horizon` where `paced` came in `gauge.days`, rounded half up."""
    span = gauge.days * DAY
    return (2 * paced * max(horizon - now, 0) + span) // (2 * span)


def _state(gauge: Gauge, count: int, crossing: int | None, crosses: bool) -> State:
    if crossing is None:
        return "no_line"
    left = crossing - count
    if count and left <= 0:
        return "over"
    margin = max(1 if gauge.period == "day" else NEAR, crossing // NEAR_SHARE)
    return "near" if crosses or (count and left <= margin) else "fine"


def _missing(gauge: Gauge, counts: Counts) -> Iterator[Missing]:
    begins = gauge.since if gauge.period == "day" else gauge.since + DAY
    if not counts.trades:
        yield "trades"
    elif counts.known_since is None or counts.known_since >= begins:
        yield "history"
    if counts.undecided:
        yield "rulings"
    if gauge.weighted:
        yield "trusted_buyers"


def budget(readings: Iterable[Reading]) -> Budget | None:
    """What is left before the nearest line of disputes, and of points; None while none is near.

    The last one before a line is not there to be spent: one more than `disputes_left` (`points_left`) crosses it.
    """
    near = [r for r in readings if r.gauge.period != "day" and r.left is not None and r.state in ("near", "over")]
    disputes = _tightest(r for r in near if r.gauge.period != "year")
    points = _tightest(r for r in near if r.gauge.period == "year")
    if disputes is None and points is None:
        return None
    return Budget(
        disputes_left=None if disputes is None else disputes[0],
        points_left=None if points is None else points[0],
        until=min(one[1] for one in (disputes, points) if one is not None),
    )


def _tightest(readings: Iterable[Reading]) -> tuple[int, int] | None:
    """How many are left before the nearest of the lines, and until when that holds."""
    return min(((max((r.left or 0) - 1, 0), r.horizon) for r in readings), default=None)
