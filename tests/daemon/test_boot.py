"""The boot report: what came due while nobody looked, told once per downtime."""

from collections.abc import Callable

import pytest

from daemon import boot
from daemon.scheduler import Parts, tick
from rules.instant import HOUR, MINUTE
from tests.daemon import running
from tests.daemon.builders import MORNING, a_snapshot, rows
from tests.daemon.running import keys, say, sink

Install = Callable[..., Parts]
TEN = 10 * MINUTE


def boots(parts: Parts) -> list[str]:
    return [action.key for action in rows(parts.database, "action", step="boot")]


def test_the_first_start_reports_nothing(installed: Install) -> None:
    parts = installed()

    assert boot.report(parts.engine, MORNING, TEN) is None
    assert [] == boots(parts)


def test_a_downtime_is_told_with_what_came_due(installed: Install) -> None:
    parts = installed()
    say(a_snapshot("1", ship_by=MORNING + 30 * HOUR), a_snapshot("2", ship_by=MORNING + 8 * HOUR))
    tick(parts, MORNING)
    sink().messages.clear()
    back = MORNING + 9 * HOUR

    found = boot.report(parts.engine, back, TEN)
    parts.dispatcher.dispatch(back)

    assert found is not None
    assert (MORNING, back, 1) == (found.since, found.until, found.deadlines_passed)
    assert "Forestall was down from 06-01 08:00 to 06-01 17:00" == sink().messages[0].title
    assert "1 deadlines passed" in sink().messages[0].text


def test_a_downtime_is_told_once(installed: Install) -> None:
    parts = installed()
    tick(parts, MORNING)

    boot.report(parts.engine, MORNING + HOUR, TEN)
    boot.report(parts.engine, MORNING + HOUR + MINUTE, TEN)
    parts.dispatcher.dispatch(MORNING + HOUR + MINUTE)

    assert ["north/boot/2026-06-01T00:00:00Z"] == boots(parts) == keys(sink())


def test_every_downtime_is_told(installed: Install) -> None:
    parts = installed()
    tick(parts, MORNING)

    boot.report(parts.engine, MORNING + HOUR, TEN)
    boot.report(parts.engine, MORNING + 2 * HOUR, TEN)

    assert 2 == len(boots(parts))


@pytest.mark.parametrize(("down", "told"), [(TEN - 1, 0), (TEN, 1)])
def test_a_short_downtime_is_not_worth_a_word(installed: Install, down: int, told: int) -> None:
    parts = installed()
    tick(parts, MORNING)

    boot.report(parts.engine, MORNING + down, TEN)

    assert told == len(boots(parts))


def test_a_clock_that_was_set_back_is_no_downtime(installed: Install) -> None:
    parts = installed()
    tick(parts, MORNING)

    boot.report(parts.engine, MORNING - HOUR, TEN)

    assert [] == boots(parts)


def test_an_installation_without_shops_has_nobody_to_tell(installed: Install) -> None:
    parts = installed("")
    tick(parts, MORNING)

    assert boot.report(parts.engine, MORNING + HOUR, TEN) is not None
    assert [] == boots(parts)


def test_the_report_goes_to_every_sink(installed: Install) -> None:
    parts = installed(running.LIVE + '[alerts.lead]\nsink = "memory"\n')
    tick(parts, MORNING)

    boot.report(parts.engine, MORNING + HOUR, TEN)
    parts.dispatcher.dispatch(MORNING + HOUR)

    assert (1, 1) == (len(keys(sink("ops"))), len(keys(sink("lead"))))
