"""Rows that are not what they seem: stray quotation marks, broken and shifted rows. No row takes another's data."""

import csv
import io
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.base import ColumnMap, Rejected, ShopSettings
from tests.adapters.fixtures.files.making import SHANGHAI, csv_file, items, refused, shop, snapshots

NAMES = ("order_id", "status", "title", "note", "ship_by", "shipped_at")
HEADER = ["id", "state", "product", "note", "limit", "handed"]
MAPPED = shop(
    "generic",
    timezone=SHANGHAI,
    columns={name: ColumnMap(column=column) for name, column in zip(NAMES, HEADER, strict=True) if name != "note"},
)
QUICK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = st.sampled_from(["Mug", "12", "blue", "gold", "1/2", "pro", "张", "x"])
ORDERLY = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
"""Texts without anything that means something to a reader of tables."""
UNRULY = st.text(alphabet="ab\"',;\t\n= 1", max_size=9)


def due(number: int) -> str:
    return f"2026-12-{number % 28 + 1:02} {number % 24:02}:00:00"


def row(number: int, title: str, note: str) -> list[str]:
    return [f"A-{number}", "paid", title, note, due(number), ""]


def truth(path: Path, count: int, whose: ShopSettings = MAPPED) -> list[Rejected]:
    """Holds the orders of a file against what was written; what was refused. Every order is right or refused."""
    found = items(path, whose)
    read = {one.order_id: one.fields.get("ship_by") for one in snapshots(found)}
    clean = csv_file(path.with_name("truth.csv"), "id,limit", *(f"A-{n},{due(n)}" for n in range(count)))
    right = {one.order_id: one.fields["ship_by"] for one in snapshots(items(clean, MAPPED))}

    assert {} == {key: at for key, at in read.items() if right.get(key) != at}, path.read_bytes()
    assert len(read) + len(refused(found)) >= count, path.read_bytes()
    return refused(found)


TITLES = st.builds(
    lambda before, text, after: before + text + after,
    st.sampled_from(["", "", '"', '""', ' "']),
    ORDERLY,
    st.sampled_from(["", "", '"', '" Sensor', '"" x']),
)


@QUICK
@given(st.lists(st.tuples(TITLES, TITLES), min_size=1, max_size=12))
def test_a_tab_separated_file_that_never_quotes_loses_no_row(tmp_path: Path, texts: list[tuple[str, str]]) -> None:
    rows = ["\t".join(row(n, *pair)) for n, pair in enumerate(texts)]
    path = csv_file(tmp_path / "a.txt", "\t".join(HEADER), *rows)

    assert [] == truth(path, len(texts))


@QUICK
@given(st.lists(st.tuples(TITLES, TITLES), min_size=1, max_size=12), st.sampled_from([",", ";", "|"]))
def test_in_other_files_that_never_quote_a_row_is_right_or_refused(
    tmp_path: Path, texts: list[tuple[str, str]], separator: str
) -> None:
    rows = [separator.join(row(n, *pair)) for n, pair in enumerate(texts)]
    path = csv_file(tmp_path / "a.csv", separator.join(HEADER), *rows)
    stated = shop("generic", timezone=SHANGHAI, columns=MAPPED.columns, options={"quotes": "none"})

    truth(path, len(texts))
    assert [] == truth(path, len(texts), stated)


@QUICK
@given(
    st.lists(st.tuples(UNRULY, UNRULY), min_size=1, max_size=12),
    st.sampled_from([",", "\t", ";", "|"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\r\n", "\n"]),
)
def test_a_file_that_quotes_by_the_rules_is_read_whole(
    tmp_path: Path, texts: list[tuple[str, str]], separator: str, quoting: int, end: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    writer.writerows([HEADER, *(row(n, *pair) for n, pair in enumerate(texts))])
    path = tmp_path / "a.csv"
    path.write_text(text.getvalue(), newline="")

    assert [] == truth(path, len(texts))


DAMAGE = st.sampled_from(["\n", "\r\n", ",", '"', '""', '",', "\n\n", '"\n', ',"', " ", "'", "\t"])


@QUICK
@given(
    st.lists(st.tuples(ORDERLY, ORDERLY), min_size=2, max_size=10),
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["title", "note"]), st.integers(0, 5), DAMAGE), max_size=4),
    st.booleans(),
)
def test_a_damaged_row_is_named_and_harms_no_other(
    tmp_path: Path, texts: list[tuple[str, str]], damage: list[tuple[int, str, int, str]], quoted: bool
) -> None:
    cells = [row(n, *pair) for n, pair in enumerate(texts)]
    marks = [[f'"{cell}"' if quoted else cell for cell in one] for one in cells]
    for number, name, at, what in damage:
        place = 2 if name == "title" else 3
        cell = marks[number % len(marks)][place]
        at = min(at, max(len(cell) - 1, 0))
        marks[number % len(marks)][place] = cell[:at] + what + cell[at:]
    path = csv_file(tmp_path / "a.csv", ",".join(HEADER), *map(",".join, marks), end="\n")

    truth(path, len(texts))


def test_a_mark_within_a_cell_and_a_quoted_cell_after_it_are_one_row(tmp_path: Path) -> None:
    rows = ['1,paid,12" pan,"a, b",2026-12-01,', "2,paid,Mug,,2026-12-01,", '3,paid,5" pan,x,2026-12-01,']

    assert ["1", "2", "3"] == [
        one.order_id for one in snapshots(items(csv_file(tmp_path / "a.csv", ",".join(HEADER), *rows), MAPPED))
    ]


def test_a_row_that_a_line_break_cut_is_named_with_its_rest(tmp_path: Path) -> None:
    rows = ["1,paid,Mug,please", "quick,2026-12-01 10:00:00,", "2,paid,Mug,,2026-12-01 10:00:00,"]
    found = items(csv_file(tmp_path / "a.csv", ",".join(HEADER), *rows), MAPPED)

    assert ["2"] == [one.order_id for one in snapshots(found)]
    assert [
        (2, "the row breaks off after 4 of 6 cells"),
        (3, "3 of 6 cells: the rest of a row that a line break cut"),
    ] == [(one.line, one.reason) for one in refused(found)]


def test_the_rest_of_a_broken_row_is_no_order_even_when_it_is_nearly_whole(tmp_path: Path) -> None:
    rows = ["1,please", "quick,paid,2026-12-01 10:00:00,x", "2,,paid,2026-12-01 10:00:00,x"]
    found = items(csv_file(tmp_path / "a.csv", "id,note,state,limit,colour", *rows), MAPPED)

    assert ["2"] == [one.order_id for one in snapshots(found)]


def test_empty_last_cells_may_be_left_out(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", ",".join(HEADER), "1,paid,Mug,,2026-12-01 10:00:00", "2,paid,Mug,,2026-12-01")

    assert ["1", "2"] == [one.order_id for one in snapshots(items(path, MAPPED))]


@pytest.mark.parametrize(
    ("rows", "kept"), [(["1,paid,a,", "2,paid,b,", "3,paid,c,"], 3), (["1,paid,a,b,", "2,paid,x"], 1)]
)
def test_cells_beyond_the_header_are_no_harm_only_where_all_rows_have_them(
    tmp_path: Path, rows: list[str], kept: int
) -> None:
    found = items(csv_file(tmp_path / "a.csv", "order_id,status,remark", *rows), MAPPED)

    assert (kept, len(rows) - kept) == (len(snapshots(found)), len(refused(found)))


def test_a_row_cut_between_two_cells_leaves_no_shifted_order(tmp_path: Path) -> None:
    rows = ["Lamp", "1,paid,2026-12-01T10:00Z,x", "Rope,2,paid,2026-12-01T10:00Z,x"]
    columns = {"title": ColumnMap(column="t"), "order_id": ColumnMap(column="id"), "status": ColumnMap(column="state")}
    found = items(csv_file(tmp_path / "a.csv", "t,id,state,placed,note", *rows), shop("generic", columns=columns))

    assert [2, 3] == [one.line for one in refused(found)]
    assert ["2"] == [one.order_id for one in snapshots(found)]


def test_a_separator_in_quotes_makes_no_cut_row_whole(tmp_path: Path) -> None:
    """Its rest has one cell too few; split at the quoted comma it would have the right number, all shifted."""
    columns = {
        "order_id": ColumnMap(column="id"),
        "status": ColumnMap(column="state", values={"sent, back": "refunded"}),
    }
    rows = ['"Lamp"', '"1","sent, back","5","x"']
    found = items(csv_file(tmp_path / "a.csv", '"t","id","state","n","note"', *rows), shop("generic", columns=columns))

    assert [] == snapshots(found)
    assert [2, 3] == [one.line for one in refused(found)]


QUOTED = [
    one
    for one in product([",", ";", "\t", "|"], [True, False], ["S-1{}", "{}S-1", "S{}1", "S{0}1{0}"])
    if one != ("\t", False, "S{}1")  # looks like two texts of a report that never quotes: those are met far more often
]


@pytest.mark.parametrize("missing", [1, 2, 3])
@pytest.mark.parametrize(("separator", "always", "sku"), QUOTED)
def test_a_separator_in_quotes_fills_no_short_row(
    tmp_path: Path, separator: str, always: bool, sku: str, missing: int
) -> None:
    """Pinduoduo's codes end with a tab. Split at it, a row without its last cells is as long as the header."""
    own = sku.format(separator)
    names = ["order_id", "status", "quantity", "sku", "title", "a", "b", "c"]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL if always else csv.QUOTE_MINIMAL)
    writer.writerow(names)
    writer.writerow(["1", "paid", "1", "whole", "Lamp", "x", "y", "z"])
    writer.writerow(["2", "paid", "2", own, "Mug", "x", "y", "z"][:-missing])
    found = items(csv_file(tmp_path / "a.csv", *out.getvalue().splitlines()), shop("generic"))

    lines = {one.order_id: [(line["sku"], line["quantity"]) for line in one.lines.values()] for one in snapshots(found)}
    assert [("whole", 1)] == lines.pop("1")
    assert lines in ({"2": [(own.strip(), 2)]}, {})
    assert bool(lines) != bool(refused(found))


@pytest.mark.parametrize("rest", ["无", "5", "2026-11-01", "text"])
def test_half_a_row_is_named_though_only_a_cell_is_left_that_nobody_reads(tmp_path: Path, rest: str) -> None:
    columns = {"order_id": ColumnMap(column="id"), "status": ColumnMap(column="state")}
    rows = ["x,1,paid,a", rest, "y,3,paid,b", "Total", ","]
    found = items(csv_file(tmp_path / "a.csv", "x,id,state,z", *rows), shop("generic", columns=columns))

    assert [3] == [one.line for one in refused(found)]
    assert ["1", "3"] == [one.order_id for one in snapshots(found)]
