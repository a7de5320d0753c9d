"""Canonical JSON Lines and CSV: what is taken, what is refused, what is hidden."""

import json
from collections import Counter
from pathlib import Path

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st

from adapters.base import OrderEvent, Rejected, Snapshot, StockReport
from adapters.files import exact, swift
from adapters.files.context import Context
from adapters.files.refusal import Refusal
from rules.instant import parse
from tests.adapters.fixtures.files.making import NOON, ORDER, SHANGHAI, csv_file, items, json_file, only, refused, shop

STATED = shop(timezone=SHANGHAI)


def first(tmp_path: Path, **facts: object) -> Snapshot | Rejected:
    item = only(json_file(tmp_path / "a.jsonl", {**ORDER, **facts}), STATED)
    assert isinstance(item, Snapshot | Rejected)
    return item


def taken(tmp_path: Path, **facts: object) -> Snapshot:
    item = first(tmp_path, **facts)
    assert isinstance(item, Snapshot), item
    return item


def reason(tmp_path: Path, **facts: object) -> str:
    item = first(tmp_path, **facts)
    assert isinstance(item, Rejected), item
    return item.reason


def test_an_order_line_becomes_a_snapshot_in_microseconds(tmp_path: Path) -> None:
    assert Snapshot(
        observed_at=NOON,
        shop="north",
        order_id="1",
        fields={"status": "paid", "paid_at": parse("2026-11-20T03:00:00Z")},
        lines={"1": {"sku": "A-1", "quantity": 2}},
    ) == taken(tmp_path)


def test_an_absent_field_stays_absent_and_null_clears(tmp_path: Path) -> None:
    fields = taken(tmp_path, ship_by=None).fields

    assert {"status", "paid_at", "ship_by"} == set(fields)
    assert fields["ship_by"] is None


def test_a_collection_scan_is_known_as_soon_as_it_is_mentioned(tmp_path: Path) -> None:
    fields = taken(tmp_path, collected_at=None).fields

    assert (None, True) == (fields["collected_at"], fields["collection_known"])


def test_flags_and_tags_come_sorted_and_once(tmp_path: Path) -> None:
    fields = taken(tmp_path, flags=["urged", "presale", "urged"], tags=["remote", "bonded"]).fields

    assert (["presale", "urged"], ["bonded", "remote"]) == (fields["flags"], fields["tags"])


def test_tracking_comes_sorted_by_time(tmp_path: Path) -> None:
    late, early = {"at": "2026-11-20T11:30:00Z", "event": "b"}, {"at": "2026-11-20T11:00:00Z", "event": "a"}

    assert [
        {"at": parse("2026-11-20T11:00:00Z"), "event": "a"},
        {"at": parse("2026-11-20T11:30:00Z"), "event": "b"},
    ] == taken(tmp_path, tracking=[late, early]).fields["tracking"]


def test_a_numeric_order_id_is_taken_as_text(tmp_path: Path) -> None:
    assert "2900000000000000001" == taken(tmp_path, order_id=2900000000000000001).order_id


def test_a_local_time_needs_the_shops_timezone(tmp_path: Path) -> None:
    path = json_file(tmp_path / "a.jsonl", {**ORDER, "paid_at": "2026-11-20T11:00:00"})
    without = only(path, shop())

    assert isinstance(only(path, STATED), Snapshot)
    assert isinstance(without, Rejected)
    assert "paid_at '2026-11-20T11:00:00' has no offset" == without.reason
    assert "timezone" in without.mend


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"status": "payed"}, "status 'payed' is not known"),
        ({"status": None}, "status 'None' is not known"),
        ({"flags": ["late"]}, "flag 'late' is not known"),
        ({"flags": "urged"}, "flags must be a list"),
        ({"paid_minor": 150.5}, "paid_minor '150.5' is not a whole number"),
        ({"paid_minor": -1}, "paid_minor '-1' is not a whole number"),
        ({"paid_minor": True}, "paid_minor 'True' is not a whole number"),
        ({"paid_minor": "150"}, "paid_minor '150' is not a whole number"),
        ({"paid_minor": 10**20}, "is not a whole number from 0"),
        ({"paid_at": "soon"}, "paid_at 'soon' is not a time"),
        ({"paid_at": 1795140000}, "paid_at '***' is not a time"),
        ({"paid_at": "0001-01-01T00:00:00Z"}, "not a time between 1980 and 2200"),
        ({"currency": "yuan"}, "currency 'yuan' is not a currency"),
        ({"order_id": "1.23E+18"}, "scientific notation"),
        ({"order_id": ""}, "order_id is empty"),
        ({"order_id": 1.5}, "order_id must be text"),
        ({"order_id": "a\u0000b"}, "unprintable"),
        ({"lines": {"1": {}}}, "lines must be a list"),
        ({"lines": [{"line_id": "1"}, {"line_id": "1"}]}, "line_id '1' occurs twice"),
        ({"lines": [{"line_id": "1", "quantity": 1.5}]}, "quantity '1.5' is not a whole number"),
    ],
)
def test_a_wrong_value_is_refused_by_name(tmp_path: Path, facts: dict[str, object], words: str) -> None:
    assert words in reason(tmp_path, **facts)


@pytest.mark.parametrize(
    "line",
    [
        '{"order_id":"1","paid_minor":NaN}',
        '{"order_id":"1","paid_minor":1e999}',
        '{"order_id":"1","paid_minor":' + "9" * 5_000 + "}",
        '{"order_id":"1","x":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"order_id":"1"',
        "{} {}",
        "[1]",
        "garbage",
        "order_id,status",
        '{"order_id":"\\ud800"}',
    ],
)
def test_a_line_that_is_no_sound_json_costs_only_itself(tmp_path: Path, line: str) -> None:
    bad, good = items(json_file(tmp_path / "a.jsonl", line, ORDER), STATED)

    assert isinstance(bad, Rejected)
    assert (1, "a.jsonl") == (bad.line, bad.source)
    assert isinstance(good, Snapshot)


def test_lines_are_json_by_their_content_where_no_name_says_so(tmp_path: Path) -> None:
    bad, good = items(json_file(tmp_path / "orders.txt", "garbage", ORDER), STATED)

    assert ("not JSON", 1) == (bad.reason.partition(":")[0], bad.line)  # type: ignore[union-attr]
    assert isinstance(good, Snapshot)


def test_a_line_in_another_encoding_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"order_id":"测"}\n'.encode("gb18030") + json.dumps(ORDER).encode() + b"\n")
    bad, good = items(path, STATED)

    assert isinstance(bad, Rejected)
    assert "not JSON: not valid UTF-8" == bad.reason
    assert isinstance(good, Snapshot)


def test_a_line_of_more_than_a_megabyte_costs_only_itself(tmp_path: Path) -> None:
    bad, good = items(json_file(tmp_path / "a.jsonl", {**ORDER, "remark": "x" * (3 << 20)}, ORDER), STATED)

    assert isinstance(bad, Rejected)
    assert "the line is longer than 1 MB" == bad.reason
    assert isinstance(good, Snapshot)


def test_a_cut_last_line_is_told_and_the_whole_ones_count(tmp_path: Path) -> None:
    path = json_file(tmp_path / "a.jsonl", ORDER, ORDER)
    path.write_bytes(path.read_bytes()[:-20])
    good, bad = items(path, STATED)

    assert isinstance(good, Snapshot)
    assert isinstance(bad, Rejected)
    assert (2, "the file ends in the middle of this line") == (bad.line, bad.reason)


def test_a_line_without_a_time_is_refused_with_the_mend(tmp_path: Path) -> None:
    untimed = {name: value for name, value in ORDER.items() if name != "observed_at"}
    item = only(json_file(tmp_path / "a.jsonl", untimed), STATED, observed_at=None)

    assert isinstance(item, Rejected)
    assert "--observed-at" in item.mend


def test_stock_lines_report_stock_alone(tmp_path: Path) -> None:
    line = {"observed_at": ORDER["observed_at"], "shop": "north", "sku": "A-1", "stock": 3, "sellable": None}

    assert StockReport(observed_at=NOON, shop="north", sku="A-1", stock=3) == only(
        json_file(tmp_path / "a.jsonl", line), STATED
    )


def test_event_lines_report_what_happened(tmp_path: Path) -> None:
    line = {"observed_at": ORDER["observed_at"], "order_id": "1", "event": "date_agreed", "at": "2026-11-20T10:00:00Z"}

    assert OrderEvent(
        observed_at=NOON, shop="north", order_id="1", event="date_agreed", at=parse("2026-11-20T10:00:00Z")
    ) == only(json_file(tmp_path / "a.jsonl", line), STATED)


POINTS = {"observed_at": ORDER["observed_at"], "order_id": "1", "event": "points_deducted"}


def test_penalty_points_are_told_in_json_and_csv(tmp_path: Path) -> None:
    wanted = OrderEvent(observed_at=NOON, shop="north", order_id="1", event="points_deducted", at=NOON, points=3)
    row = f"{ORDER['observed_at']},1,points_deducted,3"
    rows = csv_file(tmp_path / "a.csv", "observed_at,order_id,event,points", row)

    assert wanted == only(json_file(tmp_path / "a.jsonl", {**POINTS, "points": 3}), STATED)
    assert wanted == only(rows, STATED)


@pytest.mark.parametrize("points", [0, -1, 1.5, "3", True, None, 10**9 + 1])
def test_points_that_are_no_whole_number_from_one_are_refused_with_line_and_mend(
    tmp_path: Path, points: object
) -> None:
    good, bad = items(json_file(tmp_path / "a.jsonl", {**POINTS, "points": 1}, {**POINTS, "points": points}), STATED)

    assert isinstance(good, OrderEvent)
    assert isinstance(bad, Rejected)
    assert (2, 'write how many were taken: "points": 3') == (bad.line, bad.mend)


@pytest.mark.parametrize("cell", ["", "0", "three", "1.5"])
def test_points_of_a_csv_row_are_refused_alike(tmp_path: Path, cell: str) -> None:
    row = f"2026-11-20T12:00:00Z,1,points_deducted,{cell}"
    item = only(csv_file(tmp_path / "a.csv", "observed_at,order_id,event,points", row), STATED)

    assert isinstance(item, Rejected)
    assert "points" in item.reason


def test_another_event_takes_no_points(tmp_path: Path) -> None:
    """They are counted as an unknown key, like any other that means nothing there."""
    item = only(json_file(tmp_path / "a.jsonl", {**POINTS, "event": "complaint", "points": 3}), STATED)

    assert isinstance(item, OrderEvent)
    assert 0 == item.points


def test_an_unknown_event_is_refused(tmp_path: Path) -> None:
    assert "event 'shouted' is not known" in reason(tmp_path, event="shouted")


def test_a_line_of_another_platform_is_refused(tmp_path: Path) -> None:
    assert "the line says platform 'jd', but shop north is on taobao" == reason(tmp_path, platform="jd")


def test_unknown_keys_are_counted_and_their_values_dropped(tmp_path: Path) -> None:
    unknown: Counter[str] = Counter()
    line = {**ORDER, "receiver": "张三", "lines": [{"line_id": "1", "colour": "red"}]}
    (item,) = items(json_file(tmp_path / "a.jsonl", line), STATED, unknown=unknown)

    assert {"receiver": 1, "lines.colour": 1} == dict(unknown)
    assert "张三" not in repr(item)


def test_kept_keys_arrive_apart_when_simple(tmp_path: Path) -> None:
    item = only(
        json_file(tmp_path / "a.jsonl", {**ORDER, "wave": 7, "more": {"a": 1}}),
        shop(timezone=SHANGHAI, keep=frozenset({"wave", "more"})),
    )

    assert isinstance(item, Snapshot)
    assert {"wave": 7} == item.fields["kept"]


def test_the_buyer_is_a_keyed_hash(tmp_path: Path) -> None:
    path = json_file(tmp_path / "a.jsonl", {**ORDER, "buyer": "tom"})
    one, other = only(path, STATED), only(path, shop(timezone=SHANGHAI, privacy_key=b"other"))

    assert isinstance(one, Snapshot)
    assert isinstance(other, Snapshot)
    assert 32 == len(str(one.fields["buyer"]))
    assert one.fields["buyer"] != other.fields["buyer"]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("ring 13800001111 please", "ring *** please"),
        ("ring 138-0000 1111", "ring ***"),
        ("mail t@example.com", "mail ***"),
        ("寄到浙江省杭州市余杭区文一西路969号", "***"),
        ("放在文一西路969号", "***"),
        ("leave at 12 High Street", "leave at ***"),
        ("before 2026-11-25, size 42", "before 2026-11-25, size 42"),
        ("超市同款 500g 2件装", "超市同款 500g 2件装"),
    ],
)
def test_numbers_and_addresses_are_masked_in_remarks(tmp_path: Path, text: str, masked: str) -> None:
    assert masked == taken(tmp_path, remark=text).fields["remark"]


def test_a_refusal_quotes_no_phone_number(tmp_path: Path) -> None:
    assert "13800001111" not in reason(tmp_path, status="13800001111")


def test_csv_rows_carry_the_order_and_one_line(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path / "a.csv",
        "observed_at,order_id,status,paid_minor,flags,ship_by,line_id,sku,quantity,stock",
        "2026-11-20T12:00:00,1,paid,15000,urged|presale,null,1,A-1,2,5",
        "2026-11-20T12:00:00,1,paid,,,,2,B-1,1,",
    )
    one, two = items(path, STATED)

    assert (
        Snapshot(
            observed_at=NOON,
            shop="north",
            order_id="1",
            fields={"status": "paid", "paid_minor": 15000, "flags": ["presale", "urged"], "ship_by": None},
            lines={"1": {"sku": "A-1", "quantity": 2, "stock": 5}},
        ),
        Snapshot(
            observed_at=NOON,
            shop="north",
            order_id="1",
            fields={"status": "paid"},
            lines={"2": {"sku": "B-1", "quantity": 1}},
        ),
    ) == (one, two)


def test_money_with_a_fraction_is_refused_in_csv(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", "observed_at,order_id,paid_minor", "2026-11-20T12:00:00Z,1,150.50")

    assert ["paid_minor '150.50' is not a whole number from 0 to 100000000000000"] == [
        item.reason for item in refused(items(path, STATED))
    ]


VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.just("urged")
)
TIMES = st.sampled_from(
    ["2026-11-20T12:00:00Z", "2026-11-20 12:00:60+08:00", "2026-11-20T12:00:00.25+08:00", "noon", "2026-11-20"]
)
NAMES = sorted(swift._Order.__struct_fields__)


@hypothesis.given(
    st.dictionaries(st.sampled_from([*NAMES, "other", "event"]), VALUES | TIMES | st.lists(VALUES, max_size=3)),
    st.lists(st.dictionaries(st.sampled_from([*swift._Line.__struct_fields__, "x"]), VALUES | TIMES), max_size=3),
)
def test_the_fast_lane_says_what_the_exact_lane_says(said: dict[str, object], lines: list[object]) -> None:
    value = {"order_id": "1", "observed_at": "2026-11-20T12:00:00Z", "lines": lines, **said}

    assert spoken(exact.record, value) == spoken(swift.record, value)


def spoken(record: object, value: dict[str, object]) -> tuple[object, Counter[str]]:
    context = Context(source="a", settings_for=lambda *_: STATED, observed_at=lambda _: NOON, unknown=Counter())
    context.shop(None, None)
    copy = msgspec.json.decode(json.dumps(value, default=str))
    try:
        return record(copy, context), context.unknown  # type: ignore[operator]
    except Refusal as refusal:
        return (refusal.reason, refusal.mend), Counter()
