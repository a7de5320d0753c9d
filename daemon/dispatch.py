"""Hop 3: from a due action to its outcome. Alerts fan out to sinks, tasks go to the list, effects are called.

Everything that leaves the process leaves through here, after the same checks: kill switch, mode, still useful.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, RowMapping

from adapters.base import Feed
from daemon import delivery, effect, gaps, grant, hush, kill
from daemon.engine import Engine
from daemon.messages import Texts
from daemon.store import listings, orders, outbox, scans, timers
from daemon.store.journal import Journal
from daemon.watch import is_fresh
from rules import delist, key, packs, play
from rules.cause import POST, REMOVE
from rules.delist import BY_PERSON, UNDO
from rules.model import NO_HISTORY, History, Kind, Order, Outcome

log = structlog.get_logger()
BATCH = 500
EFFECTS = frozenset({Kind.NEGOTIATE, Kind.CONTACT, Kind.COMPENSATE, Kind.DELIST, Kind.RELIST})
_WHILE_SHORT = (Kind.DELIST, POST)
_AFTERWARDS = (Kind.RELIST, REMOVE)
Works = dict[str, Callable[[], Coroutine[Any, Any, int]]]
"""Calls to make, by who is called: each shop's effects and each sink's deliveries are a work of their own."""


@dataclass(slots=True)
class Dispatcher:
    """What the hop needs: the engine's database, shops and sinks, the shops' feeds for fresh reads, texts.

    `call_timeout_s`: the hard end of one call. Nothing leaves before `quiet_until` (a start delay, instant), while
    the kill switch is on (`flag`: its file), or once `stopping`. `in_flight`: works under way at this moment.
    `granting`: one intent at a time, so that two shops of a seller cannot both take the last message a buyer may get.
    """

    engine: Engine
    feeds: dict[str, Feed] = field(default_factory=dict)
    texts: Texts = field(default_factory=Texts)
    flag: Path | None = None
    call_timeout_s: float = 20.0
    quiet_until: int = 0
    stopping: bool = False
    in_flight: "dict[str, asyncio.Task[int]]" = field(default_factory=dict)
    granting: threading.Lock = field(default_factory=threading.Lock)

    def dispatch(self, now: int) -> int:
        """One pass: do what is due at `now` and wait for every call; returns how much was moved on."""
        moved, works = self.prepare(now)
        return moved + (asyncio.run(self._wait_for(works)) if works else 0)

    async def start_due(self, now: int) -> int:
        """Do what is due and start the calls without waiting for them; one that is slow holds no other."""
        moved, works = await asyncio.to_thread(self.prepare, now)
        self._start(works)
        return moved

    def is_idle(self, now: int) -> bool:
        """Whether nothing is to be moved on, or nothing may be: the state of nearly every second, so a single read."""
        if now < self.quiet_until or self.stopping:
            return True
        with self.engine.database.begin() as tx:
            return outbox.is_idle(tx, now)

    def prepare(self, now: int) -> tuple[int, Works]:
        """1. Settle lost calls. 2. Take back needless tasks. 3. Fan planned actions out. 4. See whom to call."""
        if kill.is_on(self.engine.database, self.flag) or self.is_idle(now):
            return 0, {}
        moved = effect.recover(self, now) + self._take_back(now)
        while count := self._fan_out(now):
            moved += count
            if count < BATCH:
                break
        with self.engine.database.begin() as tx:
            waiting, known = self.engine.waiting_for_poll, self.engine.shops.knows
            shops = [shop for shop in outbox.shops_due(tx, now) if shop not in waiting and known(shop)]
            sinks = delivery.known_sinks(self, outbox.sinks_due(tx, now))
        works: Works = {f"shop {shop}": partial(effect.carry_out, self, shop, now) for shop in shops}
        works |= {f"sink {outlet.name}": partial(delivery.deliver, self, outlet, now) for outlet in sinks}
        return moved, works

    async def _wait_for(self, works: Works) -> int:
        return sum(await asyncio.gather(*self._start(works)))

    def _start(self, works: Works) -> list["asyncio.Task[int]"]:
        """Start what is not under way already."""
        started = []
        for name, work in works.items():
            if name not in self.in_flight:
                task = self.in_flight[name] = asyncio.create_task(self._alone(name, work))
                started.append(task)
        return started

    async def _alone(self, name: str, work: Callable[[], Coroutine[Any, Any, int]]) -> int:
        """One work; whatever goes wrong stays with it."""
        try:
            return await work()
        except Exception:
            log.exception("dispatch.failed", work=name)
            return 0
        finally:
            del self.in_flight[name]

    def stopped(self, connection: Connection) -> bool:
        """Whether nothing more may leave, asked again before every call is intended."""
        return self.silenced() or kill.stored(connection)

    def silenced(self) -> bool:
        """The part of `stopped` that needs no database: for the last look before a call."""
        return self.stopping or (self.flag is not None and kill.raised(self.flag))

    def _ours(self, tx: Connection, rows: list[RowMapping], now: int) -> list[RowMapping]:
        """Those of configured shops. What is planned for others waits until they are renamed, retired or back."""
        ours = []
        for row in rows:
            if self.engine.shops.knows(row["shop"]):
                ours.append(row)
                continue
            kept = {name: row[name] for name in ("attempts", "note")}
            outbox.set_action(tx, row, row["outcome"], row["outcome_at"], due_at=now + timers.STRANGE, **kept)
        return ours

    def useless(self, tx: Connection, row: RowMapping, now: int) -> str | None:
        """Why a planned action must not be carried out any more, if so. Read from the newest stored state."""
        if self.engine.shops.mode(Kind(row["kind"])) != "live":
            return "MODE_SHADOW"
        if row["not_after"] is not None and now > row["not_after"]:
            return "MISSED_WINDOW"
        if row["order_id"] is not None:
            return self._answered(tx, row, now) if outbox.is_open_case(tx, row) else "CASE_CLOSED"
        return self._overtaken(tx, row, now)

    def _answered(self, tx: Connection, row: RowMapping, now: int) -> str | None:
        """Which fact, seen since an effect was planned, makes it pointless, or why a message may not leave."""
        kind = Kind(row["kind"])
        if kind not in EFFECTS:
            return None
        reason, order, history = self._fact(tx, row, kind)
        if reason is not None or order is None or kind is not Kind.CONTACT:
            return reason
        return grant.refusal(tx, self.engine.shops.get(row["shop"]), row, order, history, now)

    def _fact(self, tx: Connection, row: RowMapping, kind: Kind) -> tuple[str | None, Order | None, History]:
        """Which fact makes an effect of this kind pointless, if one does; the order and its past as they are stored."""
        name = (row["shop"], row["order_id"])
        stored = orders.load(tx, {name}).get(name)
        history = orders.histories(tx, {name}).get(name, NO_HISTORY)
        if stored is None:
            return None, None, history
        opened_at = next(
            case.opened_at
            for case in history.cases
            if (case.violation, case.episode) == (row["violation"], row["episode"])
        )
        reason = play.answered(stored.order, history.events, opened_at, kind)
        return reason, stored.order, history

    def held_until(self, row: RowMapping, now: int) -> int | None:
        """Until when a message waits for its hours; None when it need not."""
        if row["kind"] != Kind.CONTACT or row["order_id"] is None:
            return None
        return grant.quiet_until(self.engine.shops.get(row["shop"]), row, now)

    def _overtaken(self, tx: Connection, row: RowMapping, now: int) -> str | None:
        """Why what was planned for a cause no longer fits it."""
        step, cause = row["step"], row["cause"]
        if step == "alert" and not outbox.members_of(tx, cause, now):
            return "ALL_RESOLVED"
        if step == "stale" and is_fresh(tx, self.engine.shops.get(row["shop"]), now):
            return "DATA_IS_BACK"
        if step in (gaps.UNWATCHED, gaps.REFUSED) and gaps.is_over(tx, self.engine.shops.get(row["shop"]), step):
            return "ALL_RESOLVED"
        if step == hush.STEP and hush.is_over(tx, row):
            return "RECEIVER_IS_BACK"
        if step == scans.STEP and not scans.left(tx, self.engine.shops.get(row["shop"]), row, now):
            return "ALL_RESOLVED"
        what = step.partition(":")[0]
        if row["reason"] in (BY_PERSON, UNDO) or what not in (*_WHILE_SHORT, *_AFTERWARDS):
            return None
        short = outbox.has_members(tx, cause)
        if what in _WHILE_SHORT:
            return None if short else "RESTOCKED"
        return "SHORT_AGAIN" if short else None

    def can_call(self, row: RowMapping) -> bool:
        """An effect is called only with a fresh read of the order and a sink that can carry it out."""
        place = key.listing(row["step"])
        shop = self.engine.shops.get(place[0] if place else row["shop"])
        return shop.fresh_read == "live" and bool(self.engine.sinks.for_kind(Kind(row["kind"])))

    def _beyond_share(self, tx: Connection, row: RowMapping, now: int) -> bool:
        """Whether a shop has had its day's share of listings stopped: beyond it a person decides.

        Granted here, in the order of (due_at, key), and not where it is decided: the batch must not matter.
        """
        place = key.listing(row["step"])
        if row["kind"] != Kind.DELIST or row["reason"] == BY_PERSON or place is None:
            return False
        shop = self.engine.shops.get(place[0])
        midnight = packs.midnight(packs.local_date(now, shop.policy.zone), shop.policy.zone)
        stopped = listings.stopped_since(tx, shop.name, midnight, but=row["key"])
        return delist.share_left(shop.policy.playbook.pool, listings.count_of(tx, shop.name), stopped) < 1

    def void(self, tx: Connection, journal: Journal, row: RowMapping, reason: str, now: int) -> None:
        """Put down that an action will not be carried out, and let its order be decided again."""
        outbox.void(tx, journal, row, reason, now)
        self.wake(tx, row, now)

    def wake(self, tx: Connection, row: RowMapping, now: int) -> None:
        """Let an action's order be decided again: what became of the action may open or end its next step.

        An alert that told nobody is none to its cause, which may have something to tell by now.
        """
        if row["order_id"] is not None:
            timers.wake(tx, timers.ORDER, [(row["shop"], row["order_id"], row["seller"], now)], past=True)
        elif row["step"] == "alert":
            timers.wake(tx, timers.CAUSE, [(row["shop"], row["cause"], row["seller"], now)])

    def hand_over(self, tx: Connection, journal: Journal, row: RowMapping, now: int) -> None:
        """Make a work item for a person of it, pre-filled, and tell the sinks that are for tasks."""
        text, buyer = self.texts.task(tx, self.engine.shops, row, now), grant.buyer_of(tx, row)
        if outbox.set_action(tx, row, Outcome.NEEDS_HUMAN, now, request=text, buyer=buyer, note=""):
            outbox.note_outcome(journal, row, "outcome", now, Outcome.NEEDS_HUMAN, "TASK_FOR_A_PERSON")
            delivery.queue(tx, self.engine.sinks, self.engine.shops, row, Kind.TASK, now)

    def _take_back(self, now: int) -> int:
        """One transaction: work items that nobody need do any more leave the list; the others stay as they are.

        One that cannot be judged stays too, and is looked at again later; it never stops the others.
        """
        with self.engine.database.begin() as tx:
            rows = self._ours(tx, outbox.claim_open_tasks(tx, now, BATCH), now)
            journal = Journal()
            for row in rows:
                again, tries = None, row["attempts"]
                try:
                    reason = self._needless(tx, row, now)
                except Exception:
                    log.exception("task.failed", key=row["key"])
                    reason, again, tries = None, now + timers.backoff(tries, row["key"]), tries + 1
                if reason is not None:
                    self.void(tx, journal, row, reason, now)
                else:
                    outbox.set_action(tx, row, Outcome.NEEDS_HUMAN, row["outcome_at"], due_at=again, attempts=tries)
            journal.write(tx, now)
        return len(rows)

    def _needless(self, tx: Connection, row: RowMapping, now: int) -> str | None:
        """Why a work item need not be done any more. One for a case that a person took over is still hers to do."""
        if row["order_id"] is None:
            return self._overtaken(tx, row, now)
        if outbox.is_closed_case(tx, row):
            return "CASE_CLOSED"
        step = self.engine.shops.get(row["shop"]).policy.playbook.step(row["violation"], row["step"])
        # what a platform leaves to people is an effect by its step, though a task by its kind
        return self._fact(tx, row, step.kind)[0] if step is not None and step.kind in EFFECTS else None

    def _fan_out(self, now: int) -> int:
        """One transaction: planned actions become deliveries, tasks, calls to make, or void."""
        with self.engine.database.begin() as tx:
            rows = self._ours(tx, outbox.claim_planned(tx, now, BATCH), now)
            journal = Journal()
            for row in rows:
                try:
                    self._send_on(tx, journal, row, now)
                except Exception as error:
                    log.exception("action.failed", key=row["key"])
                    wait = timers.backoff(row["attempts"], row["key"])
                    note = f"{type(error).__name__}: {error}"[:300]
                    tries = row["attempts"] + 1
                    outbox.set_action(tx, row, Outcome.PLANNED, now, due_at=now + wait, attempts=tries, note=note)
            journal.write(tx, now)
        return len(rows)

    def _send_on(self, tx: Connection, journal: Journal, row: RowMapping, now: int) -> None:
        kind = Kind(row["kind"])
        reason = self.useless(tx, row, now)
        if reason is not None:
            self.void(tx, journal, row, reason, now)
        elif (until := self.held_until(row, now)) is not None:
            outbox.set_action(tx, row, Outcome.PLANNED, now, due_at=until, note="QUIET_HOURS")
        elif kind is Kind.TASK or (kind in EFFECTS and not self.can_call(row)) or self._beyond_share(tx, row, now):
            self.hand_over(tx, journal, row, now)
        elif kind in EFFECTS:
            outbox.set_action(tx, row, Outcome.READY, now, due_at=now)
        elif self.engine.sinks.for_kind(kind):
            outbox.set_action(tx, row, Outcome.READY, now)
            delivery.queue(tx, self.engine.sinks, self.engine.shops, row, kind, now)
        else:
            outbox.set_action(tx, row, Outcome.READY, now)
            outbox.note_outcome(journal, row, "outcome", now, Outcome.READY, "NO_SINK")
