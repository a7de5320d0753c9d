"""Orders that are paid or due and that nothing can watch, because a fact is missing that every deadline needs."""

from rules.finding import owes
from rules.model import UNKNOWN, Order

GAPS = ("NO_STATUS", "STATUS_UNPAID", "NO_PAYMENT_TIME", "NO_DEADLINE")
"""What may be missing: the status; the status says unpaid beside a payment; the payment time; a deadline."""


def gap(order: Order, ship_by: int | None) -> str | None:
    """What keeps an order from being watched (one of `GAPS`), given its effective deadline; None when nothing does.

    An order that owes nothing is not waited for, whatever is missing.
    """
    if order.collected_at is not None and order.status != "partly_shipped":
        return None
    if order.status == UNKNOWN:
        return "NO_STATUS"
    if order.status == "unpaid":
        return "STATUS_UNPAID" if order.paid_at is not None else None
    if ship_by is not None or not owes(order):
        return None
    return "NO_PAYMENT_TIME" if order.paid_at is None else "NO_DEADLINE"
