"""Opening hours of a day in local time: when a buyer may be contacted, when a robot may speak."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Self
from zoneinfo import ZoneInfo

from rules.instant import DAY, MINUTE, from_datetime, offset_on, to_datetime

_FIRST = from_datetime(datetime(2, 1, 1, tzinfo=UTC))
_LAST = from_datetime(datetime(9998, 12, 31, tzinfo=UTC))
_FORM = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Hours:
    """Open from `start` up to and excluding `end`, minutes after local midnight; past it when `end` is the earlier."""

    start: int
    end: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads "09:00-21:00", or "20:00-02:00" past midnight. Raises ValueError with the expected form."""
        found = _FORM.fullmatch(text.strip())
        a, b, c, d = map(int, found.groups()) if found else (99, 0, 99, 0)
        start, end = a * 60 + b, c * 60 + d or 24 * 60
        if max(start, end) > 24 * 60:
            raise ValueError(f'{text!r} is no opening hours; write "09:00-21:00"')
        start %= 24 * 60
        if start == end:
            raise ValueError(f"{text!r}: hours that end when they begin are never open; leave them out for always")
        return cls(start, end)

    def is_open(self, instant: int, zone: ZoneInfo) -> bool:
        """Whether the local wall clock shows an open minute."""
        return self._holds(_minute(instant, zone))

    def _holds(self, minute: int) -> bool:
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    def last_open(self, instant: int, zone: ZoneInfo) -> int:
        """The latest open instant at or before `instant` (whole last minute of the day when past its end)."""
        return instant if self.is_open(instant, zone) else _last_open(self.start, self.end, instant, zone)

    def next_open(self, instant: int, zone: ZoneInfo) -> int:
        """The earliest open instant at or after `instant`."""
        if self.is_open(instant, zone):
            return instant
        local = _local(instant, zone)
        for ahead in range(3):
            start = _at(local + timedelta(days=ahead), self.start)
            if start >= instant and self.is_open(start, zone):
                return start
        return instant


@lru_cache(maxsize=4096)
def _last_open(start: int, end: int, instant: int, zone: ZoneInfo) -> int:
    """Of a closed instant. Remembered, since each look at an order asks for the same few deadlines again."""
    local = _local(instant, zone)
    for back in range(3):
        last = _at(local - timedelta(days=back), end - 1)
        if last <= instant and Hours(start, end).is_open(last, zone):
            return last
    return instant


def _at(day: datetime, minute: int) -> int:
    """A wall time of a local day. One the clock skips lies past the gap and may be closed: then another day counts."""
    return from_datetime(day.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0))


def _minute(instant: int, zone: ZoneInfo) -> int:
    """Minutes after local midnight; by the day's offset, which costs a sixth of a conversion."""
    offset = offset_on(min(max(instant, _FIRST), _LAST) // DAY, zone)
    if offset is not None:
        return (min(max(instant, _FIRST), _LAST) + offset) // MINUTE % 1440
    local = _local(instant, zone)
    return local.hour * 60 + local.minute


def _local(instant: int, zone: ZoneInfo) -> datetime:
    """Local time, for instants near the ends of the calendar that of its ends: an absurd date must not raise."""
    return to_datetime(min(max(instant, _FIRST), _LAST), zone)
