"""`decide`: one order, its past and the policy in; what to do now, and when to look again, out.

Pure and total: any valid order gets an answer and nothing is raised. Caps, budgets and buyer limits are
granted at dispatch, never here, so the batch size cannot change a result.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from rules import finding, key, payout
from rules.deadline import Deadline, deadline
from rules.finding import Finding
from rules.ladder import attended, missed, open_rungs, performed_at
from rules.look import Act, Look
from rules.model import Case, History, Order, Violation
from rules.play import Turn, play
from rules.playbook import Ladder
from rules.policy import REOPEN_WITHIN, Policy

__all__ = ["Act", "Decision", "Membership", "decide", "latest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """An open case's place in a cause: a pick-up (`sku` None) or the pool of one SKU."""

    case_key: str
    sku: str | None
    act_by: int | None
    ship_by: int | None
    stake_minor: int | None
    currency: str | None
    snoozed_until: int | None
    acked_at: int | None


@dataclass(frozen=True, slots=True)
class Decision:
    """All that follows from one look at an order. `cases`: every case that changed, closed ones with reason.

    `wake_at` is None (nothing more by time alone) or later than the `now` it was decided at.
    """

    deadline: Deadline
    opened: tuple[Case, ...] = ()
    closed: tuple[Case, ...] = ()
    acts: tuple[Act, ...] = ()
    members: tuple[Membership, ...] = ()
    wake_at: int | None = None


def decide(order: Order, policy: Policy, history: History, now: int) -> Decision:
    """What to do about `order` at `now` (instant). Idempotent on its own history."""
    due = deadline(order, policy.pack, policy.warehouse)
    look = Look(order, policy, history, due, now)
    opened: list[Case] = []
    closed: list[Case] = []
    standing: list[tuple[Case, Ladder]] = []
    wakes: list[int] = []
    for ladder in policy.playbook.ladders:
        found = finding.find(look, ladder)
        if found.wake_at is not None:
            wakes.append(found.wake_at)
        last = latest(history.cases, ladder.violation) if history.cases else None
        case = _carry(look, last, found) if found.fired or last is not None else None
        if case is None:
            continue
        if case.closed_at is not None:
            closed.append(case)
            continue
        if case is not last:
            opened.append(case)
        standing.append((case, ladder))
    acts = _climb_all(look, standing, wakes) if standing else ()
    members = tuple(m for case, _ in standing for m in _memberships(look, case)) if standing else ()
    wake_at = min((wake for wake in wakes if wake > now), default=None) if wakes else None
    return Decision(due, tuple(opened), tuple(closed), acts, members, wake_at)


def latest(cases: Iterable[Case], violation: Violation) -> Case | None:
    """The newest episode of a violation, open or closed."""
    newest = None
    for case in cases:
        if case.violation is violation and (newest is None or case.episode > newest.episode):
            newest = case
    return newest


def _carry(look: Look, last: Case | None, found: Finding) -> Case | None:
    """The case after this look: opened, kept, or closed with the reason; None when there is none."""
    standing = last if last is not None and last.closed_at is None else None
    if not found.fired:
        if standing is None:
            return None
        reason = "SHIP_BY_MOVED" if found.reason == "NOT_DUE_YET" else found.reason
        return replace(standing, closed_at=look.now, reason=reason)
    if standing is not None:
        return standing
    if last is not None and last.reason == "RESOLVED_BY_PERSON" and last.ship_by == look.due.ship_by:
        return None
    if last is not None and _flaps(look, last):
        return replace(last, closed_at=None, reason="REOPENED", ship_by=look.due.ship_by)
    return _open(look, found, last.episode + 1 if last is not None else 1)


def _flaps(look: Look, last: Case) -> bool:
    """Whether a closed case comes back as the same episode: soon after, or by its old deadline returning."""
    if last.reason == "SHIP_BY_MOVED":
        return last.ship_by == look.due.ship_by
    return look.now - (last.closed_at or 0) <= REOPEN_WITHIN


def _open(look: Look, found: Finding, episode: int) -> Case:
    order, now = look.order, look.now
    return Case(
        key=key.case(order.shop, order.order_id, found.violation, episode),
        violation=found.violation,
        episode=episode,
        opened_at=now,
        reason=found.reason,
        ship_by=look.due.ship_by,
        snoozed_until=max((until for since, until in look.policy.maintenance if since <= now < until), default=None),
    )


def _climb_all(look: Look, standing: list[tuple[Case, Ladder]], wakes: list[int]) -> tuple[Act, ...]:
    """What the open cases' ladders are due; later instants go to `wakes`."""
    acts: list[Act] = []
    cases = tuple(case for case, _ in standing)
    for case, ladder in standing:
        performed = performed_at(look.history.past, case)
        begun = any(step.name in performed for step in ladder.steps)
        _climb(Turn(look, case, ladder, cases, performed, begun, acts), wakes)
    return tuple(acts)


def _climb(turn: Turn, wakes: list[int]) -> None:
    """Steps of one case that are due, as actions or with the reason they are dropped, one after the other."""
    look, performed = turn.look, turn.performed
    while True:
        placed = open_rungs(look, turn.case, turn.ladder, performed)
        ready = [rung for rung in placed if rung.at <= look.now]
        if not ready:
            wakes += [rung.at for rung in placed]
            return
        rung = min(ready, key=lambda rung: rung.at)
        act = play(turn, rung, missed(ready, attended(look.history), look.policy.patience, look.now))
        performed[rung.step.name] = None if act.dropped else look.now
        turn.acts.append(act)


def _memberships(look: Look, case: Case) -> Iterator[Membership]:
    """The causes an open case belongs to: its pick-up, or the pools of its uncovered SKUs."""
    order, policy = look.order, look.policy
    stake = payout.stake(order, policy.pack, case.violation, policy.confirmed)
    for name in (None,) if case.violation is Violation.LATE_SHIPMENT else _pools(look):
        yield Membership(
            case_key=case.key,
            sku=name,
            act_by=look.due.act_by,
            ship_by=look.due.ship_by,
            stake_minor=stake.high_minor if stake else None,
            currency=stake.currency if stake else order.currency,
            snoozed_until=case.snoozed_until,
            acked_at=case.acked_at,
        )


def _pools(look: Look) -> list[str]:
    """SKUs that are missing; where nobody says which, all that may be; where there is none, the order."""
    own = f"order-{look.order.order_id}"
    lines = [line for line in look.order.lines if line.open_quantity]
    named = set(finding.lacking(look))
    missing = [line for line in lines if line.line_id in named]
    missing = missing or [line for line in lines if line.stock is None or line.stock < line.open_quantity] or lines
    return sorted({line.sku or line.listing_id or own for line in missing}) or [own]
