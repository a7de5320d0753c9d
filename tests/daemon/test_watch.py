"""Data that stays away is an alert of its own, told once until it is back."""

from collections.abc import Callable

import pytest

from adapters.base import Rejected, Snapshot, Transient
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
    assert "export again before today 17:00: 2 deadlines fall within 24 h" in message.text


def untimed(order_id: str, at: int = MORNING) -> Snapshot:
    """A paid order without what its deadline needs."""
    return a_snapshot(order_id, at=at, paid_at=None, ship_by=None)


def gaps_told() -> list[str]:
    return [message.title for message in sink().messages if "cannot be watched" in message.title]


def test_orders_that_nothing_can_watch_are_told_at_once_with_what_they_lack(installed: Install) -> None:
    parts = installed()
    say(a_snapshot("1"), untimed("2"), untimed("3"))
    tick(parts, MORNING)

    (message,) = [message for message in sink().messages if "cannot be watched" in message.title]
    assert "[north] 2 orders cannot be watched" == message.title
    assert "no payment time 2\n2, 3\nto do: export with status" in message.text


def test_the_same_unwatched_orders_are_told_once_and_a_new_one_within_the_hour(installed: Install) -> None:
    parts = installed()
    say(untimed("2"))
    tick(parts, MORNING)
    say(untimed("2", MORNING + MINUTE))
    tick(parts, MORNING + MINUTE)
    say(untimed("3", MORNING + 2 * MINUTE))
    tick(parts, MORNING + 2 * MINUTE)
    assert 1 == len(gaps_told())

    for minute in range(3, 70, 3):
        tick(parts, MORNING + minute * MINUTE)

    assert ["[north] 1 order cannot be watched", "[north] 2 orders cannot be watched"] == gaps_told()


def test_orders_that_became_watched_before_anybody_was_told_are_not_told(installed: Install) -> None:
    parts = installed(running.LIVE.replace('sink = "memory"', 'sink = "memory"\nhours = "09:00-18:00"'))
    say(untimed("2"))
    tick(parts, MORNING)
    say(a_snapshot("2", at=MORNING + MINUTE))
    for minute in range(1, 90, 10):
        tick(parts, MORNING + minute * MINUTE)

    assert [] == gaps_told()


def test_unwatched_orders_recorded_in_shadow_are_told_once_alerts_go_live(installed: Install) -> None:
    parts = installed(running.LIVE.replace('default = "live"', 'default = "shadow"'))
    say(untimed("2"))
    tick(parts, MORNING)
    parts = running.again(parts, running.LIVE, MORNING + HOUR)
    tick(parts, MORNING + HOUR)

    assert 1 == len(gaps_told())


def test_files_that_could_not_be_used_are_told_with_reason_and_mend(installed: Install) -> None:
    parts = installed()
    say(rejected=[Rejected(source="a.csv", line=None, reason="the file is empty", mend="export again")])
    tick(parts, MORNING)
    tick(parts, MORNING + 2 * HOUR)

    (message,) = sink().messages
    assert "[north] 1 file could not be used: see forestall feeds rejected" == message.title
    assert "a.csv: the file is empty → export again" == message.text


def test_a_silence_that_was_only_recorded_in_shadow_is_told_once_alerts_are_live(installed: Install) -> None:
    parts = installed(WATCHED.replace('default = "live"', 'default = "shadow"'))
    say(a_snapshot("1"))
    tick(parts, MORNING)
    now = away(parts, 5, MORNING + 10 * MINUTE)
    feed().faults.fail_next(100, Transient("down"))

    parts = running.again(parts, WATCHED, now)
    for minute in range(0, 120, 30):
        tick(parts, now + minute * MINUTE)

    assert 1 == sum("no new data" in message.title for message in sink().messages)
