"""`decide_cause`: one folded alert per shop and pick-up, or per stock pool; delisting and relisting of a pool.

Runs after all order decisions of an instant. Pure: members and past in, acts and next look out.
"""

from dataclasses import dataclass
from typing import Literal

from rules.decide import Act, Membership
from rules.model import Kind, Violation
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
    """An earlier act of the cause: an alert with the case keys it named, or a (re)listing with its listing."""

    key: str
    kind: Kind
    step: str
    at: int
    members: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A pick-up or a pool. `since`: when the pool's shortage began or ended; `restocked`: it now covers all."""

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


def decide_cause(
    cause: Cause, members: tuple[Member, ...], policy: Policy, history: tuple[Told, ...], now: int
) -> CauseDecision:
    """What a cause is due at `now`. Snoozed and acknowledged members stay silent until they wake."""
    loud = tuple(member for member in members if _is_loud(member.membership, now))
    waking = [m.membership.snoozed_until for m in members if (m.membership.snoozed_until or 0) > now]
    acts: list[Act] = []
    wakes: list[int] = [wake for wake in waking if wake is not None]
    alert, wake = _alert(cause, loud, bool(members), policy, history, now)
    acts += [alert] if alert else []
    wakes += [wake] if wake is not None else []
    if cause.kind == "pool":
        more, wake = _listings(cause, members, policy, history, now)
        acts += more
        wakes += [wake] if wake is not None else []
    return CauseDecision(
        acts=tuple(acts), members=loud, wake_at=min((w for w in wakes if w > now), default=None)
    )


def _is_loud(membership: Membership, now: int) -> bool:
    acked = membership.acked_at is not None and membership.acked_at <= now
    return not acked and (membership.snoozed_until or 0) <= now


def _alert(
    cause: Cause,
    loud: tuple[Member, ...],
    standing: bool,
    policy: Policy,
    history: tuple[Told, ...],
    now: int,
) -> tuple[Act | None, int | None]:
    """The alert that is due now, or when the next one will be. Repeated only on change (or by `repeat`)."""
    rule = policy.playbook.alerts
    told = [past for past in history if past.kind is Kind.ALERT]
    if not loud:
        if not standing and rule.resolved and told and told[-1].step != "resolved":
            return _say(cause, told, "resolved", "ALL_RESOLVED"), None
        return None, None
    stages = sorted({cause.act_by - lead for lead in rule.leads} if cause.act_by is not None else set())
    later = next((stage for stage in stages if stage > now), None)
    if not told:
        at = max(min(m.joined_at for m in loud) + rule.group_wait, stages[0] if stages else 0)
        return (_say(cause, told, "alert", "FIRST_NOTICE"), later) if at <= now else (None, at)
    last = told[-1]
    if any(last.at < stage <= now for stage in stages):
        return _say(cause, told, "alert", "TIME_RUNNING_OUT"), later
    named = last.members if last.step != "resolved" else frozenset()
    nexts = [later] if later is not None else []
    if any(m.membership.case_key not in named for m in loud):
        if now >= last.at + rule.group_interval:
            return _say(cause, told, "alert", "NEW_ORDERS"), later
        nexts.append(last.at + rule.group_interval)
    if rule.repeat:
        if now >= last.at + rule.repeat:
            return _say(cause, told, "alert", "STILL_OPEN"), later
        nexts.append(last.at + rule.repeat)
    return None, min(nexts, default=None)


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


def _listings(
    cause: Cause, members: tuple[Member, ...], policy: Policy, history: tuple[Told, ...], now: int
) -> tuple[list[Act], int | None]:
    """Stop selling what cannot be shipped; sell again, after restock, only what we stopped."""
    rule = policy.playbook.pool
    due = cause.since + rule.settle
    acts: list[Act] = []
    for listing in cause.listings:
        mine = [past for past in history if past.step.endswith(f":{listing}")]
        off = bool(mine) and mine[-1].kind is Kind.DELIST
        round_no = 1 + sum(past.kind is Kind.RELIST for past in mine)
        if members and not off and rule.delist:
            acts.append(_relisting(cause, Kind.DELIST, listing, round_no, "STOCK_OUT"))
        elif not members and off and rule.relist and cause.restocked:
            acts.append(_relisting(cause, Kind.RELIST, listing, round_no, "RESTOCKED"))
    if acts and due > now:
        return [], due
    return acts, None


def _relisting(cause: Cause, kind: Kind, listing: str, episode: int, reason: str) -> Act:
    return Act(
        key=f"{cause.key}/stock_out/{episode}/{kind}/{listing}",
        kind=kind,
        step=f"{kind}:{listing}",
        violation=Violation.STOCK_OUT,
        episode=episode,
        reason=reason,
    )
