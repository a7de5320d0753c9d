"""INSERT … ON CONFLICT for both dialects, from one description."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from daemon.store import driver

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def upsert(dialect: str, table: Table, keys: Sequence[str], change: Mapping[str, Any] | None, where: Any = None) -> Any:
    """Insert rows; on a key that exists apply `change` (column → expression) where `where` holds; None: do nothing."""
    statement = _INSERT[dialect](table)
    if change is None:
        return statement.on_conflict_do_nothing(index_elements=list(keys))
    return statement.on_conflict_do_update(index_elements=list(keys), set_=dict(change), where=where)


def replace_all(dialect: str, table: Table, keys: Sequence[str], columns: Sequence[str]) -> Any:
    """Insert rows; on a key that exists overwrite `columns` with the new values."""
    statement = _INSERT[dialect](table)
    return statement.on_conflict_do_update(
        index_elements=list(keys), set_={name: statement.excluded[name] for name in columns}
    )


def many(connection: Connection, statement: Any, rows: Sequence[Mapping[str, Any]]) -> int:
    """Run one statement for many rows with the same keys; returns how many rows it changed.

    On SQLite the compiled text goes to the driver directly: binding a row through the statement's types costs
    several times more than writing it, and these rows hold only integers, text and bytes.
    """
    if not rows:
        return 0
    if connection.dialect.name != "sqlite":
        return connection.execute(statement, list(rows)).rowcount
    text, values_of, fixed = _compiled(statement, tuple(rows[0]))
    whole = [{**fixed, **row} for row in rows] if fixed else rows
    return driver.many(connection, text, list(map(values_of, whole)))


@cache
def _compiled(statement: Any, keys: tuple[str, ...]) -> tuple[str, Callable[[Any], driver.Values], dict[str, Any]]:
    """SQL text, what takes its values out of a row, and those of literals and defaults.

    Statements live as long as modules.
    """
    columns = list(keys) if statement.is_insert else None
    compiled = statement.compile(dialect=sqlite.dialect(), column_keys=columns)
    defaults = {column.key: column.default.arg for column in compiled.insert_prefetch}
    literals = {name: compiled.params[name] for name in compiled.positiontup if name not in keys}
    names = compiled.positiontup
    values_of = itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],)
    return str(compiled), values_of, literals | defaults
