"""Recurring work: again and again, one run at a time, each job for itself, to an orderly end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo

import pytest

from daemon.beat import Beats
from tests.daemon.running import PATIENCE_S, until

SOON = 0.001


@contextmanager
def beating(*jobs: Callable[[], object]) -> Iterator[Beats]:
    beats = Beats([(f"job {number}", job, SOON) for number, job in enumerate(jobs)])
    beats.start()
    try:
        yield beats
    finally:
        beats.stop()


def test_a_job_runs_again_and_again() -> None:
    runs: list[int] = []

    with beating(lambda: runs.append(1)):
        until(lambda: len(runs) > 3, "it runs again")


def test_a_job_that_takes_long_holds_no_other_and_never_runs_twice_at_once() -> None:
    go_on, slow, quick = threading.Event(), list[int](), list[int]()

    def long() -> None:
        slow.append(1)
        go_on.wait(PATIENCE_S)

    with beating(long, lambda: quick.append(1)):
        until(lambda: slow, "the slow one is under way")
        before = len(quick)
        until(lambda: len(quick) > before + 3, "the other goes on")
        assert [1] == slow
        go_on.set()


def test_the_end_waits_for_what_is_under_way_and_nothing_runs_afterwards() -> None:
    begun, go_on, done = list[int](), threading.Event(), list[int]()

    def job() -> None:
        begun.append(1)
        go_on.wait(PATIENCE_S)
        done.append(1)

    with beating(job) as beats:
        until(lambda: begun, "it runs")
        end = threading.Thread(target=beats.stop)
        end.start()
        go_on.set()
        end.join(PATIENCE_S)

        assert begun == done
        assert not beats._scheduler.running


@pytest.mark.parametrize("hours", [-1, 1, -24 * 3650, 24 * 3650])
def test_a_clock_that_is_set_holds_no_job_back(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    """Without the watch nothing would run until the clock has caught up."""
    monkeypatch.setattr("daemon.beat.WATCH_S", 0.01)
    runs: list[int] = []

    with beating(lambda: runs.append(1)):
        until(lambda: runs, "it runs")
        step = timedelta(hours=hours)
        monkeypatch.setattr("apscheduler.schedulers.base.datetime", clock_set_by(step))
        monkeypatch.setattr("daemon.clock.datetime", clock_set_by(step))
        before = len(runs)
        until(lambda: len(runs) > before + 3, "it goes on")


def clock_set_by(step: timedelta) -> type[datetime]:
    """A `datetime` whose now is that of a machine whose clock was set."""

    class Set(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + step  # noqa: TID251

    return Set
