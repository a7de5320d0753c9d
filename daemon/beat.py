"""Recurring work by the monotonic clock: setting the wall clock stops or hurries none of it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from daemon import clock


@dataclass(slots=True)
class Beats:
    """Recurring jobs, each in a thread of its own, so that a slow one holds up no other. One run at a time each."""

    jobs: list[tuple[str, Callable[[], object], float]]
    """(name, job, seconds between two runs). A job lets nothing escape; its first run comes after that time too."""
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin."""
        for name, job, seconds in self.jobs:
            thread = threading.Thread(target=self._run, args=(job, seconds), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Begin no further run, and wait for those under way."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, job: Callable[[], object], seconds: float) -> None:
        """Runs that were missed while one took long are made up for by a single one."""
        due = clock.monotonic() + seconds
        while not self._over.wait(max(due - clock.monotonic(), 0)):
            job()
            due = max(due + seconds, clock.monotonic())
