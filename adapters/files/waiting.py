"""Snapshots of rows that wait until all rows of their order are there, in bounded memory.

A file of usual size waits as it is. Of a larger one the rows wait in a scratch database that SQLite keeps in a small
cache and a nameless temporary file; what waits there is already normalised: hashed, masked, without receiver data.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby, islice

import msgspec

from adapters.base import Snapshot

HELD = 20_000
"""So many rows wait in memory (some 2 KB each)."""
_BATCH = 1_000
_TABLE = "CREATE TABLE rows (place INTEGER PRIMARY KEY, key TEXT, row BLOB, a INTEGER, b INTEGER, c INTEGER)"
_DIFFER = """
    SELECT max(a), max(b), max(c) FROM (
        SELECT min(a) < max(a) AS a, min(b) < max(b) AS b, min(c) < max(c) AS c
        FROM rows GROUP BY key HAVING count(*) > 1
    )
"""
_ALL_ROWS = """
    SELECT place, row FROM (SELECT place, row, min(place) OVER (PARTITION BY key) AS first FROM rows)
    ORDER BY first, place
"""


class Waiting:
    """The rows of one table. `amounts`: the facts of which `differ` tells; `most`: how many rows of an order come."""

    def __init__(self, amounts: tuple[str, str, str], most: int, held: int = HELD) -> None:
        self._amounts = amounts
        self._most = most
        self._free = held
        self._orders: dict[tuple[int, str], list[Snapshot]] = {}
        self._scratch: sqlite3.Connection | None = None
        self._batch: list[tuple[object, ...]] = []
        self._example: Snapshot | None = None

    def add(self, row: Snapshot) -> None:
        """Let a row wait."""
        if self._scratch is not None:
            self._store(self._scratch, row)
            return
        key = (row.observed_at, row.order_id)
        if (known := self._orders.get(key)) is None:
            self._orders[key] = [row]
        else:
            known.append(row)
        self._free -= 1
        if self._free < 0:
            self._spill()

    def differ(self) -> frozenset[str]:
        """The amounts that are not the same in all rows of an order that say them."""
        if self._scratch is None:
            several = [rows for rows in self._orders.values() if len(rows) > 1]
            return frozenset(name for name in self._amounts if any(len({*_known(rows, name)}) > 1 for rows in several))
        self._flush(self._scratch)
        found = self._scratch.execute(_DIFFER).fetchone()
        return frozenset(name for name, differs in zip(self._amounts, found, strict=True) if differs)

    def orders(self) -> Iterator[list[Snapshot]]:
        """The rows of each order and instant, in the order of first rows; of very many `most` and one more."""
        if self._scratch is not None:
            self._flush(self._scratch)
            yield from self._stored(self._scratch)
        for rows in self._orders.values():
            yield rows[: self._most + 1]

    def close(self) -> None:
        """Forget all rows."""
        self._orders = {}
        if self._scratch is not None:
            self._scratch.close()

    def _spill(self) -> None:
        """Take all that waits out of memory."""
        self._scratch = sqlite3.connect("", check_same_thread=False)
        self._scratch.execute(_TABLE)
        orders, self._orders = self._orders, {}
        for rows in orders.values():
            for row in rows:
                self._store(self._scratch, row)

    def _store(self, scratch: sqlite3.Connection, row: Snapshot) -> None:
        self._example = row
        text = msgspec.json.encode((row.order_id, row.observed_at, row.counted, row.fields, row.lines))
        amounts = (row.fields.get(name) for name in self._amounts)
        self._batch.append((f"{row.observed_at} {row.order_id}", text, *amounts))
        if len(self._batch) >= _BATCH:
            self._flush(scratch)

    def _flush(self, scratch: sqlite3.Connection) -> None:
        scratch.executemany("INSERT INTO rows VALUES (NULL, ?, ?, ?, ?, ?)", self._batch)
        self._batch.clear()

    def _stored(self, scratch: sqlite3.Connection) -> Iterator[list[Snapshot]]:
        example = self._example
        decode = msgspec.json.Decoder(tuple[str, int, bool, dict[str, object], dict[str, dict[str, object]]]).decode
        stored = (decode(row) for _, row in scratch.execute(_ALL_ROWS))
        for (order_id, observed_at), rows in groupby(stored, key=lambda row: row[:2]):
            yield [
                Snapshot(
                    observed_at=observed_at,
                    shop=example.shop if example else "",
                    order_id=order_id,
                    platform=example.platform if example else None,
                    fields=fields,  # type: ignore[arg-type]
                    lines=lines,  # type: ignore[arg-type]
                    counted=counted,
                )
                for _, _, counted, fields, lines in islice(rows, self._most + 1)
            ]


def _known(rows: Sequence[Snapshot], name: str) -> Iterator[int]:
    return (value for row in rows if isinstance(value := row.fields.get(name), int))
