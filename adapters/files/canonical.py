"""Canonical files (contract §4): JSON Lines and CSV with canonical column names.

One bad line is one `Rejected`; the others pass. Unknown keys are counted by name, their values dropped
unless the shop's `keep` lists them (then they arrive under `fields["kept"]`).
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from adapters.base import Json, Record, Rejected, ShopSettings
from adapters.files import cells, exact, fields, footer, lines, literal, nearest, notation, swift
from adapters.files.cells import Kind
from adapters.files.context import Context
from adapters.files.exact import Object
from adapters.files.opening import Source
from adapters.files.refusal import EXPORT_AGAIN, Refusal, shown
from adapters.files.sheet import Broken, Row, Table

NAMES = frozenset(
    {*fields.ORDER, *fields.LINE, "observed_at", "shop", "platform", "order_id", "line_id", "event", "at"}
)
"""The names of canonical columns."""
_GOODS = ("sku", "line_id", "listing_id", "title", "stock", "sellable")
_ESSENTIAL = frozenset({*fields.SUBSTANCE, "event", "stock"})
_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys((*fields.TIMES, "observed_at", "at"), "time"),
    **dict.fromkeys(fields.IDS, "id"),
}


def json_lines(source: Source, context: Context) -> Iterator[Record | Rejected]:
    """The records of a JSON Lines file (UTF-8). Raises Refusal where the rest of the file is unusable."""
    decode = msgspec.json.Decoder().decode
    for number, line in lines.byte_lines(source.stream()):
        try:
            if line is None:
                raise lines.too_long(number)
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if (value := _object(decode, line)) is not None:
                yield swift.record(value, context)
        except Refusal as refusal:
            yield refusal.rejected(context.source, number)


def csv_rows(table: Table, context: Context, settings: ShopSettings | None = None) -> Iterator[Record | Rejected]:
    """The records of a table with canonical column names, one row a line; an empty cell says nothing."""
    ids = footer.Ids()
    whose = settings or ShopSettings(name="", platform="generic")
    renamed = dict(_renamed(frozenset(table.header), whose))
    yield from (one.rejected(context.source) for one in renamed.values())
    for row in notation.rows(table, frozenset(table.header), _ESSENTIAL, _KINDS, whose):
        if isinstance(row, Row | Broken) and not footer.half(row) and _is_no_record(row.cells, ids):
            context.count_unknown(footer.NAME)
            continue
        if isinstance(row, Refusal):
            yield row.rejected(context.source)
            continue
        try:
            value = _from_row(row)
            if "line_id" in renamed:  # under other ids lines would stand beside themselves
                value.pop("lines", None)
            yield exact.record(value, context)
        except Refusal as refusal:
            yield refusal.rejected(context.source, row.line)


def _renamed(header: frozenset[str], settings: ShopSettings) -> Iterator[tuple[str, Refusal]]:
    """Canonical columns that are there with something added to their names."""
    unread = header - NAMES - settings.keep
    for name in sorted(NAMES - header):
        if found := nearest.added(name, unread):
            yield name, Refusal(f"no column {shown(name)}: nobody reads {shown(found)}", f"name that column {name}", 1)


def _is_no_record(row: dict[str, str], ids: footer.Ids) -> bool:
    """Whether a row is padding, a total or a note."""
    own = cells.present(row, "order_id")
    told = {"time" for name in fields.TIMES if footer.dated(row.get(name))} | {
        "goods" for name in _GOODS if row.get(name)
    }
    told |= {"state" for name in ("status", "event") if row.get(name)}
    if ids.no_order(own, row.values(), frozenset(told)):
        return True
    if own is not None:
        ids.add(own)
    return False


def is_canonical(header: frozenset[str]) -> bool:
    """Whether the header is that of a canonical CSV: an order id, or a SKU with its stock."""
    return "order_id" in header or ("sku" in header and bool(header & {"stock", "sellable"}))


def _object(decode: Callable[[bytes], object], line: bytes) -> Object | None:
    """The object of a line, None for a blank line; raises Refusal."""
    try:
        value = decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
        if not line.strip():
            return None
        if not line.endswith(b"\n"):
            raise Refusal("the file ends in the middle of this line", EXPORT_AGAIN) from error
        detail = "nested too deeply" if isinstance(error, RecursionError) else _detail(error)
        raise Refusal(f"not JSON: {detail}", "write one JSON object per line, in UTF-8") from error
    if not isinstance(value, dict):
        raise Refusal("not a JSON object", "write one JSON object per line")
    return value


def _detail(error: Exception) -> str:
    return "not valid UTF-8" if isinstance(error, UnicodeDecodeError) else str(error).removeprefix("JSON is ")


def _from_row(row: Row) -> dict[str, Json]:
    """The JSON object a canonical CSV row stands for: order fields, and its line's fields under `lines`."""
    said = {name: literal.of(text, name) for name, text in row.cells.items() if text}
    if "order_id" not in said or "event" in said:
        return said
    line = {name: said.pop(name) for name in (*fields.LINE, "line_id") if name in said and name not in fields.ORDER}
    if line:
        said["lines"] = [line]
    return said
