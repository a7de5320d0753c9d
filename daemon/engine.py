"""The engine: one order's way from feed to evidence, in three hops over rows whose `due_at` has passed.

    poll      feed due   -> feed.poll(cursor)      -> TX: changed orders and stock, wake-ups, cursor
    decide    timer due  -> decide(order, …, now)  -> TX: actions, next wake-up, evidence
    dispatch  action due -> still useful? -> TX: calling -> call -> TX: outcome, evidence

This file holds `decide`; `daemon.poll` and `daemon.dispatch` hold the hops that call adapters. Live, replay
and tests run the same functions: only the source of `now` and the effectors differ.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from daemon.adapter import Sinks
from daemon.shops import Shops
from daemon.store import causes, decisions, health, orders, stock, timers
from daemon.store.database import Database, retrying
from daemon.store.journal import Journal
from rules.cause import decide_cause
from rules.decide import decide
from rules.health import Budget
from rules.model import NO_HISTORY, History

log = structlog.get_logger()
Work = Callable[[Connection, list[timers.Claimed], int], None]
"""What a hop does with claimed subjects at `now`, in the claim's own transaction."""
BATCH = 500
"""Subjects decided in one transaction: 20-40x over one by one, some tens of ms of lock time."""


@dataclass(slots=True)
class Engine:
    """What the hops need. `own_time`: decide each timer at its own due time (replay), not at the clock's.

    `batch`: subjects per transaction. `shards`: only these (None = all). `waiting_for_poll`: shops whose first
    poll after a start is not back yet; their orders wait for it. `strangers`: shops that nobody configured, as they
    are met.
    """

    database: Database
    shops: Shops
    sinks: Sinks = field(default_factory=Sinks)
    own_time: bool = False
    batch: int = BATCH
    shards: tuple[int, ...] | None = None
    waiting_for_poll: set[str] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)
    budgets: health.Budgets = field(default_factory=health.Budgets)

    def decide(self, now: int) -> int:
        """Hop 2: decide everything due at `now`; returns how many subjects were decided.

        Pools first (they write which lines are short), then orders, then the causes orders belong to.
        """
        done = 0
        for hop in (self.allocate, self.decide_orders, self.decide_causes):
            done += hop(now)
        return done

    def decide_orders_once(self, now: int) -> int:
        """Decide each order due at `now` once, though its next timer may be due by then too (replay's rounds)."""
        return self._orders(now)

    def allocate(self, now: int) -> int:
        """Allocate the stock of the pools due at `now`."""
        return self._drain(self._pools, now)

    def _pools(self, now: int) -> int:
        """1. Claim due pools. 2. Allocate their stock. 3. Wake the orders whose cover changed."""
        return self._hop(timers.POOL, self._allocate_claimed, now)

    def _allocate_claimed(self, tx: Connection, claimed: list[timers.Claimed], now: int) -> None:
        for claim in claimed:
            at = self._moment(claim, now)
            woken = stock.reallocate(tx, self.shops, claim.seller, claim.id, at)
            timers.wake(tx, timers.ORDER, [(*name, claim.seller, at) for name in woken], past=True)
            causes.wake_pool(tx, claim.seller, claim.id, at)
        timers.settle(tx, [timers.Result(claim, None, self._moment(claim, now)) for claim in claimed])

    def decide_orders(self, now: int) -> int:
        """Decide the orders due at `now`, batch by batch."""
        return self._drain(self._orders, now)

    def decide_causes(self, now: int) -> int:
        """Decide the causes due at `now`; to be called when no order is due any more."""
        return self._drain(self._causes, now)

    def _orders(self, now: int) -> int:
        """1. Claim due orders. 2. Decide each from its facts and past. 3. Write all in one transaction."""
        return self._hop(timers.ORDER, self._decide_claimed, now)

    def _hop(self, kind: str, work: Work, now: int) -> int:
        """Claim what is due of a kind and do it in one transaction.

        When that cannot be done or written, each subject is tried for itself: the one at fault is put off.
        """
        try:
            return retrying(partial(self._batch, kind, work, now, self.batch))
        except OperationalError:
            raise
        except Exception:
            log.exception("batch.failed", kind=kind, batch=self.batch)
        done = 0
        while done < self.batch and self._alone(kind, work, now):
            done += 1
        return done

    def _batch(self, kind: str, work: Work, now: int, limit: int) -> int:
        with self.database.begin() as tx:
            claimed = self._claim(tx, kind, now, limit)
            if claimed:
                work(tx, claimed, now)
        return len(claimed)

    def _alone(self, kind: str, work: Work, now: int) -> int:
        """One subject in a transaction of its own; what fails is put off instead of tried for ever."""
        try:
            return retrying(partial(self._batch, kind, work, now, 1))
        except OperationalError:
            raise
        except Exception as error:
            with self.database.begin() as tx:
                for claim in self._claim(tx, kind, now, 1):
                    self._put_off(tx, claim, self._moment(claim, now), error)
            return 1

    def _claim(self, tx: Connection, kind: str, now: int, limit: int) -> list[timers.Claimed]:
        """What is due, but for shops that wait for a poll, and those that nobody configured: theirs stays due."""
        while True:
            waiting = self.waiting_for_poll if kind == timers.ORDER else set[str]()
            claimed = timers.take(tx, kind, now, limit, shards=self.shards, not_shops=sorted(waiting | self.strangers))
            strange = {claim.shop for claim in claimed if kind != timers.POOL and not self.shops.knows(claim.shop)}
            if not strange:
                return claimed
            self.strangers |= strange

    def claim_looks(self, tx: Connection, kind: str, now: int, limit: int) -> list[timers.Claimed]:
        """Looks at shops that are due, under a lease. A shop that nobody configured is left alone for a while.

        Its timer must never end here: another process may know it already.
        """
        claims = timers.claim(tx, kind, now, limit, shards=self.shards)
        strange = [claim for claim in claims if not self.shops.knows(claim.shop)]
        timers.settle(tx, [timers.Result(claim, now + timers.STRANGE, now) for claim in strange])
        return [claim for claim in claims if claim not in strange]

    def _decide_claimed(self, tx: Connection, claimed: list[timers.Claimed], now: int) -> None:
        journal = Journal()
        stored = orders.load(tx, {(claim.shop, claim.id) for claim in claimed})
        pasts = orders.histories(tx, {(claim.shop, claim.id) for claim in claimed if claim.past})
        moments = [(claim, self._moment(claim, now)) for claim in claimed]
        budgets = self.budgets.at(tx, self.shops, {(claim.shop, at) for claim, at in moments})
        decided = [
            one
            for claim, at in moments
            if (one := self._decide_one(tx, claim, stored, pasts, at, budgets.get((claim.shop, at))))
        ]
        decisions.write(tx, journal, self.shops, decided)
        journal.write(tx, now)

    def _decide_one(
        self,
        tx: Connection,
        claim: timers.Claimed,
        stored: dict[tuple[str, str], orders.Stored],
        pasts: dict[tuple[str, str], History],
        at: int,
        budget: Budget | None,
    ) -> decisions.Decided | None:
        """One order's decision; whatever goes wrong with it stays with it (backoff), the others go on."""
        found = stored.get((claim.shop, claim.id))
        if found is None:
            timers.settle(tx, [timers.Result(claim, None, at, past=bool(claim.past))])
            return None
        try:
            policy = self.shops.get(claim.shop, found.order.platform).policy
            policy = policy if budget is None else replace(policy, budget=budget)
            history = orders.standing(pasts.get((claim.shop, claim.id), NO_HISTORY), claim, found)
            return decisions.Decided(claim, found, history, decide(found.order, policy, history, at), at)
        except Exception as error:
            self._put_off(tx, claim, at, error)
            return None

    def _put_off(self, tx: Connection, claim: timers.Claimed, at: int, error: Exception) -> None:
        what = {"kind": claim.kind, "shop": claim.shop, "id": claim.id, "attempt": claim.attempts + 1}
        log.error("subject.failed", **what, exc_info=error)
        wait = timers.backoff(claim.attempts, f"{claim.shop}/{claim.id}")
        timers.fail(tx, claim, at + wait, f"{type(error).__name__}: {error}")

    def _causes(self, now: int) -> int:
        """1. Claim due causes. 2. Decide each from its members at that instant. 3. Write, in one transaction."""
        return self._hop(timers.CAUSE, self._decide_causes, now)

    def _decide_causes(self, tx: Connection, claimed: list[timers.Claimed], now: int) -> None:
        journal = Journal()
        moments = [(claim, self._moment(claim, now)) for claim in claimed]
        decided = []
        for (claim, at), loaded in zip(moments, causes.load(tx, self.shops, moments), strict=True):
            policy = self.shops.get(claim.shop).policy
            decision = decide_cause(loaded.cause, loaded.members, policy, loaded.told, at)
            decided.append((claim, loaded, decision, at))
        causes.write(tx, journal, self.shops, decided)
        journal.write(tx, now)

    def _moment(self, claim: timers.Claimed, now: int) -> int:
        """Replay decides at the timer's own due time; live at the clock's now, once, however late."""
        return claim.due_at if self.own_time else now

    def _drain(self, hop: Callable[[int], int], now: int) -> int:
        """Run a batch hop until nothing more is due: live a short batch says so, in replay only an empty one."""
        done = 0
        while count := retrying(partial(hop, now)):
            done += count
            if count < self.batch and not self.own_time:
                break
        return done
