"""A case's life: opened, kept, closed with its reason, opened anew, or taken up again as the same episode."""

from collections.abc import Iterable

from rules import claim, key
from rules.deadline import Deadline
from rules.instant import DAY
from rules.look import Finding, Look
from rules.model import CLAIMS, LONG_OVERDUE, SHIPPING, Case, Violation
from rules.playbook import Ladder
from rules.policy import REOPEN_WITHIN

LONG_PAST = 2 * DAY
"""An order first seen this long after its time is told of in one notice with all others, and gets no steps (µs)."""


def latest(cases: Iterable[Case], violation: Violation) -> Case | None:
    """The newest episode of a violation, open or closed."""
    newest = None
    for case in cases:
        if case.violation is violation and (newest is None or case.episode > newest.episode):
            newest = case
    return newest


def carry(look: Look, last: Case | None, found: Finding, ladder: Ladder) -> tuple[Case, ...]:
    """The cases that stand or end after this look, oldest first; () when there is none.

    A case that comes back, or whose deadline moves, keeps no acknowledgement and no snooze: that was for another one.
    Two when a claim got graver: the old episode is closed, and the new one has the new claim's clock.
    """
    standing = last if last is not None and last.closed_at is None else None
    if standing is not None:
        if not found.fired:
            return (standing._replace(closed_at=look.now, reason=_ending(found)),)
        if claim.is_graver(standing, found, ladder):
            ended = standing._replace(closed_at=look.now, reason="ESCALATED")
            return (ended, _open(look, found, ladder, standing.episode + 1))
        if _is_outlived(look, standing, ladder):
            return (standing._replace(closed_at=look.now, reason="TOO_OLD"),)
        return (_with_deadline(look, standing, found),)
    if not found.fired:
        return ()
    if last is None:
        return (_open(look, found, ladder, 1),)
    due = due_of(look, found, ladder, look.now)
    if not claim.is_graver(last, found, ladder):
        if _is_settled(last, found, due):
            return ()
        if _flaps(look, last, due) and not _is_outlived(look, last, ladder):
            return (last._replace(closed_at=None, reason="REOPENED", ship_by=_kept(last, due), acked_at=None),)
    return (_open(look, found, ladder, last.episode + 1),)


def _with_deadline(look: Look, case: Case, found: Finding) -> Case:
    """A shipping case with the deadline as it is now; another one than before is nobody's to be silent about."""
    if case.violation not in SHIPPING or case.ship_by == look.due.ship_by:
        return case
    acked_at = case.acked_at if case.acked_at is not None and case.acked_at >= look.now else None
    reason = found.reason if case.reason == LONG_OVERDUE else case.reason
    silent = _silent_until(look)
    return case._replace(ship_by=look.due.ship_by, acked_at=acked_at, snoozed_until=silent, reason=reason)


def due_of(look: Look, found: Finding, ladder: Ladder, opened_at: int) -> int | None:
    """When the case's time is up: the ship-by time, the clock in the facts, or the answer to the claim."""
    if ladder.violation in SHIPPING:
        return look.due.ship_by
    return found.due if found.due is not None else opened_at + claim.clock(ladder, found.reason)


def seen_by(look: Look, case: Case, found: Finding, ladder: Ladder) -> Look:
    """The look with the case's own deadline: an answer to a buyer is not due when the parcel was."""
    if ladder.violation in SHIPPING:
        return look
    due = due_of(look, found, ladder, case.opened_at)
    return look._replace(due=Deadline(due, due, ()))


def _kept(last: Case, due: int | None) -> int | None:
    """A claim that comes back keeps its clock; everything else has that of the facts."""
    return last.ship_by if last.violation in CLAIMS else due


def _is_outlived(look: Look, case: Case, ladder: Ladder) -> bool:
    """Whether a claim has stood so long that nothing helps; the other clocks see to that themselves."""
    return case.violation in CLAIMS and look.now >= case.opened_at + ladder.auto_close


def _is_settled(last: Case, found: Finding, due: int | None) -> bool:
    """Whether a closed case stays closed though its cause still stands: a person said so, or it got too old."""
    if last.violation not in CLAIMS:
        return last.reason == "RESOLVED_BY_PERSON" and last.ship_by == due
    is_new = found.since is not None and found.since > (last.closed_at or 0)
    return last.reason in ("RESOLVED_BY_PERSON", "TOO_OLD") and not is_new


def _ending(found: Finding) -> str:
    """Why a case ends: what was found, in words of the case."""
    match found.reason:
        case "NOT_DUE_YET" if found.violation in SHIPPING:
            return "SHIP_BY_MOVED"
        case "NOT_DUE_YET":
            return "MOVES_AGAIN"
        case "NOT_SEEN":
            return "CLAIM_GONE"
        case reason:
            return reason


def _flaps(look: Look, last: Case, due: int | None) -> bool:
    """Whether a closed case comes back as the same episode: soon after, or by its old deadline returning."""
    if last.reason == "SHIP_BY_MOVED":
        return last.ship_by == due
    return look.now - (last.closed_at or 0) <= REOPEN_WITHIN


def _open(look: Look, found: Finding, ladder: Ladder, episode: int) -> Case:
    order, now = look.order, look.now
    due = due_of(look, found, ladder, now)
    return Case(
        key=key.case(order.shop, order.order_id, found.violation, episode),
        violation=found.violation,
        episode=episode,
        opened_at=now,
        reason=LONG_OVERDUE if _is_long_overdue(look, found, due) else found.reason,
        ship_by=due,
        snoozed_until=_silent_until(look),
    )


def _is_long_overdue(look: Look, found: Finding, due: int | None) -> bool:
    """Whether its time was up long before the order was seen at all: as a first import finds them by the hundred."""
    if look.history.decided_at is not None or due is None or found.violation in CLAIMS:
        return False
    return look.now >= due + LONG_PAST


def _silent_until(look: Look) -> int | None:
    """Until when the case is silent: the end of the maintenance it was opened in."""
    spans = look.policy.maintenance
    return max((until for since, until in spans if since <= look.now < until), default=None) if spans else None
