"""Deliveries that wait for a receiver: given back, hastened, moved to other receivers; and what reached nobody."""

from collections.abc import Iterable

from sqlalchemy import Connection, RowMapping, delete, select, update

from daemon.tables import Action, Delivery
from rules.model import Kind, Outcome

A = Action.__table__  # type: ignore[attr-defined]
D = Delivery.__table__  # type: ignore[attr-defined]
_WAITING = (Outcome.READY, Outcome.CALLING)


def let_go(connection: Connection, row: RowMapping) -> None:
    """Give a claimed delivery back as it was: it is not its turn."""
    same = (D.c.action_key == row["action_key"], D.c.sink == row["sink"], D.c.fence == row["fence"])
    connection.execute(update(D).where(*same).values(lease_until=None))


def hasten(connection: Connection, sink: str, now: int) -> None:
    """Let all that waits for a receiver be due: it is well again, or set up otherwise."""
    waits = (D.c.sink == sink, D.c.outcome == Outcome.READY, D.c.due_at > now)
    connection.execute(update(D).where(*waits).values(due_at=now))


def take_back(connection: Connection, known: Iterable[tuple[str, Kind]]) -> list[RowMapping]:
    """End what waits for receivers that are not among those known for its kind; the actions behind it.

    Alerts nobody has yet come with them: whoever is configured now is to have them.
    """
    told = set(known)
    waiting = select(D.c.sink, A).join(A, A.c.key == D.c.action_key).where(D.c.outcome.in_(_WAITING))
    lost = [row for row in connection.execute(waiting).mappings() if (row["sink"], carried(row)) not in told]
    for row in lost:
        connection.execute(delete(D).where(D.c.action_key == row["key"], D.c.sink == row["sink"]))
    untold = select(A).where(A.c.outcome == Outcome.READY, A.c.kind == Kind.ALERT)
    return [*lost, *connection.execute(untold).mappings()]


def carried(row: RowMapping) -> Kind:
    """As what an action goes to receivers: whatever a person has to do is a task there."""
    return Kind.ALERT if row["kind"] == Kind.ALERT else Kind.TASK
