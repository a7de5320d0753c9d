"""Instants: integer UTC microseconds since 1970, and the few conversions rules and edges need.

Rules compare and add instants as plain integers: exact, fast, and untouched by a frozen clock.
Aware datetimes appear only where local time matters (calendars, quiet hours, what people read).
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def from_datetime(moment: datetime) -> int:
    """The instant of an aware datetime; a naive one raises ValueError, never guesses a zone."""
    if moment.tzinfo is None:
        raise ValueError("a time without an offset names no instant")
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(instant: int, zone: ZoneInfo | None = None) -> datetime:
    """The aware datetime of an instant, in `zone` or UTC."""
    moment = _EPOCH + timedelta(microseconds=instant)
    return moment.astimezone(zone) if zone else moment


@lru_cache(maxsize=4096)
def offset_on(day: int, zone: ZoneInfo) -> int | None:
    """How far local clocks are ahead of UTC (µs) all through a UTC day (days since 1970).

    None where they change in it, and at the ends of the calendar. Saves converting each instant (1.5 µs).
    """
    try:
        first, last = (to_datetime(moment, zone).utcoffset() for moment in (day * DAY, (day + 1) * DAY))
    except (OverflowError, ValueError):
        return None
    return None if first is None or first != last else first // _MICROSECOND


def parse(text: str, zone: ZoneInfo | None = None) -> int:
    """The instant named by RFC 3339 text; local text without an offset needs `zone`.

    A leap second (`:60`) reads as `:59`. Of a local time that occurs twice the first is meant.
    Raises ValueError when the text is no time, or has no offset and no zone is given.
    """
    text = text.strip()
    if text[17:19] == "60":
        text = text[:17] + "59" + text[19:]
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError(f"{text!r} has no offset, and the shop has no timezone")
        moment = moment.replace(tzinfo=zone)
    return from_datetime(moment)


@lru_cache(maxsize=4096)
def format_utc(instant: int) -> str:
    """RFC 3339 in UTC, whole seconds, as decision lines and JSON show it: 2026-06-02T01:00:00Z."""
    return to_datetime(instant).strftime("%Y-%m-%dT%H:%M:%SZ")
