"""`decide`: one order, its past and the policy in; what to do now, and when to look again, out.

Pure and total: any valid order gets an answer and nothing is raised. Caps, budgets and buyer limits are
granted at dispatch, never here, so the batch size cannot change a result.
"""

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from rules import claim, finding, payout
from rules.deadline import Deadline, effective
from rules.episode import carry, latest, seen_by
from rules.ladder import Placed, attended, missed, open_rungs, performed_at
from rules.look import Act, Finding, Look
from rules.model import CLAIMS, LONG_OVERDUE, SHIPPING, Case, History, Order, Violation
from rules.play import Turn, play
from rules.playbook import Ladder
from rules.policy import Policy

__all__ = ["Act", "Decision", "Membership", "decide"]


class Standing(NamedTuple):
    """An open case in this look: the look with the case's own deadline, its ladder, what was found."""

    look: Look
    case: Case
    ladder: Ladder
    found: Finding


class Membership(NamedTuple):
    """An open case's place in a cause: a pick-up, the pool of one SKU (`sku`), or a day's claims and parcels.

    `seen_at`: of the last kind and of what is `overdue` (long past when first seen), when the case was opened; its
    local day names the cause.
    `confirmed`: the stake is a fact or by a row a person confirmed; else it is the upper end of a guess.
    `anew`: it was acknowledged or snoozed, and came back or got another deadline just now: the seller is told again.
    """

    case_key: str
    sku: str | None
    act_by: int | None
    ship_by: int | None
    stake_minor: int | None
    currency: str | None
    snoozed_until: int | None
    acked_at: int | None
    seen_at: int | None = None
    confirmed: bool = True
    anew: bool = False
    overdue: bool = False


class Decision(NamedTuple):
    """All that follows from one look at an order: cases opened, closed (with reason), and `moved` to another deadline.

    `wake_at` is None (nothing more by time alone) or later than the `now` it was decided at.
    """

    deadline: Deadline
    opened: tuple[Case, ...] = ()
    closed: tuple[Case, ...] = ()
    acts: tuple[Act, ...] = ()
    members: tuple[Membership, ...] = ()
    wake_at: int | None = None
    moved: tuple[Case, ...] = ()


def decide(order: Order, policy: Policy, history: History, now: int) -> Decision:
    """What to do about `order` at `now` (instant). Idempotent on its own history."""
    due = effective(order, policy.pack, policy.warehouse)
    look = Look(order, policy, history, due, now)
    opened: list[Case] = []
    closed: list[Case] = []
    moved: list[Case] = []
    standing: list[Standing] = []
    wakes: list[int] = []
    book = policy.playbook
    for ladder in book.ladders if finding.is_watched(look) else book.shipping:
        found = finding.find(look, ladder)
        if found.wake_at is not None:
            wakes.append(found.wake_at)
        last = latest(history.cases, ladder.violation) if history.cases else None
        if not found.fired and last is None:
            continue
        for case in carry(look, last, found, ladder):
            if case.closed_at is not None:
                closed.append(case)
                continue
            if case is not last:
                stood = last is not None and last.key == case.key and last.closed_at is None
                (moved if stood else opened).append(case)
            standing.append(Standing(seen_by(look, case, found, ladder), case, ladder, found))
    acts = _climb_all(standing, wakes) if standing else ()
    members = tuple(chain.from_iterable(map(_memberships, standing))) if standing else ()
    ahead = [wake for wake in wakes if wake > now]
    return Decision(due, tuple(opened), tuple(closed), acts, members, min(ahead, default=None), tuple(moved))


def _climb_all(standing: list[Standing], wakes: list[int]) -> tuple[Act, ...]:
    """What the open cases' ladders are due; later instants go to `wakes`."""
    acts: list[Act] = []
    cases = tuple(one.case for one in standing)
    for one in standing:
        if one.case.violation in CLAIMS:
            wakes.append(one.case.opened_at + one.ladder.auto_close)
        performed = performed_at(one.look.history.past, one.case)
        begun = bool(performed) and any(step.name in performed for step in one.ladder.steps)
        _climb(Turn(one.look, one.case, one.ladder, one.found.reason, cases, performed, begun, acts), wakes)
    return tuple(acts)


def _climb(turn: Turn, wakes: list[int]) -> None:
    """Steps of one case that are due, as actions or with the reason they are dropped, one after the other."""
    look, performed = turn.look, turn.performed
    placed = open_rungs(look, turn.case, turn.ladder, performed, turn.reason)
    while ready := [rung for rung in placed if rung.at <= look.now]:
        rung = min(ready, key=_at)
        skipped = missed(ready, attended(look.history), look.policy.patience, look.now) if len(ready) > 1 else set()
        act = play(turn, rung, skipped)
        performed[rung.step.name] = None if act.dropped else look.now
        turn.acts.append(act)
        if rung.step.followers:  # they have a place only now; nobody else's depends on this step
            placed = open_rungs(look, turn.case, turn.ladder, performed, turn.reason)
        else:
            placed = [other for other in placed if other is not rung]
    wakes += [rung.at for rung in placed]


def _at(rung: Placed) -> int:
    return rung.at


def _memberships(one: Standing) -> Iterator[Membership]:
    """The causes an open case belongs to: its pick-up, the pools of its uncovered SKUs, or its day."""
    look, case = one.look, one.case
    order, policy = look.order, look.policy
    stake = payout.stake(order, policy.pack, case.violation, policy.confirmed)
    overdue = case.reason == LONG_OVERDUE
    for name in _pools(look) if case.violation is Violation.STOCK_OUT and not overdue else (None,):
        yield Membership(
            case_key=case.key,
            sku=name,
            act_by=look.due.act_by,
            ship_by=look.due.ship_by,
            stake_minor=stake.high_minor if stake else _goods(look, case),
            currency=stake.currency if stake else order.currency,
            snoozed_until=case.snoozed_until,
            acked_at=case.acked_at,
            seen_at=None if case.violation in SHIPPING and not overdue else case.opened_at,
            confirmed=stake is None or stake.confirmed,
            overdue=overdue,
            anew=bool(look.history.cases) and _is_news(look, case),
        )


def _is_news(look: Look, case: Case) -> bool:
    """Whether a case somebody had acknowledged or snoozed is neither any more, without a person's word or its time."""
    before = next((known for known in look.history.cases if known.key == case.key), None)
    if before is None or case.acked_at is not None or (case.snoozed_until or 0) > look.now:
        return False
    return before.acked_at is not None or (before.snoozed_until or 0) > look.now


def _goods(look: Look, case: Case) -> int | None:
    """What a claim without a rule that prices it is about: the refund asked for, or the unit that is missing."""
    if case.violation not in CLAIMS:
        return None
    return look.order.paid_minor if case.violation is Violation.DISPUTE else claim.worth(look.order)


def _pools(look: Look) -> list[str]:
    """SKUs that are missing; where nobody says which, all that may be; where there is none, the order."""
    own = f"order-{look.order.order_id}"
    lines = [line for line in look.order.lines if line.open_quantity]
    named = set(finding.lacking(look))
    missing = [line for line in lines if line.line_id in named]
    missing = missing or [line for line in lines if line.stock is None or line.stock < line.open_quantity] or lines
    return sorted({line.sku or line.listing_id or own for line in missing}) or [own]
