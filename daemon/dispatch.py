"""Hop 3: from a due action to its outcome. Alerts fan out to sinks, tasks go to the list, effects are called.

Everything that leaves the process leaves through here, after the same checks: kill switch, mode, still useful.
"""

import asyncio
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping

from adapters.base import Feed
from daemon import delivery, effect, kill
from daemon.engine import Engine
from daemon.messages import Texts
from daemon.store import outbox, timers
from daemon.store.journal import Journal
from rules.model import Kind, Outcome

BATCH = 500
EFFECTS = frozenset({Kind.NEGOTIATE, Kind.CONTACT, Kind.COMPENSATE, Kind.DELIST, Kind.RELIST})


@dataclass(slots=True)
class Dispatcher:
    """What the hop needs: the engine's database, shops and sinks, the shops' feeds for fresh reads, texts.

    `call_timeout_s`: the hard end of one call. Nothing leaves before `quiet_until` (a start delay, instant).
    """

    engine: Engine
    feeds: dict[str, Feed] = field(default_factory=dict)
    texts: Texts = field(default_factory=Texts)
    call_timeout_s: float = 20.0
    quiet_until: int = 0

    def dispatch(self, now: int) -> int:
        """Do what is due at `now`; returns how many actions and deliveries were moved on.

        1. Give lost calls their outcome. 2. Fan planned actions out. 3. Call effects. 4. Deliver alerts.
        """
        if now < self.quiet_until or kill.is_on(self.engine.database):
            return 0
        moved = effect.recover(self, now)
        while count := self._fan_out(now):
            moved += count
            if count < BATCH:
                break
        return moved + asyncio.run(self._call(now))

    async def _call(self, now: int) -> int:
        return await effect.call_due(self, now) + await delivery.deliver_due(self, now)

    def _fan_out(self, now: int) -> int:
        """One transaction: planned actions become deliveries, tasks, calls to make, or void."""
        with self.engine.database.begin() as tx:
            rows = outbox.claim_planned(tx, now, BATCH)
            journal = Journal()
            for row in rows:
                reason = self.useless(tx, row, now)
                if reason is not None:
                    outbox.void(tx, journal, row, reason, now)
                    self._wake(tx, row, now)
                    continue
                self._send_on(tx, journal, row, now)
            journal.write(tx, now)
        return len(rows)

    def useless(self, tx: Connection, row: RowMapping, now: int) -> str | None:
        """Why a planned action must not be carried out any more, if so. Read from the newest stored state."""
        if self.engine.shops.mode(Kind(row["kind"])) != "live":
            return "MODE_SHADOW"
        if row["not_after"] is not None and now > row["not_after"]:
            return "MISSED_WINDOW"
        if row["order_id"] is not None and not outbox.is_open_case(tx, row):
            return "CASE_CLOSED"
        if row["cause"] is not None and row["step"] == "alert" and not outbox.members_of(tx, row["cause"], now):
            return "ALL_RESOLVED"
        return None

    def _send_on(self, tx: Connection, journal: Journal, row: RowMapping, now: int) -> None:
        kind = Kind(row["kind"])
        outlets = self.engine.sinks.for_kind(kind)
        if kind is Kind.TASK or (kind in EFFECTS and not self._can_call(row)):
            outbox.set_action(
                tx, row, Outcome.NEEDS_HUMAN, now, request=self.texts.task(tx, self.engine.shops, row, now)
            )
            outbox.note_outcome(journal, row, "outcome", now, Outcome.NEEDS_HUMAN, "TASK_FOR_A_PERSON")
            outlets = self.engine.sinks.for_kind(Kind.TASK)
        elif kind in EFFECTS:
            outbox.set_action(tx, row, Outcome.READY, now, due_at=now)
            return
        elif not outlets:
            outbox.set_action(tx, row, Outcome.REFUSED, now, note="NO_SINK")
            outbox.note_outcome(journal, row, "outcome", now, Outcome.REFUSED, "NO_SINK")
            return
        else:
            outbox.set_action(tx, row, Outcome.READY, now)
        zone = self.engine.shops.get(row["shop"]).policy.zone
        outbox.add_deliveries(tx, [delivery.queued(row, outlet, zone, now) for outlet in outlets])

    def _can_call(self, row: RowMapping) -> bool:
        """An effect is called only with a fresh read of the order and a sink that can carry it out."""
        shop = self.engine.shops.get(row["shop"])
        return shop.fresh_read == "live" and bool(self.engine.sinks.for_kind(Kind(row["kind"])))

    def _wake(self, tx: Connection, row: RowMapping, now: int) -> None:
        """Let a voided action's order be decided again."""
        if row["order_id"] is not None:
            timers.wake(tx, timers.ORDER, [(row["shop"], row["order_id"], row["seller"], now)], past=True)
