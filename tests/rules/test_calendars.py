"""Workdays with made-up ones, pick-ups in local time over DST changes, durations as people write them."""

import tomllib
from datetime import date, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import calendars
from rules.calendars import coverage, duration, is_workday, last_pickup, pickups_on, warehouse
from rules.errors import PolicyError
from rules.instant import DAY, HOUR, MINUTE, SECOND, format_utc, from_datetime, parse, to_datetime

SHANGHAI = ZoneInfo("Asia/Shanghai")
RIGA = ZoneInfo("Europe/Riga")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("48h", 48 * HOUR),
        ("30m", 30 * MINUTE),
        ("2d", 2 * DAY),
        ("1d12h", 36 * HOUR),
        ("1 h 30 min", 90 * MINUTE),
        ("90分钟", 90 * MINUTE),
        ("2小时", 2 * HOUR),
        ("3天", 3 * DAY),
        ("45s", 45 * SECOND),
        ("PT4H", 4 * HOUR),
        ("P1DT2H", 26 * HOUR),
        ("P2W", 14 * DAY),
        ("0m", 0),
    ],
)
def test_durations_are_read_as_people_write_them(text, expected):
    assert expected == duration(text)


@pytest.mark.parametrize("text", ["", "48", "h", "-2h", "2x", "1.5h", "P", "PT", "2h?", "two hours"])
def test_what_is_no_duration_is_refused_with_a_mend(text):
    with pytest.raises(PolicyError, match="mend"):
        duration(text)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-01-04", True),
        ("2026-02-14", True),
        ("2026-02-15", False),
        ("2026-02-21", False),
        ("2026-02-28", True),
        ("2026-06-19", False),
        ("2026-06-06", False),
        ("2026-06-05", True),
        ("2026-10-04", False),
        ("2026-10-08", True),
        ("2026-10-10", True),
        ("2025-09-28", True),
        ("2025-10-08", False),
    ],
)
def test_chinese_workdays_know_the_made_up_ones(day, expected):
    assert expected == is_workday(date.fromisoformat(day), "CN")


def test_another_country_has_its_own_holidays():
    assert not is_workday(date(2026, 11, 18), "LV")
    assert is_workday(date(2026, 10, 1), "LV")


@pytest.mark.parametrize(("year", "expected"), [(2024, True), (2025, True), (2026, True), (2027, False), (2028, False)])
def test_a_year_without_its_notice_is_reported_not_guessed(year, expected):
    assert expected == coverage(year)


def test_other_countries_need_no_yearly_notice():
    assert coverage(2027, "LV")


def test_an_unknown_country_is_refused():
    with pytest.raises(PolicyError, match="ISO country code"):
        is_workday(date(2026, 1, 1), "XX")


def test_the_shipped_year_agrees_with_the_package():
    text = files("rules").joinpath("data", "calendar", "cn-2026.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    statute = calendars._statute("CN", 2026)
    assert sorted(table["work"]) == sorted(statute.work)
    assert sorted(table["off"]) == sorted(day for day in statute.off if day.year == 2026)


def test_the_shipped_year_wins_over_the_package(monkeypatch):
    monkeypatch.setattr(
        calendars,
        "_override",
        lambda country, year: calendars.Override(frozenset({date(2026, 6, 5)}), frozenset({date(2026, 6, 6)})),
    )
    assert not is_workday(date(2026, 6, 5), "CN")
    assert is_workday(date(2026, 6, 6), "CN")
    assert is_workday(date(2026, 10, 1), "CN")


def house(open="Mon-Sat 09:00-18:00", pickups=("11:00", "18:00"), zone=SHANGHAI, holidays=None):
    return warehouse(open, pickups, "2h", zone, holidays)


@pytest.mark.parametrize(
    ("not_after", "expected"),
    [
        ("2026-06-02T11:00:00+08:00", "2026-06-02T11:00:00+08:00"),
        ("2026-06-02T10:59:59+08:00", "2026-06-01T18:00:00+08:00"),
        ("2026-06-02T18:00:00+08:00", "2026-06-02T18:00:00+08:00"),
        ("2026-06-02T23:59:59+08:00", "2026-06-02T18:00:00+08:00"),
        ("2026-06-03T07:59:59+08:00", "2026-06-02T18:00:00+08:00"),
        ("2026-06-07T20:00:00+08:00", "2026-06-06T18:00:00+08:00"),
        ("2026-06-08T09:00:00+08:00", "2026-06-06T18:00:00+08:00"),
    ],
)
def test_the_last_pickup_is_the_latest_open_one(not_after, expected):
    assert parse(expected) == last_pickup(house(), parse(not_after))


def test_a_festival_closes_the_warehouse_and_a_made_up_sunday_opens_it():
    closed = house(holidays="CN")
    assert parse("2026-02-14T18:00:00+08:00") == last_pickup(closed, parse("2026-02-23T23:00:00+08:00"))
    assert parse("2026-02-24T11:00:00+08:00") == last_pickup(closed, parse("2026-02-24T12:00:00+08:00"))
    assert parse("2026-09-20T18:00:00+08:00") == last_pickup(closed, parse("2026-09-20T23:00:00+08:00"))
    assert parse("2026-09-19T18:00:00+08:00") == last_pickup(house(), parse("2026-09-20T23:00:00+08:00"))


@pytest.mark.parametrize(
    ("zone", "not_after", "expected"),
    [
        (RIGA, "2026-10-24T23:00:00+03:00", "2026-10-24T15:00:00Z"),
        (RIGA, "2026-10-25T23:00:00+02:00", "2026-10-25T16:00:00Z"),
        (RIGA, "2026-03-28T23:00:00+02:00", "2026-03-28T16:00:00Z"),
        (RIGA, "2026-03-29T23:00:00+03:00", "2026-03-29T15:00:00Z"),
        (SAO_PAULO, "2018-11-03T23:00:00-03:00", "2018-11-03T21:00:00Z"),
        (SAO_PAULO, "2018-11-04T23:00:00-02:00", "2018-11-04T20:00:00Z"),
        (SAO_PAULO, "2026-11-04T23:00:00-03:00", "2026-11-04T21:00:00Z"),
    ],
)
def test_pickups_keep_their_wall_clock_over_a_dst_change(zone, not_after, expected):
    found = last_pickup(house("daily 09:00-18:00", ("18:00",), zone), parse(not_after))
    assert expected == format_utc(found or 0)


def test_a_pickup_the_clock_skips_or_repeats_happens_once():
    night = warehouse("daily 00:00-24:00", ["03:30"], "0m", RIGA)
    assert ["2026-03-29T01:30:00Z"] == [format_utc(p) for p in pickups_on(night, date(2026, 3, 29))]
    assert ["2026-10-25T00:30:00Z"] == [format_utc(p) for p in pickups_on(night, date(2026, 10, 25))]


@pytest.mark.parametrize(
    ("open", "day", "expected"),
    [
        ("Mon-Fri 09:00-18:00", "2026-06-06", []),
        ("Mon-Fri 09:00-18:00, Sat 09:00-12:00", "2026-06-06", ["11:00"]),
        ("Mon,Wed-Fri 09:00-18:00", "2026-06-02", []),
        ("Mon,Wed-Fri 09:00-18:00", "2026-06-03", ["11:00", "18:00"]),
        ("Mon-Sat 09:00-12:00 13:00-18:00", "2026-06-02", ["11:00", "18:00"]),
        ("Sat-Mon 09:00-18:00", "2026-06-07", ["11:00", "18:00"]),
        ("daily 09:00-18:00", "2026-06-07", ["11:00", "18:00"]),
        ("09:00-18:00", "2026-06-07", ["11:00", "18:00"]),
        ("周一至周六 09:00-18:00", "2026-06-07", []),
        ("星期日 09:00-18:00", "2026-06-07", ["11:00", "18:00"]),
        ("mon-sat 9:00-18:00", "2026-06-06", ["11:00", "18:00"]),
    ],
)
def test_opening_times_are_read_in_many_forms(open, day, expected):
    pickups = ["11:00"] if ", Sat 09" in open else ["11:00", "18:00"]
    found = pickups_on(warehouse(open, pickups, "2h", SHANGHAI), date.fromisoformat(day))
    assert expected == [f"{to_datetime(p, SHANGHAI):%H:%M}" for p in found]


def test_without_pickups_the_closing_time_is_the_pickup():
    assert parse("2026-06-02T18:00:00+08:00") == last_pickup(
        warehouse("Mon-Sat 09:00-18:00", [], "2h", SHANGHAI), parse("2026-06-02T20:00:00+08:00")
    )


def test_closing_at_24_00_is_the_next_midnight():
    found = last_pickup(warehouse("daily 09:00-24:00", ["24:00"], "0m", SHANGHAI), parse("2026-06-03T01:00:00+08:00"))
    assert parse("2026-06-03T00:00:00+08:00") == found


@pytest.mark.parametrize(
    ("open", "pickups", "lag", "named"),
    [
        ("", ["11:00"], "2h", "no hours follow"),
        ("Mon-Sat", ["11:00"], "2h", "no hours follow"),
        ("Mon-Sxt 09:00-18:00", ["11:00"], "2h", "names no weekday"),
        ("Mon-Wed-Fri 09:00-18:00", ["11:00"], "2h", "names no weekday"),
        ("Mon-Sat 18:00-09:00", ["11:00"], "2h", "end after it starts"),
        ("Mon-Sat 09:00", ["11:00"], "2h", "no span of hours"),
        ("Mon-Sat 09:00-25:00", ["11:00"], "2h", "no span of hours"),
        ("Mon-Sat 09:00-18:00", ["11"], "2h", "no time of day"),
        ("Mon-Sat 09:00-18:00", ["19:00"], "2h", "outside every opening time"),
        ("Mon-Sat 09:00-18:00", ["11:00"], "soon", "no duration"),
    ],
)
def test_a_warehouse_that_cannot_be_read_is_refused_with_a_mend(open, pickups, lag, named):
    with pytest.raises(PolicyError, match=named) as caught:
        warehouse(open, pickups, lag, SHANGHAI)
    assert "mend" in str(caught.value)


def test_a_warehouse_in_an_unknown_country_is_refused():
    with pytest.raises(PolicyError, match="ISO country code"):
        house(holidays="XX")


def test_after_sixty_closed_days_no_pickup_is_found():
    shut = calendars.Warehouse("", ("11:00",), 0, SHANGHAI, None, ((),) * 7)
    assert last_pickup(shut, parse("2026-06-02T20:00:00+08:00")) is None


def test_the_table_of_pickups_is_bounded():
    place = house()
    place.tables.update(dict.fromkeys(range(-4096, 0), ()))
    assert last_pickup(place, parse("2026-06-02T20:00:00+08:00")) is not None
    assert 1 == len(place.tables)


HOUSES = [
    house(),
    house("Mon-Fri 09:00-18:00", zone=RIGA),
    house("daily 00:00-24:00", ("00:00", "02:30", "24:00"), SAO_PAULO),
    house(holidays="CN"),
]
# 2015 to 2035: the years the package answers for, with and without DST in São Paulo.
INSTANTS = st.integers(min_value=from_datetime(to_datetime(1_420_070_400 * SECOND)), max_value=2_051_222_400 * SECOND)


@given(st.sampled_from(HOUSES), INSTANTS)
def test_the_last_pickup_is_never_late_and_on_an_open_day(place, not_after):
    found = last_pickup(place, not_after)
    assert found is not None
    assert found <= not_after
    local = to_datetime(found, place.zone).date()
    days = [
        local + timedelta(days=shift) for shift in (-1, 0) if calendars.is_open(place, local + timedelta(days=shift))
    ]
    assert found in {pickup for day in days for pickup in pickups_on(place, day)}


@given(st.sampled_from(HOUSES), INSTANTS)
def test_no_open_pickup_lies_between_the_last_one_and_the_limit(place, not_after):
    found = last_pickup(place, not_after)
    assert found is not None
    day = to_datetime(not_after, place.zone).date()
    for back in range(-1, 12):
        for pickup in pickups_on(place, day - timedelta(days=back)):
            assert not found < pickup <= not_after


@given(st.sampled_from(HOUSES), INSTANTS, st.integers(min_value=0, max_value=9 * DAY))
def test_a_later_limit_never_gives_an_earlier_pickup(place, not_after, more):
    assert (last_pickup(place, not_after) or 0) <= (last_pickup(place, not_after + more) or 0)
