"""What was known about an order at an earlier instant, rebuilt from evidence and outbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Text, bindparam, select

from daemon.shops import Shops
from daemon.store import orders, policies, timers
from daemon.store.journal import entries_of
from daemon.store.policies import InForce
from daemon.tables import Action, Case, Event, Timer
from rules import finding, model
from rules.instant import SECOND, parse
from rules.model import History, Kind, Outcome, Past, Violation
from rules.snapshot import Known

A = Action.__table__  # type: ignore[attr-defined]
C = Case.__table__  # type: ignore[attr-defined]
EV = Event.__table__  # type: ignore[attr-defined]
T = Timer.__table__  # type: ignore[attr-defined]
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AsOf:
    """An order, when its facts were last true, its history, and the policy of its shop then."""

    order: model.Order
    observed_at: int
    history: History
    law: InForce


def as_stored(connection: Connection, shops: Shops, shop: str, order_id: str, now: int) -> AsOf | None:
    """What is known now, from the stored rows; None when the order is unknown."""
    name = (shop, order_id)
    stored = orders.load(connection, {name}).get(name)
    if stored is None:
        return None
    policy = shops.get(shop, stored.order.platform).policy
    history = orders.histories(connection, {name}).get(name, model.NO_HISTORY)
    timer = connection.execute(_TIMER, {"b_shop": shop, "b_order": order_id}).first()
    overdue = timer is not None and timer.due_at is not None and timer.due_at <= now
    known = History(
        cases=history.cases,
        past=history.past,
        events=history.events,
        short=stored.short,
        decided_at=timer.due_at - 1 if timer is not None and overdue else now,
        playbook=timer.playbook if timer is not None and overdue else policy.playbook.digest,
    )
    return AsOf(stored.order, stored.observed_at, known, policies.today(shops.get(shop, stored.order.platform)))


def as_of(connection: Connection, shops: Shops, shop: str, order_id: str, at: int) -> AsOf | None:
    """What was known at instant `at`; None when the order was unknown then.

    Which lines the pools could not cover is not in evidence: an open stock-out without a flag says that
    some could not; today's are taken where they still are, else all.
    """
    entries = list(entries_of(connection, shop, order_id))
    facts = _facts(entries, at)
    if facts is None:
        return None
    where = shops.get(shop, next((entry["platform"] for entry in entries if entry["event"] == "observed"), None))
    law = policies.in_force(connection, where, at)
    _, order, _ = orders.row(where, order_id, facts)
    cases = _cases(connection, entries, (shop, order_id), at)
    history = History(
        cases=cases,
        past=_past(connection, shop, order_id, at),
        events=_events(connection, shop, order_id, at),
        short=_short(connection, order, cases),
        decided_at=at,
        playbook=law.policy.playbook.digest,
    )
    return AsOf(order, facts.observed_at, history, law)


def _facts(entries: Sequence[Entry], at: int) -> Known | None:
    """The facts as they stood: every observation's changes, in the order they were seen."""
    known: Known | None = None
    for entry in entries:
        if entry["event"] != "observed" or entry["at"] > at:
            continue
        if known is None:
            known = Known(observed_at=entry["observed_at"])
        known.facts.update(entry["changed"])
        known.observed_at = max(known.observed_at, entry["observed_at"])
    return known


def _cases(connection: Connection, entries: Sequence[Entry], name: tuple[str, str], at: int) -> tuple[model.Case, ...]:
    rows = connection.execute(_CASES, {"b_shop": name[0], "b_order": name[1], "b_at": at})
    return tuple(_case(row, [entry for entry in entries if entry.get("key") == row.key], at) for row in rows)


def _case(row: Any, entries: Sequence[Entry], at: int) -> model.Case:
    """A case as it stood: what its lines said by then; the row tells the exact instants and what no line does."""
    state = [entry for entry in entries if entry["event"] in ("case_opened", "case_closed") and _by(entry, row, at)]
    last = state[-1] if state else None
    closed_at = None
    if last is not None and last["event"] == "case_closed":
        exact = row.closed_at is not None and row.closed_at <= at
        closed_at = row.closed_at if exact else parse(last["at"])
    dated = [entry for entry in entries if entry["event"] in ("case_opened", "moved") and entry.get("ship_by")]
    moved = any(entry["event"] == "moved" and parse(entry["at"]) > at for entry in dated)
    was = [parse(entry["ship_by"]) for entry in dated if parse(entry["at"]) <= at]
    hands = [entry for entry in entries if entry["event"] == "hand"]
    later = {entry["reason"] for entry in hands if parse(entry["at"]) > at}
    taken = [entry for entry in hands if entry["reason"] in ("HUMAN_TAKEOVER", "HANDED_BACK")]
    by_then = [entry["reason"] for entry in taken if parse(entry["at"]) <= at]
    return model.Case(
        key=row.key,
        violation=Violation(row.violation),
        episode=row.episode,
        opened_at=row.opened_at,
        closed_at=closed_at,
        reason=last["reason"] if last is not None else row.reason,
        ship_by=was[-1] if moved and was else row.ship_by,
        snoozed_until=None if later & {"SNOOZED", "WOKEN"} else row.snoozed_until,
        acked_at=row.acked_at if row.acked_at is not None and row.acked_at <= at else None,
        taken_over=by_then[-1:] == ["HUMAN_TAKEOVER"] if taken else bool(row.taken_over),
    )


def _by(entry: Entry, row: Any, at: int) -> bool:
    """Whether a line was written by then. Lines show whole seconds; the row knows the rest of its last closing."""
    moment = parse(entry["at"])
    if entry["event"] == "case_closed" and row.closed_at is not None and row.closed_at // SECOND * SECOND == moment:
        moment = row.closed_at
    return moment <= at


def _past(connection: Connection, shop: str, order_id: str, at: int) -> tuple[Past, ...]:
    """Actions decided by then; what became of them later was still planned."""
    rows = connection.execute(_PAST, {"b_shop": shop, "b_order": order_id, "b_at": at})
    return tuple(
        Past(
            key=row.key,
            kind=Kind(row.kind),
            step=row.step,
            violation=Violation(row.violation),
            episode=row.episode,
            at=row.at,
            outcome=Outcome.PLANNED if row.outcome_at is not None and row.outcome_at > at else Outcome(row.outcome),
            reason=row.reason,
            dropped=bool(row.dropped),
        )
        for row in rows
    )


def _events(connection: Connection, shop: str, order_id: str, at: int) -> tuple[model.Event, ...]:
    rows = connection.execute(_EVENTS, {"b_shop": shop, "b_order": order_id, "b_at": at})
    return tuple(model.Event(event=row.event, at=row.at, seen_at=row.seen_at) for row in rows)


def _short(connection: Connection, order: model.Order, cases: tuple[model.Case, ...]) -> tuple[str, ...]:
    missing = any(case.violation is Violation.STOCK_OUT and case.closed_at is None for case in cases)
    if not missing or order.flagged("out_of_stock") or not finding.owes(order):
        return ()
    name = (order.shop, order.order_id)
    stored = orders.load(connection, {name}).get(name)
    today = stored.short if stored is not None else ()
    return today or tuple(line.line_id for line in order.lines if line.open_quantity)


_shop = bindparam("b_shop", type_=Text)
_order = bindparam("b_order", type_=Text)
_at = bindparam("b_at", type_=BigInteger)
_TIMER = select(T.c.due_at, T.c.playbook).where(T.c.kind == timers.ORDER, T.c.shop == _shop, T.c.id == _order)
_CASES = (
    select(C).where(C.c.shop == _shop, C.c.order_id == _order, C.c.opened_at <= _at).order_by(C.c.opened_at, C.c.key)
)
_PAST = select(A).where(A.c.shop == _shop, A.c.order_id == _order, A.c.at <= _at).order_by(A.c.at, A.c.key)
_EVENTS = (
    select(EV).where(EV.c.shop == _shop, EV.c.order_id == _order, EV.c.seen_at <= _at).order_by(EV.c.at, EV.c.event)
)
