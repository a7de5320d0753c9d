"""Any shop's CSV through its own map, and whole lives in one row."""

from pathlib import Path
from zoneinfo import ZoneInfo

from adapters.base import ColumnMap, Rejected, Snapshot, StockReport
from rules.instant import SECOND, parse
from tests.adapters.fixtures.files.making import NOON, csv_file, items, only, refused, shop, snapshots

LISBON = ZoneInfo("Europe/Lisbon")
MAP = {
    "order_id": ColumnMap(column="id"),
    "paid_minor": ColumnMap(column="total", unit="major"),
    "status": ColumnMap(column="state", values={"done": "delivered", "canceled": "cancelled", "open": "paid"}),
    "ship_by": ColumnMap(column="limit"),
}
MAPPED = shop("generic", timezone=LISBON, columns=MAP, options={"currency": "EUR"})
LIFE = shop(
    "generic",
    timezone=LISBON,
    columns={
        **MAP,
        "status": ColumnMap(
            column="state", values={"done": "delivered", "canceled": "cancelled", "none": "flag:out_of_stock"}
        ),
    },
    history={"placed": "bought", "paid": "approved", "shipped": "handed", "delivered": "arrived"},
)
HEADER = "id,total,state,limit"
LIFE_HEADER = "id,total,state,limit,bought,approved,handed,arrived"


def at(text: str) -> int:
    return parse(f"2026-06-{text}+01:00")


def life(tmp_path: Path, row: str) -> list[Snapshot]:
    return snapshots(items(csv_file(tmp_path / "a.csv", LIFE_HEADER, row), LIFE))


def test_a_mapped_row_becomes_a_snapshot(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", HEADER, "7,19.62,OPEN,2026-06-03 18:00")

    assert [
        Snapshot(
            observed_at=NOON,
            shop="north",
            order_id="7",
            fields={"currency": "EUR", "paid_minor": 1962, "status": "paid", "ship_by": at("03T18:00:00")},
        )
    ] == items(path, MAPPED)


def test_decimals_are_exact_and_grouping_is_understood(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", HEADER, '1,"1,234.50",open,', "2,0.29,open,", "3,€ 4,open,", "4,1.005,open,")

    assert [123450, 29, 400] == [item.fields["paid_minor"] for item in snapshots(items(path, MAPPED))]
    assert ["paid_minor '1.005' is finer than the smallest coin, or absurd"] == [
        item.reason for item in refused(items(path, MAPPED))
    ]


def test_a_yen_has_no_cents(tmp_path: Path) -> None:
    settings = shop("generic", columns=MAP, options={"currency": "JPY"})
    item = only(csv_file(tmp_path / "a.csv", HEADER, "1,1500,open,"), settings)

    assert isinstance(item, Snapshot)
    assert 1500 == item.fields["paid_minor"]


def test_an_unmapped_status_is_refused_with_the_mend(tmp_path: Path) -> None:
    item = only(csv_file(tmp_path / "a.csv", HEADER, "1,1,lost,"), MAPPED)

    assert isinstance(item, Rejected)
    assert "status 'lost' is not mapped" == item.reason
    assert "values" in item.mend


def test_a_mapped_column_that_is_missing_is_said_once(tmp_path: Path) -> None:
    found = items(csv_file(tmp_path / "a.csv", "id,state,limit", "1,open,", "2,open,"), MAPPED)

    assert ["1", "2"] == [item.order_id for item in snapshots(found)]
    assert ["column 'total' of the shop's map is not in this file"] == [item.reason for item in refused(found)]


def test_line_columns_may_be_mapped_too(tmp_path: Path) -> None:
    settings = shop(
        "generic",
        columns={
            "order_id": ColumnMap(column="id"),
            "sku": ColumnMap(column="article"),
            "quantity": ColumnMap(column="pieces"),
            "unit_minor": ColumnMap(column="price", unit="major"),
        },
    )
    item = only(csv_file(tmp_path / "a.csv", "id,article,pieces,price", "1,A-1,2,3.5"), settings)

    assert isinstance(item, Snapshot)
    assert {"A-1": {"sku": "A-1", "quantity": 2, "unit_minor": 350}} == item.lines


def test_flags_may_come_from_a_column_of_words(tmp_path: Path) -> None:
    settings = shop(
        "generic",
        columns={"order_id": ColumnMap(column="id"), "flags": ColumnMap(column="hurry", values={"yes": "urged"})},
    )
    found = snapshots(items(csv_file(tmp_path / "a.csv", "id,hurry", "1,yes", "2,no"), settings))

    assert [["urged"], []] == [item.fields["flags"] for item in found]


def test_stock_alone_may_be_mapped(tmp_path: Path) -> None:
    settings = shop("generic", columns={"sku": ColumnMap(column="article"), "stock": ColumnMap(column="left")})

    assert StockReport(observed_at=NOON, shop="north", sku="A-1", stock=4) == only(
        csv_file(tmp_path / "a.csv", "article,left", "A-1,4"), settings
    )


def test_a_mapped_time_of_observation_wins_over_the_file_name(tmp_path: Path) -> None:
    settings = shop("generic", timezone=LISBON, columns={**MAP, "observed_at": ColumnMap(column="seen")})
    item = only(csv_file(tmp_path / "2026-06-09_1000.csv", HEADER + ",seen", "1,1,open,,2026-06-02T08:00:00"), settings)

    assert at("02T08:00:00") == item.observed_at  # type: ignore[union-attr]


def test_a_life_shows_at_each_instant_only_what_was_known(tmp_path: Path) -> None:
    times = "2026-06-01T08:00:00,2026-06-01T09:00:00,2026-06-02T10:00:00,2026-06-04T11:00:00"
    row = f"7,19.62,done,2026-06-03T18:00:00,{times}"
    placed, paid, shipped, arrived = (at(day) for day in ("01T08:00:00", "01T09:00:00", "02T10:00:00", "04T11:00:00"))
    known = {"paid_minor": 1962, "ship_by": at("03T18:00:00"), "placed_at": placed}

    assert [
        (placed, {**known, "status": "unpaid"}),
        (paid, {**known, "status": "paid", "paid_at": paid}),
        (shipped, {**known, "status": "shipped", "paid_at": paid, "shipped_at": shipped}),
        (arrived, {**known, "status": "delivered", "paid_at": paid, "shipped_at": shipped}),
    ] == [(one.observed_at, one.fields) for one in life(tmp_path, row)]


def test_a_hand_over_before_the_approval_never_sets_the_status_back(tmp_path: Path) -> None:
    row = "7,1,done,,2026-06-01T08:00:00,2026-06-03T09:00:00,2026-06-02T10:00:00,"
    found = life(tmp_path, row)

    assert ["unpaid", "shipped", "shipped", "delivered"] == [one.fields["status"] for one in found]
    assert [False, False, True, True] == ["paid_at" in one.fields for one in found]


def test_an_end_state_without_an_instant_comes_last(tmp_path: Path) -> None:
    row = "7,1,canceled,,2026-06-01T08:00:00,2026-06-01T09:00:00,,"
    found = life(tmp_path, row)

    assert ["unpaid", "paid", "cancelled"] == [one.fields["status"] for one in found]
    assert at("01T09:00:00") + SECOND == found[-1].observed_at


def test_a_flag_from_the_status_comes_last_and_leaves_the_status(tmp_path: Path) -> None:
    found = life(tmp_path, "7,1,none,,2026-06-01T08:00:00,2026-06-01T09:00:00,,")

    assert [("unpaid", None), ("paid", None), ("paid", ["out_of_stock"])] == [
        (one.fields["status"], one.fields.get("flags")) for one in found
    ]


def test_a_status_that_is_not_mapped_is_no_harm_where_history_tells_it(tmp_path: Path) -> None:
    assert ["unpaid", "paid"] == [
        one.fields["status"] for one in life(tmp_path, "7,1,weird,,2026-06-01T08:00:00,2026-06-01T09:00:00,,")
    ]


def test_a_life_without_any_instant_is_refused(tmp_path: Path) -> None:
    found = items(csv_file(tmp_path / "a.csv", LIFE_HEADER, "7,1,done,,,,,"), LIFE)

    assert ["no time in any column of [history]"] == [item.reason for item in refused(found)]


def test_two_things_at_one_instant_are_one_snapshot(tmp_path: Path) -> None:
    assert ["paid"] == [
        one.fields["status"] for one in life(tmp_path, "7,1,,,2026-06-01T08:00:00,2026-06-01T08:00:00,,")
    ]


def test_a_collection_column_makes_not_collected_known(tmp_path: Path) -> None:
    settings = shop(
        "generic",
        timezone=LISBON,
        columns={"order_id": ColumnMap(column="id")},
        history={"paid": "approved", "collected": "scanned"},
    )
    path = csv_file(tmp_path / "a.csv", "id,approved,scanned", "1,2026-06-01T08:00:00,2026-06-02T08:00:00")

    assert [(None, "paid"), (at("02T08:00:00"), "shipped")] == [
        (one.fields["collected_at"], one.fields["status"]) for one in snapshots(items(path, settings))
    ]


def test_without_its_currency_column_no_amount_is_read(tmp_path: Path) -> None:
    """129 yen are not 1.29: the missing column is said, and the order goes on without money."""
    settings = shop("generic", timezone=LISBON, columns={**MAP, "currency": ColumnMap(column="cur")})
    found = items(csv_file(tmp_path / "a.csv", HEADER, "7,129,open,2026-06-03 18:00"), settings)

    assert ["column 'cur' of the shop's map is not in this file"] == [item.reason for item in refused(found)]
    assert [{"status": "paid", "ship_by": at("03T18:00:00")}] == [dict(item.fields) for item in snapshots(found)]


def test_a_blank_currency_is_that_of_the_orders_row_above(tmp_path: Path) -> None:
    columns = {**MAP, "currency": ColumnMap(column="cur"), "sku": ColumnMap(column="sku")}
    rows = ["7,129,open,,JPY,A", "7,130,open,,,B", ",131,,,,C", "8,5,open,,,D"]
    path = csv_file(tmp_path / "a.csv", f"{HEADER},cur,sku", *rows)

    found = {
        one.order_id: one.fields.get("paid_minor") for one in snapshots(items(path, shop("generic", columns=columns)))
    }
    assert {"7": 129 + 130 + 131, "8": None} == found
