"""Is a violation threatening? One question per violation, answered with a reason either way."""

from rules import claim, track
from rules.look import Finding, Look
from rules.model import OVER, SHIPPING, UNKNOWN, Order, Violation
from rules.playbook import Ladder


def find(look: Look, ladder: Ladder) -> Finding:
    """The finding of `ladder`'s violation. Total: every order gets an answer."""
    match ladder.violation:
        case Violation.LATE_SHIPMENT | Violation.STOCK_OUT as kind:
            obstacle = _not_owed(look.order)
            if obstacle is not None:
                return Finding(kind, False, obstacle)
            return _stock_out(look, ladder) if kind is Violation.STOCK_OUT else _late(look, ladder)
        case Violation.FAKE_SHIPMENT:
            return track.unscanned(look, ladder)
        case Violation.TRACK_STALLED:
            return track.stalled(look, ladder)
        case _:
            return claim.claimed(look, ladder)


def is_watched(look: Look) -> bool:
    """Whether anything but the ship-by time and stock can matter: a flag, a track, an event or an earlier case.

    Most orders carry none of it, and are looked at for late shipment and stock-out alone.
    """
    order, history = look.order, look.history
    if order.flags or order.tracking is not None or order.collection_known or history.events:
        return True
    return bool(history.cases) and any(case.violation not in SHIPPING for case in history.cases)


def handed_over(order: Order) -> bool:
    """The seller's part is done: collected, or shipped where the feed cannot know the collection scan.

    A collected parcel of a partly shipped order says nothing about what is still to come.
    """
    if order.status == "partly_shipped":
        return False
    if order.status in ("delivered", "completed") or order.collected_at is not None:
        return True
    return order.status == "shipped" and not order.collection_known


def awaits_scan(order: Order) -> bool:
    """Shipped, but the courier is known not to have scanned it yet: the platform's clock still runs."""
    return order.status == "shipped" and order.collection_known and order.collected_at is None


def owes(order: Order) -> bool:
    """The seller has been paid and at least one unit is neither shipped nor refunded.

    A line whose quantity nobody knows is owed: one alert too many is better than a miss.
    """
    if not order.owed:
        return False
    for line in order.lines:
        if line.quantity is None or line.open_quantity:
            return True
    return not order.lines


def lacking(look: Look) -> list[str]:
    """Line ids that the stock pools cannot cover and that are still owed."""
    short = look.history.short
    return [line.line_id for line in look.order.lines if line.line_id in short and line.open_quantity]


def hurry(look: Look) -> int:
    """How much earlier everything before the deadline is done, because the buyer urges (µs)."""
    flags = look.order.flags
    return look.policy.playbook.urged if flags and "urged" in flags else 0


def _not_owed(order: Order) -> str | None:
    if order.status == "paid" and order.collected_at is None:
        return None if owes(order) else "NOTHING_OWED"
    if order.status in OVER and order.status != "completed":
        return "ORDER_CLOSED"
    if handed_over(order):
        return "COLLECTED" if order.collected_at is not None else "SHIPPED"
    if awaits_scan(order):
        return None
    if order.status == UNKNOWN:
        return "NO_STATUS"
    if order.status == "unpaid":
        return "NOT_PAID"
    return None if owes(order) else "NOTHING_OWED"


def _late(look: Look, ladder: Ladder) -> Finding:
    kind, ship_by, act_by, now = ladder.violation, look.due.ship_by, look.due.act_by, look.now
    if ship_by is None or act_by is None:
        return Finding(kind, False, "NO_DEADLINE")
    opens_at = look.policy.reached_by(act_by - look.policy.playbook.first_lead - hurry(look))
    if now < opens_at:
        return Finding(kind, False, "NOT_DUE_YET", opens_at)
    ends_at = ship_by + ladder.auto_close
    if now >= ends_at:
        return Finding(kind, False, "TOO_OLD")
    if now >= ship_by:
        return Finding(kind, True, "ALREADY_LATE", ends_at)
    return Finding(kind, True, "SCAN_MISSING" if awaits_scan(look.order) else "SHIP_BY_NEAR", ends_at)


def _stock_out(look: Look, ladder: Ladder) -> Finding:
    kind, ship_by = ladder.violation, look.due.ship_by
    if awaits_scan(look.order):
        return Finding(kind, False, "SHIPPED")
    flagged = look.order.flagged("out_of_stock")
    if not flagged and not (look.history.short and lacking(look)):
        return Finding(kind, False, "IN_STOCK")
    ends_at = ship_by + ladder.auto_close if ship_by is not None else None
    if ends_at is not None and look.now >= ends_at:
        return Finding(kind, False, "TOO_OLD")
    return Finding(kind, True, "OUT_OF_STOCK_FLAG" if flagged else "STOCK_SHORT", ends_at)
