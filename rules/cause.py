"""`decide_cause`: one folded alert per shop and pick-up, or per stock pool; delisting and relisting of a pool.

Runs after all order decisions of an instant. Pure: members and past in, acts and next look out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from rules import delist, key, timing
from rules.contact import TASK, gate
from rules.decide import Membership
from rules.delist import Move, Sale
from rules.look import Act
from rules.model import Kind, Outcome, Violation
from rules.policy import Policy


class Member(NamedTuple):
    """An open case of the cause, and since when it belongs."""

    shop: str
    order_id: str
    joined_at: int
    membership: Membership


class Told(NamedTuple):
    """An earlier act of the cause: an alert with the case keys it named, or a (re)listing with its listing.

    One that was voided told nobody and changed nothing, but its key is used up.
    """

    key: str
    kind: Kind
    step: str
    at: int
    members: frozenset[str] = frozenset()
    outcome: Outcome = Outcome.SETTLED
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A pick-up, a pool, a day's claims and parcels of a shop, or its orders first seen that day long after their time.

    `act_by` is None for a cause that stands for a whole day (also pick-ups of shops without a warehouse): each
    member has its own. `since`: when the pool's shortage began or ended; `restocked`: it now covers all. `sales`: what
    the next sale of each listing would be.
    """

    key: str
    kind: Literal["pickup", "pool", "aftersale", "overdue"]
    act_by: int | None = None
    listings: tuple[str, ...] = ()
    since: int = 0
    restocked: bool = False
    sales: Mapping[str, Sale] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseDecision:
    """Acts (with the members each alert names) and when to look again.

    `quiet_until`: before then no newcomer (unless urgent) and no leaver can change what is due.
    """

    acts: tuple[Act, ...] = ()
    members: tuple[Member, ...] = ()
    wake_at: int | None = None
    quiet_until: int | None = None


@dataclass(frozen=True, slots=True)
class View:
    """One look at a cause. `loud`: the members that are neither snoozed nor acknowledged."""

    cause: Cause
    members: tuple[Member, ...]
    loud: tuple[Member, ...]
    policy: Policy
    history: tuple[Told, ...]
    now: int


Due = tuple[list[Act], int | None]
"""What is due now, and when to look again."""


def decide_cause(
    cause: Cause, members: tuple[Member, ...], policy: Policy, history: tuple[Told, ...], now: int
) -> CauseDecision:
    """What a cause is due at `now`. Snoozed and acknowledged members stay silent until they wake."""
    loud = tuple(member for member in members if _is_loud(member.membership, now))
    view = View(cause, members, loud, policy, history, now)
    acts, wake, quiet = _alert(view)
    wakes = [wake, *(member.membership.snoozed_until for member in members)]
    if cause.kind == "pool":
        more, wake = _listings(view)
        acts += more
        wakes.append(wake)
    wake_at = min((wake for wake in wakes if wake is not None and wake > now), default=None)
    return CauseDecision(acts=tuple(acts), members=loud, wake_at=wake_at, quiet_until=quiet)


def _is_loud(membership: Membership, now: int) -> bool:
    acked = membership.acked_at is not None and membership.acked_at <= now
    return not acked and (membership.snoozed_until or 0) <= now


def _alert(view: View) -> tuple[list[Act], int | None, int | None]:
    """The alert that is due now, when the next one may be, and until when newcomers change nothing."""
    rule, now = view.policy.playbook.alerts, view.now
    told = [past for past in view.history if past.kind is Kind.ALERT and past.outcome is not Outcome.VOID]
    if not view.loud:
        resolved = rule.resolved and not view.members and bool(told) and told[-1].step != "resolved"
        return ([_say(view, "resolved", "ALL_RESOLVED")] if resolved else []), None, None
    if not told:
        opens = view.policy.reached_by(view.cause.act_by - rule.leads[0]) if view.cause.act_by is not None else 0
        at = max(min(timing.first_at(rule, member) for member in view.loud), opens)
        if at > now:
            return [], at, at
        return [_say(view, "alert", "FIRST_NOTICE")], _next_after_telling(view, "FIRST_NOTICE"), _quiet(view, now)
    last = told[-1]
    named = last.members if last.step != "resolved" else frozenset()
    instants = _instants(view, last.at, named, last.reason)
    reason = next((why for at, why in instants if at <= now), None)
    if reason is not None:
        return [_say(view, "alert", reason)], _next_after_telling(view, reason), _quiet(view, now)
    return [], min((at for at, _ in instants), default=None), _quiet(view, last.at)


def _next_after_telling(view: View, reason: str) -> int | None:
    """When the next alert is due if one names everybody now."""
    named = frozenset(member.membership.case_key for member in view.loud)
    return min((at for at, _ in _instants(view, view.now, named, reason)), default=None)


def _quiet(view: View, last_at: int) -> int | None:
    """Until when a newcomer (unless urgent) and a leaver change nothing: the cause need not be looked at."""
    rule = view.policy.playbook.alerts
    return None if rule.resolved or view.cause.kind == "pool" else last_at + rule.group_interval


def _instants(view: View, last_at: int, named: frozenset[str], reason: str) -> list[tuple[int, str]]:
    return timing.instants(view.policy, view.cause, view.loud, named, last_at, reason)


def _say(view: View, step: str, reason: str) -> Act:
    violation, number = _about(view), 1 + sum(past.kind is Kind.ALERT for past in view.history)
    return Act(
        key=f"{view.cause.key}/{violation}/{step}/{number}",
        kind=Kind.ALERT,
        step=step,
        violation=violation,
        episode=1,
        reason=reason,
    )


def _about(view: View) -> Violation:
    """What an alert is about; of a day's claims and parcels, the one whose time is up first."""
    match view.cause.kind:
        case "pickup":
            return Violation.LATE_SHIPMENT
        case "pool":
            return Violation.STOCK_OUT
    cases = sorted((m.act_by or 0, m.case_key) for m in (one.membership for one in view.loud))
    return key.violation(cases[0][1]) if cases else Violation.DISPUTE


def _listings(view: View) -> Due:
    """Stop selling what cannot be shipped; sell again, after restock, only what we stopped.

    A shortage lasts since the stock ran short and the first order missed it, whichever came later.
    """
    rule = view.policy.playbook.pool
    since = max(view.cause.since, min((m.joined_at for m in view.members), default=view.cause.since))
    acts = [act for listing in view.cause.listings if (act := _of_listing(view, listing, since)) is not None]
    notice = _notice(view, since) if rule.notice else None
    acts += [notice] if notice is not None else []
    due = since + rule.settle
    return ([], due) if acts and due > view.now else (acts, None)


def _of_listing(view: View, listing: str, since: int) -> Act | None:
    rule = view.policy.playbook.pool
    moves = moves_of(view.history, listing)
    left = delist.touched(moves)
    if view.members and not (left.off or left.asked) and rule.delist:
        what = Kind.DELIST
        judgement = delist.judge(listing, view.cause.sales.get(listing, delist.UNKNOWN), rule)
        if judgement.verdict == "keep" or delist.left_on_sale(left, since):
            return None
        kind = Kind.DELIST if judgement.verdict == "stop" else Kind.TASK
        reason = judgement.reason
    elif not view.members and left.off and rule.relist and view.cause.restocked:
        what, kind, reason = Kind.RELIST, _who_stopped(view.history, listing), "RESTOCKED"
    else:
        return None
    if left.refused == what and left.last_at >= since:
        return None
    return listing_act(view.cause.key, what, listing, moves, kind=kind, reason=reason)


POST, REMOVE = "post_notice", "remove_notice"


def _notice(view: View, since: int) -> Act | None:
    """A person tells visitors by shop announcement and item page, and takes that down after restock (C094).

    Not where a word about the delay would itself be the violation (Pinduoduo).
    """
    mine = [past for past in view.history if past.step in (POST, REMOVE)]
    stands = [past.step for past in mine if past.outcome not in (Outcome.VOID, Outcome.REFUSED)][-1:] == [POST]
    if view.members:
        step, reason = POST, "STOCK_OUT"
        needless = stands or not gate(view.policy.pack, Violation.STOCK_OUT, TASK, "delay_notice").allowed
    else:
        step, reason = REMOVE, "RESTOCKED"
        needless = not stands or not view.cause.restocked
    if needless or (mine and mine[-1].step == step and mine[-1].at >= since):
        return None
    episode = 1 + sum(past.step == step for past in mine)
    return Act(
        key=f"{view.cause.key}/stock_out/{episode}/{step}",
        kind=Kind.TASK,
        step=step,
        violation=Violation.STOCK_OUT,
        episode=episode,
        reason=reason,
    )


def _who_stopped(history: tuple[Told, ...], listing: str) -> Kind:
    """What a person stopped by hand, a person sells again."""
    stops = [past.kind for past in history if past.step == f"{Kind.DELIST}:{listing}"]
    return Kind.TASK if stops[-1] is Kind.TASK else Kind.RELIST


def moves_of(history: tuple[Told, ...], listing: str) -> tuple[Move, ...]:
    """What was done, or tried, to a listing of a pool so far, oldest first."""
    return tuple(
        Move(
            what=past.step.partition(":")[0],
            at=past.at,
            outcome=past.outcome,
            reason=past.reason,
            by_person=past.kind is Kind.TASK,
        )
        for past in history
        if past.step.endswith(f":{listing}")
    )


def listing_act(
    cause: str, what: Kind, listing: str, moves: tuple[Move, ...], *, kind: Kind | None = None, reason: str
) -> Act:
    """Stop or resume a listing; each try has a key of its own. `kind` TASK: a person is to do it."""
    episode = 1 + sum(move.what == what for move in moves)
    return Act(
        key=f"{cause}/stock_out/{episode}/{what}/{listing}",
        kind=kind or what,
        step=f"{what}:{listing}",
        violation=Violation.STOCK_OUT,
        episode=episode,
        reason=reason,
    )
