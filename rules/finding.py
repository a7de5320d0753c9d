"""Is a violation threatening? One question per violation, answered with a reason either way."""

from dataclasses import dataclass

from rules.deadline import Deadline
from rules.model import OVER, History, Order, Violation
from rules.playbook import Ladder

_HANDED_OVER = frozenset({"shipped", "delivered", "completed"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether the violation threatens (`fired`), why or why not, and when the answer may change by time alone."""

    violation: Violation
    fired: bool
    reason: str
    wake_at: int | None = None


def find(
    order: Order, deadline: Deadline, history: History, ladder: Ladder, first_lead: int, now: int
) -> Finding:
    """The finding of `ladder`'s violation. Total: every order gets an answer."""
    obstacle = _not_owed(order)
    if ladder.violation is Violation.STOCK_OUT:
        return _stock_out(order, history, obstacle, deadline, ladder, now)
    return _late(order, deadline, obstacle, ladder, first_lead, now)


def handed_over(order: Order) -> bool:
    """The seller's part is done: collected, or shipped where the feed cannot know the collection scan."""
    if order.status in ("delivered", "completed") or order.collected_at is not None:
        return True
    return order.status == "shipped" and not order.collection_known


def awaits_scan(order: Order) -> bool:
    """Shipped, but the courier is known not to have scanned it yet: the platform's clock still runs."""
    return order.status == "shipped" and order.collection_known and order.collected_at is None


def owes(order: Order) -> bool:
    """The seller has been paid and at least one unit is neither shipped nor refunded."""
    return order.owed and (not order.lines or any(line.open_quantity for line in order.lines))


def _not_owed(order: Order) -> str | None:
    if order.status in OVER and order.status != "completed":
        return "ORDER_CLOSED"
    if handed_over(order):
        return "COLLECTED" if order.collected_at is not None else "SHIPPED"
    if awaits_scan(order):
        return None
    if not order.owed:
        return "NOT_PAID" if order.status == "unpaid" else "SHIPPED"
    return None if owes(order) else "NOTHING_OWED"


def _late(
    order: Order, deadline: Deadline, obstacle: str | None, ladder: Ladder, first_lead: int, now: int
) -> Finding:
    kind = Violation.LATE_SHIPMENT
    if obstacle:
        return Finding(kind, False, obstacle)
    if deadline.ship_by is None or deadline.act_by is None:
        return Finding(kind, False, "NO_DEADLINE")
    opens_at = deadline.act_by - first_lead
    if now < opens_at:
        return Finding(kind, False, "NOT_DUE_YET", opens_at)
    if now >= deadline.ship_by + ladder.auto_close:
        return Finding(kind, False, "TOO_OLD")
    if now >= deadline.ship_by:
        return Finding(kind, True, "ALREADY_LATE", deadline.ship_by + ladder.auto_close)
    reason = "SCAN_MISSING" if awaits_scan(order) else "SHIP_BY_NEAR"
    return Finding(kind, True, reason, deadline.ship_by + ladder.auto_close)


def _stock_out(
    order: Order, history: History, obstacle: str | None, deadline: Deadline, ladder: Ladder, now: int
) -> Finding:
    kind = Violation.STOCK_OUT
    if obstacle:
        return Finding(kind, False, obstacle)
    if awaits_scan(order):
        return Finding(kind, False, "SHIPPED")
    ends_at = deadline.ship_by + ladder.auto_close if deadline.ship_by is not None else None
    if ends_at is not None and now >= ends_at:
        return Finding(kind, False, "TOO_OLD")
    if order.flagged("out_of_stock"):
        return Finding(kind, True, "OUT_OF_STOCK_FLAG", ends_at)
    if history.short:
        return Finding(kind, True, "STOCK_SHORT", ends_at)
    return Finding(kind, False, "IN_STOCK")
