"""Feeds: how far each has been read, how it is doing, what it could not use."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from adapters.base import Page, Rejected
from daemon.shops import Shop
from daemon.store import timers
from daemon.store.upsert import upsert
from daemon.tables import Feed, Order, Quarantine, Seen
from rules import scan
from rules.health import gauges
from rules.instant import HOUR

F = Feed.__table__  # type: ignore[attr-defined]
O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741
S = Seen.__table__  # type: ignore[attr-defined]
Q = Quarantine.__table__  # type: ignore[attr-defined]
_DIALECTS = ("sqlite", "postgresql")
LONGEST_WAIT = HOUR
"""How long a feed that fails is left alone at most (µs), whatever the other side says."""
KEPT = 10_000
"""Refused rows of one page that are kept; the count goes on."""


def ensure(connection: Connection, shop: Shop, now: int) -> None:
    """Make the feed's row and timers on first sight; an existing feed is left as it is."""
    is_new = get(connection, shop.name) is None
    connection.execute(_ADD[connection.dialect.name], {"shop": shop.name, "seller": shop.seller})
    if is_new:  # a shop that was given up: its feed tells anew what still is
        connection.execute(delete(O).where(O.c.shop == shop.name, O.c.is_open.is_(False)))
        connection.execute(delete(S).where(S.c.shop == shop.name))
    known = timers.due_of(connection, timers.FEED, [(shop.name, "feed")])
    if known.get((shop.name, "feed")) is None:
        timers.wake(connection, timers.FEED, [(shop.name, "feed", shop.seller, now)])
    if gauges(shop.policy.pack, now):
        timers.wake(connection, timers.HEALTH, [(shop.name, "shop", shop.seller, now)])
    if scan.counts(shop.policy.pack, now):
        timers.wake(connection, timers.SCAN, [(shop.name, "shop", shop.seller, now)])
    if shop.stale_after is not None:
        watched = timers.due_of(connection, timers.WATCH, [(shop.name, "feed")])
        if watched.get((shop.name, "feed")) is None:
            timers.wake(connection, timers.WATCH, [(shop.name, "feed", shop.seller, now + shop.stale_after)])


def cap(connection: Connection, shops: Iterable[Shop], now: int, early: int) -> None:
    """Let no feed wait longer than its period, one that fails no longer than an hour; look for stale data in time.

    What is due within `early` µs is due at once.
    """
    for shop in shops:
        patience = max(shop.poll_every, LONGEST_WAIT)
        timers.cap(connection, timers.FEED, shop.name, now, shop.poll_every, patience, early)
        if shop.stale_after is not None:
            timers.cap(connection, timers.WATCH, shop.name, now, shop.stale_after, shop.stale_after)


def get(connection: Connection, shop: str) -> RowMapping | None:
    """The feed's row."""
    return connection.execute(_OF_SHOP, {"b_shop": shop}).mappings().first()


def save_page(connection: Connection, shop: Shop, page: Page, now: int) -> bool:
    """Keep cursor, watermark, rejected rows and unknown keys of a page, in the page's transaction.

    Returns whether the feed was failing before: it is well again once it is read to its end.
    """
    before = get(connection, shop.name)
    known = [before["watermark"] if before else None, page.watermark]
    # what claims to be known beyond now was dated by a wrong clock, and would never become stale
    watermark = max((min(mark, now) for mark in known if mark is not None), default=None)
    values = {
        "b_shop": shop.name,
        "b_cursor": page.cursor,
        "b_watermark": watermark,
        "b_now": now,
        "b_rejected": len(page.rejected),
        "b_unknown": _counted(before["unknown_keys"] if before else "{}", page.unknown_keys),
    }
    connection.execute(_SAVE_PAGE if page.more else _SAVE_LAST, values)
    quarantine(connection, shop.name, list(page.rejected), now)
    if shop.stale_after is not None and watermark is not None:
        timers.wake(connection, timers.WATCH, [(shop.name, "feed", shop.seller, watermark + shop.stale_after)])
    return before is not None and before["failing_since"] is not None and not page.more


def quarantine(connection: Connection, shop: str, rejected: list[Rejected], now: int) -> None:
    """Keep rows that could not be used, with place and mend."""
    rows = [
        {"shop": shop, "source": r.source, "line": r.line, "reason": r.reason, "mend": r.mend, "seen_at": now}
        for r in rejected
    ]
    if rows:
        connection.execute(insert(Q), rows[:KEPT])


def save_error(connection: Connection, shop: str, error: str, now: int) -> bool:
    """Note that a poll failed; returns whether the feed was well before (it broke just now)."""
    row = get(connection, shop)
    broke = row is not None and row["failing_since"] is None
    values: dict[str, Any] = {"error": error[:500]}
    if broke:
        values["failing_since"] = now
    connection.execute(update(F).where(F.c.shop == shop).values(**values))
    return broke


def statuses(connection: Connection) -> list[RowMapping]:
    """All feeds by shop."""
    return list(connection.execute(select(F).order_by(F.c.shop)).mappings())


def rejected(connection: Connection, shop: str | None = None, most: int = 100) -> list[RowMapping]:
    """The newest rows that could not be used."""
    query = select(Q).order_by(Q.c.id.desc()).limit(most)
    if shop is not None:
        query = query.where(Q.c.shop == shop)
    return list(connection.execute(query).mappings())


def _counted(before: str, more: Mapping[str, int]) -> str:
    if not more:
        return before
    counts: dict[str, int] = msgspec.json.decode(before)
    for name, count in more.items():
        counts[name] = counts.get(name, 0) + count
    kept = dict(sorted(counts.items(), key=lambda item: -item[1])[:200])
    return msgspec.json.encode(kept).decode()


_OF_SHOP = select(F).where(F.c.shop == bindparam("b_shop"))
_SAVE_PAGE = (
    update(F)
    .where(F.c.shop == bindparam("b_shop"))
    .values(
        cursor=bindparam("b_cursor"),
        watermark=bindparam("b_watermark"),
        last_success=bindparam("b_now"),
        quarantined=F.c.quarantined + bindparam("b_rejected"),
        unknown_keys=bindparam("b_unknown"),
    )
)
_SAVE_LAST = _SAVE_PAGE.values(failing_since=None, error=None)
_ADD = {d: upsert(d, F, ("shop",), None) for d in _DIALECTS}
