"""Moments as people say and write them: what is shown, what is read, and that both agree."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daemon import clock, show, when
from rules.instant import DAY, HOUR, from_datetime, to_datetime

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = [
    SHANGHAI,
    *map(ZoneInfo, ("UTC", "America/Sao_Paulo", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Kiritimati")),
]


def at(text: str, zone: ZoneInfo = SHANGHAI) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=zone))


NOON = at("2026-11-29 15:00")


@pytest.mark.parametrize(
    ("moment", "now", "english", "chinese"),
    [
        ("2026-11-29 18:00", NOON, "today 18:00", "今天 18:00"),
        ("2026-11-29 09:00", NOON, "today 09:00", "今天 09:00"),
        ("2026-11-29 23:59", NOON, "today 23:59", "今天 23:59"),
        ("2026-11-30 00:05", NOON, "tonight 00:05", "今晚 00:05"),
        ("2026-11-30 02:59", NOON, "tonight 02:59", "今晚 02:59"),
        ("2026-11-30 04:59", NOON, "tonight 04:59", "今晚 04:59"),
        ("2026-11-30 05:00", NOON, "tomorrow 05:00", "明天 05:00"),
        ("2026-11-30 11:00", NOON, "tomorrow 11:00", "明天 11:00"),
        ("2026-11-28 11:00", NOON, "yesterday 11:00", "昨天 11:00"),
        ("2026-11-27 23:00", NOON, "11-27 23:00", "11-27 23:00"),
        ("2026-12-01 10:00", NOON, "12-01 10:00", "12-01 10:00"),
        ("2027-01-03 18:00", NOON, "01-03 18:00", "01-03 18:00"),
        ("2027-11-03 18:00", NOON, "2027-11-03 18:00", "2027-11-03 18:00"),
        ("2026-11-29 02:00", at("2026-11-29 01:00"), "today 02:00", "今天 02:00"),
        ("2026-11-30 02:00", at("2026-11-29 01:00"), "tomorrow 02:00", "明天 02:00"),
        ("2026-11-29 02:58", at("2026-11-29 01:58"), "today 02:58", "今天 02:58"),
        ("2026-11-29 03:28", at("2026-11-29 01:58"), "today 03:28", "今天 03:28"),
        ("2026-11-29 18:00", None, "11-29 18:00", "11-29 18:00"),
    ],
)
def test_a_moment_is_shown_as_people_say_it(moment: str, now: int | None, english: str, chinese: str) -> None:
    said = [show.moment(at(moment), SHANGHAI, now, lang=lang) for lang in ("en", "zh")]

    assert [english, chinese] == said


@pytest.mark.parametrize(
    ("zone", "reader", "said"),
    [
        ("Asia/Shanghai", "Asia/Shanghai", "today 18:00"),
        ("Asia/Shanghai", "Asia/Singapore", "today 18:00"),
        ("Asia/Shanghai", "UTC", "today 18:00 Beijing time"),
        ("America/Sao_Paulo", "Asia/Shanghai", "today 07:00 UTC-3"),
        ("Asia/Kathmandu", "UTC", "today 15:45 UTC+5:45"),
    ],
)
def test_the_zone_is_named_where_it_is_not_the_readers(zone: str, reader: str, said: str) -> None:
    assert said == show.moment(at("2026-11-29 18:00"), ZoneInfo(zone), NOON, ZoneInfo(reader), "en")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-11-30T08:30:00+08:00", "2026-11-30 08:30"),
        ("2026-11-30T00:30:00z", "2026-11-30 08:30"),
        ("2026-11-30 08:30", "2026-11-30 08:30"),
        ("2026-11-30", "2026-11-30 00:00"),
        ("2026/11/30 8:30", "2026-11-30 08:30"),
        ("2026年11月30日 08:30", "2026-11-30 08:30"),
        ("11-30 08:30", "2026-11-30 08:30"),
        ("11月30日8点半", "2026-11-30 08:30"),
        ("01-03 08:30", "2027-01-03 08:30"),
        ("02-29 08:30", "2028-02-29 08:30"),
        ("2h", "2026-11-29 17:00"),
        ("in 2h", "2026-11-29 17:00"),
        ("1h30m", "2026-11-29 16:30"),
        ("2小时", "2026-11-29 17:00"),
        ("2个小时后", "2026-11-29 17:00"),
        ("-2h", "2026-11-29 13:00"),
        ("2h ago", "2026-11-29 13:00"),
        ("2小时前", "2026-11-29 13:00"),
        ("18:00", "2026-11-29 18:00"),
        ("08:30", "2026-11-30 08:30"),
        ("08：30", "2026-11-30 08:30"),
        ("8:30 am", "2026-11-30 08:30"),
        ("6pm", "2026-11-29 18:00"),
        ("tomorrow 08:30", "2026-11-30 08:30"),
        ("Tomorrow, 8:30", "2026-11-30 08:30"),
        ("tonight 00:05", "2026-11-30 00:05"),
        ("tonight 22:00", "2026-11-29 22:00"),
        ("yesterday 09:00", "2026-11-28 09:00"),
        ("明天 08:30", "2026-11-30 08:30"),
        ("明天8点", "2026-11-30 08:00"),
        ("明早8点半", "2026-11-30 08:30"),
        ("今晚 00:05", "2026-11-30 00:05"),
        ("后天 10:00", "2026-12-01 10:00"),
        ("now", "2026-11-29 15:00"),
        ("现在", "2026-11-29 15:00"),
    ],
)
def test_a_moment_is_read_as_people_write_it(text: str, wanted: str) -> None:
    assert to_datetime(at(wanted), SHANGHAI) == to_datetime(when.read(text, NOON, SHANGHAI), SHANGHAI)


@pytest.mark.parametrize(
    ("text", "wanted"), [("2h", NOON - 2 * HOUR), ("18:00", at("2026-11-28 18:00")), ("08:30", at("2026-11-29 08:30"))]
)
def test_where_one_looks_back_the_last_one_is_meant(text: str, wanted: int) -> None:
    assert wanted == when.read(text, NOON, SHANGHAI, past=True)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "yesterday", "25:00", "13:60", "14pm", "02-30 08:00", "13-01 08:00", "someday 08:30", "2 parsecs",
     "99999d", "2026-11-31 08:30", "8", "2026-11-30T08:30+99:00"],
)  # fmt: skip
def test_what_names_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (whatever the reason)
        when.read(text, NOON, SHANGHAI)


@given(
    now=st.integers(at("2024-01-01 00:00"), at("2030-01-01 00:00")),
    away=st.integers(-400 * DAY, 400 * DAY) | st.integers(-3 * DAY, 3 * DAY),
    zone=st.sampled_from(ZONES),
    lang=st.sampled_from(["en", "zh"]),
)
@example(now=at("2028-02-29 23:59"), away=HOUR, zone=SHANGHAI, lang="zh")
def test_whatever_is_shown_is_read_back_as_the_same_minute(now: int, away: int, zone: ZoneInfo, lang: str) -> None:
    said = show.moment(now + away, zone, now, lang=lang)
    read = when.read(said, now, zone)

    local = [to_datetime(one, zone).strftime("%Y-%m-%d %H:%M") for one in (now + away, read)]
    assert local[0] == local[1], said


@pytest.mark.parametrize(
    ("named", "zone"), [("Asia/Tokyo", "Asia/Tokyo"), (":Europe/Berlin", "Europe/Berlin"), ("Nowhere/Land", "UTC")]
)
def test_the_zone_of_the_system_is_that_of_tz(monkeypatch: pytest.MonkeyPatch, named: str, zone: str) -> None:
    monkeypatch.setenv("TZ", named)

    assert zone == clock.zone().key
