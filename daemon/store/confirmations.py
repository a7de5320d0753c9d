"""Which pack rows a person has confirmed, who did and by what source; bound to the row's digest (contract §2).

Only confirmed rows may move money. A confirmation of a row that an update has changed counts no more. Every change
leaves evidence in the chain of each shop that is named.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import Connection

from daemon.store import meta
from daemon.store.journal import Journal
from rules.instant import format_utc
from rules.packdata import Row

NAME = "confirmed"
"""Where they stand in the table of facts about the installation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A person's word for one row: `by` as he calls himself, `user` as the system knows him, at an instant (µs)."""

    row: str
    by: str
    user: str
    at: int
    source: str


def load(connection: Connection) -> dict[str, Confirmation]:
    """Every confirmation by the digest it is bound to."""
    said = json.loads(meta.get(connection, NAME) or "{}")
    return {digest: Confirmation(**one) for digest, one in said.items()}


def confirm(connection: Connection, row: Row, word: Confirmation, shops: Iterable[str]) -> frozenset[str]:
    """Keep a person's word for the row as it is now, in the caller's transaction; returns the confirmed digests.

    It replaces what was said of the row before, also of an older content.
    """
    kept = {digest: one for digest, one in load(connection).items() if one.row != word.row}
    return _save(connection, {**kept, row.digest: word}, "rule_confirmed", word, row.digest, shops)


def withdraw(connection: Connection, word: Confirmation, shops: Iterable[str]) -> frozenset[str] | None:
    """Forget what was said of the row, in the caller's transaction; None when nothing was."""
    known = load(connection)
    gone = [digest for digest, one in known.items() if one.row == word.row]
    if not gone:
        return None
    kept = {digest: one for digest, one in known.items() if digest not in gone}
    return _save(connection, kept, "rule_withdrawn", word, gone[0], shops)


def _save(
    connection: Connection,
    words: dict[str, Confirmation],
    event: str,
    word: Confirmation,
    digest: str,
    shops: Iterable[str],
) -> frozenset[str]:
    meta.put(connection, NAME, json.dumps({key: asdict(one) for key, one in words.items()}, sort_keys=True))
    journal = Journal()
    for shop in shops:
        cause = f"{shop}/rule:{word.row}"
        said = asdict(word) | {"at": format_utc(word.at)}
        journal.note(shop, cause, {"event": event, "cause": cause, "order_id": None, "digest": digest, **said})
    journal.write(connection, word.at)
    return frozenset(words)
