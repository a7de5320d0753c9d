"""Steps placed backwards from the deadline: when a rung is due, until when it is useful, what it waits for."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from rules.deadline import Deadline
from rules.model import Case, Event, Kind, Past
from rules.playbook import Step

NEVER = 1 << 62
"""Later than any instant: a step without an end of usefulness."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A rung in time: due `at`, useless after `until` (instants)."""

    step: Step
    at: int
    until: int


@dataclass(frozen=True, slots=True)
class Rungs:
    """What a case's rungs depend on: deadline, events, what was performed (name → instant, None = dropped)."""

    case: Case
    deadline: Deadline
    events: tuple[Event, ...]
    zone: ZoneInfo

    def place(self, step: Step, performed: dict[str, int | None]) -> Placed | None:
        """Where the step stands; None when its anchor does not exist (no deadline, predecessor not placed)."""
        anchor = self._anchor(step)
        if anchor is None:
            return None
        earliest = self._earliest(step, performed)
        at = max(anchor, earliest)
        if step.hours is not None:
            back = step.hours.last_open(anchor, self.zone)
            at = back if back >= earliest else step.hours.next_open(at, self.zone)
        if self.case.snoozed_until is not None:
            at = max(at, self.case.snoozed_until)
        return Placed(step, at, self._until(step, anchor))

    def _anchor(self, step: Step) -> int | None:
        if step.delay is not None:
            return self.case.opened_at + step.delay
        if step.lead is not None:
            return None if self.deadline.act_by is None else self.deadline.act_by - step.lead
        return None if self.deadline.ship_by is None else self.deadline.ship_by + (step.after or 0)

    def _earliest(self, step: Step, performed: dict[str, int | None]) -> int:
        """Not before the case, and not before the step waited for was answered or its time is over."""
        earliest = self.case.opened_at
        before = performed.get(step.waits_for) if step.waits_for else None
        if before is None:
            return earliest
        refused = next((e.seen_at for e in self.events if e.event == "date_refused" and e.seen_at >= before), NEVER)
        return max(earliest, min(before + step.wait, refused))

    def _until(self, step: Step, anchor: int) -> int:
        if step.after is not None:
            return anchor + step.until if step.until is not None else NEVER
        if step.until is None and step.kind is Kind.TASK:
            return NEVER
        if self.deadline.ship_by is None:
            return NEVER
        return self.deadline.ship_by - (step.until or 0)


def missed(placed: list[Placed], decided_at: int | None, patience: int, now: int) -> set[str]:
    """Names of steps passed while nobody looked: all but the latest effect that is still useful.

    A burst of late messages is worse than none; tasks for a person stay useful and are never dropped here.
    """
    if decided_at is None:
        return set()
    late = [
        rung
        for rung in placed
        if rung.step.kind is not Kind.TASK and decided_at < rung.at < now - patience and now <= rung.until
    ]
    late.sort(key=lambda rung: rung.at)
    return {rung.step.name for rung in late[:-1]}


def performed_at(past: tuple[Past, ...], case: Case) -> dict[str, int | None]:
    """When each step of this episode was performed (None = dropped). A shadow step counts as performed."""
    return {
        entry.step: None if entry.dropped else entry.at
        for entry in past
        if entry.violation is case.violation and (entry.episode == case.episode or entry.kind is Kind.COMPENSATE)
    }
