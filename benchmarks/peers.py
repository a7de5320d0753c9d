"""Other schedulers that could carry one job an order: huey on SQLite as it ships, APScheduler with a SQLite store."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.executors.debug import DebugExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.base import BaseScheduler
from huey import SqliteHuey  # type: ignore[import-untyped]
from sqlalchemy import create_engine, event

from benchmarks.rounds import Stopwatch
from rules.instant import to_datetime

PAST = timedelta(days=3650)
done: list[str] = []
"""What jobs were run; a job does nothing else, which favours the peers."""


def work(order_id: str) -> None:
    """What a peer does about an order: next to nothing."""
    done.append(order_id)


def huey(place: Path, jobs: int, due: int) -> Stopwatch:
    """Jobs scheduled for the past: read the schedule, enqueue, dequeue and execute in this process.

    As it ships: WAL, and SQLite's own default of a full sync for each commit.
    """
    queue = SqliteHuey("bench", filename=str(place / "huey.db"))
    task = queue.task()(work)
    eta = (to_datetime(due) - PAST).replace(tzinfo=None)
    for number in range(jobs):
        queue.add_schedule(task.s(f"SO-{number:09d}", eta=eta))
    done.clear()
    with Stopwatch() as watch:
        for ready in queue.read_schedule():
            queue.enqueue(ready)
        while (ready := queue.dequeue()) is not None:
            queue.execute(ready)
    assert len(done) == jobs
    queue.storage.close()
    return watch


class _Driven(BaseScheduler):  # type: ignore[misc]
    """A scheduler without a thread: a pass is made when somebody asks for it."""

    def wakeup(self) -> None:
        """Nobody sleeps."""

    def shutdown(self, wait: bool = True) -> None:
        """End the stores and executors."""
        super().shutdown(wait)

    def pass_once(self) -> None:
        """Run everything that is due."""
        self._process_jobs()


def apscheduler(place: Path, jobs: int, due: int) -> Stopwatch:
    """One date job per order, due in the past, never dropped as a misfire; run by a synchronous executor.

    WAL and a full sync, as ours; its own default journal is slower.
    """
    engine = create_engine(f"sqlite:///{place / 'apscheduler.db'}")

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    scheduler = _Driven(
        jobstores={"default": SQLAlchemyJobStore(engine=engine)},
        executors={"default": DebugExecutor()},
        job_defaults={"misfire_grace_time": None, "coalesce": True},
        timezone=UTC,
    )
    scheduler.start(paused=True)
    when = datetime.fromtimestamp((due / 1_000_000) - PAST.total_seconds(), UTC)
    for number in range(jobs):
        order_id = f"SO-{number:09d}"
        scheduler.add_job(work, "date", run_date=when, args=[order_id], id=order_id)
    done.clear()
    with Stopwatch() as watch:
        scheduler.resume()
        scheduler.pass_once()
    assert len(done) == jobs
    scheduler.shutdown()
    engine.dispose()
    return watch
