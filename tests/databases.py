"""SQLite databases that are ready at once: what each test would pay for again is paid for once in a process."""

import functools
import tempfile
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import URL
from sqlalchemy.util import LRUCache

from daemon.store import database
from daemon.store.database import Database, open_database

STATEMENTS = 5_000
"""More than the daemon has, with all their shapes."""


def opened(file: Path) -> Database:
    """The database in `file`; where there is none yet, an empty one with the schema that the migrations make."""
    if not file.exists():
        put(file)
    return open_database(f"sqlite:///{file}")


def put(file: Path) -> None:
    """Put an empty database there, with the schema that the migrations make."""
    file.write_bytes(empty())


@functools.cache
def empty() -> bytes:
    """The file of an empty database. Made by the migrations once: running them takes 40 ms, a copy a tenth of one."""
    with tempfile.TemporaryDirectory() as folder:
        made = open_database(f"sqlite:///{folder}/forestall.db")
        database.upgrade(made)
        made.close()
        return (Path(folder) / "forestall.db").read_bytes()


def share_statements() -> None:
    """Let all SQLite databases of this process share their compiled statements, as the one of a daemon does.

    Otherwise each test compiles those it uses again: a third of a story's time.
    """
    made, compiled, dialects = database._sqlite_engine, LRUCache(STATEMENTS), []

    def engine(url: URL) -> Engine:
        opened = made(url)
        dialects.append(opened.dialect)
        opened.dialect, opened._compiled_cache = dialects[0], compiled
        return opened

    database._sqlite_engine = engine
