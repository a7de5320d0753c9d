"""What exports mean when they are not as documented: renamed columns, other texts, rows twice, files of others."""

import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters.base import ColumnMap, ShopSettings, Snapshot
from adapters.files import formats, known, nearest, texts
from daemon import config
from daemon.installation import shop_settings
from rules.model import OWED
from rules.snapshot import Known, nest
from tests.adapters.fixtures.files.making import csv_file, items, refused, shop, snapshots, workbook
from tests.adapters.test_files_exports import (
    DOUYIN,
    DY,
    ITEM,
    JD,
    JINGDONG,
    ORDERS,
    PDD,
    PINDUODUO,
    TAOBAO,
    export,
    local,
    one,
    together,
)

FILES: list[Any] = [(TAOBAO, ORDERS), (TAOBAO, ITEM), (PDD, PINDUODUO), (JD, JINGDONG), (DOUYIN, DY)]
ROWS: list[Any] = [
    (TAOBAO, ITEM, "子订单编号"),
    (DOUYIN, DY, "子订单编号"),
    (PDD, PINDUODUO, "订单号"),
    (TAOBAO, ORDERS, "订单编号"),
]


def renamed(row: Mapping[str, str], **names: str) -> dict[str, str]:
    return {names.get(name.strip(), name): text for name, text in row.items()}


@pytest.mark.parametrize(("settings", "row"), FILES)
@pytest.mark.parametrize("field", ["placed_at", "paid_at", "shipped_at", "ship_by", "paid_minor"])
def test_a_column_is_found_by_any_name_it_has_had(
    tmp_path: Path, settings: ShopSettings, row: dict[str, str], field: str
) -> None:
    usual = known.recognise(frozenset(name.strip() for name in row))
    assert usual is not None
    names = [name for name in usual.order.get(field, ()) if name in {one.strip() for one in row}]
    for name in names:
        for other in texts.same(name):
            if other not in usual.columns:
                found = one(tmp_path, settings, renamed(row, **{name: f"{other}(元)" if "金额" in other else other}))
                assert one(tmp_path, settings, row).fields.get(field) == found.fields.get(field), other


def test_an_order_list_with_its_renamed_columns_is_watched(tmp_path: Path) -> None:
    row = renamed(ORDERS, 订单创建时间="买家下单时间", 订单付款时间="买家付款时间", 买家实际支付金额="买家实付金额") | {
        "应发货时间": "2026-12-08 18:00:00"
    }
    item = one(tmp_path, TAOBAO, row)

    assert (local("20T10:00:31"), 12980) == (item.fields["paid_at"], item.fields["paid_minor"])
    assert item.fields["ship_by"] == local("30T18:00:00") + 8 * 86_400_000_000


def test_an_export_without_a_time_of_payment_names_it_and_the_nearest_header(tmp_path: Path) -> None:
    row = renamed(ORDERS, 订单付款时间="订单付款时刻")
    found = items(export(tmp_path / "a.csv", row), TAOBAO)

    assert ["paid"] == [item.fields["status"] for item in snapshots(found)]
    (said,) = refused(found)
    assert "has no column '订单付款时间': paid_at is not known" in said.reason
    assert 'paid_at = "订单付款时刻"' in said.mend


def test_a_column_of_refunds_under_another_name_is_told(tmp_path: Path) -> None:
    found = items(export(tmp_path / "a.csv", renamed(ORDERS, 退款金额="退款金额 (UTC)")), TAOBAO)

    assert [True] == ["has no column '退款金额': refunds are not known" in item.reason for item in refused(found)]


@pytest.mark.parametrize("pattern", ["{}2", "new {}", "{}(新)", "{} (UTC)"])
@pytest.mark.parametrize(("settings", "row"), FILES)
def test_every_column_with_something_added_to_its_name_is_told(
    tmp_path: Path, settings: ShopSettings, row: dict[str, str], pattern: str
) -> None:
    recognised = known.recognise(frozenset(row), settings)
    assert recognised is not None
    own = recognised.within(texts.Headers(frozenset(row)))
    for name in sorted(own.columns - {*own.remarks, own.order_id, own.status}):
        if texts.Headers(frozenset(row) - {name}).like(name):
            continue  # another column stands in
        changed = {pattern.format(name.strip()) if key == name else key: text for key, text in row.items()}
        found = items(export(tmp_path / "a.csv", changed), settings)
        assert [] != [said for said in refused(found) if name.strip() in said.reason], name


def test_a_canonical_column_with_something_added_to_its_name_is_told(tmp_path: Path) -> None:
    found = items(csv_file(tmp_path / "a.csv", "order_id,status,ship_by (UTC)", "1,paid,2026-12-01T10:00Z"), TAOBAO)
    assert ["no column 'ship_by': nobody reads 'ship_by (UTC)'"] == [said.reason for said in refused(found)]


@pytest.mark.parametrize("header", ["预计发货时间", "发货时间备注", "商品id", "Shipping Name", "product title"])
def test_a_name_that_is_part_of_another_is_no_column_of_it(header: str) -> None:
    assert [None] * 4 == [nearest.added(name, [header]) for name in ("发货时间", "商品", "Shipping", "title")]


@pytest.mark.parametrize(
    ("settings", "row", "column", "name", "entry"),
    [
        (PDD, PINDUODUO, "承诺发货时间", "商家承诺发货期限", 'ship_by = "商家承诺发货期限"'),
        (DOUYIN, DY, "承诺发货时间", "最晚发货日", 'ship_by = "最晚发货日"'),
        (
            TAOBAO,
            ORDERS,
            "买家实际支付金额",
            "买家支付金额",
            'paid_minor = { column = "买家支付金额", unit = "major" }',
        ),
        (JD, JINGDONG | {"余额支付": ""}, "应付金额", "应付金", 'paid_minor = { column = "应付金", unit = "major" }'),
    ],
)
def test_following_the_mend_for_a_missing_column_mends_it(
    tmp_path: Path, settings: ShopSettings, row: dict[str, str], column: str, name: str, entry: str
) -> None:
    path = export(tmp_path / "a.csv", renamed({"承诺发货时间": "2026-11-22 10:05:00"} | row, **{column: name}))
    (said,) = refused(items(path, settings))
    assert said.mend.endswith(entry)

    field = entry.split(" = ")[0]
    by = shop(settings.platform, columns=entered(entry))
    found = items(path, by)
    assert [] == refused(found)
    assert snapshots(found)[0].fields[field] == one(tmp_path, settings, row).fields[field]


@pytest.mark.parametrize(("settings", "row"), FILES)
def test_following_the_mend_for_an_unknown_status_reads_that_text_and_all_else_as_before(
    tmp_path: Path, settings: ShopSettings, row: dict[str, str]
) -> None:
    path = export(tmp_path / "a.csv", {**row, "订单状态": "等待奇迹"})
    (said,) = refused(items(path, settings))
    assert 'status = { column = "订单状态", values = { \'等待奇迹\' = "paid" } }' in said.mend

    status = entered(said.mend.split("[shops.….columns]: ")[1])["status"]
    usual = one(tmp_path, settings, row)
    for columns in ({"status": status}, {"status": status, "order_id": ColumnMap(column=key(row))}):
        by = shop(settings.platform, columns=columns)
        (mended,) = snapshots(items(path, by))
        assert (usual.fields, usual.lines) == (mended.fields, mended.lines)
        assert [usual] == items(export(tmp_path / "b.csv", row), by)


def entered(entry: str) -> dict[str, ColumnMap]:
    """What a person gets who enters a mend as it stands."""
    toml = f'[shops.north]\nplatform = "taobao"\n[shops.north.columns]\n{entry}\n'
    made = config.parse(tomllib.loads(toml), Path("forestall.toml"))
    return dict(shop_settings("north", made.shops["north"], made, b"").columns)


@pytest.mark.parametrize(("settings", "row"), FILES)
@pytest.mark.parametrize("field", ["status", "order_id"])
def test_an_export_without_the_column_that_tells_it_names_it_and_the_mend_mends(
    tmp_path: Path, settings: ShopSettings, row: dict[str, str], field: str
) -> None:
    column = "订单状态" if field == "status" else key(row)
    path = export(tmp_path / "a.csv", renamed(row, **{column: f"本店{column}"}))
    (said,) = refused(items(path, settings))
    assert f"but it has no column '{column}'" in said.reason
    entry = said.mend.split("[shops.….columns]: ")[1]
    assert f'{field} = "本店{column}"' == entry

    usual = one(tmp_path, settings, row)
    path = export(tmp_path / "a.csv", renamed(row, **{column: f"本店{column}"}))
    assert [usual] == items(path, shop(settings.platform, columns=entered(entry)))


def key(row: Mapping[str, str]) -> str:
    return next(name for name in ("主订单编号", "订单编号", "订单号") if name in row)


@pytest.mark.parametrize("platform", ["taobao", "pinduoduo", "douyin"])
def test_the_shops_word_for_a_text_wins_over_the_built_in_one(tmp_path: Path, platform: str) -> None:
    row = {"taobao": ITEM, "pinduoduo": PINDUODUO, "douyin": DY}[platform]
    by = shop(platform, columns={"status": ColumnMap(column="订单状态", values={"已取消，退款成功": "cancelled"})})

    assert "cancelled" == one(tmp_path, by, row, 订单状态="已取消,退款成功").fields["status"]


@pytest.mark.parametrize(("settings", "row"), [file for file in FILES if file[1] is not JINGDONG])
@pytest.mark.parametrize(
    ("text", "status", "flags"),
    [
        ("已取消，退款成功", "refunded", []),
        ("未成交，退款成功", "refunded", []),
        ("已收货，退款成功", "refunded", []),
        ("待发货，退款成功", "refunded", []),
        ("待付款", "unpaid", []),
        ("待发货", "paid", []),
        ("已发货，待签收", "shipped", []),
        ("待发货（退款中）", "paid", ["refund_requested"]),
        ("待发货，退款关闭", "paid", []),
        ("已发货，部分退款", "shipped", []),
    ],
)
def test_states_with_an_after_sale_state_behind_them_mean(
    tmp_path: Path, settings: ShopSettings, row: dict[str, str], text: str, status: str, flags: list[str]
) -> None:
    item = one(tmp_path, settings, row, 订单状态=text)

    assert status == item.fields["status"]
    assert flags == [flag for flag in item.fields.get("flags", []) if flag == "refund_requested"]  # type: ignore[union-attr]


ENDED = (
    *(
        "",
        "-",
        "无售后",
        "无售后或售后取消",
        "没有申请退款",
        "未创建退款",
        "未申请售后",
        "买家撤销",
        "用户撤销",
        "已撤销退款",
    ),
    *(
        "退款关闭",
        "售后关闭",
        "已关闭售后",
        "退款失败",
        "买家逾期未处理，退款失败",
        "退货退款，退款关闭",
        "平台拒绝退款",
    ),
    *("换货补寄成功", "换货成功", "补寄成功", "维修完成", "售后完成", "已取消售后", "部分退款成功"),
)
OPEN = (
    *(
        "买家已经申请退款，等待卖家同意",
        "卖家已经同意退款，等待买家退货",
        "买家已经退货，等待卖家确认收货",
        "卖家拒绝退款",
    ),
    *("退款中", "售后处理中", "待商家处理", "待买家退货", "退货退款，待商家处理", "商家同意退款，退款中", "平台处理中"),
    *("驳回退款，待用户处理", "换货中", "补寄待商家发货", "退货退款待审核", "从未见过的文字"),
)
DONE = ("退款成功", "退款完成", "已全额退款", "已退款", "同意退款，退款成功", "退货退款成功", "换货失败，退款成功")


@pytest.mark.parametrize(
    ("settings", "row", "column"), [(TAOBAO, ITEM, "退款状态"), (PDD, PINDUODUO, "售后状态"), (DOUYIN, DY, "售后状态")]
)
def test_after_sale_texts_mean_none_open_or_paid_back(
    tmp_path: Path, settings: ShopSettings, row: dict[str, str], column: str
) -> None:
    def said(text: str) -> tuple[object, object]:
        item = one(tmp_path, settings, row, **{column: text})
        return item.fields["status"], item.fields["flags"]

    assert {text: ("paid", []) for text in ENDED} == {text: said(text) for text in ENDED}
    assert {text: ("paid", ["refund_requested"]) for text in OPEN} == {text: said(text) for text in OPEN}
    assert {text: ("refunded", []) for text in DONE} == {text: said(text) for text in DONE}


@pytest.mark.parametrize(("settings", "row", "own_id"), ROWS)
def test_the_same_row_twice_is_one_line_and_one_amount(
    tmp_path: Path, settings: ShopSettings, row: dict[str, str], own_id: str
) -> None:
    other = {**row, own_id: row[own_id].strip() + "9"}

    assert together(tmp_path, settings, row, other) == together(tmp_path, settings, row, other, row, other, row)


@pytest.mark.parametrize(("settings", "row", "own_id"), ROWS)
@pytest.mark.parametrize("late_first", [True, False])
def test_of_two_states_of_one_row_the_further_one_counts(
    tmp_path: Path, settings: ShopSettings, row: dict[str, str], own_id: str, late_first: bool
) -> None:
    row = {**row, "发货时间": ""}
    sent = {**row, "订单状态": "已发货", "发货时间": "2026-11-21 08:00:00"}
    (item,) = together(tmp_path, settings, *((sent, row) if late_first else (row, sent)))

    assert ("shipped", local("21T08:00:00")) == (
        item.fields["status"],
        item.fields.get("shipped_at", local("21T08:00:00")),
    )
    assert [1] * len(item.lines) == [line["shipped_quantity"] // line["quantity"] for line in item.lines.values()]  # type: ignore[operator]


def test_a_jd_row_that_stands_twice_is_one_line_only_where_the_price_of_all_goods_says_so(tmp_path: Path) -> None:
    once = {**JINGDONG, "订单金额": "129.80"}
    twice = {**JINGDONG, "订单号": "301", "订单金额": "259.60"}
    silent = {**JINGDONG, "订单号": "302", "订单金额": ""}
    found = together(tmp_path, JD, once, once, twice, twice, silent, silent)

    assert [1, 2, 2] == [len(one.lines) for one in found]
    assert [True] * 3 == [one.counted for one in found]


FOOTERS = ("合计", "总计", "共2条", "导出时间：2026-11-29 10:00:00", "", "备注：以上为全部订单", "Total")


@pytest.mark.parametrize(("settings", "row"), FILES)
@pytest.mark.parametrize("text", FOOTERS)
def test_rows_below_the_orders_are_counted_not_taken_for_orders(
    tmp_path: Path, settings: ShopSettings, row: dict[str, str], text: str
) -> None:
    money = {name: "129.80" for name in row if "金额" in name}
    unknown: Counter[str] = Counter()
    for below in ({}, money):
        path = export(tmp_path / "b.csv", row, dict.fromkeys(row, "") | below | {key(row): text})
        assert [one(tmp_path, settings, row)] == items(path, settings, unknown=unknown)
    assert 2 == unknown["(rows that are no orders)"]


@pytest.mark.parametrize(("settings", "row"), [(TAOBAO, ITEM), (JD, JINGDONG), (DOUYIN, DY)])
def test_a_line_whose_order_cells_were_merged_belongs_to_the_order_above(
    tmp_path: Path, settings: ShopSettings, row: dict[str, str]
) -> None:
    keep = {name for name in row if name.startswith(("子订单", "商品", "选购", "外部", "购买", "订购", "商家", "京东"))}
    below = {name: text if name in keep else "" for name, text in row.items()} | {"商品ID": "77", "子订单编号": "77"}
    (item,) = together(tmp_path, settings, row, {name: below[name] for name in row})

    assert 2 == len(item.lines)
    assert one(tmp_path, settings, row).fields["status"] == item.fields["status"]


STRANGE: list[tuple[str, str]] = [
    (
        "订单编号,买家公司名,买家会员名,卖家公司名,卖家会员名,实付款(元),订单状态,订单创建时间,订单付款时间,货品标题,数量",
        "bought",
    ),
    ("订单号,下单时间,卖家昵称,订单状态,买家会员名,实付款", "bought"),
    ("采购单号,订单编号,订单状态,买家会员名,数量", "bought"),
    ("订单编号,退款编号,退款的申请时间,订单状态,买家会员名,退款金额", "refunds"),
    ("售后单号,订单号,商品单号,售后类型,售后状态,订单状态,售后申请时间", "refunds"),
    ("订单号,订单创建时间,订单支付时间,订单状态,实付款,快递费,成交数量,预售/承诺发货时间,商品ID", "Kuaishou"),
    ("订单号,订单状态,售后状态,SKU名称,SKU件数,商品总价(元),用户应付金额(元),承诺发货时间", "Xiaohongshu"),
]


@pytest.mark.parametrize(("header", "words"), STRANGE)
@pytest.mark.parametrize("platform", ["taobao", "tmall", "pinduoduo", "jd", "douyin", "generic"])
def test_what_is_no_list_of_the_shops_orders_is_refused_by_name(
    tmp_path: Path, header: str, words: str, platform: str
) -> None:
    row = ",".join("待发货" if name == "订单状态" else "1" for name in header.split(","))
    found = items(csv_file(tmp_path / "a.csv", header, row), shop(platform))

    assert [] == snapshots(found)
    assert [True] == [words in item.reason for item in refused(found)]


def test_no_documented_export_is_taken_for_a_strangers(tmp_path: Path) -> None:
    assert [True] * len(FILES) == [snapshots(items(export(tmp_path / "a.csv", row), by)) != [] for by, row in FILES]


SHOPIFY = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Currency,Subtotal,Shipping,Total,Created at,"
    "Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Lineitem fulfillment status,Cancelled at"
)
DAY = "2026-11-20 10:00:00 -0500"


def shopify(path: Path, *rows: str, **columns: ColumnMap) -> list[Snapshot]:
    found = items(csv_file(path / "orders_export_1.csv", SHOPIFY, *rows), shop("generic", columns=columns))
    assert [] == refused(found)
    return snapshots(found)


@pytest.mark.parametrize(
    ("payment", "fulfilment", "cancelled", "status"),
    [
        ("paid", "unfulfilled", "", "paid"),
        ("pending", "unfulfilled", "", "unpaid"),
        ("pending", "fulfilled", "", "shipped"),
        ("paid", "partial", "", "partly_shipped"),
        ("paid", "fulfilled", "", "shipped"),
        ("refunded", "unfulfilled", "", "refunded"),
        ("refunded", "unfulfilled", DAY, "cancelled"),
        ("paid", "unfulfilled", DAY, "cancelled"),
        ("partially_refunded".replace("_", " "), "unfulfilled", "", "paid"),
        ("voided", "unfulfilled", "", "cancelled"),
    ],
)
@pytest.mark.parametrize(
    "columns", [{}, {"status": ColumnMap(column="Fulfillment Status", values={"unfulfilled": "paid"})}]
)
def test_a_shopify_state_comes_from_three_columns_mapped_or_not(
    tmp_path: Path, payment: str, fulfilment: str, cancelled: str, status: str, columns: dict[str, ColumnMap]
) -> None:
    row = f"#1,a@x,{payment},{DAY},{fulfilment},,USD,10,0,10,{DAY},1,Mug,10,M-1,pending,{cancelled}"

    assert [status] == [order.fields["status"] for order in shopify(tmp_path, row, **columns)]


def test_a_shopify_order_has_all_its_lines_and_its_amount_once(tmp_path: Path) -> None:
    (order,) = shopify(
        tmp_path,
        f"#1,a@x,paid,{DAY},partial,,JPY,3000,500,3500,{DAY},1,Mug,1000,,fulfilled,",
        f"#1,a@x,,,,,,,,,{DAY},2,Lamp,1000,,pending,",
    )

    assert ("partly_shipped", 3500, "JPY") == tuple(order.fields[name] for name in ("status", "paid_minor", "currency"))
    assert {"Mug": (1, 1, 1000), "Lamp": (2, 0, 1000)} == {
        line["title"]: (line["quantity"], line["shipped_quantity"], line["unit_minor"]) for line in order.lines.values()
    }


def test_every_status_text_is_written_as_it_is_compared() -> None:
    tables = [export.statuses for export in formats.EXPORTS] + [
        meant for export in formats.EXPORTS for meant in export.more_states.values()
    ]

    assert [] == [text for table in tables for text in table if texts.plain(text) != text]
    assert all(any(status in OWED for status in table.values()) for table in tables)


def test_a_worksheet_that_nobody_understands_is_counted_beside_the_orders(tmp_path: Path) -> None:
    unknown: Counter[str] = Counter()
    sheets = {"orders": [list(PINDUODUO), list(PINDUODUO.values())], "notes": [["read", "me"], ["a", "b"]]}
    found = items(workbook(tmp_path / "a.xlsx", sheets), PDD, unknown=unknown)

    assert ["261120-1"] == [item.order_id for item in snapshots(found)]
    assert 1 == unknown["(worksheet notes)"]


def test_a_list_of_refunds_beside_the_orders_stops_no_order(tmp_path: Path) -> None:
    refunds = [["订单编号", "退款编号", "退款的申请时间", "订单状态"], ["1", "2", "2026-11-20 10:00:00", "交易成功"]]
    orders = [list(PINDUODUO), list(PINDUODUO.values())]
    found = items(workbook(tmp_path / "a.xlsx", {"refunds": refunds, "orders": orders}), PDD)

    assert ["261120-1"] == [item.order_id for item in snapshots(found)]
    assert ["this is a list of refunds or after-sale cases, not of orders"] == [item.reason for item in refused(found)]


def test_following_the_mend_for_an_unmapped_status_never_hides_an_order(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", "id,state", "1,odd (one)", "2,open")
    state = 'order_id = "id"\nstatus = { column = "state", values = { open = "paid" } }'
    (said,) = refused(items(path, shop("generic", columns=entered(state))))
    (values,) = (said.mend.removeprefix("add it to the values of status: values = { ").removesuffix(" }"),)

    by = shop("generic", columns=entered(state.replace("{ open", f"{{ {values}, open")))
    assert ["paid", "paid"] == [item.fields["status"] for item in snapshots(items(path, by))]


MAPPED_LINES = shop(
    "generic", columns={name: ColumnMap(column=name.upper()) for name in ("order_id", "status", "line_id", "sku")}
)
LINES: list[Any] = [
    (JD, JINGDONG, "商品ID"),
    (MAPPED_LINES, {"ORDER_ID": "1", "STATUS": "paid", "LINE_ID": "11", "SKU": "A"}, "LINE_ID"),
    (TAOBAO, {"order_id": "1", "status": "paid", "line_id": "11", "sku": "A"}, "line_id"),
]


@pytest.mark.parametrize("header", ["{}2", "{} (UTC)"])
@pytest.mark.parametrize(("settings", "row", "column"), LINES)
def test_a_line_does_not_stand_twice_because_a_later_file_renamed_its_id(
    tmp_path: Path, settings: ShopSettings, row: dict[str, str], column: str, header: str
) -> None:
    later = {header.format(name) if name == column else name: text for name, text in row.items()}
    known_lines = Known(observed_at=0)
    said = []
    for at, one_row in enumerate((row, later)):
        for item in (found := items(export(tmp_path / f"{at}.csv", one_row), settings)):
            if isinstance(item, Snapshot):
                known_lines.merge(item.fields, item.lines, at, counted=item.counted)
        said = refused(found)

    assert (1, 1) == (len(nest(known_lines.facts)["lines"]), len(said))
