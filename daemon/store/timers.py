"""Timers: when a subject is due, who works on it, and when next. One claim statement for both databases."""

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache, partial
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnClause,
    ColumnElement,
    Connection,
    Select,
    Update,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    update,
)

from daemon.store import backlog, pairs
from daemon.store.upsert import many, upsert
from daemon.tables import Feed, Member, Timer

T = Timer.__table__  # type: ignore[attr-defined]
F = Feed.__table__  # type: ignore[attr-defined]
M = Member.__table__  # type: ignore[attr-defined]
SHARDS = 256
LEASE = 5 * 60 * 1_000_000
"""How long a claim holds (µs): far longer than any hop's work, so clock skew between machines is harmless."""

STRANGE = 60 * 1_000_000
"""How long a shop that this configuration does not know is left alone (µs): it may be gone, or known elsewhere."""

ORDER, POOL, CAUSE, FEED, WATCH, HEALTH, SCAN = "order", "pool", "cause", "feed", "watch", "health", "scan"


class Claimed(NamedTuple):
    """A due subject and the fence under which its result may be settled."""

    kind: str
    shop: str
    id: str
    seller: str
    due_at: int
    fence: int
    attempts: int
    decided_at: int | None
    playbook: str
    past: int


class Result(NamedTuple):
    """What a claimed subject was decided to: next due, by which playbook, whether it has a past, and when."""

    claim: Claimed
    due_at: int | None
    at: int
    playbook: str = ""
    past: bool = False
    quiet_until: int | None = None


AT_ONCE = 1 << 60
"""Slack of a wake-up that heeds no quiet time."""
Subject = tuple[str, str, str, int]
"""(shop, id, seller, due_at)"""


@cache
def shard_of(seller: str) -> int:
    """All shops of a seller share a shard, since pools, buyer caps and budgets span them."""
    return int.from_bytes(hashlib.blake2b(seller.encode(), digest_size=2).digest()) % SHARDS


def wake(
    connection: Connection,
    kind: str,
    subjects: Iterable[Subject],
    *,
    staged: bool = False,
    past: bool = False,
    slack: int = AT_ONCE,
) -> None:
    """Make subjects due at their instants at the latest; creates missing timers.

    `slack`: a quiet subject is woken this much (µs) before its quiet time ends, at the earliest.

    `staged`: their file is not read to its end; they wait for `publish`, or for a lease's time at most.
    `past`: there is now something to read back before deciding.
    """
    rows = [
        {
            "kind": kind,
            "shop": shop,
            "id": name,
            "seller": seller,
            "shard": shard_of(seller),
            "due_at": due_at + LEASE if staged else due_at,
            "staged": int(staged),
            "past": int(past),
            "b_slack": slack,
        }
        for shop, name, seller, due_at in sorted(set(subjects))
    ]
    if rows:
        many(connection, _WAKE[connection.dialect.name], rows)


def due_of(connection: Connection, kind: str, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int | None]:
    """When the named subjects (shop, id) are due; those without a timer are absent."""
    return {(row.shop, row.id): row.due_at for row in pairs.read(connection, _DUE_OF, names, b_kind=kind)}


def claim(
    connection: Connection,
    kind: str,
    now: int,
    limit: int,
    *,
    lease: int = LEASE,
    shards: Sequence[int] | None = None,
    not_shops: Sequence[str] = (),
) -> list[Claimed]:
    """Claim up to `limit` due subjects in due order. Several workers get disjoint ones.

    A claim that is never settled comes back when its lease is over. `not_shops` are left for later.
    """
    if not backlog.due_kinds(connection, now, kind):
        return []  # a read costs a third of the claim
    statement = _claim_statement(shards is not None, bool(not_shops))
    return _claimed(connection, statement, kind, now, limit, shards, not_shops, until=now + lease)


def take(
    connection: Connection,
    kind: str,
    now: int,
    limit: int,
    *,
    shards: Sequence[int] | None = None,
    not_shops: Sequence[str] = (),
) -> list[Claimed]:
    """The same for work that ends in this transaction, which holds the rows itself: no lease is written (5 of 9 µs).

    Each of them must be settled or failed before the transaction ends, or it is due again at once. Only for kinds that
    nobody claims with a lease: the fence stays as it is.
    """
    statement = _take_statement(shards is not None, bool(not_shops))
    return _claimed(connection, statement, kind, now, limit, shards, not_shops)


def _claimed(
    connection: Connection,
    statement: Any,
    kind: str,
    now: int,
    limit: int,
    shards: Sequence[int] | None,
    not_shops: Sequence[str],
    **values: object,
) -> list[Claimed]:
    values |= {"b_kind": kind, "b_now": now, "most": limit}
    if shards is not None:
        values["shards"] = list(shards)
    if not_shops:
        values["not_shops"] = list(not_shops)
    rows = connection.execute(statement, values).all()
    return sorted(map(Claimed._make, rows), key=attrgetter("due_at", "shop", "id"))


def settle(connection: Connection, results: Sequence[Result]) -> int:
    """Store the next wake-up of claimed subjects.

    Only rows still under the claim's fence are written; returns how many were. A lost one is done elsewhere.
    """
    if not results:
        return 0
    rows = [
        {
            "b_kind": result.claim.kind,
            "b_shop": result.claim.shop,
            "b_id": result.claim.id,
            "b_fence": result.claim.fence,
            "b_was": result.claim.due_at,
            "b_due": result.due_at,
            "b_now": result.at,
            "b_playbook": result.playbook,
            "b_past": int(result.past),
            "b_quiet": result.quiet_until,
        }
        for result in results
    ]
    return many(connection, _SETTLE, rows)


def hold(connection: Connection, claimed: Claimed, until: int) -> bool:
    """Lengthen a claim's lease, for work in several transactions; False when somebody else has the row by now."""
    values = {"b_kind": claimed.kind, "b_shop": claimed.shop, "b_id": claimed.id, "b_fence": claimed.fence}
    return connection.execute(_HOLD, values | {"b_until": until}).rowcount == 1


def fail(connection: Connection, claimed: Claimed, due_at: int, error: str) -> None:
    """Put a subject whose work raised off until `due_at`, so that one bad row never stops the others."""
    values = {
        "b_kind": claimed.kind,
        "b_shop": claimed.shop,
        "b_id": claimed.id,
        "b_fence": claimed.fence,
        "b_was": claimed.due_at,
        "b_due": due_at,
        "b_error": error[:500],
    }
    connection.execute(_FAIL, values)


def cap(connection: Connection, kind: str, shop: str, now: int, most: int, failing: int, early: int = 0) -> None:
    """Make a shop's timer due that is further ahead than `most` µs (after a failure: than `failing`), or nearly due."""
    values = {"b_kind": kind, "b_shop": shop, "b_now": now, "b_early": now + early}
    connection.execute(_CAP, {**values, "b_most": now + most, "b_failing": now + failing})


def release(connection: Connection) -> None:
    """Free every claim: only where no other process can be alive."""
    connection.execute(update(T).where(T.c.lease_until.is_not(None)).values(lease_until=None, fence=T.c.fence + 1))


def backoff(attempts: int, key: str, first_s: int = 60, most_s: int = 3600) -> int:
    """µs to wait before attempt `attempts + 1`: doubling, bounded, with a jitter that is a hash of the key."""
    seconds = min(first_s * 2 ** min(attempts, 16), most_s)
    jitter = int.from_bytes(hashlib.blake2b(f"{key}/{attempts}".encode(), digest_size=2).digest()) / 65536
    return int(seconds * (1 + jitter / 4) * 1_000_000)


def publish(connection: Connection, shop: str, now: int) -> None:
    """Wake all that a file touched, now that it has been read to its end."""
    seller = connection.execute(_SELLER, {"b_shop": shop}).scalar_one_or_none()
    for kind, owner in ((ORDER, shop), (POOL, seller)):
        if owner is not None:
            connection.execute(_PUBLISH, {"b_kind": kind, "b_shop": owner, "b_now": now})


def _due(by_shard: bool, without_shops: bool, *columns: ColumnElement[Any]) -> Select[Any]:
    """Of subjects that are due and free, in due order and locked where the database locks rows."""
    now = bindparam("b_now", type_=BigInteger)
    due = (
        select(*columns)
        .where(T.c.kind == bindparam("b_kind"), T.c.due_at <= now)
        .where(or_(T.c.lease_until.is_(None), T.c.lease_until <= now))
        .order_by(T.c.due_at, T.c.shop, T.c.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )
    if by_shard:
        due = due.where(T.c.shard.in_(bindparam("shards", expanding=True)))
    if without_shops:
        due = due.where(T.c.shop.not_in(bindparam("not_shops", expanding=True)))
    return due


@cache
def _take_statement(by_shard: bool, without_shops: bool) -> Select[Any]:
    """Built once: composing it costs ten times more than running it."""
    return _due(by_shard, without_shops, *(T.c[name] for name in Claimed._fields))


@cache
def _claim_statement(by_shard: bool, without_shops: bool) -> Update:
    """Built once, too."""
    picked = _due(by_shard, without_shops, T.c.kind, T.c.shop, T.c.id).cte("picked")
    return (
        update(T)
        .where(T.c.kind == picked.c.kind, T.c.shop == picked.c.shop, T.c.id == picked.c.id)
        .values(lease_until=bindparam("until"), fence=T.c.fence + 1)
        .returning(*(T.c[name] for name in Claimed._fields))
    )


def policy_changed(connection: Connection, playbook: str, now: int) -> int:
    """Let what another playbook last decided be decided anew, open orders and causes; returns how many.

    They become due together and are drained in batches, behind nothing that is due already.
    """
    stale = (T.c.kind.in_((ORDER, CAUSE)), T.c.playbook != "", T.c.playbook != playbook)
    connection.execute(update(T).where(*stale).values(quiet_until=None))
    # a cause that waits for nothing may have something to repeat now
    idle = (T.c.kind == CAUSE) & T.c.due_at.is_(None) & T.c.id.in_(select(M.c.cause).where(M.c.left_at.is_(None)))
    changed = connection.execute(update(T).where(*stale, or_(T.c.due_at > now, idle)).values(due_at=now))
    return changed.rowcount


def _wake_statement(dialect: str) -> Any:
    earlier, latest = (func.min, func.max) if dialect == "sqlite" else (func.least, func.greatest)
    said: ColumnClause[int] = literal_column("excluded.due_at")
    excluded = latest(said, func.coalesce(T.c.quiet_until, 0) - bindparam("b_slack", type_=BigInteger))
    return upsert(
        dialect,
        T,
        ("kind", "shop", "id"),
        {
            # under a claim each wake-up moves the instant on, so that settling sees that it is not the claimed one
            "due_at": case(
                (T.c.due_at.is_(None), excluded),
                (T.c.lease_until.is_not(None), latest(excluded, T.c.due_at + 1)),
                else_=earlier(T.c.due_at, excluded),
            ),
            "staged": literal_column("excluded.staged"),
            "past": latest(T.c.past, literal_column("excluded.past")),
        },
    )


_WAKE = {dialect: _wake_statement(dialect) for dialect in ("sqlite", "postgresql")}

_HELD = (
    T.c.kind == bindparam("b_kind"),
    T.c.shop == bindparam("b_shop"),
    T.c.id == bindparam("b_id"),
    T.c.fence == bindparam("b_fence"),
)
_bound = partial(bindparam, type_=BigInteger)
_next_due = bindparam("b_due", type_=BigInteger)
_AGAIN = case(
    # a fact that arrived under the claim has made the row due again: keep that wake-up if it comes first
    ((T.c.due_at != bindparam("b_was")) & or_(_next_due.is_(None), T.c.due_at < _next_due), T.c.due_at),
    else_=_next_due,
)
_SETTLE = (
    update(T)
    .where(*_HELD)
    .values(
        due_at=_AGAIN,
        lease_until=None,
        attempts=0,
        error=None,
        decided_at=bindparam("b_now"),
        playbook=bindparam("b_playbook"),
        past=case((T.c.past == 1, 1), else_=bindparam("b_past")),
        quiet_until=bindparam("b_quiet"),
    )
)
_FAIL = (
    update(T)
    .where(*_HELD)
    .values(lease_until=None, due_at=_AGAIN, attempts=T.c.attempts + 1, error=bindparam("b_error"))
)
_HOLD = update(T).where(*_HELD).values(lease_until=bindparam("b_until"))
_CAP = (
    update(T)
    .where(T.c.kind == bindparam("b_kind"), T.c.shop == bindparam("b_shop"), T.c.lease_until.is_(None))
    .where(T.c.due_at > _bound("b_now"))
    .where(
        or_(
            T.c.due_at <= _bound("b_early"),
            T.c.due_at > case((T.c.attempts > 0, _bound("b_failing")), else_=_bound("b_most")),
        )
    )
    .values(due_at=_bound("b_now"))
)
_SELLER = select(F.c.seller).where(F.c.shop == bindparam("b_shop"))
_PUBLISH = (
    update(T)
    .where(T.c.kind == bindparam("b_kind"), T.c.shop == bindparam("b_shop"), T.c.staged == 1)
    .values(due_at=bindparam("b_now"), staged=0)
)

_DUE_OF = pairs.among(
    select(T.c.shop, T.c.id, T.c.due_at).where(T.c.kind == bindparam("b_kind")),
    T.c.shop,
    T.c.id,
)
