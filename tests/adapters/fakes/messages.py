"""Messages and settings that the tests of sinks share."""

from adapters.base import Message, SinkSettings
from rules.instant import parse
from rules.model import Kind

NOW = parse("2026-06-02T01:00:00Z")


def alert(
    key: str = "north/240601-1/late_shipment/1/alert", *, title: str = "3 orders late", text: str = ""
) -> Message:
    """An alert about three orders of shop north."""
    body = text or "1 order before 11:00\n2 orders before 18:00"
    return Message(key=key, kind=Kind.ALERT, shop="north", title=title, text=body, data={"count": 3})


def settings(**options: str) -> SinkSettings:
    """Settings of a sink called ops."""
    return SinkSettings(name="ops", options=options)
