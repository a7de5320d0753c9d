"""What a wake-up and a claimed timer cost while 10 thousand, 100 thousand or 1 million timers are pending.

Each size has a SQLite file of its own (WAL, FULL). A round makes a few random timers due and drains them in the
engine's batches (taken and settled in one transaction: both together, and the taking alone); then it wakes up many
times with nothing due.
"""

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from benchmarks import orders, stores
from benchmarks.rounds import HEADER, Goal, Results, Sample, Stopwatch, arguments, finish, interleave, note, show
from daemon.engine import BATCH
from daemon.store import timers
from daemon.store.database import Database
from rules.instant import DAY, SECOND

SIZES = (10_000, 100_000, 1_000_000)
QUICK_SIZES = (500, 1000, 2000)
EMPTY = 300
FAR = orders.START + 400 * DAY


def main() -> None:
    """Measure and print."""
    chosen = arguments(__doc__, 7, due=(2000, 200, "timers that are due in a round"))
    sizes = QUICK_SIZES if chosen.quick else SIZES
    with stores.folder() as place:
        databases = {size: _pending(place / str(size), size) for size in sizes}
        drains = Drains(databases, chosen.due)
        results = interleave(
            {
                **{_claimed(size): partial(drains.claim, size) for size in sizes},
                **{_settled(size): partial(drains.drain, size) for size in sizes},
                **{_idle(size): partial(drains.wake_up, size) for size in sizes},
            },
            chosen.rounds,
        )
        for database in databases.values():
            database.close()
    print(f"{chosen.due:,} timers due at a time, batches of {BATCH}, SQLite file, FULL")
    show(HEADER, results.table())
    claimed, settled, idle = (_growth(results, sizes, side) for side in (_claimed, _settled, _idle))
    span = f"{sizes[0]:,} to {sizes[-1]:,} pending"
    finish(
        "claim",
        chosen,
        [
            Goal(f"growth of a claimed timer, {span}", claimed, 1.5, most=True),
            Goal(f"growth of a claimed and settled timer, {span}", settled, 1.5, most=True),
            Goal(f"growth of a wake-up with nothing due, {span}", idle, 1.5, most=True),
        ],
        sides=results.plain(),
    )


def _growth(results: Results, sizes: tuple[int, ...], side: Callable[[int], str]) -> float:
    return results.ratio(side(sizes[0]), side(sizes[-1])).median


def _claimed(size: int) -> str:
    return f"claim, {size:,} pending"


def _settled(size: int) -> str:
    return f"claim and settle, {size:,} pending"


def _idle(size: int) -> str:
    return f"nothing due, {size:,} pending"


class Drains:
    """Databases by how many timers are pending, and the work on them."""

    def __init__(self, databases: dict[int, Database], due: int) -> None:
        self.databases = databases
        self.due = due
        self.now = orders.START
        self.chance = random.Random(5)

    def claim(self, size: int, _round: int) -> Sample:
        """Make random timers due, then claim them all; settling them is not measured."""
        self._wake(size)
        done, count, watch = 0, BATCH, Stopwatch()
        while count == BATCH:
            with self.databases[size].begin() as tx:
                with watch:
                    claims = timers.take(tx, timers.ORDER, self.now, BATCH)
                self._settle(tx, claims)
            count = len(claims)
            done += count
        assert done == self.due
        return watch.sample(done)

    def drain(self, size: int, _round: int) -> Sample:
        """Make random timers due, then claim and settle them all."""
        self._wake(size)
        done, count = 0, BATCH
        with Stopwatch() as watch:
            while count == BATCH:
                with self.databases[size].begin() as tx:
                    claims = timers.take(tx, timers.ORDER, self.now, BATCH)
                    self._settle(tx, claims)
                count = len(claims)
                done += count
        assert done == self.due
        return watch.sample(done)

    def _wake(self, size: int) -> None:
        self.now += SECOND
        with self.databases[size].begin() as tx:
            chosen = self.chance.sample(range(size), self.due)
            timers.wake(tx, timers.ORDER, [_subject(number, self.now - number % 1000) for number in chosen])

    def _settle(self, tx: Connection, claims: list[timers.Claimed]) -> None:
        timers.settle(tx, [timers.Result(claim, FAR + claim.due_at % DAY, self.now) for claim in claims])

    def wake_up(self, size: int, _round: int) -> Sample:
        """Look for due timers where there are none."""
        with Stopwatch() as watch:
            for _ in range(EMPTY):
                with self.databases[size].begin() as tx:
                    assert not timers.take(tx, timers.ORDER, self.now, BATCH)
        return watch.sample(EMPTY)


def _subject(number: int, due_at: int) -> timers.Subject:
    return (orders.shop_of(number), orders.id_of(number), f"seller-{number % orders.SHOPS:02d}", due_at)


def _pending(place: Path, size: int) -> Database:
    database = stores.create(place)
    chance = random.Random(size)
    numbers = orders.by_shop(size)
    for start in range(0, size, 20_000):
        with database.begin() as tx:
            part = numbers[start : start + 20_000]
            timers.wake(tx, timers.ORDER, [_subject(number, FAR + chance.randrange(DAY)) for number in part])
    note(f"{size:,} timers pending")
    return database


if __name__ == "__main__":
    main()
