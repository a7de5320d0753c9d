"""Workbooks as Excel opens them: merged cells, odd styles, other namespaces, typed cells."""

import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from adapters.base import ColumnMap, Rejected, ShopSettings
from rules import instant
from tests.adapters.fixtures.files.making import items, only, refused, shop, snapshots, workbook

BERLIN = ZoneInfo("Europe/Berlin")
NAMES = ("order_id", "ship_by", "sku", "quantity")
WHOSE = shop(
    "generic", timezone=BERLIN, columns={name: ColumnMap(column=name) for name in NAMES}, options={"currency": "EUR"}
)
AT = datetime(2026, 12, 1, 18)  # noqa: DTZ001
ROWS = [[*NAMES], ["1", AT, "A-1", 1], ["2", AT, "B-2", 3]]


def changed(path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """The workbook with parts whose name holds `part` rewritten."""
    made = path.with_name(f"changed-{path.name}")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(made, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, change(content) if part in name else content)
    return made


def strict(content: bytes) -> bytes:
    return content.replace(
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main", b"http://purl.oclc.org/ooxml/spreadsheetml/main"
    ).replace(
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        b"http://purl.oclc.org/ooxml/officeDocument/relationships",
    )


ODD: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "as it is": ("", lambda content: content),
    "strict": ("xl/", strict),
    "empty fill": (
        "styles.xml",
        lambda content: content.replace(b"<fills", b'<fills count="1"><fill/></fills><fills', 1),
    ),
    "unknown colour": ("styles.xml", lambda content: content.replace(b"<font>", b'<font><color rgb="red"/>', 1)),
    "broken properties": ("docProps/core.xml", lambda _: b"<coreProperties><created>yesterday"),
    "broken name": (
        "xl/workbook.xml",
        lambda content: content.replace(
            b"<sheets>", b"<definedNames><definedName>#REF!</definedName></definedNames><sheets>"
        ),
    ),
}


@pytest.mark.parametrize("how", ODD)
def test_what_excel_opens_is_read_with_its_times(tmp_path: Path, how: str) -> None:
    path = changed(workbook(tmp_path / "a.xlsx", {"a": ROWS}), *ODD[how])

    assert [("1", instant.parse("2026-12-01T18:00:00+01:00"))] * 1 + [
        ("2", instant.parse("2026-12-01T18:00:00+01:00"))
    ] == [(one.order_id, one.fields["ship_by"]) for one in snapshots(items(path, WHOSE))]


def test_styles_that_cannot_be_read_leave_bare_numbers_which_are_named(tmp_path: Path) -> None:
    path = changed(workbook(tmp_path / "a.xlsx", {"a": ROWS}), "styles.xml", lambda _: b"<styleSheet><broken")

    assert ["ship_by '46357.75' is not a time"] * 2 == [one.reason for one in refused(items(path, WHOSE))]


def test_merged_cells_say_the_same_in_each_row(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in ([*NAMES], ["1", AT, "A-1", 1], [None, None, "B-2", 3], [None, None, "C-3", 1], ["2", AT, "A-1", 1]):
        sheet.append(row)
    sheet.merge_cells("A2:A4")
    sheet.merge_cells("B2:B4")
    book.save(tmp_path / "a.xlsx")

    assert {"1": ["A-1", "B-2", "C-3"], "2": ["A-1"]} == {
        one.order_id: sorted(one.lines) for one in snapshots(items(tmp_path / "a.xlsx", WHOSE))
    }


def test_a_header_of_two_rows_is_read_by_its_lower_one(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["order_id", "ship_by", "goods", None], [None, None, "sku", "quantity"], ["1", AT, "A-1", 1]):
        sheet.append(row)
    for cells in ("A1:A2", "B1:B2", "C1:D1"):
        sheet.merge_cells(cells)
    book.save(tmp_path / "a.xlsx")

    assert ["A-1"] == [key for one in snapshots(items(tmp_path / "a.xlsx", WHOSE)) for key in one.lines]


@pytest.mark.parametrize(
    ("shape", "hour"), [("yyyy-mm-dd", 23), ('d. mmm "hours" yyyy', 23), ("yyyy-mm-dd hh:mm", 0), ("[$-804]d/m/yy", 23)]
)
def test_a_date_cell_without_a_time_of_day_is_a_bare_date(tmp_path: Path, shape: str, hour: int) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append([*NAMES])
    sheet.append(["1", datetime(2026, 12, 1), "A-1", 1])  # noqa: DTZ001
    sheet["B2"].number_format = shape
    book.save(tmp_path / "a.xlsx")
    (item,) = snapshots(items(tmp_path / "a.xlsx", WHOSE))
    at = item.fields["ship_by"]
    assert isinstance(at, int)

    assert (1, hour) == (instant.to_datetime(at, BERLIN).day, instant.to_datetime(at, BERLIN).hour)


@pytest.mark.parametrize("number", [2970000000000000000, 2.97e18, 1234567890123450])
def test_a_number_that_a_workbook_rounded_is_no_id(tmp_path: Path, number: float) -> None:
    item = only(workbook(tmp_path / "a.xlsx", {"a": [[*NAMES], [number, AT, "A-1", 1]]}), WHOSE)

    assert isinstance(item, Rejected)
    assert "scientific notation" in item.reason


@pytest.mark.parametrize("whose", [WHOSE])
def test_whole_numbers_with_all_their_digits_are_ids(tmp_path: Path, whose: ShopSettings) -> None:
    rows = [[*NAMES], ["5119111586217093521", AT, "A-1", 1], [511911158621709, AT, "A-1", 1]]

    assert ["5119111586217093521", "511911158621709"] == [
        one.order_id for one in snapshots(items(workbook(tmp_path / "a.xlsx", {"a": rows}), whose))
    ]
