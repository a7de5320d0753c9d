"""Times in file names: only where a known export writes its time so, and never one that lies ahead."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.files import naming
from adapters.files.feed import FilesFeed
from rules import instant
from tests.adapters.fixtures.files.making import SHANGHAI, csv_file, polled, reasons, settle, shop

BERLIN = ZoneInfo("Europe/Berlin")
TEN = instant.parse("2026-11-28T10:00:00+08:00")


@pytest.mark.parametrize(
    ("name", "platform"),
    [
        ("ExportOrderList202611281000.csv", "taobao"),
        ("ExportOrderList20261128100000.csv", "tmall"),
        ("ExportOrderDetailList202611281000 (1).csv", "taobao"),
        ("ExportItemList202611281000(12).xlsx", "taobao"),
        ("orders_export2026-11-28-10-00-00.csv", "pinduoduo"),
        ("orders202611281000.csv.gz", "pinduoduo"),
        (f"{TEN // instant.SECOND}_84d8c0ffee.csv", "douyin"),
        ("To Ship order-2026-11-28-10_00.csv", "generic"),
        ("All order-2026-11-28-10_00(2).csv", "generic"),
        ("2026-11-28_1000.csv", "jd"),
        ("2026-11-28 100000.jsonl.gz", "jd"),
        ("north 2026-11-28T10-00.csv", "jd"),
        ("north_20261128T100000.csv", "jd"),
    ],
)
def test_known_exports_tell_their_time(name: str, platform: str) -> None:
    assert TEN == naming.export_instant(name, shop(platform, timezone=SHANGHAI))


@pytest.mark.parametrize("platform", ["taobao", "pinduoduo", "jd", "douyin", "generic"])
@pytest.mark.parametrize(
    "name",
    [
        "orders_2026-11-01_2026-11-28.csv",
        "orders_20261101_20261128.csv",
        "orders-20261101-20261128.xlsx",
        "2026-11-01_2026-11-28.csv",
        "2026-11-01_11-28.csv",
        "radical-orders_2026-11-01-2026-11-28.csv",
        "Umsatz 2026-11-01 - 2026-11-28.csv",
        "orders_20261128_1234.csv",  # 1,234 orders
        "orders 20261128-0930_1015.csv",
        "2208763321_订单.csv",
        "2208763321_订单(1).csv",
        "1795140000_1234.csv",
        "1795140000.csv",
        "1795140000123_orders.csv",
        "shop_1795140000_orders.csv",
        "202611281000.csv",  # a number of an order, as well
        "JD202611281000_batch.csv",
        "ExportOrderList202613281000.csv",
        "ExportOrderList2026112810001.csv",
        "ExportOrderList202611281000_202611291000.csv",
        "13800001111_20261128.csv",
        "report 2026-11-28.csv",
    ],
)
def test_periods_shop_numbers_and_counts_are_no_time(name: str, platform: str) -> None:
    assert naming.export_instant(name, shop(platform, timezone=SHANGHAI)) is None


PARTS = st.sampled_from(
    ["orders", "订单", "shop", "2208763321", "20261101", "2026-11-01", "1128", "11-28", "500", "v2"]
)


@given(st.lists(PARTS, min_size=2, max_size=5), st.sampled_from(["_", "-", " ", " - ", "~", "to"]))
def test_no_mixture_of_dates_and_numbers_makes_a_time(parts: list[str], between: str) -> None:
    name = between.join(parts)
    alone = name.replace("2026-11-01", "").replace("20261101", "")

    if alone not in ("_1128", " 1128"):  # a day and a time of day and nothing else
        assert naming.export_instant(name + ".csv", shop("generic", timezone=BERLIN)) is None


def test_a_time_that_lies_ahead_is_named_and_the_files_own_taken(tmp_path: Path) -> None:
    path = settle(csv_file(tmp_path / "2399999999_84d8c0ffee.csv", "order_id,status", "1,paid"))
    pages = polled(FilesFeed(shop("douyin", path=tmp_path)))

    assert [path.stat().st_mtime_ns // 1_000] == [one.observed_at for page in pages for one in page.records]
    assert ["the time in the file's name lies ahead: 2046-01-19T18:39:59Z; the file's own time is taken"] == reasons(
        pages
    )
