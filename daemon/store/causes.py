"""Causes: what a pick-up or a pool consists of at an instant, and writing what was decided about it."""

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import BigInteger, BindParameter, Connection, bindparam, select

from daemon.lines import line
from daemon.shops import Shops
from daemon.store import decisions, timers
from daemon.store.journal import Journal
from daemon.tables import Action, Listing, Member, Pool
from rules import key
from rules.cause import Cause, CauseDecision, Told
from rules.cause import Member as CauseMember
from rules.decide import Membership
from rules.instant import parse
from rules.model import Kind

A = Action.__table__  # type: ignore[attr-defined]
M = Member.__table__  # type: ignore[attr-defined]
P = Pool.__table__  # type: ignore[attr-defined]
LI = Listing.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A cause as the rules want it: members and past as of one instant.

    `next_change`: when membership next changes after it. Only a replay, which decides orders of a whole
    window first, knows of later changes; they make the cause due again.
    """

    cause: Cause
    members: tuple[CauseMember, ...]
    told: tuple[Told, ...]
    next_change: int | None


def load(connection: Connection, claim: timers.Claimed, at: int) -> Loaded:
    """The cause with its members and past as of `at`."""
    rows = connection.execute(_MEMBERS, {"b_cause": claim.id, "b_at": at}).all()
    members = tuple(_member(row) for row in rows if row.joined_at <= at)
    changes = (moment for row in rows for moment in (row.joined_at, row.left_at, row.acked_at) if moment is not None)
    told = tuple(map(_told, connection.execute(_TOLD, {"b_cause": claim.id, "b_at": at})))
    return Loaded(
        cause=_cause(connection, claim, at),
        members=members,
        told=told,
        next_change=min((moment for moment in changes if moment > at), default=None),
    )


def _cause(connection: Connection, claim: timers.Claimed, at: int) -> Cause:
    name = claim.id.split("/", 1)[1]
    if name.startswith("pickup:"):
        return Cause(key=claim.id, kind="pickup", act_by=parse(name.removeprefix("pickup:")))
    return _pool(connection, claim, at, key.unpart(name.removeprefix("pool:")))


def write(
    connection: Connection,
    journal: Journal,
    shops: Shops,
    claim: timers.Claimed,
    loaded: Loaded,
    decision: CauseDecision,
    at: int,
) -> None:
    """Store the acts of a cause and settle its claim."""
    shop = shops.get(claim.shop)
    named = sorted(_shown(member, claim.shop) for member in decision.members)
    keys = msgspec.json.encode(sorted(m.membership.case_key for m in decision.members)).decode()
    rows = []
    for act in decision.acts:
        pack = shop.policy.pack.version(at, act.violation)
        rows.append(decisions.action_row(shops, shop, act, at, pack, cause=claim.id, members=keys))
        entry = line(
            at=at,
            shop=shop.name,
            case=act.violation,
            event="action",
            key=act.key,
            reason=act.reason,
            cause=claim.id,
            members=named,
            action=act.kind,
            step=act.step,
            act_by=loaded.cause.act_by,
            outcome=decisions.planned_outcome(shops, act),
            pack=pack,
            playbook=shop.policy.playbook.version,
        )
        journal.note(shop.name, claim.id, entry)
    decisions.add_actions(connection, rows)
    wakes = [wake for wake in (decision.wake_at, loaded.next_change) if wake is not None]
    result = timers.Result(claim, min(wakes, default=None), at, shop.policy.playbook.digest, past=True)
    timers.settle(connection, [result])


def wake_pool(connection: Connection, seller: str, sku: str, at: int) -> None:
    """Look at a pool's cause again: its stock has changed."""
    home = connection.execute(select(P.c.home).where(P.c.seller == seller, P.c.sku == sku)).scalar_one_or_none()
    if home is not None:
        timers.wake(connection, timers.CAUSE, [(home, key.pool(home, sku), seller, at)])


def _pool(connection: Connection, claim: timers.Claimed, at: int, sku: str) -> Cause:
    pool = connection.execute(select(P).where(P.c.seller == claim.seller, P.c.sku == sku)).first()
    listings = connection.execute(
        select(LI.c.shop, LI.c.listing_id).where(LI.c.seller == claim.seller, LI.c.sku == sku, LI.c.seen_at <= at)
    )
    return Cause(
        key=claim.id,
        kind="pool",
        listings=tuple(sorted(f"{key.part(row.shop)}/{key.part(row.listing_id)}" for row in listings)),
        since=pool.changed_at if pool else 0,
        restocked=bool(pool and pool.on_hand is not None and pool.on_hand > pool.needed),
    )


def _member(row: Any) -> CauseMember:
    return CauseMember(
        shop=row.shop,
        order_id=row.order_id,
        joined_at=row.joined_at,
        membership=Membership(
            case_key=row.case_key,
            sku=None,
            act_by=row.act_by,
            ship_by=row.ship_by,
            stake_minor=row.stake_minor,
            currency=row.currency,
            snoozed_until=row.snoozed_until,
            acked_at=row.acked_at,
        ),
    )


def _told(row: Any) -> Told:
    return Told(
        key=row.key,
        kind=Kind(row.kind),
        step=row.step,
        at=row.at,
        members=frozenset(msgspec.json.decode(row.members)) if row.members else frozenset(),
    )


def _shown(member: CauseMember, shop: str) -> str:
    """How a member is named in a line: its order id, with its shop where that is another one."""
    return member.order_id if member.shop == shop else f"{member.shop}/{member.order_id}"


_at: BindParameter[int] = bindparam("b_at", type_=BigInteger)
_MEMBERS = (
    select(M)
    .where(M.c.cause == bindparam("b_cause"), M.c.left_at.is_(None) | (M.c.left_at > _at))
    .order_by(M.c.case_key)
)
_TOLD = (
    select(A.c.key, A.c.kind, A.c.step, A.c.at, A.c.members)
    .where(A.c.cause == bindparam("b_cause"), A.c.at <= _at, A.c.dropped.is_(False))
    .order_by(A.c.at, A.c.key)
)
