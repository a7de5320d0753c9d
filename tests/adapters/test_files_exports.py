"""The platforms' exports, composed after their documented headers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from adapters.base import Rejected, ShopSettings, Snapshot
from adapters.files.formats import EXPORTS
from rules.instant import parse
from tests.adapters.fixtures.files.making import NOON, csv_file, items, only, refused, shop, snapshots, workbook

TAOBAO, TMALL, PDD = shop("taobao"), shop("tmall"), shop("pinduoduo")
JD, DOUYIN = shop("jd"), shop("douyin")

ORDERS = {
    "订单编号": '="2900000000000000001"',
    "买家会员名": "t**t",
    "买家应付邮费": "8.00",
    "买家实际支付金额": "129.80",
    "订单状态": "买家已付款，等待卖家发货",
    "买家留言": "null",
    "收货人姓名": "张三",
    "收货地址 ": "浙江省杭州市余杭区文一西路969号",
    "联系手机": "'13800001111",
    "订单创建时间": "2026-11-20 10:00:01",
    "订单付款时间 ": "2026-11-20 10:00:31",
    "订单备注": "客户催单",
    "退款金额": "0.00",
    "打款商家金额": "0.00元",
}
ITEM = {
    "子订单编号": "11",
    "主订单编号": "1",
    "商品标题": "手套",
    "商品价格": "79.90",
    "购买数量": "1",
    "外部系统编号": "A-1",
    "订单状态": "买家已付款,等待卖家发货",
    "商家编码": "SPU-1",
    "买家实付金额": "69.90",
    "退款状态": "没有申请退款",
    "退款金额": "无退款申请",
    "订单创建时间": "2026-11-20 10:00:01",
    "订单付款时间": "2026-11-20 10:00:31",
    "商品ID": "600",
    "分阶段信息": "",
    "发货时间": "",
    "应发货时间": "2026-11-22 10:00:31",
}
PINDUODUO = {
    "商品": "手套",
    "订单号": "261120-1",
    "订单状态": "待发货",
    "商品总价(元)": "59.8",
    "邮费(元)": "0",
    "用户实付金额(元)": "54.8",
    "商家实收金额(元)": "54.8",
    "商品数量(件)": "2",
    "收货人": "张三",
    "手机": "13800001111",
    "是否审核中": "否",
    "支付时间": "2026-11-20 10:00:20",
    "拼单成功时间": "2026-11-20 10:05:00",
    "承诺发货时间": "2026-11-22 10:05:00",
    "发货时间": "",
    "商品id": "700\t",
    "商家编码-SKU维度": "A-1\t",
    "售后状态": "无售后或售后取消",
    "买家留言": "",
}
JINGDONG = {
    "订单号": "300",
    "商品ID": "100",
    "商品名称": "手套",
    "订购数量": "1",
    "下单时间": "2026-11-20 10:00:01",
    "京东价": "129.80",
    "结算金额": "119.80",
    "余额支付": "20.00",
    "应付金额": "99.80",
    "订单状态": "等待出库",
    "下单帐号": "jd_t",
    "客户姓名": "张三",
    "运费金额": "0.00",
    "付款确认时间": "2026-11-20 10:00:20",
    "商家SKUID": "A-1",
}
DY = {
    "主订单编号": "\t6900\t",
    "子订单编号": "\t6901",
    "选购商品": "手套",
    "商品数量": "1",
    "商品ID": "\t3500",
    "商家编码": "A-1",
    "商品单价": "79.90",
    "订单应付金额": "69.90",
    "运费": "0.00",
    "收件人": "##cipher##",
    "买家留言": "-",
    "订单提交时间": "\t2026-11-20 10:00:01",
    "支付完成时间": "\t2026-11-20 10:00:20",
    "订单状态": "待发货",
    "承诺发货时间": "\t2026-11-22 10:00:20",
    "订单类型": "普通订单",
    "售后状态": "-",
    "发货时间": "-",
}
Table = Sequence[Mapping[str, str]]


def export(path: Path, *rows: Mapping[str, str], encoding: str = "utf-8-sig") -> Path:
    """An export with the columns of its first row."""
    header = list(rows[0])
    lines = [",".join('"' + row[name].replace('"', '""') + '"' for name in header) for row in rows]
    return csv_file(path, ",".join(header), *lines, encoding=encoding)


def one(tmp_path: Path, settings: ShopSettings, row: Mapping[str, str], **facts: str) -> Snapshot:
    item = only(export(tmp_path / "a.csv", {**row, **facts}), settings)
    assert isinstance(item, Snapshot), item
    return item


def together(tmp_path: Path, settings: ShopSettings, *rows: Mapping[str, str]) -> list[Snapshot]:
    return snapshots(items(export(tmp_path / "a.csv", *rows), settings))


def local(text: str) -> int:
    return parse(f"2026-11-{text}+08:00")


def test_a_taobao_order_list_tells_the_order(tmp_path: Path) -> None:
    path = export(tmp_path / "ExportOrderList.csv", ORDERS, encoding="gbk")
    item = only(path, TAOBAO)

    assert isinstance(item, Snapshot)
    assert "2900000000000000001" == item.order_id
    assert {
        "currency": "CNY",
        "status": "paid",
        "placed_at": local("20T10:00:01"),
        "paid_at": local("20T10:00:31"),
        "paid_minor": 12980,
        "shipping_minor": 800,
        "remark": "客户催单",
    } == {name: value for name, value in item.fields.items() if name != "buyer"}
    assert {} == item.lines


def test_a_tmall_shop_takes_taobao_exports(tmp_path: Path) -> None:
    assert "paid" == one(tmp_path, TMALL, ORDERS).fields["status"]


def test_a_taobao_item_list_tells_deadline_and_line(tmp_path: Path) -> None:
    item = one(tmp_path, TAOBAO, ITEM)

    assert ("1", local("22T10:00:31"), 6990) == (item.order_id, item.fields["ship_by"], item.fields["paid_minor"])
    assert {
        "11": {
            "sku": "A-1",
            "listing_id": "600",
            "title": "手套",
            "quantity": 1,
            "unit_minor": 7990,
            "paid_minor": 6990,
            "ship_by": local("22T10:00:31"),
            "shipped_quantity": 0,
            "refunded_quantity": 0,
            "refund_status": None,
        }
    } == item.lines


def test_taobao_details_tell_lines_by_sku(tmp_path: Path) -> None:
    row = {
        "订单编号": '="1"',
        "标题": "手套",
        "价格": "39.95",
        "购买数量": "2",
        "外部系统编号": "A-1",
        "订单状态": "买家已付款，等待卖家发货",
        "商家编码": "SPU",
    }
    (item,) = together(tmp_path, TAOBAO, row, {**row, "外部系统编号": "B-1"}, row)

    assert {"A-1": 2, "B-1": 2, "A-1#2": 2} == {line_id: line["quantity"] for line_id, line in item.lines.items()}


def test_a_pinduoduo_export_tells_group_and_promise(tmp_path: Path) -> None:
    item = one(tmp_path, PDD, PINDUODUO)

    assert {
        "currency": "CNY",
        "status": "paid",
        "flags": [],
        "paid_at": local("20T10:00:20"),
        "group_success_at": local("20T10:05:00"),
        "ship_by": local("22T10:05:00"),
        "paid_minor": 5480,
        "received_minor": 5480,
        "shipping_minor": 0,
        "remark": None,
    } == item.fields
    (line,) = item.lines.values()
    assert ("A-1", "700", 2, 2990) == (line["sku"], line["listing_id"], line["quantity"], line["unit_minor"])


def test_a_jd_export_tells_payment_in_all_its_parts(tmp_path: Path) -> None:
    item = one(tmp_path, JD, JINGDONG)

    assert (11980, 11980, "paid") == (
        item.fields["paid_minor"],
        item.fields["received_minor"],
        item.fields["status"],
    )
    assert {"100"} == set(item.lines)


def test_a_douyin_export_is_read_under_its_tabs(tmp_path: Path) -> None:
    item = one(tmp_path, DOUYIN, DY)

    assert ("6900", local("22T10:00:20"), ["6901"]) == (item.order_id, item.fields["ship_by"], list(item.lines))


def test_no_export_claims_to_know_the_collection_scan(tmp_path: Path) -> None:
    exported = [(TAOBAO, ORDERS), (TAOBAO, ITEM), (PDD, PINDUODUO), (JD, JINGDONG), (DOUYIN, DY)]

    assert [False] * 5 == ["collected_at" in one(tmp_path, settings, row).fields for settings, row in exported]


def test_receiver_data_never_leaves_the_parser(tmp_path: Path) -> None:
    said = repr([one(tmp_path, TAOBAO, ORDERS), one(tmp_path, PDD, PINDUODUO), one(tmp_path, JD, JINGDONG)])

    assert [] == [secret for secret in ("张三", "13800001111", "余杭", "t**t", "jd_t") if secret in said]


def test_columns_nobody_reads_are_counted_by_name(tmp_path: Path) -> None:
    unknown: Counter[str] = Counter()
    items(export(tmp_path / "a.csv", {**PINDUODUO, "新列": "x"}), PDD, unknown=unknown)

    assert {"收货人": 1, "手机": 1, "新列": 1} == dict(unknown)


def test_optional_columns_may_be_missing(tmp_path: Path) -> None:
    few = {name: PINDUODUO[name] for name in ("订单号", "订单状态", "拼单成功时间", "商品数量(件)")}
    item = one(tmp_path, PDD, few)

    assert {"currency", "status", "group_success_at"} == set(item.fields)


@pytest.mark.parametrize(
    ("settings", "row", "text", "status"),
    [
        (TAOBAO, ORDERS, "等待买家付款", "unpaid"),
        (TAOBAO, ORDERS, "买家已付款,等待卖家发货", "paid"),
        (TAOBAO, ORDERS, "卖家已发货，等待买家确认", "shipped"),
        (TAOBAO, ORDERS, "交易成功", "completed"),
        (TAOBAO, ORDERS, "交易关闭", "cancelled"),
        (PDD, PINDUODUO, "待支付", "unpaid"),
        (PDD, PINDUODUO, "已发货，待签收", "shipped"),
        (PDD, PINDUODUO, "已签收", "delivered"),
        (PDD, PINDUODUO, "已取消", "cancelled"),
        (PDD, PINDUODUO, "未发货，退款成功", "refunded"),
        (JD, JINGDONG, "等待确认收货", "shipped"),
        (JD, JINGDONG, "完成", "completed"),
        (JD, JINGDONG, "(删除)等待出库", "refunded"),
        (JD, JINGDONG, "（删除）等待付款", "cancelled"),
        (JD, JINGDONG, "(锁定)等待出库", "paid"),
        (DOUYIN, DY, "已发货", "shipped"),
        (DOUYIN, DY, "已关闭", "cancelled"),
    ],
)
def test_status_texts_mean(
    tmp_path: Path, settings: ShopSettings, row: Mapping[str, str], text: str, status: str
) -> None:
    assert status == one(tmp_path, settings, row, 订单状态=text).fields["status"]


def test_an_unknown_status_text_is_refused(tmp_path: Path) -> None:
    item = only(export(tmp_path / "a.csv", {**ORDERS, "订单状态": "等待奇迹"}), TAOBAO)

    assert isinstance(item, Rejected)
    assert "status '等待奇迹' is not known" == item.reason


def test_an_unpaid_order_has_no_paid_amount_yet(tmp_path: Path) -> None:
    item = one(tmp_path, TAOBAO, ORDERS, 订单状态="等待买家付款", 买家实际支付金额="0.00")

    assert "paid_minor" not in item.fields


def test_a_closed_order_with_money_back_is_refunded(tmp_path: Path) -> None:
    assert "refunded" == one(tmp_path, TAOBAO, ORDERS, 订单状态="交易关闭", 退款金额="129.80").fields["status"]


def test_a_refund_under_way_is_a_flag(tmp_path: Path) -> None:
    item = one(tmp_path, TAOBAO, ITEM, 退款状态="买家已经申请退款，等待卖家同意")

    assert ("paid", ["refund_requested"]) == (item.fields["status"], item.fields["flags"])


def test_a_partial_refund_leaves_the_goods_owed(tmp_path: Path) -> None:
    item = one(tmp_path, TAOBAO, ITEM, 退款状态="退款成功", 退款金额="5.00")

    assert ("paid", 0) == (item.fields["status"], item.lines["11"]["refunded_quantity"])


def test_a_locked_jd_order_is_one_whose_buyer_wants_out(tmp_path: Path) -> None:
    assert ["refund_requested"] == one(tmp_path, JD, JINGDONG, 订单状态="(锁定)等待出库").fields["flags"]


def test_an_order_under_review_carries_the_risk_flag(tmp_path: Path) -> None:
    assert ["risk_hold"] == one(tmp_path, PDD, PINDUODUO, 是否审核中="是").fields["flags"]


def test_a_presale_is_a_flag(tmp_path: Path) -> None:
    assert ["presale"] == one(tmp_path, DOUYIN, DY, 订单类型="预售订单").fields["flags"]


def test_rows_of_one_order_may_lie_apart(tmp_path: Path) -> None:
    second = {
        **ITEM,
        "子订单编号": "12",
        "外部系统编号": "B-1",
        "买家实付金额": "30.10",
        "应发货时间": "2026-11-21 09:00:00",
    }
    found = together(tmp_path, TAOBAO, ITEM, {**ITEM, "主订单编号": "2", "子订单编号": "21"}, second)

    assert ["1", "2"] == [item.order_id for item in found]
    assert (10000, local("21T09:00:00"), ["11", "12"]) == (
        found[0].fields["paid_minor"],
        found[0].fields["ship_by"],
        list(found[0].lines),
    )


def test_an_order_with_one_line_on_its_way_is_partly_shipped(tmp_path: Path) -> None:
    gone = {**ITEM, "子订单编号": "12", "订单状态": "卖家已发货，等待买家确认", "发货时间": "2026-11-21 08:00:00"}
    (item,) = together(tmp_path, TAOBAO, ITEM, {**gone, "应发货时间": "2026-11-21 10:00:00"})

    assert ("partly_shipped", local("22T10:00:31")) == (item.fields["status"], item.fields["ship_by"])
    assert "shipped_at" not in item.fields
    assert [0, 1] == [line["shipped_quantity"] for line in item.lines.values()]


def test_a_refunded_line_does_not_close_the_others(tmp_path: Path) -> None:
    back = {**ITEM, "子订单编号": "12", "退款状态": "退款成功", "退款金额": "69.90"}
    (item,) = together(tmp_path, TAOBAO, ITEM, back)

    assert ("paid", 6990) == (item.fields["status"], item.fields["paid_minor"])
    assert [0, 1] == [line["refunded_quantity"] for line in item.lines.values()]


def test_jd_repeats_the_orders_amounts_on_every_row(tmp_path: Path) -> None:
    (item,) = together(tmp_path, JD, JINGDONG, {**JINGDONG, "商品ID": "101"})

    assert 11980 == item.fields["paid_minor"]


def test_a_bad_row_does_not_stop_the_others(tmp_path: Path) -> None:
    found = items(export(tmp_path / "a.csv", {**ITEM, "商品价格": "many"}, {**ITEM, "主订单编号": "2"}), TAOBAO)

    assert [2] == [item.line for item in refused(found)]
    assert ["2"] == [item.order_id for item in snapshots(found)]


def test_an_id_spoilt_by_a_spreadsheet_is_refused(tmp_path: Path) -> None:
    (item,) = refused(items(export(tmp_path / "a.csv", {**ORDERS, "订单编号": "2.9E+18"}), TAOBAO))

    assert "scientific notation" in item.reason


@pytest.mark.parametrize(
    ("settings", "row", "words"),
    [
        (TAOBAO, PINDUODUO, "this is a Pinduoduo order export, but shop north is on taobao"),
        (PDD, ORDERS, "this is a Taobao/Tmall order export (ExportOrderList), but shop north is on pinduoduo"),
        (TMALL, JINGDONG, "this is a JD order export, but shop north is on tmall"),
        (JD, DY, "this is a Douyin order export, but shop north is on jd"),
        (DOUYIN, ITEM, "this is a Taobao/Tmall order-item export (ExportItemList), but shop north is on douyin"),
    ],
)
def test_an_export_of_another_platform_is_refused_by_name(
    tmp_path: Path, settings: ShopSettings, row: Mapping[str, str], words: str
) -> None:
    item = only(export(tmp_path / "a.csv", row), settings)

    assert isinstance(item, Rejected)
    assert words == item.reason
    assert "put it into the folder of a shop on" in item.mend


def test_a_workbook_export_is_read_like_its_csv(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"Sheet0": [list(PINDUODUO), list(PINDUODUO.values())]})

    assert [one(tmp_path, PDD, PINDUODUO)] == items(path, PDD)


@pytest.mark.parametrize(
    ("name", "settings", "row", "at"),
    [
        ("ExportOrderList202611201000.csv", TAOBAO, ORDERS, local("20T10:00:00")),
        ("orders_export2026-11-20-10-00-07.csv", PDD, PINDUODUO, local("20T10:00:07")),
        ("1795140000_ab12.csv", DOUYIN, DY, 1795140000_000_000),
        ("2026-11-20_1000.csv", JD, JINGDONG, local("20T10:00:00")),
        ("order20261399.csv", JD, JINGDONG, NOON),
        ("2026-11-20.csv", JD, JINGDONG, NOON),
    ],
)
def test_the_export_time_in_the_name_dates_the_rows(
    tmp_path: Path, name: str, settings: ShopSettings, row: Mapping[str, str], at: int
) -> None:
    item = only(export(tmp_path / name, row), settings)

    assert isinstance(item, Snapshot)
    assert at == item.observed_at


def test_an_export_without_any_time_is_refused_with_the_mend(tmp_path: Path) -> None:
    item = only(export(tmp_path / "a.csv", ORDERS), TAOBAO, observed_at=None)

    assert isinstance(item, Rejected)
    assert "--observed-at" in item.mend


def test_every_export_has_statuses_and_an_order_id(tmp_path: Path) -> None:
    assert [] == [one.title for one in EXPORTS if not one.statuses or one.order_id not in one.columns]
