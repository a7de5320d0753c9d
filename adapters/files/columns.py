"""Any shop's table through its own map: `[shops.….columns]` names columns, `[shops.….history]` times of a life.

Several rows of one order become one: as far as its slowest open line, all lines kept (`merge`). A blank order
id means the order above. What the map does not tell of the state is worked out only where it is certain.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from adapters.base import Json, Record, Rejected, ShopSettings, Snapshot
from adapters.files import cells, exact, fields, footer, history, merge, notation
from adapters.files.context import Context, Shop
from adapters.files.mapped import Map
from adapters.files.merge import PRIVATE
from adapters.files.refusal import Refusal
from adapters.files.sheet import Broken, Row, Table
from adapters.files.shopmap import ENDS, LINE_ONLY, absent, essential, key, kinds, names, of, title_id

_SEEN = f"{PRIVATE}moved"
_TELLING = re.compile(
    r"status|state$|状态|ステータス|shipped|dispatch|fulfil+ed|delivered|cancel|refund|returned|tracking|waybill|发货时间|物流单号|快递单号|运单号|取消|关闭|退款|签收",
    re.IGNORECASE,
)
_PROMISED = re.compile(
    r"\bby\b|latest|earliest|deadline|expected|estimated|promis|应发|承诺|最晚|预计|截止|计划", re.IGNORECASE
)
_NOTHING = frozenset({*cells.MISSING, "0", "0.00", "no", "false", "none", "n/a", "否", "无", "未发货"})
_GOODS = ("sku", "line_id", "listing_id", "title", "stock", "sellable", "event")
_OF_AN_ORDER = ("placed_at", "paid_at", "group_success_at", "buyer")
"""What is an order's and never a line's."""
_OF_LINES = re.compile(r"item|line|unit|sku|product|商品|单品|子订单|明细|小计", re.IGNORECASE)
_OF_ORDER = re.compile(r"total|order|订单|合计|总", re.IGNORECASE)


def maps(settings: ShopSettings) -> bool:
    """Whether the shop has a map at all."""
    return bool(settings.columns or settings.history)


def fits(settings: ShopSettings, header: frozenset[str]) -> bool:
    """Whether a table with this header is one the shop's map is for.

    It is when every mapped column is there, or at least the id's where the table is not canonical itself.
    """
    if not maps(settings):
        return False
    if names(settings) <= header:
        return True
    return "observed_at" not in header and not header.isdisjoint(key(settings))


def rows(table: Table, settings: ShopSettings, context: Context) -> Iterator[Record | Rejected]:
    """The records of a mapped table; columns that are mapped but missing are said once."""
    header = frozenset(table.header)
    wanted = names(settings)
    for refusal in absent(settings, header, wanted):
        yield refusal.rejected(context.source)
    for name in header - wanted - settings.keep:
        context.count_unknown(name)
    marks = _marks(settings, header, wanted)
    how = _how(settings, header)
    own = Map(settings, header)
    parts = _parts(table, wanted | settings.keep | marks, marks, own, how, context)
    nameless = _nameless(settings, header)
    for one in merge.by_order(parts, how, context.source):
        if isinstance(one, Snapshot):
            yield from _finished(replace(one, lines={}) if nameless else one, settings)
        else:
            yield one


def _marks(settings: ShopSettings, header: frozenset[str], wanted: frozenset[str]) -> frozenset[str]:
    """Columns that tell of a state, a shipment or an end though nobody mapped them, where no status does."""
    if settings.history or "status" in settings.columns:
        return frozenset()
    return frozenset(one for one in header - wanted if _TELLING.search(one) and not _PROMISED.search(one))


def _nameless(settings: ShopSettings, header: frozenset[str]) -> bool:
    """Whether the column is missing by which the map knows lines: under other ids they would stand beside themselves.

    That the column is missing is told; until it is back, lines stay as they were.
    """
    entry = settings.columns.get("line_id") or settings.columns.get("sku")
    return entry is not None and header.isdisjoint(of(entry))


def _how(settings: ShopSettings, header: frozenset[str]) -> merge.Rows:
    """How rows make orders: by the map's own word about amounts, else likely by the names of the columns."""
    amounts: dict[str, merge.Amounts] = {}
    likely: dict[str, merge.Amounts] = {}
    for name in merge.MONEY:
        entry = settings.columns.get(name)
        if entry and entry.per:
            amounts[name] = "lines" if entry.per == "line" else "order"
        elif entry and _OF_LINES.search(entry.column):
            likely[name] = "lines"
        elif entry and _OF_ORDER.search(entry.column):
            likely[name] = "order"
    line_id = settings.columns.get("line_id")
    own_ids = line_id is not None and not header.isdisjoint(of(line_id))
    return merge.Rows(own_ids=own_ids, amounts=amounts, likely=likely)


def _parts(
    table: Table, wanted: frozenset[str], marks: frozenset[str], own: Map, how: merge.Rows, context: Context
) -> Iterator[Record | Rejected]:
    """The records of the rows, one by one; rows that are no orders are counted, a blank id is the order's above."""
    settings = own.settings
    shop = context.local(settings)
    ids = footer.Ids()
    above: dict[str, Json] = {}
    for row in notation.rows(table, wanted, essential(settings), kinds(settings), settings):
        try:
            told = own.status(row.cells) if isinstance(row, Row | Broken) else None
            if isinstance(row, Row | Broken) and told is None and _is_no_order(row, own, ids):
                context.count_unknown(footer.NAME)
                continue
            if isinstance(row, Refusal):
                raise row
            value = _continued(own.said(row.cells, told, above=above), above, settings, row.cells)
            record = _record(value, row, shop, how, context)
            if isinstance(record, Snapshot):
                above = {**above, **value} if value.get("order_id") == above.get("order_id") else value
                ids.add(record.order_id)
                if any(row.cells.get(name, "").casefold() not in _NOTHING for name in marks):
                    record = replace(record, fields={**record.fields, _SEEN: True})
            yield record
        except Refusal as refusal:
            above = {}
            yield refusal.rejected(context.source, row.line)


def _is_no_order(row: Row | Broken, own: Map, ids: footer.Ids) -> bool:
    """Whether a row that tells no state is padding, a total or a note."""
    if footer.half(row):
        return False
    settings, texts = own.settings, row.cells
    order_id = next((text for one in own.key if (text := cells.present(texts, one))), None)
    here = {name for name, entry in settings.columns.items() if any(cells.present(texts, one) for one in of(entry))}
    times = [settings.columns[name].column for name in here & {*fields.TIMES, *ENDS}]
    told = {"time"} if any(footer.dated(texts.get(one)) for one in (*times, *settings.history.values())) else set()
    told |= {"goods"} if not here.isdisjoint(_GOODS) else set()
    told |= {"text"} if "status" in here else set()
    return ids.no_order(order_id, texts.values(), frozenset(told))


def _continued(
    value: dict[str, Json], above: dict[str, Json], settings: ShopSettings, row: dict[str, str]
) -> dict[str, Json]:
    """A row without an order id is a further line of the order above, if it says nothing of an order itself.

    Its id must be there as a blank cell, and more than one cell must be filled: half a row or a note is no line.
    """
    if "order_id" in value or "order_id" not in settings.columns or _is_stock(value):
        return value
    line = {name: value.pop(name) for name in LINE_ONLY if name in value}
    whole = not row.keys().isdisjoint(key(settings)) and (len(line) > 1 or _lines_of(above) <= 1)
    if not line or not above or not whole or _is_another(value, above):
        mend = "give each row its order id, or leave all cells of the order blank below its first row"
        raise Refusal("no order id", mend)
    value |= {name: above[name] for name in ("order_id", "observed_at", "currency") if name in above}
    return {**value, "lines": [line]}


def _lines_of(above: dict[str, Json]) -> int:
    """How many cells of a line the row above had filled."""
    lines = above.get("lines")
    return len(lines[0]) if isinstance(lines, list) and isinstance(lines[0], dict) else 0


def _is_another(value: dict[str, Json], above: dict[str, Json]) -> bool:
    """Whether a row tells of another order than the one above. A line may have a state of its own.

    That is no other order's only where the order's times stand above and are blank here.
    """
    if any(value.get(name) not in (None, above.get(name)) for name in _OF_AN_ORDER):
        return True
    if value.get("status") in (None, above.get("status")):
        return False
    return value["status"] == "unpaid" or not above.keys() & {"placed_at", "paid_at"} - value.keys()


def _is_stock(value: dict[str, Json]) -> bool:
    return "quantity" not in value and not value.keys().isdisjoint({"stock", "sellable"})


def _record(value: dict[str, Json], row: Row, shop: Shop, how: merge.Rows, context: Context) -> Record:
    settings = shop.settings
    for line in value.get("lines") or ():  # type: ignore[union-attr]
        if isinstance(line, dict) and line.get("title") and not line.keys() & {"line_id", "sku", "listing_id"}:
            line["line_id"] = title_id(line["title"])
    if not settings.history:
        return exact.of(value, shop, context, counted=not how.own_ids)
    value.pop("observed_at", None)
    if "order_id" not in value:
        raise Refusal("no order id", "map order_id to the column that holds it")
    stages = {stage: _time(row.cells, column, stage, shop) for stage, column in settings.history.items()}
    whole = exact.snapshot(value, shop, 0, context, counted=not how.own_ids)
    history.check(whole, stages)
    times = {f"{PRIVATE}{stage}": at for stage, at in stages.items() if at is not None}
    return replace(whole, fields={**whole.fields, **times})


def _finished(one: Snapshot, settings: ShopSettings) -> Iterator[Snapshot]:
    """The order without what only the parsers know: its life, or itself with the status that is certain."""
    if not settings.history and one.fields.get("status") is not None and _SEEN not in one.fields:
        yield one
        return
    facts = {name: value for name, value in one.fields.items() if not name.startswith(PRIVATE)}
    whole = replace(one, fields=facts)
    if settings.history:
        times = {stage: one.fields.get(f"{PRIVATE}{stage}") for stage in settings.history}
        yield from history.life(whole, {stage: at if isinstance(at, int) else None for stage, at in times.items()})
        return
    if facts.get("status") is None and "status" not in settings.columns:
        facts.pop("status", None)
        if facts.get("shipped_at") or facts.get("collected_at"):
            facts["status"] = "shipped"
        elif facts.get("paid_at") and _SEEN not in one.fields:
            facts["status"] = "paid"
    yield whole


def _time(row: dict[str, str], column: str, stage: str, shop: Shop) -> int | None:
    text = cells.present(row, column)
    text = cells.local_time(text) if text else None
    return fields.moment(text, stage, shop.reading) if text else None
