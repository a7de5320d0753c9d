"""Shops that stand in the database and in no configuration (any more): what is left of them, and letting them rest.

While a shop rests nothing of it is decided, polled or sent, and its orders count in no pool and no cause of others. It
goes on where it was when it is configured again. `forestall shops` renames it or retires it.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from sqlalchemy import ColumnElement, Connection, func, select, update

from daemon.shops import Shops
from daemon.store import meta, timers
from daemon.tables import Action, Case, Feed, Member, OpenLine, Order, Pool
from rules import key
from rules.model import Outcome

F = Feed.__table__  # type: ignore[attr-defined]
O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741
C = Case.__table__  # type: ignore[attr-defined]
A = Action.__table__  # type: ignore[attr-defined]
M = Member.__table__  # type: ignore[attr-defined]
L = OpenLine.__table__  # type: ignore[attr-defined]
P = Pool.__table__  # type: ignore[attr-defined]
log = structlog.get_logger()
_RESTING = "resting_shops"
_WAITS = (Outcome.PLANNED, Outcome.READY, Outcome.CALLING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What the database holds of a shop that is still to be done. `platform` None: no order of it was ever read."""

    shop: str
    seller: str
    platform: str | None
    orders: int
    cases: int
    tasks: int
    waiting: int

    @property
    def open(self) -> bool:
        """Whether anything would go on if the shop were configured."""
        return bool(self.orders or self.cases or self.tasks or self.waiting)


def every(connection: Connection) -> list[Left]:
    """What there is of every shop that was ever polled, by name."""
    return [_left(connection, row.shop, row.seller) for row in connection.execute(select(F).order_by(F.c.shop))]


def left(connection: Connection, configured: Iterable[str]) -> list[Left]:
    """The shops that are configured no more and of which something is left to do."""
    rows = connection.execute(select(F).where(F.c.shop.not_in(sorted(configured))).order_by(F.c.shop))
    return [one for row in rows if (one := _left(connection, row.shop, row.seller)).open]


def rest(connection: Connection, shops: Shops, now: int) -> None:
    """Let shops rest that are configured no more, and wake those that are again: at each start and reload."""
    before = set(json.loads(meta.get(connection, _RESTING) or "[]"))
    strange = {shop for shop in connection.execute(select(F.c.shop)).scalars() if not shops.knows(shop)}
    for shop in sorted(strange - before):
        found = _left(connection, shop, "")
        mend = "forestall shops rename OLD NEW, or forestall shops retire SHOP"
        log.warning("shop.not_configured", shop=shop, open_orders=found.orders, open_cases=found.cases, mend=mend)
        leave_others(connection, shop, shops.known, now)
    for shop in sorted(before - strange):
        _come_back(connection, shop, now)
    if strange != before:
        meta.put(connection, _RESTING, json.dumps(sorted(strange)))


def leave_others(connection: Connection, shop: str, configured: Iterable[str], now: int) -> None:
    """Take a shop's orders out of all causes, and give pools that were named after it to another shop of the seller.

    Orders of other shops that stood in a cause named after it are decided anew: they find their new one.
    """
    connection.execute(update(M).where(M.c.shop == shop, M.c.left_at.is_(None)).values(left_at=now))
    own, known = f"{key.part(shop)}/", sorted(set(configured) - {shop})
    named = (func.substr(M.c.cause, 1, len(own)) == own, M.c.left_at.is_(None))
    others = connection.execute(select(M.c.shop, M.c.order_id, M.c.seller).where(*named).distinct()).all()
    connection.execute(update(M).where(*named).values(left_at=now))
    new_home = select(func.min(F.c.shop)).where(F.c.seller == P.c.seller, F.c.shop.in_(known)).scalar_subquery()
    connection.execute(update(P).where(P.c.home == shop).values(home=func.coalesce(new_home, P.c.home)))
    timers.wake(connection, timers.ORDER, [(*tuple(row), now) for row in others])
    _wake_pools(connection, shop, now)


def _come_back(connection: Connection, shop: str, now: int) -> None:
    """Decide the open orders of a shop anew."""
    rows = connection.execute(select(O.c.order_id, O.c.seller).where(O.c.shop == shop, O.c.is_open.is_(True))).all()
    timers.wake(connection, timers.ORDER, [(shop, row.order_id, row.seller, now) for row in rows], past=True)
    _wake_pools(connection, shop, now)


def _wake_pools(connection: Connection, shop: str, now: int) -> None:
    pools = connection.execute(select(L.c.seller, L.c.sku).where(L.c.shop == shop).distinct()).all()
    timers.wake(connection, timers.POOL, [(row.seller, row.sku, row.seller, now) for row in pools])


def _left(connection: Connection, shop: str, seller: str) -> Left:
    def count(table: type, *where: ColumnElement[bool]) -> int:
        of = table.__table__  # type: ignore[attr-defined]
        found: int = connection.execute(select(func.count()).where(of.c.shop == shop, *where)).scalar_one()
        return found

    platform = connection.execute(select(O.c.platform).where(O.c.shop == shop).limit(1)).scalar_one_or_none()
    return Left(
        shop=shop,
        seller=seller,
        platform=platform,
        orders=count(Order, O.c.is_open.is_(True)),
        cases=count(Case, C.c.closed_at.is_(None)),
        tasks=count(Action, A.c.outcome == Outcome.NEEDS_HUMAN),
        waiting=count(Action, A.c.outcome.in_(_WAITS)),
    )
