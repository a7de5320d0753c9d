"""Dates as people write them (28/11/2026, Nov-28-26, 28 de noviembre de 2026 10:00) → ISO text, exactly or not at all.

Three numbers can be two or three days. `readings` tells all of them; whoever knows the column, or what the shop
states, chooses. Nothing is guessed here.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

Order = Literal["DMY", "MDY", "YMD"]
ORDERS: tuple[Order, ...] = ("DMY", "MDY", "YMD")

_CLOCK = re.compile(
    r"(?<!\d)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?(?: ?([AaPp])\.? ?[Mm]\.?)?"
    r"(?: ?(Z|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?|[A-Z]{2,5}))?(?![\d:])"
)
_POINTS = re.compile(r"(?<=[\d,] )(\d{1,2})\.(\d{2})(?:\.(\d{2}))?()()$")
"""A time of day with points, as Finns, Danes and Indonesians write it; only after a date and a blank."""
_NUMBERS = re.compile(r"(\d{1,4}) ?([-/. ]) ?(\d{1,2}) ?\2 ?(\d{1,4})\.?")
_COMPACT = re.compile(r"(20\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)")
_WORDS = re.compile(r"\d+|[^\W\d_]+")
_IDLE = frozenset(
    ["de", "del", "of", "at", "the", "a", "las", "um", "uhr", "hs", "hrs", "h", "kl", "th", "st", "nd", "rd", "в", "le"]
)
"""Words in a date that say nothing."""
_LANGUAGES = [
    "en",
    "es",
    "pt",
    "de",
    "fr",
    "it",
    "nl",
    "pl",
    "tr",
    "id",
    "vi",
    "sv",
    "da",
    "nb",
    "fi",
    "cs",
    "ro",
    "hu",
    "ru",
    "uk",
    "el",
]
_PIVOT = 80
"""Years of two digits below it are of this century, the others of the last."""


class _Parts(NamedTuple):
    """A date taken apart: its numbers as written, its month where that is a word."""

    numbers: tuple[str, ...]
    month: int | None


def readings(text: str, zone: ZoneInfo | None) -> Mapping[Order, str]:
    """What the text is by each order of day, month and year under which it is a time, as ISO; empty for no time."""
    text = text.strip()
    compact = _COMPACT.fullmatch(text)
    if compact:
        text = "{}-{}-{} {}:{}:{}".format(*compact.groups())
    found = _CLOCK.search(text) or _POINTS.search(text)
    before, after = (text[: found.start()].removesuffix("T"), text[found.end() :]) if found else (text, "")
    parts = _parts(f"{before} {after}".strip(" ,\t"))
    made: dict[Order, str] = {}
    for order in ORDERS if parts else ():
        day = _day(parts, order) if parts else None
        clock = _clock(found, day, zone) if found and day else ""
        if day is not None and clock is not None:
            made[order] = f"{day}{clock}"
    return made


def order_of(pattern: str) -> Order:
    """The order a shop states, as in "DD/MM/YYYY HH:mm" or "MMM-DD-YY"; raises ValueError.

    Only the order of D, M and Y counts: separators, names of months and times of day are understood anyway.
    """
    day = re.sub(r"[Hhms:.]*:[Hhms:.]*|[Aa]\b|\s", "", pattern)
    letters = re.sub(r"(.)\1+", r"\1", "".join(char for char in day.upper() if char in "DMY"))
    for order in ORDERS:
        if letters == order and not set(day.upper()) - set("DMY-/., 年月日T"):
            return order
    raise ValueError(f'dates: {pattern!r} is no way to write a date; write it as in "DD/MM/YYYY" or "MM/DD/YYYY HH:mm"')


@lru_cache(maxsize=4096)
def _parts(text: str) -> _Parts | None:
    plain = _NUMBERS.fullmatch(text)
    numbers, month = (plain.group(1, 3, 4), None) if plain else _named(text)
    return _Parts(numbers, month) if len(numbers) + (month is not None) == 3 else None


def _named(rest: str) -> tuple[tuple[str, ...], int | None]:
    """The numbers and the month of a date with a month in words; no numbers when a word is unknown."""
    words = _WORDS.findall(rest.casefold())
    numbers = tuple(one for one in words if one.isdigit())
    names = [one for one in words if not one.isdigit() and one not in _IDLE]
    months = [one for one in names if one in _MONTHS or one in _months()]
    if len(months) > 1:  # "mar" is a Tuesday, too
        months = [one for one in months if one not in _weekdays()]
    if len(months) != 1 or any(one not in months and one not in _weekdays() for one in names):
        return (), None
    if any(len(one) > 4 for one in numbers):
        return (), None
    return numbers, _MONTHS.get(months[0]) or _months()[months[0]]


@lru_cache(maxsize=4096)
def _day(parts: _Parts, order: Order) -> date | None:
    """The day by that order; a year of four digits is the year wherever it stands."""
    numbers = parts.numbers
    if parts.month is not None:
        first, last = numbers
        year, day = (first, last) if len(first) == 4 else (last, first)
        month = parts.month
        return _made(year, month, day)
    first, middle, last = numbers
    if len(first) == 4 or (order == "YMD" and len(last) <= 2):
        return _made(first, int(middle), last)
    if order == "YMD":
        return None
    return _made(last, int(middle), first) if order == "DMY" else _made(last, int(first), middle)


def _made(year: str, month: int, day: str) -> date | None:
    if len(year) not in (2, 4) or len(day) > 2:
        return None
    number = int(year)
    if len(year) == 2:
        number += 2000 if number < _PIVOT else 1900
    try:
        return date(number, month, int(day))
    except ValueError:
        return None


def _clock(found: re.Match[str], day: date, zone: ZoneInfo | None) -> str | None:
    """The time of day with its offset as ISO; None for one that is none, or of a zone that is not the shop's."""
    hour, minute, second, half, offset = found.groups()
    hours = int(hour)
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half in "Pp" else 0)
    if hours > 23 or int(minute) > 59:
        return None
    clock = f"T{hours:02}:{minute}:{second or '00'}"
    if not offset:
        return clock
    if offset in ("Z", "UTC", "GMT"):
        return f"{clock}+00:00"
    signed = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?", offset)
    if signed:
        return f"{clock}{signed[1]}{signed[2]:0>2}:{signed[3] or '00'}"
    local = datetime.fromisoformat(f"{day}{clock}").replace(tzinfo=zone) if zone else None
    return clock if local is not None and local.tzname() == offset else None


_MONTHS = {
    name: number
    for number, names in enumerate(
        [
            "jan january",
            "feb february",
            "mar march",
            "apr april",
            "may",
            "jun june",
            "jul july",
            "aug august",
            "sep sept september",
            "oct october",
            "nov november",
            "dec december",
        ],
        1,
    )
    for name in names.split()
}


@lru_cache(maxsize=1)
def _months() -> Mapping[str, int]:
    """Months in the languages of large marketplaces; a name that is two months in two languages is none."""
    found: dict[str, set[int]] = {}
    for months in _babel("months"):
        for number, name in months.items():
            found.setdefault(name, set()).add(number)
    return {name: min(numbers) for name, numbers in found.items() if len(numbers) == 1}


@lru_cache(maxsize=1)
def _weekdays() -> frozenset[str]:
    """Names of days; of two letters they are words in other languages ("to" is a Finnish Thursday)."""
    return frozenset(name for days in _babel("days") for name in days.values() if len(name) > 2)


def _babel(what: Literal["months", "days"]) -> list[dict[int, str]]:
    """Names of months (1 to 12) or days, without points and case; the library is loaded only where a file has them."""
    from babel import Locale

    locales = [Locale.parse(language) for language in _LANGUAGES]
    return [
        {number: name.casefold().rstrip(".") for number, name in getattr(locale, what)[form][width].items()}
        for locale in locales
        for form in ("format", "stand-alone")
        for width in ("wide", "abbreviated")
    ]
