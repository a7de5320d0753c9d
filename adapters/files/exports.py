"""Platform exports → snapshots: recognised by their headers, status texts and money read exactly.

An export knows no collection scan, so `collected_at` is never said. The rows of an order are brought together,
so that status, deadline and amounts are the order's even when its rows lie apart. Taobao item and Douyin amounts
are added up over the lines; JD repeats the order's on every row. What the files do not tell is not guessed: the
Taobao item export has no postage.

JD marks: (删除) means the order is gone (cancelled, and refunded if it was paid), (锁定) that the buyer asked to
cancel. Merchants' own programs read them so; shipping such orders would be wrong either way.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from adapters.base import Json, Record, Rejected, ShopSettings, Snapshot
from adapters.files import cells, exact, fields, footer, gaps, known, merge, notation, shopmap, states, texts
from adapters.files.context import Context, Shop
from adapters.files.mapped import Map
from adapters.files.refusal import Refusal, shown
from adapters.files.shape import Export, Names
from adapters.files.sheet import Broken, Row, Table
from adapters.files.shopmap import title_id
from adapters.files.states import GONE, MOVED

_MARK = re.compile(r"\((删除|锁定)\)")
_PRESALE = re.compile(r"预售|定金|尾款|阶段|^是$")


class State(NamedTuple):
    """What a row says about where its order or line stands. `refund`: None, `requested` or `success`.

    `status` None: as far as the row above, as in further rows of an order that leave its cells blank.
    """

    status: str | None
    refund: str | None
    flags: list[str]


def rows(table: Table, export: Export, settings: ShopSettings, context: Context) -> Iterator[Record | Rejected]:
    """The orders of an export; raises Refusal when it belongs to another platform, or no time is known for it.

    The shop's own map adds to what is read: a column or text that it names is read as it says.
    """
    if settings.platform not in export.platforms:
        home = " or ".join(export.platforms)
        raise Refusal(
            f"this is a {export.title}, but shop {settings.name} is on {settings.platform}",
            f"put it into the folder of a shop on {home}",
        )
    header = frozenset(table.header)
    mapped = shopmap.names(settings) if settings.columns else frozenset()
    own = known.within(export, header, settings)
    for refusal in (*shopmap.absent(settings, header, mapped - {"order_id"}), *gaps.of(export, own, settings, header)):
        yield refusal.rejected(context.source)
    for name in header - own.columns - mapped - settings.keep:
        context.count_unknown(name)
    parts = _parts(table, own, mapped, context.local(settings), context)
    how = merge.Rows(own_ids=export.own_ids, amounts=dict.fromkeys(merge.MONEY, export.amounts))
    nameless = gaps.lineless(export, own, settings)
    for one in merge.by_order(parts, how, context.source):
        yield replace(one, lines={}) if nameless and isinstance(one, Snapshot) else one


def _parts(
    table: Table, export: Export, mapped: frozenset[str], shop: Shop, context: Context
) -> Iterator[Record | Rejected]:
    settings = shop.settings
    own = Map(settings, frozenset(table.header))
    observed_at = context.exported_at(settings)
    ids, above = footer.Ids(), dict[str, str]()
    wanted, kinds = export.columns | mapped | settings.keep, {**export.kinds, **shopmap.kinds(settings)}
    for row in notation.rows(table, wanted, export.essential, kinds, settings):
        try:
            if isinstance(row, Row | Broken) and not footer.half(row) and _is_no_order(row.cells, export, ids):
                context.count_unknown(footer.NAME)
                continue
            if isinstance(row, Refusal):
                raise row
            above = _continued(row.cells, export, above)
            order = _record(above, export, own, shop, observed_at, context)
            ids.add(order.order_id)
            yield order
        except Refusal as refusal:
            above = {}
            yield refusal.rejected(context.source, row.line)


def _record(row: dict[str, str], export: Export, own: Map, shop: Shop, observed_at: int, context: Context) -> Snapshot:
    settings = shop.settings
    value = _object(row, export, own)
    if settings.keep:
        value |= {name: row[name] for name in settings.keep & row.keys()}
    order = exact.snapshot(value, shop, observed_at, context, counted=not export.own_ids)
    goods = _amount(row, export.goods)
    return order if goods is None else replace(order, fields={**order.fields, merge.GOODS: goods})


def _is_no_order(row: dict[str, str], export: Export, ids: footer.Ids) -> bool:
    """Whether a row is padding, a total or a note."""
    state = cells.present(row, export.status)
    told = {"text"} if state is not None else set()
    if state is not None and texts.state(texts.plain(state), export.statuses) is not None:
        return False
    times = [column for name, names in export.order.items() if name in fields.TIMES for column in names]
    told |= {"time"} if any(footer.dated(row.get(column)) for column in times) else set()
    goods = [column for name in ("sku", "listing_id", "title") for column in export.line.get(name, ())]
    told |= {"goods"} if any(cells.present(row, column) for column in goods) else set()
    return ids.no_order(cells.present(row, export.order_id), row.values(), frozenset(told))


def _continued(row: dict[str, str], export: Export, above: dict[str, str]) -> dict[str, str]:
    """The row; without an order id it is a further line of the order above, if it says nothing of an order itself."""
    if row.get(export.order_id) == above.get(export.order_id):
        row = row | {name: row.get(name) or above.get(name, "") for name in export.currency}
    if row.get(export.order_id) not in cells.MISSING or not above or export.rows_are == "orders":
        return row
    times = {column for name, names in export.order.items() if name in fields.TIMES for column in names}
    carried = {name: above.get(name, "") for name in (export.order_id, export.status, *sorted(times))}
    goods = [names for names in (*export.line.values(), export.line_id) if _first(row, names)]
    if len(goods) < 2 or any(row.get(name, "") not in (*cells.MISSING, text) for name, text in carried.items()):
        return row
    return row | carried


def _object(row: dict[str, str], export: Export, own: Map) -> dict[str, Json]:
    """The canonical object a row stands for, with what the shop's own map says of it."""
    settings = own.settings
    currency = _currency(row, export, settings)
    order: dict[str, Json] = {"currency": currency} if currency else {}
    for name, names in export.order.items():
        if (text := _first(row, names)) is not None:
            _put(order, name, text, currency)
    if isinstance(order.get("paid_minor"), int) and (more := cells.present(row, export.more_paid)):
        order["paid_minor"] += cells.minor(more, export.more_paid)  # type: ignore[operator]
    mapped = own.said(row, own.status(row), known=True) if settings.columns else {}
    lines = mapped.pop("lines", None)
    order |= {"order_id": row.get(export.order_id, "")} | mapped
    state = _state(row, export, order)
    if state.status == "unpaid" and not order.get("paid_minor"):
        order.pop("paid_minor", None)
    if order.get("received_minor") == 0:  # not paid out yet
        del order["received_minor"]
    order |= {"status": state.status} if state.status is not None else {}
    if state.flags or export.marks or export.refund:
        order["flags"] = state.flags
    remarks = [text for name in export.remarks if (text := cells.present(row, name))]
    if export.remarks:
        order["remark"] = " / ".join(remarks) or None
    if export.line or lines:
        order["lines"] = [_line(row, export, state, order) | (lines[0] if isinstance(lines, list) else {})]
    return order


def _line(row: dict[str, str], export: Export, state: State, order: dict[str, Json]) -> dict[str, Json]:
    line: dict[str, Json] = {}
    for name, names in export.line.items():
        if (text := _first(row, names)) is not None:
            _put(line, name, text, order.get("currency"))
    quantity = line.get("quantity")
    if isinstance(quantity, int):
        line |= _units(row, export, state, quantity)
        if (total := cells.present(row, export.total)) and quantity:
            price, rest = divmod(cells.minor(total, export.total), quantity)
            line |= {} if rest else {"unit_minor": price}
    if export.amounts == "lines" and "paid_minor" in order:
        line["paid_minor"] = order["paid_minor"]
    if "ship_by" in order:
        line["ship_by"] = order["ship_by"]
    if export.refund:
        line["refund_status"] = state.refund
    title = line.get("title", "")
    line["line_id"] = _first(row, export.line_id) or str(line.get("sku") or line.get("listing_id") or title_id(title))
    return line


def _units(row: dict[str, str], export: Export, state: State, quantity: int) -> dict[str, Json]:
    """How many units of a line are shipped and refunded, where its own state or the row's tells it."""
    own = export.statuses.get(texts.plain(row.get(export.line_state, ""))) if export.line_state else state.status
    units: dict[str, Json] = {}
    if own is not None and own != "partly_shipped":
        units["shipped_quantity"] = quantity if own in MOVED else 0
    if state.status is not None:
        units["refunded_quantity"] = quantity if state.status in GONE else 0
    return units


def _state(row: dict[str, str], export: Export, order: dict[str, Json]) -> State:
    """Where the row stands: by the shop's own map where that knows its text (`order` has it), else by the export."""
    text = cells.present(row, export.status) or ""
    plain = texts.plain(text)
    mark = _MARK.search(plain) if export.marks else None
    plain = _MARK.sub("", plain) if export.marks else plain
    own = order.get("status")
    said = (str(own), None) if own is not None else texts.state(plain, export.statuses)
    more = _more_states(row, export) if export.more_states or export.ends else []
    if said is None and (text or not export.more_states):
        raise _unknown(text, export.status)
    status, tail = said or (None, None)
    if more:
        status = states.of_columns([*more, status] if status else more)
    refund = _refund(row, export, order.get("paid_minor")) or tail
    if own is not None:
        refund = refund if refund == "requested" and status not in GONE else None
    elif mark and mark[1] == "删除":
        status = "cancelled" if status == "unpaid" else "refunded"
    elif refund == "success" and status != "unpaid":
        status = "refunded"
    elif status == "cancelled":
        status = "refunded" if not export.refund and _amount(row, export.refunded_amount) else status
    flags = dict.fromkeys(merge.words(order.get("flags")))
    if export.presale and any(_PRESALE.search(cells.present(row, name) or "") for name in export.presale):
        flags["presale"] = None
    if refund == "requested" or plain.startswith("锁定") or (mark and mark[1] == "锁定"):
        flags["refund_requested"] = None
    if row.get(export.risk) == "是" or plain.startswith("暂停"):
        flags["risk_hold"] = None
    return State(status, "success" if status == "refunded" else refund, list(flags))


def _more_states(row: dict[str, str], export: Export) -> list[str]:
    """What further columns say of the order's state: other texts, or the time of its end."""
    found = [end for column, end in export.ends.items() if cells.present(row, column)]
    for column, meant in export.more_states.items():
        if text := cells.present(row, column):
            if texts.plain(text) not in meant:
                raise _unknown(text, column)
            found.append(meant[texts.plain(text)])
    return found


def _currency(row: dict[str, str], export: Export, settings: ShopSettings) -> str:
    """The row's own currency, else what the shop states, else that of an export which never names one; "" for none."""
    return (
        _first(row, export.currency) or settings.options.get("currency") or ("" if export.currency else "CNY")
    ).upper()


def _unknown(text: str, column: str) -> Refusal:
    if not text:
        return Refusal(
            f"no order status in column {shown(column)}", "give each row its status, or export the file again"
        )
    mend = (
        "report the text, and say what it means under [shops.….columns]: "
        f'status = {{ column = "{column}", values = {{ {shown(text)} = "paid" }} }}'
    )
    return Refusal(f"status {shown(text)} is not known", mend)


def _refund(row: dict[str, str], export: Export, paid: Json) -> str | None:
    """None, `requested` (under way) or `success` (all of it); a part paid back leaves the goods owed."""
    text = _first(row, export.refund)
    said = texts.refund(texts.plain(text)) if text is not None else None
    if said != "success":
        return said
    back = _amount(row, export.refunded_amount)
    return None if back and isinstance(paid, int) and back < paid else said


def _amount(row: dict[str, str], column: str) -> int | None:
    """An amount where one stands; export columns for refunds may also hold words."""
    text = cells.present(row, column) if column else None
    return cells.minor(text, column) if text and text[0].isdigit() else None


def _first(row: dict[str, str], names: Names) -> str | None:
    for name in names:
        text = row.get(name, "")
        if text not in cells.MISSING:
            return text
    return None


def _put(value: dict[str, Json], name: str, text: str, currency: Json) -> None:
    """Add one cell to the object, in canonical form; a time that says "none" says nothing."""
    if name.endswith("_minor"):
        value[name] = cells.minor(text, name, str(currency or ""))
    elif name == "quantity":
        value[name] = cells.integer(text, name)
    elif name not in fields.TIMES:
        value[name] = text
    elif when := cells.local_time(text):
        value[name] = when
