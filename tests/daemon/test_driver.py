"""Statements on SQLite's own driver: part of the transaction around them, and with SQLAlchemy's errors."""

from collections.abc import Iterator

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from daemon.store import driver
from daemon.store.database import Database, scratch

ADD = "INSERT INTO meta (name, value) VALUES (?, ?)"
ALL = "SELECT name, value FROM meta ORDER BY name"


@pytest.fixture
def db() -> Iterator[Database]:
    database = scratch()
    yield database
    database.close()


def test_rows_come_as_tuples_and_changes_are_counted(db: Database) -> None:
    with db.begin() as tx:
        assert 2 == driver.many(tx, ADD, [("a", "1"), ("b", "2")])
        assert [("a", "1"), ("b", "2")] == driver.rows(tx, ALL, ())


def test_what_the_driver_wrote_goes_with_the_savepoint_around_it(db: Database) -> None:
    with db.begin() as tx:
        part = tx.begin_nested()
        driver.many(tx, ADD, [("a", "1")])
        part.rollback()
    with db.begin() as tx:
        assert [] == driver.rows(tx, ALL, ())


def test_a_statement_outside_a_transaction_begins_one(db: Database) -> None:
    with db.engine.connect() as connection:
        driver.many(connection, ADD, [("a", "1")])
        assert connection.in_transaction()
        connection.rollback()
        assert [] == driver.rows(connection, ALL, ())


def test_errors_are_those_that_everything_above_expects(db: Database) -> None:
    with db.begin() as tx, pytest.raises(IntegrityError, match="UNIQUE") as told:
        driver.many(tx, ADD, [("a", "1"), ("a", "2")])
    assert "meta.name" in str(told.value.orig)
    with db.begin() as tx, pytest.raises(OperationalError, match="no such table"):
        driver.rows(tx, "SELECT 1 FROM nowhere", ())


def test_values_of_other_types_than_numbers_and_text_stay_what_they_are(db: Database) -> None:
    with db.begin() as tx:
        types = driver.rows(tx, "SELECT typeof(?), typeof(?), typeof(?)", (None, True, b"\0\xff"))
        values = driver.rows(tx, "SELECT ?, ?, ?, ?", (None, True, False, b"\0\xff"))
    assert [("null", "integer", "blob")] == types
    assert [(None, 1, 0, b"\0\xff")] == values
