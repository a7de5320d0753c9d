"""Evidence: one hash chain per shop, one link per shop and transaction, written in that transaction."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, and_, func, insert, select

from daemon.store import names, pairs
from daemon.store.upsert import many
from daemon.tables import Evidence, EvidenceOf

E = Evidence.__table__  # type: ignore[attr-defined]
OF = EvidenceOf.__table__  # type: ignore[attr-defined]
_encode = msgspec.json.Encoder().encode

LINE_EVENTS = ("case_opened", "action", "dropped", "voided", "case_closed")
"""Entries that are decision lines (contract §5), in the order lines of one instant are sorted by."""


@dataclass(slots=True)
class Journal:
    """Entries of the transaction under way, by shop. `write` appends one link per shop."""

    _entries: defaultdict[str, list[Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    _subjects: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def note(self, shop: str, subject: str, entry: Mapping[str, Any]) -> None:
        """Put down what happened to `subject` (an order id or a cause key). No personal text in clear."""
        self._entries[shop].append(entry)
        self._subjects[shop].add(subject)

    def write(self, connection: Connection, at: int) -> None:
        """Append the links at instant `at`, in the caller's transaction."""
        links, subjects = [], []
        heads = _heads(connection, sorted(self._entries))
        for shop in sorted(self._entries):
            seq, last = heads.get(shop, (0, b""))
            entries = [_encode(entry) for entry in self._entries[shop]]
            digest = link_hash(last, shop, seq + 1, at, body_hash(map(entry_hash, entries)))
            text = b"[" + b",".join(entries) + b"]"
            links.append({"shop": shop, "seq": seq + 1, "at": at, "entries": text.decode(), "hash": digest})
            subjects += [{"shop": shop, "subject": name, "seq": seq + 1} for name in sorted(self._subjects[shop])]
        if links:
            many(connection, _ADD, links)
            many(connection, _ADD_SUBJECTS, subjects)
        self._entries.clear()
        self._subjects.clear()


def link_hash(before: bytes, shop: str, seq: int, at: int, body: bytes) -> bytes:
    """The hash of a link: over its predecessor's hash, its place and the hash of its entries."""
    digest = hashlib.blake2b(before, digest_size=32)
    digest.update(f"\0{shop}\0{seq}\0{at}\0".encode())
    digest.update(body)
    return digest.digest()


def body_hash(entries: Iterable[bytes]) -> bytes:
    """The hash of a link's entries, over the hash of each: so one can be shown and proven without the others."""
    return hashlib.blake2b(b"".join(entries), digest_size=32).digest()


def entry_hash(entry: bytes) -> bytes:
    """The hash of one entry, as the bytes it is stored in."""
    return hashlib.blake2b(entry, digest_size=32).digest()


def entries_of(connection: Connection, shop: str, subject: str) -> Iterator[Mapping[str, Any]]:
    """All entries that speak of one order or cause, oldest first, under whatever name its shop stood."""
    for old, end in names.before(connection, shop):
        for entry in _entries_of(connection, old, names.Move(shop, old).text(subject), end):
            yield names.entry(entry, old, shop)
    yield from _entries_of(connection, shop, subject)


def _entries_of(connection: Connection, shop: str, subject: str, end: int = 1 << 62) -> Iterator[Mapping[str, Any]]:
    rows = connection.execute(
        select(E.c.entries)
        .join(OF, (OF.c.shop == E.c.shop) & (OF.c.seq == E.c.seq))
        .where(OF.c.shop == shop, OF.c.subject == subject, OF.c.seq <= end)
        .order_by(E.c.seq)
    )
    for (entries,) in rows:
        for entry in msgspec.json.decode(entries):
            if subject in (entry.get("order_id"), entry.get("cause")):
                yield entry


def lines(connection: Connection) -> Iterator[Mapping[str, Any]]:
    """Every decision line on record, unsorted."""
    for (entries,) in connection.execute(select(E.c.entries)):
        for entry in msgspec.json.decode(entries):
            if entry["event"] in LINE_EVENTS:
                yield entry


def _heads(connection: Connection, shops: list[str]) -> dict[str, tuple[int, bytes]]:
    """(sequence number, hash) of each shop's newest link; locked on PostgreSQL until the transaction ends."""
    if connection.dialect.name == "postgresql" and shops:
        connection.exec_driver_sql(_LOCK, (shops,))
    rows = pairs.read(connection, _HEADS, [(shop, "") for shop in shops])
    return {row.shop: (row.seq, row.hash) for row in rows}


def _heads_of(named: Any) -> Select[Any]:
    other = E.alias("newest")
    newest = select(func.max(other.c.seq)).where(other.c.shop == named.c.shop).scalar_subquery()
    its_own = and_(E.c.shop == named.c.shop, E.c.seq == newest)
    return select(E.c.shop, E.c.seq, E.c.hash).select_from(named.join(E, its_own))


_HEADS = {dialect: _heads_of(named) for dialect, named in pairs.NAMED.items()}
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('evidence/' || shop)) FROM unnest(%s::text[]) AS shop"
_ADD = insert(E)
_ADD_SUBJECTS = insert(OF)
