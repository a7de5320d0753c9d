"""Recurring work: again and again, one run at a time, each job for itself, to an orderly end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
    began, go_on, done = threading.Event(), threading.Event(), list[int]()

    def job() -> None:
        began.set()
        go_on.wait(PATIENCE_S)
        done.append(1)

    with beating(job) as beats:
        began.wait(PATIENCE_S)
        end = threading.Thread(target=beats.stop)
        end.start()
        go_on.set()
        end.join(PATIENCE_S)

        assert [1] == done
        assert not [thread for thread in beats._threads if thread.is_alive()]
