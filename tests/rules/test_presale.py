"""What is wrong with presale and customised goods, as an order shows it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import packs
from rules.instant import DAY
from rules.presale import remarks
from tests.builders import PAID, a_line, an_order, at

PRESALE = ("presale",)


def said(platform: str = "pinduoduo", now: int = PAID, **facts) -> list[str]:
    """The codes of an order of one line."""
    line = a_line(listing_id="L9", title=facts.pop("title", "衬衫"))
    order = an_order(line, platform=platform, **facts)
    return [remark.code for remark in remarks(order, packs.load(platform), now)]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("customised",), ["CUSTOMISED_NOT_PRESALE"]),
        (("customised", "presale"), []),
        ((), []),
    ],
)
def test_customised_goods_are_published_as_presale(flags, expected):
    """C069."""
    assert expected == said(flags=flags)


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(23, ["PRESALE_DAYS"]), (24, []), (30 * 24, []), (30 * 24 + 1, ["PRESALE_DAYS"]), (None, [])],
)
def test_a_period_presale_promises_one_to_thirty_days(hours, expected):
    """C070, C071."""
    assert expected == said(flags=PRESALE, promise_hours=hours)


@pytest.mark.parametrize(
    ("date", "expected"),
    [("2026-07-01 00:00", []), ("2026-07-01 23:59:59", []), ("2026-07-02 00:00", ["PRESALE_DAYS"])],
)
def test_a_presale_date_lies_at_most_thirty_local_days_ahead(date, expected):
    """C071: paid on 1 June, so 1 July is the thirtieth day; a bare date counts as that day."""
    assert expected == said(flags=PRESALE, presale_ship_by=at(date))


def test_group_success_starts_the_days():
    facts = {"flags": PRESALE, "presale_ship_by": at("2026-07-02 00:00"), "group_success_at": PAID + DAY}
    assert [] == said(**facts)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-06-12 23:59:59", []),
        ("2026-06-13 00:00", ["PRESALE_ENDS"]),
        ("2026-06-15 23:59:59", ["PRESALE_ENDS"]),
        ("2026-06-16 00:00", []),
    ],
)
def test_a_presale_is_named_in_its_last_three_days_whatever_the_platform(now, expected):
    """C072: 15 June means its last second."""
    for platform in ("pinduoduo", "jd"):
        assert expected == said(platform, at(now), flags=PRESALE, presale_ship_by=at("2026-06-15 00:00"))


@pytest.mark.parametrize("title", ["【预售】衬衫", "Shirt (PRESALE)", "pre-sale shirt"])
def test_a_title_need_not_say_presale(title):
    """C073."""
    assert ["TITLE_SAYS_PRESALE"] == said(title=title)


def test_where_no_rule_bounds_a_presale_its_days_label_and_title_are_the_sellers_affair():
    assert [] == said("jd", flags=("customised",), title="预售", promise_hours=999 * 24)


@pytest.mark.parametrize("status", ["unpaid", "shipped", "cancelled", "refunded"])
def test_an_order_that_is_not_owed_says_nothing(status):
    assert [] == said(status=status, flags=("customised",), title="预售")


def test_each_listing_of_an_order_is_named_once():
    lines = (a_line("1", listing_id="L1"), a_line("2", listing_id="L1"), a_line("3", sku="B-2"), a_line("4", sku=None))
    order = an_order(*lines, platform="pinduoduo", flags=("customised",))
    assert ["1", "B-2", "L1"] == [one.listing for one in remarks(order, packs.load("pinduoduo"), PAID)]


def test_a_listing_whose_units_are_all_shipped_is_not_to_be_mended():
    lines = (a_line("1", listing_id="L1"), a_line("2", listing_id="L2", shipped_quantity=2))
    order = an_order(*lines, platform="pinduoduo", status="partly_shipped", flags=("customised",))
    assert ["L1"] == [one.listing for one in remarks(order, packs.load("pinduoduo"), PAID)]


@given(
    st.sampled_from(packs.PLATFORMS),
    st.sets(st.sampled_from(("presale", "customised"))),
    st.none() | st.integers(-(2**40), 2**51),
    st.none() | st.integers(0, 10**6),
    st.none() | st.text(max_size=20),
    st.integers(0, 2**51),
)
def test_every_order_gets_an_answer(platform, flags, date, hours, title, now):
    facts = {"flags": tuple(sorted(flags)), "presale_ship_by": date, "promise_hours": hours}
    order = an_order(a_line(title=title), platform=platform, **facts)
    found = remarks(order, packs.load(platform), now)
    assert list(found) == sorted(set(found))
