"""`decide_cause`: one folded alert per shop and pick-up, or per stock pool; delisting and relisting of a pool.

Runs after all order decisions of an instant. Pure: members and past in, acts and next look out.
"""

from dataclasses import dataclass
from typing import Literal

from rules.decide import Membership
from rules.look import Act
from rules.model import Kind, Outcome, Violation
from rules.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An open case of the cause, and since when it belongs."""

    shop: str
    order_id: str
    joined_at: int
    membership: Membership


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An earlier act of the cause: an alert with the case keys it named, or a (re)listing with its listing.

    One that was voided told nobody and changed nothing, but its key is used up.
    """

    key: str
    kind: Kind
    step: str
    at: int
    members: frozenset[str] = frozenset()
    outcome: Outcome = Outcome.SETTLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A pick-up or a pool.

    `act_by` is None for a pick-up that stands for a whole day (shops without a warehouse): each member has its
    own. `since`: when the pool's shortage began or ended; `restocked`: it now covers all.
    """

    key: str
    kind: Literal["pickup", "pool"]
    act_by: int | None = None
    listings: tuple[str, ...] = ()
    since: int = 0
    restocked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseDecision:
    """Acts (with the members each alert names) and when to look again."""

    acts: tuple[Act, ...] = ()
    members: tuple[Member, ...] = ()
    wake_at: int | None = None


@dataclass(frozen=True, slots=True)
class View:
    """One look at a cause. `loud`: the members that are neither snoozed nor acknowledged."""

    cause: Cause
    members: tuple[Member, ...]
    loud: tuple[Member, ...]
    policy: Policy
    history: tuple[Told, ...]
    now: int


URGENT_GAP = 30 * 60 * 1_000_000
"""A new order that is already within the shortest lead does not wait for the group interval, only this long (µs)."""
Due = tuple[list[Act], int | None]
"""What is due now, and when to look again."""


def decide_cause(
    cause: Cause, members: tuple[Member, ...], policy: Policy, history: tuple[Told, ...], now: int
) -> CauseDecision:
    """What a cause is due at `now`. Snoozed and acknowledged members stay silent until they wake."""
    loud = tuple(member for member in members if _is_loud(member.membership, now))
    view = View(cause, members, loud, policy, history, now)
    acts, wake = _alert(view)
    wakes = [wake, *(member.membership.snoozed_until for member in members)]
    if cause.kind == "pool":
        more, wake = _listings(view)
        acts += more
        wakes.append(wake)
    wake_at = min((wake for wake in wakes if wake is not None and wake > now), default=None)
    return CauseDecision(acts=tuple(acts), members=loud, wake_at=wake_at)


def _is_loud(membership: Membership, now: int) -> bool:
    acked = membership.acked_at is not None and membership.acked_at <= now
    return not acked and (membership.snoozed_until or 0) <= now


def _alert(view: View) -> Due:
    """The alert that is due now, and when the next one will be. Repeated only on change (or by `repeat`)."""
    acts, wake = _due_alert(view)
    repeat = view.policy.playbook.alerts.repeat
    if repeat and any(act.step == "alert" for act in acts):
        wake = min(view.now + repeat, wake if wake is not None else view.now + repeat)
    return acts, wake


def _due_alert(view: View) -> Due:
    rule, now = view.policy.playbook.alerts, view.now
    told = [past for past in view.history if past.kind is Kind.ALERT]
    if not view.loud:
        resolved = rule.resolved and not view.members and bool(told) and told[-1].step != "resolved"
        return ([_say(view.cause, told, "resolved", "ALL_RESOLVED")] if resolved else []), None
    stages = _stages(view)
    later = next((stage for stage in stages if stage > now), None)
    if not told:
        opens = view.cause.act_by - rule.leads[0] if view.cause.act_by is not None else 0
        at = max(min(m.joined_at for m in view.loud) + rule.group_wait, opens)
        return ([_say(view.cause, told, "alert", "FIRST_NOTICE")], later) if at <= now else ([], at)
    if any(told[-1].at < stage <= now for stage in stages):
        free_at = told[-1].at + (rule.group_interval if view.cause.act_by is None else 0)
        if now >= free_at:
            return [_say(view.cause, told, "alert", "TIME_RUNNING_OUT")], later
        later = free_at
    return _again(view, told, later)


def _stages(view: View) -> list[int]:
    """The instants at which time gets short, in order: the leads of the pick-up, or of each member's own."""
    if view.cause.kind == "pool":
        return []
    leads = view.policy.playbook.alerts.leads
    if view.cause.act_by is not None:
        return [view.cause.act_by - lead for lead in leads]
    return sorted({m.membership.act_by - leads[-1] for m in view.loud if m.membership.act_by is not None})


def _again(view: View, told: list[Told], later: int | None) -> Due:
    """An alert between the stages: for members not named last time, or by `repeat`."""
    rule, now, last = view.policy.playbook.alerts, view.now, told[-1]
    named = last.members if last.step != "resolved" and last.outcome is not Outcome.VOID else frozenset()
    nexts = [later] if later is not None else []
    new = [m.membership for m in view.loud if m.membership.case_key not in named]
    if new:
        urgent = any(m.act_by is not None and now >= m.act_by - rule.leads[-1] for m in new)
        free_at = last.at + (min(rule.group_interval, URGENT_GAP) if urgent else rule.group_interval)
        if now >= free_at:
            return [_say(view.cause, told, "alert", "NEW_ORDERS")], later
        nexts.append(free_at)
    if rule.repeat:
        if now >= last.at + rule.repeat:
            return [_say(view.cause, told, "alert", "STILL_OPEN")], later
        nexts.append(last.at + rule.repeat)
    return [], min(nexts, default=None)


def _say(cause: Cause, told: list[Told], step: str, reason: str) -> Act:
    violation = Violation.LATE_SHIPMENT if cause.kind == "pickup" else Violation.STOCK_OUT
    return Act(
        key=f"{cause.key}/{violation}/{step}/{len(told) + 1}",
        kind=Kind.ALERT,
        step=step,
        violation=violation,
        episode=1,
        reason=reason,
    )


def _listings(view: View) -> Due:
    """Stop selling what cannot be shipped; sell again, after restock, only what we stopped.

    A shortage lasts since the stock ran short and the first order missed it, whichever came later.
    """
    rule = view.policy.playbook.pool
    since = max(view.cause.since, min((m.joined_at for m in view.members), default=view.cause.since))
    acts: list[Act] = []
    for listing in view.cause.listings:
        mine = [past for past in view.history if past.step.endswith(f":{listing}")]
        done = [past for past in mine if past.outcome not in (Outcome.VOID, Outcome.REFUSED)]
        off = bool(done) and done[-1].kind is Kind.DELIST
        if view.members and not off and rule.delist:
            kind = Kind.DELIST
        elif not view.members and off and rule.relist and view.cause.restocked:
            kind = Kind.RELIST
        else:
            continue
        if not (mine and mine[-1].outcome is Outcome.REFUSED and mine[-1].kind is kind and mine[-1].at >= since):
            acts.append(_relisting(view.cause, kind, listing, 1 + sum(past.kind is kind for past in mine)))
    due = since + rule.settle
    return ([], due) if acts and due > view.now else (acts, None)


def _relisting(cause: Cause, kind: Kind, listing: str, episode: int) -> Act:
    return Act(
        key=f"{cause.key}/stock_out/{episode}/{kind}/{listing}",
        kind=kind,
        step=f"{kind}:{listing}",
        violation=Violation.STOCK_OUT,
        episode=episode,
        reason="STOCK_OUT" if kind is Kind.DELIST else "RESTOCKED",
    )
