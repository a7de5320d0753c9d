"""Taking in what feeds said: compare digests first, merge only what changed, wake what it touches.

One call is one bounded page inside the caller's transaction. Nothing is decided here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from adapters.base import OrderEvent, Record, Snapshot, StockReport
from daemon.shops import Shop, Shops
from daemon.store import incidents, open_lines, orders, pairs, sightings, stock, timers
from daemon.store.journal import Journal
from daemon.store.upsert import many, upsert
from daemon.tables import Event, Order
from rules.instant import MINUTE
from rules.model import CLAIM_FLAGS, UNKNOWN
from rules.snapshot import Known

O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741
EV = Event.__table__  # type: ignore[attr-defined]
SLACK = 5 * MINUTE
"""How far ahead of our clock a record may be dated and still be believed (µs)."""
NEVER = 1 << 62
SeenAt = Callable[[int], int]
"""When a record that was true at an instant was seen by us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What a page did: records taken in, orders changed, and how many were dated too far ahead to be believed.

    `latest`: the furthest such date (instant).
    """

    records: int
    changed: int
    ahead: int = 0
    latest: int | None = None

    def __add__(self, other: "Ingested") -> "Ingested":
        """What both did."""
        latest = max((at for at in (self.latest, other.latest) if at is not None), default=None)
        return Ingested(
            records=self.records + other.records,
            changed=self.changed + other.changed,
            ahead=self.ahead + other.ahead,
            latest=latest,
        )


def ingest(
    connection: Connection,
    journal: Journal,
    shops: Shops,
    records: Sequence[Record],
    now: int | None,
    *,
    final: bool = True,
    since: int = -(1 << 62),
) -> Ingested:
    """Take in a page. `now` = when it was seen (None: each record at its own observed_at, not before `since`).

    `final` False: the file goes on; what it touches is woken when its last page comes. Live, a record dated later
    than now and some slack is taken for one of now: else it would outdo every right one until that date.
    """
    limit = NEVER if now is None else now + SLACK
    ahead = [record.observed_at for record in records if record.observed_at > limit]
    if ahead and now is not None:
        records = _of_now(records, limit, now)

    def seen_at(observed_at: int) -> int:
        return max(observed_at, since) if now is None else now

    snapshots = [record for record in records if isinstance(record, Snapshot)]
    changed = _orders(connection, journal, shops, _folded(snapshots), seen_at, limit, final)
    reports = [record for record in records if isinstance(record, StockReport)]
    stock.report(connection, shops, reports, seen_at, limit, staged=not final)
    _events(connection, journal, shops, [r for r in records if isinstance(r, OrderEvent)], seen_at)
    return Ingested(records=len(records), changed=changed, ahead=len(ahead), latest=max(ahead, default=None))


def _of_now(records: Sequence[Record], limit: int, now: int) -> list[Record]:
    """The records, those beyond the limit dated now, and last in the order of their own dates."""
    late = sorted((r for r in records if r.observed_at > limit), key=attrgetter("observed_at"))
    return [*(r for r in records if r.observed_at <= limit), *(replace(r, observed_at=now) for r in late)]


def _folded(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """Rows of one order at one instant as one snapshot; oldest first, so that no later one hides an earlier."""
    folded: dict[tuple[str, str, int], Snapshot] = {}
    for snap in snapshots:
        name = (snap.shop, snap.order_id, snap.observed_at)
        before = folded.get(name)
        folded[name] = snap if before is None else _joined(before, snap)
    return sorted(folded.values(), key=attrgetter("observed_at"))


def _joined(a: Snapshot, b: Snapshot) -> Snapshot:
    lines = dict(a.lines)
    for line_id, line in b.lines.items():
        lines[line_id] = {**lines.get(line_id, {}), **line}
    return Snapshot(
        observed_at=a.observed_at,
        shop=a.shop,
        order_id=a.order_id,
        platform=b.platform or a.platform,
        fields={**a.fields, **b.fields},
        lines=lines,
        counted=a.counted and b.counted,
    )


def _orders(
    connection: Connection,
    journal: Journal,
    shops: Shops,
    snapshots: list[Snapshot],
    seen_at: SeenAt,
    limit: int,
    final: bool,
) -> int:
    """Merge the snapshots that differ from what was last seen; returns how many orders changed."""
    differing, seen = sightings.differing(connection, snapshots, limit)
    if not differing:
        return 0
    return _merge(connection, journal, shops, differing, seen, seen_at, limit, final)


def _merge(
    connection: Connection,
    journal: Journal,
    shops: Shops,
    differing: list[Snapshot],
    seen: dict[tuple[str, str], sightings.Sighting],
    seen_at: SeenAt,
    limit: int,
    final: bool,
) -> int:
    """Merge differing snapshots in the order they came; save, put down and wake the orders that changed."""
    names = {(snap.shop, snap.order_id) for snap in differing}
    stored, indexed = orders.known(connection, names, {name: seen[name][1] for name in names if name in seen})
    changed: dict[tuple[str, str], Changed] = {}
    aged: dict[tuple[str, str], Known] = {}
    happened: list[incidents.Row] = []
    for snap in differing:
        name = (snap.shop, snap.order_id)
        facts = stored.get(name)
        is_new = facts is None
        if facts is None:
            facts = stored[name] = Known(observed_at=snap.observed_at)
        facts.doubt(limit, snap.observed_at)
        before, times = dict(facts.facts), dict(facts.times)
        facts.merge(snap.fields, snap.lines, snap.observed_at, counted=snap.counted)
        if is_new or facts.facts != before:
            at, earlier = seen_at(snap.observed_at), changed.get(name)
            first = is_new or (earlier is not None and earlier.is_new)
            idle = _rests(before, facts.facts) and (earlier is None or earlier.idle)
            changed[name] = Changed(shops.get(snap.shop, snap.platform), snap, facts, at, first, idle)
            journal.note(snap.shop, snap.order_id, _observation(snap, facts.facts, before, at))
            happened += incidents.of_flags(snap.shop, snap.order_id, before, facts.facts, snap.observed_at, at)
        elif facts.times != times:
            aged[name] = facts
    incidents.add(connection, happened)
    _age(connection, {name: facts for name, facts in aged.items() if name not in changed})
    if changed:
        _save(connection, list(changed.values()), indexed, limit, final)
    return len(changed)


@dataclass(frozen=True, slots=True)
class Changed:
    """An order whose facts changed: what is now known, and the instant (µs) the change was seen.

    `idle`: it was handed over or closed before and still is, so there is nothing to decide anew.
    """

    shop: Shop
    snap: Snapshot
    known: Known
    at: int
    is_new: bool
    idle: bool


def _rests(before: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Whether an order was handed over or closed before, and still is."""
    rest = _rest(facts)
    return rest is not None and rest == _rest(before)


def _rest(facts: Mapping[str, Any]) -> str | None:
    """ "closed" or "handed over" where no case can begin, as `rules.finding` sees it; None where one can."""
    status = facts.get("status")
    if status in ("cancelled", "refunded"):
        return "closed"
    if not CLAIM_FLAGS.isdisjoint(facts.get("flags") or ()):
        return None
    if status in ("delivered", "completed"):
        return "handed over"
    collected = facts.get("collected_at") is not None or not facts.get("collection_known")
    return "handed over" if status == "shipped" and collected and facts.get("tracking") is None else None


def _age(connection: Connection, aged: dict[tuple[str, str], Known]) -> None:
    """Remember how old facts are that the newest snapshot left out; the facts are the same, so nobody is woken."""
    rows = [
        {"b_shop": shop, "b_order": order_id, "b_at": facts.observed_at, "b_times": orders.times_text(facts)}
        for (shop, order_id), facts in sorted(aged.items())
    ]
    if rows:
        many(connection, _AGE, rows)


def _save(
    connection: Connection,
    changed: list[Changed],
    indexed: Mapping[tuple[str, str], orders.Indexed],
    limit: int,
    final: bool,
) -> None:
    changed.sort(key=lambda c: (c.snap.shop, c.snap.order_id))
    parsed = [(change, orders.row(change.shop, change.snap.order_id, change.known)) for change in changed]
    orders.save(connection, [row for _, (row, _, _) in parsed], indexed)
    turned = [open_lines.Turned(c.shop, order, due, c.known, c.at, c.is_new) for c, (_, order, due) in parsed]
    pools = open_lines.bring_up(connection, turned, limit)
    subjects = [
        (order.shop, order.order_id, change.shop.seller, change.at)
        for change, (_, order, _) in parsed
        if not (
            change.idle or (change.is_new and order.status in _SETTLED and CLAIM_FLAGS.isdisjoint(order.flags or ()))
        )
    ]
    timers.wake(connection, timers.ORDER, subjects, staged=not final)
    stock.wake(connection, pools, staged=not final)


_PERSONAL = frozenset({"remark", "kept"})
"""Facts no rule reads and that may hold personal text: remarks, and what a shop's `keep` lets through."""
_SETTLED = frozenset({UNKNOWN, "unpaid", "delivered", "completed", "cancelled", "refunded"})
"""An order first seen like this has nothing to decide: no timer until it changes."""


def _observation(snap: Snapshot, facts: dict[str, Any], before: dict[str, Any], at: int) -> dict[str, Any]:
    """What changed, as evidence: only the facts that differ, and never what a person wrote: evidence is for ever."""
    new = {
        name: value
        for name, value in facts.items()
        if (name not in before or before[name] != value) and name not in _PERSONAL
    }
    return {
        "event": "observed",
        "at": at,
        "order_id": snap.order_id,
        "observed_at": snap.observed_at,
        "platform": snap.platform,
        "changed": new,
    }


def _events(connection: Connection, journal: Journal, shops: Shops, events: list[OrderEvent], seen_at: SeenAt) -> None:
    """Put new events down and wake their orders; an acknowledgement silences the order's open cases."""
    events = _unknown(connection, events)
    if not events:
        return
    rows: list[dict[str, Any]] = []
    subjects: list[timers.Subject] = []
    happened: list[incidents.Row] = []
    for e in events:
        at = seen_at(e.observed_at)
        fact = {"shop": e.shop, "order_id": e.order_id, "event": e.event, "at": e.at, "seen_at": at}
        rows.append(fact)
        subjects.append((e.shop, e.order_id, shops.get(e.shop).seller, at))
        points = {"points": e.points} if e.points else {}
        journal.note(e.shop, e.order_id, {**fact, "event": "fact", "fact": e.event, **points})
        happened += incidents.of_event(e.shop, e.order_id, e.event, e.at, at, e.points)
        if e.event == "ack":
            orders.acknowledge(connection, e.shop, e.order_id, at)
    many(connection, _EVENT[connection.dialect.name], rows)
    incidents.add(connection, happened)
    timers.wake(connection, timers.ORDER, subjects, past=True)


def _unknown(connection: Connection, events: list[OrderEvent]) -> list[OrderEvent]:
    """The events that are not on record yet, each once: a feed may tell one again with every poll."""
    rows = pairs.read(connection, _KNOWN_EVENTS, {(e.shop, e.order_id) for e in events})
    known = {(row.shop, row.order_id, row.event, row.at) for row in rows}
    new = {(e.shop, e.order_id, e.event, e.at): e for e in reversed(events)}
    return [e for name, e in reversed(new.items()) if name not in known]


_AGE = (
    update(O)
    .where(O.c.shop == bindparam("b_shop"), O.c.order_id == bindparam("b_order"))
    .values(observed_at=bindparam("b_at"), times=bindparam("b_times"))
)
_KNOWN_EVENTS = pairs.among(select(EV.c.shop, EV.c.order_id, EV.c.event, EV.c.at), EV.c.shop, EV.c.order_id)
_EVENT = {d: upsert(d, EV, ("shop", "order_id", "event", "at"), None) for d in ("sqlite", "postgresql")}
