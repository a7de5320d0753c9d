"""Our own instants after the clock was set back: what happened "later" than now, happened by now; nothing waits for
an hour that is to come once more.

Facts that a platform states (deadlines, payment times, what a person set an alarm for) are never touched.
"""

from sqlalchemy import Connection, Table, and_, delete, or_, update

from daemon.store import outbox, timers
from daemon.tables import (
    Action,
    Case,
    Delivery,
    Event,
    Feed,
    Incident,
    Listing,
    Member,
    Order,
    PolicyUse,
    Pool,
    Quarantine,
    Receiver,
    Seen,
    Timer,
    table_of,
)
from rules.model import Outcome

T, A, D, M, F = map(table_of, (Timer, Action, Delivery, Member, Feed))
U, R = table_of(PolicyUse), table_of(Receiver)
HAPPENED: dict[Table, tuple[str, ...]] = {
    T: ("decided_at",),
    F: ("watermark", "last_success", "failing_since"),
    A: ("at", "outcome_at"),
    D: ("created_at", "outcome_at"),
    M: ("left_at", "acked_at"),
    table_of(Case): ("opened_at", "closed_at", "acked_at"),
    table_of(Event): ("seen_at",),
    table_of(Incident): ("seen_at",),
    table_of(Listing): ("seen_at",),
    table_of(Pool): ("observed_at", "changed_at"),
    table_of(Order): ("observed_at",),
    table_of(Seen): ("observed_at",),
    table_of(Quarantine): ("seen_at",),
    R: ("since", "took_at"),
}
"""Columns that say when something happened by our clock. None of them is part of a key."""
_MOVABLE = (Outcome.PLANNED, Outcome.READY, Outcome.NEEDS_HUMAN, Outcome.CALLING)


def bring_back(connection: Connection, now: int, was: int) -> None:
    """The clock stood at `was` and stands at `now`, earlier: decide anew what was decided meanwhile, and wait for
    nothing that only the wrong clock put off.
    """
    _subjects(connection, now, was)
    _outbox(connection, now)
    gone = (M.c.joined_at >= now, M.c.left_at > now)
    connection.execute(delete(M).where(*gone))  # came and went in a time that has not been
    connection.execute(update(M).where(M.c.joined_at > now).values(joined_at=now))
    connection.execute(delete(U).where(U.c.since > now))
    for table, columns in HAPPENED.items():
        for name in columns:
            connection.execute(update(table).where(table.c[name] > now).values({name: now}))


def _subjects(connection: Connection, now: int, was: int) -> None:
    """Feeds and shops are looked at now. Orders, pools and causes are, if the wrong clock decided or woke them."""
    quiet = update(T).where(T.c.quiet_until > now, T.c.decided_at > now).values(quiet_until=None)
    connection.execute(quiet)
    touched = or_(T.c.decided_at > now, and_(T.c.due_at > now, or_(T.c.due_at <= was, T.c.attempts > 0)))
    ours = and_(T.c.kind.not_in((timers.ORDER, timers.POOL, timers.CAUSE)), T.c.due_at > now)
    connection.execute(update(T).where(or_(touched, ours)).values(due_at=now))
    late = and_(T.c.staged == 1, T.c.due_at > now + timers.LEASE)
    connection.execute(update(T).where(late).values(due_at=now + timers.LEASE))
    _shorten(connection, T, now + timers.LEASE)


def _outbox(connection: Connection, now: int) -> None:
    """What waits to leave is looked at now: hours and limits are asked again then."""
    for table in (A, D):
        waits = (table.c.outcome.in_(_MOVABLE), table.c.due_at > now)
        connection.execute(update(table).where(*waits).values(due_at=now))
        _shorten(connection, table, now + outbox.LEASE)
    connection.execute(update(R).where(R.c.next_at > now).values(next_at=now))


def _shorten(connection: Connection, table: Table, most: int) -> None:
    connection.execute(update(table).where(table.c.lease_until > most).values(lease_until=most))
