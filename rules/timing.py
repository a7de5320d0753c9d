"""When the seller is told of a cause again, and why: a lead begins, something new joins, a time has passed."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rules.instant import HOUR, MINUTE
from rules.playbook import Alerts
from rules.policy import Policy

if TYPE_CHECKING:
    from rules.cause import Cause, Member

URGENT_GAP = 30 * MINUTE
"""An urgent newcomer does not wait for the group interval, only this long after the last alert."""
URGENT_LEAD = 4 * HOUR
"""A newcomer this near its end is urgent, whatever the leads; a longer shortest lead counts instead."""
NEEDED = HOUR
"""What it takes to find, pack and hand over: a newcomer nearer to its end is told within minutes."""
LEAST_GAP = 5 * MINUTE
"""Between two alerts of a cause, unless a newcomer's end is nearer still."""
SHIP_BY_PASSED = "SHIP_BY_PASSED"


def instants(
    policy: Policy, cause: "Cause", loud: Iterable["Member"], named: frozenset[str], last_at: int, last_reason: str
) -> list[tuple[int, str]]:
    """When and why the seller would be told after an alert at `last_at` that named `named`; reasons by weight.

    A lead at which nobody can be told comes before the closed hours.
    """
    loud, rule = tuple(loud), policy.playbook.alerts
    leads = [cause.act_by - lead for lead in rule.leads] if cause.act_by is not None else []
    running_out = [policy.reached_by(at) for at in leads]
    newcomers = []
    for one in loud:
        act_by = one.membership.act_by
        if one.membership.case_key not in named or (one.membership.anew and one.joined_at > last_at):
            settled = cause.kind == "overdue"  # nothing can be in time any more
            newcomers.append(last_at + rule.group_interval if settled else newcomer_at(rule, one, last_at))
        elif cause.kind != "pool" and cause.act_by is None and act_by is not None:
            running_out.append(reminder_at(policy, act_by, last_at))
    return [
        *_passed(rule, cause, loud, last_at, last_reason),
        *((at, "TIME_RUNNING_OUT") for at in sorted(running_out) if at > last_at),
        *((at, "NEW_ORDERS") for at in sorted(newcomers)),
        *((at, "SNOOZE_OVER") for one in loud if (at := one.membership.snoozed_until or 0) > last_at),
        *([(last_at + rule.repeat, "STILL_OPEN")] if rule.repeat else []),
    ]


def _passed(
    rule: Alerts, cause: "Cause", loud: Iterable["Member"], last_at: int, last_reason: str
) -> Iterator[tuple[int, str]]:
    """What passes after the last alert is told once: at once, and what passes soon after that in one further alert."""
    if not rule.missed or cause.kind != "pickup":
        return
    gap = rule.group_interval if last_reason == SHIP_BY_PASSED else min(rule.group_interval, URGENT_GAP)
    limits = [one.membership.ship_by for one in loud if one.membership.ship_by is not None]
    yield from ((max(at, last_at + gap), SHIP_BY_PASSED) for at in sorted(limits) if at > last_at)
    if cause.act_by is not None and cause.act_by > last_at and any(True for _ in loud):
        yield cause.act_by, "PICKUP_PASSED"


def reminder_at(policy: Policy, act_by: int, last_at: int) -> int:
    """When an order with a time of its own is told again in its last hours: not one by one, but while it still helps.

    Not after `last_at` when the alert of then was within its shortest lead. A lead of nothing tells what was missed.
    """
    rule = policy.playbook.alerts
    leads = [lead for lead in rule.leads if lead or not rule.missed] or [0]
    begins = policy.reached_by(act_by - leads[-1])
    if begins <= last_at:
        return begins
    return max(begins, min(last_at + rule.group_interval, max(act_by - NEEDED, last_at + LEAST_GAP)))


def newcomer_at(rule: Alerts, one: "Member", last_at: int) -> int:
    """When an order the last alert did not name is told: at the interval, or in time for its own end."""
    member = one.membership
    at = last_at + rule.group_interval
    if member.act_by is not None:
        at = min(at, max(member.act_by - _short(rule), urgent_at(rule, last_at)))
    ends = end_of(member.act_by, member.ship_by, one.joined_at)
    if ends is not None:
        soon = min(max(ends - NEEDED, last_at + LEAST_GAP), ends - LEAST_GAP)
        at = min(at, max(one.joined_at, soon))
    return at


def first_at(rule: Alerts, one: "Member") -> int:
    """When a first order has waited long enough for others to join it."""
    at, member = one.joined_at + rule.group_wait, one.membership
    ends = end_of(member.act_by, member.ship_by, one.joined_at)
    return at if ends is None else min(at, max(one.joined_at, ends - NEEDED))


def wakes(rule: Alerts, act_by: int | None, ship_by: int | None, at: int) -> Iterator[tuple[int, int]]:
    """When a newcomer that joined at `at` gets urgent, and how long before a quiet time ends it is looked at (µs)."""
    if act_by is not None:
        yield max(at, act_by - _short(rule)), rule.group_interval - urgent_at(rule, 0)
    ends = end_of(act_by, ship_by, at)
    if ends is not None:
        yield max(at, ends - NEEDED), rule.group_interval


def end_of(act_by: int | None, ship_by: int | None, after: int) -> int | None:
    """The next of an order's own times after an instant: its pick-up, else the platform's deadline."""
    return min((at for at in (act_by, ship_by) if at is not None and at > after), default=None)


def urgent_at(rule: Alerts, last_at: int) -> int:
    """The earliest instant at which an urgent newcomer is told after an alert at `last_at`."""
    return last_at + min(rule.group_interval, URGENT_GAP)


def _short(rule: Alerts) -> int:
    return max(rule.leads[-1], URGENT_LEAD)
