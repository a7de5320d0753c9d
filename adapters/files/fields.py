"""Canonical fields (contract §4): from JSON values or texts to the normalised values of a `Snapshot`.

A converter takes a value, the field's name and the shop's `Reading`, and returns the normalised value;
it raises `Refusal` for what the field cannot hold. None passes through where a field may be cleared.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from adapters.base import Json
from adapters.files import cells, privacy
from adapters.files.refusal import Refusal, culprit, shown
from rules import instant
from rules.model import EVENTS, FLAGS, STATUSES

EARLIEST = instant.parse("1980-01-01T00:00:00Z")
LATEST = instant.parse("2200-01-01T00:00:00Z")
MOST_LINES = 1_000
MOST_WORDS = 100
MOST_TRACKS = 1_000

_BARE_DATE = re.compile(r"\d{4}-?\d{2}-?\d{2}|\d{4}-?W\d{2}-?\d")
_DATE_CHARS = 10
_LAST_SECOND = instant.HOUR - instant.SECOND
_CURRENCY = re.compile(r"[A-Z]{3}")
_CONTROLS = dict.fromkeys([*range(32), 127], " ")
MOST_HOURS = 24 * 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one shop's values are read: the zone of local times (None: offset required), and the buyer key."""

    zone: ZoneInfo | None
    privacy_key: bytes = b""


Convert = Callable[[object, str, Reading], Json]


_WITHIN_HOUR = {
    f"{minute:02}:{second:02}": minute * instant.MINUTE + second * instant.SECOND
    for minute in range(60)
    for second in range(60)
}


@lru_cache(maxsize=65_536)
def _hour(start: str, tail: str, zone: ZoneInfo | None) -> int:
    """The instant at which the hour `2026-06-01T08:` begins, `tail` being its offset (and fraction).

    Raises ValueError where its minutes cannot simply be added: out of range, or a clock change within it.
    """
    at = instant.parse(f"{start}00:00{tail}", zone)
    if not EARLIEST <= at < LATEST or instant.parse(f"{start}59:59{tail}", zone) - at != _LAST_SECOND:
        raise ValueError("not an hour like others")
    return at


def moment(value: object, name: str, reading: Reading) -> int:
    """An instant from RFC 3339 text; text without an offset is the shop's local time.

    Nearly every hour has the same minutes: hours are parsed once and kept, the rest is added.
    """
    try:
        return _hour(value[:14], value[19:], reading.zone) + _WITHIN_HOUR[value[14:19]]  # type: ignore[index]
    except (TypeError, KeyError, ValueError):
        return _moment(value, name, reading)


def _moment(value: object, name: str, reading: Reading) -> int:
    if not isinstance(value, str):
        raise Refusal(f"{name} {culprit(value)} is not a time", f"write {name} as RFC 3339 text with an offset")
    try:
        at = instant.parse(value, reading.zone)
    except (ValueError, OverflowError) as error:
        if reading.zone is None and "offset" in str(error):
            mend = "add the offset (…+08:00), or give the shop a timezone"
            raise Refusal(f"{name} {culprit(value)} has no offset", mend) from error
        mend = f"write {name} as RFC 3339, such as 2026-06-01T08:00:00+08:00"
        raise Refusal(f"{name} {culprit(value)} is not a time", mend) from error
    if not EARLIEST <= at < LATEST:
        raise Refusal(f"{name} {culprit(value)} is not a time between 1980 and 2200", f"correct {name}")
    return at


def time(value: object, name: str, reading: Reading) -> int | None:
    """An instant, or None to clear the field."""
    return None if value is None else moment(value, name, reading)


def deadline(value: object, name: str, reading: Reading) -> int | None:
    """The last moment of a promise: a bare date means the last second of that day, as people read it."""
    if not isinstance(value, str) or len(value.strip()) > _DATE_CHARS or not _BARE_DATE.fullmatch(value.strip()):
        return time(value, name, reading)
    first = moment(value, name, reading)
    local = instant.to_datetime(first, reading.zone)
    following = (local + timedelta(hours=36)).replace(hour=0, minute=0, second=0, tzinfo=reading.zone)
    return instant.from_datetime(following) - instant.SECOND


def identifier(value: object, name: str, _: Reading) -> str:
    """An id as text; whole JSON numbers are taken, since platforms number their orders."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise Refusal(f"{name} must be text, not {_type(value)}", f'write {name} in quotes: "{name}": "…"')
    return cells.identifier(value.strip(), name)


def code(value: object, name: str, reading: Reading) -> str | None:
    """An id that may be cleared or left empty (SKU, listing)."""
    return None if value is None or value == "" else identifier(value, name, reading)


def text(value: object, name: str, _: Reading) -> str | None:
    """Free text with numbers and addresses masked and control characters blanked."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise Refusal(f"{name} must be text, not {_type(value)}", f"write {name} in quotes")
    return privacy.mask(value if value.isprintable() else value.translate(_CONTROLS))


def _whole(most: int) -> Convert:
    def convert(value: object, name: str, _: Reading) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            mend = "money is an integer in minor units" if name.endswith("_minor") else f"write {name} as an integer"
            raise Refusal(f"{name} {shown(value)} is not a whole number from 0 to {most}", mend)
        return value

    return convert


money = _whole(cells.MOST_MINOR)
count = _whole(cells.MOST_COUNT)
hours = _whole(MOST_HOURS)


def status(value: object, name: str, _: Reading) -> str:
    """One of the canonical statuses; it cannot be cleared."""
    if not isinstance(value, str) or value not in STATUSES:
        raise Refusal(f"{name} {shown(value)} is not known", f"use one of {', '.join(STATUSES)}")
    return value


def currency(value: object, name: str, _: Reading) -> str | None:
    """An ISO 4217 code."""
    if value is None:
        return None
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        raise Refusal(f"{name} {shown(value)} is not a currency", "use the ISO code, such as CNY")
    return value


def buyer(value: object, name: str, reading: Reading) -> str | None:
    """The buyer as a keyed hash; the name itself goes no further."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Refusal(f"{name} must be text", f"write {name} in quotes")
    return privacy.buyer_hash(str(value), reading.privacy_key)


def tags(value: object, name: str, _: Reading) -> list[str] | None:
    """Words, sorted, each once."""
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MOST_WORDS:
        raise Refusal(f"{name} must be a list of words", f'write {name} as ["…"]')
    for word in value:
        if not isinstance(word, str):
            raise Refusal(f"{name} must be a list of words", f'write {name} as ["…"]')
        cells.identifier(word, name)
    return sorted(set(value))


def flags(value: object, name: str, reading: Reading) -> list[str] | None:
    """Canonical flags, sorted, each once."""
    words = tags(value, name, reading)
    for word in words or ():
        if word not in FLAGS:
            raise Refusal(f"flag {shown(word)} is not known", f"use {', '.join(FLAGS)}; other words belong in tags")
    return words


def tracking(value: object, name: str, reading: Reading) -> Json:
    """Parcel events `{"at","event"}`, sorted by time."""
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MOST_TRACKS:
        raise Refusal(f"{name} must be a list", f'write {name} as [{{"at": …, "event": …}}]')
    return sorted((_track(one, name, reading) for one in value), key=lambda one: (one["at"], one["event"]))


def _track(one: object, name: str, reading: Reading) -> dict[str, int | str]:
    if not isinstance(one, Mapping):
        raise Refusal(f"{name} must hold objects", f'write {name} as [{{"at": …, "event": …}}]')
    event = text(one.get("event"), f"{name}.event", reading)
    return {"at": moment(one.get("at"), f"{name}.at", reading), "event": event or ""}


def event(value: object) -> str:
    """The name of a fact about an order (contract §4)."""
    if not isinstance(value, str) or value not in EVENTS:
        raise Refusal(f"event {shown(value)} is not known", f"use one of {', '.join(EVENTS)}")
    return value


def points(value: object) -> int:
    """How many penalty points a platform took at once: from 1 (no platform tells that it took none)."""
    if value is None:
        raise Refusal("points_deducted does not say how many points", 'write how many were taken: "points": 3')
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= cells.MOST_COUNT:
        raise Refusal(
            f"points {shown(value)} is not a whole number from 1 to {cells.MOST_COUNT}",
            'write how many were taken: "points": 3',
        )
    return value


ORDER: Mapping[str, Convert] = {
    "status": status,
    "placed_at": time,
    "paid_at": time,
    "ship_by": deadline,
    "presale_ship_by": deadline,
    "group_success_at": time,
    "negotiated_ship_by": deadline,
    "report_ship_by": deadline,
    "urged_at": time,
    "shipped_at": time,
    "collected_at": time,
    "promise_hours": hours,
    "currency": currency,
    "paid_minor": money,
    "shipping_minor": money,
    "received_minor": money,
    "buyer": buyer,
    "category": text,
    "remark": text,
    "tags": tags,
    "flags": flags,
    "tracking": tracking,
}
LINE: Mapping[str, Convert] = {
    "sku": code,
    "listing_id": code,
    "title": text,
    "quantity": count,
    "unit_minor": money,
    "paid_minor": money,
    "ship_by": deadline,
    "shipped_quantity": count,
    "refunded_quantity": count,
    "refund_status": text,
    "stock": count,
    "sellable": count,
}


ESSENTIAL = frozenset({"order_id", "status", "placed_at", "paid_at", "group_success_at", "ship_by"})
"""The fields that say whether an order is owed and until when."""
SUBSTANCE = ESSENTIAL | {"line_id", "sku", "quantity", "paid_minor"}
"""These and what is owed: a row of a CSV file that ends before one of them is half a row."""
IDS = frozenset({"order_id", "line_id", "sku", "listing_id"})
"""The fields that hold an id."""
TIMES = frozenset(name for name, convert in {**LINE, **ORDER}.items() if convert in (time, deadline))
"""The fields that hold an instant."""


def _type(value: object) -> str:
    return {bool: "true or false", float: "a fraction", type(None): "null"}.get(type(value), "a list or object")
