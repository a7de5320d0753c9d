"""Causes: what a pick-up or a pool consists of at an instant, and writing what was decided about it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import BigInteger, BindParameter, Connection, bindparam, or_, select, update

from daemon.lines import line
from daemon.shops import Shop, Shops
from daemon.store import alerts, decisions, orders, pairs, tasks, timers
from daemon.store import listings as store
from daemon.store.journal import Journal
from daemon.tables import Action, Listing, Member, Pool, Timer
from rules import key, timing
from rules.cause import Cause, CauseDecision, Told
from rules.cause import Member as CauseMember
from rules.decide import Membership
from rules.delist import Sale, next_sale
from rules.instant import parse
from rules.look import Act
from rules.model import Kind, Line, Order, Outcome

A = Action.__table__  # type: ignore[attr-defined]
M = Member.__table__  # type: ignore[attr-defined]
P = Pool.__table__  # type: ignore[attr-defined]
T = Timer.__table__  # type: ignore[attr-defined]
LI = Listing.__table__  # type: ignore[attr-defined]


class Loaded(NamedTuple):
    """A cause as the rules want it: members and past as of one instant.

    `changes`: when membership changes later, and who joins. Only a replay, which decides
    orders of a whole window first, knows of later changes; they make the cause due again.
    """

    cause: Cause
    members: tuple[CauseMember, ...]
    told: tuple[Told, ...]
    changes: tuple[tuple[int, Membership | None], ...]


Pools = Mapping[tuple[str, str], tuple[Any, Sequence[Any]]]
"""By (seller, sku): the row of the pool, None where there is none, and those of its listings."""


def load(connection: Connection, shops: Shops, moments: list[tuple[timers.Claimed, int]]) -> list[Loaded]:
    """The claimed causes, each with its members and past as of its own moment."""
    members: defaultdict[str, list[Any]] = defaultdict(list)
    told: defaultdict[str, list[Any]] = defaultdict(list)
    since = min((at for _, at in moments), default=0)
    for ids in orders.chunks([claim.id for claim, _ in moments]):
        for row in connection.execute(_MEMBERS, {"causes": ids, "b_since": since}):
            members[row[0]].append(row)
        for said in connection.execute(_TOLD, {"causes": ids}):
            told[said.cause].append(said)
    pools = _pools(connection, {name for claim, _ in moments if (name := _pool_named(claim)) is not None})
    untold = alerts.untold(shops)
    return [
        _as_of(
            _cause(connection, shops, pools, claim, at, priced=claim.id in members),
            members.get(claim.id, ()),
            told.get(claim.id, ()),
            at,
            untold,
        )
        for claim, at in moments
    ]


def _as_of(cause: Cause, rows: Iterable[Any], told: Iterable[Any], at: int, untold: Collection[str]) -> Loaded:
    """Members that are there at `at`, what was said by then, and when membership next changes.

    `untold`: outcomes of alerts that told nobody.
    """
    members: list[CauseMember] = []
    changes: list[tuple[int, Membership | None]] = []
    for _, left_at, joined_at, shop, order_id, *rest in rows:
        if left_at is not None:
            if left_at <= at:
                continue
            changes.append((left_at, None))
        membership = _membership(*rest)
        if membership.acked_at is not None and membership.acked_at > at:
            changes.append((membership.acked_at, None))
        if joined_at > at:
            changes.append((joined_at, membership))
        else:
            members.append(CauseMember(shop, order_id, joined_at, membership))
    return Loaded(cause, tuple(members), _past([row for row in told if row.at <= at], untold), tuple(changes))


def _membership(
    case_key: str,
    act_by: int | None,
    ship_by: int | None,
    stake_minor: int | None,
    currency: str | None,
    snoozed_until: int | None,
    acked_at: int | None,
    confirmed: bool,
    anew: bool,
) -> Membership:
    """A membership from the columns of its row, in the order `_MEMBERS` reads them."""
    return Membership(
        case_key, None, act_by, ship_by, stake_minor, currency, snoozed_until, acked_at, None, confirmed, anew
    )


def _cause(
    connection: Connection, shops: Shops, pools: Pools, claim: timers.Claimed, at: int, *, priced: bool
) -> Cause:
    pool = _pool_named(claim)
    if pool is not None:
        return _pool(connection, shops, pools, claim.id, pool, at, priced=priced)
    name = claim.id.partition("/")[2]
    if name.startswith("aftersale:"):
        return Cause(key=claim.id, kind="aftersale")
    if name.startswith("overdue:"):
        return Cause(key=claim.id, kind="overdue")
    when = name.removeprefix("pickup:")
    return Cause(key=claim.id, kind="pickup", act_by=parse(when) if "T" in when else None)


def _pool_named(claim: timers.Claimed) -> tuple[str, str] | None:
    """The pool (seller, sku) a cause is about; None when it is about none."""
    name = claim.id.partition("/")[2]
    return (claim.seller, key.unpart(name.removeprefix("pool:"))) if name.startswith("pool:") else None


def write(
    connection: Connection,
    journal: Journal,
    shops: Shops,
    decided: list[tuple[timers.Claimed, Loaded, CauseDecision, int]],
) -> None:
    """Store the acts of causes, each decided at its instant, and settle their claims."""
    actions: list[dict[str, Any]] = []
    results = []
    for claim, loaded, decision, at in decided:
        shop = shops.get(claim.shop)
        keys = msgspec.json.encode(sorted(m.membership.case_key for m in decision.members)).decode()
        for act in decision.acts:
            pack = shop.policy.pack.version(at, act.violation)
            actions.append(decisions.action_row(shops, shop, act, at, pack, cause=claim.id, members=keys))
            journal.note(shop.name, claim.id, _line(shops, claim, loaded, decision, act, at, pack))
        wake = min(_wakes(shop, loaded, decision), default=None)
        digest = shop.policy.playbook.digest
        if tasks.is_open(loaded.told):
            tasks.review(connection, "cause", shop.name, claim.id, at)
        results.append(timers.Result(claim, wake, at, digest, past=True, quiet_until=decision.quiet_until))
    decisions.add_actions(connection, actions)
    timers.settle(connection, results)


def _wakes(shop: Shop, loaded: Loaded, decision: CauseDecision) -> Iterator[int]:
    """When to look again: by time alone, and as the later changes of membership would wake the cause live."""
    if decision.wake_at is not None:
        yield decision.wake_at
    quiet = decision.quiet_until or 0
    for at, member in loaded.changes:
        yield max(at, quiet)
        if member is not None:
            rule = shop.policy.playbook.alerts
            urgent = timing.wakes(rule, member.act_by, member.ship_by, at)
            yield from (max(moment, quiet - slack) for moment, slack in urgent)


def _line(
    shops: Shops, claim: timers.Claimed, loaded: Loaded, decision: CauseDecision, act: Act, at: int, pack: str
) -> dict[str, Any]:
    shop = shops.get(claim.shop)
    return line(
        at=at,
        shop=shop.name,
        case=act.violation,
        event="action",
        key=act.key,
        reason=act.reason,
        cause=claim.id,
        members=sorted(_shown(member, claim.shop) for member in decision.members),
        action=act.kind,
        step=act.step,
        act_by=loaded.cause.act_by,
        outcome=decisions.planned_outcome(shops, act),
        pack=pack,
        playbook=shop.policy.playbook.version,
    )


def wake_pool(connection: Connection, seller: str, sku: str, at: int) -> None:
    """Look at a pool's cause again: its stock has changed."""
    home = connection.execute(select(P.c.home).where(P.c.seller == seller, P.c.sku == sku)).scalar_one_or_none()
    if home is not None:
        timers.wake(connection, timers.CAUSE, [(home, key.pool(home, sku), seller, at)])


def wake_open(connection: Connection, at: int) -> None:
    """Look again at every cause that has members, however quiet it is, and at every feed."""
    named = select(M.c.cause).where(M.c.left_at.is_(None))
    stands = (T.c.kind == timers.CAUSE) & T.c.id.in_(named)
    due = (or_(T.c.due_at.is_(None), T.c.due_at > at), or_(stands, T.c.kind.in_((timers.WATCH, timers.HEALTH))))
    connection.execute(update(T).where(*due).values(due_at=at, quiet_until=None))


def pool_of(
    connection: Connection, shops: Shops, cause: str, seller: str, sku: str, at: int, *, priced: bool = True
) -> Cause:
    """A stock pool as the rules want it: its balance, its listings, and what the next sale of each would be.

    `priced` False: nobody is short, so what a sale costs does not matter.
    """
    pool = (seller, sku)
    return _pool(connection, shops, _pools(connection, {pool}), cause, pool, at, priced=priced)


def _pools(connection: Connection, names: set[tuple[str, str]]) -> Pools:
    """The named pools and the listings of each, by two statements for all."""
    listings: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in pairs.read(connection, _LISTINGS, names):
        listings[row.seller, row.sku].append(row)
    rows = {(row.seller, row.sku): row for row in pairs.read(connection, _POOLS, names)}
    return {name: (rows.get(name), listings[name]) for name in names}


def _pool(
    connection: Connection, shops: Shops, pools: Pools, cause: str, name: tuple[str, str], at: int, *, priced: bool
) -> Cause:
    pool, rows = pools[name]
    listings = {
        f"{key.part(row.shop)}/{key.part(row.listing_id)}": row.shop
        for row in rows
        if row.seen_at <= at and shops.knows(row.shop)
    }
    last = store.last_sale(connection, *name) if listings and priced else None
    return Cause(
        key=cause,
        kind="pool",
        listings=tuple(sorted(listings)),
        since=pool.changed_at if pool else 0,
        restocked=bool(pool and pool.on_hand is not None and pool.on_hand > pool.needed),
        sales={name: _next_sale(shops.get(shop), last, at) for name, shop in listings.items()} if last else {},
    )


def _next_sale(shop: Shop, last: tuple[Order, Line], at: int) -> Sale:
    order, line = last
    policy = shop.policy
    return next_sale(replace(order, shop=shop.name, platform=shop.platform), line, policy.pack, policy.confirmed, at)


def told_of(connection: Connection, cause: str) -> tuple[Told, ...]:
    """All that was done for a cause so far, oldest first."""
    return _past(list(connection.execute(_TOLD, {"causes": [cause]})))


def _past(rows: Sequence[Any], untold: Collection[str] = (Outcome.VOID,)) -> tuple[Told, ...]:
    """What the rows tell. Whom an alert named is read of the newest told alert alone: nobody asks the others."""
    said = [place for place, row in enumerate(rows) if row.kind == Kind.ALERT]
    told = [place for place in said if rows[place].outcome not in untold]
    silent = set(said).difference(told)
    return tuple(_told(row, named=place in told[-1:], void=place in silent) for place, row in enumerate(rows))


def _told(row: Any, *, named: bool, void: bool) -> Told:
    return Told(
        key=row.key,
        kind=Kind(row.kind),
        step=row.step,
        at=row.at,
        members=frozenset(msgspec.json.decode(row.members)) if named and row.members else frozenset(),
        outcome=Outcome.VOID if void else Outcome(row.outcome),
        reason=row.reason,
    )


def _shown(member: CauseMember, shop: str) -> str:
    """How a member is named in a line: its order id, with its shop where that is another one."""
    return member.order_id if member.shop == shop else f"{member.shop}/{member.order_id}"


_POOLS = pairs.among(select(P), P.c.seller, P.c.sku)
_LISTINGS = pairs.among(select(LI.c.seller, LI.c.sku, LI.c.shop, LI.c.listing_id, LI.c.seen_at), LI.c.seller, LI.c.sku)
_causes: BindParameter[list[str]] = bindparam("causes", expanding=True)
_MEMBERS = (
    select(
        M.c.cause, M.c.left_at, M.c.joined_at, M.c.shop, M.c.order_id,
        M.c.case_key, M.c.act_by, M.c.ship_by, M.c.stake_minor, M.c.currency,
        M.c.snoozed_until, M.c.acked_at, M.c.confirmed, M.c.anew,
    )
    .where(M.c.cause.in_(_causes), or_(M.c.left_at.is_(None), M.c.left_at > bindparam("b_since", type_=BigInteger)))
    .order_by(M.c.case_key)
)  # fmt: skip
_TOLD = (
    select(A.c.cause, A.c.key, A.c.kind, A.c.step, A.c.at, A.c.members, A.c.outcome, A.c.reason)
    .where(A.c.cause.in_(_causes), A.c.dropped.is_(False))
    .order_by(A.c.at, A.c.key)
)
