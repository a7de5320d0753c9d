"""How each kind of file tells an order: the platforms' exports, canonical CSV, and tables of any shop."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

from tests.adapters.fuzz.orders import Item, Told, as_before, instant, orders
from tests.adapters.fuzz.sheet import Cells, Row, Sheet

SHANGHAI = ZoneInfo("Asia/Shanghai")
TAOBAO = {
    "unpaid": "等待买家付款", "paid": "买家已付款,等待卖家发货", "shipped": "卖家已发货,等待买家确认",
    "completed": "交易成功", "cancelled": "交易关闭", "refunded": "交易关闭", "partly_shipped": "卖家部分发货",
}  # fmt: skip
PINDUODUO = {
    "unpaid": "待支付", "paid": "待发货", "shipped": "已发货,待签收", "completed": "交易成功", "cancelled": "已取消",
    "refunded": "未发货,退款成功",
}  # fmt: skip
JD = {
    "unpaid": "等待付款", "paid": "等待出库", "shipped": "等待确认收货", "completed": "完成", "cancelled": "取消",
    "refunded": "(删除)等待出库",
}  # fmt: skip
DOUYIN = {
    "unpaid": "待支付", "paid": "待发货", "shipped": "已发货", "completed": "已完成", "cancelled": "已关闭",
    "refunded": "已关闭",
}  # fmt: skip


def yuan(minor: int) -> str:
    """Fen as exports write them."""
    return f"{minor // 100}.{minor % 100:02}"


def local(moment: datetime | None) -> str:
    """A local time as Chinese exports write it."""
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S")


def expected(told: Told, zone: ZoneInfo, without: Sequence[str] = ()) -> dict[str, object]:
    """The canonical values of an order, those left out that its file does not tell."""
    values: dict[str, object] = {
        "status": told.status,
        "placed_at": instant(told.placed_at, zone),
        "paid_at": instant(told.paid_at, zone),
        "lines": sorted((item.sku, item.quantity) for item in told.items),
    }
    if told.ship_by and told.status in ("paid", "partly_shipped"):
        values["ship_by"] = instant(told.ship_by, zone)
    if told.shipped_at and told.status in ("shipped", "completed"):
        values["shipped_at"] = instant(told.shipped_at, zone)
    if told.paid_minor is not None and told.status != "unpaid":
        values["paid_minor"] = told.paid_minor
    return {name: value for name, value in values.items() if name not in without}


def _sheet(
    rng: Random,
    platform: str,
    cells: Callable[[Told, Item], Cells],
    most: int,
    mixed: bool,
    without: Sequence[str] = (),
) -> Sheet:
    told = orders(rng, rng.randint(1, 8), most, mixed)
    rows, before = (
        [Row(cells=cells(one, item), owner=one.order_id) for one in some for item in one.items]
        for some in (told, as_before(told))
    )
    return Sheet(
        platform=platform,
        before=before,
        zone=SHANGHAI,
        header=list(rows[0].cells),
        rows=rows,
        expected={one.order_id: expected(one, SHANGHAI, without) for one in told},
    )


def taobao_items(rng: Random) -> Sheet:
    """ExportItemList: a row for each sub-order."""

    def cells(told: Told, item: Item) -> Cells:
        return {
            "子订单编号": item.line_id, "主订单编号": told.order_id, "商品标题": item.title,
            "商品价格": yuan(item.unit_minor), "购买数量": str(item.quantity), "外部系统编号": item.sku, "商品属性": "",
            "订单状态": TAOBAO[item.status], "商家编码": "SPU", "买家实付金额": yuan(item.paid_minor),
            "退款状态": "退款成功" if item.status == "refunded" else "没有申请退款",
            "退款金额": yuan(item.paid_minor) if item.status == "refunded" else "无退款申请",
            "订单创建时间": local(told.placed_at), "订单付款时间": local(told.paid_at), "商品ID": f"6{item.line_id}",
            "商家备注": "", "主订单买家留言": "",
            "发货时间": local(told.shipped_at) if item.status in ("shipped", "completed") else "",
            "应发货时间": local(told.ship_by),
        }  # fmt: skip

    return _sheet(rng, rng.choice(("taobao", "tmall")), cells, 3, True)


def taobao_orders(rng: Random) -> Sheet:
    """ExportOrderList: a row for each order, its lines and deadline not told."""

    def cells(told: Told, item: Item) -> Cells:
        return {
            "订单编号": told.order_id, "买家会员名": "t**t", "买家应付货款": yuan(item.paid_minor),
            "买家应付邮费": "0.00", "买家实际支付金额": yuan(item.paid_minor if told.paid_at else 0),
            "订单状态": TAOBAO[item.status], "买家留言": "", "收货人姓名": "张**",
            "订单创建时间": local(told.placed_at), "订单付款时间 ": local(told.paid_at),
            "宝贝标题": item.title, "订单备注": "null",
            "退款金额": yuan(item.paid_minor if item.status == "refunded" else 0),
            "发货时间": local(told.shipped_at), "打款商家金额": "0.00元",
        }  # fmt: skip

    return _sheet(rng, "taobao", cells, 1, False, ("lines", "ship_by"))


def pinduoduo(rng: Random) -> Sheet:
    """Pinduoduo: an order is one row."""

    def cells(told: Told, item: Item) -> Cells:
        return {
            "商品": item.title, "订单号": told.order_id, "订单状态": PINDUODUO[item.status],
            "商品总价(元)": yuan(item.paid_minor), "邮费(元)": "0", "用户实付金额(元)": yuan(item.paid_minor),
            "商家实收金额(元)": yuan(item.paid_minor), "商品数量(件)": str(item.quantity), "收货人": "张**",
            "是否审核中": "否", "支付时间": local(told.paid_at), "拼单成功时间": local(told.paid_at),
            "承诺发货时间": local(told.ship_by), "发货时间": local(told.shipped_at), "商品id": f"7{item.line_id}\t",
            "商家编码-SKU维度": f"{item.sku}\t",
            "售后状态": "退款成功" if item.status == "refunded" else "无售后或售后取消", "买家留言": "", "商家备注": "",
        }  # fmt: skip

    return _sheet(rng, "pinduoduo", cells, 1, False, ("placed_at",))


def jd(rng: Random) -> Sheet:
    """JD: a row for each product, the order's amounts repeated, no deadline."""

    def cells(told: Told, item: Item) -> Cells:
        total = sum(one.paid_minor for one in told.items)
        return {
            "订单号": told.order_id, "商品ID": item.line_id, "商品名称": item.title, "订购数量": str(item.quantity),
            "下单时间": local(told.placed_at), "京东价": yuan(item.unit_minor), "订单金额": yuan(total),
            "结算金额": yuan(total), "余额支付": "0.00", "应付金额": yuan(total), "订单状态": JD[item.status],
            "下单帐号": "jd_t", "客户姓名": "张**", "订单备注": "", "商家备注": "", "运费金额": "0.00",
            "付款确认时间": local(told.paid_at), "商家SKUID": item.sku,
        }  # fmt: skip

    made = _sheet(rng, "jd", cells, 3, False, ("ship_by", "shipped_at"))
    made.line_ids = False
    return made


def douyin(rng: Random) -> Sheet:
    """Douyin: a row for each sub-order; ids and times end or begin with a tab."""

    def cells(told: Told, item: Item) -> Cells:
        return {
            "主订单编号": f"\t{told.order_id}", "子订单编号": f"\t{item.line_id}", "选购商品": item.title,
            "商品规格": "", "商品数量": str(item.quantity), "商品ID": f"\t6{item.line_id}", "商家编码": item.sku,
            "商品单价": yuan(item.unit_minor), "订单应付金额": yuan(item.paid_minor), "运费": "0.00",
            "收件人": "##cipher##", "买家留言": "-", "订单提交时间": "\t" + local(told.placed_at), "商家备注": "-",
            "支付完成时间": "\t" + (local(told.paid_at) or "-"), "订单状态": DOUYIN[item.status],
            "承诺发货时间": "\t" + (local(told.ship_by) or "-"), "订单类型": "普通订单",
            "售后状态": "退款成功" if item.status == "refunded" else "-",
            "发货时间": local(told.shipped_at) if item.status in ("shipped", "completed") else "-",
        }  # fmt: skip

    return _sheet(rng, "douyin", cells, 3, True)


def canonical(rng: Random) -> Sheet:
    """Canonical CSV: a row for each order, an offset or the shop's zone in its times."""
    offset = rng.choice(("", "+08:00", "Z"))

    def when(moment: datetime | None) -> str:
        if moment is None:
            return ""
        return moment.replace(tzinfo=SHANGHAI).astimezone(ZoneInfo("UTC") if offset == "Z" else SHANGHAI).strftime(
            "%Y-%m-%dT%H:%M:%S"
        ) + offset  # fmt: skip

    def cells(told: Told, item: Item) -> Cells:
        return {
            "order_id": told.order_id, "status": item.status, "placed_at": when(told.placed_at),
            "paid_at": when(told.paid_at), "ship_by": when(told.ship_by),
            "shipped_at": when(told.shipped_at), "currency": "CNY", "paid_minor": str(item.paid_minor),
            "line_id": item.line_id, "sku": item.sku, "quantity": str(item.quantity), "title": item.title,
        }  # fmt: skip

    return _sheet(rng, "taobao", cells, 1, False)


def json_lines(rng: Random) -> Sheet:
    """Canonical JSON Lines: the same, one object a line."""
    made = canonical(rng)
    made.json = True
    return made


EXPORTS: Mapping[str, Callable[[Random], Sheet]] = {
    "taobao_items": taobao_items,
    "taobao_orders": taobao_orders,
    "pinduoduo": pinduoduo,
    "jd": jd,
    "douyin": douyin,
    "canonical": canonical,
    "json_lines": json_lines,
}
