"""What a shop's data leaves out, as alerts of their own: orders that nothing can watch, files and rows not used.

Looked for after each poll that brought something. Each order and each refusal is told once, and a shop speaks of
either no more often than once an hour.
"""

from collections.abc import Iterator

import msgspec
from sqlalchemy import Connection, select

from daemon.shops import Shop, Shops
from daemon.store import alerts, refusals, timers, unwatched
from daemon.store.journal import Journal
from daemon.tables import Action
from rules import key
from rules.instant import HOUR, format_utc

A = Action.__table__  # type: ignore[attr-defined]
ID = "gaps"
"""The subject of the timer that looks for them, beside the one that looks for stale data."""
UNWATCHED, REFUSED = "unwatched", "refused"
"""The steps of these alerts."""
_REASONS = {UNWATCHED: "ORDERS_UNWATCHED", REFUSED: "INPUT_REFUSED"}


def wake(connection: Connection, shop: Shop, now: int) -> None:
    """Look at what a shop's data leaves out."""
    timers.wake(connection, timers.WATCH, [(shop.name, ID, shop.seller, now)])


def look(connection: Connection, journal: Journal, shops: Shops, shop: Shop, now: int) -> int | None:
    """Tell what is new among a shop's gaps; when to look again, None = when more data has come."""
    lost = [order.order_id for order in unwatched.found(connection, shop.name)]
    last = refusals.news(connection, shop.name)
    refused = [str(last)] if last is not None else []
    waits = []
    for step, names in ((UNWATCHED, lost), (REFUSED, refused)):
        said = list(_said(connection, shops, shop, step))
        told = {name for _, members in said for name in members}
        if told.issuperset(names):
            continue
        ready = max((at for at, _ in said), default=now - HOUR) + HOUR
        if ready > now:
            waits.append(ready)
            continue
        cause = key.feed(shop.name)
        act = alerts.notice(cause, f"{step}/{format_utc(now)}", step, _REASONS[step])
        alerts.tell(connection, journal, shops, shop, act, cause, now, members=names)
    return min(waits, default=None)


def is_over(connection: Connection, shop: Shop, step: str) -> bool:
    """Whether nothing of what an alert was about is left."""
    if step == UNWATCHED:
        return not unwatched.found(connection, shop.name)
    return step == REFUSED and refusals.news(connection, shop.name) is None


def _said(connection: Connection, shops: Shops, shop: Shop, step: str) -> Iterator[tuple[int, list[str]]]:
    """When somebody was told of such gaps, and of which."""
    query = select(A.c.at, A.c.members).where(
        A.c.cause == key.feed(shop.name), A.c.step == step, A.c.outcome.not_in(alerts.untold(shops))
    )
    for row in connection.execute(query):
        yield row.at, msgspec.json.decode(row.members or "[]")
