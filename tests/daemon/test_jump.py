"""The clock is set, by a second or by ten years: work goes on within a minute, nothing is told twice, all heals."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Page, Transient
from daemon import caveats, housekeeping, jump
from daemon.jump import Jump, Reading
from daemon.scheduler import Parts, tick
from daemon.store import timers
from daemon.store.timers import FEED
from rules.instant import DAY, HOUR, MINUTE, SECOND
from tests.daemon import running
from tests.daemon.builders import MORNING, broken_links, row, rows
from tests.daemon.machine import Machine, machine
from tests.daemon.running import feed, say, sink, told

Install = Callable[..., Parts]
QUICK = [-SECOND, 181 * MINUTE, -HOUR, 3652 * DAY]
STEPS = [SECOND, 4 * SECOND, 59 * SECOND, 3 * MINUTE, HOUR, 181 * MINUTE, DAY, 40 * DAY, 3652 * DAY]
SIGNED = [
    pytest.param(step, id=f"{step // SECOND:+} s", marks=() if step in QUICK else pytest.mark.slow)
    for step in (sign * size for size in STEPS for sign in (-1, 1))
]
SHOPS = ("north", "first", "second", "third", "fourth")
FIVE = running.LIVE + "".join(f'[shops.{name}]\nplatform = "taobao"\nfeed = "memory"\n' for name in SHOPS[1:])
"""Shops of their own: what joins a pick-up that was told already waits a while, by design."""


@pytest.fixture(params=["daemon", "cron"])
def computer(
    request: pytest.FixtureRequest, tmp_path: Path, installed: Install, monkeypatch: pytest.MonkeyPatch
) -> Machine:
    return machine(installed(FIVE), tmp_path, monkeypatch, daemon=request.param == "daemon")


def alerts_of(order_id: str) -> list[Any]:
    return [message for message in sink().messages if order_id in str(message.data.get("orders", ()))]


@pytest.mark.parametrize("step", SIGNED)
def test_work_goes_on_within_a_minute_after_the_clock_is_set_and_after_it_is_put_right(
    computer: Machine, step: int
) -> None:
    for shop, wrong in zip(SHOPS, (0, step, 0, -step, 0), strict=True):
        computer.wrong = wrong
        computer.place(f"of {shop}", shop=shop)

        computer.run(60)

        assert alerts_of(f"of {shop}"), f"{shop} was not told within a minute"
        computer.run(60)


@pytest.mark.parametrize("step", SIGNED)
def test_what_a_wrong_clock_left_behind_heals(computer: Machine, step: int) -> None:
    computer.place("1", ship_by=MORNING + 30 * HOUR)
    computer.run(120)
    computer.wrong = step
    computer.place("2")
    computer.run(180)
    computer.wrong = 0

    computer.run(240)

    assert [] == list(computer.ahead())
    assert all(timer.due_at <= computer.wall + MINUTE for timer in rows(computer.parts.database, "timer", kind=FEED))
    assert all(timer.lease_until is None for timer in rows(computer.parts.database, "timer"))
    with computer.parts.database.begin() as tx:
        assert [] == broken_links(tx)
    assert {1} == set(Counter(told(sink())).values())


@pytest.mark.parametrize("step", [3 * MINUTE, 3 * HOUR, 3652 * DAY])
def test_an_order_judged_by_a_clock_that_was_ahead_gets_its_reminder_all_the_same(computer: Machine, step: int) -> None:
    computer.place("1", ship_by=MORNING + 30 * HOUR)
    computer.run(120)
    computer.wrong = step
    computer.run(120)
    computer.wrong = 0
    computer.run(120)
    sink().messages.clear()

    computer.true = MORNING + 28 * HOUR
    computer.run(120)

    assert alerts_of("1")


@pytest.mark.parametrize("step", [SECOND * 30, 3 * HOUR, 3652 * DAY])
def test_what_a_shop_said_under_a_clock_that_was_ahead_yields_to_the_next_word(computer: Machine, step: int) -> None:
    computer.wrong = step
    computer.place("1")
    computer.run(120)
    computer.wrong = 0
    computer.run(60)

    computer.place("1", status="shipped", shipped_at=computer.wall)
    computer.run(60)

    assert "shipped" == row(computer.parts.database, "orders", order_id="1").status


def test_a_receiver_that_waits_for_the_wrong_hour_is_tried_again_at_once(computer: Machine) -> None:
    sink().faults.fail_next(1, Transient("busy", retry_after_s=60))
    computer.wrong = 3 * HOUR
    computer.place("1")
    computer.run(60)
    computer.wrong = 0

    computer.run(300)

    assert alerts_of("1")


def test_what_a_process_held_that_died_under_the_wrong_clock_is_free_again(computer: Machine) -> None:
    computer.wrong = 5 * HOUR
    computer.run(60)
    with computer.parts.database.begin() as tx:
        held = timers.claim(tx, FEED, computer.wall + MINUTE, 10, lease=timers.LEASE)
    computer.wrong = 0
    computer.place("1")

    computer.run(360)

    assert held
    assert alerts_of("1")


def test_calls_under_way_that_settle_by_the_old_hour_keep_nothing_waiting(
    tmp_path: Path, installed: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They began before the clock was set back, and end after what it left behind was healed."""
    computer = machine(installed(FIVE), tmp_path, monkeypatch, daemon=True)
    sink().faults.fail_next(1, Transient("busy"))
    computer.wrong = 3 * HOUR
    computer.place("1")
    computer.run(60)
    computer.wrong = 0
    computer.run(20)
    late = computer.wall + 3 * HOUR
    with computer.parts.database.begin() as tx:
        for table in ("delivery", "receiver", "timer"):
            column = "next_at" if table == "receiver" else "due_at"
            tx.exec_driver_sql(f"UPDATE {table} SET {column} = {late} WHERE {column} IS NOT NULL")
    sink().messages.clear()
    computer.place("2", shop="first")

    computer.run(150)

    assert alerts_of("2")


def test_after_a_leap_of_a_day_nothing_is_cleared_away_for_a_day(
    tmp_path: Path, installed: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    computer = machine(installed(FIVE), tmp_path, monkeypatch, daemon=True)
    cleared: list[int] = []
    monkeypatch.setattr(housekeeping, "prune", lambda _, before: cleared.append(before))
    assert computer.service is not None
    computer.wrong = 400 * DAY
    computer.run(60)

    computer.service._housekeeping()
    assert [] == cleared
    computer.true += DAY
    computer.service._housekeeping()
    assert cleared


def test_a_step_of_a_minute_or_more_is_told_once_with_both_times(computer: Machine) -> None:
    computer.wrong = HOUR
    computer.run(120)
    sink().messages.clear()
    computer.wrong = 0

    computer.run(300)

    (message,) = [one for one in sink().messages if one.data["reason"] == "CLOCK_SET"]
    assert "set back by 1 h" in message.title
    with computer.parts.database.begin() as tx:
        settings = computer.parts.installation.config
        assert "clock_set" in [doubt.code for doubt in caveats.found(tx, settings, computer.wall)]
        assert "clock_set" not in [doubt.code for doubt in caveats.found(tx, settings, computer.wall + 2 * DAY)]


@pytest.mark.parametrize("wrong", [-30 * SECOND, 30 * SECOND])
def test_a_small_step_is_logged_and_not_told(computer: Machine, logs: list[dict[str, Any]], wrong: int) -> None:
    computer.wrong = wrong
    computer.run(120)
    computer.wrong = 0
    computer.run(120)

    assert [] == sink().messages
    assert any(entry["event"] == "clock.jumped" for entry in logs)


def test_a_machine_that_slept_asks_its_shops_before_it_decides(
    tmp_path: Path, installed: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    computer = machine(installed(), tmp_path, monkeypatch, daemon=True)
    computer.place("1", ship_by=MORNING + 30 * HOUR)
    computer.run(60)
    sink().messages.clear()
    computer.true += 29 * HOUR
    computer.place("1", status="shipped", shipped_at=MORNING + HOUR)

    computer.run(60)

    assert {"WAS_DOWN", "SCAN_UNKNOWN"} == {message.data["reason"] for message in sink().messages}


def test_a_rehearsal_in_the_future_leaves_nothing_waiting_and_is_not_called_a_wrong_clock(installed: Install) -> None:
    parts = installed(running.LIVE.replace('"live"', '"shadow"'))
    parts.poller.pretend = True
    say(running.a_late_order())
    tick(parts, MORNING + 2 * DAY)
    parts.poller.pretend = False
    feed().push(Page(records=[running.a_late_order("2")]))

    tick(parts, MORNING)

    assert {"1", "2"} == {case.order_id for case in rows(parts.database, "case")}
    assert [] == rows(parts.database, "action", step=jump.STEP)


@pytest.mark.parametrize(
    ("wall", "elapsed", "found"),
    [
        (10 * SECOND, 10.0, None),
        (10 * SECOND + SECOND // 2, 10.0, None),
        (8 * SECOND, 10.0, Jump(10 * SECOND, 8 * SECOND)),
        (HOUR, 10.0, Jump(10 * SECOND, HOUR)),
        (HOUR, 3600.0, Jump(0, HOUR, asleep=True)),
    ],
)
def test_two_clocks_tell_a_step_from_sleep(wall: int, elapsed: float, found: Jump | None) -> None:
    assert found == Reading(wall, elapsed).since(Reading(0, 0.0))
