"""Tables in any wrapping: encodings, separators, workbooks, gzip; and the hostile ones."""

import gzip
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from adapters.base import Rejected, Snapshot
from adapters.files import book, opening
from tests.adapters.fixtures.files.making import (
    NOON,
    ORDER,
    SHANGHAI,
    csv_file,
    items,
    json_file,
    only,
    refused,
    shop,
    snapshots,
    workbook,
)

STATED = shop(timezone=SHANGHAI)
HEADER = "order_id,status,remark"
TIMED = "observed_at,order_id,status"


def remarks(path: Path) -> list[object]:
    return [item.fields.get("remark") for item in snapshots(items(path, STATED))]


def reasons(path: Path) -> list[str]:
    return [item.reason for item in refused(items(path, STATED))]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_every_usual_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    assert ["客户急用", "尽快"] == remarks(
        csv_file(tmp_path / "a.csv", HEADER, "1,paid,客户急用", "2,paid,尽快", encoding=encoding)
    )


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_every_usual_separator_is_read(tmp_path: Path, separator: str) -> None:
    rows = [separator.join(["order_id", "status", "remark"]), separator.join(["1", "paid", '"a,b;c\td"'])]

    assert ["a,b;c\td".replace("\t", " ")] == remarks(csv_file(tmp_path / "a.csv", *rows))


def test_wrappings_of_cells_and_headers_are_taken_off(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", "order_id , status\t", '"=""2900000000000000001""",paid', "\t'33\t, paid ")

    assert ["2900000000000000001", "33"] == [item.order_id for item in snapshots(items(path, STATED))]


def test_an_id_in_scientific_notation_is_refused_with_the_mend(tmp_path: Path) -> None:
    item = only(csv_file(tmp_path / "a.csv", HEADER, "2.9E+18,paid,"), STATED)

    assert isinstance(item, Rejected)
    assert "order_id 2.9E+18 is in scientific notation" in item.reason
    assert "do not save the file in a spreadsheet" in item.mend


def test_a_line_that_is_not_text_in_the_files_encoding_is_refused_by_number(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", HEADER, *(f"{n},paid,请尽快发货" for n in range(20)), encoding="gb18030")
    path.write_bytes(path.read_bytes() + b"20,paid,\xff\xff\r\n21,paid,ok\r\n")
    bad = refused(items(path, STATED))

    assert [(22, "the line is not text in gb18030, as the rest of the file is")] == [
        (one.line, one.reason) for one in bad
    ]
    assert "state the shop's encoding" in bad[0].mend
    assert 21 == len(remarks(path))


def test_one_damaged_line_does_not_turn_a_utf8_file_into_gbk(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", HEADER, "1,paid,请尽快发货谢谢老板")
    path.write_bytes(path.read_bytes() + b"2,paid,\xe5\xb0\r\n" + "3,paid,好的\r\n".encode())

    assert ["请尽快发货谢谢老板", "好的"] == remarks(path)
    assert ["the line is not valid UTF-8, as the rest of the file is"] == reasons(path)


def test_characters_that_were_replaced_before_are_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", HEADER, "1,paid,\ufffd\ufffd")

    assert ["the line holds replacement characters: it was once read in the wrong encoding"] == reasons(path)


def test_a_cut_last_row_is_told_and_the_whole_ones_count(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", HEADER, "1,paid,", "2,paid,x")
    path.write_bytes(path.read_bytes()[:-5])
    good, bad = items(path, STATED)

    assert isinstance(good, Snapshot)
    assert isinstance(bad, Rejected)
    assert (3, "the file ends in the middle of this row") == (bad.line, bad.reason)


def test_a_last_row_without_line_end_is_whole_when_all_cells_are_there(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", HEADER, "1,paid,x", end="\n")
    path.write_bytes(path.read_bytes()[:-1])

    assert ["x"] == remarks(path)


def test_a_stray_quotation_mark_costs_only_its_own_row(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", HEADER, '1,paid,"stray', "2,paid,a", "3,paid,b")

    assert ['"stray', "a", "b"] == remarks(path)


def test_a_stray_quotation_mark_that_leaves_the_row_in_doubt_is_refused_by_number(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", HEADER, '1,paid,"a, b', "2,paid,a", "3,paid,b")

    assert ["a", "b"] == remarks(path)
    assert [2] == [item.line for item in refused(items(path, STATED))]


def test_very_many_stray_quotation_marks_cost_no_other_row(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path / "a.csv", HEADER, *(f'{n},paid,"stray' if n % 3 else f"{n},paid,ok" for n in range(9_000))
    )

    assert 3_000 == remarks(path).count("ok")


def test_a_quoted_cell_may_hold_line_breaks(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", HEADER, '1,paid,"two\nlines"', "2,paid,b", end="\n")

    assert ["two lines", "b"] == remarks(path)


def test_more_cells_than_headers_are_refused(tmp_path: Path) -> None:
    assert ["4 cells under 3 headers"] == reasons(csv_file(tmp_path / "a.csv", HEADER, "1,paid,a,b"))


def test_caps_hold_on_columns_cells_and_lines(tmp_path: Path) -> None:
    wide = csv_file(tmp_path / "wide.csv", ",".join(["order_id", *(f"c{n}" for n in range(1_001))]))
    long = csv_file(tmp_path / "long.csv", HEADER, "1,paid," + "x" * 40_000, "2,paid," + "x" * (2 << 20))

    assert ["more than 1000 columns"] == reasons(wide)
    assert ["a cell of more than 32768 characters", "the line is longer than 1 MB"] == reasons(long)


def test_unknown_columns_are_refused_with_the_mend(tmp_path: Path) -> None:
    item = only(csv_file(tmp_path / "a.csv", "foo,bar", "1,2"), STATED)

    assert isinstance(item, Rejected)
    assert "the columns of this file are not known (2 columns)" == item.reason
    assert "[shops.….columns]" in item.mend


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"")

    assert ["the file is empty"] == reasons(tmp_path / "a.csv")


def test_a_workbook_is_read_with_its_numbers_and_times_exact(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        {"export": [["order_id", "status", "paid_minor", "paid_at"], [77, "paid", 12980, datetime(2026, 11, 20, 11)]]},  # noqa: DTZ001
    )

    assert [
        Snapshot(
            observed_at=NOON,
            shop="north",
            order_id="77",
            fields={"status": "paid", "paid_minor": 12980, "paid_at": NOON - 3_600_000_000},
        )
    ] == items(path, STATED)


def test_sheets_nobody_knows_are_left_aside_where_one_is_known(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"notes": [["hello"]], "data": [["order_id", "status"], ["1", "paid"]]})

    assert ["1"] == [item.order_id for item in snapshots(items(path, STATED))]
    assert [] == reasons(path)


def test_an_id_a_workbook_has_rounded_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"data": [["order_id", "status"], [2.9000000000000001e18, "paid"]]})

    assert "scientific notation" in reasons(path)[0]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.csv.gz", "a.xlsx.gz"])
def test_gzip_is_unpacked(tmp_path: Path, name: str) -> None:
    plain = tmp_path / name.removesuffix(".gz")
    if "xlsx" in name:
        workbook(plain, {"data": [["order_id", "status"], ["1", "paid"]]})
    elif "csv" in name:
        csv_file(plain, HEADER, "1,paid,")
    else:
        json_file(plain, ORDER)
    (tmp_path / name).write_bytes(gzip.compress(plain.read_bytes()))

    assert ["1"] == [item.order_id for item in snapshots(items(tmp_path / name, STATED))]


def test_a_cut_gzip_gives_its_whole_rows_and_says_so(tmp_path: Path) -> None:
    plain = csv_file(tmp_path / "a.csv", HEADER, *(f"{n},paid,{n * 7919 % 1013}" for n in range(5_000)))
    packed = gzip.compress(plain.read_bytes())
    (tmp_path / "a.csv.gz").write_bytes(packed[: len(packed) // 2])
    found = items(tmp_path / "a.csv.gz", STATED)

    assert 1_000 < len(snapshots(found)) < 5_000
    assert ["the gzip file ends too early: the last row is missing"] == [item.reason for item in refused(found)]


def test_a_gzip_bomb_is_refused_before_it_fills_anything(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"order_id,status\n" + b"1,paid\n" * (10 << 20)))
    found = items(tmp_path / "a.csv.gz", STATED)

    assert "unpacks to far too much" in refused(found)[-1].reason


def test_gzip_within_gzip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(gzip.compress(b"order_id\n1\n")))

    assert ["a gzip file inside a gzip file"] == reasons(tmp_path / "a.csv.gz")


def test_a_workbook_bomb_is_refused_unopened(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"data": [["order_id"]]})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet2.xml", b"0" * (20 << 20))

    assert [f"the workbook is packed more than {book.RATIO}:1, like a zip bomb"] == reasons(path)


def test_a_workbook_of_too_many_parts_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"data": [["order_id"]]})
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(book.ENTRIES):
            archive.writestr(f"x/{number}", b"")

    assert "unpacks to far too much" in reasons(path)[0]


def test_entities_in_a_workbook_are_refused(tmp_path: Path) -> None:
    plain, path = (
        workbook(tmp_path / "plain.xlsx", {"data": [["order_id", "status"], ["1", "paid"]]}),
        tmp_path / "a.xlsx",
    )
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("sheet1.xml"):
                content = b'<!DOCTYPE a [<!ENTITY e "x">]>' + content
            target.writestr(name, content)

    assert [] == snapshots(items(path, STATED))
    assert "damaged" in reasons(path)[0]


def test_a_cut_workbook_says_so(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"data": [["order_id"], ["1"]]})
    path.write_bytes(path.read_bytes()[:-100])

    assert ["not a whole XLSX workbook: it is cut or damaged"] == reasons(path)


def test_old_and_encrypted_workbooks_name_the_mend(tmp_path: Path) -> None:
    old, locked = tmp_path / "old.xls", tmp_path / "locked.xlsx"
    old.write_bytes(opening._OLE + b"\0" * 600)
    locked.write_bytes(opening._OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"))
    (one,), (two,) = refused(items(old, STATED)), refused(items(locked, STATED))

    assert ("an old Excel workbook (.xls)", "open it and save as .xlsx or CSV") == (one.reason, one.mend)
    assert "an encrypted workbook" == two.reason
    assert "save it as .xlsx or CSV" in two.mend


def test_a_web_page_under_an_xls_name_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.xls").write_text("<html><table><tr><td>1</td></tr></table></html>")

    assert ["a web page or XML under the name of a table"] == reasons(tmp_path / "a.xls")


def test_a_json_array_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"order_id": "1"}]')

    assert ["one JSON array instead of JSON Lines"] == reasons(tmp_path / "a.json")
