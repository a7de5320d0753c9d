"""The canonical record (contract §4) from JSON Lines and CSV: order snapshots, stock reports, events.

One bad line is one `Rejected`; the others pass. Unknown keys are counted by name, their values dropped
unless the shop's `keep` lists them (then they arrive under `fields["kept"]`).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from adapters.base import Json, OrderEvent, Record, Rejected, ShopSettings, Snapshot, StockReport
from adapters.files import cells, fields, lines
from adapters.files.opening import Source
from adapters.files.refusal import EXPORT_AGAIN, Refusal, shown
from adapters.files.sheet import Row, Table

SettingsFor = Callable[[str | None, frozenset[str], str | None], ShopSettings]
"""Platform (None = not said), header (empty for JSON) and shop name (None = not said) → the shop.

Raises ValueError with a reason when no shop fits.
"""

KEPT_CHARS = 500
_UNKNOWN_NAMES = 1_000
_NAME_CHARS = 60
_NO_TIME = "no observed_at, and none in the file name"
_GIVE_TIME = "add observed_at to the rows, or say when the file was exported: --observed-at"
_ENVELOPE = frozenset({"observed_at", "shop", "platform", "order_id", "lines"})
_STOCK = frozenset({"observed_at", "shop", "platform", "sku", "listing_id", "stock", "sellable"})
_EVENT = frozenset({"observed_at", "shop", "platform", "order_id", "event", "at"})

Object = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the parsers of one file share: name, shop look-up, the file's own time, unknown keys."""

    source: str
    settings_for: SettingsFor
    observed_at: Callable[[ShopSettings], int | None]
    unknown: Counter[str]
    shops: dict[tuple[str | None, str | None], ShopSettings] = field(default_factory=dict)

    def shop(
        self, platform: str | None, shop: str | None, header: frozenset[str] = frozenset()
    ) -> ShopSettings:
        """The shop a record belongs to; raises Refusal when there is none, or it is on another platform."""
        known = self.shops.get((platform, shop))
        if known is not None:
            return known
        try:
            settings = self.settings_for(platform, header, shop)
        except ValueError as error:
            raise Refusal(str(error), "put the file where it belongs, or correct the shop") from error
        if platform is not None and platform != settings.platform:
            said = f"the line says platform {shown(platform)}"
            reason = f"{said}, but shop {settings.name} is on {settings.platform}"
            raise Refusal(reason, "correct the line, or put the file into the folder of the right shop")
        if len(self.shops) < _UNKNOWN_NAMES:
            self.shops[platform, shop] = settings
        return settings

    def count_unknown(self, name: str, times: int = 1) -> None:
        """Count a key whose value is dropped; very many different names are counted as one."""
        name = name[:_NAME_CHARS]
        if name not in self.unknown and len(self.unknown) >= _UNKNOWN_NAMES:
            name = "…"
        self.unknown[name] += times


def json_lines(source: Source, context: Context) -> Iterator[Record | Rejected]:
    """The records of a JSON Lines file (UTF-8). Raises Refusal where the rest of the file is unusable."""
    decode = msgspec.json.Decoder().decode
    for number, line in lines.byte_lines(source.stream()):
        try:
            if line is None:
                raise lines.too_long(number)
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not line.strip():
                continue
            yield record(_object(decode, line), context)
        except Refusal as refusal:
            yield refusal.rejected(context.source, number)


def csv_rows(table: Table, context: Context) -> Iterator[Record | Rejected]:
    """The records of a table with canonical column names, one row a line; an empty cell says nothing."""
    for row in table.rows():
        if isinstance(row, Refusal):
            yield row.rejected(context.source)
            continue
        try:
            yield record(_from_row(row), context)
        except Refusal as refusal:
            yield refusal.rejected(context.source, row.line)


def is_canonical(header: frozenset[str]) -> bool:
    """Whether the header is that of a canonical CSV: an order id, or a SKU with its stock."""
    return "order_id" in header or ("sku" in header and bool(header & {"stock", "sellable"}))


def record(value: Object, context: Context) -> Record:
    """The record a canonical object stands for; raises Refusal."""
    platform, shop = _name(value, "platform"), _name(value, "shop")
    settings = context.shops.get((platform, shop)) or context.shop(platform, shop)
    reading = fields.Reading(zone=settings.timezone, privacy_key=settings.privacy_key)
    observed_at = _observed_at(value, reading, context, settings)
    if "event" in value:
        return _event(value, reading, observed_at, context, settings)
    if "order_id" in value:
        return _snapshot(value, reading, observed_at, context, settings)
    if "sku" in value:
        return _stock(value, reading, observed_at, context, settings)
    raise Refusal(
        "neither order_id nor sku: it is unclear what the line is about", "add order_id, or sku for stock"
    )


def _observed_at(value: Object, reading: fields.Reading, context: Context, settings: ShopSettings) -> int:
    own = value.get("observed_at")
    if own is not None:
        return fields.moment(own, "observed_at", reading)
    observed_at = context.observed_at(settings)
    if observed_at is None:
        raise Refusal(_NO_TIME, _GIVE_TIME)
    return observed_at


def _snapshot(
    value: Object, reading: fields.Reading, observed_at: int, context: Context, settings: ShopSettings
) -> Snapshot:
    facts: dict[str, Json] = {}
    kept: dict[str, Json] = {}
    for name, one in value.items():
        convert = fields.ORDER.get(name)
        if convert is not None:
            facts[name] = convert(one, name, reading)
        elif name not in _ENVELOPE:
            _unknown(name, one, kept, context, settings)
    if "collected_at" in facts:
        facts["collection_known"] = True
    if kept:
        facts["kept"] = kept
    return Snapshot(
        observed_at=observed_at,
        shop=settings.name,
        order_id=fields.identifier(value["order_id"], "order_id", reading),
        platform=_name(value, "platform"),
        fields=facts,
        lines=_lines(value["lines"], reading, context) if value.get("lines") else {},
    )


def _lines(value: object, reading: fields.Reading, context: Context) -> dict[str, dict[str, Json]]:
    if not isinstance(value, list) or len(value) > fields.MOST_LINES:
        raise Refusal(
            f"lines must be a list of at most {fields.MOST_LINES}", 'write lines as [{"line_id": …}]'
        )
    lines_by_id: dict[str, dict[str, Json]] = {}
    for one in value:
        if not isinstance(one, dict):
            raise Refusal("lines must hold objects", 'write lines as [{"line_id": …}]')
        facts: dict[str, Json] = {}
        for name, cell in one.items():
            convert = fields.LINE.get(name)
            if convert is not None:
                facts[name] = convert(cell, name, reading)
            elif name != "line_id":
                context.count_unknown(f"lines.{name}")
        line_id = _line_id(one, facts, reading)
        if line_id in lines_by_id:
            raise Refusal(
                f"line_id {shown(line_id)} occurs twice", "give each line of an order its own line_id"
            )
        lines_by_id[line_id] = facts
    return lines_by_id


def _line_id(one: Object, facts: Mapping[str, Json], reading: fields.Reading) -> str:
    """The line's own id, else its SKU or listing, else "1": always the same for the same line."""
    own = one.get("line_id")
    if own is not None and own != "":
        return fields.identifier(own, "line_id", reading)
    return str(facts.get("sku") or facts.get("listing_id") or "1")


def _stock(
    value: Object, reading: fields.Reading, observed_at: int, context: Context, settings: ShopSettings
) -> StockReport:
    for name in value.keys() - _STOCK:
        context.count_unknown(name)
    stock = fields.count(value.get("stock"), "stock", reading)
    sellable = fields.count(value.get("sellable"), "sellable", reading)
    return StockReport(
        observed_at=observed_at,
        shop=settings.name,
        sku=fields.identifier(value["sku"], "sku", reading),
        listing_id=fields.code(value.get("listing_id"), "listing_id", reading),
        stock=stock if isinstance(stock, int) else None,
        sellable=sellable if isinstance(sellable, int) else None,
    )


def _event(
    value: Object, reading: fields.Reading, observed_at: int, context: Context, settings: ShopSettings
) -> OrderEvent:
    for name in value.keys() - _EVENT:
        context.count_unknown(name)
    at = value.get("at")
    return OrderEvent(
        observed_at=observed_at,
        shop=settings.name,
        order_id=fields.identifier(value.get("order_id"), "order_id", reading),
        event=fields.event(value["event"]),
        at=observed_at if at is None else fields.moment(at, "at", reading),
    )


def _unknown(
    name: str, value: object, kept: dict[str, Json], context: Context, settings: ShopSettings
) -> None:
    if name not in settings.keep:
        context.count_unknown(name)
    elif value is None or isinstance(value, bool | int | float):
        kept[name] = value
    elif isinstance(value, str):
        kept[name] = value[:KEPT_CHARS]
    else:
        context.count_unknown(name)


def _name(value: Object, key: str) -> str | None:
    name = value.get(key)
    if name is None or name == "":
        return None
    if not isinstance(name, str) or len(name) > cells.ID_CHARS or not name.isprintable():
        raise Refusal(f"{key} must be a name", f'write {key} as text: "{key}": "…"')
    return name


def _object(decode: Callable[[bytes], object], line: bytes) -> Object:
    try:
        value = decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
        if not line.endswith(b"\n"):
            raise Refusal("the file ends in the middle of this line", EXPORT_AGAIN) from error
        detail = "nested too deeply" if isinstance(error, RecursionError) else _detail(error)
        raise Refusal(f"not JSON: {detail}", "write one JSON object per line, in UTF-8") from error
    if not isinstance(value, dict):
        raise Refusal("not a JSON object", "write one JSON object per line")
    return value


def _detail(error: Exception) -> str:
    return "not valid UTF-8" if isinstance(error, UnicodeDecodeError) else str(error).removeprefix("JSON is ")


def _from_row(row: Row) -> Object:
    """The JSON object a canonical CSV row stands for: order fields, and its line's fields under `lines`."""
    said = {name: fields.from_text(text, name) for name, text in row.cells.items() if text}
    if "order_id" not in said or "event" in said:
        return said
    line = {
        name: said.pop(name)
        for name in (*fields.LINE, "line_id")
        if name in said and name not in fields.ORDER
    }
    if line:
        said["lines"] = [line]
    return said
