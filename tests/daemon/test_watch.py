"""Data that stays away is an alert of its own, told once until it is back."""

from collections.abc import Callable

import pytest

from adapters.base import Transient
from daemon.scheduler import Parts, tick
from daemon.store import journal
from rules.instant import HOUR, MINUTE, format_utc
from tests.daemon import running
from tests.daemon.builders import MORNING, a_snapshot, rows
from tests.daemon.running import feed, say, sink

Install = Callable[..., Parts]
WATCHED = running.LIVE.replace('feed = "memory"', 'feed = "memory"\nstale_after = "2h"')


def stale(parts: Parts) -> list[str]:
    return [action.key for action in rows(parts.database, "action", step="stale")]


def away(parts: Parts, hours: int, start: int = MORNING) -> int:
    """Let time pass in which every poll fails; returns where it ended."""
    feed().faults.fail_next(100_000, Transient("down"))
    for minute in range(0, hours * 60, 30):
        tick(parts, start + minute * MINUTE)
    feed().faults.waiting.clear()
    return start + hours * HOUR


def test_fresh_data_is_not_worth_a_word(installed: Install) -> None:
    parts = installed(WATCHED)
    for minute in range(0, 300, 30):
        tick(parts, MORNING + minute * MINUTE)

    assert [] == stale(parts)


def test_data_that_stays_away_is_told_once(installed: Install) -> None:
    parts = installed(WATCHED)
    say(a_snapshot("1"))
    tick(parts, MORNING)

    away(parts, 12, MORNING + 10 * MINUTE)

    assert [f"north/feed/stale/{format_utc(MORNING)}"] == stale(parts)
    assert 1 == sum("no new data" in message.title for message in sink().messages)


def test_a_silence_is_put_down_once(installed: Install) -> None:
    parts = installed(WATCHED)
    tick(parts, MORNING)
    away(parts, 12, MORNING + 10 * MINUTE)

    with parts.database.begin() as tx:
        entries = list(journal.entries_of(tx, "north", "north/feed"))

    assert 1 == sum(entry["event"] == "action" for entry in entries)


def test_the_next_silence_is_told_again(installed: Install) -> None:
    parts = installed(WATCHED)
    tick(parts, MORNING)
    back = away(parts, 5, MORNING + 10 * MINUTE)
    for minute in range(0, 60, 30):
        tick(parts, back + minute * MINUTE)
    away(parts, 5, back + HOUR)

    assert 2 == len(stale(parts))


def test_a_feed_that_never_said_anything_is_stale_too(installed: Install) -> None:
    parts = installed(WATCHED)

    away(parts, 5)

    assert ["north/feed/stale/never"] == stale(parts)


@pytest.mark.slow
def test_a_shop_nobody_watches_may_be_silent(installed: Install) -> None:
    parts = installed()

    away(parts, 48)

    assert [] == stale(parts)


def test_the_alert_counts_the_deadlines_that_fall_soon(installed: Install) -> None:
    parts = installed(WATCHED)
    say(a_snapshot("1", ship_by=MORNING + 9 * HOUR), a_snapshot("2", ship_by=MORNING + 10 * HOUR))
    tick(parts, MORNING)
    sink().messages.clear()

    away(parts, 3, MORNING + 10 * MINUTE)

    (message,) = [message for message in sink().messages if "no new data" in message.title]
    assert "export again before 06-01 17:00: 2 deadlines fall within 24 h" in message.text
