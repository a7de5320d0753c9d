"""Forgetting what is long over: closed cases, their actions, refused rows. Evidence and open orders stay."""

from sqlalchemy import delete, or_, select

from daemon.store.database import Database
from daemon.tables import Action, Case, Delivery, Member, Order, Quarantine

C = Case.__table__  # type: ignore[attr-defined]
A = Action.__table__  # type: ignore[attr-defined]
M = Member.__table__  # type: ignore[attr-defined]
D = Delivery.__table__  # type: ignore[attr-defined]
O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741
Q = Quarantine.__table__  # type: ignore[attr-defined]


def prune(database: Database, before: int) -> int:
    """Delete cases closed before that instant whose order is over, with all that belongs to them; returns how many.

    Keys of orders that are still open, or have a younger case, stay: they keep a step from being done twice.
    """
    with database.begin() as tx:
        still_open = select(O.c.order_id).where(
            O.c.shop == C.c.shop, O.c.order_id == C.c.order_id, O.c.is_open.is_(True)
        )
        young = C.alias("young")
        younger = select(young.c.key).where(
            young.c.shop == C.c.shop,
            young.c.order_id == C.c.order_id,
            or_(young.c.closed_at.is_(None), young.c.closed_at >= before),
        )
        over = (C.c.closed_at < before, ~still_open.exists(), ~younger.exists())
        old = list(tx.execute(select(C.c.key, C.c.shop, C.c.order_id).where(*over)))
        for key, shop, order_id in old:
            tx.execute(delete(M).where(M.c.case_key == key))
            keys = select(A.c.key).where(A.c.shop == shop, A.c.order_id == order_id)
            tx.execute(delete(D).where(D.c.action_key.in_(keys)))
            tx.execute(delete(A).where(A.c.shop == shop, A.c.order_id == order_id))
            tx.execute(delete(C).where(C.c.key == key))
        tx.execute(delete(Q).where(Q.c.seen_at < before))
    return len(old)
