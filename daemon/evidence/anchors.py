"""Anchors: heads of the evidence chains, recorded outside the database, one JSON object a line.

`{"at":"2026-06-01T00:00:00Z","shop":"north","seq":1204,"hash":"…"}`: at that moment the shop's chain ended there.
The daemon appends to the file beside its database once a day. A copy elsewhere (a mail to yourself, a printout, an
exported appeal pack) also withstands somebody who can write the daemon's folder.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from daemon import kill
from daemon.store import links, meta
from daemon.store.database import Database
from daemon.store.links import Head
from rules.instant import DAY, format_utc

NAME = "forestall.anchors.jsonl"
_ANCHORED = "anchored_at"


class Anchor(msgspec.Struct, frozen=True):
    """One line of an anchor file. `hash` is hexadecimal, `at` says when it was recorded."""

    at: str
    shop: str
    seq: int
    hash: str


@dataclass(slots=True)
class Recorded:
    """Anchors of all shops: place → hashes. `unreadable`: lines (file:line) that are none."""

    of: dict[str, dict[int, set[bytes]]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    def add(self, shop: str, seq: int, digest: bytes) -> None:
        """Take one anchor in."""
        self.of.setdefault(shop, {}).setdefault(seq, set()).add(digest)


def path_of(url: str, base: Path) -> Path:
    """Where the daemon keeps its anchors: beside the SQLite database, else beside the configuration."""
    return kill.flag_path(url, base).with_name(NAME)


def lines(heads: Iterable[Head], now: int) -> Iterator[bytes]:
    """The lines of an anchor file for these heads."""
    for head in heads:
        yield msgspec.json.encode(Anchor(format_utc(now), head.shop, head.seq, head.hash.hex())) + b"\n"


def record(database: Database, path: Path, now: int) -> list[Head]:
    """Append every chain's head to the file, on disk before this returns. Raises OSError."""
    with database.begin() as tx:
        heads = links.heads(tx)
    with path.open("ab") as stream:
        stream.write(b"".join(lines(heads, now)))
        stream.flush()
        os.fsync(stream.fileno())
    with database.begin() as tx:
        meta.put(tx, _ANCHORED, str(now))
    return heads


def daily(database: Database, path: Path, now: int) -> bool:
    """Record the heads unless that was done within a day; returns whether it was done now."""
    with database.begin() as tx:
        last = meta.get(tx, _ANCHORED)
    if last is not None and path.exists() and abs(now - int(last)) < DAY:
        return False
    record(database, path, now)
    return True


def read(path: Path, into: Recorded) -> None:
    """Take in the anchors of a file. A line that is none (a torn last one, say) is named, never fatal."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                anchor = msgspec.json.decode(line, type=Anchor)
                into.add(anchor.shop, anchor.seq, bytes.fromhex(anchor.hash))
            except ValueError:
                if line.strip():
                    into.unreadable.append(f"{path.name}:{number}")
