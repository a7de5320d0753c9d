"""Workdays, warehouses and courier pick-ups in local time; durations as people write them."""

import re
import tomllib
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from rules.errors import PolicyError
from rules.instant import DAY, HOUR, MINUTE, SECOND, from_datetime, to_datetime

SEARCH_DAYS = 60
"""How far back a pick-up is looked for: longer than any festival closure, yet bounded."""

_WEEKDAYS = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6} | {
    f"{prefix}{name}": number for prefix in ("周", "星期") for number, name in enumerate("一二三四五六日")
}
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)|24:00")
_UNITS = {
    "s": SECOND, "秒": SECOND, "m": MINUTE, "min": MINUTE, "分": MINUTE, "分钟": MINUTE,
    "h": HOUR, "小时": HOUR, "时": HOUR, "d": DAY, "天": DAY, "日": DAY, "w": 7 * DAY, "周": 7 * DAY,
}  # fmt: skip
_PART = re.compile(r"(\d{1,9})(" + "|".join(sorted(_UNITS, key=len, reverse=True)) + ")")
_ISO = re.compile(r"p(?:(\d{1,9})w)?(?:(\d{1,9})d)?(?:t(?=\d)(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?)?")


def duration(text: str) -> int:
    """Microseconds of "48h", "30m", "2d", "1d12h", "90分钟" or ISO 8601 "PT4H". Raises PolicyError."""
    compact = "".join(text.split()).lower()
    parts = _PART.findall(compact)
    if parts and "".join(number + unit for number, unit in parts) == compact:
        return sum(int(number) * _UNITS[unit] for number, unit in parts)
    iso = _ISO.fullmatch(compact)
    if iso and any(iso.groups()):
        units = (7 * DAY, DAY, HOUR, MINUTE, SECOND)
        return sum(int(number or 0) * unit for number, unit in zip(iso.groups(), units, strict=True))
    raise PolicyError(f"{text!r} is no duration", mend='write "48h", "30m", "2d" or "PT4H"')


@dataclass(frozen=True, slots=True)
class Override:
    """A year as the government's notice has it: days off and made-up workdays."""

    off: frozenset[date]
    work: frozenset[date]


@lru_cache(maxsize=64)
def _override(country: str, year: int) -> Override | None:
    name = f"{country.lower()}-{year}.toml"
    file = files("rules").joinpath("data", "calendar", name)
    if not file.is_file():
        return None
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    return Override(frozenset(table["off"]), frozenset(table["work"]))


@dataclass(frozen=True, slots=True)
class Statute:
    """A country's year by the `holidays` package: days off, made-up workdays, weekend weekdays."""

    off: frozenset[date]
    work: frozenset[date]
    weekend: frozenset[int]


@lru_cache(maxsize=64)
def _statute(country: str, year: int) -> Statute:
    import holidays as statutes  # takes longer to load than most commands have

    try:
        known = statutes.country_holidays(country.upper(), years=(year - 1, year, year + 1))
    except NotImplementedError as error:
        mend = 'write an ISO country code such as "CN"'
        raise PolicyError(f"no holidays are known for {country!r}", mend=mend) from error
    work = frozenset(known.weekend_workdays)
    off = set(known) - work
    if country.upper() == "CN":
        off |= _bridged(off, work)
    this_year = frozenset(day for day in work if day.year == year)
    return Statute(frozenset(off), this_year, frozenset(known.weekend))


def _bridged(off: set[date], work: frozenset[date]) -> set[date]:
    """The weekends that touch a day off: China's notices count them into the break."""
    joined = set(off)
    for day in off:
        for step in (1, -1):
            near = day + timedelta(days=step)
            while near.weekday() >= 5 and near not in work:
                joined.add(near)
                near += timedelta(days=step)
    return joined


def coverage(year: int, country: str = "CN") -> bool:
    """Whether the year's made-up workdays are known; a missing year is reported, never guessed.

    China announces them by a yearly notice; without it `holidays` answers from statute alone.
    """
    if _override(country, year):
        return True
    return country.upper() != "CN" or bool(_statute(country, year).work)


def is_holiday(day: date, country: str) -> bool:
    """Whether a day is off by statute, notice or substitution; a plain weekend is none, one in a break is."""
    return day in (_override(country, day.year) or _statute(country, day.year)).off


def is_made_up(day: date, country: str) -> bool:
    """Whether a weekend day is worked in exchange for a bridge day (调休)."""
    return day in (_override(country, day.year) or _statute(country, day.year)).work


def is_workday(day: date, country: str) -> bool:
    """Whether people work: no holiday, and no weekend unless made up. Raises PolicyError: unknown country."""
    if is_holiday(day, country):
        return False
    return is_made_up(day, country) or day.weekday() not in _statute(country, day.year).weekend


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Where parcels leave: opening hours, courier pick-ups and how long the courier's scan takes.

    `spans` holds per weekday (0 = Monday) the open minutes after local midnight, ends included.
    """

    open: str
    pickups: tuple[str, ...]
    scan_lag_us: int
    zone: ZoneInfo
    holidays: str | None = None
    spans: tuple[tuple[tuple[int, int], ...], ...] = ()
    tables: dict[int, tuple[int, ...]] = field(default_factory=dict, compare=False, repr=False)


def warehouse(
    open: str,
    pickups: tuple[str, ...] | list[str],
    scan_lag: str,
    zone: ZoneInfo,
    holidays: str | None = None,
) -> Warehouse:
    """A warehouse from its configuration: "Mon-Sat 09:00-18:00", ["11:00", "18:00"], "2h".

    Without pick-ups the closing time of each span is the pick-up. `holidays` is a country code whose
    days off close the warehouse. Raises PolicyError saying what to write instead.
    """
    spans = _spans(open)
    minutes = sorted({_minute(text) for text in pickups})
    for minute in minutes:
        if not any(start <= minute <= end for day in spans for start, end in day):
            problem = f"pick-up {minute // 60:02}:{minute % 60:02} is outside every opening time of {open!r}"
            raise PolicyError(problem, where="warehouse.pickups", mend="widen open, or correct the pick-up")
    if holidays:
        _statute(holidays, 2026)
    names = tuple(f"{minute // 60:02}:{minute % 60:02}" for minute in minutes)
    return Warehouse(open, names, duration(scan_lag), zone, holidays, spans)


def _spans(text: str) -> tuple[tuple[tuple[int, int], ...], ...]:
    days: list[list[tuple[int, int]]] = [[] for _ in range(7)]
    chosen: set[int] = set()
    fresh = True
    for word in text.replace(",", " ").replace("，", " ").split():
        if word[0].isdigit():
            for day in chosen or range(7):
                days[day].append(_range(word, text))
            fresh = True
        else:
            chosen = _weekdays(word, text) | (set() if fresh else chosen)
            fresh = False
    if not fresh or not any(days):
        raise _bad_open(text, "no hours follow the days")
    return tuple(tuple(sorted(day)) for day in days)


def _bad_open(text: str, problem: str) -> PolicyError:
    return PolicyError(f"{text!r}: {problem}", where="warehouse.open", mend='write "Mon-Sat 09:00-18:00"')


def _weekdays(word: str, text: str) -> set[int]:
    if word.lower() in ("daily", "每天"):
        return set(range(7))
    ends = [_WEEKDAYS.get(name) for name in word.lower().replace("至", "-").split("-")]
    if len(ends) > 2 or None in ends:
        raise _bad_open(text, f"{word!r} names no weekday")
    first, last = ends[0] or 0, ends[-1] or 0
    return {(first + step) % 7 for step in range((last - first) % 7 + 1)}


def _range(word: str, text: str) -> tuple[int, int]:
    parts = word.split("-")
    try:
        start, end = map(_minute, parts)
    except ValueError as error:
        raise _bad_open(text, f"{word!r} is no span of hours") from error
    if start >= end:
        raise _bad_open(text, f"{word!r} must end after it starts, on the same day")
    return start, end


def _minute(text: str) -> int:
    found = _CLOCK.fullmatch(text.strip())
    if not found:
        raise PolicyError(f"{text!r} is no time of day", where="warehouse", mend='write "18:00"')
    return int(found[1]) * 60 + int(found[2]) if found[1] else 24 * 60


def is_open(house: Warehouse, day: date) -> bool:
    """Whether parcels can leave on a local day."""
    return bool(_spans_on(house, day))


def _spans_on(house: Warehouse, day: date) -> tuple[tuple[int, int], ...]:
    spans = house.spans[day.weekday()]
    if house.holidays:
        if is_holiday(day, house.holidays):
            return ()
        if not spans and is_made_up(day, house.holidays):
            # The notice says people work, not when: the first open weekday's hours stand in.
            return next(span for span in house.spans if span)
    return spans


def pickups_on(house: Warehouse, day: date) -> tuple[int, ...]:
    """The open pick-ups of a local day as instants (µs), in order.

    A wall time the clock skips is moved past the gap; of one shown twice the first is meant, since a
    courier that might come only once must be met the first time.
    """
    spans = _spans_on(house, day)
    minutes = [_minute(text) for text in house.pickups] or [end for _, end in spans]
    kept = [minute for minute in minutes if any(start <= minute <= end for start, end in spans)]
    return tuple(sorted(_instant(day, minute, house.zone) for minute in kept))


def _instant(day: date, minute: int, zone: ZoneInfo) -> int:
    # Wall-clock arithmetic on a naive time, so that 24:00 is the next day's midnight; the zone comes last.
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    return from_datetime(wall.replace(tzinfo=zone))


def last_pickup(house: Warehouse, not_after: int) -> int | None:
    """The last open pick-up at or before an instant (µs); None when none in the 60 days before.

    Answers come from a table per UTC day: its pick-ups, led by the last one before it.
    """
    day = not_after // DAY
    known = house.tables.get(day)
    if known is None:
        if len(house.tables) >= 4096:
            house.tables.clear()
        known = house.tables[day] = _table(house, day)
    index = bisect_right(known, not_after)
    return known[index - 1] if index else None


def _table(house: Warehouse, day: int) -> tuple[int, ...]:
    begin = day * DAY
    local = to_datetime(begin, house.zone).date()
    inside: list[int] = []
    for ahead in range(-1, 3):
        inside += [p for p in pickups_on(house, local + timedelta(days=ahead)) if begin <= p < begin + DAY]
    for back in range(-1, SEARCH_DAYS + 1):
        before = [p for p in pickups_on(house, local - timedelta(days=back)) if p < begin]
        if before:
            return (before[-1], *inside)
    return tuple(inside)
