"""Parcels whose collection scan nobody can tell us of, on platforms whose clock stops only at that scan.

There `shipped` ends the ship ladder (design §6), though a parcel that no courier has scanned is still late (X3): so the
seller is asked once to look. Where the clock stops at the upload, or the pack knows none, nothing is asked.
"""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from rules.instant import DAY, HOUR, from_datetime, to_datetime
from rules.model import Order
from rules.packs import Pack

NEAR = DAY
"""So near its ship-by time, before or after, an order is worth a look (µs): later the platform has counted it."""
SCANNED = frozenset({"collection_scan", "shipped_and_collected"})
"""Ends of a promise's clock that need the courier's scan."""
FROM = time(10)
"""Local time from which a day's reminder may come: the day's couriers can still be asked."""
AGAIN = HOUR
"""How long until the next look on a day without a reminder so far (µs)."""


def counts(pack: Pack, now: int) -> bool:
    """Whether the platform's clock stops at the collection scan for orders that start now."""
    return any(promise.stop in SCANNED for promise in pack.promise_at(now))


def is_unknown(order: Order, pack: Pack, ship_by: int | None, now: int) -> bool:
    """Whether the order was marked as shipped by a feed that cannot know the scan, and the scan decides about now."""
    if order.status != "shipped" or order.collection_known or order.collected_at is not None or ship_by is None:
        return False
    promise = pack.promise(pack.starts_at(order), order.tags or ())
    return promise is not None and promise.stop in SCANNED and ship_by - NEAR <= now < ship_by + NEAR


def opens_at(now: int, zone: ZoneInfo) -> int:
    """From when today's reminder may come."""
    return _at(to_datetime(now, zone), 0, zone)


def tomorrow(now: int, zone: ZoneInfo) -> int:
    """From when tomorrow's may."""
    return _at(to_datetime(now, zone), 1, zone)


def _at(local: datetime, days: int, zone: ZoneInfo) -> int:
    return from_datetime(datetime.combine(local.date() + timedelta(days=days), FROM, tzinfo=zone))
