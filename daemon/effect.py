"""Effects: money, messages to buyers, agreements, listings. One protocol, one call per intent (design §8).

fresh read -> durable intent (`calling`) -> last check without I/O -> call -> classify -> outcome + evidence.
An answer that does not come is never taken for a no: the outcome says so, and a person or a ledger decides.
"""

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Connection, RowMapping

from adapters.base import AdapterError, Message, Permanent, Receipt, Snapshot, Transient
from daemon import clock, grant
from daemon.delivery import SPELL_S
from daemon.store import ingest, outbox, timers
from daemon.store.journal import Journal
from rules.model import Kind, Outcome

if TYPE_CHECKING:
    from daemon.dispatch import Dispatcher

log = structlog.get_logger()
CHUNK = 25
CONVERGENT = frozenset({Kind.DELIST, Kind.RELIST})
"""Kinds that may be called again whatever happened: they set a state."""


def recover(dispatcher: "Dispatcher", now: int) -> int:
    """Calls whose caller is gone: nobody knows whether they were made. Never repeated blindly."""
    with dispatcher.engine.database.begin() as tx:
        rows = outbox.lost_calls(tx, now, CHUNK)
        journal = Journal()
        for row in rows:
            outcome = _unknown(dispatcher, row)
            due = now if outcome is Outcome.READY else None
            _move_on(dispatcher, tx, row, outcome, now, due_at=due, note="the caller was lost during the call")
            outbox.note_outcome(journal, row, "outcome", now, outcome, "CALL_LOST")
            if outcome is not Outcome.READY:
                dispatcher.wake(tx, row, now)
        journal.write(tx, now)
    return len(rows)


async def carry_out(dispatcher: "Dispatcher", shop: str, now: int) -> int:
    """One shop's effects that are ready, one after the other: a slow shop holds only itself."""
    done, began = 0, clock.monotonic()
    while clock.monotonic() - began < SPELL_S:
        row = await asyncio.to_thread(_claim, dispatcher, shop, now)
        if row is None:
            break
        await _one(dispatcher, row, now)
        done += 1
    return done


def _claim(dispatcher: "Dispatcher", shop: str, now: int) -> RowMapping | None:
    with dispatcher.engine.database.begin() as tx:
        return None if dispatcher.stopped(tx) else next(iter(outbox.claim_effects(tx, shop, now, 1)), None)


async def _one(dispatcher: "Dispatcher", row: RowMapping, now: int) -> None:
    """One effect. What goes wrong before its intent is written puts it off: nothing has left the process."""
    try:
        gone = await _refresh(dispatcher, row, now)
        message = await asyncio.to_thread(_intend, dispatcher, row, gone, now)
    except Exception as error:
        if not isinstance(error, AdapterError | TimeoutError):
            log.exception("effect.failed", key=row["key"])
        await asyncio.to_thread(_put_off, dispatcher, row, now, f"{type(error).__name__}: {error}")
        return
    if message is not None:
        answer = await _call(dispatcher, row, message, now)
        await asyncio.to_thread(_settle, dispatcher, row, answer, now)


async def _refresh(dispatcher: "Dispatcher", row: RowMapping, now: int) -> bool:
    """Read the order from the platform and decide it anew; returns whether the platform no longer knows it."""
    feed = dispatcher.feeds.get(row["shop"])
    if row["order_id"] is None or feed is None or not dispatcher.can_call(row):
        return False
    async with asyncio.timeout(dispatcher.call_timeout_s):
        snapshot = await feed.fresh(row["order_id"], now)
    if snapshot is not None:
        await asyncio.to_thread(_take_in, dispatcher, snapshot, now)
    return snapshot is None


def _take_in(dispatcher: "Dispatcher", snapshot: Snapshot, now: int) -> None:
    engine = dispatcher.engine
    with engine.database.begin() as tx:
        journal = Journal()
        ingest.ingest(tx, journal, engine.shops, [snapshot], now)
        journal.write(tx, now)
    engine.decide(now)


def _intend(dispatcher: "Dispatcher", row: RowMapping, gone: bool, now: int) -> Message | None:
    """The durable intent: still useful, then `calling` with attempt and request hash; None when it is not called."""
    with dispatcher.granting, dispatcher.engine.database.begin() as tx:
        journal = Journal()
        reason = "ORDER_GONE" if gone else dispatcher.useless(tx, row, now)
        message = None
        if dispatcher.stopped(tx):
            outbox.set_action(tx, row, Outcome.READY, now, due_at=row["due_at"])
        elif reason is not None:
            dispatcher.void(tx, journal, row, reason, now)
        elif (until := dispatcher.held_until(row, now)) is not None:
            outbox.set_action(tx, row, Outcome.READY, now, due_at=until, note="QUIET_HOURS")
        elif not dispatcher.can_call(row):
            dispatcher.hand_over(tx, journal, row, now)
        else:
            message = _intent(dispatcher, tx, journal, row, now)
        journal.write(tx, now)
    return message


def _intent(dispatcher: "Dispatcher", tx: Connection, journal: Journal, row: RowMapping, now: int) -> Message | None:
    message = dispatcher.texts.effect(tx, dispatcher.engine.shops, row, now)
    digest = hashlib.blake2b(f"{message.key}\0{message.text}".encode(), digest_size=16).hexdigest()
    tries = row["attempts"] + 1
    until = now + outbox.LEASE
    values = {"attempts": tries, "request": digest, "lease_until": until, "buyer": grant.buyer_of(tx, row)}
    if not outbox.set_action(tx, row, Outcome.CALLING, now, **values):
        return None
    outbox.note_outcome(journal, row, "attempt", now, Outcome.CALLING, f"attempt {tries}")
    return message


async def _call(dispatcher: "Dispatcher", row: RowMapping, message: Message, now: int) -> Receipt | Exception:
    """Last check without waiting, then the call with a hard time-out."""
    kind = Kind(row["kind"])
    outlets = dispatcher.engine.sinks.for_kind(kind)
    if dispatcher.silenced() or not outlets or dispatcher.engine.shops.mode(kind) != "live":
        return Transient("stopped before the call")
    try:
        async with asyncio.timeout(dispatcher.call_timeout_s):
            return await outlets[0].sink.deliver(message, now)
    except Exception as error:
        return error


def _settle(dispatcher: "Dispatcher", row: RowMapping, answer: Receipt | Exception, now: int) -> None:
    outcome, note, due = _judge(dispatcher, row, answer, now)
    with dispatcher.engine.database.begin() as tx:
        journal = Journal()
        if _move_on(dispatcher, tx, row, outcome, now, note=note, due_at=due):
            outbox.note_outcome(journal, row, "outcome", now, outcome, note)
            log.info("action.dispatched", key=row["key"], outcome=outcome, attempt=row["attempts"] + 1)
            if outcome is not Outcome.READY:
                dispatcher.wake(tx, row, now)
        journal.write(tx, now)


def _move_on(
    dispatcher: "Dispatcher", tx: Connection, row: RowMapping, outcome: Outcome, now: int, **values: Any
) -> bool:
    """Give a call its outcome. What a person must look into becomes a work item that can be read."""
    if outcome is Outcome.NEEDS_HUMAN:
        values["request"] = dispatcher.texts.task(tx, dispatcher.engine.shops, row, now, uncertain=True)
    return outbox.set_action(tx, row, outcome, now, **values)


def _judge(
    dispatcher: "Dispatcher", row: RowMapping, answer: Receipt | Exception, now: int
) -> tuple[Outcome, str, int | None]:
    """(outcome, note, next try). Only a call that surely did not happen is made again."""
    if isinstance(answer, Receipt):
        return Outcome.SETTLED, answer.reference or answer.note or "done", None
    note = f"{type(answer).__name__}: {answer}"[:300]
    if isinstance(answer, Permanent):
        return Outcome.REFUSED, note, None
    if isinstance(answer, Transient):
        wait = int(answer.retry_after_s * 1_000_000) if answer.retry_after_s is not None else None
        return Outcome.READY, note, now + (wait or timers.backoff(row["attempts"], row["key"]))
    outcome = _unknown(dispatcher, row)
    return outcome, note, now + timers.backoff(row["attempts"], row["key"]) if outcome is Outcome.READY else None


def _unknown(dispatcher: "Dispatcher", row: RowMapping) -> Outcome:
    """What an unknown answer means, by what the effect and its sink can promise."""
    kind = Kind(row["kind"])
    outlets = dispatcher.engine.sinks.for_kind(kind)
    if kind in CONVERGENT or (outlets and outlets[0].sink.capabilities.idempotent and kind is not Kind.CONTACT):
        return Outcome.READY
    return Outcome.MAYBE_SENT if kind is Kind.CONTACT else Outcome.NEEDS_HUMAN


def _put_off(dispatcher: "Dispatcher", row: RowMapping, now: int, note: str) -> None:
    with dispatcher.engine.database.begin() as tx:
        due = now + timers.backoff(row["attempts"], row["key"])
        outbox.set_action(tx, row, Outcome.READY, now, due_at=due, note=note[:300], attempts=row["attempts"] + 1)
