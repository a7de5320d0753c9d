"""The fast lane for clean canonical lines: the same result as `exact.record` at a third of the cost.

msgspec checks all types, ranges and words of the decoded object in C; what is left to do in Python is what
needs more than a type: instants, ids, masks, the buyer's hash. Anything out of the ordinary (a wrong
type, a number as id, a new shop, stock or event lines) takes the exact lane, which also words
the errors.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.base import Json, Record, Snapshot
from adapters.files import cells, exact, fields, privacy
from adapters.files.context import Context, Shop
from rules.model import FLAGS, STATUSES

_Text = str | UnsetType | None
_Money = Annotated[int, Meta(ge=0, le=cells.MOST_MINOR)] | UnsetType | None
_Count = Annotated[int, Meta(ge=0, le=cells.MOST_COUNT)] | UnsetType | None
_Hours = Annotated[int, Meta(ge=0, le=fields.MOST_HOURS)] | UnsetType | None
_Flag = Literal[FLAGS]  # type: ignore[valid-type]
_Status = Literal[STATUSES]  # type: ignore[valid-type]


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    line_id: str
    sku: _Text = UNSET
    listing_id: _Text = UNSET
    title: _Text = UNSET
    quantity: _Count = UNSET
    unit_minor: _Money = UNSET
    paid_minor: _Money = UNSET
    ship_by: _Text = UNSET
    shipped_quantity: _Count = UNSET
    refunded_quantity: _Count = UNSET
    refund_status: _Text = UNSET
    stock: _Count = UNSET
    sellable: _Count = UNSET


class _Order(msgspec.Struct, forbid_unknown_fields=True):
    observed_at: str
    order_id: str
    shop: _Text = UNSET
    platform: _Text = UNSET
    status: _Status | UnsetType = UNSET
    placed_at: _Text = UNSET
    paid_at: _Text = UNSET
    ship_by: _Text = UNSET
    presale_ship_by: _Text = UNSET
    group_success_at: _Text = UNSET
    negotiated_ship_by: _Text = UNSET
    report_ship_by: _Text = UNSET
    urged_at: _Text = UNSET
    shipped_at: _Text = UNSET
    collected_at: _Text = UNSET
    promise_hours: _Hours = UNSET
    currency: _Text = UNSET
    paid_minor: _Money = UNSET
    shipping_minor: _Money = UNSET
    received_minor: _Money = UNSET
    buyer: _Text = UNSET
    category: _Text = UNSET
    remark: _Text = UNSET
    tags: Annotated[list[str], Meta(max_length=fields.MOST_WORDS)] | UnsetType | None = UNSET
    flags: Annotated[list[_Flag], Meta(max_length=fields.MOST_WORDS)] | UnsetType | None = UNSET
    tracking: UnsetType | None = UNSET
    lines: Annotated[list[_Line], Meta(max_length=fields.MOST_LINES)] | UnsetType | None = UNSET


_ORDER_KEYS = frozenset(_Order.__struct_fields__)
_LINE_KEYS = frozenset(_Line.__struct_fields__)
_PLAIN = frozenset({"status", "promise_hours", "paid_minor", "shipping_minor", "received_minor", "tracking"})


@lru_cache(maxsize=65_536)
def _code(text: str, name: str) -> str:
    """An id that comes up again and again: SKUs, listings, line numbers."""
    return cells.identifier(text.strip(), name)


@lru_cache(maxsize=256)
def _word(text: str, name: str) -> str:
    return str(fields.currency(text, name, _NO_READING))


@lru_cache(maxsize=16_384)
def _masked(text: str) -> Json:
    """Titles come up again and again too."""
    return fields.text(text, "", _NO_READING)


def _text(value: str, _: str, __: fields.Reading) -> Json:
    return _masked(value)


def _order_id(value: str, name: str, _: fields.Reading) -> str:
    return cells.identifier(value.strip(), name)


def _sku(value: str, name: str, _: fields.Reading) -> str | None:
    return _code(value, name) if value else None


def _currency(value: str, name: str, _: fields.Reading) -> str:
    return _word(value, name)


def _flags(value: list[str], _: str, __: fields.Reading) -> list[str]:
    return sorted(set(value)) if value else value


def _buyer(value: str, _: str, reading: fields.Reading) -> str | None:
    return privacy.buyer_hash(value, reading.privacy_key) if value else None


def _deadline(value: str, name: str, reading: fields.Reading) -> int | None:
    return fields.moment(value, name, reading) if value[10:11] == "T" else fields.deadline(value, name, reading)


_NO_READING = fields.Reading(zone=None)
_FASTER: dict[object, Callable[..., Json]] = {
    fields.code: _sku,
    fields.currency: _currency,
    fields.flags: _flags,
    fields.buyer: _buyer,
    fields.time: fields.moment,
    fields.deadline: _deadline,
    fields.text: _text,
}
_ORDER = {name: _FASTER.get(convert, convert) for name, convert in fields.ORDER.items() if name not in _PLAIN} | {
    "observed_at": fields.moment,
    "order_id": _order_id,
}
_LINE = {
    name: _FASTER.get(convert, convert)
    for name, convert in fields.LINE.items()
    if convert in (fields.code, fields.text, fields.time, fields.deadline)
}


def record(value: exact.Object, context: Context) -> Record:
    """The record of a decoded canonical object, exactly as `exact.record` gives it; raises Refusal."""
    try:
        msgspec.convert(value, _Order)
        shop = context.shops[value.get("platform"), value.get("shop")]  # type: ignore[index]
    except (msgspec.ValidationError, KeyError):
        return _with_unknown_keys(value, context)
    return _snapshot(value, shop)  # type: ignore[arg-type]


def _with_unknown_keys(value: exact.Object, context: Context) -> Record:
    """The same for an object with keys nobody knows; the exact lane where that is not all that is odd."""
    lines = value.get("lines")
    if "event" in value or not isinstance(lines, list | None):
        return exact.record(value, context)
    known = {name: one for name, one in value.items() if name in _ORDER_KEYS}
    if lines:
        known["lines"] = [_known(line) for line in lines]
    try:
        msgspec.convert(known, _Order)
        shop = context.shops[value.get("platform"), value.get("shop")]  # type: ignore[index]
    except (msgspec.ValidationError, KeyError):
        return exact.record(value, context)
    made = _snapshot(known, shop)  # type: ignore[arg-type]
    kept: dict[str, Json] = {}
    for name in value.keys() - _ORDER_KEYS:
        context.unknown_key(name, value[name], kept, shop.settings)
    for name in [name for line in lines or () for name in line if name not in _LINE_KEYS]:
        context.count_unknown(f"lines.{name}")
    return replace(made, fields={**made.fields, "kept": kept}) if kept else made


def _known(line: object) -> object:
    return {name: one for name, one in line.items() if name in _LINE_KEYS} if isinstance(line, dict) else line


def _snapshot(value: dict[str, Json], shop: Shop) -> Snapshot:
    """`value` itself becomes the fields: nothing but what needs work is touched."""
    settings, reading = shop
    platform, lines = value.pop("platform", None), value.pop("lines", None)
    value.pop("shop", None)
    for name, one in value.items():
        if one is not None and name in _ORDER:
            value[name] = _ORDER[name](one, name, reading)
    if "collected_at" in value:
        value["collection_known"] = True
    by_id = _lines(lines, reading) if lines else {}  # type: ignore[arg-type]
    return Snapshot(
        observed_at=value.pop("observed_at"),  # type: ignore[arg-type]
        shop=settings.name,
        order_id=value.pop("order_id"),  # type: ignore[arg-type]
        platform=platform,  # type: ignore[arg-type]
        fields=value,
        lines=by_id,
    )


def _lines(lines: list[dict[str, Json]], reading: fields.Reading) -> dict[str, dict[str, Json]]:
    by_id: dict[str, dict[str, Json]] = {}
    for line in lines:
        for name, one in line.items():
            if one is not None and name in _LINE:
                line[name] = _LINE[name](one, name, reading)
        own = line.pop("line_id")
        line_id = _code(own, "line_id") if own else exact.line_id(line, line, reading)
        exact.add_line(by_id, line_id, line)
    return by_id
