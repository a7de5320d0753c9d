"""Recurring work under APScheduler, which holds however the wall clock is set.

APScheduler waits for moments of the wall clock: set back by an hour, it would run nothing for that hour. A watch by the
monotonic clock sees such a step and lets every job run again at once. Set ahead by years, its own interval trigger
would count every run that was missed: ours knows the next one alone.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from daemon import clock
from rules.instant import SECOND, to_datetime

WATCH_S = 1.0
"""How often the watch compares the two clocks: work stands still no longer than this after a step."""
STEP_S = 0.5
"""The wall clock was set when it moved by so much more or less than the monotonic one between two looks."""


class Every(BaseTrigger):  # type: ignore[misc]
    """Runs so many seconds after the last look, however long ago that was."""

    def __init__(self, seconds: float) -> None:
        self._period = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The next run; `now` is the wall clock's."""
        return now + self._period


@dataclass(slots=True)
class Beats:
    """Recurring jobs, so that a slow one holds up no other. One run at a time each; missed ones are made up by one."""

    jobs: list[tuple[str, Callable[[], object], float]]
    """(name, job, seconds between two runs). A job lets nothing escape; its first run comes after that time too."""
    _over: threading.Event = field(default_factory=threading.Event)
    _scheduler: BackgroundScheduler = field(init=False)
    _watch: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(len(self.jobs))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )
        self._watch = threading.Thread(target=self._watching, name="clock watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        for name, job, seconds in self.jobs:
            self._scheduler.add_job(job, Every(seconds), id=name, name=name)
        self._scheduler.start()
        self._watch.start()

    def stop(self) -> None:
        """Begin no further run, and wait for those under way."""
        self._over.set()
        self._watch.join()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _watching(self) -> None:
        ahead = _ahead_s()
        while not self._over.wait(WATCH_S):
            before, ahead = ahead, _ahead_s()
            if abs(ahead - before) >= STEP_S:
                self._run_now()

    def _run_now(self) -> None:
        """Take the next run of every job from the clock as it is now."""
        at = to_datetime(clock.now())
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=at)


def _ahead_s() -> float:
    """By how much the wall clock is ahead of the monotonic one."""
    return clock.now() / SECOND - clock.monotonic()
