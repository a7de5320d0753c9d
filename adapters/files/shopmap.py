"""A shop's own map, `[shops.….columns]`: which of its columns a file lacks, and what a row's mapped cells say."""

import hashlib
from collections.abc import Iterator, Mapping

from adapters.base import ColumnMap, Json, ShopSettings
from adapters.files import cells, fields, nearest, states, texts
from adapters.files.cells import Kind
from adapters.files.refusal import Refusal, shown
from rules.model import STATUSES

FLAG = "flag:"
"""A `values` entry for status may name a flag instead, as in `unavailable = "flag:out_of_stock"`."""

MONEY = frozenset({"paid_minor", "shipping_minor", "received_minor", "unit_minor"})
_CANONICAL = fields.ORDER.keys() | fields.LINE.keys() | {"order_id", "lines", "event", "observed_at"}
_LISTS = frozenset({"flags", "tags"})
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


def said(
    row: dict[str, str], settings: ShopSettings, *, known: bool = False, above: Mapping[str, Json] | None = None
) -> dict[str, Json]:
    """The canonical object that a row's mapped cells tell: order fields, and its line's fields under `lines`.

    `known`: the table is read by others too, so a status that the map does not know is theirs. `above`: what the row
    before told; of the same order it tells the currency too. Amounts of an unknown currency are not read.
    """
    currency = _currency(row, settings) or _currency_above(row, settings, above or {})
    value: dict[str, Json] = {"currency": currency} if currency else {}
    nameless = "currency" in settings.columns and currency is None  # nobody knows its smallest coin
    for name, entry in settings.columns.items():
        if name in ENDS or name in ("status", "currency") or (nameless and name in MONEY and entry.unit == "major"):
            continue
        for one in (entry, *entry.also):
            if (text := cells.present(row, one.column)) is not None:
                _put(value, name, text, one)
                break
    _put_status(value, row, settings, known)
    if "order_id" not in settings.columns and (own := cells.present(row, "order_id")):
        value["order_id"] = own
    if "order_id" in value and (line := {name: value.pop(name) for name in LINE_ONLY if name in value}):
        value["lines"] = [line]
    return value | {name: row[name] for name in settings.keep & row.keys() if name not in _CANONICAL}


def title_id(title: object) -> str:
    """An id for a line that has no code at all: always the same for the same title."""
    return "t-" + hashlib.blake2b(str(title).encode(), digest_size=6).hexdigest()


def of(entry: ColumnMap) -> tuple[str, ...]:
    return (entry.column, *(one.column for one in entry.also))


def key(settings: ShopSettings) -> frozenset[str]:
    key = settings.columns.get("order_id") or settings.columns.get("sku")
    return frozenset(of(key)) if key else frozenset({"order_id"})


def status(row: dict[str, str], settings: ShopSettings) -> str | None:
    """What the map makes of a row's state: a status, or a flag that stands for one; None when it tells nothing."""
    found: list[str] = []
    entry = settings.columns.get("status")
    for one in (entry, *entry.also) if entry else ():
        text = cells.present(row, one.column)
        meant = (_mapped(text, one.values) or text) if text else None
        if meant and (meant in STATUSES or meant.startswith(FLAG)):
            found.append(meant)
    found += [state for name, state in ENDS.items() if (end := settings.columns.get(name)) and _happened(row, end)]
    flags = [one for one in found if one.startswith(FLAG)]
    return flags[0] if flags else states.of_columns(found)


def _happened(row: dict[str, str], entry: ColumnMap) -> bool:
    text = cells.present(row, entry.column)
    return text is not None and cells.local_time(text) is not None


def _put_status(value: dict[str, Json], row: dict[str, str], settings: ShopSettings, known: bool) -> None:
    """Add the row's status or flag; a text that `values` do not know is refused, unless others or a history tell it."""
    own = status(row, settings)
    if own is not None and own.startswith(FLAG):
        flags = value.get("flags")
        value["flags"] = [*(flags if isinstance(flags, list) else []), own.removeprefix(FLAG)]
    elif own is not None:
        value["status"] = own
    entry = settings.columns.get("status")
    if own in states.GONE or known or settings.history or entry is None:
        return
    for one in (entry, *entry.also):
        text = cells.present(row, one.column)
        meant = (_mapped(text, one.values) or text) if text else None
        if text and meant not in STATUSES and not str(meant).startswith(FLAG):
            mend = f'add it to the values of status: values = {{ {shown(text)} = "paid" }}'
            raise Refusal(f"status {shown(text)} is not mapped", mend)


def _put(value: dict[str, Json], name: str, text: str, entry: ColumnMap) -> None:
    """Add one mapped cell to the object, in canonical form; a text its `values` do not know is left out or refused."""
    meant = _mapped(text, entry.values)
    if name in _LISTS:
        words = fields.from_text(text if entry.values is None else meant or "", name)
        before = value.get(name)
        value[name] = [*(before if isinstance(before, list) else []), *(words if isinstance(words, list) else [])]
    elif name in MONEY and entry.unit == "major":
        value[name] = cells.minor(meant or text, name, str(value.get("currency") or ""))
    elif name in fields.TIMES or name == "observed_at":
        if (when := cells.local_time(meant or text)) is not None:
            value[name] = when
    else:
        value[name] = fields.from_text(meant or text, name)


def _mapped(text: str, values: Mapping[str, str] | None) -> str | None:
    """What `values` make of a text, whatever its case, blanks and width of marks; None when they do not know it."""
    if not values:
        return None
    if text in values:
        return values[text]
    return next((value for key, value in values.items() if texts.plain(key) == texts.plain(text)), None)


def _currency(row: dict[str, str], settings: ShopSettings) -> str | None:
    entry = settings.columns.get("currency")
    text = cells.present(row, entry.column) if entry else None
    if text and entry:
        return _mapped(text, entry.values) or text.upper()
    return settings.options.get("currency")


def _currency_above(row: dict[str, str], settings: ShopSettings, above: Mapping[str, Json]) -> str | None:
    own = next((text for column in key(settings) if (text := cells.present(row, column))), None)
    known = above.get("currency")
    return known if isinstance(known, str) and own in (None, above.get("order_id")) else None
