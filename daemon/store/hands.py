"""What people do to cases and tasks: acknowledge, snooze, take over, resolve, done; and how each is taken back.

Each leaves evidence that names who did it. What is so already raises Already, what cannot be done Usage; neither has
changed anything by then, so that the others of a batch can go on in the same transaction.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from daemon.errors import Usage
from daemon.lines import line
from daemon.store import outbox, timers
from daemon.store.journal import Journal, entries_of
from daemon.tables import Action, Case, Member, Order
from rules import key
from rules.instant import parse
from rules.model import SHIPPING, Outcome

A = Action.__table__  # type: ignore[attr-defined]
C = Case.__table__  # type: ignore[attr-defined]
M = Member.__table__  # type: ignore[attr-defined]
O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741
BY_PERSON = {"TASK_DONE": Outcome.SETTLED, "TASK_CANCELLED": Outcome.REFUSED}
"""How a work item ends when a person says so."""
EVENTS = {"RESOLVED_BY_PERSON": "case_closed", "REOPENED": "case_opened"}


class Already(Exception):
    """It was so before: by whom and when (µs), as far as the evidence knows."""

    def __init__(self, by: str = "", at: int | None = None) -> None:
        self.by, self.at = by, at


def find_case(connection: Connection, case_key: str) -> RowMapping:
    """The case with this key. Raises Usage that says where keys are shown."""
    row = connection.execute(select(C).where(C.c.key == case_key)).mappings().first()
    if row is None:
        raise Usage(f"no case {case_key!r}; `forestall cases list` shows the keys")
    return row


def acknowledge(connection: Connection, journal: Journal, case: RowMapping, now: int, by: str = "") -> None:
    """The seller has it: alerts no longer name this case."""
    _refuse_closed(case)
    if case["acked_at"] is not None:
        raise _already(connection, case, "ACKNOWLEDGED")
    _change(connection, journal, case, "ACKNOWLEDGED", now, by, acked_at=now)


def unacknowledge(connection: Connection, journal: Journal, case: RowMapping, now: int, by: str = "") -> None:
    """Alerts may name this case again."""
    _refuse_closed(case)
    if case["acked_at"] is None:
        raise _already(connection, case, "ACK_UNDONE")
    _change(connection, journal, case, "ACK_UNDONE", now, by, acked_at=None)


def snooze(connection: Connection, journal: Journal, case: RowMapping, until: int, now: int, by: str = "") -> None:
    """Silence until then; a moment that has passed wakes the case at once."""
    _refuse_closed(case)
    if case["snoozed_until"] == until:
        raise _already(connection, case, "SNOOZED")
    _change(connection, journal, case, "SNOOZED" if until > now else "WOKEN", now, by, snoozed_until=until)


def wake(connection: Connection, journal: Journal, case: RowMapping, now: int, by: str = "") -> None:
    """End a silence."""
    _refuse_closed(case)
    if (case["snoozed_until"] or 0) <= now:
        raise _already(connection, case, "WOKEN")
    _change(connection, journal, case, "WOKEN", now, by, snoozed_until=None)


def take_over(connection: Connection, journal: Journal, case: RowMapping, now: int, by: str = "") -> None:
    """A person does it by hand from here: no further step is taken for this case."""
    _refuse_closed(case)
    if case["taken_over"]:
        raise _already(connection, case, "HUMAN_TAKEOVER")
    _change(connection, journal, case, "HUMAN_TAKEOVER", now, by, taken_over=True)


def hand_back(connection: Connection, journal: Journal, case: RowMapping, now: int, by: str = "") -> None:
    """Forestall goes on with the steps that are still of use."""
    _refuse_closed(case)
    if not case["taken_over"]:
        raise _already(connection, case, "HANDED_BACK")
    _change(connection, journal, case, "HANDED_BACK", now, by, taken_over=False)


def resolve(connection: Connection, journal: Journal, case: RowMapping, now: int, by: str = "") -> None:
    """A person declares it solved: the case closes and does not open again for the same deadline."""
    if case["closed_at"] is not None:
        raise _already(connection, case, "RESOLVED_BY_PERSON")
    ship_by = case["ship_by"]
    if case["violation"] in SHIPPING:
        where = (O.c.shop == case["shop"]) & (O.c.order_id == case["order_id"])
        ship_by = connection.execute(select(O.c.ship_by).where(where)).scalar_one_or_none()
    closed = {"closed_at": now, "reason": "RESOLVED_BY_PERSON", "ship_by": ship_by}
    _change(connection, journal, case, "RESOLVED_BY_PERSON", now, by, **closed)


def reopen(connection: Connection, journal: Journal, case: RowMapping, now: int, by: str = "") -> None:
    """Take back that it is solved: the case stands again, as long as its cause does.

    Raises Usage for a case that ended by itself, or after which another one was opened.
    """
    if case["closed_at"] is None:
        raise _already(connection, case, "REOPENED")
    if case["reason"] != "RESOLVED_BY_PERSON":
        raise Usage(f"{case['key']} was not closed by a person: it ended by itself")
    same = (C.c.shop == case["shop"]) & (C.c.order_id == case["order_id"]) & (C.c.violation == case["violation"])
    later = connection.execute(select(C.c.key).where(same, C.c.episode > case["episode"])).scalar()
    if later is not None:
        raise Usage(f"{case['key']}: {later} was opened since")
    _change(connection, journal, case, "REOPENED", now, by, closed_at=None, reason="REOPENED")


def finish_task(
    connection: Connection, journal: Journal, task_key: str, outcome: Outcome, note: str, now: int, by: str = ""
) -> None:
    """A person has done (settled) or cancelled (refused) a work item.

    Raises Usage for an unknown key, and for one that is nobody's work any more.
    """
    row = _task(connection, task_key)
    reason = "TASK_DONE" if outcome is Outcome.SETTLED else "TASK_CANCELLED"
    if row["outcome"] == outcome and (said := _last(connection, row, reason)) is not None:
        raise said
    if row["outcome"] != Outcome.NEEDS_HUMAN:
        raise Usage(f"{task_key} is no open task any more; `forestall why ORDER` tells what became of it")
    notes = "; ".join(filter(None, (row["note"], note)))
    outbox.set_action(connection, row, outcome, now, note=notes)
    _end_task(connection, journal, row, outcome, reason, now, by)


def reopen_task(connection: Connection, journal: Journal, task_key: str, now: int, by: str = "") -> None:
    """Take back that a work item is done or cancelled. Raises Usage where no person had said so."""
    row = _task(connection, task_key)
    if row["outcome"] == Outcome.NEEDS_HUMAN:
        raise _last(connection, row, "TASK_REOPENED") or Already()
    if not any(row["outcome"] == after and _last(connection, row, why) for why, after in BY_PERSON.items()):
        raise Usage(f"{task_key} was not done or cancelled by a person")
    # a call that may have been made keeps what is known of it; of a plain work item only what its end said
    plain = _last(connection, row, "TASK_FOR_A_PERSON") is not None
    values = {"note": "", "due_at": now} if plain else {}
    outbox.set_action(connection, row, Outcome.NEEDS_HUMAN, now, **values)
    _end_task(connection, journal, row, Outcome.NEEDS_HUMAN, "TASK_REOPENED", now, by)


def by_people(connection: Connection, shop: str, order_id: str, until: int) -> list[Mapping[str, Any]]:
    """The entries of an order that name what people did, `by` whom, up to an instant; the oldest first."""
    entries = entries_of(connection, shop, order_id)
    return [one for one in entries if (one["event"] == "hand" or "by" in one) and parse(one["at"]) <= until]


def _task(connection: Connection, task_key: str) -> RowMapping:
    row = connection.execute(select(A).where(A.c.key == task_key)).mappings().first()
    if row is None:
        raise Usage(f"no open task {task_key!r}; `forestall tasks list` shows the keys")
    return row


def _end_task(
    connection: Connection, journal: Journal, row: RowMapping, outcome: Outcome, reason: str, now: int, by: str
) -> None:
    outbox.note_outcome(journal, row, "outcome", now, outcome, reason, by)
    if row["order_id"] is not None:
        timers.wake(connection, timers.ORDER, [(row["shop"], row["order_id"], row["seller"], now)], past=True)


def _refuse_closed(case: RowMapping) -> None:
    if case["closed_at"] is not None:
        raise Usage(f"{case['key']} is closed already")


def _already(connection: Connection, case: RowMapping, why: str) -> Already:
    return _last(connection, case, why) or Already()


def _last(connection: Connection, row: RowMapping, why: str) -> Already | None:
    """Who did this last to a case or task, and when; None where it never happened."""
    subject = row["order_id"] if row["order_id"] is not None else row["cause"]
    entries = entries_of(connection, row["shop"], subject)
    said = [one for one in entries if one.get("key") == row["key"] and one.get("reason") == why]
    return Already(said[-1].get("by", ""), parse(said[-1]["at"])) if said else None


def _change(
    connection: Connection, journal: Journal, case: RowMapping, why: str, now: int, by: str, **values: Any
) -> None:
    """Write the change to case and memberships, put it down, and let order and causes be decided again."""
    connection.execute(update(C).where(C.c.key == case["key"]).values(**values))
    shared = {name: value for name, value in values.items() if name in ("acked_at", "snoozed_until")}
    standing = (M.c.case_key == case["key"]) & M.c.left_at.is_(None)
    if shared:
        connection.execute(update(M).where(standing).values(**shared))
    causes = connection.execute(select(M.c.cause, M.c.seller).where(standing)).all()
    if values.get("closed_at") is not None:
        connection.execute(update(M).where(standing).values(left_at=now))
    entry = line(
        at=now,
        shop=case["shop"],
        order_id=case["order_id"],
        case=case["violation"],
        event=EVENTS.get(why, "hand"),
        key=case["key"],
        reason=why,
    )
    journal.note(case["shop"], case["order_id"], entry | ({"by": by} if by else {}))
    timers.wake(connection, timers.ORDER, [(case["shop"], case["order_id"], case["seller"], now)], past=True)
    subjects = [(key.unpart(cause.split("/", 1)[0]), cause, seller, now) for cause, seller in causes]
    timers.wake(connection, timers.CAUSE, subjects)
