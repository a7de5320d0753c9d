"""Changed upserts into a large table of orders: our statement and binding against bare sqlite3.

Both sides write the same columns in sorted batches through one connection with the daemon's pragmas (WAL, FULL),
each batch a transaction. Ours gets rows as the store makes them (mappings), bare sqlite3 gets ready tuples.
"""

import random
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection

from adapters.base import Snapshot
from benchmarks import orders, stores
from benchmarks.rounds import HEADER, Goal, Sample, Stopwatch, arguments, finish, interleave, show
from daemon.shops import Shops
from daemon.store import orders as stored
from daemon.store.database import Database
from daemon.store.upsert import many
from rules.instant import DAY, HOUR
from rules.snapshot import Known, flatten

Rows = list[dict[str, Any]]
BATCHES = (1000, 5000)
ROWS = 10_000
COLUMNS = (
    "shop", "order_id", "seller", "platform", "status", "is_open", "observed_at", "paid_at", "ship_by", "act_by",
    "paid_minor", "currency", "facts", "times", "short",
)  # fmt: skip
SET = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name not in ("shop", "order_id", "short"))
BARE = (
    f"INSERT INTO orders ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) "
    f"ON CONFLICT (shop, order_id) DO UPDATE SET {SET}"
)


def main() -> None:
    """Measure and print."""
    chosen = arguments(__doc__, 7, rows=(1_000_000, 6000, "orders stored"))
    shops = orders.shops()
    with stores.folder() as place:
        database = stores.create(place / "store")
        stores.put(database, shops, (_snapshot(number, 0) for number in orders.by_shop(chosen.rows)))
        chance = random.Random(3)
        sides = {
            f"{name}, batch {batch}": partial(_measure, database, shops, chance, chosen.rows, batch, save)
            for batch in BATCHES
            for name, save in (("ours", _ours), ("sqlite3", _bare))
        }
        results = interleave(sides, chosen.rounds)
        database.close()
    print(f"{chosen.rows:,} orders stored, every upsert changes its row, SQLite file, FULL")
    show(HEADER, results.table())
    ratios = {batch: results.ratio(f"ours, batch {batch}", f"sqlite3, batch {batch}") for batch in BATCHES}
    for batch, ratio in ratios.items():
        print(f"batch {batch}: ours is {ratio} of bare sqlite3")
    finish(
        "upsert",
        chosen,
        [Goal(f"ours / sqlite3, batch {batch}", ratio.median, 0.8) for batch, ratio in ratios.items()],
        sides=results.plain(),
        ratios=ratios,
    )


def _measure(
    database: Database,
    shops: Shops,
    chance: random.Random,
    stored_rows: int,
    size: int,
    save: Callable[[Connection, Rows], Callable[[], object]],
    number: int,
) -> Sample:
    """Ten thousand orders, all of them changed, in sorted batches; the rows are made before.

    The log is written back before, so that no side pays for another's.
    """
    batches = [
        sorted(
            (_row(shops, order, number + 1) for order in chance.sample(range(stored_rows), size)),
            key=lambda row: (row["shop"], row["order_id"]),
        )
        for _ in range(ROWS // size)
    ]
    watch = Stopwatch()
    with database.engine.connect() as connection:
        _driver(connection).execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for batch in batches:
        with database.engine.connect() as connection:
            work = save(connection, batch)
            with watch, connection.begin():
                work()
    return watch.sample(sum(map(len, batches)))


def _ours(connection: Connection, rows: Rows) -> Callable[[], object]:
    return partial(many, connection, stored.SAVE["sqlite"], rows)


def _bare(connection: Connection, rows: Rows) -> Callable[[], object]:
    return partial(
        _driver(connection).executemany, BARE, [tuple(row.get(name, "") for name in COLUMNS) for row in rows]
    )


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _row(shops: Shops, number: int, version: int) -> dict[str, Any]:
    snap = _snapshot(number, version)
    known = Known(observed_at=snap.observed_at, facts=flatten(snap.fields, snap.lines))
    return stored.row(shops.get(snap.shop), snap.order_id, known)[0]


def _snapshot(number: int, version: int) -> Snapshot:
    facts = orders.facts_of(number, orders.START - number % 24 * HOUR, orders.START + (5 + number % 20) * DAY)
    return orders.snapshot(number, {**facts, "remark": f"version {version}"}, orders.START + version)


if __name__ == "__main__":
    main()
