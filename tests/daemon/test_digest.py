"""Digests: what can still be saved first; every order they settle is named, or counted with a place to look."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters import dingtalk, robot, wecom
from adapters.base import Message
from daemon import digest
from daemon.digest import Brief, Sheet
from rules.instant import DAY, HOUR
from rules.model import Kind
from tests.builders import SHANGHAI, at

NOW = at("2026-06-01 15:05")
REST = re.compile(r"not named here: (\d+) orders in (\d+) more messages; see `forestall")


def a_brief(name: str, *orders: str, until: int | None = None, shop: str = "north", **facts: Any) -> Brief:
    """An alert about these orders, which names them all."""
    kind = facts.pop("kind", Kind.ALERT)
    message = Message(key=name, kind=kind, shop=shop, title=f"[{shop}] {name}", text="long", data={"key": name})
    lines = facts.pop("lines", (", ".join(orders),))
    names = tuple(f"{shop}/{order}" for order in orders)
    return Brief(message=message, zone=SHANGHAI, lines=lines, orders=names, until=until, **facts)


def sheets(*briefs: Brief, **limits: Any) -> list[Sheet]:
    return digest.fold(briefs, NOW, lang="en", **limits)


@pytest.mark.parametrize(
    ("unscanned", "title"),
    [
        ("", "4 orders out by today 18:05"),
        ("d", "3 orders out by today 18:05, and 1 more"),
        ("abcd", "4 orders to be scanned by today 18:05"),
    ],
)
def test_a_shipped_order_that_only_lacks_its_scan_is_none_to_send(unscanned: str, title: str) -> None:
    lacking = frozenset(f"north/{order}" for order in unscanned)
    (sheet,) = sheets(a_brief("a", *"abcd", until=NOW + 3 * HOUR, unscanned=lacking))

    assert f"[north] {title}" == sheet.message.title


def test_what_can_still_be_saved_comes_first_then_news_then_what_is_past() -> None:
    (sheet,) = sheets(
        a_brief("three weeks late", "1", until=NOW - 22 * DAY),
        a_brief("an hour late", "2", until=NOW - HOUR),
        a_brief("no data"),
        a_brief("tomorrow", "3", until=NOW + DAY),
        a_brief("tonight", "4", until=NOW + 3 * HOUR),
        a_brief("tonight and dear", "5", until=NOW + 3 * HOUR, stake=900),
    )

    told = [brief.message.key for brief in sheet.named]

    assert ["tonight and dear", "tonight", "tomorrow", "no data", "an hour late", "three weeks late"] == told


def test_the_title_says_how_many_orders_by_when_and_how_many_more() -> None:
    (sheet,) = sheets(
        a_brief("late", "x", until=NOW - HOUR),
        a_brief("tonight", *"abcdef", until=at("2026-06-02 00:04")),
        a_brief("tonight too", *"ghi", until=at("2026-06-02 00:04"), shop="south"),
        a_brief("tomorrow", *"jklmnopq", until=at("2026-06-02 18:00")),
    )

    assert "9 orders out by tonight 00:04, and 9 more" == sheet.message.title


@pytest.mark.parametrize(
    ("brief", "title"),
    [
        (a_brief("one", "1", until=NOW + HOUR), "[north] 1 order out by today 16:05"),
        (a_brief("claim", "1", until=NOW + HOUR, answer=True), "[north] 1 order to answer for by today 16:05"),
        (a_brief("late", "1", "2", until=NOW - HOUR), "[north] 2 orders are overdue"),
        (a_brief("no data"), "[north] 1 notice"),
        (a_brief("no scan", "1", "2"), "[north] 2 orders to look at"),
    ],
)
def test_a_title_fits_what_is_told(brief: Brief, title: str) -> None:
    assert title == sheets(brief)[0].message.title


def test_an_order_in_two_alerts_is_counted_once() -> None:
    (sheet,) = sheets(a_brief("late", "1", until=NOW + HOUR), a_brief("short", "1", until=NOW + 2 * HOUR))

    assert "[north] 1 order out by today 16:05" == sheet.message.title


def test_what_does_not_fit_goes_in_a_further_message() -> None:
    made = sheets(*(a_brief(f"alert {n}", f"order-{n}", until=NOW + n * HOUR) for n in range(1, 40)), room=900)

    assert len(made) > 1
    assert ["alert 1", "alert 2"] == [brief.message.key for brief in made[0].named][:2]


def test_beyond_the_last_message_the_rest_is_counted_and_says_where_to_look() -> None:
    briefs = [a_brief(f"alert {n:03}", f"order-{n}", until=NOW + n * HOUR) for n in range(1, 300)]

    first, last = sheets(*briefs, room=900, most=2)

    assert not first.counted
    said = REST.search(last.message.text)
    assert said is not None
    assert (len(last.counted), len(last.counted)) == tuple(map(int, said.groups()))
    assert "`forestall cases list`" in last.message.text


def test_a_message_that_is_too_long_for_a_robot_is_told_in_short() -> None:
    brief = a_brief("alert", "1", until=NOW + HOUR)
    long = Brief(
        message=Message(key="k", kind=Kind.ALERT, shop="north", title="[north] alert", text="x" * 5000),
        zone=SHANGHAI, lines=brief.lines, orders=brief.orders, until=brief.until,
    )  # fmt: skip

    message = digest.whole(long, NOW, 4000, "en")

    assert ("k", "[north] alert\n1") == (message.key, message.text)


UNTIL = st.none() | st.integers(NOW - 30 * DAY, NOW + 5 * DAY)
BRIEFS = st.lists(
    st.builds(
        lambda n, orders, until, text, kind: (n, orders, until, text, kind),
        st.integers(0, 999),
        st.lists(st.integers(0, 60), max_size=8, unique=True),
        UNTIL,
        st.text(max_size=400),
        st.sampled_from([Kind.ALERT, Kind.TASK]),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda one: one[0],
)


@given(BRIEFS, st.sampled_from([300, 900, 4056, None]), st.integers(1, 5), st.sampled_from(["en", "zh"]))
def test_every_order_is_named_or_counted_and_no_message_is_too_long(
    drawn: list[Any], room: int | None, most: int, lang: str
) -> None:
    briefs = [
        a_brief(f"alert-{n}.", *(f"order-{o}." for o in orders), until=until, kind=kind, lines=(
            *(f"order-{o}." for o in orders), text))
        for n, orders, until, text, kind in drawn
    ]  # fmt: skip

    made = digest.fold(briefs, NOW, room=room, most=most, lang=lang)

    assert len(made) <= most or room is None
    settled = [brief for sheet in made for brief in (*sheet.named, *sheet.counted)]
    assert sorted(brief.message.key for brief in settled) == sorted(brief.message.key for brief in briefs)
    for sheet in made:
        assert room is None or digest.size(sheet.message) <= room
        text = sheet.message.text
        for brief in sheet.named:
            assert brief.message.title in text
            assert all(order.partition("/")[2] in text for order in brief.orders)
        unnamed = {order for brief in sheet.counted for order in brief.orders} - {
            order for brief in sheet.named for order in brief.orders
        }
        if sheet.counted:
            last = text.splitlines()[-1]
            assert "`forestall " in last
            assert str(len(unnamed)) in last


@given(BRIEFS)
def test_robots_show_a_digest_whole(drawn: list[Any]) -> None:
    """What the daemon gives them is never cut by their own limit."""
    briefs = [a_brief(f"a{n}", *map(str, orders), lines=(text,)) for n, orders, _, text, _ in drawn]
    shown = {
        wecom.WeComSink: (lambda m: f"### {m.title}\n{m.text}", wecom.TEXT_BYTES),
        dingtalk.DingTalkSink: (lambda m: f"### {m.title}\n\n{m.text}".replace("\n", "  \n"), dingtalk.TEXT_BYTES),
    }
    for sink, (form, limit) in shown.items():
        for sheet in digest.fold(briefs, NOW, room=sink.capabilities.text_bytes, lang="zh"):
            text = form(sheet.message)
            assert text.encode("utf-8", "replace").decode() == robot.cut(text, limit)
