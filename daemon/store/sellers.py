"""A shop that belongs to another seller now: its rows, and the stock that only it had told of, go along."""

from sqlalchemy import Connection, delete, exists, select, update

from daemon.store import timers
from daemon.tables import (
    Action,
    Case,
    Delivery,
    Feed,
    Listing,
    Member,
    OpenLine,
    Order,
    PolicyUse,
    Pool,
    Timer,
    table_of,
)

F, L, O, P, T, LI, A = map(table_of, (Feed, OpenLine, Order, Pool, Timer, Listing, Action))  # noqa: E741
OWNED = (F, O, L, T, LI, A, *map(table_of, (Case, Delivery, Member, PolicyUse)))
"""Tables whose rows say both shop and seller. Those of pools belong to the seller alone."""


def move(connection: Connection, shop: str, seller: str, now: int) -> None:
    """Let a shop be one of `seller`; its pools are allocated and its open orders decided anew at `now`."""
    before = connection.execute(select(F.c.seller).where(F.c.shop == shop)).scalar_one()
    skus = set(connection.execute(select(L.c.sku).where(L.c.shop == shop)).scalars())
    twin = LI.alias("twin")
    same = (twin.c.seller == seller, *(twin.c[name] == LI.c[name] for name in ("sku", "shop", "listing_id")))
    connection.execute(delete(LI).where(LI.c.shop == shop, LI.c.seller != seller, exists().where(*same)))
    for table in OWNED:
        values = {"seller": seller, **({"shard": timers.shard_of(seller)} if "shard" in table.c else {})}
        own = (T.c.kind != timers.POOL,) if table is T else ()
        connection.execute(update(table).where(table.c.shop == shop, *own).values(values))
    _pools(connection, shop, before, seller)
    subjects = [(name, sku, name, now) for name in (before, seller) for sku in sorted(skus)]
    timers.wake(connection, timers.POOL, subjects)
    opened = connection.execute(select(O.c.order_id).where(O.c.shop == shop, O.c.is_open.is_(True))).scalars()
    timers.wake(connection, timers.ORDER, [(shop, order_id, seller, now) for order_id in opened], past=True)


def _pools(connection: Connection, shop: str, before: str, seller: str) -> None:
    """Stock that was told by this shop alone is that of the new seller; what others share stays with them."""
    twin = P.alias("twin")
    theirs = select(twin.c.sku).where(twin.c.seller == seller)
    shared = select(LI.c.sku).where(LI.c.seller == before).union(select(L.c.sku).where(L.c.seller == before))
    mine = (P.c.seller == before, P.c.home == shop, P.c.sku.not_in(theirs), P.c.sku.not_in(shared))
    connection.execute(update(P).where(*mine).values(seller=seller))
