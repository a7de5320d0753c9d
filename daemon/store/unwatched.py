"""Orders that nothing can watch: read by one query, judged by `rules.unwatched` alone."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from daemon.store import orders
from daemon.tables import BLIND, Order
from rules import unwatched
from rules.model import OWED

O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741


class Unwatched(NamedTuple):
    """An order that is paid or due, and what it lacks (`rules.unwatched.GAPS`)."""

    shop: str
    order_id: str
    gap: str


def found(connection: Connection, shop: str | None = None) -> list[Unwatched]:
    """The orders of a shop (or of all) that cannot be watched as they stand, by shop and order id."""
    query = _MAYBE if shop is None else _MAYBE.where(O.c.shop == shop)
    return [
        Unwatched(row.shop, row.order_id, gap)
        for row in connection.execute(query)
        if (gap := unwatched.gap(orders.decoded(row.facts), row.ship_by)) is not None
    ]


def watched(connection: Connection) -> int:
    """How many open orders have a deadline that is watched."""
    count: int = connection.execute(_WATCHED).scalar_one()
    return count


def by_shop(orders: Iterable[Unwatched]) -> dict[str, list[Unwatched]]:
    """The same by shop; shops without any are absent."""
    shops: dict[str, list[Unwatched]] = {}
    for order in orders:
        shops.setdefault(order.shop, []).append(order)
    return shops


_WATCHED = select(func.count()).where(
    O.c.is_open.is_(True), O.c.act_by.is_not(None), O.c.status.in_(sorted({*OWED, "shipped"}))
)
_MAYBE = select(O.c.shop, O.c.order_id, O.c.facts, O.c.ship_by).where(BLIND).order_by(O.c.shop, O.c.order_id)
"""Those that may lack something; all others are passed over by an index that does not hold them."""
