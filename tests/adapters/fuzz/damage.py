"""What happens to tables on their way: each damage changes rows and what may still be expected of their orders."""

import re
from collections.abc import Callable
from random import Random

from rules.instant import from_datetime, to_datetime
from tests.adapters.fuzz.sheet import Row, Sheet

FOOTERS = ("Total", "2, record(s) downloaded", "Seller ID: north", "Grand total", "Sum")
CHINESE_FOOTERS = ("合计", "总计：", "共 3 条", "本页合计", "Total")
STANDS_IN = frozenset({"外部系统编号"})
"""Columns of known exports for which another one stands in that means nearly the same."""
REFUNDS = frozenset({"退款金额", "退款状态", "售后状态"})
"""Columns without which an order that is gone does not tell how."""
STRANGE = ("订单备注2", "退款时间", "refund-date", "notes", "Unnamed: 7", "x", "发票抬头", "预计送达")
TIMES = ("placed_at", "paid_at", "ship_by", "shipped_at")
KNOWN = {
    "status": ("订单状态",),
    "placed_at": ("订单创建时间", "下单时间", "订单提交时间"),
    "paid_at": ("订单付款时间", "订单付款时间 ", "支付时间", "付款确认时间", "支付完成时间"),
    "group_success_at": ("拼单成功时间",),
    "ship_by": ("应发货时间", "承诺发货时间"),
    "shipped_at": ("发货时间",),
}
"""The columns of known exports by field."""
_WATCHED = ("paid_at", "group_success_at", "ship_by")
_BARE = re.compile(r"(?<=\d)[ T]")
Damage = Callable[[Random, Sheet], None]


def _some(rng: Random, sheet: Sheet) -> Row:
    return rng.choice(sheet.owned())


def more_columns(rng: Random, sheet: Sheet) -> None:
    """Columns nobody asked for, anywhere."""
    for name in rng.sample(STRANGE, rng.randint(1, 3)):
        if name in sheet.header:
            continue
        sheet.header.insert(rng.randint(0, len(sheet.header)), name)
        for row in sheet.rows:
            row.cells[name] = rng.choice(("", "2026-11-01", "5", "text, more", "无"))


def other_order(rng: Random, sheet: Sheet) -> None:
    """Columns in another order."""
    rng.shuffle(sheet.header)


def mixed_rows(rng: Random, sheet: Sheet) -> None:
    """The rows of an order apart from each other."""
    rng.shuffle(sheet.rows)


def twice(rng: Random, sheet: Sheet) -> None:
    """A row twice: the same sub-order, the same order."""
    row = _some(rng, sheet)
    sheet.rows.insert(rng.randint(0, len(sheet.rows)), Row(cells=dict(row.cells), owner=row.owner))
    if not sheet.line_ids:  # the same thing bought twice looks alike
        sheet.expected[row.owner or ""].pop("lines", None)
        sheet.expected[row.owner or ""].pop("paid_minor", None)


def short_row(rng: Random, sheet: Sheet) -> None:
    """A row that ends too early; in a workbook it would be one with empty cells."""
    if sheet.book:
        return
    row = _some(rng, sheet)
    filled = next(at for at, name in enumerate(sheet.header) if row.cells.get(name, "").strip()) + 1
    if filled == len(sheet.header):
        return
    row.ends_at = rng.randint(filled, len(sheet.header) - 1)
    for name in ("shipped_at", "placed_at"):  # may be empty, and empty last cells may be left out
        sheet.expected[row.owner or ""].pop(name, None)
    sheet.plain = False


def broken_row(rng: Random, sheet: Sheet) -> None:
    """A line break in the middle of a row, not in quotes."""
    if sheet.book:
        return
    row = _some(rng, sheet)
    row.broken_at = rng.randint(1, len(sheet.header) - 1)
    sheet.plain = False


def footer(rng: Random, sheet: Sheet) -> None:
    """A line of totals below, or padding; objects have none."""
    if sheet.json:
        return
    cells = dict.fromkeys(sheet.header, "")
    text = rng.choice(CHINESE_FOOTERS if sheet.platform != "generic" or "单号" in sheet.header else FOOTERS)
    cells[sheet.header[0] if rng.random() < 0.7 else rng.choice(sheet.header)] = text
    if rng.random() < 0.5:
        sums = [name for name in sheet.header[1:] if _adds_up(sheet, name)]
        column = rng.choice(sums or [sheet.header[0]])
        cells[column] = _some(rng, sheet).cells[column] if sums else text
    sheet.rows.append(Row(cells=cells, owner=None))
    sheet.plain = False


def _adds_up(sheet: Sheet, name: str) -> bool:
    """Whether a column holds amounts or counts."""
    texts = [text for row in sheet.owned() if (text := row.cells.get(name, ""))]
    return (
        bool(texts)
        and name != _column(sheet, "order_id")
        and all(len(text) < 9 and text.replace(".", "").isdigit() for text in texts)
    )


def line_break(rng: Random, sheet: Sheet) -> None:
    """A line break inside a text, properly quoted."""
    name = rng.choice(sheet.header)
    texts = [
        column for column in sheet.header if column in ("notes", "买家留言", "主订单买家留言", "商家备注", "订单备注")
    ]
    name = rng.choice(texts) if texts else name
    if texts:
        _some(rng, sheet).cells[name] = "please\nhurry"


def stray_quote(rng: Random, sheet: Sheet) -> None:
    """A title that begins with, or holds, a quotation mark."""
    for column in ("商品标题", "商品名称", "选购商品", "商品", "product-name", "Artikel", "title", "品名", "宝贝标题"):
        if column in sheet.header:
            _some(rng, sheet).cells[column] = rng.choice(('"Best" lamp', '5" pipe', '"open', 'half "'))
            return


def unknown_state(rng: Random, sheet: Sheet) -> None:
    """A state nobody has heard of."""
    row = _some(rng, sheet)
    for name in ("订单状态", _column(sheet, "status"), "status"):
        if name in row.cells:
            row.cells[name] = rng.choice(("平台介入待核", "Awaiting moon", "???"))
            sheet.plain = False
            return


def bad_value(rng: Random, sheet: Sheet) -> None:
    """A letter in an amount, a thirteenth month."""
    row = _some(rng, sheet)
    known = [name for name, text in row.cells.items() if text[:4] == "2026" and len(text) > 15]
    if known:
        name = rng.choice(known)
        row.cells[name] = row.cells[name].replace("2026-1", "2026-19").replace("2026/1", "2026/19")
        sheet.plain = False


def spreadsheet_ids(rng: Random, sheet: Sheet) -> None:
    """Long ids after a spreadsheet: rounded, in scientific notation or with zeros at the end."""
    if sheet.json:
        return
    name = next(
        (n for n in ("主订单编号", "订单编号", "订单号", _column(sheet, "order_id"), "order_id") if n in sheet.header),
        "",
    )
    ids = [row.cells.get(name, "").strip() for row in sheet.owned()]
    if not ids or not all(one.isdigit() and len(one) > 15 for one in ids):
        return
    science = rng.random() < 0.5
    for row in sheet.owned():
        own = row.cells[name].strip()
        rounded = int(own[:15]) * 10 ** (len(own) - 15)
        row.cells[name] = f"{float(own):.2E}" if science else str(rounded)
        sheet.plain = False


def renamed_column(rng: Random, sheet: Sheet) -> None:
    """A column under another name: read all the same, or said and the orders counted."""
    name = rng.choice(sheet.header)
    at = sheet.header.index(name)
    if name == _column(sheet, "line_id") and "twice" in sheet.done:  # now the same thing bought twice looks alike
        for field in ("lines", "paid_minor"):
            _forget(sheet, field)
    cut = name[:-1] if sheet.columns and len(name) > 1 else f"{name}2"
    sheet.header[at] = rng.choice((f"{name}(新)", f"new {name}", f"{name} (UTC)", cut))
    if not sheet.columns and _may_be_meant(sheet, name, sheet.header[at]):
        _forget(
            sheet, {"sku": "lines", "quantity": "lines", "line_id": "lines", "外部系统编号": "lines"}.get(name, name)
        )
    if name in REFUNDS:
        _forget(sheet, "refund")
    for row in sheet.rows:
        row.cells[sheet.header[at]] = row.cells.pop(name, "")
        sheet.plain = False
    sheet.done.append(f"renamed {name!r} to {sheet.header[at]!r}")


def _may_be_meant(sheet: Sheet, name: str, header: str) -> bool:
    """Whether the new name may be another thing's: a key of objects is only counted, "new title" is no title."""
    return name in STANDS_IN or sheet.json or (name.isascii() and name.isalpha() and header == f"new {name}")


def _forget(sheet: Sheet, field: str) -> None:
    """The file does not tell this any more, and need not: exports are made with and without such columns."""
    for truth in sheet.expected.values():
        truth.pop(field, None)
        if field == "refund" and truth["status"] in ("cancelled", "refunded"):
            del truth["status"]


def left_out(rng: Random, sheet: Sheet) -> None:
    """No column of the state, or none of payment and deadline: nobody mapped it, or the export was made without."""
    without = rng.choice((("status",), _WATCHED))
    names = {_column(sheet, name) for name in without} | {name for one in without for name in KNOWN.get(one, ())}
    if not names.intersection(sheet.header) or sheet.json:
        return
    sheet.header[:] = [name for name in sheet.header if name not in names]
    sheet.columns = {name: entry for name, entry in sheet.columns.items() if entry.column not in names}
    sheet.plain = False
    for truth in sheet.expected.values():
        _forget_the_rest(truth, without == _WATCHED, shipped_at=_has(sheet, "shipped_at"))


def _has(sheet: Sheet, field: str) -> bool:
    return field in sheet.columns and sheet.columns[field].column in sheet.header


def _forget_the_rest(truth: dict[str, object], watched: bool, shipped_at: bool) -> None:
    """What a file cannot tell any more of an order that owes nothing; one that is paid must be watched or counted."""
    if watched and truth.get("status") not in ("paid", "partly_shipped"):
        truth.pop("paid_at", None)
    elif not watched and shipped_at and truth.get("status") in ("shipped", "completed") and "paid_minor" in truth:
        truth["status"] = "shipped"
    elif not watched and truth.get("status") != "paid":  # a line that is gone looks like one that waits
        truth.pop("status", None)
        truth.pop("shipped_at", None)


def bare_dates(rng: Random, sheet: Sheet) -> None:
    """Deadlines, sometimes all times, without a time of day: a deadline means the end of its day."""
    if sheet.columns:  # its table makes them by itself
        return
    for field in ("ship_by",) if rng.random() < 0.6 else TIMES:
        names = [name for name in (field, *KNOWN.get(field, ())) if name in sheet.header]
        if not names or any(row.cells.get(name, "").endswith("Z") for row in sheet.rows for name in names):
            continue
        for row in sheet.owned():
            row.cells |= {name: _BARE.split(row.cells.get(name, ""))[0] for name in names}
        for truth in sheet.expected.values():
            if isinstance(at := truth.get(field), int):
                day = to_datetime(at, sheet.zone).replace(hour=0, minute=0, second=0)
                end = day.replace(hour=23, minute=59, second=59)
                truth[field] = from_datetime(end if field == "ship_by" else day)


def wrapped_cells(rng: Random, sheet: Sheet) -> None:
    """Ids as exports wrap them: `="123"`, an apostrophe, blanks."""
    if sheet.json:
        return
    name = sheet.header[rng.randint(0, min(1, len(sheet.header) - 1))]
    before, after = rng.choice(
        (("'", ""), (" ", " "), ("\t", ""), ('="', '"')) if not sheet.book else (("'", ""), (" ", " "))
    )
    for row in sheet.owned():
        if row.cells.get(name):
            row.cells[name] = before + row.cells[name] + after


def merged_cells(_: Random, sheet: Sheet) -> None:
    """What belongs to the order stands in its first row only."""
    names = [_column(sheet, name) for name in ("order_id", "placed_at", "paid_at", "ship_by", "currency")]
    if sheet.platform != "generic":
        return
    sheet.plain &= not any(
        one["status"] == "partly_shipped" or "paid_minor" not in one for one in sheet.expected.values()
    )
    before = None
    for row in sheet.rows:
        if row.owner is not None and row.owner == before:
            row.cells |= {name: "" for name in names if name in row.cells}
        before = row.owner


def _column(sheet: Sheet, name: str) -> str:
    return sheet.columns[name].column if name in sheet.columns else name


HARMLESS: tuple[Damage, ...] = (
    more_columns,
    bare_dates,
    other_order,
    mixed_rows,
    twice,
    line_break,
    stray_quote,
    wrapped_cells,
    merged_cells,
)
"""In the order in which they happen: cells are merged last."""
HARMFUL: tuple[Damage, ...] = (
    short_row,
    broken_row,
    footer,
    unknown_state,
    bad_value,
    spreadsheet_ids,
    renamed_column,
    left_out,
)
