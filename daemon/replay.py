"""Replay: recorded snapshots through the production engine, on a scratch database, with simulated time.

Every due instant is visited, all facts of an instant before its timers, so the step size changes no byte.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby

import msgspec
from sqlalchemy import func, select

from adapters.base import OrderEvent, Record, Snapshot, StockReport
from daemon.engine import Engine
from daemon.shops import Shops
from daemon.store import backlog, timers
from daemon.store.database import Database, scratch
from daemon.store.ingest import ingest
from daemon.store.journal import Journal
from daemon.tables import Order, Timer
from rules import packs
from rules.instant import HOUR
from rules.packs import local_date, midnight

LEAST_WINDOW = 6 * HOUR
"""The command never moves time by less: a finer step changes no byte (a test holds that) and only costs time."""
AFTERMATH = 72 * HOUR
"""How long after the last deadline a replay goes on by default (contract §2)."""
_KINDS: tuple[type[Record], ...] = (Snapshot, StockReport, OrderEvent)
_unpack = msgspec.msgpack.Decoder().decode
_pack = msgspec.msgpack.Encoder().encode
ROUND = 100_000
"""Orders decided in one transaction of a replay: a round takes each order once, so it may not be drained."""


@dataclass(slots=True)
class Tape:
    """Recorded facts in order of `observed_at`, ties in the order they were read; spooled to disk, not memory."""

    _database: Database = field(default_factory=lambda: spool())
    _rows: list[tuple[int, int, int, bytes]] = field(default_factory=list)
    snapshots: int = 0
    first: int | None = None
    last: int | None = None

    def add(self, record: Record) -> None:
        """Put a record on the tape."""
        at = record.observed_at
        self._rows.append((at, self.snapshots, _KINDS.index(type(record)), _pack(record)))
        self.snapshots += 1
        self.first = at if self.first is None else min(self.first, at)
        self.last = at if self.last is None else max(self.last, at)
        if len(self._rows) >= 10_000:
            self._flush()

    def play(self) -> Iterator[Record]:
        """All records in order."""
        self._flush()
        with self._database.engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT kind, record FROM tape ORDER BY at, seq")
            for kind, record in rows:
                yield _KINDS[kind](**_unpack(record))

    def _flush(self) -> None:
        with self._database.begin() as tx:
            if self._rows:
                tx.exec_driver_sql("INSERT INTO tape VALUES (?, ?, ?, ?)", self._rows)
        self._rows.clear()


def spool() -> Database:
    """A nameless temporary database for the tape; it goes away with its connection."""
    database = scratch(name="")
    with database.begin() as tx:
        tx.exec_driver_sql("CREATE TABLE tape (at INTEGER, seq INTEGER, kind INTEGER, record BLOB)")
    return database


@dataclass(slots=True)
class Simulation:
    """An engine on a scratch database whose time is moved by hand; effects are recorded, none performed."""

    shops: Shops
    database: Database = field(default_factory=scratch)
    engine: Engine = field(init=False)
    coupled: bool = False

    def __post_init__(self) -> None:
        self.engine = Engine(database=self.database, shops=self.shops, own_time=True, batch=ROUND)

    def run(
        self,
        records: Iterable[Record],
        since: int,
        step: int,
        until: Callable[[], int],
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Play `records` (in order) from `since`, then let time pass to `until()`, `step` µs at a time.

        Facts older than `since` are known from the start.
        """
        windows = groupby(records, key=lambda record: max(0, -((since - record.observed_at) // step)))
        mark = since
        for number, facts in windows:
            self._pass(mark, since + (number - 1) * step, step, progress)
            mark = since + number * step
            for day, end in _days(list(facts), since, mark):
                self._window(day, since, end)
            progress(mark)
        self._pass(mark, until(), step, progress)

    def _pass(self, mark: int, end: int, step: int, progress: Callable[[int], None]) -> None:
        """Let time pass without facts, to `end`; steps in which nothing is due are skipped together."""
        while mark < end:
            due = self._next_due()
            idle = (min(due, end) - mark - 1) // step if due is not None else (end - mark) // step
            mark = min(mark + step * (max(idle, 0) + 1), end)
            self._window([], mark, mark)
            progress(mark)

    def _next_due(self) -> int | None:
        with self.database.begin() as tx:
            due = backlog.next_due_by_kind(tx)
        return min((due[kind] for kind in (timers.POOL, timers.ORDER, timers.CAUSE) if kind in due), default=None)

    def _window(self, facts: list[Record], since: int, until: int) -> None:
        """All facts and timers up to and including `until`, each at its own instant.

        Orders do not see one another, so those of a window are decided together, in rounds: each round takes
        every order's next fact, or its next timer where that comes first. Stock couples orders; from its first
        appearance every instant is a round of its own.
        """
        if facts:
            with self.database.begin() as tx:  # before the day's first fact: no other may count towards its budgets
                self.engine.budgets.renew(tx, self.shops, max(facts[0].observed_at, since))
        self.coupled = self.coupled or any(map(_couples, facts))
        if self.coupled:
            self._instants(facts, since, until)
            return
        waiting: dict[tuple[str, str], deque[list[Record]]] = {}
        for (shop, order_id, _at), group in groupby(sorted(facts, key=_place), key=_place):
            waiting.setdefault((shop, order_id), deque()).append(list(group))
        while True:
            taken = self._next_facts(waiting, since)
            if not self.engine.decide_orders_once(until) and not taken:
                break
        self.engine.decide_causes(until)

    def _next_facts(self, waiting: dict[tuple[str, str], deque[list[Record]]], since: int) -> bool:
        """Take in, for every order, the facts of its next instant, unless one of its timers comes before."""
        if not waiting:
            return False
        with self.database.begin() as tx:
            due = timers.due_of(tx, timers.ORDER, waiting)
            ready: list[Record] = []
            for name, instants in list(waiting.items()):
                at = max(instants[0][0].observed_at, since)
                if (due.get(name) or at) >= at:
                    ready += instants.popleft()
                    if not instants:
                        del waiting[name]
            journal = Journal()
            ingest(tx, journal, self.shops, ready, None, since=since)
            journal.write(tx, since)
        return True

    def _instants(self, facts: list[Record], since: int, until: int) -> None:
        """One instant after the other."""
        for at, group in groupby(facts, key=lambda record: max(record.observed_at, since)):
            self._timers(at - 1)
            with self.database.begin() as tx:
                journal = Journal()
                ingest(tx, journal, self.shops, list(group), at)
                journal.write(tx, at)
            self._timers(at)
        self._timers(until)

    def _timers(self, until: int) -> None:
        """Decide at every due instant up to and including `until`: pools, then orders, then causes."""
        hops = {
            timers.POOL: self.engine.allocate,
            timers.ORDER: self.engine.decide_orders,
            timers.CAUSE: self.engine.decide_causes,
        }
        while True:
            with self.database.begin() as tx:
                due = backlog.next_due_by_kind(tx)
            at = min((due[kind] for kind in hops if kind in due), default=None)
            if at is None or at > until:
                return
            hops[next(kind for kind in hops if due.get(kind) == at)](at)

    def last_deadline(self) -> int | None:
        """The latest effective ship_by of any order."""
        with self.database.begin() as tx:
            latest: int | None = tx.execute(select(func.max(Order.ship_by))).scalar_one()
        return latest

    def pending(self, until: int) -> int:
        """Timers that would come due later than the end of the replay."""
        table = Timer.__table__  # type: ignore[attr-defined]
        with self.database.begin() as tx:
            count: int = tx.execute(select(func.count()).where(table.c.due_at > until)).scalar_one()
        return count


def _days(facts: list[Record], since: int, until: int) -> Iterator[tuple[list[Record], int]]:
    """The facts of a window and its end, cut where a day begins for a platform that counts against its shops."""
    zones = {pack.zone for pack in packs.all_packs() if pack.metrics}
    while facts:
        first = max(facts[0].observed_at, since)
        ends = [midnight(local_date(first, zone) + timedelta(days=1), zone) - 1 for zone in zones]
        end = min((*ends, until))
        rest = bisect_right(facts, end, key=lambda record: record.observed_at)
        yield facts[:rest], end if rest < len(facts) else until
        facts = facts[rest:]


def _place(record: Record) -> tuple[str, str, int]:
    """Which order a fact is about, and when it was seen. Stock reports never come here."""
    return (record.shop, getattr(record, "order_id", ""), record.observed_at)


def _couples(record: Record) -> bool:
    """Whether the fact makes orders depend on one another within a day: it says something about stock."""
    if isinstance(record, StockReport):
        return True
    if isinstance(record, OrderEvent):
        return False
    return any(line.get("stock") is not None for line in record.lines.values())
