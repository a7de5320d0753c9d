"""Who is told: what a start or a reload changes about receivers, and what must be told anew because of it."""

from sqlalchemy import Connection

from daemon import delivery
from daemon.adapter import Sinks
from daemon.shops import Shops
from daemon.store import causes, deliveries, meta, receivers
from rules.model import Kind

_MODE = "alert_mode"


def taken_on(connection: Connection, sinks: Sinks, shops: Shops, now: int) -> None:
    """Let what nobody has yet go to the receivers that are configured now.

    1. A receiver with other settings is asked at once. 2. What waited for one that is gone goes to all others.
    3. Alerts that went live: what is open was told nobody in shadow, so every cause is looked at again.
    """
    changed = receivers.configured(connection, {name: outlet.settings for name, outlet in sinks.outlets.items()})
    for name in sorted(changed):
        deliveries.hasten(connection, name, now)
    known = [(name, kind) for name, outlet in sinks.outlets.items() for kind in outlet.kinds]
    for row in deliveries.take_back(connection, known):
        delivery.queue(connection, sinks, shops, row, deliveries.carried(row), now)
    before, mode = meta.get(connection, _MODE), shops.mode(Kind.ALERT)
    if mode != before:
        meta.put(connection, _MODE, mode)
    if mode == "live" and before == "shadow":
        causes.wake_open(connection, now)
