"""Databases for the tests of the daemon: every test of the store runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from daemon.store.database import Database, open_database, upgrade

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
def empty_db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without a schema: a SQLite file, then PostgreSQL."""
    sqlite = request.param == "sqlite"
    database = open_database(f"sqlite:///{tmp_path}/forestall.db" if sqlite else request.getfixturevalue("pg_database"))
    yield database
    database.close()


@pytest.fixture(params=BOTH)
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with the schema that the migrations make: a SQLite file, then PostgreSQL."""
    with ExitStack() as ends:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path}/forestall.db"
            _prepare(url)
        else:
            server = request.getfixturevalue("pg_server")
            url = ends.enter_context(server.database(template=server.template("schema", _prepare)))
        database = open_database(url)
        ends.callback(database.close)
        yield database


def _prepare(url: str) -> None:
    database = open_database(url)
    try:
        upgrade(database)
    finally:
        database.close()
