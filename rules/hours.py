"""Opening hours of a day in local time: when a buyer may be contacted, when a robot may speak."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from rules.instant import from_datetime, to_datetime

_FORM = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Hours:
    """Open from `start` up to and excluding `end`, minutes after local midnight; start < end."""

    start: int
    end: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads "09:00-21:00". Raises ValueError with the expected form."""
        found = _FORM.fullmatch(text.strip())
        if not found:
            raise ValueError(f'{text!r} is no opening hours; write "09:00-21:00"')
        a, b, c, d = map(int, found.groups())
        start, end = a * 60 + b, c * 60 + d
        if not start < end <= 24 * 60:
            raise ValueError(f"{text!r}: the end must come after the start, on the same day")
        return cls(start, end)

    def is_open(self, instant: int, zone: ZoneInfo) -> bool:
        """Whether the local wall clock shows an open minute."""
        local = to_datetime(instant, zone)
        return self.start <= local.hour * 60 + local.minute < self.end

    def last_open(self, instant: int, zone: ZoneInfo) -> int:
        """The latest open instant at or before `instant` (whole last minute of the day when past its end)."""
        local = to_datetime(instant, zone)
        minute = local.hour * 60 + local.minute
        if self.start <= minute < self.end:
            return instant
        if minute < self.start:
            local -= timedelta(days=1)
        return from_datetime(_at(local, self.end - 1))

    def next_open(self, instant: int, zone: ZoneInfo) -> int:
        """The earliest open instant at or after `instant`."""
        local = to_datetime(instant, zone)
        minute = local.hour * 60 + local.minute
        if self.start <= minute < self.end:
            return instant
        if minute >= self.end:
            local += timedelta(days=1)
        return from_datetime(_at(local, self.start))


def _at(day: datetime, minute: int) -> datetime:
    return day.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0)
