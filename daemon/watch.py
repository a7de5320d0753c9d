"""Watching the feeds themselves: data that stays away is an alert of its own, told once until it is back."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from daemon import gaps
from daemon.shops import Shop
from daemon.store import alerts, feeds, timers
from daemon.store.journal import Journal
from rules import key
from rules.decide import Act
from rules.instant import format_utc

if TYPE_CHECKING:
    from daemon.engine import Engine

BATCH = 500


def watch(engine: "Engine", now: int) -> int:
    """Tell the seller about feeds whose data has become too old, or leaves something out; look again in time.

    Returns how many were looked at for their age.
    """
    with engine.database.begin() as tx:
        claims = engine.claim_looks(tx, timers.WATCH, now, BATCH)
        journal = Journal()
        for claim in claims:
            shop = engine.shops.get(claim.shop)
            if claim.id == gaps.ID:
                timers.settle(tx, [timers.Result(claim, gaps.look(tx, journal, engine.shops, shop, now), now)])
                continue
            watermark = _watermark(tx, shop)
            due = None
            if shop.stale_after is not None and watermark is not None and is_fresh(tx, shop, now):
                due = watermark + shop.stale_after
            elif shop.stale_after is not None:
                alerts.tell(tx, journal, engine.shops, shop, _stale(shop, watermark), key.feed(shop.name), now)
            timers.settle(tx, [timers.Result(claim, due, now)])
        journal.write(tx, now)
    return sum(claim.id != gaps.ID for claim in claims)


def is_fresh(tx: Connection, shop: Shop, now: int) -> bool:
    """Whether a shop's data is not too old (any more), or nobody watches it."""
    watermark = _watermark(tx, shop)
    return shop.stale_after is None or (watermark is not None and now < watermark + shop.stale_after)


def _watermark(tx: Connection, shop: Shop) -> int | None:
    row = feeds.get(tx, shop.name)
    return row["watermark"] if row else None


def _stale(shop: Shop, watermark: int | None) -> Act:
    """One alert per silence: its key names the last data there was."""
    since = format_utc(watermark) if watermark is not None else "never"
    return alerts.notice(key.feed(shop.name), f"stale/{since}", "stale", "FEED_STALE")
