"""Platform exports → snapshots: recognised by their headers, status texts and money read exactly.

An export knows no collection scan, so `collected_at` is never said. Where the rows of an export are lines
(Taobao items and details, JD, Douyin) they are brought together per order first, so that status, deadline and
amounts are the order's even when its rows lie apart. Taobao item and Douyin amounts are added up over the lines;
JD repeats the order's on every row. What the files do not tell is not guessed: the Taobao item export
has no postage.

JD marks: (删除) means the order is gone (cancelled, and refunded if it was paid), (锁定) that the buyer asked to
cancel. Merchants' own programs read them so; shipping such orders would be wrong either way.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from adapters.base import Json, Record, Rejected, ShopSettings
from adapters.files import cells, exact, merge
from adapters.files.context import Context, Shop
from adapters.files.formats import EXPORTS, Export, Names
from adapters.files.refusal import Refusal, shown
from adapters.files.sheet import Table

_MARK = re.compile(r"\((删除|锁定)\)")
_PRESALE = re.compile(r"预售|定金|尾款|阶段|^是$")
_NO_REFUND = re.compile(r"没有申请|无退款|无售后|取消|关闭|部分退款|^否$")
_REFUND_DONE = re.compile(r"退款成功|退款完成|全额退款")
_TIMES = frozenset({"placed_at", "paid_at", "group_success_at", "shipped_at", "ship_by"})
_SHIPPED = frozenset({"shipped", "delivered", "completed"})
_GONE = frozenset({"cancelled", "refunded"})


class State(NamedTuple):
    """What a row says about where its order or line stands. `refund`: None, `requested` or `success`."""

    status: str
    refund: str | None
    flags: list[str]


def recognise(header: frozenset[str]) -> Export | None:
    """The export whose distinctive columns are in the header; None for any other table."""
    return next((one for one in EXPORTS if one.needs <= header and one.any_of & header), None)


def rows(table: Table, export: Export, settings: ShopSettings, context: Context) -> Iterator[Record | Rejected]:
    """The orders of an export; raises Refusal when it belongs to another platform, or no time is known for it."""
    if settings.platform not in export.platforms:
        home = " or ".join(export.platforms)
        raise Refusal(
            f"this is a {export.title}, but shop {settings.name} is on {settings.platform}",
            f"put it into the folder of a shop on {home}",
        )
    wanted = export.columns
    for name in frozenset(table.header) - wanted - settings.keep:
        context.count_unknown(name)
    parts = _parts(table, export, context.local(settings), context)
    how = merge.Rows(own_ids=export.own_ids, amounts=dict.fromkeys(merge.MONEY, export.amounts))
    yield from merge.by_order(parts, how, context.source)


def _parts(table: Table, export: Export, shop: Shop, context: Context) -> Iterator[Record | Rejected]:
    observed_at = context.exported_at(shop.settings)
    export = export.within(frozenset(table.header))
    for row in table.rows(export.columns | shop.settings.keep):
        try:
            if isinstance(row, Refusal):
                raise row
            value = _object(row.cells, export)
            value |= {name: row.cells[name] for name in shop.settings.keep & row.cells.keys()}
            goods = _amount(row.cells, export.goods) if export.goods else None
            order = exact.snapshot(value, shop, observed_at, context)
            yield order if goods is None else replace(order, fields={**order.fields, merge.GOODS: goods})
        except Refusal as refusal:
            yield refusal.rejected(context.source, row.line)


def _object(row: dict[str, str], export: Export) -> dict[str, Json]:
    """The canonical object a row stands for."""
    order: dict[str, Json] = {"currency": "CNY"}
    for name, names in export.order.items():
        if (text := _first(row, names)) is not None:
            order |= _value(name, text)
    if isinstance(order.get("paid_minor"), int) and (more := cells.present(row, export.more_paid)):
        order["paid_minor"] += cells.minor(more, export.more_paid)  # type: ignore[operator]
    state = _state(row, export, order.get("paid_minor"))
    if state.status == "unpaid" and not order.get("paid_minor"):
        order.pop("paid_minor", None)
    if order.get("received_minor") == 0:  # not paid out yet
        del order["received_minor"]
    order |= {"order_id": row.get(export.order_id, ""), "status": state.status}
    if state.flags or export.marks or export.refund:
        order["flags"] = state.flags
    remarks = [text for name in export.remarks if (text := cells.present(row, name))]
    if export.remarks:
        order["remark"] = " / ".join(remarks) or None
    if export.line:
        order["lines"] = [_line(row, export, state, order)]
    return order


def _line(row: dict[str, str], export: Export, state: State, order: dict[str, Json]) -> dict[str, Json]:
    line: dict[str, Json] = {}
    for name, names in export.line.items():
        if (text := _first(row, names)) is not None:
            line |= _value(name, text)
    quantity = line.get("quantity")
    if isinstance(quantity, int):
        if state.status != "partly_shipped":
            line["shipped_quantity"] = quantity if state.status in _SHIPPED else 0
        line["refunded_quantity"] = quantity if state.status in _GONE else 0
        if (total := cells.present(row, export.total)) and quantity:
            price, rest = divmod(cells.minor(total, export.total), quantity)
            line |= {} if rest else {"unit_minor": price}
    if export.amounts == "lines" and "paid_minor" in order:
        line["paid_minor"] = order["paid_minor"]
    if "ship_by" in order:
        line["ship_by"] = order["ship_by"]
    if export.refund:
        line["refund_status"] = state.refund
    line["line_id"] = _first(row, export.line_id) or str(line.get("sku") or line.get("listing_id") or _title_id(line))
    return line


def _state(row: dict[str, str], export: Export, paid: Json) -> State:
    text = cells.present(row, "订单状态") or ""
    plain = text.translate(_HALF_WIDTH).replace(" ", "")
    mark = _MARK.search(plain) if export.marks else None
    plain = _MARK.sub("", plain) if export.marks else plain
    status = export.statuses.get(plain)
    if status is None:
        raise Refusal(f"status {shown(text)} is not known", "report the text, or map it under [shops.….columns]")
    refund = _refund(row, export, paid)
    if status == "refunded":
        refund = "success"
    elif mark and mark[1] == "删除":
        status = "cancelled" if status == "unpaid" else "refunded"
    elif refund == "success" and status != "unpaid":
        status = "refunded"
    elif status == "cancelled":
        status = "refunded" if not export.refund and _amount(row, export.refunded_amount) else status
    flags = {
        "presale": any(_PRESALE.search(cells.present(row, name) or "") for name in export.presale),
        "refund_requested": refund == "requested" or "锁定" in (plain[:2], mark and mark[1]),
        "risk_hold": cells.present(row, export.risk) == "是" or plain.startswith("暂停"),
    }
    return State(status, refund, [flag for flag, raised in flags.items() if raised])


_HALF_WIDTH = str.maketrans("，（）", ",()")


def _refund(row: dict[str, str], export: Export, paid: Json) -> str | None:
    """None, `requested` (under way) or `success` (all of it); a part paid back leaves the goods owed."""
    text = _first(row, export.refund)
    if text is None:
        return None
    if _REFUND_DONE.search(text):
        back = _amount(row, export.refunded_amount)
        return None if back and isinstance(paid, int) and back < paid else "success"
    return None if _NO_REFUND.search(text) else "requested"


def _amount(row: dict[str, str], column: str) -> int | None:
    """An amount where one stands; export columns for refunds may also hold words."""
    text = cells.present(row, column)
    return cells.minor(text, column) if text and text[0].isdigit() else None


def _first(row: dict[str, str], names: Names) -> str | None:
    for name in names:
        text = row.get(name, "")
        if text not in cells.MISSING:
            return text
    return None


def _value(name: str, text: str) -> dict[str, Json]:
    if name.endswith("_minor"):
        return {name: cells.minor(text, name)}
    if name == "quantity":
        return {name: cells.integer(text, name)}
    if name in _TIMES:
        return {name: when} if (when := cells.local_time(text)) else {}
    return {name: text}


def _title_id(line: dict[str, Json]) -> str:
    """An id for a line that has no code at all: always the same for the same title."""
    return "t-" + hashlib.blake2b(str(line.get("title", "")).encode(), digest_size=6).hexdigest()
