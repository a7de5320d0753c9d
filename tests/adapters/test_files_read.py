"""Replay reads files without the feed: many shops in one file, paths in name order, no file times."""

import os
from pathlib import Path

import pytest

from adapters.base import ColumnMap, Rejected, ShopSettings, Snapshot
from adapters.files import read
from tests.adapters.fixtures.files.making import (
    NOON,
    ORDER,
    csv_file,
    json_file,
    only,
    refused,
    settle,
    shop,
    snapshots,
)

MAPPED = shop("generic", columns={"order_id": ColumnMap(column="id")}, history={})


def resolver(platform: str | None, header: frozenset[str], name: str | None) -> ShopSettings:
    """Shop north is on Taobao, south has mapped columns; any other takes the platform its records say."""
    if name == "nobody":
        raise ValueError("no shop is called nobody")
    if name is None and "id" in header:
        return MAPPED
    return shop(platform if name != "north" and platform else "taobao", name=name or "north")


def replayed(path: Path, observed_at: int | None = NOON) -> list[object]:
    return list(read.read(path, resolver, observed_at))


def test_lines_find_their_own_shops(tmp_path: Path) -> None:
    path = json_file(
        tmp_path / "a.jsonl",
        {**ORDER, "shop": "east", "platform": "jd"},
        {**ORDER, "shop": "west", "platform": "douyin"},
        ORDER,
    )

    assert [("east", "jd"), ("west", "douyin"), ("north", None)] == [
        (item.shop, item.platform)
        for item in replayed(path)  # type: ignore[attr-defined]
    ]


def test_a_line_of_a_shop_on_another_platform_is_refused(tmp_path: Path) -> None:
    (item,) = replayed(json_file(tmp_path / "a.jsonl", {**ORDER, "shop": "north", "platform": "jd"}))

    assert isinstance(item, Rejected)
    assert "the line says platform 'jd', but shop north is on taobao" == item.reason


def test_a_shop_nobody_knows_is_refused_with_the_reason(tmp_path: Path) -> None:
    (item,) = replayed(json_file(tmp_path / "a.jsonl", {**ORDER, "shop": "nobody"}))

    assert isinstance(item, Rejected)
    assert "no shop is called nobody" == item.reason


def test_rows_of_a_canonical_table_find_their_own_shops(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path / "a.csv",
        "observed_at,shop,platform,order_id,status",
        "2026-11-20T12:00:00Z,east,jd,1,paid",
        "2026-11-20T12:00:00Z,west,douyin,2,paid",
    )

    assert ["east", "west"] == [item.shop for item in replayed(path)]  # type: ignore[attr-defined]


def test_rows_with_shops_find_them_even_without_times_of_their_own(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", "shop,platform,order_id,status", "east,jd,1,paid")

    def by_row(platform: str | None, header: frozenset[str], name: str | None) -> ShopSettings:
        if name is None:
            raise ValueError("no shop fits these columns")
        return shop(platform or "generic", name=name)

    assert ["east"] == [item.shop for item in snapshots(list(read.read(path, by_row, NOON)))]


def test_a_table_finds_its_shop_by_header(tmp_path: Path) -> None:
    (item,) = replayed(csv_file(tmp_path / "a.csv", "id,other", "7,x"))

    assert isinstance(item, Snapshot)
    assert "7" == item.order_id


def test_the_files_own_time_is_never_used(tmp_path: Path) -> None:
    path = settle(csv_file(tmp_path / "a.csv", "order_id,status", "1,paid"))
    (item,) = replayed(path, observed_at=None)

    assert isinstance(item, Rejected)
    assert "--observed-at" in item.mend


def test_a_time_in_the_name_goes_before_the_one_given(tmp_path: Path) -> None:
    (item,) = replayed(csv_file(tmp_path / "2026-11-20_1200.csv", "order_id,status", "1,paid"), observed_at=0)

    assert NOON == item.observed_at  # type: ignore[attr-defined]


def test_a_file_that_is_not_one_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")

    assert [
        "a pipe, not a regular file",
        "a symbolic link, which is never followed",
        "a folder, not a regular file",
    ] == [
        only_reason(tmp_path / "a.csv"),
        only_reason(tmp_path / "b.csv"),
        only_reason(tmp_path),
    ]


def only_reason(path: Path) -> str:
    item = only(path, shop())
    assert isinstance(item, Rejected)
    return item.reason


def test_paths_come_in_name_order_and_only_those_replay_reads(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("c.CSV", "a.jsonl", "b/z.xlsx.gz", "b/a.csv.gz", "readme.md", ".a.csv", "d.csv.part"):
        (tmp_path / name).write_bytes(b"")

    assert ["a.jsonl", "b/a.csv.gz", "b/z.xlsx.gz", "c.CSV"] == [
        str(path.relative_to(tmp_path)) for path in read.paths([tmp_path])
    ]


def test_a_path_given_by_name_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    path = json_file(tmp_path / "orders", ORDER)
    link = tmp_path / "link"
    link.symlink_to(path)

    assert [path, path] == list(read.paths([path, link]))


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        list(read.paths([tmp_path / "nowhere"]))


def test_good_rows_pass_between_bad_ones(tmp_path: Path) -> None:
    found = replayed(json_file(tmp_path / "a.jsonl", ORDER, "{", ORDER))

    assert (2, [2]) == (len(snapshots(found)), [item.line for item in refused(found)])  # type: ignore[arg-type]
