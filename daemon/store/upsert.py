"""INSERT … ON CONFLICT for both dialects, from one description."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table
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
