"""Incidents: what a platform may count against a shop, put down the moment a fact tells it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, or_, select, update

from daemon.store import pairs, timers
from daemon.store.upsert import many, upsert
from daemon.tables import Incident, Timer
from rules.health import Incident as Kind

I = Incident.__table__  # type: ignore[attr-defined]  # noqa: E741
T = Timer.__table__  # type: ignore[attr-defined]
Row = dict[str, Any]
FLAGS: Mapping[str, Kind] = {"intervention_requested": "intervention", "out_of_stock": "stock_out"}
"""Flags of a snapshot that say what an event would say."""
EVENTS: Mapping[str, Kind] = {
    "intervention": "intervention",
    "complaint": "complaint",
    "ruled_against": "ruled_against",
    "ruled_for": "ruled_for",
    "refund_closed": "refund_closed",
    "points_deducted": "points_deducted",
}
POINTS: Kind = "points_deducted"


def of_event(shop: str, order_id: str, event: str, at: int, seen_at: int, points: int = 0) -> Iterator[Row]:
    """The incident an event tells of, if it tells of one."""
    if event in EVENTS:
        yield _row(shop, order_id, EVENTS[event], at, seen_at, points)


def of_flags(
    shop: str, order_id: str, before: Mapping[str, Any], after: Mapping[str, Any], at: int, seen_at: int
) -> Iterator[Row]:
    """The incidents of flags that a snapshot true at `at` shows and the one before did not."""
    flags = after.get("flags")
    if not flags:
        return
    known = before.get("flags") or ()
    for flag, kind in FLAGS.items():
        if flag in flags and flag not in known:
            yield _row(shop, order_id, kind, at, seen_at)


def add(connection: Connection, rows: Sequence[Row]) -> None:
    """Put incidents down, each once, and let the health of their shops be looked at (in the facts' transaction)."""
    if not rows:
        return
    many(connection, _ADD[connection.dialect.name], rows)
    seen: dict[str, int] = {}
    for row in rows:
        seen[row["shop"]] = min(seen.get(row["shop"], row["seen_at"]), row["seen_at"])
    many(connection, _WAKE, [{"b_shop": shop, "b_at": at} for shop, at in sorted(seen.items())])


def shops_with_any(connection: Connection, shops: Iterable[str]) -> set[str]:
    """Those of the shops that ever had an incident: usually none."""
    found = connection.execute(_ANY[connection.dialect.name], pairs.listed(connection, shops))
    return set(found.scalars())


@dataclass(frozen=True, slots=True)
class Known:
    """What happened to the orders of one shop since some moment, oldest first: few, read once for all gauges."""

    happened: tuple[tuple[str, int, str], ...]
    """(order, instant, kind)."""

    def first_of_orders(self, kinds: frozenset[Kind], since: int, until: int) -> dict[str, int]:
        """The first incident of these kinds of each order in [since, until)."""
        firsts: dict[str, int] = {}
        for order_id, at, kind in self.happened:
            if kind in kinds and since <= at < until:
                firsts.setdefault(order_id, at)
        return firsts

    def orders_with(self, kinds: frozenset[Kind], since: int) -> set[str]:
        """Orders that had one of these incidents since then."""
        return {order_id for order_id, at, kind in self.happened if kind in kinds and at >= since}


def known(connection: Connection, shop: str, since: int, now: int) -> Known:
    """The incidents of a shop since then, penalty points aside, as far as they were seen by `now`."""
    found = connection.execute(_KNOWN, {"b_shop": shop, "b_since": since, "b_now": now})
    return Known(tuple((row.order_id, row.at, row.kind) for row in found))


def points_taken(connection: Connection, shop: str, since: int, now: int) -> list[tuple[int, int]] | None:
    """(at, points) of each deduction since then, oldest first, seen by `now`; None where nobody ever told any."""
    values = {"b_shop": shop, "b_since": since, "b_now": now}
    taken = [(row.at, row.points) for row in connection.execute(_POINTS, values)]
    if taken or connection.execute(_ANY_POINTS, {"b_shop": shop, "b_now": now}).first() is not None:
        return taken
    return None


def _row(shop: str, order_id: str, kind: Kind, at: int, seen_at: int, points: int = 0) -> Row:
    return {"shop": shop, "kind": kind, "at": at, "order_id": order_id, "seen_at": seen_at, "points": points}


_ADD = {d: upsert(d, I, ("shop", "kind", "at", "order_id"), None) for d in ("sqlite", "postgresql")}
_ANY = {dialect: select(I.c.shop).where(I.c.shop.in_(ids)).distinct() for dialect, ids in pairs.LISTED.items()}
_KNOWN = (
    select(I.c.order_id, I.c.at, I.c.kind)
    .where(I.c.shop == bindparam("b_shop"), I.c.kind.in_(sorted({*FLAGS.values(), *EVENTS.values()} - {POINTS})))
    .where(I.c.at >= bindparam("b_since"), I.c.seen_at <= bindparam("b_now"))
    .order_by(I.c.at, I.c.order_id, I.c.kind)
)
"""The kinds are named, so that the index finds the moment in each."""
_deductions = (
    I.c.shop == bindparam("b_shop"),
    I.c.kind == POINTS,
    I.c.seen_at <= bindparam("b_now"),
)
_POINTS = select(I.c.at, I.c.points).where(*_deductions, I.c.at >= bindparam("b_since")).order_by(I.c.at, I.c.order_id)
_ANY_POINTS = select(I.c.at).where(*_deductions).limit(1)
_moment = bindparam("b_at", type_=BigInteger)
# only a timer that is there: a replay has none, and none comes due in it
_WAKE = (
    update(T)
    .where(T.c.kind == timers.HEALTH, T.c.shop == bindparam("b_shop"))
    .where(or_(T.c.due_at.is_(None), T.c.due_at > _moment))
    .values(due_at=_moment)
)
