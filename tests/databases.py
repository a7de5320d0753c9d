"""SQLite databases that are ready at once: what each test would pay for again is paid for once in a process."""

import functools
import tempfile
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.util import LRUCache

from daemon.store import database
from daemon.store.database import Database, open_database

AS_SHIPPED = database._sqlite_engine
"""How the daemon opens a SQLite database."""
_COMPILED = LRUCache(5_000)
"""Compiled statements; more than the daemon has."""
_SHARED: dict[str, Dialect] = {}
"""The dialect all databases share, since statements are compiled for one: that of the first."""


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


def quicken() -> None:
    """Let all SQLite databases of this process share their compiled statements, as the one of a daemon does.

    Otherwise each test compiles those it uses again: a third of a story's time. And let none wait for the disk:
    a test's database may be lost with the machine.
    """
    database._sqlite_engine = _engine


def _engine(url: URL) -> Engine:
    engine = AS_SHIPPED(url)
    engine.dialect, engine._compiled_cache = _SHARED.setdefault("dialect", engine.dialect), _COMPILED
    engine.raw_connection().cursor().execute("PRAGMA synchronous=OFF")
    return engine
