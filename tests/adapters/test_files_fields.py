"""Values of single fields: local times in every zone, texts under the mask, amounts."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.files import cells, fields, privacy, swift
from adapters.files.refusal import Refusal
from rules import instant

ZONES = st.sampled_from(
    [ZoneInfo(name) for name in ("America/Sao_Paulo", "Australia/Lord_Howe", "Europe/Lisbon", "Asia/Kathmandu")]
)
TIMES = st.datetimes(min_value=datetime(1981, 1, 1), max_value=datetime(2100, 1, 1))  # noqa: DTZ001
CHANGES = st.sampled_from(
    [
        datetime(2017, 2, 18, 23, 30),  # noqa: DTZ001 the hour that comes twice in São Paulo
        datetime(2017, 10, 15, 0, 30),  # noqa: DTZ001 the hour that never comes there
        datetime(2026, 4, 5, 1, 45),  # noqa: DTZ001 half an hour comes twice on Lord Howe
        datetime(2026, 3, 29, 1, 15),  # noqa: DTZ001
    ]
)


@given(TIMES | CHANGES, ZONES)
def test_a_local_time_is_what_the_calendar_says(moment: datetime, zone: ZoneInfo) -> None:
    text = moment.isoformat()

    assert instant.parse(text, zone) == fields.moment(text, "paid_at", fields.Reading(zone=zone))


DAYS = st.dates(date(1981, 1, 1), date(2100, 1, 1)) | st.sampled_from(
    [
        date(2017, 2, 18),  # its last hour comes twice in São Paulo
        date(2017, 10, 14),  # the midnight after it never comes there
        date(2017, 10, 15),
        date(2026, 4, 4),
        date(2026, 10, 4),
        date(2026, 3, 29),
    ]
)


@pytest.mark.parametrize("lane", [fields.ORDER["ship_by"], fields.LINE["ship_by"], swift._ORDER["ship_by"]])
@given(DAYS, ZONES)
def test_a_bare_date_as_a_deadline_is_the_last_second_of_that_day(
    lane: fields.Convert, day: date, zone: ZoneInfo
) -> None:
    at = lane(day.isoformat(), "ship_by", fields.Reading(zone=zone))
    assert isinstance(at, int)

    assert day == instant.to_datetime(at, zone).date()
    assert day + timedelta(days=1) == instant.to_datetime(at + instant.SECOND, zone).date()


def test_every_deadline_reads_a_bare_date_so_and_nothing_else_does() -> None:
    reading = fields.Reading(zone=ZoneInfo("Europe/Lisbon"))
    read = {
        name: instant.to_datetime(int(convert("2026-06-03", name, reading)), reading.zone).hour  # type: ignore[call-overload]
        for name, convert in fields.ORDER.items()
        if name in fields.TIMES
    }

    assert {name for name in read if name.endswith("ship_by")} == {name for name, hour in read.items() if hour == 23}
    assert {0, 23} == set(read.values())


@given(TIMES, st.sampled_from(["Z", "+08:00", "-03:30"]))
def test_a_time_with_an_offset_needs_no_zone(moment: datetime, offset: str) -> None:
    text = moment.isoformat() + offset

    assert instant.parse(text) == fields.moment(text, "paid_at", fields.Reading(zone=None))


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-11-20 10:00:01", "2026-11-20 10:00:01"),
        ("2026/1/2 3:04", "2026-01-02T03:04"),
        ("2026年11月20日 10:00", "2026-11-20T10:00"),
        ("2026/11/20", "2026-11-20"),
        ("0001-01-01 00:00:00", None),
        ("1970-01-01 08:00:00", None),
        ("1/6/2026", "1/6/2026"),
    ],
)
def test_times_of_exports_and_spreadsheets_become_iso(text: str, iso: str | None) -> None:
    assert iso == cells.local_time(text)


@given(st.integers(0, 10**12), st.sampled_from(["", "元", "¥", "$"]))
def test_amounts_are_exact_to_the_cent(minor: int, sign: str) -> None:
    plain = f"{minor // 100}.{minor % 100:02}"
    text = plain + sign if sign == "元" else sign + plain

    assert minor == cells.minor(text, "paid_minor")


@pytest.mark.parametrize("text", ["-1", "1e3", "12,50", "1.234", "NaN", "", "1 000", "1.2.3", "9" * 40])
def test_what_is_no_plain_amount_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        cells.minor(text, "paid_minor")


@given(st.text(alphabet="0123456789- 省市区路号a", max_size=2_500))
def test_no_seven_digits_in_a_row_survive_the_mask(text: str) -> None:
    runs = "".join(char if char.isdigit() else " " for char in privacy.mask(text)).split()

    assert [] == [run for run in runs if len(run) >= 7]
