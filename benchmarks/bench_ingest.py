"""Ingest of polled pages (250 orders of a shop, 5 % changed): our path against what one would write first.

Ours: decode the page, canonical hash, compare, merge what differs, wake timers, evidence; one transaction a page.
Naive: json.loads, a pydantic model, select and setattr through SQLModel, commit per page; no evidence, no timers.
Both on a SQLite file, WAL, FULL, with the same table of orders.
"""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel
from sqlmodel import Session, col, insert, select

from adapters.base import Snapshot
from benchmarks import orders, stores
from benchmarks.rounds import HEADER, Goal, Sample, Stopwatch, arguments, finish, interleave, note, show
from daemon.store.database import Database
from daemon.store.ingest import ingest
from daemon.store.journal import Journal
from daemon.tables import Order

PAGE = 250
PAGES, NAIVE_PAGES = 12, 2
CHANGED = 0.05
COLUMNS = ("status", "paid_at", "ship_by", "paid_minor", "currency")


class Line(BaseModel):
    """A line of an order as the naive path models it."""

    sku: str | None = None
    listing_id: str | None = None
    title: str | None = None
    quantity: int = 1
    unit_minor: int | None = None


class Payload(BaseModel):
    """An order as the naive path models it."""

    shop: str
    platform: str
    order_id: str
    status: str
    placed_at: int
    paid_at: int
    ship_by: int
    currency: str
    paid_minor: int
    shipping_minor: int
    buyer: str
    category: str
    tags: list[str]
    remark: str | None = None
    lines: dict[str, Line]


def main() -> None:
    """Measure and print."""
    chosen = arguments(__doc__, 5, rows=(100_000, 5000, "orders stored"))
    with stores.folder() as place:
        paths = {name: Ours(place / str(size), chosen.rows, size) for name, size in OURS.items()}
        naive = Naive(place / "naive", chosen.rows)
        results = interleave(
            {**{name: path.measure for name, path in paths.items()}, NAIVE: naive.measure}, chosen.rounds
        )
        for path in paths.values():
            path.database.close()
        naive.database.close()
    print(f"{chosen.rows:,} orders stored, {CHANGED:.0%} of a page changed, SQLite file, FULL")
    show(HEADER, results.table())
    ratios = {name: results.ratio(name, NAIVE) for name in OURS}
    for name, ratio in ratios.items():
        print(f"{name} is {ratio} times faster than {NAIVE}")
    first = next(iter(OURS))
    finish(
        "ingest",
        chosen,
        [Goal(f"{first} / naive", ratios[first].median, 30)],
        sides=results.plain(),
        ratios=ratios,
    )


OURS = {"ours, pages of 250": PAGE, "ours, pages of 3000": PAGE * PAGES}
NAIVE = "naive, pages of 250"


class Ours:
    """The daemon's own path, in pages of one size."""

    def __init__(self, place: Path, rows: int, size: int) -> None:
        self.size = size
        self.polls = orders.Polls(rows, CHANGED)
        self.database = _filled(place, self.polls)
        self.shops = orders.shops()

    def measure(self, _round: int) -> Sample:
        """Twelve pages' worth of orders."""
        pages = [
            (msgspec.json.encode(self.polls.page(self.size)), self.polls.now) for _ in range(PAGE * PAGES // self.size)
        ]
        with Stopwatch() as watch:
            done = sum(self._take_in(page, now) for page, now in pages)
        return watch.sample(done)

    def _take_in(self, page: bytes, now: int) -> int:
        records = [_snapshot(told, now) for told in msgspec.json.decode(page)]
        with self.database.begin() as tx:
            journal = Journal()
            taken = ingest(tx, journal, self.shops, records, now)
            journal.write(tx, now)
        return taken.records


class Naive:
    """A session, a model, and one select an order."""

    def __init__(self, place: Path, rows: int) -> None:
        self.polls = orders.Polls(rows, CHANGED)
        self.database = stores.create(place)
        with self.database.begin() as tx:
            rows_left = map(self._row, self.polls.first())
            while page := list(islice(rows_left, 5000)):
                tx.execute(insert(Order), page)
        note(f"{rows:,} orders stored in {place.name}")

    def measure(self, _round: int) -> Sample:
        """Two pages."""
        pages = [json.dumps(self.polls.page(PAGE)) for _ in range(NAIVE_PAGES)]
        with Stopwatch() as watch:
            done = sum(map(self._take_in, pages))
        return watch.sample(done)

    def _row(self, snap: Snapshot) -> dict[str, Any]:
        """An order as this path stores it, so that one that is unchanged needs no write."""
        names = {"shop": snap.shop, "order_id": snap.order_id, "platform": snap.platform}
        payload = Payload.model_validate({**names, **snap.fields, "lines": snap.lines})
        columns = {name: getattr(payload, name) for name in (*names, *COLUMNS)}
        due = {"act_by": payload.ship_by, "observed_at": snap.observed_at, "seller": "default", "is_open": True}
        return {**columns, **due, "facts": payload.model_dump_json()}

    def _take_in(self, page: str) -> int:
        told_orders = json.loads(page)
        with Session(self.database.engine) as session:
            for told in told_orders:
                payload = Payload.model_validate(told)
                found = session.exec(
                    select(Order).where(col(Order.shop) == payload.shop, col(Order.order_id) == payload.order_id)
                ).one()
                for name in COLUMNS:
                    setattr(found, name, getattr(payload, name))
                found.act_by = payload.ship_by
                found.facts = payload.model_dump_json()
                session.add(found)
            session.commit()
        return len(told_orders)


def _snapshot(told: dict[str, Any], now: int) -> Snapshot:
    return Snapshot(
        observed_at=now,
        shop=told.pop("shop"),
        order_id=told.pop("order_id"),
        platform=told.pop("platform"),
        lines=told.pop("lines"),
        fields=told,
    )


def _filled(place: Path, polls: orders.Polls) -> Database:
    database = stores.create(place)
    stores.fill(database, orders.shops(), polls.first(), orders.START)
    note(f"{polls.orders:,} orders stored in {place.name}")
    return database


if __name__ == "__main__":
    main()
