"""The platforms' order exports as data: which header tells them, which column holds what, what status texts mean.

Columns are found by name; several names for one field are variants over the years, the first that is in
the file counts. Columns that are not listed, all receiver data among them, are never read. Facts:
reference/platform-apis.md §1.7, 2.6, 3.6, 4.6.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from rules.model import Platform

Names = tuple[str, ...]

TAOBAO_STATUS = {
    "等待买家付款": "unpaid",
    "定金未付,尾款未付": "unpaid",
    "定金已付,尾款未付": "unpaid",
    "等待买家付尾款": "unpaid",
    "买家已付款,等待卖家发货": "paid",
    "等待卖家发货": "paid",
    "卖家部分发货": "partly_shipped",
    "部分发货": "partly_shipped",
    "卖家已发货,等待买家确认": "shipped",
    "卖家已发货": "shipped",
    "买家已签收": "delivered",
    "交易成功": "completed",
    "交易关闭": "cancelled",
}
PINDUODUO_STATUS = {
    "待支付": "unpaid",
    "待发货": "paid",
    "已发货": "shipped",
    "已发货,待签收": "shipped",
    "已签收": "delivered",
    "已收货": "delivered",
    "交易成功": "completed",
    "已完成": "completed",
    "已取消": "cancelled",
    "交易关闭": "cancelled",
    "未发货,退款成功": "refunded",
    "已发货,退款成功": "refunded",
    "已签收,退款成功": "refunded",
}
JD_STATUS = {
    "未付款": "unpaid",
    "等待付款": "unpaid",
    "等待付款确认": "unpaid",
    "新订单": "paid",
    "等待出库": "paid",
    "等待发货": "paid",
    "锁定": "paid",
    "锁定订单": "paid",
    "暂停": "paid",
    "暂停订单": "paid",
    "等待确认收货": "shipped",
    "已出库": "shipped",
    "完成": "completed",
    "已完成": "completed",
    "取消": "cancelled",
    "已取消": "cancelled",
}
DOUYIN_STATUS = {
    "待支付": "unpaid",
    "已支付": "paid",
    "备货中": "paid",
    "待发货": "paid",
    "部分发货": "partly_shipped",
    "已发货": "shipped",
    "已签收": "delivered",
    "已完成": "completed",
    "已取消": "cancelled",
    "已关闭": "cancelled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One kind of export file.

    `needs` and one of `any_of` in a header tell it. `order` and `line` map canonical fields to columns.
    `rows_are` says whether a row is an order or a line of it. `own_ids`: a row is known by its ids, so that the same
    ids a second time are the same row again; without (no sub-order ids), equal rows are two lines unless the price
    of all `goods` says otherwise.
    `amounts`: whether order amounts in the rows of one order are its lines' own (`lines`, to be added up) or
    the order's, repeated (`order`). `more_paid` is a second part of what was paid, `total` the price of a line
    in all. `marks`: status texts may carry (删除) = the order is gone, (锁定) = the buyer wants to cancel.
    """

    title: str
    platforms: tuple[Platform, ...]
    needs: frozenset[str]
    any_of: frozenset[str]
    order_id: str
    statuses: Mapping[str, str]
    order: Mapping[str, Names] = field(default_factory=dict)
    line: Mapping[str, Names] = field(default_factory=dict)
    line_id: Names = ()
    rows_are: Literal["orders", "lines"] = "orders"
    own_ids: bool = True
    amounts: Literal["lines", "order"] = "lines"
    goods: str = ""
    remarks: Names = ()
    refund: Names = ()
    refunded_amount: str = ""
    more_paid: str = ""
    total: str = ""
    presale: Names = ()
    risk: str = ""
    marks: bool = False

    @property
    def columns(self) -> frozenset[str]:
        """All columns that are read."""
        mapped = [*self.order.values(), *self.line.values(), self.line_id, self.remarks, self.refund, self.presale]
        single = {self.order_id, "订单状态", self.refunded_amount, self.more_paid, self.total, self.risk, self.goods}
        return frozenset(single.union(*mapped) - {""})

    def within(self, header: frozenset[str]) -> "Export":
        """The same with only the columns a file has, so that no row looks for others."""

        def there(names: Names) -> Names:
            return tuple(name for name in names if name in header)

        return replace(
            self,
            order={name: found for name, names in self.order.items() if (found := there(names))},
            line={name: found for name, names in self.line.items() if (found := there(names))},
            line_id=there(self.line_id),
            remarks=there(self.remarks),
            refund=there(self.refund),
            presale=there(self.presale),
            refunded_amount=self.refunded_amount if self.refunded_amount in header else "",
            more_paid=self.more_paid if self.more_paid in header else "",
            total=self.total if self.total in header else "",
            risk=self.risk if self.risk in header else "",
            goods=self.goods if self.goods in header else "",
        )


_TAOBAO = ("taobao", "tmall")

EXPORTS = (
    Export(
        title="Taobao/Tmall order-item export (ExportItemList)",
        platforms=_TAOBAO,
        needs=frozenset({"主订单编号", "子订单编号", "订单状态"}),
        any_of=frozenset({"商品标题", "购买数量", "订单创建时间", "应发货时间"}),
        order_id="主订单编号",
        statuses=TAOBAO_STATUS,
        order={
            "placed_at": ("订单创建时间",),
            "paid_at": ("订单付款时间",),
            "shipped_at": ("发货时间",),
            "ship_by": ("应发货时间",),
            "paid_minor": ("买家实付金额",),
        },
        line={
            "sku": ("外部系统编号", "商家编码"),
            "listing_id": ("商品ID",),
            "title": ("商品标题",),
            "quantity": ("购买数量",),
            "unit_minor": ("商品价格",),
        },
        line_id=("子订单编号",),
        rows_are="lines",
        remarks=("主订单买家留言", "商家备注"),
        refund=("退款状态",),
        refunded_amount="退款金额",
        presale=("分阶段信息",),
    ),
    Export(
        title="Taobao/Tmall order-detail export (ExportOrderDetailList)",
        platforms=_TAOBAO,
        needs=frozenset({"订单编号", "标题", "购买数量"}),
        any_of=frozenset({"外部系统编号", "商家编码", "商品属性"}),
        order_id="订单编号",
        statuses=TAOBAO_STATUS,
        line={
            "sku": ("外部系统编号", "商家编码"),
            "title": ("标题",),
            "quantity": ("购买数量",),
            "unit_minor": ("价格",),
        },
        rows_are="lines",
        own_ids=False,
    ),
    Export(
        title="Taobao/Tmall order export (ExportOrderList)",
        platforms=_TAOBAO,
        needs=frozenset({"订单编号", "订单状态"}),
        any_of=frozenset({"买家会员名", "买家实际支付金额", "买家应付货款", "宝贝标题"}),
        order_id="订单编号",
        statuses=TAOBAO_STATUS,
        order={
            "placed_at": ("订单创建时间",),
            "paid_at": ("订单付款时间",),
            "shipped_at": ("发货时间",),
            "paid_minor": ("买家实际支付金额",),
            "shipping_minor": ("买家应付邮费",),
            "received_minor": ("打款商家金额", "确认收货打款金额"),
            "buyer": ("买家会员名",),
        },
        amounts="order",
        remarks=("买家留言", "订单备注", "商家备忘"),
        refunded_amount="退款金额",
        presale=("分阶段订单信息", "预售订单"),
    ),
    Export(
        title="Pinduoduo order export",
        platforms=("pinduoduo",),
        needs=frozenset({"订单号", "订单状态"}),
        any_of=frozenset(
            {"拼单成功时间", "商家编码-SKU维度", "商家编码-规格维度", "用户实付金额(元)", "商家实收金额(元)", "样式ID"}
        ),
        order_id="订单号",
        statuses=PINDUODUO_STATUS,
        order={
            "paid_at": ("支付时间",),
            "group_success_at": ("拼单成功时间",),
            "shipped_at": ("发货时间",),
            "ship_by": ("承诺发货时间",),
            "paid_minor": ("用户实付金额(元)",),
            "shipping_minor": ("邮费(元)",),
            "received_minor": ("商家实收金额(元)",),
        },
        line={
            "sku": ("商家编码-SKU维度", "商家编码-规格维度", "商家编码-商品维度"),
            "listing_id": ("商品id",),
            "title": ("商品",),
            "quantity": ("商品数量(件)",),
        },
        line_id=("订单号",),
        amounts="order",
        remarks=("买家留言", "商家备注"),
        refund=("售后状态",),
        total="商品总价(元)",
        risk="是否审核中",
    ),
    Export(
        title="JD order export",
        platforms=("jd",),
        needs=frozenset({"订单号", "订单状态"}),
        any_of=frozenset({"京东价", "商家SKUID", "付款确认时间", "下单帐号", "结算金额"}),
        order_id="订单号",
        statuses=JD_STATUS,
        order={
            "placed_at": ("下单时间",),
            "paid_at": ("付款确认时间",),
            "paid_minor": ("应付金额",),
            "shipping_minor": ("运费金额",),
            "received_minor": ("结算金额",),
            "buyer": ("下单帐号",),
        },
        line={
            "sku": ("商家SKUID", "货号"),
            "listing_id": ("商品ID",),
            "title": ("商品名称",),
            "quantity": ("订购数量",),
            "unit_minor": ("京东价",),
        },
        line_id=("商品ID",),
        rows_are="lines",
        own_ids=False,
        amounts="order",
        goods="订单金额",
        more_paid="余额支付",
        remarks=("订单备注", "商家备注"),
        marks=True,
    ),
    Export(
        title="Douyin order export",
        platforms=("douyin",),
        needs=frozenset({"主订单编号", "子订单编号", "订单状态"}),
        any_of=frozenset({"选购商品", "订单提交时间", "订单应付金额", "承诺发货时间", "支付完成时间"}),
        order_id="主订单编号",
        statuses=DOUYIN_STATUS,
        order={
            "placed_at": ("订单提交时间",),
            "paid_at": ("支付完成时间",),
            "shipped_at": ("发货时间",),
            "ship_by": ("承诺发货时间",),
            "paid_minor": ("订单应付金额",),
            "shipping_minor": ("运费",),
        },
        line={
            "sku": ("商家编码", "货号"),
            "listing_id": ("商品ID",),
            "title": ("选购商品",),
            "quantity": ("商品数量",),
            "unit_minor": ("商品单价",),
        },
        line_id=("子订单编号",),
        rows_are="lines",
        remarks=("买家留言", "商家备注"),
        refund=("售后状态",),
        presale=("订单类型",),
    ),
)
