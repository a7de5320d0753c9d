"""Writing what was decided about orders: cases, actions, memberships, wake-ups, evidence. One transaction."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Connection

from daemon.lines import line
from daemon.shops import Shop, Shops
from daemon.store import memberships, orders, tasks, timers
from daemon.store.journal import Journal
from daemon.store.memberships import Stay
from daemon.store.orders import Stored
from daemon.store.timers import Claimed
from daemon.store.upsert import many, replace_all, upsert
from daemon.tables import Action, Case
from rules.decide import Act, Decision
from rules.model import Case as OrderCase
from rules.model import History, Outcome

C = Case.__table__  # type: ignore[attr-defined]
A = Action.__table__  # type: ignore[attr-defined]
_DIALECTS = ("sqlite", "postgresql")
_UNTRIED = {"attempts": 0, "fence": 0, "note": ""}
"""Of an action that nobody has tried yet."""


class Decided(NamedTuple):
    """A claimed order, what it was decided from, the decision, and the instant it was decided at."""

    claim: Claimed
    stored: Stored
    history: History
    decision: Decision
    at: int


def write(connection: Connection, journal: Journal, shops: Shops, decided: Sequence[Decided]) -> None:
    """Store the decisions and settle their claims; put every change down as evidence."""
    cases: list[dict[str, Any]] = []
    actions: list[dict[str, Any]] = []
    stays: list[Stay] = []
    settled: list[timers.Result] = []
    for one in decided:
        claim, decision = one.claim, one.decision
        shop = shops.get(claim.shop)
        if decision.opened or decision.closed or decision.acts or decision.moved:
            packs = _packs(shop, one)
            cases += [_case_row(shop, one, case) for case in (*decision.opened, *decision.closed, *decision.moved)]
            actions += [
                action_row(shops, shop, act, one.at, packs[act.violation], order_id=claim.id) for act in decision.acts
            ]
            _put_down(journal, shops, shop, one, packs)
        past = bool(claim.past or decision.opened or decision.acts)
        settled.append(timers.Result(claim, decision.wake_at, one.at, shop.policy.playbook.digest, past))
        if decision.members or _is_member(one.history):
            stays.append(Stay(shop, claim, decision.members, one.at))
        due = decision.deadline
        if (due.ship_by, due.act_by) != (one.stored.ship_by, one.stored.act_by):
            orders.set_deadline(connection, one.stored, due)
    many(connection, _SAVE_CASE[connection.dialect.name], cases)
    add_actions(connection, actions)
    for one in decided:
        if tasks.is_open(one.history.past):
            tasks.review(connection, "order_id", one.claim.shop, one.claim.id, one.at)
    memberships.bring_up(connection, stays)
    timers.settle(connection, settled)


def _is_member(history: History) -> bool:
    """Whether the order may stand in a cause: a case that ends takes its memberships with it."""
    return any(case.closed_at is None for case in history.cases)


def action_row(
    shops: Shops,
    shop: Shop,
    act: Act,
    at: int,
    pack: str,
    *,
    order_id: str | None = None,
    cause: str | None = None,
    members: str | None = None,
) -> dict[str, Any]:
    """The outbox row of an act. What is planned in shadow is recorded as shadow and can never fire."""
    outcome = "void" if act.dropped else planned_outcome(shops, act)
    waits = outcome == Outcome.PLANNED
    return {
        **act._asdict(),
        "kind": act.kind.value,
        "violation": act.violation.value,
        "seller": shop.seller,
        "shop": shop.name,
        "shard": timers.shard_of(shop.seller),
        "order_id": order_id,
        "cause": cause,
        "members": members,
        "at": at,
        "due_at": at if waits else None,
        "mode": shops.mode(act.kind),
        "outcome": outcome,
        "outcome_at": None if waits else at,
        "pack": pack,
        "playbook": shop.policy.playbook.version,
        **_UNTRIED,
    }


def add_actions(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert outbox rows; a key that is already there stays as it is."""
    many(connection, _ADD_ACTION[connection.dialect.name], rows)


def _case_row(shop: Shop, one: Decided, case: OrderCase) -> dict[str, Any]:
    return {
        "key": case.key,
        "seller": shop.seller,
        "shop": shop.name,
        "order_id": one.claim.id,
        "violation": case.violation.value,
        "episode": case.episode,
        "opened_at": case.opened_at,
        "closed_at": case.closed_at,
        "reason": case.reason,
        "ship_by": case.ship_by,
        "snoozed_until": case.snoozed_until,
        "acked_at": case.acked_at,
        "taken_over": case.taken_over,
    }


def _put_down(journal: Journal, shops: Shops, shop: Shop, one: Decided, packs: Mapping[str, str]) -> None:
    """What was decided about an order, as decision lines."""
    due = one.decision.deadline
    shared: dict[str, Any] = {
        "at": one.at,
        "shop": shop.name,
        "order_id": one.claim.id,
        "ship_by": due.ship_by,
        "act_by": due.act_by,
        "playbook": shop.policy.playbook.version,
    }
    for event, cases in (("case_opened", one.decision.opened), ("case_closed", one.decision.closed)):
        for case in cases:
            pack = packs[case.violation]
            entry = line(case=case.violation, event=event, key=case.key, reason=case.reason, pack=pack, **shared)
            journal.note(shop.name, one.claim.id, entry)
    for case in one.decision.moved:
        entry = line(case=case.violation, event="moved", key=case.key, reason="DEADLINE_MOVED", **shared)
        journal.note(shop.name, one.claim.id, entry)
    for act in one.decision.acts:
        journal.note(shop.name, one.claim.id, act_line(shops, act, packs[act.violation], shared))


def act_line(shops: Shops, act: Act, pack: str, shared: Mapping[str, Any]) -> dict[str, Any]:
    """The decision line of an act; `shared`: what it says of the moment and of whom it is about."""
    return line(
        case=act.violation,
        event="dropped" if act.dropped else "action",
        action=act.kind,
        step=act.step,
        key=act.key,
        reason=act.reason,
        amount_minor=act.amount_minor,
        currency=act.currency,
        template=act.template,
        channel=act.channel,
        outcome=None if act.dropped else planned_outcome(shops, act),
        pack=pack,
        **shared,
    )


def _packs(shop: Shop, one: Decided) -> dict[str, str]:
    """By violation, the regime in force at the payment (or group) date, by which the order is judged."""
    decision, pack = one.decision, shop.policy.pack
    start = pack.starts_at(one.stored.order)
    things: Iterable[OrderCase | Act] = chain(decision.opened, decision.closed, decision.acts)
    return {violation: pack.version(start, violation) for violation in {thing.violation for thing in things}}


def planned_outcome(shops: Shops, act: Act) -> str:
    """Where an action starts: recorded only, or on its way."""
    return "shadow" if shops.mode(act.kind) == "shadow" else "planned"


_SAVE_CASE = {
    d: replace_all(d, C, ("key",), ("opened_at", "closed_at", "reason", "ship_by", "snoozed_until", "acked_at"))
    for d in _DIALECTS
}
_ADD_ACTION = {d: upsert(d, A, ("key",), None) for d in _DIALECTS}
