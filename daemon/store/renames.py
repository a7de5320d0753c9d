"""A shop under another name: its rows and natural keys move, its evidence stays where it is and says so.

Keys are what keeps a step from being done twice, so all of them move, settled ones too. A chain of evidence cannot: its
name is in every hash. It ends with the new name, the new one begins with where the old one ended, and readers follow.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from daemon.store import links, names, refusals, timers
from daemon.store.journal import Journal
from daemon.tables import (
    Action,
    Case,
    Delivery,
    Event,
    Feed,
    Incident,
    Listing,
    Member,
    OpenLine,
    Order,
    PolicyUse,
    Pool,
    Quarantine,
    Seen,
    Timer,
    table_of,
)
from rules import key
from rules.instant import format_utc
from rules.model import Outcome

A, C, D, M, T, F, P, O = map(table_of, (Action, Case, Delivery, Member, Timer, Feed, Pool, Order))  # noqa: E741
FACTS = tuple(map(table_of, (Order, Seen, OpenLine, Listing, Event, Incident, PolicyUse)))
"""Tables of what shops said: where the new name has such a row already, it is the newer one and stays."""
_encode = msgspec.json.Encoder().encode


def under_way(connection: Connection, shop: str) -> int:
    """Calls for a shop whose outcome is not known yet, or that may be repeated under their key."""
    begun = and_(A.c.outcome == Outcome.READY, A.c.attempts > 0, A.c.kind.not_in(("alert", "task")))
    calls = select(func.count()).where(A.c.shop == shop, or_(A.c.outcome == Outcome.CALLING, begun))
    telling = select(func.count()).where(D.c.shop == shop, D.c.outcome == Outcome.CALLING)
    return int(connection.execute(calls).scalar_one()) + int(connection.execute(telling).scalar_one())


def rename(connection: Connection, old: str, new: str, now: int, by: str = "") -> None:
    """Let everything of shop `old` be that of `new`, which may have begun already, and look at all of it at `now`."""
    _facts(connection, old, new)
    _feed(connection, old, new)
    _keys(connection, old, new)
    _members(connection, old, new)
    _listings(connection, old, new)
    connection.execute(update(P).where(P.c.home == old).values(home=new))
    refusals.rename(connection, old, new)
    connection.execute(update(T).where(T.c.shop == new, T.c.kind != timers.POOL).values(due_at=now, lease_until=None))
    _put_down(connection, old, new, now, by)


def _put_down(connection: Connection, old: str, new: str, now: int, by: str) -> None:
    """The old chain says what follows, the new one what was before, with the head it rests on."""
    fact = {"event": "shop_renamed", "at": format_utc(now), "from": old, "to": new, "by": by}
    journal = Journal()
    journal.note(old, key.whole(old), {**fact, "cause": key.whole(old)})
    journal.write(connection, now)
    head = links.head(connection, old)
    names.remember(connection, old, new, head.seq if head is not None else 0)
    proof = {"seq": head.seq, "hash": head.hash.hex()} if head is not None else {}
    journal.note(new, key.whole(new), {**fact, "cause": key.whole(new), **proof})
    journal.write(connection, now)


def _facts(connection: Connection, old: str, new: str) -> None:
    for table in FACTS:
        _drop_twins(connection, table, loser=old, winner=new)
        connection.execute(update(table).where(table.c.shop == old).values(shop=new))
    begins, should = f'{{"shop":{_encode(old).decode()},', f'{{"shop":{_encode(new).decode()},'
    text = literal(should) + func.substr(O.c.facts, len(begins) + 1)
    named = (O.c.shop == new, func.substr(O.c.facts, 1, len(begins)) == begins)
    connection.execute(update(O).where(*named).values(facts=text))
    quarantine = table_of(Quarantine)
    connection.execute(update(quarantine).where(quarantine.c.shop == old).values(shop=new))


def _feed(connection: Connection, old: str, new: str) -> None:
    """How far the feed was read: what the new name has read itself counts, if it has read anything."""
    cursor = connection.execute(select(F.c.cursor).where(F.c.shop == new)).scalar_one_or_none()
    loser, winner = (new, old) if cursor is None else (old, new)
    _drop_twins(connection, F, loser=loser, winner=winner)
    connection.execute(update(F).where(F.c.shop == old).values(shop=new))
    own = (T.c.kind != timers.POOL, T.c.kind != timers.CAUSE)
    _drop_twins(connection, T, new, old, *own)
    connection.execute(update(T).where(T.c.shop == old, *own).values(shop=new))


def _keys(connection: Connection, old: str, new: str) -> None:
    """Cases, the outbox and its deliveries, the timers of causes. What was done under the old name is known."""
    move = _Move(old, new)
    for table, column in ((D, D.c.action_key), (A, A.c.key), (C, C.c.key), (T, T.c.id)):
        twins = select(move.moved(column)).where(move.named(column))
        twins = twins.where(T.c.kind == timers.CAUSE) if table is T else twins
        connection.execute(delete(table).where(column.in_(twins)))
    connection.execute(update(D).where(move.named(D.c.action_key)).values(action_key=move.moved(D.c.action_key)))
    named = '"' + move.own
    members = case(
        (A.c.cause.like("%/scan"), A.c.members),
        else_=func.replace(A.c.members, named, '"' + move.becomes),
    )
    connection.execute(update(A).where(A.c.members.like(f"%{named}%")).values(members=members))
    connection.execute(update(A).where(move.named(A.c.cause)).values(cause=move.moved(A.c.cause)))
    connection.execute(update(A).where(move.named(A.c.key)).values(key=move.moved(A.c.key)))
    connection.execute(update(C).where(move.named(C.c.key)).values(key=move.moved(C.c.key)))
    causes = (T.c.kind == timers.CAUSE, T.c.shop == old)
    connection.execute(update(T).where(*causes).values(id=move.moved(T.c.id)))
    for table in (A, C, D, T):
        own = (table.c.kind != timers.POOL,) if table is T else ()
        connection.execute(update(table).where(table.c.shop == old, *own).values(shop=new))


def _members(connection: Connection, old: str, new: str) -> None:
    """Stays of cases in causes: both are named by keys, and a cause may hold orders of other shops."""
    move = _Move(old, new)
    mine = or_(M.c.shop == old, move.named(M.c.cause), move.named(M.c.case_key))
    rows = [dict(row) for row in connection.execute(select(M).where(mine)).mappings()]
    connection.execute(delete(M).where(mine))
    for row in rows:
        row.update(cause=move.text(row["cause"]), case_key=move.text(row["case_key"]))
        row["shop"] = new if row["shop"] == old else row["shop"]
        connection.execute(delete(M).where(*(M.c[name] == row[name] for name in ("cause", "case_key", "joined_at"))))
        connection.execute(insert(M).values(**row))


def _listings(connection: Connection, old: str, new: str) -> None:
    """Steps that name a listing of the shop, in whichever shop's pool: "delist:north/L5", at the end of their key."""
    move = _Move(old, new)
    place = f":{move.own}"
    for row in connection.execute(select(A.c.key, A.c.step).where(A.c.step.like(f"%{place}%"))).all():
        kind, _, listing = row.step.partition(place)
        step = f"{kind}:{move.becomes}{listing}"
        moved = row.key
        for colon in (":", "/"):
            moved = _ending(moved, row.step.replace(":", colon, 1), step.replace(":", colon, 1))
        connection.execute(update(D).where(D.c.action_key == row.key).values(action_key=moved))
        connection.execute(update(A).where(A.c.key == row.key).values(key=moved, step=step))


def _ending(text: str, old: str, new: str) -> str:
    return text.removesuffix(old) + new if text.endswith(old) else text


class _Move(names.Move):
    """The same in statements."""

    def named(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        return func.substr(column, 1, len(self.own)) == self.own

    def moved(self, column: ColumnElement[Any]) -> ColumnElement[str]:
        return literal(self.becomes) + func.substr(column, len(self.own) + 1)


def _drop_twins(connection: Connection, table: Table, loser: str, winner: str, *where: ColumnElement[bool]) -> None:
    """Remove the rows of one name whose key the other name has as well."""
    twin = table.alias("twin")
    others: Iterable[ColumnElement[bool]] = (
        twin.c[column.name] == column for column in table.primary_key.columns if column.name != "shop"
    )
    is_there = exists().where(twin.c.shop == winner, *others)
    connection.execute(delete(table).where(table.c.shop == loser, is_there, *where))
