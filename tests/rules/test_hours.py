"""Opening hours in local time: what is open, and the nearest open moment before and after."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rules.hours import Hours
from rules.instant import MINUTE, parse, to_datetime
from tests.builders import SHANGHAI, at

DAYTIME = Hours.parse("09:00-21:00")
NEW_YORK = ZoneInfo("America/New_York")
ZONES = st.sampled_from([SHANGHAI, NEW_YORK, ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")])
SPRING = parse("2026-03-08T01:50:00", NEW_YORK)
"""Ten minutes before New York's clocks skip from 02:00 to 03:00."""


def test_hours_are_open_from_their_first_minute_to_the_minute_before_the_last():
    times = ["08:59", "09:00", "20:59", "21:00"]
    assert [False, True, True, False] == [DAYTIME.is_open(at(f"2026-06-01 {time}"), SHANGHAI) for time in times]


def test_a_whole_day_can_be_open():
    assert Hours.parse("00:00-24:00").is_open(at("2026-06-01 23:59"), SHANGHAI)


@pytest.mark.parametrize(
    ("asked", "before", "after"),
    [
        ("2026-06-01 12:34", "2026-06-01 12:34", "2026-06-01 12:34"),
        ("2026-06-01 23:00", "2026-06-01 20:59", "2026-06-02 09:00"),
        ("2026-06-01 06:00", "2026-05-31 20:59", "2026-06-01 09:00"),
        ("2026-06-01 21:00", "2026-06-01 20:59", "2026-06-02 09:00"),
    ],
)
def test_a_closed_moment_moves_to_the_nearest_open_one(asked, before, after):
    assert at(before) == DAYTIME.last_open(at(asked), SHANGHAI)
    assert at(after) == DAYTIME.next_open(at(asked), SHANGHAI)


def test_hours_may_pass_midnight():
    night = Hours.parse("20:00-02:00")
    times = ["01:59", "02:00", "19:59", "20:00", "23:59", "00:00"]
    assert [True, False, False, True, True, True] == [
        night.is_open(at(f"2026-06-01 {time}"), SHANGHAI) for time in times
    ]
    assert at("2026-06-01 01:59") == night.last_open(at("2026-06-01 12:00"), SHANGHAI)
    assert at("2026-06-01 20:00") == night.next_open(at("2026-06-01 12:00"), SHANGHAI)


@pytest.mark.parametrize(
    ("text", "same"), [("20:00-00:00", "20:00-24:00"), ("24:00-02:00", "00:00-02:00"), ("00:00-00:00", "00:00-24:00")]
)
def test_midnight_has_two_names(text, same):
    assert Hours.parse(same) == Hours.parse(text)


@given(st.integers(0, 1439), st.integers(1, 1440), ZONES, st.integers(-(10**6), 10**6))
def test_what_is_closed_is_open_for_the_opposite_hours(start, end, zone, minutes):
    if start != end % 1440:
        day, night = Hours(start, end), Hours(end % 1440, start or 1440)
        instant = SPRING + minutes * MINUTE
        assert day.is_open(instant, zone) != night.is_open(instant, zone)


@given(st.integers(0, 23 * 60), st.integers(1, 24 * 60), ZONES, st.integers(-(10**6), 10**6))
@example(2 * 60 + 10, 40, NEW_YORK, 0)
@example(60, 90, NEW_YORK, 0)
def test_the_nearest_open_moments_are_open_and_on_their_side_also_where_clocks_change(start, length, zone, minutes):
    end = (start + length) % (24 * 60) or 24 * 60
    hours = Hours(start, end if end != start else 24 * 60)
    instant = SPRING + minutes * MINUTE
    before, after = hours.last_open(instant, zone), hours.next_open(instant, zone)
    assert before <= instant <= after
    assert hours.is_open(before, zone)
    assert hours.is_open(after, zone)


@given(st.integers(min_value=parse("1880-01-01T00:00:00Z"), max_value=parse("2100-01-01T00:00:00Z")), ZONES)
@example(SPRING + 10 * MINUTE, NEW_YORK)
@example(parse("1900-12-31T15:54:16Z"), SHANGHAI)
def test_open_is_what_the_wall_clock_shows(instant, zone):
    local = to_datetime(instant, zone)
    assert (9 <= local.hour < 21) == DAYTIME.is_open(instant, zone)


@pytest.mark.parametrize("absurd", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_an_absurd_date_gets_some_answer(absurd):
    assert isinstance(DAYTIME.last_open(parse(absurd), SHANGHAI), int)
    assert isinstance(DAYTIME.next_open(parse(absurd), NEW_YORK), int)


@pytest.mark.parametrize("text", ["9-21", "09:00-09:00", "24:00-00:30x", "09:00-24:30", "", "25:00-26:00"])
def test_a_wrong_form_is_refused_with_what_to_write_instead(text):
    with pytest.raises(ValueError, match=r"09:00-21:00|never open"):
        Hours.parse(text)
