"""Databases for the tests of the daemon: every test of the store runs on SQLite and on PostgreSQL."""

from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlmodel import SQLModel
from structlog.testing import capture_logs

from adapters import memory
from daemon.cli import app, session
from daemon.scheduler import Parts
from daemon.store.database import Database, open_database, upgrade
from tests import databases, postgres
from tests.daemon import running
from tests.daemon.builders import MORNING
from tests.daemon.commands import Said, words

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
def empty_db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without a schema, this test's own: a SQLite file, then PostgreSQL."""
    sqlite = request.param == "sqlite"
    database = open_database(f"sqlite:///{tmp_path}/forestall.db" if sqlite else request.getfixturevalue("pg_database"))
    yield database
    database.close()


@pytest.fixture
def own_db(empty_db: Database) -> Database:
    """A database of this test's own with the schema that the migrations make."""
    upgrade(empty_db)
    return empty_db


@pytest.fixture(params=BOTH)
def db(request: pytest.FixtureRequest) -> Database:
    """An empty database with the schema that the migrations make: a SQLite file, then PostgreSQL."""
    database: Database = request.getfixturevalue(f"_{request.param}")
    return database


@pytest.fixture
def _sqlite(tmp_path: Path) -> Iterator[Database]:
    database = databases.opened(tmp_path / "forestall.db")
    yield database
    database.close()


@pytest.fixture
def _postgres(_pg_shared: Database) -> Iterator[Database]:
    yield _pg_shared
    with _pg_shared.begin() as tx:
        for table in SQLModel.metadata.sorted_tables:
            tx.execute(table.delete())


@pytest.fixture(scope="session")
def _pg_shared(pg_server: postgres.Server) -> Iterator[Database]:
    with pg_server.database() as url:
        database = open_database(url)
        upgrade(database)
        yield database
        database.close()


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged while a test runs; nothing is printed, and no command's own set-up of logs outlives the test."""
    structlog.reset_defaults()
    with capture_logs() as entries:
        yield entries
    structlog.reset_defaults()


@pytest.fixture
def boxes() -> Iterator[None]:
    """Feeds and sinks in memory, empty before and after."""
    memory.reset()
    yield
    memory.reset()


@pytest.fixture
def installed(tmp_path: Path, boxes: None) -> Iterator[Callable[..., Parts]]:
    """Makes installations (tests/daemon/running.py) and closes their databases."""
    made: list[Parts] = []

    def make(text: str = running.LIVE, now: int = MORNING) -> Parts:
        made.append(running.install(tmp_path, text, now))
        return made[-1]

    yield make
    for parts in made:
        parts.database.close()


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Runs a command line in a folder of this test's own, as `forestall` would."""
    monkeypatch.chdir(tmp_path)

    def run(line: str, **values: object) -> Said:
        capsys.readouterr()
        code = session.run_or_forward(app, words(line, **values))
        return Said(code, *capsys.readouterr())

    return run
