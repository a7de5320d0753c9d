"""A shop that is given up: what was open for it is closed with that as its reason, and nobody is reminded any more."""

from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select, update

from daemon.lines import line
from daemon.shops import Shops
from daemon.store import outbox, strangers, timers
from daemon.store.journal import Journal
from daemon.tables import Action, Case, Delivery, Feed, Listing, OpenLine, Order, Seen, Timer
from rules import key
from rules.instant import format_utc
from rules.model import Outcome

A = Action.__table__  # type: ignore[attr-defined]
C = Case.__table__  # type: ignore[attr-defined]
D = Delivery.__table__  # type: ignore[attr-defined]
F = Feed.__table__  # type: ignore[attr-defined]
L = OpenLine.__table__  # type: ignore[attr-defined]
LI = Listing.__table__  # type: ignore[attr-defined]
O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741
S = Seen.__table__  # type: ignore[attr-defined]
T = Timer.__table__  # type: ignore[attr-defined]
REASON = "SHOP_RETIRED"
_OPEN = (Outcome.PLANNED, Outcome.AWAITING_APPROVAL, Outcome.READY, Outcome.NEEDS_HUMAN)


def retire(connection: Connection, journal: Journal, shops: Shops, shop: str, now: int, by: str = "") -> dict[str, int]:
    """Close all that is open for a shop; returns how many cases, actions and orders that were.

    Its orders, cases, actions and evidence stay to be read. Should it be configured again, it begins anew.
    """
    subject = key.whole(shop)
    journal.note(shop, subject, {"event": "shop_retired", "at": format_utc(now), "cause": subject, "by": by})
    strangers.leave_others(connection, shop, shops.known, now)
    closed = {
        "cases": _cases(connection, journal, shop, now),
        "actions": _actions(connection, journal, shop, now),
        "orders": connection.execute(
            update(O).where(O.c.shop == shop, O.c.is_open.is_(True)).values(is_open=False)
        ).rowcount,
    }
    for table in (L, LI, S, F):
        connection.execute(delete(table).where(table.c.shop == shop))
    connection.execute(delete(T).where(T.c.shop == shop, T.c.kind != timers.POOL))
    return closed


def _cases(connection: Connection, journal: Journal, shop: str, now: int) -> int:
    rows = connection.execute(select(C).where(C.c.shop == shop, C.c.closed_at.is_(None)).order_by(C.c.key)).mappings()
    found = list(rows)
    for row in found:
        entry = line(at=now, shop=shop, case=row["violation"], event="case_closed", key=row["key"], reason=REASON,
                     order_id=row["order_id"], ship_by=row["ship_by"])  # fmt: skip
        journal.note(shop, row["order_id"], entry)
    still = (C.c.shop == shop, C.c.closed_at.is_(None))
    connection.execute(update(C).where(*still).values(closed_at=now, reason=REASON))
    return len(found)


def _actions(connection: Connection, journal: Journal, shop: str, now: int) -> int:
    """What was to be done, by us or by people, will not be; what is to be told will not be told."""
    found: list[RowMapping] = list(
        connection.execute(select(A).where(A.c.shop == shop, A.c.outcome.in_(_OPEN)).order_by(A.c.key)).mappings()
    )
    for row in found:
        outbox.note_outcome(journal, row, "voided", now, Outcome.VOID, REASON)
    gone: dict[str, Any] = {"outcome": Outcome.VOID, "outcome_at": now, "due_at": None, "lease_until": None}
    connection.execute(
        update(A).where(A.c.shop == shop, A.c.outcome.in_(_OPEN)).values(**gone, note=REASON, fence=A.c.fence + 1)
    )
    waits = (D.c.shop == shop, D.c.outcome.in_((Outcome.READY, Outcome.CALLING)))
    connection.execute(update(D).where(*waits).values(**gone, note=REASON, fence=D.c.fence + 1))
    return len(found)
