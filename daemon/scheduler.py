"""When things run: one pass (`tick`) for cron and tests, or the service under systemd.

Beats only wake the hops, by the monotonic clock; what is due is in the database.
"""

import contextlib
import queue
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from daemon import boot, clock, config, health, housekeeping, kill, metrics, notify, roster, scans
from daemon.beat import Beats
from daemon.config import Config
from daemon.control import Handler, Request, Server, path_of
from daemon.dispatch import Dispatcher
from daemon.engine import Engine
from daemon.errors import ConfigError
from daemon.evidence import anchors
from daemon.installation import Installation, build, usable
from daemon.lane import Lane
from daemon.messages import Texts
from daemon.poll import Poller
from daemon.store import backlog, feeds, meta, outbox, policies, timers
from daemon.store.database import Database, check_schema, open_database
from daemon.store.journal import Journal
from daemon.watch import watch
from rules.instant import SECOND

log = structlog.get_logger()
HOPS = ("poll", "decide", "dispatch")
DECISIONS = frozenset({timers.POOL, timers.ORDER, timers.CAUSE})
DECIDED = (*sorted(DECISIONS), timers.WATCH, timers.HEALTH, timers.SCAN)
"""The kinds of timers that `decide` looks after."""


@dataclass(slots=True)
class Parts:
    """The running parts of one installation on one database."""

    database: Database
    installation: Installation
    engine: Engine
    poller: Poller
    dispatcher: Dispatcher


def assemble(database: Database, installation: Installation, now: int, *, pretend: bool = False) -> Parts:
    """Wire the hops, and give every configured shop its feed row and timers.

    `pretend`: `now` is not this moment (`tick --at`); facts later than it wait.
    """
    engine = Engine(database=database, shops=installation.shops, sinks=installation.sinks)
    settings = installation.config.daemon
    with database.begin() as tx:
        for name in installation.feeds:
            feeds.ensure(tx, installation.shops.get(name), now)
        journal = Journal()
        policies.remember(tx, journal, installation.shops, now)
        journal.write(tx, now)
        timers.policy_changed(tx, installation.shops.playbook.digest, now)
        roster.taken_on(tx, installation.sinks, installation.shops, now)
    return Parts(
        database=database,
        installation=installation,
        engine=engine,
        poller=Poller(engine=engine, feeds=installation.feeds, pretend=pretend),
        dispatcher=Dispatcher(
            engine=engine,
            feeds=installation.feeds,
            texts=Texts(settings.language),
            flag=kill.flag_path(config.url_of(installation.config), installation.config.base),
            call_timeout_s=settings.call_timeout / SECOND,
        ),
    )


def begin(parts: Parts, now: int) -> None:
    """What a start does and a reload does not: report the time away, and look at every feed before deciding.

    Under SQLite's lock nobody else is alive: what a lost process held is free at once, not when its lease ends.
    """
    settings, database = parts.installation.config.daemon, parts.database
    boot.report(parts.engine, now, settings.boot_report_after)
    parts.engine.waiting_for_poll = set(parts.installation.feeds)
    parts.dispatcher.quiet_until = now + settings.start_delay
    shops = [parts.installation.shops.get(name) for name in parts.installation.feeds]
    with database.begin() as tx:
        if database.is_sqlite:
            timers.release(tx)
            outbox.release(tx, now)
        timers.wake(tx, timers.FEED, [(shop.name, "feed", shop.seller, now) for shop in shops])


def tick(parts: Parts, now: int) -> dict[str, int]:
    """One pass of all three hops at `now`; returns how much each did."""
    polled = parts.poller.poll(now)
    decided = decide(parts.engine, now)
    dispatched = parts.dispatcher.dispatch(now)
    with parts.database.begin() as tx:
        boot.alive(tx, now)
    return {"polled": polled, "decided": decided, "dispatched": dispatched}


def decide(engine: Engine, now: int) -> int:
    """Everything that is decided at `now`: orders and causes, then the feeds and shops themselves."""
    with engine.database.begin() as tx:
        due = backlog.due_kinds(tx, now, *DECIDED)
    done = engine.decide(now) if due & DECISIONS else 0
    # what happened to an order may have made its shop's health due just now
    done += health.look(engine, now) if done or timers.HEALTH in due else 0
    done += watch(engine, now) if timers.WATCH in due else 0
    return done + (scans.remind(engine, now) if timers.SCAN in due else 0)


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
    _patient_until: int = 0
    _alive_at: int = 0

    def run(self) -> None:
        """Run until SIGTERM or SIGINT. Raises ConfigError, SchemaOutdated, Busy or Unavailable before it starts."""
        settings = config.load(self.path)
        database = open_database(config.url_of(settings))
        try:
            check_schema(database)
            now = clock.now()
            self.parts = assemble(database, _build(settings, database), now)
            begin(self.parts, now)
            self._patient_until = now + POLL_GRACE
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
        with contextlib.ExitStack() as between:
            for turn in self._turns.values():
                between.enter_context(turn)
            before = self.parts.dispatcher
            self.parts = assemble(self.parts.database, installation, clock.now())
            self.parts.dispatcher.quiet_until = before.quiet_until
            before.stopping = True
        log.info("reload.done", shops=len(installation.shops.known))
        notify.notify("STATUS=reloaded")

    def _serve(self, settings: Config) -> None:
        server = Server(path_of(settings), self._handle)
        beats = Beats([(name, self._beating(name, job), seconds) for name, job, seconds in self._jobs(settings)])
        with contextlib.ExitStack() as stack:
            if settings.daemon.metrics is not None:
                metrics.serve(self.parts.database, settings.daemon.metrics)
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
        now = clock.now()
        if now >= self._patient_until:
            self.parts.engine.waiting_for_poll.clear()
        decide(self.parts.engine, now)
        if now >= self._alive_at + SIGN_OF_LIFE:
            self._live(now)

    def _live(self, now: int) -> None:
        with self.parts.database.begin() as tx:
            boot.alive(tx, now)
        self._alive_at = now

    def _dispatch(self) -> None:
        """Start the calls that are due; a slow one goes on in the loop while the others are made."""
        now, dispatcher = clock.now(), self.parts.dispatcher
        if not dispatcher.is_idle(now):
            self._calling.do(dispatcher.start_due(now))

    def _housekeeping(self) -> None:
        settings = self.parts.installation.config
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
                with self._turns.get(name, contextlib.nullcontext()):
                    job()
            except Exception:
                log.exception("hop.failed", hop=name)
            self._beats[name] = clock.monotonic()

        return beat

    def _handle(self, request: Request) -> dict[str, Any]:
        return self.handler(self.parts.database, self.parts.installation)(request)

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


SIGN_OF_LIFE = 30 * SECOND
"""How often a running daemon says that it lives (µs): by so much a boot report may be wrong after a crash."""
POLL_GRACE = 60 * SECOND
"""How long decisions wait for a first poll after a start (µs)."""
