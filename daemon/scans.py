"""Asking the seller, once a day and shop, whether the courier has scanned what was marked as shipped.

Only where the feed cannot know it and the platform's clock stops at the scan: there `shipped` ends the ship ladder
(design §6). A live look like that at stale data; it decides nothing about an order.
"""

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from daemon.shops import Shop
from daemon.store import alerts, scans, timers
from daemon.store.journal import Journal
from rules import key, scan
from rules.instant import DAY, to_datetime

if TYPE_CHECKING:
    from daemon.engine import Engine

BATCH = 100
REMEMBERED = 4 * DAY
"""How long an order that was asked about is not asked about again (µs): longer than it is worth asking."""


def remind(engine: "Engine", now: int) -> int:
    """Look at the shops that are due and ask what is to be asked, in one transaction; returns how many were due."""
    with engine.database.begin() as tx:
        claims = engine.claim_looks(tx, timers.SCAN, now, BATCH)
        journal = Journal()
        timers.settle(
            tx,
            [
                timers.Result(claim, _ask(engine, tx, journal, engine.shops.get(claim.shop), now), now)
                for claim in claims
            ],
        )
        journal.write(tx, now)
    return len(claims)


def _ask(engine: "Engine", tx: Connection, journal: Journal, shop: Shop, now: int) -> int:
    """Ask if there is anything to ask; returns when to look again."""
    zone, cause = shop.policy.zone, key.scan(shop.name)
    if not shop.policy.playbook.alerts.confirm_scan:
        return scan.tomorrow(now, zone)
    opens_at = scan.opens_at(now, zone)
    if now < opens_at:
        return opens_at
    daily = alerts.notice(cause, f"{scans.STEP}/{to_datetime(now, zone).date()}", scans.STEP, "SCAN_UNKNOWN")
    if alerts.fresh(tx, engine.shops, daily) is not None:
        asked = scans.asked(tx, cause, now - REMEMBERED, alerts.untold(engine.shops))
        names = [name for name in scans.unknown(tx, shop, now) if name not in asked]
        if not names:
            return now + scan.AGAIN
        pack = shop.policy.pack.version(now)
        alerts.tell(tx, journal, engine.shops, shop, daily, cause, now, pack=pack, members=names)
    return scan.tomorrow(now, zone)
