"""Any shop's table through its own map: `[shops.….columns]` names columns, `[shops.….history]` times of a life."""

from collections.abc import Iterator, Mapping

from adapters.base import ColumnMap, Json, Record, Rejected, ShopSettings
from adapters.files import cells, exact, fields, history
from adapters.files.context import Context, Shop
from adapters.files.refusal import Refusal, shown
from adapters.files.sheet import Row, Table
from rules.model import STATUSES

FLAG = "flag:"
"""A `values` entry for status may name a flag instead, as in `unavailable = "flag:out_of_stock"`."""

_MONEY = frozenset({"paid_minor", "shipping_minor", "received_minor", "unit_minor"})
_CANONICAL = fields.ORDER.keys() | fields.LINE.keys() | {"order_id", "lines", "event", "observed_at"}
_LISTS = frozenset({"flags", "tags"})


def maps(settings: ShopSettings) -> bool:
    """Whether the shop has a map at all."""
    return bool(settings.columns or settings.history)


def fits(settings: ShopSettings, header: frozenset[str]) -> bool:
    """Whether a table with this header is one the shop's map is for.

    It is when every mapped column is there, or at least the id's where the table is not canonical itself.
    """
    if not maps(settings):
        return False
    if _columns(settings) <= header:
        return True
    key = settings.columns.get("order_id") or settings.columns.get("sku")
    return "observed_at" not in header and (key.column if key else "order_id") in header


def rows(table: Table, settings: ShopSettings, context: Context) -> Iterator[Record | Rejected]:
    """The records of a mapped table; columns that are mapped but missing are said once."""
    header = frozenset(table.header)
    wanted = _columns(settings)
    for column in sorted(wanted - header):
        reason = f"column {shown(column)} of the shop's map is not in this file"
        yield Refusal(reason, "correct [columns], or export that column too", 1).rejected(context.source)
    for name in header - wanted - settings.keep:
        context.count_unknown(name)
    shop = context.local(settings)
    for row in table.rows(wanted | settings.keep):
        try:
            if isinstance(row, Refusal):
                raise row
            yield from _records(row, shop, context)
        except Refusal as refusal:
            yield refusal.rejected(context.source, row.line)


def _columns(settings: ShopSettings) -> frozenset[str]:
    mapped = {one.column for one in settings.columns.values()} | set(settings.history.values())
    return frozenset(mapped if "order_id" in settings.columns or "sku" in settings.columns else mapped | {"order_id"})


def _records(row: Row, shop: Shop, context: Context) -> Iterator[Record]:
    settings = shop.settings
    value = _object(row.cells, settings)
    if not settings.history:
        yield exact.of(value, shop, context)
        return
    value.pop("observed_at", None)
    if "order_id" not in value:
        raise Refusal("no order id", "map order_id to the column that holds it")
    stages = {stage: _time(row.cells, column, stage, shop) for stage, column in settings.history.items()}
    yield from history.life(exact.snapshot(value, shop, 0, context), stages)


def _time(row: dict[str, str], column: str, stage: str, shop: Shop) -> int | None:
    text = cells.present(row, column)
    text = cells.local_time(text) if text else None
    return fields.moment(text, stage, shop.reading) if text else None


def _object(row: dict[str, str], settings: ShopSettings) -> dict[str, Json]:
    """The canonical object a mapped row stands for: order fields, and its line's fields under `lines`."""
    currency = _currency(row, settings)
    said: dict[str, Json] = {"currency": currency} if currency else {}
    for name, entry in settings.columns.items():
        text = cells.present(row, entry.column)
        if text is not None and name != "currency":
            _put(said, name, text, entry, settings)
    if "order_id" not in settings.columns and (own := cells.present(row, "order_id")):
        said["order_id"] = own
    if "order_id" in said:
        names = [name for name in (*fields.LINE, "line_id") if name in said and name not in fields.ORDER]
        if line := {name: said.pop(name) for name in names}:
            said["lines"] = [line]
    return said | {name: row[name] for name in settings.keep & row.keys() if name not in _CANONICAL}


def _put(said: dict[str, Json], name: str, text: str, entry: ColumnMap, settings: ShopSettings) -> None:
    """Add one mapped cell to the object, in canonical form; a text its `values` do not know is left out or refused."""
    value = _mapped(text, entry.values)
    if name == "status" and (value or text).startswith(FLAG):
        flags = said.get("flags")
        said["flags"] = [*(flags if isinstance(flags, list) else []), (value or text).removeprefix(FLAG)]
    elif name == "status" and (value or text) not in STATUSES:
        if not settings.history:
            mend = f'add it to the values of status: values = {{ {shown(text)} = "shipped" }}'
            raise Refusal(f"status {shown(text)} is not mapped", mend)
    elif name in _LISTS:
        words = fields.from_text(text if entry.values is None else value or "", name)
        before = said.get(name)
        said[name] = [*(before if isinstance(before, list) else []), *(words if isinstance(words, list) else [])]
    elif name in _MONEY and entry.unit == "major":
        said[name] = cells.minor(value or text, name, str(said.get("currency") or ""))
    elif name in fields.TIMES or name == "observed_at":
        if (when := cells.local_time(value or text)) is not None:
            said[name] = when
    else:
        said[name] = fields.from_text(value or text, name)


def _mapped(text: str, values: Mapping[str, str] | None) -> str | None:
    """What `values` make of a text, whatever its case; None when they do not know it."""
    if not values:
        return None
    if text in values:
        return values[text]
    return next((value for key, value in values.items() if key.casefold() == text.casefold()), None)


def _currency(row: dict[str, str], settings: ShopSettings) -> str | None:
    entry = settings.columns.get("currency")
    text = cells.present(row, entry.column) if entry else None
    if text and entry:
        return _mapped(text, entry.values) or text.upper()
    return settings.options.get("currency")
