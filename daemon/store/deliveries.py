"""Deliveries that wait for a receiver: given back, hastened, moved to other receivers; and what reached nobody."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, RowMapping, and_, delete, exists, func, or_, select, update

from daemon.store import outbox
from daemon.tables import Action, Delivery, Member, Receiver
from rules.instant import DAY
from rules.model import Kind, Outcome

A = Action.__table__  # type: ignore[attr-defined]
D = Delivery.__table__  # type: ignore[attr-defined]
M = Member.__table__  # type: ignore[attr-defined]
R = Receiver.__table__  # type: ignore[attr-defined]
N = A.alias("newer")
WAITING = (Outcome.READY, Outcome.CALLING)
_UNTOLD = (Outcome.PLANNED, Outcome.READY)
DOUBTS = 3
"""So often a message is sent that may have arrived unheard; then it counts as perhaps told."""
NEWS = ("boot", "resolved", "clock")
"""Steps of alerts that tell of something past, not of an open cause."""
NEWS_FOR = DAY
"""How long they are worth telling (µs)."""


class Undelivered(NamedTuple):
    """An alert that nobody has yet, and one receiver it waits for (None: there is none). `perhaps`: it may have it.

    `words`: what the receiver said, with the mend. `next_at`: when it is called next.
    """

    key: str
    shop: str
    cause: str
    step: str
    reason: str
    at: int
    receiver: str | None
    tries: int
    perhaps: bool
    words: str
    next_at: int | None


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
    waiting = select(D.c.sink, A).join(A, A.c.key == D.c.action_key).where(D.c.outcome.in_(WAITING))
    lost = [row for row in connection.execute(waiting).mappings() if (row["sink"], carried(row)) not in told]
    for row in lost:
        connection.execute(delete(D).where(D.c.action_key == row["key"], D.c.sink == row["sink"]))
    untold = select(A).where(A.c.outcome == Outcome.READY, A.c.kind == Kind.ALERT)
    return [*lost, *connection.execute(untold).mappings()]


def carried(row: RowMapping) -> Kind:
    """As what an action goes to receivers: whatever a person has to do is a task there."""
    return Kind.ALERT if row["kind"] == Kind.ALERT else Kind.TASK


def undelivered(connection: Connection, now: int, causes: Iterable[str] | None = None) -> list[Undelivered]:
    """The newest alert of each open cause (or of these) that reached nobody, though somebody should have it by now.

    One whose receiver only has its closed hours, or is just being called, is none.
    """
    overtaken = exists().where(
        *(N.c.cause == A.c.cause, N.c.kind == Kind.ALERT, N.c.outcome.in_((*_UNTOLD, Outcome.SETTLED))),
        or_(N.c.step == A.c.step, and_(*(table.c.step.in_(outbox.SAYS_ALL["alert"]) for table in (A, N)))),
        or_(N.c.at > A.c.at, and_(N.c.at == A.c.at, N.c.key > A.c.key)),
    )
    tries, words, next_at = D.c.attempts.label("tries"), D.c.note.label("words"), D.c.due_at.label("next_at")
    query = (
        select(A, D.c.sink, tries, D.c.doubts, words, next_at, R.c.since, R.c.words.label("said"))
        .outerjoin(D, (D.c.action_key == A.c.key) & D.c.outcome.in_(WAITING))
        .outerjoin(R, R.c.name == D.c.sink)
        .where(A.c.kind == Kind.ALERT, A.c.outcome.in_(_UNTOLD), ~overtaken)
        .order_by(A.c.at, A.c.key, D.c.sink)
    )
    if causes is not None:
        query = query.where(A.c.cause.in_(list(causes)))
    rows = connection.execute(query).mappings().all()
    return [one for row in rows if _matters(connection, row, now) and (one := _undelivered(row)) is not None]


def _matters(connection: Connection, row: RowMapping, now: int) -> bool:
    """Whether an alert still has something to tell."""
    if row["step"] == "alert":
        return bool(outbox.members_of(connection, row["cause"], now))
    if row["step"] == "receiver":
        return False  # that one takes nothing is said as such
    return row["step"] not in NEWS or now - row["at"] <= NEWS_FOR


def _undelivered(row: RowMapping) -> Undelivered | None:
    """None for one that is on its way: nobody has refused it, and its receiver is well."""
    if row["sink"] is not None:
        words = row["words"] or (row["said"] if row["since"] is not None else "")
    else:
        words = row["note"] if row["outcome"] == Outcome.PLANNED else "NO_SINK"
    facts = {name: row[name] for name in ("key", "shop", "cause", "step", "reason", "at", "next_at")}
    tries, perhaps = row["tries"] or 0, (row["doubts"] or 0) >= DOUBTS
    return Undelivered(**facts, receiver=row["sink"], tries=tries, perhaps=perhaps, words=words) if words else None


def alerts(connection: Connection, names: Iterable[str] | None, most: int) -> list[tuple[RowMapping, list[RowMapping]]]:
    """Alerts (of these keys, or all), the newest first, each with what became of it at each receiver."""
    query = select(A).where(A.c.kind == Kind.ALERT).order_by(A.c.at.desc(), A.c.key).limit(most)
    if names is not None:
        query = query.where(A.c.key.in_(list(names)))
    rows = connection.execute(query).mappings().all()
    of = select(D).where(D.c.action_key.in_([row["key"] for row in rows])).order_by(D.c.sink)
    queues: dict[str, list[RowMapping]] = {row["key"]: [] for row in rows}
    for one in connection.execute(of).mappings():
        queues[one["action_key"]].append(one)
    return [(row, queues[row["key"]]) for row in rows]


def about(connection: Connection, shop: str, order_id: str) -> list[tuple[RowMapping, list[RowMapping]]]:
    """The newest alert of each cause that an order stands in, with what became of it at each receiver."""
    named = select(M.c.cause).where(M.c.shop == shop, M.c.order_id == order_id, M.c.left_at.is_(None))
    query = select(A.c.cause, A.c.key).where(A.c.kind == Kind.ALERT, A.c.cause.in_(named)).order_by(A.c.at, A.c.key)
    newest = {row.cause: row.key for row in connection.execute(query)}
    return alerts(connection, newest.values(), len(newest))


def waiting(connection: Connection) -> dict[str, int]:
    """How many deliveries wait for each receiver."""
    counted = select(D.c.sink, func.count().label("n")).where(D.c.outcome.in_(WAITING)).group_by(D.c.sink)
    return {row.sink: row.n for row in connection.execute(counted)}
