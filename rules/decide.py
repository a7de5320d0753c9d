"""`decide`: one order, its past and the policy in; what to do now, and when to look again, out.

Pure and total: any valid order gets an answer and nothing is raised. Caps, budgets and buyer limits are
granted at dispatch, never here, so the batch size cannot change a result.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rules import contact, finding, key, payout
from rules.deadline import Deadline, deadline
from rules.finding import Finding
from rules.ladder import NEVER, Placed, Rungs, missed, performed_at
from rules.model import Case, History, Kind, Order, Violation
from rules.playbook import Ladder
from rules.policy import REOPEN_WITHIN, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An action to insert (or, when `dropped`, a step that will not be done and why)."""

    key: str
    kind: Kind
    step: str
    violation: Violation
    episode: int
    reason: str
    not_after: int | None = None
    amount_minor: int | None = None
    currency: str | None = None
    template: str | None = None
    channel: str | None = None
    dropped: bool = False


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


@dataclass(frozen=True, slots=True, kw_only=True)
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
    playbook = policy.playbook
    opened: list[Case] = []
    closed: list[Case] = []
    standing: list[tuple[Case, Ladder]] = []
    wakes: list[int] = []
    for ladder in playbook.ladders:
        found = finding.find(order, due, history, ladder, playbook.first_lead, now)
        if found.wake_at is not None:
            wakes.append(found.wake_at)
        last = latest(history.cases, ladder.violation)
        case = _carry(order, policy, last, found, due, now)
        if case is None:
            continue
        if case.closed_at is not None:
            closed.append(case)
            continue
        if last is None or case.episode != last.episode or last.closed_at is not None:
            opened.append(case)
        standing.append((case, ladder))
    acts: list[Act] = []
    for case, ladder in standing:
        some, wake = _climb(order, policy, history, due, case, ladder, standing, now)
        acts += some
        wakes += wake
    return Decision(
        deadline=due,
        opened=tuple(opened),
        closed=tuple(closed),
        acts=tuple(acts),
        members=tuple(m for case, _ in standing for m in _memberships(order, policy, history, due, case)),
        wake_at=min((wake for wake in wakes if wake > now), default=None),
    )


def latest(cases: Iterable[Case], violation: Violation) -> Case | None:
    """The newest episode of a violation, open or closed."""
    return max((c for c in cases if c.violation is violation), key=lambda c: c.episode, default=None)


def _carry(
    order: Order, policy: Policy, last: Case | None, found: Finding, due: Deadline, now: int
) -> Case | None:
    """The case after this look: opened, kept, or closed with the reason; None when there is none."""
    standing = last is not None and last.closed_at is None
    if not found.fired:
        if last is None or not standing:
            return None
        reason = "SHIP_BY_MOVED" if found.reason == "NOT_DUE_YET" else found.reason
        return replace(last, closed_at=now, reason=reason)
    if last is not None and standing:
        return last
    if last is not None and last.reason == "RESOLVED_BY_PERSON" and last.ship_by == due.ship_by:
        return None
    if last is not None and last.reason != "SHIP_BY_MOVED" and now - (last.closed_at or 0) <= REOPEN_WITHIN:
        return replace(last, closed_at=None, reason="REOPENED", ship_by=due.ship_by)
    episode = last.episode + 1 if last is not None else 1
    silent = max((until for since, until in policy.maintenance if since <= now < until), default=None)
    return Case(
        key=key.case(order.shop, order.order_id, found.violation, episode),
        violation=found.violation,
        episode=episode,
        opened_at=now,
        reason=found.reason,
        ship_by=due.ship_by,
        snoozed_until=silent,
    )


def _climb(
    order: Order,
    policy: Policy,
    history: History,
    due: Deadline,
    case: Case,
    ladder: Ladder,
    standing: list[tuple[Case, Ladder]],
    now: int,
) -> tuple[list[Act], list[int]]:
    """Steps of one case that are due (as actions or with the reason they are dropped), and later instants."""
    performed = performed_at(history.past, case)
    rungs = Rungs(case, due, history.events, policy.zone)
    acts: list[Act] = []
    wakes: list[int] = []
    violations = frozenset(c.violation for c, _ in standing)
    busy = _busy(history, standing, case)
    while True:
        placed = _open_rungs(order, ladder, rungs, performed)
        ready = [rung for rung in placed if rung.at <= now]
        if not ready:
            wakes += [rung.at for rung in placed]
            return acts, wakes
        skipped = missed(ready, history.decided_at, policy.patience, now)
        rung = min(ready, key=lambda r: (r.at, ladder.steps.index(r.step)))
        act = _act(order, policy, history, due, case, rung, violations, busy, skipped, now)
        performed[rung.step.name] = None if act.dropped else now
        acts.append(act)


def _open_rungs(
    order: Order, ladder: Ladder, rungs: Rungs, performed: dict[str, int | None]
) -> list[Placed]:
    """Steps of this ladder that apply to the order as it is and have not been done or dropped yet."""
    scanning = finding.awaits_scan(order)
    placed: list[Placed] = []
    pending: set[str] = set()
    for step in ladder.steps:
        if step.name in performed or (step.platforms and order.platform not in step.platforms):
            continue
        pending.add(step.name)
        if step.unscanned is not scanning or step.waits_for in pending:
            continue
        rung = rungs.place(step, performed)
        if rung is not None:
            placed.append(rung)
    return placed


def _act(
    order: Order,
    policy: Policy,
    history: History,
    due: Deadline,
    case: Case,
    rung: Placed,
    violations: frozenset[Violation],
    busy: frozenset[tuple[Kind, str]],
    skipped: set[str],
    now: int,
) -> Act:
    """The action of a due rung, or the record of why it is dropped."""
    step = rung.step
    act = Act(
        key=key.step(case.key, step.name),
        kind=step.kind,
        step=step.name,
        violation=case.violation,
        episode=case.episode,
        reason=case.reason,
        not_after=rung.until if rung.until < NEVER else None,
        template=step.template,
        channel=step.channel,
    )
    if step.kind is Kind.COMPENSATE:
        act = replace(act, key=key.compensation(order.shop, order.order_id, case.violation))
    reason = _timing(policy, history, case, rung, skipped, now)
    if reason is None and step.kind is not Kind.TASK:
        reason = "ALREADY_UNDER_WAY" if (step.kind, step.name) in busy else _answered(history, case, step.kind)
    if reason is not None:
        return replace(act, dropped=True, reason=reason)
    if step.kind is Kind.NEGOTIATE:
        return _negotiate(policy, due, act, violations, now)
    if step.kind is Kind.CONTACT:
        return _contact(policy, act, violations, step.intent or "")
    if step.kind is Kind.COMPENSATE:
        return _compensate(order, policy, act)
    return act


def _timing(
    policy: Policy, history: History, case: Case, rung: Placed, skipped: set[str], now: int
) -> str | None:
    """Why the rung's time makes it useless, if it does."""
    decided = history.decided_at
    if case.taken_over:
        return "HUMAN_TAKEOVER"
    if (
        decided is not None
        and rung.at <= decided
        and rung.at > case.opened_at
        and history.playbook != policy.playbook.digest
    ):
        return "ADDED_TOO_LATE"
    if now > rung.until:
        missed_down = decided is not None and decided < rung.at < now - policy.patience
        return "MISSED_WHILE_DOWN" if missed_down else "NO_TIME_LEFT"
    return "MISSED_WHILE_DOWN" if rung.step.name in skipped else None


def _answered(history: History, case: Case, kind: Kind) -> str | None:
    """The event that ends an effect step: an agreed date, a reply, an opt-out."""
    for event in history.events:
        if event.event == "opt_out" and kind is Kind.CONTACT:
            return "OPTED_OUT"
        if event.seen_at < case.opened_at:
            continue
        if event.event == "date_agreed":
            return "DATE_AGREED"
        if event.event == "buyer_reply" and kind is Kind.CONTACT:
            return "BUYER_REPLIED"
    return None


def _busy(
    history: History, standing: list[tuple[Case, Ladder]], case: Case
) -> frozenset[tuple[Kind, str]]:
    """Effects another open case of this order has already started: one new date, one message, not two."""
    others = {(c.violation, c.episode) for c, _ in standing if c.key != case.key}
    return frozenset(
        (past.kind if past.step != "agree_new_date" else Kind.NEGOTIATE, past.step)
        for past in history.past
        if not past.dropped and (past.violation, past.episode) in others
    )


def _negotiate(policy: Policy, due: Deadline, act: Act, violations: frozenset[Violation], now: int) -> Act:
    """Through the platform's own tool; as a task where only a person can press the button."""
    for violation in sorted(violations):
        tool = contact.negotiation(policy.pack, violation)
        if tool is None:
            own = violation is act.violation
            return replace(act, dropped=True, reason="NO_TOOL" if own else "STOCK_OUT_OPEN")
    assert tool is not None
    if tool.before_deadline_only and due.ship_by is not None and now >= due.ship_by:
        return replace(act, dropped=True, reason="DEADLINE_PASSED")
    return replace(act, kind=Kind.TASK) if tool.task_only else act


def _contact(policy: Policy, act: Act, violations: frozenset[Violation], intent: str) -> Act:
    """Past the platform's gate for every open violation: what is harmless for one may admit the other."""
    for violation in sorted(violations):
        verdict = contact.gate(policy.pack, violation, act.channel or "", intent)
        if not verdict.allowed:
            return replace(act, dropped=True, reason=verdict.reason)
    return act


def _compensate(order: Order, policy: Policy, act: Act) -> Act:
    """Only where paying first helps, and only by a row a person has confirmed."""
    stake = payout.stake(order, policy.pack, act.violation, policy.confirmed)
    if stake is None:
        return replace(act, dropped=True, reason="NO_RULE")
    if stake.initiation != "complaint":
        return replace(act, dropped=True, reason="PLATFORM_PAYS_ITSELF")
    if not stake.confirmed:
        return replace(act, dropped=True, reason="RULE_NOT_CONFIRMED")
    return replace(act, amount_minor=stake.low_minor, currency=stake.currency)


def _memberships(
    order: Order, policy: Policy, history: History, due: Deadline, case: Case
) -> Iterable[Membership]:
    """The causes an open case belongs to: its pick-up, or the pools of its uncovered SKUs."""
    if case.violation is Violation.LATE_SHIPMENT:
        names: list[str | None] = [None]
    else:
        lines = [line for line in order.lines if line.open_quantity]
        short = [line for line in lines if line.line_id in history.short] or lines
        names = sorted({line.sku or line.listing_id or f"order-{order.order_id}" for line in short})
        names = names or [f"order-{order.order_id}"]
    stake = payout.stake(order, policy.pack, case.violation, policy.confirmed)
    for name in names:
        yield Membership(
            case_key=case.key,
            sku=name,
            act_by=due.act_by,
            ship_by=due.ship_by,
            stake_minor=stake.high_minor if stake else None,
            currency=stake.currency if stake else order.currency,
            snoozed_until=case.snoozed_until,
            acked_at=case.acked_at,
        )
