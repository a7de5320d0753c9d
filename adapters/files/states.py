"""How statuses combine: of several columns about one row, of several rows about one order."""

from collections.abc import Iterable

from rules.model import OWED, STATUSES

GONE = frozenset({"cancelled", "refunded"})
UNSHIPPED = frozenset({"unpaid", "paid", "partly_shipped"})
MOVED = frozenset({"shipped", "delivered", "completed"})


def of_columns(said: Iterable[str]) -> str | None:
    """The status that several columns of one row tell together (payment, fulfilment, cancellation); None for none.

    What ended the order wins (of a cancelled one the money is back too), then the furthest shipment, then that it is
    not paid.
    """
    known = sorted(said, key=STATUSES.index)
    if "cancelled" in known:
        return "cancelled"
    if not known or known[-1] != "paid":
        return known[-1] if known else None
    return known[0]


def of_lines(said: list[str]) -> str | None:
    """The status of an order from its lines': the slowest that is still open counts; None when no line has one.

    Gone lines do not count while others live; a line that is paid makes the order one that is owed.
    """
    live = [status for status in said if status not in GONE]
    if not live:
        return None if not said else "refunded" if "refunded" in said else "cancelled"
    owed = [status for status in live if status in OWED]
    slowest = min(owed or live, key=STATUSES.index)
    moving = any(status not in ("unpaid", "paid") for status in live)
    return "partly_shipped" if slowest == "paid" and moving else slowest
