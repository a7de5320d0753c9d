"""Alerts on their way to sinks: at least once, each sink for itself, folded into digests under rate limits."""

import asyncio
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, RowMapping

from adapters.base import Message, Permanent, Receipt, Transient
from daemon import clock, digest
from daemon.adapter import Outlet
from daemon.digest import Brief
from daemon.store import meta, outbox, timers
from daemon.store.journal import Journal
from rules.instant import HOUR, MINUTE, SECOND
from rules.model import Kind, Outcome

if TYPE_CHECKING:
    from daemon.dispatch import Dispatcher

log = structlog.get_logger()
CHUNK = 25
FOLDED = 500
"""At most so many deliveries make one digest; the next begins where it ends."""
AT_ONCE = 5
"""More alerts than this at one moment are one digest: after an absence, or where days end alike in many shops."""
SPELL_S = 30.0
"""A pass goes on no longer than this (s): the next one has a fresh `now`, and leases are counted from it."""
WINDOW = MINUTE + 5 * SECOND
"""What a limit per minute is counted over: a call may reach the other side some seconds late."""
MAX_AGE = 24 * HOUR
"""An alert nobody could be told for this long is given up and shown as undelivered."""
MAX_AGE_LIMITED = 90 * MINUTE
"""A robot that has refused for its rate limit this long would only speak of things long past."""

Answer = Receipt | Exception


def queue(dispatcher: "Dispatcher", tx: Connection, row: RowMapping, kind: Kind, now: int) -> None:
    """Queue an action for every outlet of a kind, due now or when the outlet may next speak."""
    zone = dispatcher.engine.shops.get(row["shop"]).policy.zone
    outlets = dispatcher.engine.sinks.for_kind(kind)
    outbox.add_deliveries(tx, [_queued(row, outlet, zone, now) for outlet in outlets])


def _queued(row: RowMapping, outlet: Outlet, zone: ZoneInfo, now: int) -> dict[str, Any]:
    return {
        "action_key": row["key"],
        "sink": outlet.name,
        "seller": row["seller"],
        "shop": row["shop"],
        "created_at": now,
        "due_at": now if outlet.hours is None else outlet.hours.next_open(now, zone),
        "outcome": Outcome.READY,
    }


def known_sinks(dispatcher: "Dispatcher", tx: Connection, names: list[str], now: int) -> list[Outlet]:
    """The outlets of these sinks; what waits for a sink that is configured no more is given up, and said so."""
    outlets = dispatcher.engine.sinks.outlets
    for name in names:
        if name not in outlets:
            for row in outbox.claim_deliveries(tx, name, now, CHUNK * 8):
                outbox.set_delivery(tx, row, Outcome.REFUSED, now, note="NO_SINK")
                outbox.finish_alert(tx, row["action_key"], now)
    return [outlets[name] for name in names if name in outlets]


async def deliver(dispatcher: "Dispatcher", outlet: Outlet, now: int) -> int:
    """One sink's due deliveries: one by one within its limit, else folded into one digest."""
    moved, began = 0, clock.monotonic()
    while clock.monotonic() - began < SPELL_S:
        parcels = await asyncio.to_thread(_claim, dispatcher, outlet, now)
        if not parcels:
            break
        answers = await _call_all(dispatcher, outlet, parcels, now)
        await asyncio.to_thread(_settle, dispatcher, outlet, list(zip(parcels, answers, strict=True)), now)
        moved += sum(len(parcel.rows) for parcel in parcels)
    return moved


@dataclass(frozen=True, slots=True)
class Parcel:
    """One call to a sink, and the deliveries it settles: several for a digest, which names them or only counts them."""

    rows: list[RowMapping]
    message: Message
    counted: frozenset[str] = frozenset()


def _claim(dispatcher: "Dispatcher", outlet: Outlet, now: int) -> list[Parcel]:
    """The calls to make now. In one transaction: claim, drop what is no longer true, mark as calling."""
    with dispatcher.engine.database.begin() as tx:
        used = _used(tx, outlet, now)
        limit = outlet.sink.capabilities.per_minute
        allowed = CHUNK if limit is None else max(limit - len(used), 0)
        if dispatcher.stopped(tx):
            return []
        free_at = used[0] + WINDOW if allowed == 0 else dispatcher.held.get(outlet.name, now)
        if free_at > now:
            outbox.put_off(tx, outlet.name, free_at)
            return []
        folds = outlet.sink.capabilities.folds and outbox.waiting(tx, outlet.name, now) > min(allowed, AT_ONCE)
        rows = outbox.claim_deliveries(tx, outlet.name, now, FOLDED if folds else min(CHUNK, allowed))
        journal = Journal()
        composed = [(row, made) for row in rows if (made := _composed(dispatcher, tx, journal, outlet, row, now))]
        journal.write(tx, now)
        parcels = _parcels(composed, outlet, now, allowed if folds else None, dispatcher.texts.language)
        _mark(tx, outlet, parcels, used, now)
    return parcels


def _parcels(
    composed: list[tuple[RowMapping, Brief]], outlet: Outlet, now: int, calls: int | None, lang: str | None
) -> list[Parcel]:
    """The messages as the sink takes them: folded into at most `calls` (None: one by one), none too long."""
    room = outlet.sink.capabilities.text_bytes
    if calls is None or len(composed) < 2:
        return [Parcel([row], digest.whole(brief, now, room, lang)) for row, brief in composed]
    rows = {brief.message.key: row for row, brief in composed}
    sheets = digest.fold((brief for _, brief in composed), now, room=room, most=min(calls, digest.MOST), lang=lang)
    return [
        Parcel(
            [rows[brief.message.key] for brief in (*sheet.named, *sheet.counted)],
            sheet.message,
            frozenset(brief.message.key for brief in sheet.counted),
        )
        for sheet in sheets
    ]


def _mark(tx: Connection, outlet: Outlet, parcels: list[Parcel], used: list[int], now: int) -> None:
    """The durable intent. Each call counts for the rate limit from here on, whatever becomes of it."""
    until = now + outbox.LEASE
    for row in (row for parcel in parcels for row in parcel.rows):
        tries = row["attempts"] + 1
        outbox.set_delivery(tx, row, Outcome.CALLING, now, attempts=tries, due_at=now, lease_until=until)
    if parcels and outlet.sink.capabilities.per_minute is not None:
        meta.put(tx, f"calls/{outlet.name}", json.dumps([*used, *[now] * len(parcels)]))


def _composed(
    dispatcher: "Dispatcher", tx: Connection, journal: Journal, outlet: Outlet, row: RowMapping, now: int
) -> Brief | None:
    """The message of one delivery; None when it is no longer true, may not be told now, or cannot be made."""
    action = dispatcher.texts.action(tx, row["action_key"])
    zone = dispatcher.engine.shops.get(row["shop"]).policy.zone
    reason = "SUPERSEDED" if outbox.is_superseded(tx, row, action) else dispatcher.useless(tx, action, now)
    if reason is not None:
        outbox.set_delivery(tx, row, Outcome.VOID, now, note=reason)
        outbox.finish_alert(tx, row["action_key"], now)
        outbox.note_outcome(journal, action, "voided", now, Outcome.VOID, reason)
        return None
    if outlet.hours is not None and not outlet.hours.is_open(now, zone):
        outbox.set_delivery(tx, row, Outcome.READY, now, due_at=outlet.hours.next_open(now, zone))
        return None
    try:
        return dispatcher.texts.brief(tx, dispatcher.engine.shops, action, now)
    except Exception as error:
        log.exception("alert.failed", key=row["action_key"], sink=outlet.name)
        outcome, values = judge(row, error, now)
        outbox.set_delivery(tx, row, outcome, now, attempts=row["attempts"] + 1, **values)
        outbox.finish_alert(tx, row["action_key"], now)
        return None


def _used(tx: Connection, outlet: Outlet, now: int) -> list[int]:
    """When the calls were made that count for the sink's limit at this moment, oldest first."""
    said = meta.get(tx, f"calls/{outlet.name}") if outlet.sink.capabilities.per_minute is not None else None
    calls: list[int] = json.loads(said) if said else []
    return [at for at in calls if now - WINDOW < at <= now]


async def _call_all(dispatcher: "Dispatcher", outlet: Outlet, parcels: list[Parcel], now: int) -> list[Answer]:
    """The calls side by side; the messages of a digest one after the other, none after one that failed."""
    if all(len(parcel.rows) == 1 for parcel in parcels):
        return list(await asyncio.gather(*(_call(dispatcher, outlet, parcel, now) for parcel in parcels)))
    answers: list[Answer] = []
    for parcel in parcels:
        failed = bool(answers) and isinstance(answers[-1], Exception)
        answers.append(answers[-1] if failed else await _call(dispatcher, outlet, parcel, now))
    return answers


async def _call(dispatcher: "Dispatcher", outlet: Outlet, parcel: Parcel, now: int) -> Answer:
    """One call with a hard time-out; whatever goes wrong comes back as a value."""
    try:
        async with asyncio.timeout(dispatcher.call_timeout_s):
            return await outlet.sink.deliver(parcel.message, now)
    except Exception as error:
        return error


def _settle(dispatcher: "Dispatcher", outlet: Outlet, results: list[tuple[Parcel, Answer]], now: int) -> None:
    """Write what became of the calls, in one transaction. A sink that says "wait" is left alone until then."""
    with dispatcher.engine.database.begin() as tx:
        journal = Journal()
        for parcel, answer in results:
            for row in parcel.rows:
                _settle_one(dispatcher, tx, journal, row, _told(parcel, row, answer), now)
            if isinstance(answer, Transient) and answer.retry_after_s is not None:
                dispatcher.held[outlet.name] = now + int(answer.retry_after_s * SECOND)
        journal.write(tx, now)


def _told(parcel: Parcel, row: RowMapping, answer: Answer) -> Answer:
    """The answer of one delivery: that of its call, and in a digest whether it was named there or only counted."""
    if len(parcel.rows) == 1 or not isinstance(answer, Receipt):
        return answer
    how = "counted" if row["action_key"] in parcel.counted else "named"
    return replace(answer, note=f"{how} in a digest: {answer.note or 'told'}")


def _settle_one(
    dispatcher: "Dispatcher", tx: Connection, journal: Journal, row: RowMapping, answer: Answer, now: int
) -> None:
    outcome, values = judge(row, answer, now)
    if not outbox.set_delivery(tx, row, outcome, now, attempts=row["attempts"] + 1, **values):
        return
    outbox.finish_alert(tx, row["action_key"], now)
    action = dispatcher.texts.action(tx, row["action_key"])
    outbox.note_outcome(journal, action, "delivery", now, outcome, f"{row['sink']}: {values['note']}")
    log.info("alert.delivery", key=row["action_key"], sink=row["sink"], outcome=outcome, note=values["note"])


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
