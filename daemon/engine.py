"""The engine: one order's way from feed to evidence, in three hops over rows whose `due_at` has passed.

    poll      feed due   -> feed.poll(cursor)      -> TX: changed orders and stock, wake-ups, cursor
    decide    timer due  -> decide(order, …, now)  -> TX: actions, next wake-up, evidence
    dispatch  action due -> still useful? -> TX: calling -> call -> TX: outcome, evidence

This file holds `decide`; `daemon.poll` and `daemon.dispatch` hold the hops that call adapters. Live, replay
and tests run the same functions: only the source of `now` and the effectors differ.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection

from daemon.adapter import Sinks
from daemon.shops import Shops
from daemon.store import causes, decisions, orders, stock, timers
from daemon.store.database import Database
from daemon.store.journal import Journal
from rules.cause import decide_cause
from rules.decide import decide
from rules.model import NO_HISTORY, History

log = structlog.get_logger()
BATCH = 500
"""Subjects decided in one transaction: 20-40x over one by one, some tens of ms of lock time."""


@dataclass(slots=True)
class Engine:
    """What the hops need. `own_time`: decide each timer at its own due time (replay), not at the clock's."""

    database: Database
    shops: Shops
    sinks: Sinks = field(default_factory=Sinks)
    own_time: bool = False
    shards: tuple[int, ...] | None = None
    waiting_for_poll: set[str] = field(default_factory=set)

    def decide(self, now: int) -> int:
        """Hop 2: decide everything due at `now`; returns how many subjects were decided.

        Pools first (they write which lines are short), then orders, then the causes orders belong to.
        """
        done = 0
        for hop in (self.allocate, self.decide_orders, self.decide_causes):
            done += hop(now)
        return done

    def allocate(self, now: int) -> int:
        """Allocate the stock of the pools due at `now`."""
        return _drain(self._pools, now)

    def _pools(self, now: int) -> int:
        """1. Claim due pools. 2. Allocate their stock. 3. Wake the orders whose cover changed."""
        with self.database.begin() as tx:
            claimed = timers.claim(tx, timers.POOL, now, BATCH, shards=self.shards)
            for claim in claimed:
                at = self._moment(claim, now)
                woken = stock.reallocate(tx, claim.seller, claim.id, at)
                timers.wake(tx, timers.ORDER, [(*name, claim.seller, at) for name in woken], past=True)
                causes.wake_pool(tx, claim.seller, claim.id, at)
            timers.settle(tx, [timers.Result(claim, None, self._moment(claim, now)) for claim in claimed])
        return len(claimed)

    def decide_orders(self, now: int) -> int:
        """Decide the orders due at `now`, batch by batch."""
        return _drain(self._orders, now)

    def decide_causes(self, now: int) -> int:
        """Decide the causes due at `now`; to be called when no order is due any more."""
        return _drain(self._causes, now)

    def _orders(self, now: int) -> int:
        """1. Claim due orders. 2. Decide each from its facts and past. 3. Write all in one transaction."""
        with self.database.begin() as tx:
            claimed = timers.claim(
                tx, timers.ORDER, now, BATCH, shards=self.shards, not_shops=sorted(self.waiting_for_poll)
            )
            if not claimed:
                return 0
            journal = Journal()
            stored = orders.load(tx, {(claim.shop, claim.id) for claim in claimed})
            pasts = orders.histories(tx, {(claim.shop, claim.id) for claim in claimed if claim.past})
            decided = [
                one
                for claim in claimed
                if (one := self._decide_one(tx, claim, stored, pasts, self._moment(claim, now)))
            ]
            decisions.write(tx, journal, self.shops, decided)
            journal.write(tx, now)
        return len(claimed)

    def _decide_one(
        self,
        tx: Connection,
        claim: timers.Claimed,
        stored: dict[tuple[str, str], orders.Stored],
        pasts: dict[tuple[str, str], History],
        at: int,
    ) -> decisions.Decided | None:
        """One order's decision; whatever goes wrong with it stays with it (backoff), the others go on."""
        found = stored.get((claim.shop, claim.id))
        if found is None:
            timers.settle(tx, [timers.Result(claim, None, at, past=bool(claim.past))])
            return None
        try:
            policy = self.shops.get(claim.shop, found.order.platform).policy
            history = orders.standing(pasts.get((claim.shop, claim.id), NO_HISTORY), claim, found)
            return decisions.Decided(claim, found, history, decide(found.order, policy, history, at), at)
        except Exception as error:
            log.exception("order.failed", shop=claim.shop, order_id=claim.id, attempt=claim.attempts + 1)
            wait = timers.backoff(claim.attempts, f"{claim.shop}/{claim.id}")
            timers.fail(tx, claim, at + wait, f"{type(error).__name__}: {error}")
            return None

    def _causes(self, now: int) -> int:
        """1. Claim due causes. 2. Decide each from its members at that instant. 3. Write, in one transaction."""
        with self.database.begin() as tx:
            claimed = timers.claim(tx, timers.CAUSE, now, BATCH, shards=self.shards)
            if not claimed:
                return 0
            journal = Journal()
            moments = [(claim, self._moment(claim, now)) for claim in claimed]
            decided = []
            for (claim, at), loaded in zip(moments, causes.load(tx, moments), strict=True):
                policy = self.shops.get(claim.shop).policy
                decision = decide_cause(loaded.cause, loaded.members, policy, loaded.told, at)
                decided.append((claim, loaded, decision, at))
            causes.write(tx, journal, self.shops, decided)
            journal.write(tx, now)
        return len(claimed)

    def _moment(self, claim: timers.Claimed, now: int) -> int:
        """Replay decides at the timer's own due time; live at the clock's now, once, however late."""
        return claim.due_at if self.own_time else now


def _drain(hop: Callable[[int], int], now: int) -> int:
    """Run a batch hop until a short batch says that nothing more is due."""
    done = 0
    while count := hop(now):
        done += count
        if count < BATCH:
            break
    return done
