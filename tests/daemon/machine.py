"""A computer whose clock can be set while time goes on, and what runs on it: the daemon, or cron."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from daemon import clock, jump
from daemon.scheduler import Parts, assemble, begin, tick
from daemon.service import Service
from daemon.store import stamps
from rules.instant import SECOND
from tests.daemon.builders import MORNING, a_snapshot
from tests.daemon.running import say

EVERY = 20 * SECOND
"""How much time goes by between two passes of the daemon in these tests; cron makes one a minute."""


@dataclass
class Machine:
    """`true` time goes on by itself (instant); the wall clock is `wrong` by so much (µs)."""

    parts: Parts
    service: Service | None
    true: int = MORNING
    wrong: int = 0

    @property
    def wall(self) -> int:
        return self.true + self.wrong

    def run(self, seconds: int) -> None:
        """Let time go by, with all that runs meanwhile."""
        every = EVERY if self.service is not None else 60 * SECOND
        end = self.true + seconds * SECOND
        while self.true + every <= end:
            self.true += every
            self.once()
        self.true = end

    def once(self) -> None:
        """One pass: of the daemon's beats, or of a command that cron starts."""
        if self.service is None:
            self.parts = assemble(self.parts.database, self.parts.installation, self.wall)
            tick(self.parts, self.wall, jump.read())
            return
        self.service._look_at_clock()
        self.parts = self.service.parts
        self.parts.poller.poll(self.wall)
        self.service._decide()
        self.parts.dispatcher.dispatch(self.wall)

    def place(self, order_id: str, shop: str = "north", **facts: Any) -> None:
        """A shop tells of an order that must be shipped within three hours, by the clock as it stands."""
        times = {"paid_at": self.wall - SECOND, "ship_by": self.wall + 3 * 3600 * SECOND}
        say(a_snapshot(order_id, at=self.wall, shop=shop, **times | facts), shop=shop)

    def ahead(self) -> Iterator[str]:
        """Our own columns that say something happened later than now."""
        with self.parts.database.begin() as tx:
            for table, columns in stamps.HAPPENED.items():
                for name in columns:
                    latest = tx.execute(select(func.max(table.c[name]))).scalar_one()
                    if latest is not None and latest > self.wall:
                        yield f"{table.name}.{name}"


def machine(parts: Parts, folder: Path, monkeypatch: Any, *, daemon: bool) -> Machine:
    """A machine on which an installation runs, for some minutes already."""
    made = Machine(parts, None)
    for name, read in _clocks(made).items():
        monkeypatch.setattr(clock, name, read)
    if daemon:
        made.service = Service(path=folder / "forestall.toml", handler=lambda *_: lambda request: {})
        made.service.parts = parts
        begin(parts, made.wall, jump.read())
    made.run(120)
    return made


def _clocks(made: Machine) -> dict[str, Callable[[], int] | Callable[[], float]]:
    return {
        "boot": lambda: "b",
        "now": lambda: made.wall,
        "monotonic": lambda: made.true / SECOND,
        "elapsed": lambda: made.true / SECOND,
    }
