"""What a buyer claims: goods missing, goods wrong, a refund, a complaint, the platform called in.

The clock starts when the claim is seen, since no flag says when it was raised. A claim is never refused by
Forestall: there is no action for it (N6).
"""

from rules.look import Finding, Look
from rules.model import Case, Event, Line, Order, Violation
from rules.playbook import Ladder

GRAVER = "REFUND_REQUESTED"
"""The one dispute reason that can still get worse: every other means that the platform looks at it."""
_FLAGS = {
    Violation.SHORT_SHIPMENT: (("short_claimed", "SHORT_CLAIMED"),),
    Violation.WRONG_ITEM: (("wrong_claimed", "WRONG_CLAIMED"),),
    Violation.DISPUTE: (("intervention_requested", "INTERVENTION_REQUESTED"), ("refund_requested", GRAVER)),
}
_EVENTS = {"intervention": "INTERVENTION_REQUESTED", "complaint": "COMPLAINED"}


def claimed(look: Look, ladder: Ladder) -> Finding:
    """Whether the buyer claims what the ladder is against. It stands while flag or event do and the order is open."""
    kind = ladder.violation
    if look.order.status in ("cancelled", "refunded"):
        return Finding(kind, False, "ORDER_CLOSED")
    if look.order.status == "unpaid":
        return Finding(kind, False, "NOT_PAID")
    newest = _complaint(look) if kind is Violation.DISPUTE else None
    is_fresh = newest is not None and look.now < newest.seen_at + ladder.auto_close
    reason = _EVENTS[newest.event] if newest is not None and is_fresh else None
    for flag, code in _FLAGS[kind]:
        if look.order.flagged(flag) and (reason is None or code == "INTERVENTION_REQUESTED"):
            reason = code
            break
    if reason is None:
        return Finding(kind, False, "NOT_SEEN" if newest is None else "TOO_OLD")
    if newest is None or not is_fresh:
        return Finding(kind, True, reason)
    return Finding(kind, True, reason, newest.seen_at + ladder.auto_close, since=newest.seen_at)


def _complaint(look: Look) -> Event | None:
    """The newest complaint or intervention."""
    known = [event for event in look.history.events if event.event in _EVENTS]
    return max(known, key=lambda event: event.seen_at, default=None)


def clock(ladder: Ladder, reason: str) -> int:
    """How long the seller has from the moment a claim is seen (µs)."""
    if ladder.violation is Violation.DISPUTE and reason != GRAVER:
        return ladder.complaint
    return ladder.answer


def is_graver(case: Case, found: Finding, ladder: Ladder) -> bool:
    """Whether the claim got worse than the one the case was opened for: a new clock starts.

    A case that was closed or reopened no longer tells its claim: a longer clock than the claim's does.
    """
    if found.violation is not Violation.DISPUTE or found.reason == GRAVER:
        return False
    if case.reason in (GRAVER, "COMPLAINED", "INTERVENTION_REQUESTED"):
        return case.reason == GRAVER
    return case.ship_by is not None and case.ship_by - case.opened_at > clock(ladder, found.reason)


def worth(order: Order) -> int | None:
    """The price of one unit (minor units), the dearest line's; None where the shop does not say.

    No feed says which line a claim is about, so the dearest one decides whether it is checked first.
    """
    prices = [_unit(line) for line in order.lines]
    known = [price for price in prices if price is not None]
    return max(known) if known and len(known) == len(prices) else None


def suits(ladder: Ladder, value: str | None, order: Order) -> bool:
    """Whether a step for cheap or dear goods is meant for this order; goods without a price are dear."""
    if value is None:
        return True
    price = worth(order)
    return (value == "low") is (price is not None and price <= ladder.low_value_minor)


def _unit(line: Line) -> int | None:
    if line.unit_minor is not None:
        return line.unit_minor
    return line.paid_minor // line.quantity if line.paid_minor is not None and line.quantity else None
