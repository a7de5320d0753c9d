"""Counting for shop health: incidents and trades of one shop in one window, by index, never by a scan of orders."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, bindparam, func, select

from daemon.shops import Shop, Shops
from daemon.store import incidents
from daemon.store.incidents import Known
from daemon.tables import Case, Order
from rules import health, points
from rules.health import Budget, Counts, Gauge, Reading
from rules.instant import DAY
from rules.model import Violation
from rules.packs import local_date, midnight

O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741
C = Case.__table__  # type: ignore[attr-defined]
LOOK_BACK = 7
"""Days whose mean tells how many orders a day will have by its end."""
ENDED = frozenset[health.Incident]({"ruled_against", "ruled_for", "refund_closed"})
"""How an intervention ends."""


def readings(connection: Connection, shop: Shop, now: int) -> tuple[Reading, ...]:
    """Every gauge of a shop's platform at `now`, from what was seen by then."""
    gauges = tuple(health.gauges(shop.policy.pack, now))
    known = _known(connection, shop, gauges, now)
    trades = {window: _trades(connection, shop.name, *window) for window in {(one.since, one.until) for one in gauges}}
    first_paid = _first_paid(connection, shop.name) if gauges else None
    found = []
    for gauge in gauges:
        counts = replace(
            _counted(known, gauge, now), trades=trades[gauge.since, gauge.until] or None, known_since=first_paid
        )
        found.append(health.read(gauge, _today(connection, shop.name, known, gauge, counts), now))
    taken = _points(connection, shop, now)
    if found or shop.points_line is not None or taken.state != "unknown":
        found.append(taken)  # a platform that counts nothing else has no points either, unless somebody says so
    return tuple(found)


def _points(connection: Connection, shop: Shop, now: int) -> Reading:
    gauge = points.gauge(shop.policy.pack, shop.points_line, now)
    taken = incidents.points_taken(connection, shop.name, points.since(gauge, now), now)
    return points.read(gauge, taken, now)


@dataclass(slots=True)
class Budgets:
    """What shops can still afford, counted once a day and shop: as things stood when the day began.

    Platforms' own panels show yesterday's count, and only so may orders be decided together, in whatever order
    (docs/adr/0008). `of`: by shop and the last instant that was counted; days long over are forgotten.
    """

    of: dict[tuple[str, int], Budget | None] = field(default_factory=dict)

    def at(
        self, connection: Connection, shops: Shops, moments: Iterable[tuple[str, int]]
    ) -> dict[tuple[str, int], Budget]:
        """The budgets of shops at instants; a shop that was near no line when the day began is absent."""
        wanted = {(name, at): (name, _day_before(shops.get(name), at)) for name, at in moments}
        days = set(wanted.values())
        if not days <= self.of.keys():
            self._count(connection, shops, days)
        return {moment: budget for moment, day in wanted.items() if (budget := self.of[day]) is not None}

    def _count(self, connection: Connection, shops: Shops, days: set[tuple[str, int]]) -> None:
        troubled = incidents.shops_with_any(connection, {name for name, _ in days})
        long_over = min(end for _, end in days) - KEPT
        self.of = {day: budget for day, budget in self.of.items() if day[1] >= long_over}
        for name, end in sorted(days - self.of.keys()):
            self.of[name, end] = _budget(connection, shops.get(name), end) if name in troubled else None

    def renew(self, connection: Connection, shops: Shops, at: int) -> None:
        """Count every shop's at `at`: a replay that is about to take in facts of the new day."""
        self.at(connection, shops, [(name, at) for name in sorted(shops.known)])


KEPT = 2 * DAY
"""How long a day's budget is remembered (µs): longer than orders of different days are decided together."""


def _day_before(shop: Shop, at: int) -> int:
    """The last instant of the local day before `at`."""
    zone = shop.policy.pack.zone
    return midnight(local_date(at, zone), zone) - 1


def _budget(connection: Connection, shop: Shop, at: int) -> Budget | None:
    near = []
    gauges = [gauge for gauge in health.gauges(shop.policy.pack, at) if gauge.period != "day" and gauge.bounds]
    known = _known(connection, shop, gauges, at)
    for gauge in gauges:
        counts = _counted(known, gauge, at)
        reading = health.read(gauge, counts, at)
        if reading.state == "fine":
            continue  # far even from the line of a shop without trades: trades only move it further away
        if any(bound.share_bp for bound in gauge.bounds):
            most = _enough(gauge, len(counts.at) + counts.paced + counts.undecided)
            trades = _trades(connection, shop.name, gauge.since, gauge.until, most=most)
            reading = health.read(gauge, replace(counts, trades=trades or None), at)
        near.append(reading)
    if shop.points_line is not None:
        near.append(_points(connection, shop, at))
    return health.budget(near)


def _enough(gauge: Gauge, seen: int) -> int:
    """So many trades that what was seen, doubled by the forecast, is far from the line: no need to count on."""
    return max((2 * seen + 10) * 10_000 // bound.share_bp for bound in gauge.bounds if bound.share_bp)


def _known(connection: Connection, shop: Shop, gauges: Sequence[Gauge], now: int) -> Known:
    """The incidents that these gauges count, the pace of a month's included."""
    since = min((min(gauge.since, now - gauge.days * DAY) for gauge in gauges), default=now)
    return incidents.known(connection, shop.name, since, now)


def _counted(known: Known, gauge: Gauge, now: int) -> Counts:
    """The incidents of a gauge."""
    firsts = known.first_of_orders(gauge.counts, gauge.since, gauge.until)
    excused = known.orders_with(gauge.excuses, gauge.since)
    recent = firsts
    if gauge.period == "month":
        recent = known.first_of_orders(gauge.counts, now - gauge.days * DAY, gauge.until)
    return Counts(
        at=tuple(sorted(at for order_id, at in firsts.items() if order_id not in excused)),
        paced=len(recent.keys() - excused),
        undecided=_undecided(known, gauge),
    )


def _today(connection: Connection, shop: str, known: Known, gauge: Gauge, counts: Counts) -> Counts:
    """The counts of a day's gauge with what is to be expected of the day, and what is under way."""
    if gauge.period != "day":
        return counts
    expected = _expected(connection, shop, gauge, counts.trades or 0)
    return replace(counts, expected_trades=expected, pending=_pending(connection, shop, known, gauge))


def pace(connection: Connection, shop: str, now: int) -> tuple[int, int]:
    """Orders paid in the last 24 hours, and the mean of the seven days before (rounded down)."""
    since = now - DAY
    return _trades(connection, shop, since, now), _trades(connection, shop, since - LOOK_BACK * DAY, since) // LOOK_BACK


def _trades(connection: Connection, shop: str, since: int, until: int, most: int | None = None) -> int:
    """Orders paid in [since, until), counted no further than `most`."""
    values = {"b_shop": shop, "b_since": since, "b_until": until}
    if most is None:
        return int(connection.execute(_PAID, values).scalar_one())
    return int(connection.execute(_PAID_AT_MOST, values | {"most": most}).scalar_one())


def _expected(connection: Connection, shop: str, gauge: Gauge, so_far: int) -> int:
    """The orders of a day by its end: at least those it has, else the mean of the days before."""
    before = _trades(connection, shop, gauge.since - LOOK_BACK * DAY, gauge.since)
    return max(so_far, before // LOOK_BACK)


def _pending(connection: Connection, shop: str, known: Known, gauge: Gauge) -> int:
    """Orders with an open stock-out case whose time ends this day and which the platform has not flagged yet."""
    values = {"b_shop": shop, "b_violation": Violation.STOCK_OUT, "b_since": gauge.since, "b_until": gauge.until}
    open_cases = set(connection.execute(_THREATENED, values).scalars())
    return len(open_cases - known.orders_with(gauge.counts, gauge.since))


def _undecided(known: Known, gauge: Gauge) -> int:
    """Interventions in the window of which nobody told how they ended: each may still be ruled against the seller."""
    if gauge.numerator != "rulings_against_seller":
        return 0
    called_in = known.first_of_orders(frozenset({"intervention"}), gauge.since, gauge.until)
    return len(called_in.keys() - known.orders_with(ENDED, gauge.since))


def _first_paid(connection: Connection, shop: str) -> int | None:
    first: int | None = connection.execute(_FIRST_PAID, {"b_shop": shop}).scalar_one()
    return first


_in_window = (
    O.c.shop == bindparam("b_shop"),
    O.c.paid_at >= bindparam("b_since"),
    O.c.paid_at < bindparam("b_until"),
)
_PAID = select(func.count()).select_from(O).where(*_in_window)
_PAID_AT_MOST = select(func.count()).select_from(
    select(O.c.paid_at).where(*_in_window).limit(bindparam("most")).subquery()
)
_FIRST_PAID = select(func.min(O.c.paid_at)).where(O.c.shop == bindparam("b_shop"), O.c.paid_at.is_not(None))
_THREATENED = (
    select(C.c.order_id)
    .join(O, (O.c.shop == C.c.shop) & (O.c.order_id == C.c.order_id))
    .where(C.c.shop == bindparam("b_shop"), C.c.violation == bindparam("b_violation"), C.c.closed_at.is_(None))
    .where(O.c.ship_by >= bindparam("b_since"), O.c.ship_by < bindparam("b_until"))
)
