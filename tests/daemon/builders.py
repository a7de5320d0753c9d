"""Small things the tests of the store are made of: records as feeds hand them in, and what the tables say."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

from sqlalchemy import Connection, RowMapping, event, func, select
from sqlmodel import SQLModel

from adapters.base import OrderEvent, Record, Snapshot, StockReport
from daemon.shops import Shops
from daemon.store import timers
from daemon.store.database import Database
from daemon.store.ingest import Ingested, ingest
from daemon.store.journal import Journal, link_hash
from daemon.store.links import body_of
from rules.instant import DAY, parse
from rules.playbook import Playbook

MORNING = parse("2026-06-01T08:00:00+08:00")
TABLE = SQLModel.metadata.tables


def shops(*names: str, seller: str = "default", platform: str = "taobao", play: Playbook | None = None) -> Shops:
    """Shops of one seller, everything in shadow, by the shipped playbook or another."""
    made = Shops() if play is None else Shops(playbook=play)
    for name in names:
        made.known[name] = made.made(name, platform, seller)
    return made


def a_snapshot(order_id: str = "1", at: int = MORNING, shop: str = "north", **fields: Any) -> Snapshot:
    """A paid order as a shop first tells it; `lines` maps line ids to facts."""
    lines = fields.pop("lines", {})
    facts: dict[str, Any] = {
        "status": "paid",
        "paid_at": MORNING,
        "ship_by": MORNING + 2 * DAY,
        "paid_minor": 15000,
        "currency": "CNY",
    }
    return Snapshot(observed_at=at, shop=shop, order_id=order_id, platform="taobao", fields=facts | fields, lines=lines)


def said(order_id: str = "1", at: int = MORNING, shop: str = "north", **fields: Any) -> Snapshot:
    """A snapshot that says only this."""
    lines = fields.pop("lines", {})
    return Snapshot(observed_at=at, shop=shop, order_id=order_id, platform="taobao", fields=fields, lines=lines)


def a_line(sku: str = "A-1", quantity: int = 1, **facts: Any) -> dict[str, Any]:
    return {"sku": sku, "quantity": quantity, "unit_minor": 5000, **facts}


def stock_of(sku: str, units: int | None, at: int = MORNING, shop: str = "north", **more: Any) -> StockReport:
    return StockReport(observed_at=at, shop=shop, sku=sku, stock=units, **more)


def an_event(name: str, order_id: str = "1", at: int = MORNING, shop: str = "north", points: int = 0) -> OrderEvent:
    return OrderEvent(observed_at=at, shop=shop, order_id=order_id, event=name, at=at, points=points)


def take_in(db: Database, shops: Shops, *records: Record, now: int | None = None, final: bool = True) -> Ingested:
    """One page in one transaction; `now` None = each record when it was said."""
    with db.begin() as tx:
        journal = Journal()
        taken = ingest(tx, journal, shops, records, now, final=final)
        journal.write(tx, MORNING if now is None else now)
    return taken


def rows(db: Database, table: str, **where: Any) -> list[RowMapping]:
    """The rows of a table, by primary key."""
    found = TABLE[table]
    statement = select(found).where(*(found.c[name] == value for name, value in where.items()))
    with db.begin() as tx:
        return list(tx.execute(statement.order_by(*found.primary_key.columns)).mappings())


def row(db: Database, table: str, **where: Any) -> RowMapping:
    (only,) = rows(db, table, **where)
    return only


def count(db: Database, table: str) -> int:
    with db.begin() as tx:
        return int(tx.execute(select(func.count()).select_from(TABLE[table])).scalar_one())


def due(db: Database, kind: str, now: int) -> list[str]:
    """Ids of the subjects that a worker would get at `now`; the claim is undone."""
    with db.engine.connect() as connection, connection.begin() as tx:
        claimed = timers.claim(connection, kind, now, 1000)
        tx.rollback()
    return [claim.id for claim in claimed]


@contextmanager
def writes(db: Database) -> Iterator[list[str]]:
    """The statements that change something while the block runs."""
    seen: list[str] = []

    def note(statement: str) -> None:
        if statement.lstrip().split()[0] in {"INSERT", "UPDATE", "DELETE", "WITH"}:
            seen.append(statement)

    def executing(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        note(statement)

    if db.is_sqlite:  # the store also runs statements on the driver itself
        with db.begin() as tx:
            driver = tx.connection.driver_connection
        assert driver is not None
        driver.set_trace_callback(note)
    else:
        event.listen(db.engine, "before_cursor_execute", executing)
    try:
        yield seen
    finally:
        if db.is_sqlite:
            driver.set_trace_callback(None)
        else:
            event.remove(db.engine, "before_cursor_execute", executing)


def broken_links(connection: Connection) -> list[tuple[str, int]]:
    """The links (shop, seq) of all chains that do not follow from the one before."""
    found = TABLE["evidence"]
    broken = []
    heads: dict[str, tuple[int, bytes]] = {}
    for link in connection.execute(select(found).order_by(found.c.shop, found.c.seq)):
        seq, before = heads.get(link.shop, (0, b""))
        wanted = link_hash(before, link.shop, seq + 1, link.at, body_of(link.entries) or b"")
        if (seq + 1, wanted) != (link.seq, link.hash):
            broken.append((link.shop, link.seq))
        heads[link.shop] = (link.seq, link.hash)
    return broken


def at_once(work: Callable[[int], None], workers: int) -> None:
    """Run `work(0)` … `work(workers - 1)` in threads that begin together; the first failure is raised."""
    gate = Barrier(workers)

    def begin(number: int) -> None:
        gate.wait(30)
        work(number)

    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(begin, number) for number in range(workers)]:
            done.result()
