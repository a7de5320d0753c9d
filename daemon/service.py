"""The service: hops on their beats, commands over the socket, reload and stop by signal."""

import contextlib
import queue
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from daemon import boot, clock, config, housekeeping, jump, metrics, notify
from daemon.beat import Beats
from daemon.config import Config
from daemon.control import Handler, Request, Server, path_of
from daemon.errors import ConfigError
from daemon.evidence import anchors
from daemon.installation import Installation, build, usable
from daemon.jump import Jump, Reading
from daemon.lane import Lane
from daemon.scheduler import Parts, ask_first, assemble, begin, cap, decide
from daemon.store import meta, stamps
from daemon.store.database import Database, check_schema, open_database
from rules.instant import DAY

log = structlog.get_logger()
HOPS = ("poll", "decide", "dispatch")


@dataclass(slots=True)
class Service:
    """The daemon: hops on a schedule, commands over the socket, reload and stop by signal."""

    path: Path
    handler: Callable[[Database, Installation], Handler]
    parts: Parts = field(init=False)
    _wishes: "queue.SimpleQueue[str]" = field(default_factory=queue.SimpleQueue)
    _beats: dict[str, float] = field(default_factory=dict)
    _turns: dict[str, threading.Lock] = field(default_factory=lambda: {name: threading.Lock() for name in HOPS})
    _polling: Lane = field(default_factory=lambda: Lane("poll"))
    _calling: Lane = field(default_factory=lambda: Lane("calls"))
    _looking: threading.Lock = field(default_factory=threading.Lock)
    _seen: Reading = field(default_factory=jump.read)
    _again: tuple[float, Jump] | None = None
    _patient_until: float = 0
    _alive_at: float = 0
    _no_prune_before: float = 0

    def run(self) -> None:
        """Run until SIGTERM or SIGINT. Raises ConfigError, SchemaOutdated, Busy or Unavailable before it starts."""
        settings = config.load(self.path)
        database = open_database(config.url_of(settings))
        try:
            check_schema(database)
            now = clock.now()
            self.parts = assemble(database, _build(settings, database), now)
            self._seen = jump.read()
            begin(self.parts, now, self._seen)
            self._patient_until = clock.monotonic() + POLL_GRACE_S
            self._serve(settings)
        finally:
            database.close()

    def stop(self) -> None:
        """Ask the service to end: calls under way are settled, the rest stays due. Safe in a signal handler."""
        self._wishes.put("stop")

    def reload(self) -> None:
        """Take the file anew: the whole configuration, or none of it.

        It changes between two runs of each hop: one that still had the old shops would drop the timers of new ones.
        """
        try:
            settings = config.load(self.path)
            config.refuse_restart(self.parts.installation.config, settings)
            installation = _build(settings, self.parts.database)
        except ConfigError as error:
            log.error("reload.rejected", problems=str(error).splitlines())
            notify.notify("STATUS=reload rejected, the old configuration goes on")
            return
        self._between_hops(lambda: self._replace(installation))
        log.info("reload.done", shops=len(installation.shops.known))
        notify.notify("STATUS=reloaded")

    def _replace(self, installation: Installation) -> None:
        before = self.parts.dispatcher
        self.parts = assemble(self.parts.database, installation, clock.now())
        self.parts.dispatcher.quiet_until = before.quiet_until
        before.stopping = True

    def _serve(self, settings: Config) -> None:
        beats = Beats([(name, self._beating(name, job), seconds) for name, job, seconds in self._jobs(settings)])
        with contextlib.ExitStack() as stack:
            if settings.daemon.metrics is not None:
                metrics.serve(self.parts.database, settings.daemon.metrics)
            server = Server(path_of(settings), self._handle)
            server.start()
            stack.callback(server.stop)
            self._polling.start()
            stack.callback(self._polling.stop, 0)
            self._calling.start()
            stack.callback(self._end_calls)
            beats.start()
            stack.callback(beats.stop)
            self._signals()
            notify.notify("READY=1", "STATUS=running")
            log.info("daemon.started", shops=sorted(self.parts.installation.shops.known))
            while self._wish() != "stop":
                self.reload()
            notify.notify("STOPPING=1")
        self._live(clock.now())
        log.info("daemon.stopped")

    def _jobs(self, settings: Config) -> list[tuple[str, Callable[[], object], float]]:
        jobs: list[tuple[str, Callable[[], object], float]] = [
            ("poll", self._poll, 1),
            ("decide", self._decide, 1),
            ("dispatch", self._dispatch, 1),
            ("housekeeping", self._housekeeping, 3600),
        ]
        every = notify.watchdog_s()
        if every is not None:
            jobs.append(("watchdog", self._watchdog, every))
        return jobs

    def _poll(self) -> None:
        """Start what is due; a slow feed goes on in the loop while the others are polled again."""
        now, poller = clock.now(), self.parts.poller
        if poller.is_due(now):
            self._polling.do(poller.start_due(now))

    def _decide(self) -> None:
        now, moment = clock.now(), clock.monotonic()
        if moment >= self._patient_until:
            self.parts.engine.waiting_for_poll.clear()
        decide(self.parts.engine, now)
        if moment >= self._alive_at + SIGN_OF_LIFE_S:
            self._live(now)
            cap(self.parts, now)

    def _live(self, now: int) -> None:
        with self.parts.database.begin() as tx:
            boot.alive(tx, now)
            jump.leave(tx, self._seen)
        self._alive_at = clock.monotonic()

    def _look_at_clock(self) -> None:
        """Notice that the clock was set or the machine slept, before anything is done by what it says now."""
        with self._looking:
            before, self._seen = self._seen, jump.read()
            found = self._seen.since(before)
            if found is not None:
                self._mend(found)
            if self._again is not None and clock.monotonic() >= self._again[0]:
                since, self._again = self._again[1], None
                self._between_hops(lambda: self._bring_back(since))

    def _mend(self, found: Jump) -> None:
        self._between_hops(lambda: self._heal(found))
        if found.back:  # a call under way will be settled by the hour at which it began
            self._again = (clock.monotonic() + CALLS_END_S, found)
            return
        self._patient_until = clock.monotonic() + POLL_GRACE_S
        if found.now - found.was >= DAY and not found.asleep:
            self._no_prune_before = clock.monotonic() + 24 * 3600

    def _heal(self, found: Jump) -> None:
        parts, settings = self.parts, self.parts.installation.config.daemon
        parts.dispatcher.quiet_until = min(parts.dispatcher.quiet_until, found.now + settings.start_delay)
        if found.asleep:
            boot.report(parts.engine, found.now, settings.boot_report_after)
        else:
            with parts.database.begin() as tx:
                jump.mend(parts.engine, tx, found)
                boot.alive(tx, found.now)
        if not found.back:
            ask_first(parts, found.now)

    def _bring_back(self, found: Jump) -> None:
        now = clock.now()
        with self.parts.database.begin() as tx:
            stamps.bring_back(tx, now, now + found.was - found.now)

    def _between_hops(self, work: Callable[[], None]) -> None:
        """Do something while no hop is under way."""
        with contextlib.ExitStack() as between:
            for turn in self._turns.values():
                between.enter_context(turn)
            work()

    def _dispatch(self) -> None:
        """Start the calls that are due; a slow one goes on in the loop while the others are made."""
        now, dispatcher = clock.now(), self.parts.dispatcher
        if not dispatcher.is_idle(now):
            self._calling.do(dispatcher.start_due(now))

    def _housekeeping(self) -> None:
        settings = self.parts.installation.config
        if clock.monotonic() >= self._no_prune_before:  # a clock that leapt a day ahead may be wrong
            housekeeping.prune(self.parts.database, clock.now() - settings.daemon.keep_closed)
        anchors.daily(self.parts.database, anchors.path_of(config.url_of(settings), settings.base), clock.now())

    def _watchdog(self) -> None:
        """A sign of life to systemd, but only while every hop moves: a wedged one gets us restarted."""
        late = [name for name in ("decide", "dispatch") if clock.monotonic() - self._beats.get(name, 0) > 120]
        if not late:
            notify.notify("WATCHDOG=1")

    def _beating(self, name: str, job: Callable[[], object]) -> Callable[[], None]:
        self._beats[name] = clock.monotonic()

        def beat() -> None:
            try:
                if name in self._turns:
                    self._look_at_clock()
                with self._turns.get(name, contextlib.nullcontext()):
                    job()
            except Exception:
                log.exception("hop.failed", hop=name)
            self._beats[name] = clock.monotonic()

        return beat

    def _handle(self, request: Request) -> dict[str, Any]:
        answer = self.handler(self.parts.database, self.parts.installation)(request)
        if request.argv[:2] == ["shops", "rename"] and answer["code"] == 0:
            self._wishes.put("reload")  # the file has the new name already
        return answer

    def _end_calls(self) -> None:
        """Begin no new call; let each one under way come to its own end."""
        dispatcher = self.parts.dispatcher
        dispatcher.stopping = True
        self._calling.stop(2 * dispatcher.call_timeout_s + 1)

    def _wish(self) -> str:
        """What the next signal asks for.

        A signal that arrives just before a blocking wait begins does not end it, and its handler runs only when
        the main thread runs again: so the wait is short.
        """
        while True:
            with contextlib.suppress(queue.Empty):
                return self._wishes.get(timeout=0.5)

    def _signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        signal.signal(signal.SIGHUP, lambda *_: self._wishes.put("reload"))


def _build(settings: Config, database: Database) -> Installation:
    with database.begin() as tx:
        key = meta.privacy_key(tx)
        confirmed = meta.confirmed(tx)
    return usable(build(settings, privacy_key=key, confirmed=confirmed))


SIGN_OF_LIFE_S = 30
"""How often a running daemon says that it lives: by so much a boot report may be wrong after a crash."""
POLL_GRACE_S = 60
"""How long decisions wait for a first poll after a start, or after a time away."""
CALLS_END_S = 90
"""When polls and calls that were under way as the clock was set back are surely settled."""
