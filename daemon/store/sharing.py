"""Who gets a stock pool that cannot cover all, and what a miss would cost each: for alerts and `why`."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from daemon.store import stock
from daemon.tables import Pool
from rules import allocate

P = Pool.__table__  # type: ignore[attr-defined]


class Share(NamedTuple):
    """One order's part in a pool: whether the stock covers all its lines of the SKU, and the loss of a miss."""

    shop: str
    order_id: str
    covered: bool
    loss_minor: int


def shares(connection: Connection, seller: str, sku: str) -> tuple[Share, ...]:
    """Everybody's part in the pool as it is now, the dearest miss first; () when it covers all or nobody counts it."""
    pool = connection.execute(select(P.c.on_hand, P.c.short).where(P.c.seller == seller, P.c.sku == sku)).first()
    if pool is None or not pool.short:
        return ()
    lines = stock.open_in(connection, seller, sku)
    short = {(shop, order_id) for shop, order_id, _ in allocate.allocate(pool.on_hand, lines)}
    losses: dict[tuple[str, str], int] = {}
    for line in lines:
        name = (line.shop, line.order_id)
        losses[name] = max(losses.get(name, 0), line.loss_minor)
    found = (Share(*name, name not in short, loss) for name, loss in losses.items())
    return tuple(sorted(found, key=lambda share: (-share.loss_minor, share.shop, share.order_id)))
