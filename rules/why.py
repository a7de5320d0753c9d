"""Why: what holds for one order, and why nothing more does; past steps and the ones to come.

Pure, and for every order: also one that nothing ever happened to. What is to come is found by letting
`decide` run ahead on unchanged facts, so the answer can never differ from what will be done.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from rules import finding, payout
from rules.choice import Choice, weigh
from rules.deadline import Candidate, deadline
from rules.decide import Decision, decide
from rules.episode import latest
from rules.instant import format_utc
from rules.look import Act, Finding, Look
from rules.model import LONG_OVERDUE, History, Kind, Order, Outcome, Past, Violation
from rules.packdata import Row, Scope
from rules.play import tried
from rules.policy import Policy

MOST_LOOKS = 200
"""Bound on the looks ahead; a playbook has far fewer steps."""
_SCOPES: tuple[Scope, ...] = ("order", "escalation", "alternative")
_FLAGS = {
    Violation.SHORT_SHIPMENT: "short_claimed",
    Violation.WRONG_ITEM: "wrong_claimed",
    Violation.DISPUTE: "intervention_requested",
}
"""Flags by which a shop says that the violation has happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A violation the playbook guards against, or a pack row in force for the order.

    `fired`: the violation threatens, the row would apply this moment; `reason` says why or why not.
    `amount_minor`: what it would cost at most.
    """

    id: str
    fired: bool
    reason: str
    amount_minor: int | None
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """A step that was taken, will not be done (`void`, with the reason), or is to come (`planned`, at `due_at`)."""

    key: str
    action: str
    due_at: int
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The whole answer for one order at one instant. `choices`: the ways out of each violation that threatens."""

    order: str
    ship_by: int | None
    act_by: int | None
    candidates: tuple[Candidate, ...]
    rules: tuple[Rule, ...]
    steps: tuple[StepState, ...]
    choices: tuple[Choice, ...] = ()


def explain(order: Order, policy: Policy, history: History, now: int, *, observed_at: int | None = None) -> Explanation:
    """What holds for `order` at `now`, what was done, and what will be if nothing changes. Total.

    `observed_at`: when the facts were last true, to be shown with the claims they make.
    """
    due = deadline(order, policy.pack, policy.warehouse, observed_at=observed_at)
    look = Look(order, policy, history, due, now)
    decision = decide(order, policy, history, now)
    return Explanation(
        order=order.order_id,
        ship_by=due.ship_by,
        act_by=due.act_by,
        candidates=due.candidates,
        rules=(*_violations(look, decision), *_rows(look)),
        steps=(*map(_taken, history.past), *_to_come(look, decision)),
        choices=tuple(_choices(look, decision)),
    )


def to_json(explanation: Explanation) -> dict[str, Any]:
    """The contract's document (§2 `why`): its keys, times in RFC 3339 UTC."""
    document = asdict(explanation)
    document["candidates"] = [
        {"source": c.source, "ship_by": c.ship_by, "observed_at": c.observed_at, "effective": c.effective}
        for c in explanation.candidates
    ]
    for part in (document, *document["candidates"], *document["steps"]):
        for name in ("ship_by", "act_by", "observed_at", "due_at"):
            if part.get(name) is not None:
                part[name] = format_utc(part[name])
    choices = [_choice_json(choice) for choice in explanation.choices]
    return document | {"rules": list(document["rules"]), "steps": list(document["steps"]), "choices": choices}


def _choice_json(choice: Choice) -> dict[str, Any]:
    chosen = choice.chosen
    return {
        "violation": choice.violation.value,
        "currency": choice.currency,
        "miss": choice.miss,
        "auto_minor": choice.auto_minor,
        "complaint_minor": choice.complaint_minor,
        "near_line": choice.near_line,
        "weak": list(choice.weak),
        "assumed": asdict(choice.assumed),
        "alternatives": [
            {
                "way": one.way.value,
                "cost_minor": one.cost_minor,
                "pay_minor": one.pay_minor,
                "obstacle": one.obstacle,
                "break_even": one.break_even,
                "chosen": one is chosen,
            }
            for one in choice.alternatives
        ],
    }


def remembered(look: Look, decision: Decision) -> History:
    """The history once a decision is stored and every step counts as performed and unanswered."""
    cases = {case.key: case for case in (*look.history.cases, *decision.opened, *decision.closed, *decision.moved)}
    return look.history._replace(
        cases=tuple(cases.values()),
        past=(*look.history.past, *(_as_past(act, look.now) for act in decision.acts)),
        decided_at=look.now,
        woken_at=None,
        playbook=look.policy.playbook.digest,
    )


def _as_past(act: Act, now: int) -> Past:
    return Past(
        key=act.key,
        kind=act.kind,
        step=act.step,
        violation=act.violation,
        episode=act.episode,
        at=now,
        outcome=Outcome.VOID if act.dropped else Outcome.SHADOW,
        reason=act.reason,
        dropped=act.dropped,
    )


def _violations(look: Look, decision: Decision) -> Iterator[Rule]:
    """The violations with a ladder. One that threatens but has no case, or one without steps, says why."""
    cases = remembered(look, decision).cases
    for ladder in look.policy.playbook.ladders:
        found = finding.find(look, ladder)
        last = latest(cases, ladder.violation)
        let_go = found.fired and last is not None and last.closed_at is not None
        no_steps = found.fired and last is not None and last.reason == LONG_OVERDUE
        stake = payout.stake(look.order, look.policy.pack, ladder.violation, look.policy.confirmed)
        yield Rule(
            id=ladder.violation.value,
            fired=found.fired and not let_go,
            reason=last.reason if (let_go or no_steps) and last is not None else found.reason,
            amount_minor=stake.high_minor if stake else None,
            confirmed=stake.confirmed if stake else False,
        )


def _choices(look: Look, decision: Decision) -> Iterator[Choice]:
    """The ways out of the open cases whose ladder would pay, as they stand this moment."""
    assumed = look.policy.playbook.assume
    if assumed is None:
        return
    standing = {case.violation for case in remembered(look, decision).cases if case.closed_at is None}
    for ladder in look.policy.playbook.ladders:
        if ladder.violation in standing and any(step.kind is Kind.COMPENSATE for step in ladder.steps):
            yield weigh(look, ladder.violation, standing, tried(look), assumed)


def _rows(look: Look) -> Iterator[Rule]:
    """Every row of the pack in force for the order; of what other sources say, only what a person confirmed.

    Shop-wide lines are not about one order.
    """
    pack = look.policy.pack
    start = pack.starts_at(look.order)
    seen: set[str] = set()
    for scope in _SCOPES:
        for violation in Violation:
            for row in pack.rows_at(violation, start, scope):
                if row.id not in seen and (scope != "alternative" or row.digest in look.policy.confirmed):
                    seen.add(row.id)
                    yield _row(look, row)


def _row(look: Look, row: Row) -> Rule:
    """What a row says of the order: would it apply now, at what price, and how sure is it."""
    confirmed = row.digest in look.policy.confirmed
    stake = payout.of_row(look.order, look.policy.pack, row, look.policy.confirmed)
    reasons = [_applies(look, violation) for violation in row.violations]
    fired, reason = next((found for found in reasons if found[0]), reasons[0])
    if stake is None and row.tiers:
        reason = f"{reason}, NO_PRICE"
    elif stake is not None and stake.note.startswith("exempt"):
        fired, reason = False, "EXEMPT"
    elif row.confidence == "C" and not confirmed:
        span = f" {stake.low_minor}..{stake.high_minor}" if stake else ""
        reason = f"{reason}, UNCONFIRMED{span}"
    return Rule(
        id=row.id,
        fired=fired,
        reason=reason,
        amount_minor=stake.high_minor if stake else None,
        confirmed=confirmed,
    )


def _applies(look: Look, violation: Violation) -> tuple[bool, str]:
    """Whether the violation a row is about has happened by now, and why or why not."""
    flag = _FLAGS.get(violation)
    if flag is not None and look.order.flagged(flag):
        return True, flag.upper()
    found = next(_found(look, violation), None)
    if found is None:
        return False, "NOT_SEEN"
    if not found.fired or violation is not Violation.LATE_SHIPMENT:
        return found.fired, found.reason
    late = look.due.ship_by is not None and look.now >= look.due.ship_by
    return late, found.reason if late else "NOT_LATE_YET"


def _found(look: Look, violation: Violation) -> Iterator[Finding]:
    for ladder in look.policy.playbook.ladders:
        if ladder.violation is violation:
            yield finding.find(look, ladder)


def _taken(past: Past) -> StepState:
    return StepState(
        key=past.key, action=past.kind.value, due_at=past.at, outcome=past.outcome.value, reason=past.reason
    )


def _to_come(look: Look, decision: Decision) -> Iterator[StepState]:
    """The steps that follow if nothing changes, found by deciding at every wake-up ahead."""
    for _ in range(MOST_LOOKS):
        for act in decision.acts:
            yield StepState(
                key=act.key,
                action=act.kind.value,
                due_at=look.now,
                outcome=Outcome.VOID.value if act.dropped else Outcome.PLANNED.value,
                reason=act.reason,
            )
        if decision.wake_at is None:
            return
        look = look._replace(history=remembered(look, decision), now=decision.wake_at)
        decision = decide(look.order, look.policy, look.history, look.now)
