"""What a parcel's journey shows: no courier scan after the upload, no movement after the collection.

Only a feed that tells of scans or tracks can say so; for every other one nothing is found.
"""

from rules.instant import HOUR
from rules.look import Finding, Look
from rules.model import Order, Violation
from rules.playbook import Ladder

UPLOADED = "tracking_uploaded"
"""The start of the pack clock that measures from the upload to the first scan (PD-F1)."""
_NO_SCAN = ("待揽收", "等待揽收", "已下单", "已打印", "电子面单", "label created", "awaiting pickup", "info received")
"""Words of track events that only say the waybill exists; compared in lower case."""


def unscanned(look: Look, ladder: Ladder) -> Finding:
    """Shipped, but the courier has not scanned the parcel within the hours after the upload (24; PD-F1, X3)."""
    order, kind = look.order, Violation.FAKE_SHIPMENT
    obstacle = _not_under_way(order)
    if obstacle is not None:
        return Finding(kind, False, obstacle)
    if order.collected_at is not None or _scans(order):
        return Finding(kind, False, "COLLECTED")
    if order.shipped_at is None or not (order.collection_known or order.tracking is not None):
        return Finding(kind, False, "NO_TRACKING")
    return _running_out(look, ladder, order.shipped_at + _within(look, ladder), "SCAN_MISSING", "SCAN_OVERDUE")


def stalled(look: Look, ladder: Ladder) -> Finding:
    """No new track event: within a day of the collection, later for days (TB-T1, TB-S4; X4)."""
    order, kind = look.order, Violation.TRACK_STALLED
    obstacle = _not_under_way(order)
    if obstacle is not None:
        return Finding(kind, False, obstacle)
    if order.tracking is None:
        return Finding(kind, False, "NO_TRACKING")
    seen = sorted((*_scans(order), *(() if order.collected_at is None else (order.collected_at,))))
    if not seen:
        return Finding(kind, False, "NOT_COLLECTED")
    within = ladder.within if seen[-1] > seen[0] else ladder.first_within
    return _running_out(look, ladder, seen[-1] + within, "TRACK_STANDS", "TRACK_OVERDUE")


def _not_under_way(order: Order) -> str | None:
    match order.status:
        case "shipped":
            return None
        case "delivered" | "completed":
            return "DELIVERED"
        case "cancelled" | "refunded":
            return "ORDER_CLOSED"
        case _:
            return "NOT_SHIPPED"


def _running_out(look: Look, ladder: Ladder, due: int, before: str, after: str) -> Finding:
    """A clock that runs out at `due`: nothing yet, threatening, passed, or so long past that nothing helps."""
    kind, now = ladder.violation, look.now
    opens_at, ends_at = due - ladder.first_lead, due + ladder.auto_close
    if now < opens_at:
        return Finding(kind, False, "NOT_DUE_YET", opens_at)
    if now >= ends_at:
        return Finding(kind, False, "TOO_OLD")
    return Finding(kind, True, before if now < due else after, ends_at, due=due)


def _scans(order: Order) -> tuple[int, ...]:
    """When the courier was seen with the parcel."""
    if not order.tracking:
        return ()
    return tuple(track.at for track in order.tracking if not any(word in track.event.lower() for word in _NO_SCAN))


def _within(look: Look, ladder: Ladder) -> int:
    """The hours between upload and scan: the pack's own clock for this order, else the playbook's (µs)."""
    pack = look.policy.pack
    for row in pack.rows_at(Violation.FAKE_SHIPMENT, pack.starts_at(look.order)):
        if row.clock is not None and row.clock.start == UPLOADED:
            return row.clock.hours * HOUR
    return ladder.within
