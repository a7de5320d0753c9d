"""The drop folder: what is ready is read once, in pages; nothing is moved; oddities are told once."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from freezegun import freeze_time

from adapters.base import Permanent, ShopSettings, Transient
from adapters.files import cursor as cursors
from adapters.files import folder
from adapters.files.feed import FilesFeed
from tests.adapters.contract import FeedContract
from tests.adapters.fixtures.files.making import (
    NOON,
    OLD_S,
    ORDER,
    SHANGHAI,
    csv_file,
    json_file,
    many,
    order_ids,
    page,
    polled,
    reasons,
    settle,
    shop,
)
from tests.project import ROOT


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    path = tmp_path / "inbox"
    path.mkdir()
    return path


def feed(drop: Path, **more: object) -> FilesFeed:
    return FilesFeed(shop(timezone=SHANGHAI, path=drop, **more))


def put(path: Path, *ids: int | str) -> Path:
    """A settled canonical file with one order per id."""
    return settle(json_file(path, *many(ORDER, ids)))


def test_a_settled_file_is_read_once_and_stays_where_it_is(drop: Path) -> None:
    path = put(drop / "any name.txt", 1, 2)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    pages = polled(feed(drop))
    again = polled(feed(drop), pages[-1].cursor)

    assert ["1", "2"] == order_ids(pages)
    assert [] == order_ids(again)
    assert before == (path.read_bytes(), path.stat().st_mtime_ns)


def test_a_file_still_being_written_waits(drop: Path) -> None:
    path = put(drop / "a.jsonl", 1)
    settle(path, age_s=folder.READY_S - 5)
    one = feed(drop)
    early = polled(one)
    settle(path)

    assert [] == order_ids(early)
    assert ["1"] == order_ids(polled(one, early[-1].cursor))


def test_readiness_is_a_matter_of_the_systems_clock_not_the_frozen_one(drop: Path) -> None:
    put(drop / "old.jsonl", 1)
    settle(json_file(drop / "new.jsonl", {**ORDER, "order_id": "2"}), age_s=0)
    with freeze_time("2001-01-01", real_asyncio=True) as frozen:
        first = polled(feed(drop))
        frozen.move_to("2040-01-01")

        assert ["1"] == order_ids(first)
        assert [] == order_ids(polled(feed(drop), first[-1].cursor))


def test_the_same_content_under_two_names_is_read_once(drop: Path) -> None:
    put(drop / "a.jsonl", 1)
    put(drop / "copy of a.jsonl", 1)

    assert ["1"] == order_ids(polled(feed(drop)))


def test_a_replaced_file_is_read_again(drop: Path) -> None:
    one = feed(drop)
    put(drop / "a.jsonl", 1)
    first = polled(one)
    put(drop / "a.jsonl", 1, 2)

    assert ["1", "2"] == order_ids(polled(one, first[-1].cursor))


def test_a_file_that_comes_back_is_not_read_again(drop: Path) -> None:
    path = put(drop / "a.jsonl", 1)
    first = polled(feed(drop))
    path.unlink()
    second = polled(feed(drop), first[-1].cursor)
    put(path, 1)

    assert [] == order_ids(polled(feed(drop), second[-1].cursor))


def test_the_memory_of_files_that_are_gone_is_bounded() -> None:
    cursor = cursors.Cursor(finished=tuple(str(n) for n in range(5_000)))
    kept = cursor.pruned(frozenset({"0"}), frozenset())

    assert cursors.KEPT == len(kept.finished)
    assert ("0", "4999") == (kept.finished[0], kept.finished[-1])


def test_folders_are_searched_and_half_written_names_are_not(drop: Path) -> None:
    (drop / "november").mkdir()
    (drop / ".trash").mkdir()
    put(drop / "november" / "a.jsonl", 1)
    for name in (".hidden.jsonl", "b.jsonl.part", "c.TMP", "~$d.xlsx", ".trash/e.jsonl"):
        put(drop / name, name)

    assert ["1"] == order_ids(polled(feed(drop)))


def test_pages_hold_at_most_five_thousand_and_files_share_them(drop: Path) -> None:
    put(drop / "a.jsonl", *range(7_000))
    put(drop / "b.jsonl", *range(7_000, 7_500))
    pages = polled(feed(drop))

    assert [5_000, 2_500] == [len(page.records) for page in pages]
    assert [True, False] == [page.more for page in pages]


def test_a_fresh_process_resumes_where_the_cursor_stands(drop: Path) -> None:
    put(drop / "a.jsonl", *range(7_000))
    first = page(feed(drop))

    assert [str(n) for n in range(5_000, 7_000)] == order_ids(polled(feed(drop), first.cursor))


def test_a_page_that_was_not_stored_is_given_again(drop: Path) -> None:
    put(drop / "a.jsonl", *range(7_000))
    one = feed(drop)
    first, again = page(one), page(one)

    assert first.records == again.records


def test_a_page_nobody_waited_for_is_not_made_twice(drop: Path) -> None:
    put(drop / "a.jsonl", *range(7_000))
    one = feed(drop)

    assert page(one) is page(one)


def test_the_watermark_is_the_newest_time_of_files_read_to_the_end(drop: Path) -> None:
    put(drop / "a.jsonl", *range(7_000))
    pages = polled(feed(drop))

    assert [None, NOON] == [page.watermark for page in pages]


def test_rows_without_a_time_take_the_files_own(drop: Path) -> None:
    path = settle(csv_file(drop / "a.csv", "order_id,status", "1,paid"))
    (record,) = polled(feed(drop))[0].records

    assert path.stat().st_mtime_ns // 1_000 == record.observed_at


def test_the_export_time_in_the_name_goes_before_the_files_own(drop: Path) -> None:
    settle(csv_file(drop / "2026-11-20_1200.csv", "order_id,status", "1,paid"))
    (record,) = polled(feed(drop))[0].records

    assert NOON == record.observed_at


def test_an_empty_file_is_told_once(drop: Path) -> None:
    settle(json_file(drop / "a.csv"))
    first = polled(feed(drop))

    assert ["the file is empty"] == reasons(first)
    assert [] == reasons(polled(feed(drop), first[-1].cursor))


def test_a_cut_file_gives_its_whole_rows_and_says_so(drop: Path) -> None:
    path = put(drop / "a.jsonl", 1, 2)
    path.write_bytes(path.read_bytes()[:-10])
    settle(path)
    pages = polled(feed(drop))

    assert ["1"] == order_ids(pages)
    assert ["the file ends in the middle of this line"] == reasons(pages)


def test_links_pipes_and_the_like_are_refused_once(drop: Path, tmp_path: Path) -> None:
    secret = put(tmp_path / "secret.jsonl", "secret")
    (drop / "link.jsonl").symlink_to(secret)
    (drop / "folder").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(drop / "pipe.csv")
    at = drop.stat().st_ctime - OLD_S
    os.utime(drop / "pipe.csv", (at, at))
    os.utime(drop / "link.jsonl", (at, at), follow_symlinks=False)
    os.utime(drop / "folder", (at, at), follow_symlinks=False)
    first = polled(feed(drop))

    assert [] == order_ids(first)
    assert [
        ("folder", "a symbolic link, which is never followed"),
        ("link.jsonl", "a symbolic link, which is never followed"),
        ("pipe.csv", "a pipe, not a regular file"),
    ] == [(said.source, said.reason) for said in first[0].rejected]
    assert [] == reasons(polled(feed(drop), first[-1].cursor))


def test_a_file_changed_while_it_is_read_is_read_again_whole(drop: Path) -> None:
    one = feed(drop)
    path = put(drop / "a.jsonl", *range(7_000))
    first = page(one)
    put(path, *range(10))
    rest = polled(one, first.cursor)

    assert [str(n) for n in range(10)] == order_ids(rest)
    assert ["a file was changed or removed before its last row was read"] == reasons(rest)


def test_a_line_of_another_shop_is_refused(drop: Path) -> None:
    settle(json_file(drop / "a.jsonl", {**ORDER, "shop": "south"}, {**ORDER, "shop": "north"}))
    pages = polled(feed(drop))

    assert ["1"] == order_ids(pages)
    assert ["the line names another shop than this folder's, which is north"] == reasons(pages)


def test_an_export_of_another_platform_is_refused_by_name(drop: Path) -> None:
    settle(csv_file(drop / "a.csv", "订单号,订单状态,拼单成功时间", "1,待发货,"))

    assert ["this is a Pinduoduo order export, but shop north is on taobao"] == reasons(polled(feed(drop)))


def test_unknown_keys_are_counted_page_by_page(drop: Path) -> None:
    settle(json_file(drop / "a.jsonl", *many({**ORDER, "extra": 1}, range(6_000))))

    assert [5_000, 1_000] == [page.unknown_keys["extra"] for page in polled(feed(drop))]


def test_a_missing_folder_may_come_later(tmp_path: Path) -> None:
    with pytest.raises(Transient, match="there is no folder"):
        polled(feed(tmp_path / "nowhere"))


def test_a_feed_without_a_folder_is_refused() -> None:
    with pytest.raises(Permanent, match="path"):
        FilesFeed(shop())


def test_a_strange_cursor_is_refused(drop: Path) -> None:
    with pytest.raises(Permanent, match="not a files cursor"):
        polled(feed(drop), "page 7")


def test_an_order_cannot_be_read_afresh(drop: Path) -> None:
    with pytest.raises(Permanent):
        asyncio.run(feed(drop).fresh("1", NOON))


def test_closing_lets_go_of_the_file_in_hand(drop: Path) -> None:
    one = feed(drop)
    put(drop / "a.jsonl", *range(7_000))
    first = page(one)
    asyncio.run(one.close())

    assert 2_000 == len(order_ids(polled(one, first.cursor)))


def test_parsing_does_not_hold_the_event_loop(drop: Path) -> None:
    put(drop / "a.jsonl", *range(6_000))
    beats = asyncio.run(beating(feed(drop)))

    assert beats > 2


async def beating(one: FilesFeed) -> int:
    """How often the loop comes round while a page is parsed."""
    poll, beats = asyncio.ensure_future(one.poll(None, NOON)), 0
    while not poll.done():
        await asyncio.sleep(0.001)
        beats += 1
    return beats


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", ["jsonl", "csv", "export"])
def test_a_file_of_many_rows_is_read_in_constant_memory(tmp_path: Path, kind: str) -> None:
    _, some = peak(tmp_path / "some", kind, 10_000)
    seen, most = peak(tmp_path / "many", kind, 100_000)

    assert 100_000 == seen
    assert most - some < 24 << 10


def peak(folder: Path, kind: str, rows: int) -> tuple[int, int]:
    """Records and peak memory (KB) of a process of its own that reads one file of so many rows."""
    folder.mkdir()
    with (folder / "a").open("w", encoding="utf-8") as file:
        file.writelines(big(kind, rows))
    settle(folder / "a")
    command = [sys.executable, "-m", "tests.adapters.fixtures.files.peak", str(folder)]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    return int(said[0]), int(said[1])


def big(kind: str, rows: int) -> Iterator[str]:
    if kind == "jsonl":
        yield from (json.dumps({**ORDER, "order_id": str(n)}) + "\n" for n in range(rows))
    elif kind == "csv":
        yield "order_id,status,paid_minor,sku,quantity\n"
        yield from (f"{n},paid,{n},A-{n % 99},1\n" for n in range(rows))
    else:
        yield "主订单编号,子订单编号,选购商品,商品数量,订单应付金额,订单状态,支付完成时间\n"
        yield from (f"{n},{n}1,手套,1,69.90,待发货,2026-11-20 10:00:20\n" for n in range(rows))


class TestFilesFeed(FeedContract):
    feed_class = FilesFeed

    @contextmanager
    def serving(self) -> Iterator[ShopSettings]:
        yield self.settings

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        past = {**ORDER, "observed_at": "2026-06-01T08:00:00+08:00", "paid_at": "2026-06-01T07:00:00+08:00"}
        settle(json_file(tmp_path / "a.jsonl", *many(past, range(6_000))))
        type(self).settings = shop(path=tmp_path)


@pytest.mark.parametrize(
    ("written_ago", "changed_ago", "age"),
    [(60, 60, 60), (3, 3, 3), (-3600, 60, 60), (-3600, 3, 3), (-3600, -3600, 3600), (-5, -5, 0)],
)
def test_a_file_rests_whatever_was_done_to_clocks(written_ago: float, changed_ago: float, age: float) -> None:
    """Copied from a machine that is ahead: the inode tells. Both ahead: this machine's clock was set back since."""
    now = time.clock_gettime(time.CLOCK_REALTIME)
    stat = SimpleNamespace(st_mtime_ns=int((now - written_ago) * 1e9), st_ctime_ns=int((now - changed_ago) * 1e9))

    assert age == pytest.approx(folder.mtime_age_s(stat), abs=1)  # type: ignore[arg-type]
