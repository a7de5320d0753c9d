"""The rows of one order, which may lie far apart in an export, brought together in constant memory.

Rows wait in a scratch database that SQLite keeps in a small cache and a nameless temporary file; what
waits there is already normalised: hashed, masked, without receiver data.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from itertools import groupby
from typing import Literal

import msgspec

from adapters.base import Json, Rejected, Snapshot
from rules.model import STATUSES

_BATCH = 1_000
_GONE = frozenset({"cancelled", "refunded"})
_UNSHIPPED = frozenset({"unpaid", "paid", "partly_shipped"})
_ALL_ROWS = """
    SELECT place, row FROM (SELECT place, row, min(place) OVER (PARTITION BY key) AS first FROM rows)
    ORDER BY first, place
"""


def by_order(parts: Iterable[Snapshot | Rejected], amounts: Literal["lines", "order"]) -> Iterator[Snapshot | Rejected]:
    """One snapshot per order, in the order of first rows; Rejected values pass first."""
    with closing(sqlite3.connect("", check_same_thread=False)) as scratch:
        scratch.execute("CREATE TABLE rows (place INTEGER PRIMARY KEY, key TEXT, row BLOB)")
        batch: list[tuple[str, bytes]] = []
        example: Snapshot | None = None
        for part in parts:
            if isinstance(part, Rejected):
                yield part
                continue
            example = part
            batch.append((part.order_id, msgspec.json.encode((part.order_id, part.fields, part.lines))))
            if len(batch) >= _BATCH:
                _store(scratch, batch)
        _store(scratch, batch)
        if example is not None:
            yield from (merged(rows, amounts) for rows in _orders(scratch, example))


def merged(rows: list[Snapshot], amounts: Literal["lines", "order"]) -> Snapshot:
    """One order from the snapshots of its rows, each with the status and amounts of its own line."""
    if len(rows) == 1:
        return rows[0]
    live = [row for row in rows if row.fields["status"] not in _GONE]
    facts: dict[str, Json] = {}
    for row in rows:
        facts |= {name: value for name, value in row.fields.items() if value is not None}
    facts["status"] = _status([str(row.fields["status"]) for row in rows])
    due = _numbers([row for row in live if row.fields["status"] in _UNSHIPPED] or rows, "ship_by")
    facts |= {"ship_by": min(due)} if due else {}
    for name in ("placed_at", "paid_at"):
        facts |= {name: min(known)} if (known := _numbers(rows, name)) else {}
    facts.pop("shipped_at", None)
    if facts["status"] not in _UNSHIPPED and (shipped := _numbers(live or rows, "shipped_at")):
        facts["shipped_at"] = max(shipped)
    if any("flags" in row.fields for row in rows):
        facts["flags"] = sorted({flag for row in rows for flag in _list(row.fields.get("flags"))})
    remarks = dict.fromkeys(str(row.fields["remark"]) for row in rows if row.fields.get("remark"))
    facts |= {"remark": " / ".join(remarks)} if remarks else {}
    _amounts(facts, live or rows, amounts)
    return replace(rows[0], fields=facts, lines=_lines(rows))


def _status(statuses: list[str]) -> str:
    """The order's status from its lines': gone lines do not count while others live; the slowest line counts."""
    live = [status for status in statuses if status not in _GONE]
    if not live:
        return "refunded" if "refunded" in statuses else "cancelled"
    slowest = min(live, key=STATUSES.index)
    moving = any(status not in ("unpaid", "paid") for status in live)
    return "partly_shipped" if slowest == "paid" and moving else slowest


def _amounts(facts: dict[str, Json], rows: list[Snapshot], amounts: Literal["lines", "order"]) -> None:
    """The order's own amounts: repeated ones as they stand, a line's added up; unsure postage is left out."""
    for name in ("paid_minor", "received_minor", "shipping_minor"):
        known = _numbers(rows, name)
        facts.pop(name, None)
        if len(known) < len(rows):
            continue
        if amounts == "order" and len(set(known)) == 1:
            facts[name] = known[0]
        elif name != "shipping_minor" or sum(amount > 0 for amount in known) <= 1:
            facts[name] = sum(known)


def _lines(rows: list[Snapshot]) -> dict[str, Mapping[str, Json]]:
    """All lines by id; a second line of the same id gets a number, always the same in the same file."""
    lines: dict[str, Mapping[str, Json]] = {}
    for row in rows:
        for line_id, line in row.lines.items():
            count = sum(known == line_id or known.startswith(f"{line_id}#") for known in lines)
            lines[f"{line_id}#{count + 1}" if count else line_id] = line
    return lines


def _numbers(rows: list[Snapshot], name: str) -> list[int]:
    return [value for row in rows if isinstance(value := row.fields.get(name), int)]


def _list(value: Json) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _store(scratch: sqlite3.Connection, batch: list[tuple[str, bytes]]) -> None:
    scratch.executemany("INSERT INTO rows (key, row) VALUES (?, ?)", batch)
    batch.clear()


def _orders(scratch: sqlite3.Connection, example: Snapshot) -> Iterator[list[Snapshot]]:
    decode = msgspec.json.Decoder(tuple[str, dict[str, object], dict[str, dict[str, object]]]).decode
    stored = (decode(row) for _, row in scratch.execute(_ALL_ROWS))
    for order_id, rows in groupby(stored, key=lambda row: row[0]):
        yield [
            replace(example, order_id=order_id, fields=fields, lines=lines)  # type: ignore[arg-type]
            for _, fields, lines in rows
        ]
