"""A receiver that takes nothing for long is news for the others: told once each time it falls silent."""

from sqlalchemy import Connection, RowMapping

from daemon.adapter import Sinks
from daemon.shops import Shops
from daemon.store import alerts, receivers
from daemon.store.journal import Journal
from daemon.store.receivers import Receiver
from rules import key
from rules.instant import HOUR, format_utc
from rules.model import Kind

STEP = "receiver"
"""The step of such an alert."""
AFTER = HOUR
"""How long a receiver may be unwell before the others hear of it (µs)."""


def tell(connection: Connection, journal: Journal, shops: Shops, sinks: Sinks, receiver: Receiver, now: int) -> None:
    """Plan the alert when it is time, in the caller's transaction; where nobody else could be told there is none."""
    shop, since = shops.first(), receiver.since
    others = [outlet for outlet in sinks.for_kind(Kind.ALERT) if outlet.name != receiver.name]
    if shop is None or since is None or now - since < AFTER or not others:
        return
    cause = key.receiver(shop.name, receiver.name)
    act = alerts.notice(cause, format_utc(since), STEP, "RECEIVER_SILENT")
    alerts.tell(connection, journal, shops, shop, act, cause, now)


def about(row: RowMapping) -> str | None:
    """The receiver that an alert is about: it is not sent to that one."""
    return key.receiver_of(row["cause"]) if row["step"] == STEP else None


def is_over(connection: Connection, row: RowMapping) -> bool:
    """Whether the receiver an alert is about takes messages again, or is gone."""
    name = about(row)
    return name is not None and receivers.get(connection, name).since is None
