"""Steps placed backwards from the deadline: when a rung is due, until when it is useful, what it waits for."""

from typing import NamedTuple

from rules import claim, finding
from rules.look import Look
from rules.model import LONG_OVERDUE, SHIPPING, Case, History, Kind, Outcome, Past
from rules.playbook import Ladder, Step

NEVER = 1 << 62
"""Later than any instant: a step without an end of usefulness."""

Performed = dict[str, int | None]
"""When each step of an episode was performed; None = dropped, refused or voided: nobody was asked anything."""

_UNDONE = frozenset({Outcome.VOID, Outcome.REFUSED})


class Placed(NamedTuple):
    """A rung in time: due `at`, useless after `until` (instants)."""

    step: Step
    at: int
    until: int


def open_rungs(look: Look, case: Case, ladder: Ladder, performed: Performed, reason: str = "") -> list[Placed]:
    """Steps of this ladder that apply to the order as it is and have not been done or dropped, in its order.

    None for an order that was first seen long after its time. A step whose predecessor is still to come has no place
    yet. `reason`: what the case stands for by now.
    """
    if case.reason == LONG_OVERDUE:
        return []
    scanning = finding.awaits_scan(look.order) if ladder.violation in SHIPPING else None
    placed: list[Placed] = []
    pending: set[str] = set()
    for step in ladder.steps:
        if step.name in performed:
            continue
        if (step.platforms or step.on or step.value is not None) and not _suits(look, ladder, step, reason):
            continue
        pending.add(step.name)
        if (scanning is not None and step.unscanned is not scanning) or step.waits_for in pending:
            continue
        rung = place(look, case, step, performed)
        if rung is not None:
            placed.append(rung)
    return placed


def _suits(look: Look, ladder: Ladder, step: Step, reason: str) -> bool:
    """Whether the step is meant for this platform, this claim and goods of this price."""
    if step.platforms and look.order.platform not in step.platforms:
        return False
    return (not step.on or reason in step.on) and claim.suits(ladder, step.value, look.order)


def place(look: Look, case: Case, step: Step, performed: Performed) -> Placed | None:
    """Where the step stands; None when its anchor does not exist (no deadline).

    A lead step is moved back into its opening hours and far enough for the steps that wait for it; one that
    counts from an event is moved forward. A closed moment never makes a step due.
    """
    due = look.due
    if step.after is not None:
        if due.ship_by is None:
            return None
        at = due.ship_by + step.after
        until = NEVER if step.until is None else at + step.until
    else:
        if step.delay is not None:
            at = case.opened_at + step.delay
        elif due.act_by is not None:
            at = _backwards(look, step)
        else:
            return None
        endless = due.ship_by is None or (step.until is None and step.kind is Kind.TASK)
        until = NEVER if endless else (due.ship_by or 0) - (step.until or 0)
    waits = step.waits_for is not None or case.snoozed_until is not None
    earliest = _earliest(look, case, step, performed) if waits else case.opened_at
    at = max(at, earliest)
    if step.hours is not None:
        at = _opened(look, step, at, earliest)
    return Placed(step, at, until)


def _backwards(look: Look, step: Step) -> int:
    """The latest useful instant of a lead step: its lead before act_by, and time enough for every follower.

    Earlier when the buyer urges.
    """
    at = (look.due.act_by or 0) - (step.lead or 0) - finding.hurry(look)
    for follower in step.followers:
        if follower.lead is not None and (not follower.platforms or look.order.platform in follower.platforms):
            at = min(at, _backwards(look, follower) - follower.wait)
    return at if step.hours is None else step.hours.last_open(at, look.policy.zone)


def _opened(look: Look, step: Step, at: int, earliest: int) -> int:
    """The same moment inside the step's hours."""
    hours, zone = step.hours, look.policy.zone
    if hours is None:
        return at
    back = hours.last_open(at, zone) if step.after is None else -NEVER
    at = back if back >= earliest else hours.next_open(at, zone)
    return hours.next_open(look.now, zone) if at <= look.now and not hours.is_open(look.now, zone) else at


def _earliest(look: Look, case: Case, step: Step, performed: Performed) -> int:
    """Not before the case, its snooze, and the answer to the step waited for (or the end of the wait)."""
    earliest = case.opened_at
    if case.snoozed_until is not None and case.snoozed_until > earliest:
        earliest = case.snoozed_until
    before = performed.get(step.waits_for) if step.waits_for else None
    if before is None:
        return earliest
    refusals = [e.seen_at for e in look.history.events if e.event == "date_refused" and e.seen_at >= before]
    return max(earliest, min((before + step.wait, *refusals)))


def attended(history: History) -> int | None:
    """Until when nothing was left undone: the last decision, and all the time in which none was due. None: never.

    A deadline that moves closer, or a step that opens late, is no time of absence.
    """
    if history.decided_at is None or history.woken_at is None:
        return history.decided_at
    return max(history.decided_at, history.woken_at - 1)


def missed(placed: list[Placed], until: int | None, patience: int, now: int) -> set[str]:
    """Names of steps passed while nobody looked, where a later effect is due as well and still useful.

    A burst of late messages is worse than none; tasks for a person stay useful and are never dropped here.
    """
    if until is None:
        return set()
    effects = [rung for rung in placed if rung.step.kind is not Kind.TASK and until < rung.at and now <= rung.until]
    latest = max((rung.at for rung in effects), default=now)
    return {rung.step.name for rung in effects if rung.at < min(latest, now - patience)}


def done(entry: Past) -> bool:
    """Whether the action was, or may yet be, carried out. A shadow step counts as performed."""
    return not entry.dropped and entry.outcome not in _UNDONE


def performed_at(past: tuple[Past, ...], case: Case) -> Performed:
    """When each step of this episode was performed. Money paid in an earlier episode counts in every one."""
    if not past:
        return {}
    return {
        entry.step: entry.at if done(entry) else None
        for entry in past
        if entry.violation is case.violation
        and (entry.episode == case.episode or (entry.kind is Kind.COMPENSATE and not entry.dropped))
    }
