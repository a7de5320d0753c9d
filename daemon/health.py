"""Shop health: look at a shop when something happened to it, and tell the seller before a line is crossed."""

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from daemon.shops import Shop
from daemon.store import alerts, health, timers
from daemon.store.journal import Journal
from rules import key
from rules.decide import Act
from rules.health import Reading
from rules.instant import HOUR
from rules.model import Violation
from rules.packs import local_date, midnight

if TYPE_CHECKING:
    from daemon.engine import Engine

BATCH = 100
EVERY = HOUR
"""How often a shop is looked at though nothing happens (µs), if it is near a line, or orders can threaten one by time
alone: that of a day's stock-outs. All others only move at midnight, when their windows do."""


def look(engine: "Engine", now: int) -> int:
    """Read the gauges of the shops that are due and put down what the seller must hear, in one transaction."""
    with engine.database.begin() as tx:
        claims = engine.claim_looks(tx, timers.HEALTH, now, BATCH)
        journal = Journal()
        for claim in claims:
            shop = engine.shops.get(claim.shop)
            readings = health.readings(tx, shop, now)
            for reading in readings:
                if reading.state in ("near", "over"):
                    _tell(engine, tx, journal, shop, reading, now)
            timers.settle(tx, [timers.Result(claim, _next(shop, readings, now), now)])
        journal.write(tx, now)
    return len(claims)


def _next(shop: Shop, readings: tuple[Reading, ...], now: int) -> int | None:
    """When a shop is looked at again, unless something happens to it before; None where nothing is counted."""
    if not readings:
        return None
    if any(reading.state in ("near", "over") or reading.gauge.period == "day" for reading in readings):
        return now + EVERY
    zone = shop.policy.pack.zone
    return midnight(local_date(now, zone) + timedelta(days=1), zone)


def _tell(engine: "Engine", tx: Connection, journal: Journal, shop: Shop, reading: Reading, now: int) -> None:
    act, pack = _alert(shop, reading, now), shop.policy.pack.version(now)
    alerts.tell(tx, journal, engine.shops, shop, act, _cause(shop, reading), now, pack=pack)


def _alert(shop: Shop, reading: Reading, now: int) -> Act:
    """One alert per gauge, state and local day of its newest incident: what only grows older is not told again."""
    newest = now if reading.newest is None else reading.newest
    day = local_date(newest, shop.policy.pack.zone)
    reason = "LINE_CROSSED" if reading.state == "over" else "LINE_NEAR"
    violation = Violation.STOCK_OUT if reading.gauge.period == "day" else Violation.DISPUTE
    return alerts.notice(_cause(shop, reading), f"{reading.state}/{day}", "health", reason, violation)


def _cause(shop: Shop, reading: Reading) -> str:
    return key.health(shop.name, reading.gauge.metric, reading.gauge.period)
