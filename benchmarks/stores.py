"""Databases to measure on: real SQLite files under the current schema, opened as the daemon opens them."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from adapters.base import Snapshot
from benchmarks.rounds import note
from daemon.shops import Shops
from daemon.store import orders
from daemon.store.database import Database, open_database, upgrade
from daemon.store.ingest import ingest
from daemon.store.journal import Journal
from daemon.store.sightings import _REMEMBER, digest
from daemon.store.upsert import many
from rules.snapshot import Known, flatten

PAGE = 5000


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for the files of one benchmark; it goes away with the block."""
    with tempfile.TemporaryDirectory(prefix="forestall-bench-") as path:
        yield Path(path)


def create(place: Path) -> Database:
    """A new database in a folder of its own (the daemon locks the folder)."""
    place.mkdir(parents=True)
    database = reopen(place)
    upgrade(database)
    return database


def reopen(place: Path) -> Database:
    """The database that was made in `place`."""
    return open_database(f"sqlite:///{file(place)}")


def file(place: Path) -> Path:
    """Where the database of a folder lies."""
    return place / "forestall.db"


@contextmanager
def copied(template: Path, place: Path) -> Iterator[Database]:
    """A fresh copy of a closed database, gone with the block."""
    shutil.copytree(template, place)
    database = reopen(place)
    try:
        yield database
    finally:
        database.close()
        shutil.rmtree(place)


def put(database: Database, shops: Shops, snapshots: Iterable[Snapshot]) -> None:
    """Write the rows of orders and what was last seen of them, and nothing else: for very many orders."""
    waiting = iter(snapshots)
    done = 0
    while part := list(islice(waiting, 4 * PAGE)):
        known = [(snap, Known(snap.observed_at, flatten(snap.fields, snap.lines))) for snap in part]
        with database.begin() as tx:
            many(
                tx,
                orders.SAVE["sqlite"],
                [orders.row(shops.get(snap.shop), snap.order_id, facts)[0] for snap, facts in known],
            )
            many(tx, _REMEMBER["sqlite"], [_sighting(snap) for snap in part])
        done += len(part)
        if done % (50 * PAGE) == 0:
            note(f"{done:,} orders written")


def _sighting(snap: Snapshot) -> dict[str, object]:
    named = {"shop": snap.shop, "order_id": snap.order_id}
    return {**named, "digest": digest(snap), "observed_at": snap.observed_at}


def fill(database: Database, shops: Shops, snapshots: Iterable[Snapshot], now: int) -> int:
    """Take orders in the way a feed's pages are; returns how many."""
    waiting = iter(snapshots)
    done = 0
    while page := list(islice(waiting, PAGE)):
        with database.begin() as tx:
            journal = Journal()
            ingest(tx, journal, shops, page, now)
            journal.write(tx, now)
        done += len(page)
    return done
