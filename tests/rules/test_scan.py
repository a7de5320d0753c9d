"""Which parcels a seller is asked about: shipped, near the deadline, and nobody can tell of the courier's scan."""

import pytest

from rules import packs, scan
from rules.instant import DAY, HOUR
from tests.builders import SHANGHAI, SHIP_BY, an_order, at

TAOBAO = packs.load("taobao")
SHIPPED = {"status": "shipped", "shipped_at": SHIP_BY - 2 * DAY}


def asked(now: int = SHIP_BY, platform: str = "taobao", **facts) -> bool:
    return scan.is_unknown(an_order(**{**SHIPPED, **facts}), packs.load(platform), SHIP_BY, now)


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        (SHIP_BY - DAY - 1, False),
        (SHIP_BY - DAY, True),
        (SHIP_BY + DAY - 1, True),
        (SHIP_BY + DAY, False),
    ],
    ids=["too early", "first", "last", "too late"],
)
def test_an_order_is_asked_about_within_a_day_of_its_ship_by_time(now: int, wanted: bool):
    assert wanted == asked(now)


@pytest.mark.parametrize("platform", ["taobao", "tmall", "jd", "pinduoduo", "douyin"])
def test_platforms_that_count_the_scan_are_asked_about(platform: str):
    assert asked(platform=platform)
    assert scan.counts(packs.load(platform), SHIP_BY)


def test_where_no_scan_counts_nothing_is_asked():
    assert not asked(platform="generic")
    assert not scan.counts(packs.load("generic"), SHIP_BY)


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"status": "paid"}, id="not shipped"),
        pytest.param({"status": "delivered"}, id="delivered"),
        pytest.param({"status": "cancelled"}, id="cancelled"),
        pytest.param({"collection_known": True, "collected_at": None}, id="a case watches it"),
        pytest.param({"collection_known": True, "collected_at": SHIP_BY - DAY}, id="collected"),
    ],
)
def test_an_order_whose_scan_is_known_or_does_not_matter_is_not_asked_about(facts: dict):
    assert not asked(**facts)


def test_an_order_of_a_time_when_the_upload_counted_is_not_asked_about():
    then = at("2020-09-16 12:00")
    order = an_order(**SHIPPED, paid_at=then)
    assert not scan.is_unknown(order, packs.load("tmall"), then + 2 * DAY, then + 2 * DAY)


def test_an_order_without_a_deadline_is_not_asked_about():
    assert not scan.is_unknown(an_order(**SHIPPED), TAOBAO, None, SHIP_BY)


def test_a_days_reminder_comes_from_ten_on_local_time():
    night = at("2026-06-02 00:30")
    assert (at("2026-06-02 10:00"), at("2026-06-03 10:00")) == (
        scan.opens_at(night, SHANGHAI), scan.tomorrow(night, SHANGHAI)
    )  # fmt: skip
    assert at("2026-06-02 10:00") == scan.opens_at(night + 23 * HOUR, SHANGHAI)
