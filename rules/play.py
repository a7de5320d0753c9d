"""What a due step becomes: an action, or the record of why it is dropped.

In this order: its time, whether it is needed any more, and what platform and pack allow.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from rules import choice, claim, contact, key, payout
from rules.ladder import NEVER, Performed, Placed, attended, done
from rules.look import Act, Look
from rules.model import Case, Event, Kind, Order, Past, Violation
from rules.playbook import Ladder, Playbook, Step
from rules.templates import edition


class Turn(NamedTuple):
    """One case's turn: the look with its own deadline, its ladder, the order's open cases, steps so far, all acts.

    `reason`: what the case stands for by now; a claim's steps depend on it.
    """

    look: Look
    case: Case
    ladder: Ladder
    reason: str
    standing: tuple[Case, ...]
    performed: Performed
    begun: bool
    acts: list[Act]


@dataclass(frozen=True, slots=True)
class Started:
    """An effect that was begun for the order: in which case, by which step, meant as what."""

    violation: Violation
    episode: int
    step: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Payment:
    """What a `compensate` step gives: by which way, how much (minor units), of which currency."""

    way: choice.Way
    amount_minor: int
    currency: str


def play(turn: Turn, rung: Placed, skipped: set[str]) -> Act:
    """The action of a due rung, or the record of why it is dropped."""
    step, case = rung.step, turn.case
    refusal = _timing(turn, rung, skipped)
    if refusal is None and step.kind is Kind.TASK and step.follows_message:
        refusal = _replied(turn)
    elif refusal is None and step.kind is not Kind.TASK:
        refusal = _needless(turn, step) or _forbidden(turn, step)
    name, kind, amount, currency, channel = key.step(case.key, step.name), step.kind, None, None, step.channel
    if refusal is None and kind is Kind.COMPENSATE:
        found = _payment(turn)
        if isinstance(found, str):
            refusal = found
        else:
            name = key.compensation(turn.look.order.shop, turn.look.order.order_id, case.violation)
            amount, currency, channel = found.amount_minor, found.currency, found.way.value
    elif refusal is None and kind is Kind.NEGOTIATE:
        tool = contact.negotiation(turn.look.policy.pack, case.violation)
        kind = Kind.TASK if tool is None or tool.task_only else kind
    elif refusal is None and step.value is not None:
        amount, currency = claim.worth(turn.look.order), turn.look.order.currency
    return Act(
        key=name,
        kind=kind,
        step=step.name,
        violation=case.violation,
        episode=case.episode,
        reason=case.reason if refusal is None else refusal,
        not_after=rung.until if rung.until < NEVER else None,
        amount_minor=amount,
        currency=currency,
        template=_edition(turn, step),
        channel=channel,
        dropped=refusal is not None,
    )


def _timing(turn: Turn, rung: Placed, skipped: set[str]) -> str | None:
    """Why the rung's time makes it useless, if it does."""
    look, until = turn.look, attended(turn.look.history)
    if turn.case.taken_over:
        return "HUMAN_TAKEOVER"
    # A ladder of which nothing was done yet is new to the case: its first steps go at once.
    if _is_added(look, rung, until) and (rung.at > turn.case.opened_at or turn.begun):
        return "ADDED_TOO_LATE"
    if look.now > rung.until:
        missed_down = until is not None and until < rung.at < look.now - look.policy.patience
        return "MISSED_WHILE_DOWN" if missed_down else "NO_TIME_LEFT"
    return "MISSED_WHILE_DOWN" if rung.step.name in skipped else None


def _is_added(look: Look, rung: Placed, until: int | None) -> bool:
    """Whether an edited playbook put the rung into the past: the one before would have woken the order for it."""
    return until is not None and rung.at <= until and look.history.playbook != look.policy.playbook.digest


def _needless(turn: Turn, step: Step) -> str | None:
    """Why an effect is not needed any more: already begun in another case, answered, or too late to help."""
    if _under_way(turn, step):
        return "ALREADY_UNDER_WAY"
    return answered(turn.look.order, turn.look.history.events, turn.case.opened_at, step.kind)


def answered(order: Order, events: Iterable[Event], opened_at: int, kind: Kind) -> str | None:
    """Which fact makes an effect for the order pointless, if one does. `opened_at`: when its case was opened."""
    for event in events:
        if event.event == "opt_out" and kind is Kind.CONTACT:
            return "OPTED_OUT"
        if event.event in ("complaint", "intervention") and kind is Kind.COMPENSATE:
            return "ALREADY_COMPLAINED"
        if event.seen_at < opened_at:
            continue
        if event.event == "date_agreed":
            return "DATE_AGREED"
        if event.event == "buyer_reply" and kind is Kind.CONTACT:
            return "BUYER_REPLIED"
    complained = kind is Kind.COMPENSATE and order.flagged("intervention_requested")
    return "ALREADY_COMPLAINED" if complained else None


def _replied(turn: Turn) -> str | None:
    """Why a work item that follows a message is not needed: the buyer answered it, or nobody was written to."""
    messages = (step.name for step in turn.ladder.steps if step.kind is Kind.CONTACT)
    if all(turn.performed.get(name) is None for name in messages):
        return "NOTHING_SENT"
    reason = answered(turn.look.order, turn.look.history.events, turn.case.opened_at, Kind.CONTACT)
    return reason if reason in ("BUYER_REPLIED", "DATE_AGREED") else None


def _edition(turn: Turn, step: Step) -> str | None:
    """The approved text with its version; one that nobody approved goes by its name and is never sent."""
    template = turn.look.policy.playbook.template(step.template) if step.template else None
    return step.template if template is None else edition(step.template or "", template)


def _under_way(turn: Turn, step: Step) -> bool:
    """One payment per order, one new date and one message of a name over its open cases."""
    if step.kind is Kind.COMPENSATE:
        return any(other.kind is Kind.COMPENSATE for other in _started(turn.look, turn.acts))
    others = {(case.violation, case.episode) for case in turn.standing if case.key != turn.case.key}
    return bool(others) and any(
        other.kind is step.kind and (step.kind is Kind.NEGOTIATE or other.step == step.name)
        for other in _started(turn.look, turn.acts)
        if (other.violation, other.episode) in others
    )


def _started(look: Look, acts: Iterable[Act]) -> Iterator[Started]:
    """Effects begun for the order, in this look or before."""
    playbook = look.policy.playbook
    entries: list[Past | Act] = [entry for entry in look.history.past if done(entry)]
    entries += [act for act in acts if not act.dropped]
    for entry in entries:
        meant = _meant(playbook, entry.violation, entry.step) or entry.kind
        yield Started(entry.violation, entry.episode, entry.step, meant)


def _meant(playbook: Playbook, violation: Violation, name: str) -> Kind | None:
    """What the playbook's step is for: a negotiation may have become a task for a person."""
    for ladder in playbook.ladders:
        for step in ladder.steps if ladder.violation is violation else ():
            if step.name == name:
                return step.kind
    return None


def _forbidden(turn: Turn, step: Step) -> str | None:
    """Why platform or pack do not let this effect happen."""
    if step.kind is Kind.NEGOTIATE:
        return choice.no_new_date(turn.look, turn.case.violation, _open_violations(turn), tried(turn.look, turn.acts))
    return _no_contact(turn, step) if step.kind is Kind.CONTACT else None


def _open_violations(turn: Turn) -> frozenset[Violation]:
    return frozenset(case.violation for case in turn.standing)


def tried(look: Look, acts: Iterable[Act] = ()) -> int:
    """How often a new date has been asked for, before and by the acts of this look."""
    return sum(other.kind is Kind.NEGOTIATE for other in _started(look, acts))


def _no_contact(turn: Turn, step: Step) -> str | None:
    """The platform's gate for every open violation: what is harmless for one may admit the other."""
    for violation in sorted(case.violation for case in turn.standing):
        policy = turn.look.policy
        enabled = policy.playbook.contact.channels
        verdict = contact.gate(policy.pack, violation, step.channel or "", step.intent or "", enabled=enabled)
        if not verdict.allowed:
            return verdict.reason
    return None


def _payment(turn: Turn) -> Payment | str:
    """What is paid, or why nothing is: only by a confirmed row that makes it help, and where nothing is cheaper."""
    look, violation = turn.look, turn.case.violation
    stake = payout.stake(look.order, look.policy.pack, violation, look.policy.confirmed)
    refusal = choice.no_cash(stake)
    if refusal is not None or stake is None:
        return refusal or "NO_RULE"
    assumed = look.policy.playbook.assume
    if assumed is None:
        return Payment(choice.Way.RULE_PAYOUT, stake.low_minor, stake.currency)
    chosen = choice.weigh(look, violation, _open_violations(turn), tried(look, turn.acts), assumed).chosen
    if chosen.pay_minor is None:
        return "WAITING_IS_CHEAPER" if chosen.way is choice.Way.WAIT else "NEW_DATE_IS_CHEAPER"
    return Payment(chosen.way, chosen.pay_minor, stake.currency)
