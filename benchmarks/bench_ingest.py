"""Ingest of polled pages (250 orders of a shop, 5 % changed): our path against what one would write first.

Ours: decode the page, canonical hash, compare, merge what differs, wake timers, evidence; 12 pages in one
transaction, each page in its own, or all in one page. Naive: json.loads, a pydantic model, select and setattr
through SQLModel, commit per page; no evidence, no timers. Both on a SQLite file, WAL, FULL, with the same table of
orders, and told the same JSON of some 1,400 bytes an order (reference method: 12 pages, four lines an order).
"""

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import msgspec
from pydantic import BaseModel
from sqlalchemy import Connection
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
OURS = {
    "ours, 12 pages in one transaction": (PAGE, PAGES),
    "ours, a transaction a page": (PAGE, 1),
    "ours, one page of 3000": (PAGE * PAGES, 1),
}
"""Orders of a page, and pages of a transaction. The first is the reference's method and has the goal."""
NAIVE = "naive, a transaction a page"


class Line(BaseModel):
    """A line of an order as the naive path models it."""

    line_id: str
    sku: str | None = None
    listing_id: str | None = None
    title: str | None = None
    quantity: int = 1
    unit_minor: int | None = None


class Customer(BaseModel):
    """Who bought."""

    id: str
    name: str
    email: str
    level: int


class Address(BaseModel):
    """Where it goes."""

    name: str
    phone: str
    street: str
    district: str
    city: str
    province: str
    postcode: str
    country: str


class ShippingLine(BaseModel):
    """How it is sent."""

    carrier: str
    service: str
    price_minor: int
    tracking_no: str


class Payload(BaseModel):
    """An order as the naive path models it: all that is told."""

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
    lines: list[Line]
    customer: Customer
    address: Address
    shipping_lines: list[ShippingLine]


class ToldLine(TypedDict):
    """A line as our side's feed reads it."""

    line_id: str
    sku: str | None
    listing_id: str | None
    title: str | None
    quantity: int | None
    unit_minor: int | None


class Told(TypedDict):
    """An order as our side's feed reads it: canonical facts; the person's data is skipped, as contract §4 wants."""

    shop: str
    platform: str
    order_id: str
    status: str
    placed_at: int | None
    paid_at: int | None
    ship_by: int | None
    currency: str | None
    paid_minor: int | None
    shipping_minor: int | None
    buyer: str | None
    category: str | None
    tags: list[str] | None
    remark: NotRequired[str | None]
    lines: list[ToldLine]


_read = msgspec.json.Decoder(list[Told]).decode
Page = tuple[bytes, int]
"""What a shop answered, and when."""


def main() -> None:
    """Measure and print."""
    chosen = arguments(__doc__, 5, rows=(100_000, 5000, "orders stored"))
    with stores.folder() as place:
        paths = {name: Ours(place / str(number), chosen.rows, *OURS[name]) for number, name in enumerate(OURS)}
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
        print(f"{name}: {ratio} times faster than {NAIVE}")
    first = next(iter(OURS))
    finish(
        "ingest",
        chosen,
        [Goal(f"{first} / naive", ratios[first].median, 30)],
        sides=results.plain(),
        ratios=ratios,
    )


class Ours:
    """The daemon's own path: `size` orders a page, `together` pages a transaction."""

    def __init__(self, place: Path, rows: int, size: int, together: int) -> None:
        self.size, self.together = size, together
        self.polls = orders.Polls(rows, CHANGED)
        self.database = stores.create(place)
        self.shops = orders.shops()
        first = (_snapshot(msgspec.convert(told, Told)) for told in self.polls.first())
        stores.fill(self.database, self.shops, first, orders.START)
        note(f"{rows:,} orders stored in {place.name}")

    def measure(self, _round: int) -> Sample:
        """Twelve pages' worth of orders."""
        pages = [
            (msgspec.json.encode(self.polls.page(self.size)), self.polls.now) for _ in range(PAGE * PAGES // self.size)
        ]
        with Stopwatch() as watch:
            parts = [pages[start : start + self.together] for start in range(0, len(pages), self.together)]
            done = sum(map(self._take_in, parts))
        return watch.sample(done)

    def _take_in(self, pages: Sequence[Page]) -> int:
        with self.database.begin() as tx:
            return sum(self._page(tx, page, now) for page, now in pages)

    def _page(self, tx: Connection, page: bytes, now: int) -> int:
        journal = Journal()
        taken = ingest(tx, journal, self.shops, [_snapshot(told, now) for told in _read(page)], now)
        journal.write(tx, now)
        return taken.records


class Naive:
    """A session, a model, and one select an order."""

    def __init__(self, place: Path, rows: int) -> None:
        self.polls = orders.Polls(rows, CHANGED)
        self.database: Database = stores.create(place)
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

    def _row(self, told: orders.Facts) -> dict[str, Any]:
        """An order as this path stores it, so that one that is unchanged needs no write."""
        payload = Payload.model_validate(told)
        columns = {name: getattr(payload, name) for name in ("shop", "order_id", "platform", *COLUMNS)}
        due = {"act_by": payload.ship_by, "observed_at": orders.START, "seller": "default", "is_open": True}
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


def _snapshot(told: Any, now: int = orders.START) -> Snapshot:
    """An order as a feed hands it on. `told` itself becomes the fields."""
    return Snapshot(
        observed_at=now,
        shop=told.pop("shop"),
        order_id=told.pop("order_id"),
        platform=told.pop("platform"),
        lines=_by_id(told.pop("lines")),
        fields=told,
    )


def _by_id(lines: Iterable[Any]) -> dict[str, Any]:
    return {line.pop("line_id"): line for line in lines}


if __name__ == "__main__":
    main()
