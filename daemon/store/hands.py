"""What people do to cases and tasks: acknowledge, snooze, take over, resolve, done. Each leaves evidence."""

from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from daemon.errors import Usage
from daemon.lines import line
from daemon.store import outbox, timers
from daemon.store.journal import Journal
from daemon.tables import Action, Case, Member, Order
from rules import key
from rules.model import SHIPPING, Outcome

A = Action.__table__  # type: ignore[attr-defined]
C = Case.__table__  # type: ignore[attr-defined]
M = Member.__table__  # type: ignore[attr-defined]
O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741


def find_case(connection: Connection, case_key: str) -> RowMapping:
    """The case with this key. Raises Usage that says where keys are shown."""
    row = connection.execute(select(C).where(C.c.key == case_key)).mappings().first()
    if row is None:
        raise Usage(f"no case {case_key!r}; `forestall cases list` shows the keys")
    return row


def acknowledge(connection: Connection, journal: Journal, case: RowMapping, now: int) -> None:
    """The seller has it: alerts no longer name this case."""
    _change(connection, journal, case, "ACKNOWLEDGED", now, acked_at=now)


def snooze(connection: Connection, journal: Journal, case: RowMapping, until: int, now: int) -> None:
    """Silence until then; a moment that has passed wakes the case at once."""
    _change(connection, journal, case, "SNOOZED" if until > now else "WOKEN", now, snoozed_until=until)


def take_over(connection: Connection, journal: Journal, case: RowMapping, now: int) -> None:
    """A person does it by hand from here: no further step is taken for this case."""
    _change(connection, journal, case, "HUMAN_TAKEOVER", now, taken_over=True)


def resolve(connection: Connection, journal: Journal, case: RowMapping, now: int) -> None:
    """A person declares it solved: the case closes and does not open again for the same deadline."""
    if case["closed_at"] is not None:
        raise Usage(f"{case['key']} is closed already ({case['reason']})")
    ship_by = case["ship_by"]
    if case["violation"] in SHIPPING:
        where = (O.c.shop == case["shop"]) & (O.c.order_id == case["order_id"])
        ship_by = connection.execute(select(O.c.ship_by).where(where)).scalar_one_or_none()
    closed = {"closed_at": now, "reason": "RESOLVED_BY_PERSON", "ship_by": ship_by}
    _change(connection, journal, case, "RESOLVED_BY_PERSON", now, **closed)


def finish_task(connection: Connection, journal: Journal, task_key: str, outcome: Outcome, note: str, now: int) -> None:
    """A person has done (settled) or cancelled (refused) a work item. Raises Usage for an unknown key."""
    row = connection.execute(select(A).where(A.c.key == task_key)).mappings().first()
    if row is None or row["outcome"] != Outcome.NEEDS_HUMAN:
        raise Usage(f"no open task {task_key!r}; `forestall tasks list` shows the keys")
    outbox.set_action(connection, row, outcome, now, note=note)
    outbox.note_outcome(
        journal, row, "outcome", now, outcome, "TASK_DONE" if outcome is Outcome.SETTLED else "TASK_CANCELLED"
    )
    if row["order_id"] is not None:
        timers.wake(connection, timers.ORDER, [(row["shop"], row["order_id"], row["seller"], now)], past=True)


def _change(connection: Connection, journal: Journal, case: RowMapping, why: str, now: int, **values: Any) -> None:
    """Write the change to case and memberships, put it down, and let order and causes be decided again."""
    connection.execute(update(C).where(C.c.key == case["key"]).values(**values))
    shared = {name: value for name, value in values.items() if name in ("acked_at", "snoozed_until")}
    standing = (M.c.case_key == case["key"]) & M.c.left_at.is_(None)
    if shared:
        connection.execute(update(M).where(standing).values(**shared))
    causes = connection.execute(select(M.c.cause, M.c.seller).where(standing)).all()
    if "closed_at" in values:
        connection.execute(update(M).where(standing).values(left_at=now))
    event = "case_closed" if "closed_at" in values else "hand"
    journal.note(
        case["shop"],
        case["order_id"],
        line(
            at=now,
            shop=case["shop"],
            order_id=case["order_id"],
            case=case["violation"],
            event=event,
            key=case["key"],
            reason=why,
        ),
    )
    timers.wake(connection, timers.ORDER, [(case["shop"], case["order_id"], case["seller"], now)], past=True)
    subjects = [(key.unpart(cause.split("/", 1)[0]), cause, seller, now) for cause, seller in causes]
    timers.wake(connection, timers.CAUSE, subjects)
