"""The platforms' order exports as data: which header tells them, which column holds what.

Columns are found by name; several names for one field are variants over the years, the first that is in
the file counts, and names that `texts` has for the same column will do. Columns that are not listed, all
receiver data among them, are never read. Facts: reference/platform-apis.md §1.7, 2.6, 3.6, 4.6.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from adapters.files import fields
from adapters.files.cells import Kind
from adapters.files.texts import (
    DOUYIN_STATUS,
    JD_STATUS,
    PINDUODUO_STATUS,
    SHOPIFY_FULFILMENT,
    SHOPIFY_PAYMENT,
    TAOBAO_STATUS,
    Headers,
)
from rules.model import Platform

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One kind of export file.

    `needs` and one of `any_of` in a header tell it. `order` and `line` map canonical fields to columns.
    `rows_are` says whether a row is an order or a line of it. `own_ids`: a row is known by its ids, so that the same
    ids a second time are the same row again; without (no sub-order ids), equal rows are two lines unless the price
    of all `goods` says otherwise.
    `amounts`: whether order amounts in the rows of one order are its lines' own (`lines`, to be added up) or
    the order's, repeated (`order`). `more_paid` is a second part of what was paid, `total` the price of a line
    in all. `more_states`: further columns that tell of the order's state; `ends`: columns whose time is an end;
    `line_state`: the column of a line's own state. `marks`: status texts may carry (删除) = the order is gone,
    (锁定) = the buyer wants to cancel. `currency`: the columns that name it; none = yuan.
    """

    title: str
    platforms: tuple[Platform, ...]
    needs: frozenset[str]
    any_of: frozenset[str]
    order_id: str
    statuses: Mapping[str, str]
    status: str = "订单状态"
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
    more_states: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    ends: Mapping[str, str] = field(default_factory=dict)
    line_state: str = ""
    currency: Names = ()

    @property
    def columns(self) -> frozenset[str]:
        """All columns that are read."""
        mapped = [*self.order.values(), *self.line.values(), self.line_id, self.remarks, self.refund, self.presale]
        mapped += [self.currency, tuple(self.more_states), tuple(self.ends)]
        single = {self.order_id, self.status, self.refunded_amount, self.more_paid, self.total, self.risk, self.goods}
        return frozenset({self.line_state, *single}.union(*mapped) - {""})

    @property
    def kinds(self) -> dict[str, Kind]:
        """What the columns hold whose texts can be written in several ways; amounts have points as exported."""
        columns = [(name, one) for name, names in (*self.order.items(), *self.line.items()) for one in names]
        ids = dict.fromkeys((self.order_id, *self.line_id, *(one for name, one in columns if name in fields.IDS)), "id")
        times = dict.fromkeys((*(one for name, one in columns if name in fields.TIMES), *self.ends), "time")
        return {**ids, **times}  # type: ignore[dict-item]

    @property
    def essential(self) -> frozenset[str]:
        """The columns without which a row is half a row."""
        told = [*self.order.items(), *self.line.items()]
        needed = [names for name, names in told if name in fields.SUBSTANCE]
        return frozenset({self.order_id, self.status, self.refunded_amount, *self.refund}.union(*needed) - {""})

    def within(self, headers: Headers) -> "Export":
        """The same with only the columns a file has, under the names they have there."""

        def there(names: Names) -> Names:
            return tuple(dict.fromkeys(found for name in names if (found := headers.like(name)) is not None))

        def one(name: str) -> str:
            return headers.named(name) or "" if name else ""

        return replace(
            self,
            order_id=headers.like(self.order_id) or self.order_id,
            status=headers.like(self.status) or self.status,
            order={name: found for name, names in self.order.items() if (found := there(names))},
            line={name: found for name, names in self.line.items() if (found := there(names))},
            line_id=there(self.line_id),
            remarks=there(self.remarks),
            refund=there(self.refund),
            presale=there(self.presale),
            refunded_amount=one(self.refunded_amount),
            more_paid=one(self.more_paid),
            total=one(self.total),
            risk=one(self.risk),
            goods=one(self.goods),
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
            "ship_by": ("应发货时间",),
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
            "ship_by": ("承诺发货时间",),
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
    Export(
        title="Shopify order export (orders_export)",
        platforms=("generic", "shopify"),
        needs=frozenset({"Name", "Financial Status", "Fulfillment Status"}),
        any_of=frozenset({"Lineitem name", "Lineitem sku", "Lineitem quantity"}),
        order_id="Name",
        statuses=SHOPIFY_FULFILMENT,
        status="Fulfillment Status",
        more_states={"Financial Status": SHOPIFY_PAYMENT},
        ends={"Cancelled at": "cancelled"},
        line_state="Lineitem fulfillment status",
        currency=("Currency",),
        order={
            "placed_at": ("Created at",),
            "paid_at": ("Paid at",),
            "shipped_at": ("Fulfilled at",),
            "paid_minor": ("Total",),
            "shipping_minor": ("Shipping",),
            "buyer": ("Email",),
        },
        line={
            "sku": ("Lineitem sku",),
            "title": ("Lineitem name",),
            "quantity": ("Lineitem quantity",),
            "unit_minor": ("Lineitem price",),
        },
        rows_are="lines",
        own_ids=False,
        amounts="order",
        goods="Subtotal",
        remarks=("Notes",),
    ),
)
