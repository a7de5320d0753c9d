"""Effects: money, messages to buyers, agreements, listings. One protocol, one call per intent (design §8).

fresh read -> durable intent (`calling`) -> last check without I/O -> call -> classify -> outcome + evidence.
An answer that does not come is never taken for a no: the outcome says so, and a person or a ledger decides.
"""

import asyncio
import hashlib
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import RowMapping

from adapters.base import AdapterError, Message, Permanent, Receipt, Snapshot, Transient
from daemon import kill
from daemon.adapter import Outlet
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
            outbox.set_action(tx, row, outcome, now, due_at=due, note="the caller was lost during the call")
            outbox.note_outcome(journal, row, "outcome", now, outcome, "CALL_LOST")
        journal.write(tx, now)
    return len(rows)


async def call_due(dispatcher: "Dispatcher", now: int) -> int:
    """Carry out the effects that are ready, one chunk per pass, shops side by side."""
    rows = await asyncio.to_thread(_claim, dispatcher, now)
    if not rows:
        return 0
    by_shop: dict[str, list[RowMapping]] = {}
    for row in rows:
        by_shop.setdefault(row["shop"], []).append(row)
    await asyncio.gather(*(_shop(dispatcher, mine, now) for mine in by_shop.values()))
    return len(rows)


def _claim(dispatcher: "Dispatcher", now: int) -> list[RowMapping]:
    with dispatcher.engine.database.begin() as tx:
        return outbox.claim_effects(tx, now, CHUNK)


async def _shop(dispatcher: "Dispatcher", rows: list[RowMapping], now: int) -> None:
    """One shop's effects, one after the other: a slow shop holds only itself."""
    for row in rows:
        outlet = dispatcher.engine.sinks.for_kind(Kind(row["kind"]))[0]
        if not await _refresh(dispatcher, row, now):
            continue
        message = await asyncio.to_thread(_intend, dispatcher, row, now)
        if message is None:
            continue
        answer = await _call(dispatcher, outlet, row, message, now)
        await asyncio.to_thread(_settle, dispatcher, row, answer, now)


async def _refresh(dispatcher: "Dispatcher", row: RowMapping, now: int) -> bool:
    """Read the order from the platform and decide it anew; False (and put off) when it cannot be read."""
    if row["order_id"] is None:
        return True
    try:
        async with asyncio.timeout(dispatcher.call_timeout_s):
            snapshot = await dispatcher.feeds[row["shop"]].fresh(row["order_id"], now)
    except (AdapterError, TimeoutError, KeyError) as error:
        await asyncio.to_thread(_put_off, dispatcher, row, now, f"no fresh read: {error}")
        return False
    if snapshot is not None:
        await asyncio.to_thread(_take_in, dispatcher, snapshot, now)
    return True


def _take_in(dispatcher: "Dispatcher", snapshot: Snapshot, now: int) -> None:
    engine = dispatcher.engine
    with engine.database.begin() as tx:
        journal = Journal()
        ingest.ingest(tx, journal, engine.shops, [snapshot], now)
        journal.write(tx, now)
    engine.decide(now)


def _intend(dispatcher: "Dispatcher", row: RowMapping, now: int) -> Message | None:
    """The durable intent: still useful, then `calling` with attempt and request hash; None when void."""
    with dispatcher.engine.database.begin() as tx:
        journal = Journal()
        reason = dispatcher.useless(tx, row, now)
        message = None
        if reason is not None:
            outbox.void(tx, journal, row, reason, now)
        else:
            message = dispatcher.texts.effect(tx, dispatcher.engine.shops, row, now)
            digest = hashlib.blake2b(f"{message.key}\0{message.text}".encode(), digest_size=16).hexdigest()
            held = outbox.set_action(
                tx, row, Outcome.CALLING, now, attempts=row["attempts"] + 1, request=digest,
                lease_until=now + outbox.LEASE,
            )  # fmt: skip
            message = message if held else None
        journal.write(tx, now)
    return message


async def _call(
    dispatcher: "Dispatcher", outlet: Outlet, row: RowMapping, message: Message, now: int
) -> Receipt | Exception:
    """Last check without waiting, then the call with a hard time-out."""
    if kill.is_on(dispatcher.engine.database) or dispatcher.engine.shops.mode(Kind(row["kind"])) != "live":
        return Transient("stopped before the call")
    try:
        async with asyncio.timeout(dispatcher.call_timeout_s):
            return await outlet.sink.deliver(message, now)
    except Exception as error:
        return error


def _settle(dispatcher: "Dispatcher", row: RowMapping, answer: Receipt | Exception, now: int) -> None:
    outcome, note, due = _judge(dispatcher, row, answer, now)
    with dispatcher.engine.database.begin() as tx:
        journal = Journal()
        if outbox.set_action(tx, row, outcome, now, note=note, due_at=due):
            outbox.note_outcome(journal, row, "outcome", now, outcome, note)
            log.info("action.dispatched", key=row["key"], outcome=outcome, attempt=row["attempts"] + 1)
        journal.write(tx, now)


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
