"""The outbox: claiming actions and deliveries, and writing what became of them. Leases and fences throughout."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)

from daemon.lines import line
from daemon.store.journal import Journal
from daemon.store.upsert import many, upsert
from daemon.tables import Action, Case, Delivery, Member
from rules.model import Outcome

A = Action.__table__  # type: ignore[attr-defined]
D = Delivery.__table__  # type: ignore[attr-defined]
C = Case.__table__  # type: ignore[attr-defined]
M = Member.__table__  # type: ignore[attr-defined]
LEASE = 2 * 60 * 1_000_000
"""How long a call may stay unsettled (µs): several hard call time-outs."""
_MOVABLE = (Outcome.PLANNED, Outcome.READY, Outcome.NEEDS_HUMAN)
_UNDER_WAY = (Outcome.READY, Outcome.CALLING)
_TELLS = (*_UNDER_WAY, Outcome.SETTLED)
SAYS_ALL = {
    "alert": ("alert", "resolved"),
    "resolved": ("alert", "resolved"),
    "stale": ("stale",),
    "health": ("health",),
}
"""By the step of an alert, those of newer ones of its cause that say all that it would. Several may share a cause."""
_DIALECTS = ("sqlite", "postgresql")


def is_idle(connection: Connection, now: int) -> bool:
    """Whether nothing at all is to be moved on at `now`: the state of nearly every second, asked in one read."""
    return connection.execute(_ANYTHING, {"b_now": now}).first() is None


def claim_planned(connection: Connection, now: int, limit: int) -> list[RowMapping]:
    """Actions that are due and not yet on their way, in (due_at, key) order, under a lease."""
    return _claim(connection, A, ("key",), (Outcome.PLANNED,), now, limit)


def claim_open_tasks(connection: Connection, now: int, limit: int) -> list[RowMapping]:
    """Work items whose order or cause was decided anew since they were handed over, under a lease."""
    return _claim(connection, A, ("key",), (Outcome.NEEDS_HUMAN,), now, limit)


def claim_effects(connection: Connection, shop: str, now: int, limit: int) -> list[RowMapping]:
    """Effects of a shop that may be called now, under a lease. Alerts in this state wait for their deliveries."""
    return _claim(connection, A, ("key",), (Outcome.READY,), now, limit, shop=shop)


def claim_deliveries(connection: Connection, sink: str, now: int, limit: int) -> list[RowMapping]:
    """Deliveries of one sink that are due; a lost caller's come back when its lease is over."""
    rows = _claim(connection, D, ("action_key", "sink"), _UNDER_WAY, now, limit, sink=sink)
    return sorted(rows, key=lambda row: (row["due_at"], row["action_key"]))


def shops_due(connection: Connection, now: int) -> list[str]:
    """Shops with effects that may be called now."""
    return list(connection.execute(_SHOPS_DUE, {"b_now": now}).scalars())


def sinks_due(connection: Connection, now: int) -> list[str]:
    """Sinks with deliveries that are due."""
    return list(connection.execute(_SINKS_DUE, {"b_now": now}).scalars())


def lost_calls(connection: Connection, now: int, limit: int) -> list[RowMapping]:
    """Actions left in `calling` by a caller that is gone: nobody knows whether the call was made."""
    return _claim(connection, A, ("key",), (Outcome.CALLING,), now, limit)


def release(connection: Connection, now: int) -> None:
    """End every lease: only where no other process can be alive. Whether its call was made nobody knows."""
    for table in (A, D):
        connection.execute(update(table).where(table.c.lease_until > now).values(lease_until=now))


def set_action(connection: Connection, row: RowMapping, outcome: Outcome, now: int, **values: Any) -> bool:
    """Move a claimed action on; False when its fence is lost (somebody else has it)."""
    changed = connection.execute(
        update(A)
        .where(A.c.key == row["key"], A.c.fence == row["fence"])
        .values(outcome=outcome, outcome_at=now, **{"lease_until": None, "due_at": None, **values})
    )
    return changed.rowcount == 1


def void(connection: Connection, journal: Journal, row: RowMapping, reason: str, now: int) -> None:
    """Record that a planned action will not be done, and why."""
    if set_action(connection, row, Outcome.VOID, now, note=reason):
        note_outcome(journal, row, "voided", now, Outcome.VOID, reason)


def set_delivery(connection: Connection, row: RowMapping, outcome: Outcome, now: int, **values: Any) -> bool:
    """Move a claimed delivery on; False when its fence is lost."""
    changed = connection.execute(
        update(D)
        .where(D.c.action_key == row["action_key"], D.c.sink == row["sink"], D.c.fence == row["fence"])
        .values(outcome=outcome, outcome_at=now, **{"lease_until": None, "due_at": None, **values})
    )
    return changed.rowcount == 1


def is_superseded(connection: Connection, delivery: RowMapping, action: RowMapping) -> bool:
    """Whether a sink has, or is about to have, a newer alert of the same cause that says all that this one would."""
    says_all = SAYS_ALL.get(action["step"], ())
    if not says_all:
        return False
    newer = (
        select(A.c.key)
        .join(D, D.c.action_key == A.c.key)
        .where(
            A.c.cause == action["cause"], A.c.step.in_(says_all), D.c.sink == delivery["sink"], D.c.outcome.in_(_TELLS)
        )
        .where(or_(A.c.at > action["at"], (A.c.at == action["at"]) & (A.c.key > action["key"])))
    )
    return connection.execute(newer.limit(1)).first() is not None


def add_deliveries(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Queue alerts for their sinks; one that is already queued stays as it is."""
    if rows:
        many(connection, _ADD[connection.dialect.name], rows)


def finish_alert(connection: Connection, action_key: str, now: int) -> None:
    """Settle an alert as soon as one receiver has it: then it is told, whatever becomes of its other deliveries.

    Void once there was nothing left to tell when the turn of each came. Until then it waits.
    """
    query = select(D.c.outcome, D.c.note).where(D.c.action_key == action_key).order_by(D.c.sink)
    notes = {row.outcome: row.note for row in connection.execute(query)}
    outcome = next((o for o in (Outcome.SETTLED, *_UNDER_WAY, Outcome.VOID) if o in notes), None)
    if outcome not in (Outcome.SETTLED, Outcome.VOID):
        return
    connection.execute(
        update(A)
        .where(A.c.key == action_key, A.c.outcome == Outcome.READY)
        .values(outcome=outcome, outcome_at=now, note=notes[outcome])
    )


def waiting(connection: Connection, sink: str, now: int) -> int:
    """How many deliveries of a sink are due and not under way."""
    count: int = connection.execute(_WAITING, {"b_sink": sink, "b_now": now}).scalar_one()
    return count


def put_off(connection: Connection, sink: str, until: int) -> None:
    """Let a sink's due deliveries wait: its rate limit is used up."""
    connection.execute(
        update(D).where(D.c.sink == sink, D.c.outcome == Outcome.READY, D.c.due_at < until).values(due_at=until)
    )


def is_open_case(connection: Connection, row: RowMapping) -> bool:
    """Whether the case an order's action belongs to still stands and no person has taken it over."""
    found = connection.execute(_case_of(row)).first()
    return found is not None and found.closed_at is None and not found.taken_over


def is_closed_case(connection: Connection, row: RowMapping) -> bool:
    """Whether the case an order's action belongs to has ended."""
    found = connection.execute(_case_of(row)).first()
    return found is not None and found.closed_at is not None


def due_of(connection: Connection, row: RowMapping) -> int | None:
    """When the time of the case an order's action belongs to is up: of a claim, when it must be answered."""
    found = connection.execute(_case_of(row)).first()
    return found.ship_by if found is not None else None


def _case_of(row: RowMapping) -> Select[Any]:
    return select(C.c.ship_by, C.c.closed_at, C.c.taken_over).where(
        C.c.shop == row["shop"],
        C.c.order_id == row["order_id"],
        C.c.violation == row["violation"],
        C.c.episode == row["episode"],
    )


def members_of(connection: Connection, cause: str, now: int) -> Sequence[RowMapping]:
    """The open members of a cause nobody has acknowledged or snoozed, the nearest deadline first."""
    rows = connection.execute(
        select(M)
        .where(M.c.cause == cause, M.c.left_at.is_(None))
        .where(M.c.acked_at.is_(None), or_(M.c.snoozed_until.is_(None), M.c.snoozed_until <= now))
        .order_by(M.c.act_by, M.c.case_key)
    )
    return rows.mappings().all()


def outcome_of(connection: Connection, key: str) -> str | None:
    """What became of the action with this key; None when none was ever planned."""
    found: str | None = connection.execute(select(A.c.outcome).where(A.c.key == key)).scalar_one_or_none()
    return found


def has_members(connection: Connection, cause: str) -> bool:
    """Whether any case still belongs to a cause, loud or not."""
    found = connection.execute(select(M.c.case_key).where(M.c.cause == cause, M.c.left_at.is_(None)).limit(1))
    return found.first() is not None


def note_outcome(
    journal: Journal, row: RowMapping, event: str, at: int, outcome: str, reason: str, by: str = ""
) -> None:
    """Put an outcome down as evidence; a voided action is a decision line as well. `by`: the person who said so."""
    entry = line(
        at=at,
        shop=row["shop"],
        order_id=row["order_id"],
        cause=row["cause"],
        case=row["violation"],
        event=event,
        action=row["kind"],
        step=row["step"],
        key=row["key"],
        reason=reason,
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        template=row["template"],
        channel=row["channel"],
        outcome=outcome,
        pack=row["pack"],
        playbook=row["playbook"],
    )
    journal.note(row["shop"], row["order_id"] or row["cause"], entry | ({"by": by} if by else {}))


def _claim(
    connection: Connection,
    table: Table,
    names: tuple[str, ...],
    outcomes: tuple[Outcome, ...],
    now: int,
    limit: int,
    sink: str | None = None,
    shop: str | None = None,
) -> list[RowMapping]:
    values: dict[str, Any] = {"b_now": now, "b_until": now + LEASE, "most": limit, "outcomes": list(outcomes)}
    only = "sink" if sink is not None else "shop" if shop is not None else None
    if only is not None:
        values["b_only"] = sink if sink is not None else shop
    statement = _claim_statement(table.name, outcomes == (Outcome.CALLING,), only)
    rows = connection.execute(statement, values).mappings().all()
    return sorted(rows, key=lambda row: (row["due_at"] or 0, *(row[name] for name in names)))


@cache
def _claim_statement(name: str, lost: bool, only: str | None) -> Update:
    table = A if name == A.name else D
    keys = list(table.primary_key.columns)
    now = bindparam("b_now", type_=BigInteger)
    free = table.c.lease_until <= now if lost else or_(table.c.lease_until.is_(None), table.c.lease_until <= now)
    due = select(*keys).where(table.c.outcome.in_(bindparam("outcomes", expanding=True)), free)
    if not lost:
        due = due.where(table.c.due_at <= now)
    if only is not None:
        due = due.where(table.c[only] == bindparam("b_only"))
    due = due.order_by(table.c.due_at, *keys).limit(bindparam("most")).with_for_update(skip_locked=True)
    picked = due.cte("picked")
    return (
        update(table)
        .where(*(column == picked.c[column.name] for column in keys))
        .values(lease_until=bindparam("b_until"), fence=table.c.fence + 1)
        .returning(*table.c)
    )


_due = bindparam("b_now", type_=BigInteger)
_ANYTHING = union_all(
    select(literal(1)).where(exists().where(A.c.outcome.in_(_MOVABLE), A.c.due_at <= _due)),
    select(literal(1)).where(exists().where(A.c.outcome == Outcome.CALLING)),
    select(literal(1)).where(exists().where(D.c.outcome.in_(_UNDER_WAY), D.c.due_at <= _due)),
).limit(1)


def _free(table: Table) -> ColumnElement[bool]:
    return and_(table.c.due_at <= _due, or_(table.c.lease_until.is_(None), table.c.lease_until <= _due))


_SHOPS_DUE = select(A.c.shop).where(A.c.outcome == Outcome.READY, _free(A)).distinct().order_by(A.c.shop)
_SINKS_DUE = select(D.c.sink).where(D.c.outcome.in_(_UNDER_WAY), _free(D)).distinct().order_by(D.c.sink)
_WAITING = select(func.count()).where(D.c.sink == bindparam("b_sink"), D.c.outcome == Outcome.READY, D.c.due_at <= _due)
_ADD = {d: upsert(d, D, ("action_key", "sink"), None) for d in _DIALECTS}
