"""Writing what was decided about orders: cases, actions, memberships, wake-ups, evidence. One transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from daemon.lines import line
from daemon.shops import Shop, Shops
from daemon.store import orders, pairs, stock, timers
from daemon.store.journal import Journal
from daemon.store.orders import Stored
from daemon.store.timers import Claimed
from daemon.store.upsert import many, replace_all, upsert
from daemon.tables import Action, Case, Member
from rules import key
from rules.cause import urgent_at
from rules.decide import Act, Decision, Membership
from rules.instant import to_datetime
from rules.model import Case as OrderCase
from rules.model import History, Violation

C = Case.__table__  # type: ignore[attr-defined]
A = Action.__table__  # type: ignore[attr-defined]
M = Member.__table__  # type: ignore[attr-defined]
_DIALECTS = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Decided:
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
    settled = []
    for one in decided:
        shop = shops.get(one.claim.shop)
        decision = one.decision
        cases += [_case_row(shop, one, case) for case in (*decision.opened, *decision.closed)]
        actions += [
            action_row(shops, shop, act, one.at, _pack(shop, one, act.violation), order_id=one.claim.id)
            for act in decision.acts
        ]
        past = bool(one.claim.past or decision.opened or decision.acts)
        settled.append(timers.Result(one.claim, decision.wake_at, one.at, shop.policy.playbook.digest, past))
        if decision.opened or decision.closed or decision.acts:
            _put_down(journal, shops, shop, one)
        due = decision.deadline
        if (due.ship_by, due.act_by) != (one.stored.ship_by, one.stored.act_by):
            orders.set_deadline(connection, one.stored, due)
    if cases:
        many(connection, _SAVE_CASE[connection.dialect.name], cases)
    if actions:
        many(connection, _ADD_ACTION[connection.dialect.name], actions)
    _members(connection, shops, [one for one in decided if one.claim.past or one.decision.members])
    timers.settle(connection, settled)


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
    mode = shops.mode(act.kind)
    outcome = "void" if act.dropped else planned_outcome(shops, act)
    return {
        "key": act.key,
        "seller": shop.seller,
        "shop": shop.name,
        "shard": timers.shard_of(shop.seller),
        "order_id": order_id,
        "cause": cause,
        "violation": act.violation,
        "episode": act.episode,
        "step": act.step,
        "kind": act.kind,
        "at": at,
        "due_at": at if outcome == "planned" else None,
        "not_after": act.not_after,
        "reason": act.reason,
        "dropped": act.dropped,
        "amount_minor": act.amount_minor,
        "currency": act.currency,
        "template": act.template,
        "channel": act.channel,
        "members": members,
        "mode": mode,
        "outcome": outcome,
        "outcome_at": None if outcome == "planned" else at,
        "pack": pack,
        "playbook": shop.policy.playbook.version,
    }


def add_actions(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Insert outbox rows; a key that is already there stays as it is."""
    if rows:
        many(connection, _ADD_ACTION[connection.dialect.name], rows)


def _case_row(shop: Shop, one: Decided, case: OrderCase) -> dict[str, Any]:
    return {
        "key": case.key,
        "seller": shop.seller,
        "shop": shop.name,
        "order_id": one.claim.id,
        "violation": case.violation,
        "episode": case.episode,
        "opened_at": case.opened_at,
        "closed_at": case.closed_at,
        "reason": case.reason,
        "ship_by": case.ship_by,
        "snoozed_until": case.snoozed_until,
        "acked_at": case.acked_at,
        "taken_over": case.taken_over,
    }


def _put_down(journal: Journal, shops: Shops, shop: Shop, one: Decided) -> None:
    """What was decided about an order, as decision lines."""
    due = one.decision.deadline
    shared: dict[str, Any] = {
        "at": one.at,
        "shop": shop.name,
        "order_id": one.stored.order.order_id,
        "ship_by": due.ship_by,
        "act_by": due.act_by,
        "playbook": shop.policy.playbook.version,
    }
    for event, cases in (("case_opened", one.decision.opened), ("case_closed", one.decision.closed)):
        for case in cases:
            pack = _pack(shop, one, case.violation)
            entry = line(case=case.violation, event=event, key=case.key, reason=case.reason, pack=pack, **shared)
            journal.note(shop.name, one.claim.id, entry)
    for act in one.decision.acts:
        pack = _pack(shop, one, act.violation)
        journal.note(shop.name, one.claim.id, _act_line(shops, act, {**shared, "pack": pack}))


def _act_line(shops: Shops, act: Act, shared: Mapping[str, Any]) -> dict[str, Any]:
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
        **shared,
    )


def _pack(shop: Shop, one: Decided, violation: Violation) -> str:
    """The regime of a violation in force at the payment (or group) date, by which the order is judged."""
    pack = shop.policy.pack
    return pack.version(pack.starts_at(one.stored.order), violation)


def planned_outcome(shops: Shops, act: Act) -> str:
    """Where an action starts: recorded only, or on its way."""
    return "shadow" if shops.mode(act.kind) == "shadow" else "planned"


def _members(connection: Connection, shops: Shops, decided: Sequence[Decided]) -> None:
    """Bring memberships up to date and wake every cause that gained, lost or changed a member."""
    if not decided:
        return
    standing: dict[tuple[str, str], dict[tuple[str, str], Any]] = {}
    for row in pairs.read(connection, _STANDING, {(one.claim.shop, one.claim.id) for one in decided}):
        standing.setdefault((row.shop, row.order_id), {})[(row.cause, row.case_key)] = row
    stays: list[dict[str, Any]] = []
    left: list[dict[str, Any]] = []
    woken: set[timers.Subject] = set()
    urgent: dict[int, set[timers.Subject]] = {}
    for one in decided:
        before = standing.get((one.claim.shop, one.claim.id), {})
        after = _wanted(connection, shops, one)
        for place in before.keys() - after.keys():
            left.append({"b_cause": place[0], "b_case": place[1], "b_left": one.at})
            woken.add(_cause_subject(one, place[0]))
        for place, stay in after.items():
            if place in before:
                if _same(before[place], stay):
                    continue
                if before[place].act_by == stay["act_by"]:
                    stay["joined_at"] = before[place].joined_at
                elif before[place].joined_at != one.at:
                    left.append({"b_cause": place[0], "b_case": place[1], "b_left": one.at})
            stays.append(stay)
            woken.add(_cause_subject(one, place[0]))
            if stay["act_by"] is not None:
                shop = shops.get(one.claim.shop)
                short_at = stay["act_by"] - shop.policy.playbook.alerts.leads[-1]
                subject = (*_cause_subject(one, place[0])[:3], max(one.at, short_at))
                urgent.setdefault(slack_of(shop), set()).add(subject)
    if left:
        many(connection, _LEAVE, left)
    if stays:
        many(connection, _JOIN[connection.dialect.name], stays)
    timers.wake(connection, timers.CAUSE, woken, slack=0)
    for slack, subjects in urgent.items():
        timers.wake(connection, timers.CAUSE, subjects, slack=slack)


def slack_of(shop: Shop) -> int:
    """How much sooner than others an urgent newcomer is told (µs)."""
    rule = shop.policy.playbook.alerts
    return rule.group_interval - (urgent_at(rule, 0))


def _wanted(connection: Connection, shops: Shops, one: Decided) -> dict[tuple[str, str], dict[str, Any]]:
    shop = shops.get(one.claim.shop)
    return {
        (cause, member.case_key): _member_row(shop, one, member, cause)
        for member in one.decision.members
        if (cause := _cause_of(connection, shop, member)) is not None
    }


def _cause_of(connection: Connection, shop: Shop, member: Membership) -> str | None:
    if member.sku is not None:
        return key.pool(stock.home(connection, shop.seller, member.sku, shop.name), member.sku)
    if member.seen_at is not None:
        return key.aftersale_day(shop.name, to_datetime(member.seen_at, shop.policy.zone).date().isoformat())
    if member.act_by is None:
        return None
    if shop.policy.warehouse is not None:
        return key.pickup(shop.name, member.act_by)
    return key.pickup_day(shop.name, to_datetime(member.act_by, shop.policy.zone).date().isoformat())


def _member_row(shop: Shop, one: Decided, member: Membership, cause: str) -> dict[str, Any]:
    return {
        "cause": cause,
        "case_key": member.case_key,
        "seller": shop.seller,
        "shop": shop.name,
        "order_id": one.claim.id,
        "joined_at": one.at,
        "left_at": None,
        "act_by": member.act_by,
        "ship_by": member.ship_by,
        "stake_minor": member.stake_minor,
        "currency": member.currency,
        "snoozed_until": member.snoozed_until,
        "acked_at": member.acked_at,
        "confirmed": member.confirmed,
        "anew": member.anew,
    }


_COMPARED = ("act_by", "ship_by", "stake_minor", "currency", "snoozed_until", "acked_at", "confirmed")


def _same(before: Any, after: dict[str, Any]) -> bool:
    return all(getattr(before, name) == after[name] for name in _COMPARED)


def _cause_subject(one: Decided, cause: str) -> timers.Subject:
    return (key.unpart(cause.split("/", 1)[0]), cause, one.claim.seller, one.at)


_SAVE_CASE = {
    d: replace_all(d, C, ("key",), ("opened_at", "closed_at", "reason", "ship_by", "snoozed_until", "acked_at"))
    for d in _DIALECTS
}
_ADD_ACTION = {d: upsert(d, A, ("key",), None) for d in _DIALECTS}
_STANDING = pairs.among(select(M).where(M.c.left_at.is_(None)), M.c.shop, M.c.order_id)
_LEAVE = (
    update(M)
    .where(M.c.cause == bindparam("b_cause"), M.c.case_key == bindparam("b_case"), M.c.left_at.is_(None))
    .values(left_at=bindparam("b_left"))
)
_JOIN = {d: replace_all(d, M, ("cause", "case_key", "joined_at"), ("left_at", *_COMPARED)) for d in _DIALECTS}
