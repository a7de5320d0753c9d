"""Alerts on their way to sinks: at least once, each sink for itself, folded into digests under rate limits."""

import asyncio
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import RowMapping

from adapters.base import Message, Permanent, Receipt, Transient
from daemon.adapter import Outlet
from daemon.store import outbox, timers
from daemon.store.journal import Journal
from rules.instant import HOUR, MINUTE, SECOND
from rules.model import Outcome

if TYPE_CHECKING:
    from daemon.dispatch import Dispatcher

log = structlog.get_logger()
CHUNK = 25
MAX_AGE = 24 * HOUR
"""An alert nobody could be told for this long is given up and shown as undelivered."""
MAX_AGE_LIMITED = 90 * MINUTE
"""A robot that has refused for its rate limit this long would only speak of things long past."""

Answer = Receipt | Exception


def queued(row: RowMapping, outlet: Outlet, zone: ZoneInfo, now: int) -> dict[str, Any]:
    """The delivery row of an action for one outlet, due now or when the outlet may next speak."""
    return {
        "action_key": row["key"],
        "sink": outlet.name,
        "seller": row["seller"],
        "shop": row["shop"],
        "created_at": now,
        "due_at": now if outlet.hours is None else outlet.hours.next_open(now, zone),
        "outcome": Outcome.READY,
    }


async def deliver_due(dispatcher: "Dispatcher", now: int) -> int:
    """Deliver what is due, all sinks at once; a slow or failing sink never holds another."""
    outlets = dispatcher.engine.sinks.outlets.values()
    return sum(await asyncio.gather(*(_outlet(dispatcher, outlet, now) for outlet in outlets)))


async def _outlet(dispatcher: "Dispatcher", outlet: Outlet, now: int) -> int:
    """One sink's due deliveries: one by one within its limit, else folded into one digest."""
    moved = 0
    while True:
        parcel = await asyncio.to_thread(_next_parcel, dispatcher, outlet, now)
        if not parcel:
            return moved
        calls = [_call(outlet, message, now, dispatcher.call_timeout_s) for _, message in parcel]
        answers = await asyncio.gather(*calls)
        results = list(zip(parcel, answers, strict=True))
        await asyncio.to_thread(_settle, dispatcher, results, now)
        moved += len(parcel)


Parcel = list[tuple[list[RowMapping], Message]]
"""Messages to send now, each with the deliveries it settles (several for a digest)."""


def _next_parcel(dispatcher: "Dispatcher", outlet: Outlet, now: int) -> Parcel:
    """Claim what may be sent now. In one transaction: claim, drop what is no longer true, mark as calling."""
    with dispatcher.engine.database.begin() as tx:
        allowed, next_at = _allowance(tx, outlet, now)
        if allowed == 0:
            outbox.put_off(tx, outlet.name, next_at)
            return []
        fold = outbox.waiting(tx, outlet.name, now) > allowed
        rows = outbox.claim_deliveries(tx, outlet.name, now, CHUNK * 8 if fold else min(CHUNK, allowed))
        journal = Journal()
        live: list[tuple[RowMapping, RowMapping]] = []
        for row in rows:
            action = dispatcher.texts.action(tx, row["action_key"])
            reason = dispatcher.useless(tx, action, now)
            if reason is None:
                outbox.set_delivery(tx, row, Outcome.CALLING, now, due_at=now, lease_until=now + outbox.LEASE)
                live.append((row, action))
                continue
            outbox.set_delivery(tx, row, Outcome.VOID, now, note=reason)
            outbox.finish_alert(tx, row["action_key"], now)
            outbox.note_outcome(journal, action, "voided", now, Outcome.VOID, reason)
        journal.write(tx, now)
        compose = dispatcher.texts.alert
        shops = dispatcher.engine.shops
        parcels: Parcel = [([row], compose(tx, shops, action, now)) for row, action in live]
    if fold and len(parcels) > 1:
        return [([rows[0] for rows, _ in parcels], dispatcher.texts.digest([message for _, message in parcels]))]
    return parcels


def _allowance(tx: Any, outlet: Outlet, now: int) -> tuple[int, int]:
    """(calls the sink may take now, when it may take the next one)."""
    limit = outlet.sink.capabilities.per_minute
    if limit is None:
        return CHUNK, now
    used = outbox.calls_since(tx, outlet.name, now - MINUTE)
    return max(limit - len(used), 0), (used[0] + MINUTE if used else now)


async def _call(outlet: Outlet, message: Message, now: int, timeout_s: float) -> Answer:
    """One call with a hard time-out; whatever goes wrong comes back as a value."""
    try:
        async with asyncio.timeout(timeout_s):
            return await outlet.sink.deliver(message, now)
    except Exception as error:
        return error


def _settle(dispatcher: "Dispatcher", results: list[tuple[tuple[list[RowMapping], Message], Answer]], now: int) -> None:
    """Write what became of the calls, in one transaction."""
    with dispatcher.engine.database.begin() as tx:
        journal = Journal()
        for (rows, _), answer in results:
            for row in rows:
                outcome, values = judge(row, answer, now)
                if not outbox.set_delivery(tx, row, outcome, now, attempts=row["attempts"] + 1, **values):
                    continue
                outbox.finish_alert(tx, row["action_key"], now)
                action = dispatcher.texts.action(tx, row["action_key"])
                outbox.note_outcome(journal, action, "delivery", now, outcome, f"{row['sink']}: {values['note']}")
                log.info(
                    "alert.delivery", key=row["action_key"], sink=row["sink"], outcome=outcome, note=values["note"]
                )
        journal.write(tx, now)


def judge(row: RowMapping, answer: Answer, now: int) -> tuple[Outcome, dict[str, Any]]:
    """Outcome and next try of one delivery. Alerts are told at least once: what is uncertain goes again."""
    if isinstance(answer, Receipt):
        return Outcome.SETTLED, {"note": answer.note or "told"}
    note = f"{type(answer).__name__}: {answer}"[:300]
    age = now - row["created_at"]
    if isinstance(answer, Permanent):
        return Outcome.REFUSED, {"note": note}
    if isinstance(answer, Transient) and answer.retry_after_s is not None:
        if age >= MAX_AGE_LIMITED:
            return Outcome.REFUSED, {"note": f"rate limit for over 90 min: {note}"[:300]}
        return Outcome.READY, {"note": note, "due_at": now + int(answer.retry_after_s * SECOND)}
    if age >= MAX_AGE:
        return Outcome.REFUSED, {"note": f"given up after a day: {note}"[:300]}
    key = f"{row['action_key']}/{row['sink']}"
    wait = timers.backoff(row["attempts"], key, first_s=15, most_s=900)
    return Outcome.READY, {"note": note, "due_at": now + wait}
