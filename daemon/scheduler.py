"""When things run: the parts of an installation, and one pass (`tick`) over them, for cron, tests and the service."""

from dataclasses import dataclass

from sqlalchemy import Connection

from daemon import boot, config, gaps, health, jump, kill, register, roster, scans
from daemon.dispatch import Dispatcher
from daemon.engine import Engine
from daemon.installation import Installation
from daemon.jump import Reading
from daemon.messages import Texts
from daemon.poll import Poller
from daemon.store import backlog, feeds, outbox, policies, strangers, timers
from daemon.store.database import Database
from daemon.store.journal import Journal
from daemon.watch import watch
from rules.instant import SECOND

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
        register.take_on(tx, installation.config, now)
        for name in installation.feeds:
            feeds.ensure(tx, installation.shops.get(name), now)
            gaps.wake(tx, installation.shops.get(name), now)
        journal = Journal()
        policies.remember(tx, journal, installation.shops, now)
        journal.write(tx, now)
        timers.policy_changed(tx, installation.shops.playbook.digest, now)
        strangers.rest(tx, installation.shops, now)
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


def begin(parts: Parts, now: int, seen: Reading | None = None) -> None:
    """What a start does and a reload does not: report the time away, and look at every feed before deciding."""
    settings = parts.installation.config.daemon
    _steady(parts, now, seen)
    boot.report(parts.engine, now, settings.boot_report_after)
    parts.dispatcher.quiet_until = now + settings.start_delay
    with parts.database.begin() as tx:
        _free(tx, parts.database, now)
    ask_first(parts, now)


def ask_first(parts: Parts, now: int) -> None:
    """Ask every feed at once, and let orders wait for the answer: much may have happened unseen."""
    parts.engine.waiting_for_poll = set(parts.installation.feeds)
    shops = [parts.installation.shops.get(name) for name in parts.installation.feeds]
    with parts.database.begin() as tx:
        timers.wake(tx, timers.FEED, [(shop.name, "feed", shop.seller, now) for shop in shops])


def cap(parts: Parts, now: int, early: int = 0) -> None:
    """Let no feed wait longer than its own period, whatever was written while a clock was wrong or a period longer.

    One that is due within `early` µs is due at once.
    """
    shops = parts.installation.shops
    with parts.database.begin() as tx:
        feeds.cap(tx, [shops.get(name) for name in parts.installation.feeds], now, early)


def tick(parts: Parts, now: int, seen: Reading | None = None) -> dict[str, int]:
    """One pass of all three hops at `now`; returns how much each did.

    `seen`: what both clocks of the machine read, to compare with the last pass. None where time is only played.
    """
    if not parts.poller.pretend:
        _steady(parts, now, seen)
    cap(parts, now, EARLY)
    polled = parts.poller.poll(now)
    decided = decide(parts.engine, now)
    dispatched = parts.dispatcher.dispatch(now)
    with parts.database.begin() as tx:
        boot.alive(tx, now, pretend=parts.poller.pretend)
    return {"polled": polled, "decided": decided, "dispatched": dispatched}


def _steady(parts: Parts, now: int, seen: Reading | None) -> None:
    """Heal what the last run left in a future that is none: its clock was wrong, or now was only pretended."""
    with parts.database.begin() as tx:
        found = jump.since_last_run(tx, seen) if seen is not None else None
        told = found is not None
        for last, real in boot.last_runs(tx):
            if found is None:
                found, told = jump.back_since(last, now), real
        if found is None:
            return
        jump.mend(parts.engine, tx, found, told=told)
        _free(tx, parts.database, now)
        boot.alive(tx, now)


def _free(tx: Connection, database: Database, now: int) -> None:
    """Under SQLite's lock nobody else is alive: what a lost process held is free at once, not when its lease ends."""
    if database.is_sqlite:
        timers.release(tx)
        outbox.release(tx, now)


def decide(engine: Engine, now: int) -> int:
    """Everything that is decided at `now`: orders and causes, then the feeds and shops themselves."""
    with engine.database.begin() as tx:
        due = backlog.due_kinds(tx, now, *DECIDED)
    done = engine.decide(now) if due & DECISIONS else 0
    # what happened to an order may have made its shop's health due just now
    done += health.look(engine, now) if done or timers.HEALTH in due else 0
    done += watch(engine, now) if timers.WATCH in due else 0
    return done + (scans.remind(engine, now) if timers.SCAN in due else 0)


EARLY = 5 * SECOND
"""How much too early a command that runs once a minute may be (µs) and still ask every feed each time."""
