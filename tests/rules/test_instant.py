"""Instants in local time: the offset of a whole day stands for each of its instants."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.instant import DAY, offset_on, parse, to_datetime
from rules.packs import local_date

ZONES = st.sampled_from(list(map(ZoneInfo, ("UTC", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"))))
BERLIN = ZoneInfo("Europe/Berlin")


def day(text: str) -> int:
    return parse(f"{text}T00:00:00Z") // DAY


@pytest.mark.parametrize(
    ("date", "hours"),
    [("2026-03-28", 1), ("2026-03-29", None), ("2026-03-30", 2), ("2026-10-24", 2), ("2026-10-25", None)],
)
def test_a_day_has_one_offset_unless_the_clocks_change_in_it(date, hours):
    offset = offset_on(day(date), BERLIN)
    assert hours == (None if offset is None else offset / (DAY / 24))


def test_the_ends_of_the_calendar_have_no_offset():
    assert offset_on(day("9999-12-31"), BERLIN) is None
    assert offset_on(day("0001-01-01"), ZoneInfo("America/New_York")) is None


@given(st.integers(min_value=parse("0001-01-02T00:00:00Z"), max_value=parse("9999-12-30T00:00:00Z")), ZONES)
def test_the_local_day_is_that_of_the_converted_instant(instant, zone):
    assert to_datetime(instant, zone).date() == local_date(instant, zone)
