"""A canonical object (contract §4) → its record, exactly: every wrong value is named with its mend."""

from collections.abc import Mapping

from adapters.base import Json, OrderEvent, Record, Snapshot, StockReport
from adapters.files import cells, fields
from adapters.files.context import Context, Shop
from adapters.files.refusal import Refusal, shown

Object = Mapping[str, object]

_ENVELOPE = frozenset({"observed_at", "shop", "platform", "order_id", "lines"})
_STOCK = frozenset({"observed_at", "shop", "platform", "sku", "listing_id", "stock", "sellable"})
_EVENT = frozenset({"observed_at", "shop", "platform", "order_id", "event", "at"})


def record(value: Object, context: Context) -> Record:
    """The record a canonical object stands for; raises Refusal."""
    platform, shop = _name(value, "platform"), _name(value, "shop")
    return of(value, context.shop(platform, shop), context)


def of(value: Object, shop: Shop, context: Context, *, counted: bool = False) -> Record:
    """The record of an object whose shop is known already; raises Refusal. `counted`: no own ids of lines."""
    settings, reading = shop
    own = value.get("observed_at")
    observed_at = context.exported_at(settings) if own is None else fields.moment(own, "observed_at", reading)
    if "event" in value:
        return _event(value, shop, observed_at, context)
    if "order_id" in value:
        return snapshot(value, shop, observed_at, context, counted=counted)
    if "sku" in value:
        return _stock(value, shop, observed_at, context)
    raise Refusal("neither order_id nor sku: it is unclear what the line is about", "add order_id, or sku for stock")


def snapshot(value: Object, shop: Shop, observed_at: int, context: Context, *, counted: bool = False) -> Snapshot:
    """The snapshot of an object that has an `order_id`, as of `observed_at`; raises Refusal."""
    settings, reading = shop
    facts: dict[str, Json] = {}
    kept: dict[str, Json] = {}
    order = fields.ORDER
    for name, one in value.items():
        convert = order.get(name)
        if convert is not None:
            facts[name] = convert(one, name, reading)
        elif name not in _ENVELOPE:
            context.unknown_key(name, one, kept, settings)
    if "collected_at" in facts:
        facts["collection_known"] = True
    if kept:
        facts["kept"] = kept
    lines = _lines(value["lines"], reading, context) if value.get("lines") else {}
    return Snapshot(
        observed_at=observed_at,
        shop=settings.name,
        order_id=fields.identifier(value["order_id"], "order_id", reading),
        platform=_name(value, "platform"),
        fields=facts,
        lines=lines,
        counted=counted and bool(lines),
    )


def _lines(value: object, reading: fields.Reading, context: Context) -> dict[str, dict[str, Json]]:
    if not isinstance(value, list) or len(value) > fields.MOST_LINES:
        raise Refusal(f"lines must be a list of at most {fields.MOST_LINES}", 'write lines as [{"line_id": …}]')
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
        add_line(lines_by_id, line_id(one, facts, reading), facts)
    return lines_by_id


def add_line(lines_by_id: dict[str, dict[str, Json]], own: str, facts: dict[str, Json]) -> None:
    """Add a line under its id; raises Refusal when the order already has one of that id."""
    if own in lines_by_id:
        raise Refusal(f"line_id {shown(own)} occurs twice", "give each line of an order its own line_id")
    lines_by_id[own] = facts


def line_id(one: Object, facts: Mapping[str, Json], reading: fields.Reading) -> str:
    """The line's own id, else its SKU or listing, else "1": always the same for the same line."""
    own = one.get("line_id")
    if own is not None and own != "":
        return fields.identifier(own, "line_id", reading)
    return str(facts.get("sku") or facts.get("listing_id") or "1")


def _stock(value: Object, shop: Shop, observed_at: int, context: Context) -> StockReport:
    settings, reading = shop
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


def _event(value: Object, shop: Shop, observed_at: int, context: Context) -> OrderEvent:
    settings, reading = shop
    event = fields.event(value["event"])
    takes_points = event == "points_deducted"
    for name in value.keys() - (_EVENT | {"points"} if takes_points else _EVENT):
        context.count_unknown(name)
    at = value.get("at")
    return OrderEvent(
        observed_at=observed_at,
        shop=settings.name,
        order_id=fields.identifier(value.get("order_id"), "order_id", reading),
        event=event,
        at=observed_at if at is None else fields.moment(at, "at", reading),
        points=fields.points(value.get("points")) if takes_points else 0,
    )


def _name(value: Object, key: str) -> str | None:
    name = value.get(key)
    if name is None or name == "":
        return None
    if not isinstance(name, str) or len(name) > cells.ID_CHARS or not name.isprintable():
        raise Refusal(f"{key} must be a name", f'write {key} as text: "{key}": "…"')
    return name
