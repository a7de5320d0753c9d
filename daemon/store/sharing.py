"""Who gets a stock pool that cannot cover all, and what a miss would cost each: for alerts and `why`."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from daemon.tables import OpenLine, Pool
from rules import allocate

L = OpenLine.__table__  # type: ignore[attr-defined]
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
    rows = connection.execute(select(L).where(L.c.seller == seller, L.c.sku == sku)).all()
    lines = tuple(
        allocate.OpenLine(
            shop=row.shop,
            order_id=row.order_id,
            line_id=row.line_id,
            quantity=row.quantity,
            loss_minor=row.loss_minor,
            act_by=row.act_by,
        )
        for row in rows
    )
    short = {(shop, order_id) for shop, order_id, _ in allocate.allocate(pool.on_hand, lines)}
    losses: dict[tuple[str, str], int] = {}
    for line in lines:
        name = (line.shop, line.order_id)
        losses[name] = max(losses.get(name, 0), line.loss_minor)
    found = (Share(*name, name not in short, loss) for name, loss in losses.items())
    return tuple(sorted(found, key=lambda share: (-share.loss_minor, share.shop, share.order_id)))
