"""What is due and not done, and what comes next: for the hops, the replay's drive, metrics and people."""

from functools import cache
from typing import Any

from sqlalchemy import BigInteger, CompoundSelect, Connection, bindparam, exists, func, literal, select, union_all

from daemon.tables import Timer

T = Timer.__table__  # type: ignore[attr-defined]


def next_due_by_kind(connection: Connection) -> dict[str, int]:
    """The earliest instant at which any subject of each kind is due; kinds with nothing due are absent."""
    return {row.kind: row.due_at for row in connection.execute(_NEXT_BY_KIND).all()}


def due_kinds(connection: Connection, now: int, *kinds: str) -> frozenset[str]:
    """Of which of these kinds a subject is due; nearly every second of none, so one read is all it costs."""
    return frozenset(connection.execute(_due_kinds(kinds), {"b_now": now}).scalars())


def due_count(connection: Connection, now: int) -> dict[str, int]:
    """How many subjects of each kind are due and not done: the backlog."""
    counted = select(T.c.kind, func.count().label("subjects")).where(T.c.due_at <= now).group_by(T.c.kind)
    return dict(connection.execute(counted).all())


def oldest_due(connection: Connection, now: int) -> int | None:
    """Since when the longest-waiting due subject has been due; None when nothing is."""
    oldest: int | None = connection.execute(select(func.min(T.c.due_at)).where(T.c.due_at <= now)).scalar_one()
    return oldest


@cache
def _due_kinds(kinds: tuple[str, ...]) -> CompoundSelect[Any]:
    due = T.c.due_at <= bindparam("b_now", type_=BigInteger)
    return union_all(*(select(literal(kind)).where(exists().where(T.c.kind == literal(kind), due)) for kind in kinds))


_NEXT_BY_KIND = select(T.c.kind, func.min(T.c.due_at).label("due_at")).where(T.c.due_at.is_not(None)).group_by(T.c.kind)
