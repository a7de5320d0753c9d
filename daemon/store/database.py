"""Opening a database safely, one transaction at a time, and its schema.

SQLite: Debian's library has the WAL-reset bug, so WAL is used only under the directory's lock, with this
process's single connection as the only one that writes or checkpoints; otherwise DELETE + EXTRA.
"""

import contextlib
import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import StaticPool
from sqlmodel import SQLModel

from daemon.errors import Busy, SchemaOutdated, Unavailable

_FIXED_IN = ((3, 51, 3), (3, 50, 7), (3, 44, 6))
"""SQLite releases without the WAL-reset bug: from 3.51.3 on, and these backports within their minor."""


@dataclass(slots=True)
class Database:
    """An open database. `begin()` gives a transaction; on SQLite one at a time, over all threads."""

    url: str
    engine: Engine
    is_sqlite: bool
    _turn: threading.RLock = field(default_factory=threading.RLock)
    _lock_fd: int | None = None

    @contextlib.contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that commits at the end of the block and rolls back on an exception."""
        if not self.is_sqlite:
            with self.engine.begin() as connection:
                yield connection
            return
        with self._turn, self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close the connections and release the directory's lock."""
        self.engine.dispose()
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None


def open_database(url: str) -> Database:
    """Open `url`; for a SQLite file take its directory's lock first.

    Raises Busy when another process holds the lock, Unavailable when the database cannot be reached.
    """
    parsed = make_url(url)
    if not parsed.drivername.startswith("sqlite"):
        return _postgres(url)
    path = parsed.database
    if not path or path == ":memory:":
        return scratch()
    lock = _lock(Path(path).resolve().parent)
    try:
        engine = _sqlite_engine(f"sqlite:///{path}")
    except OperationalError as error:
        os.close(lock)
        raise Unavailable(f"{path}: cannot be opened ({error.orig}); check the path and its permissions") from error
    return Database(url=url, engine=engine, is_sqlite=True, _lock_fd=lock)


def scratch(name: str = ":memory:") -> Database:
    """An empty database with the current schema, gone when closed: for replay, tests and the demo.

    `name` "" spills to a temporary file when it outgrows memory.
    """
    engine = _sqlite_engine(f"sqlite:///{name}" if name == ":memory:" else "sqlite:///?uri=true")
    database = Database(url="sqlite://", engine=engine, is_sqlite=True)
    SQLModel.metadata.create_all(engine)
    return database


def upgrade(database: Database) -> None:
    """Bring the schema to this version's head (alembic), in one transaction per migration."""
    with database.begin() as connection:
        config = _alembic(connection)
        if not database.is_sqlite:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7041952)")
        command.upgrade(config, "head")


def revisions(database: Database) -> tuple[str | None, str]:
    """(revision of the database or None when empty, revision this version needs)."""
    with database.begin() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        head = ScriptDirectory.from_config(_alembic(connection)).get_current_head()
    return current, head or ""


def check_schema(database: Database) -> None:
    """Raises SchemaOutdated unless the database is at this version's revision; never upgrades by itself."""
    current, head = revisions(database)
    if current != head:
        state = "is empty" if current is None else f"is at revision {current}"
        raise SchemaOutdated(f"the database {state}, this version needs {head}: run `forestall db upgrade`")


def wal_is_safe(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Whether this SQLite library may run WAL with several connections."""
    return version >= _FIXED_IN[0] or any(version[:2] == fixed[:2] and version >= fixed for fixed in _FIXED_IN)


def _alembic(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).resolve().parent.parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _lock(directory: Path) -> int:
    """flock the directory itself: a lock file can be deleted, and locks on the database drop SQLite's own."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise Unavailable(f"{directory}: {error.strerror}; create it or correct [database] url") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise Busy(f"another Forestall process holds the database in {directory}; stop it or try again") from error
    return descriptor


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(
        url, poolclass=StaticPool, connect_args={"check_same_thread": False, "cached_statements": 512}
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for pragma in ("locking_mode=EXCLUSIVE", "foreign_keys=ON", "cache_size=-200000", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        connection.execute(f"PRAGMA synchronous={'FULL' if mode == 'wal' else 'EXTRA'}")
        connection.execute("PRAGMA wal_autocheckpoint=16000")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.connect():
        return engine


def _postgres(url: str) -> Database:
    engine = create_engine(url, pool_size=10, max_overflow=4, pool_pre_ping=True)
    try:
        with engine.connect():
            return Database(url=url, engine=engine, is_sqlite=False)
    except OperationalError as error:
        raise Unavailable(f"PostgreSQL cannot be reached ({error.orig}); check [database] url") from error
    except ModuleNotFoundError as error:
        raise Unavailable("PostgreSQL needs the extra: pip install 'forestall[postgres]'") from error
