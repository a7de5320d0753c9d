"""What the texts of platform exports mean: order states, after-sale states, and which headers are the same column.

Facts: reference/platform-apis.md §1.7, 2.6, 3.6, 4.6, and texts seen in public programs of merchants.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

_USUAL = {
    "待付款": "unpaid",
    "待支付": "unpaid",
    "未付款": "unpaid",
    "等待付款": "unpaid",
    "等待买家付款": "unpaid",
    "已付款": "paid",
    "已支付": "paid",
    "待发货": "paid",
    "等待发货": "paid",
    "等待卖家发货": "paid",
    "备货中": "paid",
    "待出库": "paid",
    "部分发货": "partly_shipped",
    "已发货": "shipped",
    "待收货": "shipped",
    "待签收": "shipped",
    "已发货,待签收": "shipped",
    "等待确认收货": "shipped",
    "等待买家确认收货": "shipped",
    "已签收": "delivered",
    "已收货": "delivered",
    "待评价": "completed",
    "已评价": "completed",
    "交易成功": "completed",
    "交易完成": "completed",
    "已完成": "completed",
    "已取消": "cancelled",
    "已关闭": "cancelled",
    "交易关闭": "cancelled",
    "交易取消": "cancelled",
    "未成交": "cancelled",
}
"""Words that mean the same wherever they stand."""

TAOBAO_STATUS = _USUAL | {
    "定金未付,尾款未付": "unpaid",
    "定金已付,尾款未付": "unpaid",
    "等待买家付尾款": "unpaid",
    "买家已付款": "paid",
    "买家已付款,等待卖家发货": "paid",
    "卖家部分发货": "partly_shipped",
    "卖家已发货,等待买家确认": "shipped",
    "卖家已发货,等待买家确认收货": "shipped",
    "卖家已发货": "shipped",
    "买家已签收": "delivered",
}
PINDUODUO_STATUS = _USUAL | {  # a group that is not complete owes nobody a shipment yet
    "待成团": "unpaid",
    "拼单中": "unpaid",
    "待分享": "unpaid",
}
JD_STATUS = _USUAL | {
    "等待付款确认": "unpaid",
    "新订单": "paid",
    "等待出库": "paid",
    "锁定": "paid",
    "锁定订单": "paid",
    "暂停": "paid",
    "暂停订单": "paid",
    "已出库": "shipped",
    "完成": "completed",
    "取消": "cancelled",
}
DOUYIN_STATUS = _USUAL

SHOPIFY_FULFILMENT = {
    "unfulfilled": "paid",
    "pending": "paid",
    "onhold": "paid",
    "scheduled": "paid",
    "inprogress": "paid",
    "partial": "partly_shipped",
    "partiallyfulfilled": "partly_shipped",
    "fulfilled": "shipped",
    "restocked": "paid",
}
SHOPIFY_PAYMENT = {
    "pending": "unpaid",
    "partiallypaid": "unpaid",
    "authorized": "paid",
    "paid": "paid",
    "partiallyrefunded": "paid",
    "refunded": "refunded",
    "voided": "cancelled",
    "expired": "cancelled",
}

_DONE = re.compile(r"(?<!部分)退款成功|(?<!部分)退款完成|全额退款|^已退款$")
_NONE = re.compile(
    r"没有|未申请|未创建|未发起|^无|取消|关闭|撤销|撤回|失败|部分退款|平台拒绝|^否$|售后完成|(?:换货|补寄|维修)(?:成功|完成)"
)


@lru_cache(maxsize=1_024)
def refund(text: str) -> str | None:
    """What an after-sale text says: `success` (all of it paid back), `requested` (under way), or None: none, or ended.

    One that is not known counts as under way: a request must not be missed. A part paid back leaves the goods owed.
    """
    if _DONE.search(text):
        return "success"
    return None if _NONE.search(text) else "requested"


def state(text: str, statuses: Mapping[str, str]) -> tuple[str, str | None] | None:
    """(status, refund) of a state text, also with an after-sale state behind it (已取消,退款成功); None: not known."""
    if text in statuses:
        return statuses[text], None
    head, *tail = re.split(r"[,()/;、]+", text.rstrip(")"))
    after = [refund(part) for part in tail or [head] if re.search("退款|售后|退货|换货", part)]
    if "success" in after:
        return "refunded", "success"
    if head not in statuses or len(after) < len(tail):
        return None
    return statuses[head], next((one for one in after if one), None)


_SAME = (
    ("订单编号", "订单号", "订单ID"),
    ("主订单编号", "主订单号", "主订单ID"),
    ("子订单编号", "子订单号", "子订单ID"),
    ("订单状态", "交易状态", "订单当前状态"),
    ("订单创建时间", "买家下单时间", "订单提交时间", "下单时间", "拍下时间", "创建时间", "订单生成时间"),
    ("订单付款时间", "买家付款时间", "订单支付时间", "支付完成时间", "付款确认时间", "付款时间", "支付时间"),
    ("拼单成功时间", "成团时间", "拼团成功时间"),
    ("发货时间", "卖家发货时间", "订单发货时间", "商家发货时间", "实际发货时间"),
    (
        *("应发货时间", "承诺发货时间", "最晚发货时间", "最迟发货时间", "发货截止时间", "截止发货时间"),
        *("订单最晚发货时间", "最后发货时间", "应发货截止时间", "预售/承诺发货时间", "承诺最晚发货时间"),
    ),
    (
        *("买家实际支付金额", "买家实付金额", "用户实付金额", "实际支付金额", "订单实付金额", "实付金额"),
        *("买家实付款", "买家实付", "实付款"),
    ),
    ("外部系统编号", "商家SKU编码", "商家编码", "SKU编码"),
    ("商品标题", "宝贝标题", "商品名称"),
    ("购买数量", "商品数量", "订购数量"),
    ("售后状态", "退款状态"),
)
_GROUP = {name.casefold(): group for group in _SAME for name in group}
_UNIT = re.compile(r"\((?:元|件|单位:元|人民币)\)$")
_WIDE = str.maketrans("，（）：", ",():")
DEADLINE = re.compile(r"(?:应|承诺|最晚|最迟|截止|计划|预计|要求|限定).{0,4}发货|发货.{0,4}(?:截止|时限|期限|最晚)")
"""Headers that speak of a deadline."""
NO_DEADLINE = re.compile("建议|预约|开始|可发货")
MONEY = re.compile(r"实付|实际支付|支付金额|付款金额|成交金额|应付金额|订单金额")


def same(name: str) -> tuple[str, ...]:
    """All names of the column that has this one; none when only this is known."""
    return _GROUP.get(_UNIT.sub("", plain(name)), ())


@lru_cache(maxsize=4_096)
def plain(name: str) -> str:
    """A header or state text as it is compared: half-width marks, no blanks, no case."""
    return "".join(name.translate(_WIDE).split()).casefold()


class Headers:
    """The headers of one file, found by the names that a column has had."""

    def __init__(self, names: frozenset[str]) -> None:
        self._actual = {_UNIT.sub("", plain(name)): name for name in sorted(names, reverse=True)}

    def named(self, name: str) -> str | None:
        """The header of this very name, whatever its blanks, marks and unit."""
        return self._actual.get(_UNIT.sub("", plain(name)))

    def like(self, name: str) -> str | None:
        """The header that has this name or another one of the same column; None when there is none."""
        found = (self.named(one) for one in (name, *same(name)))
        return next((one for one in found if one is not None), None)
