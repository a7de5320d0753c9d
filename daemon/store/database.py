"""Opening a database safely, one transaction at a time, and its schema.

SQLite: Debian's library has the WAL-reset bug, so WAL is used only under the directory's lock, with this
process's single connection as the only one that writes or checkpoints; otherwise DELETE + EXTRA.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement
from sqlmodel import SQLModel

from daemon.errors import Busy, SchemaOutdated, Unavailable
from daemon.store import driver

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


_RETRY = frozenset({"40P01", "40001"})
"""PostgreSQL: deadlock detected, serialization failure. The transaction was rolled back whole."""
RETRIES = 5
PAGE_SIZE = 2048
"""Bytes of a page of a new SQLite file (docs/adr/0010): half of SQLite's own choice, since most of what is written
are short rows, each on a page of its own, and every changed page is summed and written whole."""
LOG_BYTES = 64 * 1024 * 1024
"""How long the write-ahead log grows before it is written back."""
T = TypeVar("T")


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

    def backup(self, file: Path) -> None:
        """Write a consistent copy (SQLite only); it appears under its name only when it is whole.

        Raises Unavailable where it cannot be written.
        """
        half = file.with_name(file.name + ".part")
        try:
            half.unlink(missing_ok=True)
        except OSError as error:
            said = f"{file}: cannot be written ({error.strerror}); name a file in a folder with room"
            raise Unavailable(said) from error
        with self._turn:
            raw = self.engine.raw_connection()
            try:
                raw.cursor().execute("VACUUM INTO ?", (str(half),))
            except sqlite3.OperationalError as error:
                half.unlink(missing_ok=True)
                raise Unavailable(f"{file}: cannot be written ({error}); name a file in a folder with room") from error
        half.replace(file)

    def close(self) -> None:
        """Close the connections and release the directory's lock."""
        self.engine.dispose()
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None


def open_database(url: str) -> Database:
    """Open `url`; for a SQLite file take its directory's lock first.

    Raises Busy when another process holds the lock or the file, Unavailable when it cannot be reached or read.
    """
    parsed = make_url(url)
    if not parsed.drivername.startswith("sqlite"):
        return _postgres(url)
    path = parsed.database
    if not path or path == ":memory:":
        return _in_memory()
    lock = _lock(Path(path).resolve().parent)
    try:
        engine = _sqlite_engine(URL.create("sqlite", database=path))
    except DBAPIError as error:
        os.close(lock)
        if isinstance(error.orig, sqlite3.OperationalError) and "locked" in str(error.orig):
            raise Busy(f"{path}: another program has the file open; close it or try again") from error
        raise Unavailable(f"{path}: cannot be opened ({error.orig}); check the path and its permissions") from error
    return Database(url=url, engine=engine, is_sqlite=True, _lock_fd=lock)


def scratch(name: str = ":memory:") -> Database:
    """An empty database with the current schema, gone when closed: for replay, tests and the demo.

    `name` "" spills to a temporary file when it outgrows memory.
    """
    engine = _sqlite_engine(make_url("sqlite://" if name == ":memory:" else "sqlite:///?uri=true"))
    database = Database(url="sqlite://", engine=engine, is_sqlite=True)
    with database.begin() as connection:
        for statement in _schema():
            connection.exec_driver_sql(statement)
    return database


def upgrade(database: Database) -> None:
    """Bring the schema to this version's head: all migrations in one transaction, one process at a time.

    Raises SchemaOutdated when the database is newer than this version.
    """
    with database.begin() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7041952)")
        _refuse_newer(_revision(connection))
        from alembic import command

        command.upgrade(_alembic(connection), "head")


def revisions(database: Database) -> tuple[str | None, str]:
    """(revision of the database or None when empty, revision this version needs)."""
    with database.begin() as connection:
        return _revision(connection), max(
            file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("*.py")
        )


def check_schema(database: Database) -> None:
    """Raises SchemaOutdated unless the database is at this version's revision; never upgrades by itself."""
    current, head = revisions(database)
    if current == head:
        return
    _refuse_newer(current)
    state = "is empty" if current is None else f"is at revision {current}"
    raise SchemaOutdated(f"the database {state}, this version needs {head}: run `forestall db upgrade`")


def retrying(work: Callable[[], T]) -> T:
    """Run one whole transaction; again, a few times, when the database chose it as a deadlock's victim."""
    for _ in range(RETRIES):
        try:
            return work()
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _RETRY:
                raise
    return work()


@cache
def _schema() -> tuple[str, ...]:
    """The current schema as SQLite's statements, put together once in a process: it takes longer than running them."""
    made: list[ExecutableDDLElement] = []
    for table in SQLModel.metadata.sorted_tables:
        made += [CreateTable(table), *map(CreateIndex, sorted(table.indexes, key=attrgetter("name")))]
    return tuple(str(one.compile(dialect=sqlite.dialect())) for one in made)


@cache
def _known(folder: Path) -> frozenset[str]:
    """The migrations this version has, read once in a process: each is a module, and compiled when it is loaded."""
    from alembic.script import ScriptDirectory

    return frozenset(script.revision for script in ScriptDirectory(str(folder)).walk_revisions())


def _in_memory() -> Database:
    """A scratch database that says which revision it has, as an opened one does."""
    from alembic import command

    database = scratch()
    with database.begin() as connection:
        command.stamp(_alembic(connection), "head")
    return database


def _alembic(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _revision(connection: Connection) -> str | None:
    """What Alembic has noted; asked without Alembic, which takes as long to load as a short command to run."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()


def _refuse_newer(current: str | None) -> None:
    """A revision that no migration here leads to was made by a later version: its rows are not for us to touch."""
    if current is not None and current not in _known(MIGRATIONS):
        raise SchemaOutdated(
            f"the database is at revision {current}, which this version does not know: it was made by a later "
            "version of Forestall; install that version, or restore the backup made before the upgrade"
        )


def _lock(directory: Path) -> int:
    """flock the directory itself: a lock file can be deleted, and locks on the database drop SQLite's own."""
    import fcntl  # not there on Windows, where the rest can at least be imported

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


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(
        url, poolclass=StaticPool, connect_args={"check_same_thread": False, "cached_statements": 512}
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
        for pragma in ("locking_mode=EXCLUSIVE", "foreign_keys=ON", "cache_size=-64000", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        connection.execute(f"PRAGMA synchronous={'FULL' if mode == 'wal' else 'EXTRA'}")
        connection.execute(f"PRAGMA wal_autocheckpoint={LOG_BYTES // PAGE_SIZE}")

    event.listen(engine, "begin", driver.begin)
    with engine.connect():
        return engine


def _postgres(url: str) -> Database:
    try:
        engine = create_engine(url, pool_size=10, max_overflow=4, pool_pre_ping=True)
        with engine.connect():
            return Database(url=url, engine=engine, is_sqlite=False)
    except OperationalError as error:
        raise Unavailable(f"PostgreSQL cannot be reached ({error.orig}); check [database] url") from error
    except ModuleNotFoundError as error:
        raise Unavailable("PostgreSQL needs the extra: pip install 'forestall[postgres]'") from error
