"""Alerts on their way to receivers: at least once, each receiver for itself, folded into digests under rate limits.

No answer ends a delivery but a receipt: what one receiver does not take waits until it is well again, is over, or is
said by a newer alert. See `daemon/store/receivers.py` for when it is asked.
"""

import asyncio
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, RowMapping

from adapters.base import Message, Receipt
from daemon import clock, digest, hush, trial, verdict
from daemon.adapter import Outlet, Sinks
from daemon.digest import Brief
from daemon.shops import Shops
from daemon.store import deliveries, meta, outbox, receivers, timers
from daemon.store.journal import Journal
from daemon.store.receivers import Receiver
from daemon.verdict import Answer
from rules.instant import MINUTE, SECOND
from rules.model import Kind, Outcome

if TYPE_CHECKING:
    from daemon.dispatch import Dispatcher

log = structlog.get_logger()
FOLDED = 500
"""At most so many deliveries make one digest; the next begins where it ends."""
AT_ONCE = 5
"""More alerts than this at one moment are one digest: after an absence, or where days end alike in many shops.

Also: as many calls, each with its hard end, fit into one lease."""
SPELL_S = 30.0
"""A pass goes on no longer than this (s): the next one has a fresh `now`, and leases are counted from it."""
WINDOW = MINUTE + 5 * SECOND
"""What a limit per minute is counted over: a call may reach the other side some seconds late."""

ENDED = {Outcome.SETTLED: "TASK_DONE", Outcome.REFUSED: "TASK_CANCELLED"}
"""Why nobody need be told of a work item that a person has ended."""


def queue(connection: Connection, sinks: Sinks, shops: Shops, row: RowMapping, kind: Kind, now: int) -> None:
    """Queue an action for every outlet of a kind, due now or when the outlet may next speak."""
    zone = shops.get(row["shop"]).policy.zone
    outlets = [outlet for outlet in sinks.for_kind(kind) if outlet.name != hush.about(row)]
    outbox.add_deliveries(connection, [_queued(row, outlet, zone, now) for outlet in outlets])


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


def known_sinks(dispatcher: "Dispatcher", names: list[str]) -> list[Outlet]:
    """The outlets of these sinks. What waits for one that is configured no more is moved when parts are assembled."""
    outlets = dispatcher.engine.sinks.outlets
    return [outlets[name] for name in names if name in outlets]


async def deliver(dispatcher: "Dispatcher", outlet: Outlet, now: int) -> int:
    """One receiver's due deliveries: one by one within its limit, else folded; none after a call in vain.

    Each delivery is sent once at most: what failed is due later than `now`.
    """
    moved, began = 0, clock.monotonic()
    while clock.monotonic() - began < SPELL_S:
        parcels = await asyncio.to_thread(_claim, dispatcher, outlet, now)
        if not parcels:
            break
        answers = await _call_all(dispatcher, outlet, parcels, now)
        await asyncio.to_thread(_settle, dispatcher, outlet, parcels, answers, now)
        moved += sum(len(parcel.rows) for parcel, _ in zip(parcels, answers, strict=False))
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
        if dispatcher.stopped(tx):
            return []
        receiver, used = receivers.get(tx, outlet.name), _used(tx, outlet, now)
        limit = outlet.sink.capabilities.per_minute
        allowed = AT_ONCE if limit is None else max(limit - len(used), 0)
        free_at = max(receiver.next_at, used[0] + WINDOW if allowed == 0 else 0)
        if free_at > now:
            outbox.put_off(tx, outlet.name, free_at)
            return []
        journal, probe = Journal(), receiver.since is not None
        folds = outlet.sink.capabilities.folds and outbox.waiting(tx, outlet.name, now) > min(allowed, AT_ONCE)
        most = FOLDED if folds or probe else min(AT_ONCE, allowed)
        composed = _some(dispatcher, tx, journal, outlet, now, most)
        if probe:
            composed = _least_tried(tx, composed)
        journal.write(tx, now)
        parcels = _parcels(composed, outlet, now, allowed if folds else None, dispatcher.texts.language)
        _mark(tx, outlet, parcels, used, now)
    return parcels


def _some(
    dispatcher: "Dispatcher", tx: Connection, journal: Journal, outlet: Outlet, now: int, most: int
) -> list[tuple[RowMapping, Brief]]:
    """The next deliveries that have something to tell now, claimed, each with what it tells."""
    while rows := outbox.claim_deliveries(tx, outlet.name, now, most):
        if made := [(row, said) for row in rows if (said := _composed(dispatcher, tx, journal, outlet, row, now))]:
            return made
    return []


def _least_tried(tx: Connection, composed: list[tuple[RowMapping, Brief]]) -> list[tuple[RowMapping, Brief]]:
    """Of all that waits the one to ask with whether a receiver is well: one it never takes must not stand in front."""
    first, *others = sorted(composed, key=lambda one: one[0]["attempts"]) or (None,)
    for row, _ in others:
        deliveries.let_go(tx, row)
    return [first] if first is not None else []


def _parcels(
    composed: list[tuple[RowMapping, Brief]], outlet: Outlet, now: int, calls: int | None, lang: str | None
) -> list[Parcel]:
    """The messages as the sink takes them: folded into at most `calls` (None: one by one), none too long."""
    room = outlet.sink.capabilities.text_bytes
    composed = sorted(composed, key=lambda one: digest.rank(one[1], now))
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
    if not dispatcher.engine.shops.knows(row["shop"]):
        outbox.set_delivery(tx, row, Outcome.READY, now, due_at=now + timers.STRANGE)
        return None
    action = dispatcher.texts.action(tx, row["action_key"])
    zone = dispatcher.engine.shops.get(row["shop"]).policy.zone
    reason = _needless(dispatcher, tx, row, action, now)
    if reason is not None:
        outbox.set_delivery(tx, row, Outcome.VOID, now, note=reason)
        outbox.finish_alert(tx, row["action_key"], now)
        event = "voided" if action["outcome"] == Outcome.READY else "delivery"
        outbox.note_outcome(journal, action, event, now, Outcome.VOID, reason)
        if reason != "SUPERSEDED":
            dispatcher.wake(tx, action, now)
        return None
    if outlet.hours is not None and not outlet.hours.is_open(now, zone):
        outbox.set_delivery(tx, row, Outcome.READY, now, due_at=outlet.hours.next_open(now, zone))
        return None
    try:
        return dispatcher.texts.brief(tx, dispatcher.engine.shops, action, now)
    except Exception as error:
        log.exception("alert.failed", key=row["action_key"], sink=outlet.name)
        wait = timers.backoff(row["attempts"], row["action_key"], first_s=15, most_s=900)
        facts = {"attempts": row["attempts"] + 1, "note": verdict.words(error), "due_at": now + wait}
        outbox.set_delivery(tx, row, Outcome.READY, now, **facts)
        return None


def _needless(dispatcher: "Dispatcher", tx: Connection, row: RowMapping, action: RowMapping, now: int) -> str | None:
    """Why a delivery has nothing to tell any more, if so."""
    if deliveries.carried(action) is Kind.TASK and action["outcome"] != Outcome.NEEDS_HUMAN:
        return ENDED.get(action["outcome"], str(action["note"]))
    if outbox.is_superseded(tx, row, action):
        return "SUPERSEDED"
    if action["step"] in deliveries.NEWS and now - action["at"] > deliveries.NEWS_FOR:
        return "MISSED_WINDOW"
    return dispatcher.useless(tx, action, now)


def _used(tx: Connection, outlet: Outlet, now: int) -> list[int]:
    """When the calls were made that count for the sink's limit at this moment, oldest first."""
    said = meta.get(tx, f"calls/{outlet.name}") if outlet.sink.capabilities.per_minute is not None else None
    calls: list[int] = json.loads(said) if said else []
    return [at for at in calls if now - WINDOW < at <= now]


async def _call_all(dispatcher: "Dispatcher", outlet: Outlet, parcels: list[Parcel], now: int) -> list[Answer]:
    """The calls one after the other, none after one in vain: fewer answers than parcels then."""
    answers: list[Answer] = []
    for parcel in parcels:
        answers.append(await trial.call(outlet, parcel.message, now, dispatcher.call_timeout_s))
        if isinstance(answers[-1], Exception):
            break
    return answers


def _settle(dispatcher: "Dispatcher", outlet: Outlet, parcels: list[Parcel], answers: list[Answer], now: int) -> None:
    """Write what became of the calls and of their receiver, in one transaction; what was not called is due again."""
    with dispatcher.engine.database.begin() as tx:
        journal = Journal()
        receiver = before = receivers.get(tx, outlet.name)
        for parcel, answer in zip(parcels, answers, strict=False):
            receiver = verdict.after(receiver, parcel.rows, answer, now)
            for row in parcel.rows:
                _settle_one(dispatcher, tx, journal, row, _told(parcel, row, answer), receiver, now)
        for row in (row for parcel in parcels[len(answers) :] for row in parcel.rows):
            outbox.set_delivery(tx, row, Outcome.READY, now, due_at=now, attempts=row["attempts"])
        receivers.put(tx, receiver)
        hush.tell(tx, journal, dispatcher.engine.shops, dispatcher.engine.sinks, receiver, now)
        if before.since is not None and receiver.since is None:
            deliveries.hasten(tx, outlet.name, now)
        journal.write(tx, now)


def _told(parcel: Parcel, row: RowMapping, answer: Answer) -> Answer:
    """The answer of one delivery: that of its call, and in a digest whether it was named there or only counted."""
    if len(parcel.rows) == 1 or not isinstance(answer, Receipt):
        return answer
    how = "counted" if row["action_key"] in parcel.counted else "named"
    return replace(answer, note=f"{how} in a digest: {answer.note or 'told'}")


def _settle_one(
    dispatcher: "Dispatcher",
    tx: Connection,
    journal: Journal,
    row: RowMapping,
    answer: Answer,
    receiver: Receiver,
    now: int,
) -> None:
    outcome, values = verdict.judge(row, answer, receiver, now)
    if not outbox.set_delivery(tx, row, outcome, now, attempts=row["attempts"] + 1, **values):
        return
    outbox.finish_alert(tx, row["action_key"], now)
    if outcome is Outcome.READY and values["note"] == row["note"]:
        return  # the same words again are no news: an absence of days must not fill the evidence
    action = dispatcher.texts.action(tx, row["action_key"])
    outbox.note_outcome(journal, action, "delivery", now, outcome, f"{row['sink']}: {values['note']}")
    log.info("alert.delivery", key=row["action_key"], sink=row["sink"], outcome=outcome, note=values["note"])
