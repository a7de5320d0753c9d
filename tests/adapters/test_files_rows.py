"""Several rows of one order in a mapped table, and rows that are no orders."""

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import ColumnMap, ShopSettings, Snapshot
from rules.model import STATUSES
from tests.adapters.fixtures.files.making import SHANGHAI, csv_file, items, refused, shop, snapshots

WORDS = {
    "open": "paid",
    "new": "unpaid",
    "sent": "shipped",
    "there": "delivered",
    "off": "cancelled",
    "back": "refunded",
}
MAP = {
    "order_id": ColumnMap(column="id"),
    "status": ColumnMap(column="state", values=WORDS),
    "paid_at": ColumnMap(column="paid"),
    "paid_minor": ColumnMap(column="amount", unit="major"),
    "sku": ColumnMap(column="sku"),
    "title": ColumnMap(column="title"),
    "quantity": ColumnMap(column="pieces"),
    "unit_minor": ColumnMap(column="price", unit="major"),
}
SHOP = shop("generic", timezone=SHANGHAI, columns=MAP, options={"currency": "EUR"})
HEADER = "id,state,paid,amount,sku,title,pieces,price"
PAID = "2026-11-20 10:00"


def mapped(**more: ColumnMap) -> ShopSettings:
    return shop("generic", timezone=SHANGHAI, columns={**MAP, **more}, options={"currency": "EUR"})


def read(tmp_path: Path, *rows: str, header: str = HEADER, by: ShopSettings = SHOP) -> dict[str, Snapshot]:
    found = items(csv_file(tmp_path / "a.csv", header, *rows), by)
    assert [] == refused(found)
    return {item.order_id: item for item in snapshots(found)}


def row(order: str, state: str, sku: str, *, amount: str = "", title: str = "", price: str = "") -> str:
    return f"{order},{state},{PAID},{amount},{sku},{title},1,{price}"


@pytest.mark.parametrize(
    ("states", "status"),
    [
        (["open", "sent"], "partly_shipped"),
        (["sent", "open"], "partly_shipped"),
        (["sent", "there"], "shipped"),
        (["off", "open"], "paid"),
        (["open", "off"], "paid"),
        (["back", "off"], "refunded"),
        (["off", "sent"], "shipped"),
        (["new", "open"], "paid"),
        (["sent", ""], "shipped"),
        (["open", "", ""], "paid"),
    ],
)
def test_an_order_is_as_far_as_its_slowest_open_line(tmp_path: Path, states: list[str], status: str) -> None:
    found = read(tmp_path, *(row("1", state, f"A-{at}") for at, state in enumerate(states)))

    assert status == found["1"].fields["status"]
    assert [f"A-{at}" for at, _ in enumerate(states)] == list(found["1"].lines)


def test_lines_are_as_far_as_their_own_rows(tmp_path: Path) -> None:
    lines = read(tmp_path, row("1", "open", "A"), row("1", "sent", "B"), row("1", "off", "C"))["1"].lines

    assert [(0, 0), (1, 0), (0, 1)] == [
        (line["shipped_quantity"], line["refunded_quantity"]) for line in lines.values()
    ]


def test_rows_of_one_order_may_lie_apart_in_a_mapped_table_too(tmp_path: Path) -> None:
    found = read(tmp_path, row("1", "open", "A"), row("2", "open", "A"), row("1", "open", "B"))

    assert {"1": ["A", "B"], "2": ["A"]} == {order_id: list(one.lines) for order_id, one in found.items()}


def test_amounts_that_differ_within_an_order_are_its_lines(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        *(row("1", "open", "A", amount="19.90"), row("1", "open", "B", amount="10.00")),
        *(row("2", "open", "A", amount="5.00"), row("2", "open", "B", amount="5.00")),
    )

    assert [2990, 1000] == [one.fields["paid_minor"] for one in found.values()]


def test_amounts_that_only_repeat_are_the_orders(tmp_path: Path) -> None:
    found = read(tmp_path, row("1", "open", "A", amount="29.90"), row("1", "open", "B", amount="29.90"))

    assert 2990 == found["1"].fields["paid_minor"]


def test_equal_amounts_that_are_each_the_price_of_their_line_are_added(tmp_path: Path) -> None:
    both = [row("1", "open", sku, amount="5.00", price="5.00") for sku in "AB"]

    assert 1000 == read(tmp_path, *both)["1"].fields["paid_minor"]


@pytest.mark.parametrize(("column", "paid"), [("item-price", 1000), ("Order Total", 500)])
def test_the_name_of_a_column_tells_whose_amount_it_holds(tmp_path: Path, column: str, paid: int) -> None:
    by = mapped(paid_minor=ColumnMap(column=column, unit="major"))
    found = read(
        tmp_path,
        *(row("1", "open", sku, amount="5.00") for sku in "AB"),
        header=HEADER.replace("amount", column),
        by=by,
    )

    assert paid == found["1"].fields["paid_minor"]


def test_an_amount_that_stands_in_the_first_row_only_is_the_orders(tmp_path: Path) -> None:
    found = read(tmp_path, row("1", "open", "A", amount="47.00"), "1,,,,B,,1,")

    assert 4700 == found["1"].fields["paid_minor"]


def test_two_rows_of_one_sku_stay_two_lines(tmp_path: Path) -> None:
    found = read(tmp_path, row("1", "open", "A", amount="5.00"), row("1", "open", "A", amount="5.00"))

    assert ["A", "A#2"] == list(found["1"].lines)


def test_a_row_that_stands_twice_by_mistake_is_one_line_when_the_total_says_so(tmp_path: Path) -> None:
    by = mapped(paid_minor=ColumnMap(column="total", unit="major"))
    twice = [row("1", "open", "A", amount="5.00", price="5.00")] * 2
    two = [row("2", "open", "A", amount="10.00", price="5.00")] * 2
    found = read(tmp_path, *twice, *two, header=HEADER.replace("amount", "total"), by=by)

    assert {"1": (["A"], 500), "2": (["A", "A#2"], 1000)} == {
        order_id: (list(one.lines), one.fields["paid_minor"]) for order_id, one in found.items()
    }


def test_a_sub_order_that_stands_twice_is_one_line_in_its_further_state(tmp_path: Path) -> None:
    by = mapped(line_id=ColumnMap(column="sub"))
    found = read(
        tmp_path,
        *("1,sent,,19.90,A,,1,,11", "1,open,,10.00,B,,1,,12", "1,open,,19.90,A,,1,,11", "1,open,,10.00,B,,1,,12"),
        header=HEADER + ",sub",
        by=by,
    )

    assert ("partly_shipped", 2990) == (found["1"].fields["status"], found["1"].fields["paid_minor"])
    assert {"11": 1, "12": 0} == {line_id: line["shipped_quantity"] for line_id, line in found["1"].lines.items()}


def test_items_without_any_code_are_told_apart_by_their_titles(tmp_path: Path) -> None:
    found = read(tmp_path, row("1", "open", "", title="Poster A"), row("1", "open", "", title="Poster B"))

    assert ["Poster A", "Poster B"] == [line["title"] for line in found["1"].lines.values()]


def test_a_blank_order_id_is_the_order_above(tmp_path: Path) -> None:
    found = read(tmp_path, row("1", "open", "A", amount="9"), ",,,,B,,3,", ",,,,C,,1,", row("2", "sent", "A"))

    assert {"1": ["A", "B", "C"], "2": ["A"]} == {order_id: list(one.lines) for order_id, one in found.items()}
    assert ["paid", "shipped"] == [one.fields["status"] for one in found.values()]


@pytest.mark.parametrize("strange", [",new,,,B,,1,", f",,{PAID}:09,,B,,1,", ",,,,B,,,", ",,,,B,,1,"])
def test_a_row_that_may_be_another_order_is_never_given_to_its_neighbour(tmp_path: Path, strange: str) -> None:
    above = [row("1", "open", "A")] if strange != ",,,,B,,1," else []
    found = items(csv_file(tmp_path / "a.csv", HEADER, *above, strange), SHOP)

    assert [["A"] for _ in above] == [list(one.lines) for one in snapshots(found)]
    assert 1 == len(refused(found))


def test_half_a_row_that_broke_off_before_its_id_is_not_given_to_its_neighbour(tmp_path: Path) -> None:
    header = "state,paid,sku,pieces,amount,price,title,id"
    path = csv_file(tmp_path / "a.csv", header, f"open,{PAID},A,1,9,9,a,1", ",,B,1,5", ",,C,1,5,5,c,")
    found = items(path, SHOP)

    assert [["A"]] == [list(item.lines) for item in snapshots(found)]
    assert 2 == len(refused(found))


def test_a_line_without_an_order_id_may_have_a_state_of_its_own(tmp_path: Path) -> None:
    found = read(tmp_path, row("1", "open", "A"), ",back,,,B,,3,", ",sent,,,C,,1,")

    assert ("partly_shipped", ["A", "B", "C"]) == (found["1"].fields["status"], list(found["1"].lines))


def test_without_states_an_order_is_shipped_once_all_its_rows_are(tmp_path: Path) -> None:
    by = shop(
        "generic",
        timezone=SHANGHAI,
        columns={name: ColumnMap(column=name) for name in ("order_id", "sku", "paid_at", "shipped_at")},
    )
    found = read(
        tmp_path,
        *(f"1,A,{PAID},{PAID}", f"1,B,{PAID},", f"2,A,{PAID},{PAID}", f"2,B,{PAID},{PAID}"),
        header="order_id,sku,paid_at,shipped_at",
        by=by,
    )

    assert ["paid", "shipped"] == [one.fields["status"] for one in found.values()]


FOOTERS = (
    ",,,,,,,",
    "Total,,,129.80,,,7,",
    "合计,,,129.80,,,7,",
    ",,,129.80,,,7,",
    ",合计,,129.80,,,7,",
    '"2, record(s) downloaded",,,,,,,',
    "record(s) downloaded, from Nov-01-26, to Nov-28-26,,,,,",
    "Seller ID : testseller,,,,,,,",
    ",,,,Seller ID: north,,,",
    "导出时间：2026-11-29 10:00,,,,,,,",
    "共2条记录,,,,,,,",
    "总计：2单,,,,,,,",
    "总计：,,,,1234.50,,,",
    "1234.50,,,,Total,,,",
    "1.234,,,,,,,",
    ",,,,,1234.50,,",
)


@pytest.mark.parametrize("footer", FOOTERS)
@pytest.mark.parametrize("orders", [["11-1234101"], ["5119111586217093520", "5119111586217093521"], ["#1001"], ["A-7"]])
def test_footers_totals_and_padding_are_no_orders(tmp_path: Path, footer: str, orders: list[str]) -> None:
    unknown: Counter[str] = Counter()
    rows = [row(order, "open", "A", amount="9") for order in orders]
    found = items(csv_file(tmp_path / "a.csv", HEADER, *rows, footer), SHOP, unknown=unknown)

    assert orders == [item.order_id for item in snapshots(found)]
    assert [["A"]] * len(orders) == [list(item.lines) for item in snapshots(found)]
    assert len(orders) == len(found)
    assert 1 == unknown["(rows that are no orders)"]


def test_an_order_is_not_taken_for_a_footer_because_of_its_id(tmp_path: Path) -> None:
    found = read(tmp_path, row("11-7", "open", "A"), "Total,open,,1,,,,", "VIP,,,,A,,1,", "11-8,,,9,,,,")

    assert ["11-7", "Total", "VIP", "11-8"] == list(found)


@pytest.mark.parametrize(
    ("header", "cells", "status"),
    [
        ("id,paid", f"1,{PAID}", "paid"),
        ("id,paid,quantity-shipped,tracking number", f"1,{PAID},0,", "paid"),
        ("id,paid,latest shipped by", f"1,{PAID},{PAID}", "paid"),
        ("id,paid,Shipped On Date", f"1,{PAID},Nov-28-26", None),
        ("id,paid,物流单号", f"1,{PAID},SF123", None),
        ("id,paid,Cancelled at", f"1,{PAID},{PAID}", None),
        ("id,paid,new item-status", f"1,{PAID},Refunded", None),
        ("id,paid", "1,", None),
    ],
)
def test_without_a_status_an_order_is_paid_only_where_that_is_certain(
    tmp_path: Path, header: str, cells: str, status: str | None
) -> None:
    by = shop("generic", timezone=SHANGHAI, columns={"order_id": MAP["order_id"], "paid_at": MAP["paid_at"]})

    assert status == read(tmp_path, cells, header=header, by=by)["1"].fields.get("status")


@pytest.mark.parametrize(
    ("header", "cells"), [("id,paid,new state", f"1,{PAID},sent"), ("id,paid,state", f"1,{PAID},")]
)
def test_a_mapped_status_that_says_nothing_is_never_taken_for_paid(tmp_path: Path, header: str, cells: str) -> None:
    (item,) = snapshots(items(csv_file(tmp_path / "a.csv", header, cells), SHOP))

    assert "status" not in item.fields


def test_a_mapped_status_that_is_missing_is_not_made_up_from_other_columns(tmp_path: Path) -> None:
    by = mapped(shipped_at=ColumnMap(column="sent"))
    found = items(csv_file(tmp_path / "a.csv", "id,paid,sent,new state", f"1,{PAID},{PAID},there"), by)

    assert ["status" in item.fields for item in snapshots(found)] == [False]
    assert any("'state'" in item.reason for item in refused(found))


def test_a_sku_without_stock_or_order_is_no_footer_of_a_stock_table(tmp_path: Path) -> None:
    by = shop("generic", columns={"sku": ColumnMap(column="article"), "stock": ColumnMap(column="left")})
    found = items(csv_file(tmp_path / "a.csv", "article,left", "A-1,4", "Total blue,5", "B 2,6"), by)

    assert 3 == len(found)
    assert [] == refused(found)


def test_a_state_may_come_from_several_columns(tmp_path: Path) -> None:
    state = ColumnMap(
        column="Fulfillment Status",
        values={"unfulfilled": "paid", "fulfilled": "shipped"},
        also=(
            ColumnMap(column="Financial Status", values={"paid": "paid", "pending": "unpaid", "refunded": "refunded"}),
        ),
    )
    by = mapped(status=state, cancelled_at=ColumnMap(column="Cancelled at"))
    header = "id,Fulfillment Status,Financial Status,Cancelled at"
    told = {
        "unfulfilled,paid,": "paid",
        "unfulfilled,pending,": "unpaid",
        "fulfilled,pending,": "shipped",
        "fulfilled,paid,": "shipped",
        "unfulfilled,refunded,": "refunded",
        f"unfulfilled,paid,{PAID}": "cancelled",
        f",,{PAID}": "cancelled",
    }
    path = csv_file(tmp_path / "a.csv", header, *(f"{at},{cells}" for at, cells in enumerate(told)))

    assert list(told.values()) == [one.fields["status"] for one in snapshots(items(path, by))]


def test_a_missing_column_is_named_with_the_nearest_header(tmp_path: Path) -> None:
    by = mapped(ship_by=ColumnMap(column="Ship By"))
    found = refused(items(csv_file(tmp_path / "a.csv", HEADER + ",Ship-by date,zzz", row("1", "open", "A") + ",,"), by))

    assert ["column 'Ship By' of the shop's map is not in this file"] == [item.reason for item in found]
    assert "the nearest header is 'Ship-by date'" in found[0].mend


def test_a_table_whose_id_column_is_no_id_is_refused_not_folded_into_one_order(tmp_path: Path) -> None:
    found = items(csv_file(tmp_path / "a.csv", HEADER, *(row("EUR", "open", f"A-{at}") for at in range(1_001))), SHOP)

    assert [] == snapshots(found)
    assert ["order 'EUR' has more than 1000 rows"] == [item.reason for item in refused(found)]


def test_a_life_in_several_rows_is_as_far_as_its_slowest_line(tmp_path: Path) -> None:
    by = shop(
        "generic",
        timezone=SHANGHAI,
        columns={"order_id": MAP["order_id"], "sku": MAP["sku"]},
        history={"paid": "paid", "shipped": "sent"},
    )
    path = csv_file(
        tmp_path / "a.csv",
        "id,sku,paid,sent",
        *("1,A,2026-11-20 10:00,2026-11-21 10:00", "2,A,2026-11-20 10:00,2026-11-21 10:00", "1,B,2026-11-20 10:00,"),
        "2,B,2026-11-20 10:00,2026-11-22 10:00",
    )
    last = {one.order_id: one for one in snapshots(items(path, by))}

    assert {"1": ("paid", 2), "2": ("shipped", 2)} == {
        order_id: (one.fields["status"], len(one.lines)) for order_id, one in last.items()
    }


ORDERS = st.dictionaries(
    st.integers(1, 40).map(str),
    st.lists(
        st.tuples(st.sampled_from("ABC"), st.sampled_from(["open", "sent", "there", "off", "back"])),
        min_size=1,
        max_size=5,
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(orders=ORDERS, seed=st.randoms(use_true_random=False))
def test_every_line_of_every_order_arrives_wherever_its_row_stands(
    tmp_path_factory: pytest.TempPathFactory, orders: dict[str, list[tuple[str, str]]], seed: random.Random
) -> None:
    """Property: nothing is lost or given to a neighbour, and what is owed stays owed."""
    rows = [(order, sku, state) for order, lines in orders.items() for sku, state in lines]
    seed.shuffle(rows)
    tmp_path = tmp_path_factory.mktemp("rows")
    found = read(tmp_path, *(row(order, state, sku, amount="5.00") for order, sku, state in rows))

    assert orders.keys() == found.keys()
    for order, lines in orders.items():
        one = found[order]
        assert Counter(sku for sku, _ in lines) == Counter(line["sku"] for line in one.lines.values())
        owed = any(state == "open" for _, state in lines)
        assert owed == (one.fields["status"] in ("paid", "partly_shipped"))
        live = [WORDS[state] for _, state in lines if state not in ("off", "back")]
        if live and not owed:
            assert min(live, key=STATUSES.index) == one.fields["status"]


@pytest.mark.parametrize("footer", ["Total,,,1234.50,", ",,,,", "合计：,,,9,9", "record(s) downloaded,,,,"])
def test_footers_of_canonical_tables_are_no_orders_either(tmp_path: Path, footer: str) -> None:
    path = csv_file(tmp_path / "a.csv", "order_id,status,sku,title,quantity", "261-1,paid,A,a,1", footer)

    assert ["261-1"] == [one.order_id for one in items(path, shop("generic"))]  # type: ignore[union-attr]


@pytest.mark.parametrize("note", ["2, record(s) downloaded", "共 3 条", "Seller ID: north", "Orders: 3"])
def test_a_note_is_no_order_even_where_every_row_above_it_was_refused(tmp_path: Path, note: str) -> None:
    settings = shop("generic", columns={"order_id": ColumnMap(column="id"), "ship_by": ColumnMap(column="due")})
    found = items(csv_file(tmp_path / "a.csv", "id,due", "1,never", "2,never", f'"{note}",'), settings)

    assert [] == snapshots(found)
    assert [2, 3] == [one.line for one in refused(found)]


def test_half_a_row_is_refused_even_where_only_an_id_is_left_of_it(tmp_path: Path) -> None:
    columns = {
        "line_id": ColumnMap(column="item"),
        "order_id": ColumnMap(column="id"),
        "ship_by": ColumnMap(column="due"),
    }
    rows = ["71,1,2026-12-01T10:00Z", "72", "73,1,2026-12-01T10:00Z", "Total: 3", "2026-12-01 10:00"]
    found = items(csv_file(tmp_path / "a.csv", "item,id,due", *rows), shop("generic", columns=columns))

    assert [3, 6] == [one.line for one in refused(found)]


def test_a_row_of_a_note_and_sums_is_no_line_of_the_order_above(tmp_path: Path) -> None:
    names = {"order_id": "id", "sku": "sku", "quantity": "n", "title": "title", "status": "state"}
    settings = shop("generic", columns={name: ColumnMap(column=column) for name, column in names.items()})
    rows = ["1,A,2,Lamp,paid", ",B,1,Total war,", ",1234.50,3,共 3 条,"]
    found = snapshots(items(csv_file(tmp_path / "a.csv", "id,sku,n,title,state", *rows), settings))

    assert [["A", "B"]] == [sorted(str(line["sku"]) for line in one.lines.values()) for one in found]
