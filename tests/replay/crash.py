"""Dying at the k-th boundary: after every commit that wrote, before and after every call that reaches a sink.

Dying inside a transaction is dying after the one before it, or after the call between them: nothing of it is left.
`Power` is the machine's power: it fails once, at point `k`, and from then on nothing more can be written or sent
until it is back. What was committed or received stays, as it does for a real machine.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from sqlalchemy import Connection, select
from sqlmodel import SQLModel

from adapters import memory
from adapters.base import Message, Page, Receipt, Record, SinkCapabilities, Snapshot
from adapters.memory import MemorySink
from daemon.store import timers
from daemon.store.database import Database, open_database
from rules.instant import to_datetime
from rules.model import Kind
from tests.replay.world import World, at

Moment = tuple[str, tuple[Record, ...]]
"""A time, and what the shop says at it."""
Make = Callable[[Path, Database], World]
"""Starts a world in a folder, on a database."""


class Crash(BaseException):
    """The power fails. No `except Exception` may survive it."""


@dataclass
class Power:
    """Fails at point `fails_at` (0 = never), once. `trail`: the boundaries passed so far, up to the failure."""

    fails_at: int = 0
    trail: list[str] = field(default_factory=list)
    is_off: bool = False
    has_failed: bool = False

    @property
    def points(self) -> int:
        """How many boundaries were passed."""
        return len(self.trail)

    def point(self, where: str) -> None:
        """A boundary: everything before it has happened, nothing after it."""
        self.check()
        if self.has_failed:
            return
        self.trail.append(where)
        if self.points == self.fails_at:
            self.is_off = self.has_failed = True
            raise Crash(where)

    def check(self) -> None:
        """Without power nothing goes on."""
        if self.is_off:
            raise Crash("no power")


class OnceSink(MemorySink):
    """A platform that does again whatever it is asked again."""

    capabilities = SinkCapabilities(kinds=frozenset(Kind), idempotent=False)


def wire(monkeypatch: pytest.MonkeyPatch, power: Power) -> None:
    """Put the power's boundaries around every transaction that writes, and every call."""
    begin, deliver = Database.begin, MemorySink.deliver

    @contextmanager
    def begun(self: Database) -> Iterator[Connection]:
        power.check()
        with begin(self) as connection:
            changes = connection.connection.driver_connection.total_changes  # type: ignore[union-attr]
            yield connection
            wrote = connection.connection.driver_connection.total_changes != changes  # type: ignore[union-attr]
            power.check()
        if wrote:
            power.point("after a commit")

    async def delivered(self: MemorySink, message: Message, now: int) -> Receipt:
        power.point(f"before {message.kind} {message.key}")
        receipt = await deliver(self, message, now)
        power.point(f"after {message.kind} {message.key}")
        return receipt

    monkeypatch.setattr(Database, "begin", begun)
    monkeypatch.setattr(MemorySink, "deliver", delivered)


@dataclass(frozen=True)
class Ending:
    """All that is left when a part of the story is over; evidence numbers, attempts and leases aside."""

    cases: list[tuple[Any, ...]]
    actions: list[tuple[Any, ...]]
    rest: dict[str, list[tuple[Any, ...]]]
    lines: list[Any]
    told: list[tuple[str, int]]
    repeats: dict[str, int]


@dataclass(frozen=True)
class Scene:
    """What one part of the story leaves to the next: the database file, the world outside."""

    database: bytes
    feeds: dict[str, memory.FeedBox]
    sinks: dict[str, memory.SinkBox]


@dataclass
class Stage:
    """Where the parts of a story are lived through, each on a database file of its own, starting anew after a crash."""

    folder: Path
    freezer: FrozenDateTimeFactory
    power: Power
    make: Make
    scene: Scene
    lives: int = 0
    _database: Database | None = None
    _world: World | None = None

    def live(self, part: Moment, fails_at: int = 0) -> Ending:
        """Live through one part; the power fails at the given boundary (0 = never)."""
        moment, records = part
        self._set(at(moment))
        if records:
            _say(records)
        self.power.trail.clear()
        self.power.fails_at, self.power.has_failed = fails_at, False
        while self._world is None:
            try:
                self._database = self._database or _opened(self._path)
                self._world = self.make(self.folder, self._database)
                self._world.tick()
            except Crash:
                self._end()
                self.power.is_off = False
        ending = _ending(self._world)
        self._end()
        return ending

    def next(self, part: Moment) -> Ending:
        """Live through a part without a crash and go on to what comes after it."""
        ending = self.live(part)
        boxes = copy.deepcopy((memory._feeds, memory._sinks))
        self.scene = Scene(self._path.read_bytes(), *boxes)
        return ending

    @property
    def _path(self) -> Path:
        return self.folder / str(self.lives) / "forestall.db"

    def _set(self, moment: int) -> None:
        self.lives += 1
        self._path.parent.mkdir()
        self._path.write_bytes(self.scene.database)
        memory.reset()
        feeds, sinks = copy.deepcopy((self.scene.feeds, self.scene.sinks))
        memory._feeds.update(feeds)
        memory._sinks.update(sinks)
        self.freezer.move_to(to_datetime(moment))

    def _end(self) -> None:
        if self._database is not None:
            self._database.close()
        self._database = self._world = None


def _say(records: tuple[Record, ...]) -> None:
    """The shop says it, and that is how the orders stand there."""
    box = memory.feed_box("north")
    box.push(Page(records=records))
    for record in records:
        if isinstance(record, Snapshot):
            before = box.orders.get(record.order_id)
            box.orders[record.order_id] = record if before is None else _over(before, record)


def _over(before: Snapshot, told: Snapshot) -> Snapshot:
    return Snapshot(
        observed_at=told.observed_at,
        shop=told.shop,
        order_id=told.order_id,
        fields={**before.fields, **told.fields},
        lines={**before.lines, **{name: {**before.lines.get(name, {}), **line} for name, line in told.lines.items()}},
    )


LEFT_OUT = {"attempts", "fence", "lease_until", "note", "request", "decided_at", "past"}
"""Columns that may tell of a crash: they change nothing that follows."""
_REST = ("timer", "member", "pool", "open_line", "orders", "listing")


def _ending(world: World) -> Ending:
    names = world.parts.installation.config.alerts
    boxes = [memory.sink_box(name) for name in names]
    lines = world.lines()
    with world.database.begin() as tx:
        return Ending(
            cases=_rows(tx, "case"),
            actions=_rows(tx, "action"),
            rest={name: [row for row in _rows(tx, name) if row[0] != timers.FEED] for name in _REST},
            lines=lines,
            told=sorted((message.key, box.at[message.key]) for box in boxes for message in box.messages),
            repeats={key: count for box in boxes for key, count in box.repeats.items()},
        )


def _rows(connection: Connection, name: str) -> list[tuple[Any, ...]]:
    table = SQLModel.metadata.tables[name]
    columns = [column for column in table.columns if column.name not in LEFT_OUT]
    return [tuple(row) for row in connection.execute(select(*columns).order_by(*table.primary_key.columns))]


def _opened(path: Path) -> Database:
    """The database file. Nobody waits for a disk (tests/databases.py): the power that fails here is the process's."""
    return open_database(f"sqlite:///{path}")
