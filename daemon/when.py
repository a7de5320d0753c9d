"""A moment as people write it on a command line: 2h, 08:30, tomorrow 08:30, 明天 08:30, 11-30 08:30.

Whatever `show.moment` prints is read back as the same minute.
"""

import re
import unicodedata
from calendar import isleap
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from daemon.show import SMALL_HOURS
from rules.calendars import duration
from rules.errors import PolicyError
from rules.instant import DAY, from_datetime, parse, to_datetime

DAYS = {
    "yesterday": -1,
    "today": 0,
    "tomorrow": 1,
    "昨天": -1,
    "今天": 0,
    "今早": 0,
    "明天": 1,
    "明早": 1,
    "明晚": 1,
    "后天": 2,
}
NIGHT = ("tonight", "今晚")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))? ?(am|pm)?|(\d{1,2}) ?(am|pm)|(\d{1,2})点(?:(半)|(\d{1,2})分?)?")
_DATE = re.compile(r"(?:(\d{4})[-/年])?(\d{1,2})[-/月](\d{1,2})日?")
_AWAY = re.compile(r"(?:(-|in )(.+)|(.+?) ?(ago|前|后|later))")


def read(text: str, now: int, zone: ZoneInfo, *, past: bool = False) -> int:
    """The instant that `text` names, seen from `now`, in local time of `zone` where it names no offset.

    `past`: a span or a time of day alone means the last one, not the next one. Raises ValueError.
    """
    said = unicodedata.normalize("NFKC", text).strip().lower()
    if said in ("now", "现在"):
        return now
    with suppress(ValueError):
        return parse(said.upper(), zone)
    span = _span(said, past)
    if span is not None:
        return now + span
    words, clock = _clock(said)
    here = to_datetime(now, zone)
    if words:
        return from_datetime(datetime.combine(_day(words, clock, here), clock, zone))
    today = from_datetime(datetime.combine(here, clock, zone))
    away = timedelta(days=(today <= now) - (1 if past else 0))
    return from_datetime(datetime.combine(here + away, clock, zone))


def _span(said: str, past: bool) -> int | None:
    """Microseconds from now: 2h (back where `past`), -2h, in 2h, 2h ago, 2小时后."""
    away = _AWAY.fullmatch(said)
    if away is not None:
        said, past = away[2] or away[3], (away[1] or away[4]) in ("-", "ago", "前")
    try:
        span = duration(said.strip().replace("个小时", "小时"))
    except PolicyError:
        return None
    if span > 3660 * DAY:
        raise ValueError(f"{said} is longer than ten years")
    return -span if past else span


def _clock(said: str) -> tuple[str, time]:
    """(what stands before it, the time of day at the end). Raises ValueError where there is none."""
    for start in range(len(said)):
        found = _CLOCK.fullmatch(said, start)
        if found is not None and (start == 0 or not said[start - 1].isdigit()):
            hours, minutes, seconds, half, alone, alone_half, spoken, and_half, past_hour = found.groups()
            hour = int(hours or alone or spoken)
            if half or alone_half:
                if not 1 <= hour <= 12:
                    raise ValueError(f"{said}: no such hour")
                hour = hour % 12 + (12 if "pm" in (half, alone_half) else 0)
            minute = 30 if and_half else int(minutes or past_hour or 0)
            return said[:start].rstrip(", "), time(hour, minute, int(seconds or 0))
    raise ValueError(f"{said!r} names no time of day")


def _day(words: str, clock: time, now: datetime) -> date:
    """The day that the words before a time of day name. Raises ValueError where it is none."""
    if words in DAYS:
        return now.date() + timedelta(days=DAYS[words])
    if words in NIGHT:
        late = clock.hour < SMALL_HOURS <= now.hour
        return now.date() + timedelta(days=1 if late else 0)
    found = _DATE.fullmatch(words)
    if found is None:
        raise ValueError(f"{words!r} names no day")
    year, month, day = found.groups()
    return date(int(year), int(month), int(day)) if year else _nearest(int(month), int(day), now.date())


def _nearest(month: int, day: int, today: date) -> date:
    """The day of that month and number that is nearest to today: in December, 01-03 is next year's."""
    years = range(today.year - 4, today.year + 5) if (month, day) == (2, 29) else range(today.year - 1, today.year + 2)
    days = [date(year, month, day) for year in years if (month, day) != (2, 29) or isleap(year)]
    return min(days, key=lambda one: abs(one - today))
