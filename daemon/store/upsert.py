"""INSERT … ON CONFLICT for both dialects, from one description."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def upsert(dialect: str, table: Table, keys: Sequence[str], change: Mapping[str, Any] | None) -> Any:
    """Insert rows; on a key that exists apply `change` (column → expression), or do nothing when None."""
    statement = _INSERT[dialect](table)
    if change is None:
        return statement.on_conflict_do_nothing(index_elements=list(keys))
    return statement.on_conflict_do_update(index_elements=list(keys), set_=dict(change))


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
    text, names, fixed = _compiled(statement, tuple(rows[0]))
    values = [tuple([row[name] if name in row else fixed[name] for name in names]) for row in rows]
    return connection.exec_driver_sql(text, values).rowcount


@cache
def _compiled(statement: Any, keys: tuple[str, ...]) -> tuple[str, tuple[str, ...], dict[str, Any]]:
    """SQL text, parameter names in order, values of literals and defaults. Statements live as long as modules."""
    columns = list(keys) if statement.is_insert else None
    compiled = statement.compile(dialect=sqlite.dialect(), column_keys=columns)
    defaults = {column.key: column.default.arg for column in compiled.insert_prefetch}
    literals = {name: compiled.params[name] for name in compiled.positiontup if name not in keys}
    return str(compiled), tuple(compiled.positiontup), literals | defaults
