"""A shop's own map, `[shops.….columns]`: which columns it names, what they hold, which of them a file lacks."""

import hashlib
from collections.abc import Iterator, Mapping

from adapters.base import ColumnMap, ShopSettings
from adapters.files import fields, nearest
from adapters.files.cells import Kind
from adapters.files.refusal import Refusal, shown

FLAG = "flag:"
"""A `values` entry for status may name a flag instead, as in `unavailable = "flag:out_of_stock"`."""

MONEY = frozenset({"paid_minor", "shipping_minor", "received_minor", "unit_minor"})
ENDS: Mapping[str, str] = {
    "cancelled_at": "cancelled",
    "refunded_at": "refunded",
    "delivered_at": "delivered",
    "completed_at": "completed",
}
"""Fields of a map that hold the time of a state: where a time stands, the order has that state."""
KINDS: Mapping[str, Kind] = {
    **dict.fromkeys((*fields.TIMES, *ENDS, "observed_at"), "time"),
    **dict.fromkeys(MONEY, "amount"),
    **dict.fromkeys(fields.IDS, "id"),
    "currency": "currency",
}
LINE_ONLY = (*(name for name in fields.LINE if name not in fields.ORDER), "line_id")


def names(settings: ShopSettings) -> frozenset[str]:
    """The columns that the shop's map names; its id's own name where it names none."""
    mapped = {column for entry in settings.columns.values() for column in of(entry)} | set(settings.history.values())
    known = "order_id" in settings.columns or "sku" in settings.columns
    return frozenset(mapped if known else mapped | {"order_id"})


def essential(settings: ShopSettings) -> frozenset[str]:
    """The columns without which a row is half a row."""
    entries = [entry for name, entry in settings.columns.items() if name in fields.SUBSTANCE]
    return frozenset(entry.column for entry in entries)


def kinds(settings: ShopSettings) -> dict[str, Kind]:
    """What the mapped columns hold whose texts can be written in several ways."""
    found: dict[str, Kind] = dict.fromkeys(settings.history.values(), "time")
    for name, entry in settings.columns.items():
        for one in (entry, *entry.also) if name in KINDS else ():
            if one.values is None and (KINDS[name] != "amount" or one.unit == "major"):
                found[one.column] = KINDS[name]
    return found


def absent(settings: ShopSettings, header: frozenset[str], wanted: frozenset[str]) -> Iterator[Refusal]:
    """What to say of each mapped column that the file does not have, with the header that may be meant."""
    for column in sorted(wanted - header):
        near = nearest.header(column, header - wanted)
        reason = f"column {shown(column)} of the shop's map is not in this file"
        mend = "correct [columns], or export that column too"
        if near is not None:
            mend = f"correct [columns] (the nearest header is {shown(near)}), or export that column too"
        yield Refusal(reason, mend, 1)


def title_id(title: object) -> str:
    """An id for a line that has no code at all: always the same for the same title."""
    return "t-" + hashlib.blake2b(str(title).encode(), digest_size=6).hexdigest()


def of(entry: ColumnMap) -> tuple[str, ...]:
    return (entry.column, *(one.column for one in entry.also))


def key(settings: ShopSettings) -> tuple[str, ...]:
    """The columns that hold the id, the first that is filled counts."""
    key = settings.columns.get("order_id") or settings.columns.get("sku")
    return of(key) if key else ("order_id",)
