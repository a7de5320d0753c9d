"""A look into a SQLite file without opening the installation: for what must be quick and may be wrong."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

_NAMES = {
    "case": 'SELECT key, order_id FROM "case" WHERE closed_at IS NULL AND ({key} OR {order_id}) LIMIT :most',
    "task": "SELECT key, order_id FROM action WHERE outcome = 'needs_human' AND ({key} OR {order_id}) LIMIT :most",
    "order": "SELECT order_id FROM orders WHERE {order_id} LIMIT :most",
}


def names(file: Path, thing: str, beginning: str, most: int) -> Iterator[str | None]:
    """Keys and order ids of open cases or tasks, or ids of orders, that begin so.

    Neither locks nor waits: where another process writes, it may see what is no longer there, or raise sqlite3.Error.
    """
    begins = {name: f"substr({name}, 1, length(:text)) = :text" for name in ("key", "order_id")}
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?immutable=1", uri=True)) as connection:
        for row in connection.execute(_NAMES[thing].format(**begins), {"text": beginning, "most": most}):
            yield from row
