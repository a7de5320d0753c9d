"""Files that look like a shop's orders and are none: purchases, lists of refunds, exports nobody here reads."""

from adapters.files.refusal import Refusal
from adapters.files.texts import Headers

Marks = tuple[frozenset[str], ...]
"""Groups of columns: all of one group together give a file away."""


def refusal(header: frozenset[str]) -> Refusal | None:
    """Why a table with this header is not taken for a shop's orders; None for any other."""
    headers = Headers(header)
    for found, marks in _STRANGERS:
        if any(all(map(headers.named, group)) for group in marks):
            return Refusal(found.reason, found.mend, 1)
    return None


def _any(*names: str) -> Marks:
    return tuple(frozenset({name}) for name in names)


def _unread(name: str) -> Refusal:
    return Refusal(
        f"this is an order export of {name}, which Forestall cannot read by itself",
        "give that platform a shop of its own and name the columns under [shops.….columns]",
    )


_STRANGERS: tuple[tuple[Refusal, Marks], ...] = (
    (
        Refusal(
            "this is a list of what you bought (as 1688 exports it), not of what you sold",
            "leave this file out, and export the orders of your own shop",
        ),
        (
            *_any(
                "卖家公司名",
                "卖家会员名",
                "卖家昵称",
                "卖家旺旺",
                "卖家名称",
                "卖家",
                "卖家ID",
                "供应商名称",
                "供货商",
                "供货商名称",
            ),
            *_any("采购单号", "采购订单号", "1688订单号"),
        ),
    ),
    (
        Refusal(
            "this is a list of refunds or after-sale cases, not of orders",
            "leave this file out: the order export tells refunds too",
        ),
        tuple(
            frozenset({number, at})
            for number in ("退款编号", "售后单号", "售后编号")
            for at in ("退款的申请时间", "退款申请时间", "售后申请时间", "申请时间")
        ),
    ),
    (_unread("Kuaishou"), (*_any("主播补贴"), frozenset({"订单号", "快递费", "成交数量"}))),
    (_unread("Xiaohongshu"), (frozenset({"SKU件数", "用户应付金额"}),)),
    (_unread("WeChat Store"), (frozenset({"订单号", "带货账号昵称"}), *_any("视频号订单号"))),
)
