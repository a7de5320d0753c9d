"""Small builders for tests: an order, a policy, an instant. Say only what matters; the rest is ordinary."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from rules import packs, playbook
from rules.deadline import deadline
from rules.decide import Act, Decision
from rules.instant import HOUR, parse
from rules.look import Look
from rules.model import NO_HISTORY, Case, Event, History, Kind, Line, Order, Outcome, Past, Violation
from rules.playbook import Ladder, Playbook
from rules.policy import Policy

SHANGHAI = ZoneInfo("Asia/Shanghai")
LATE, STOCK_OUT = Violation.LATE_SHIPMENT, Violation.STOCK_OUT


def at(text: str) -> int:
    """The instant of a Shanghai wall-clock time: at("2026-06-01 10:00")."""
    return parse(text, SHANGHAI)


PAID = at("2026-06-01 08:00")
SHIP_BY = at("2026-06-03 18:00")
"""Of an order that says nothing else. Act by = ship by: a policy has no warehouse unless one is given."""


def an_order(*lines: Line, **facts: Any) -> Order:
    """A paid order of the shop "north" that must be shipped by SHIP_BY: 150.00 yuan, 8.00 of it postage."""
    ordinary = {
        "shop": "north",
        "platform": "taobao",
        "order_id": "1",
        "status": "paid",
        "paid_at": PAID,
        "ship_by": SHIP_BY,
        "paid_minor": 15000,
        "shipping_minor": 800,
        "currency": "CNY",
    }
    return Order(**{**ordinary, **facts, "lines": lines or (a_line(),)})


def a_line(line_id: str = "1", sku: str | None = "A-1", quantity: int | None = 2, **facts: Any) -> Line:
    """A line of two units of A-1."""
    return Line(line_id=line_id, sku=sku, quantity=quantity, **facts)


def a_policy(platform: str = "taobao", play: Playbook | str | None = None, **facts: Any) -> Policy:
    """The shipped playbook (or TOML text) on a platform's pack."""
    if isinstance(play, str):
        play = playbook.parse(play, "test")
    return Policy(**{"playbook": play or playbook.shipped(), "pack": packs.load(platform), "zone": SHANGHAI, **facts})


def a_playbook(
    steps: str = "", stock_out: str = "", alerts: str = 'leads = ["24h"]', version: int = 1, more: str = ""
) -> Playbook:
    """A playbook of a few steps, each a line of TOML keys: 'name = "ship", action = "task", lead = "24h"'.

    `more`: further tables as they stand in a file.
    """
    tables = "".join(
        f"[{ladder}]\nsteps = [{', '.join('{' + line.strip() + '}' for line in lines.strip().splitlines())}]\n"
        for ladder, lines in (("late_shipment", steps), ("stock_out", stock_out))
    )
    return playbook.parse(f'name = "test"\nversion = {version}\n[alerts]\n{alerts}\n{tables}{more}', "test")


def a_look(order: Order, policy: Policy | None = None, history: History = NO_HISTORY, now: int = PAID) -> Look:
    """What rules see of an order at `now`."""
    policy = policy or a_policy(order.platform)
    return Look(order, policy, history, deadline(order, policy.pack, policy.warehouse), now)


def a_case(violation: Violation = LATE, opened_at: int = SHIP_BY - 24 * HOUR, episode: int = 1, **facts: Any) -> Case:
    """An open case of order 1."""
    ordinary = {"key": f"north/1/{violation}/{episode}", "ship_by": SHIP_BY, "reason": "SHIP_BY_NEAR"}
    return Case(violation=violation, opened_at=opened_at, episode=episode, **{**ordinary, **facts})


def a_past(step: str, when: int, kind: Kind = Kind.NEGOTIATE, violation: Violation = LATE, **facts: Any) -> Past:
    """A step of episode 1 that was performed in shadow."""
    ordinary = {"key": f"north/1/{violation}/1/{step}", "episode": 1, "outcome": Outcome.SHADOW}
    return Past(step=step, at=when, kind=kind, violation=violation, **{**ordinary, **facts})


def an_event(name: str, when: int) -> Event:
    """Something that happened, and was seen at once."""
    return Event(event=name, at=when, seen_at=when)


def a_history(*cases: Case, past: Iterable[Past] = (), events: Iterable[Event] = (), **facts: Any) -> History:
    """What happened so far, all of it decided by the shipped playbook."""
    return History(
        **{"playbook": playbook.shipped().digest, **facts}, cases=cases, past=tuple(past), events=tuple(events)
    )


def lived(history: History, decision: Decision, policy: Policy, now: int) -> History:
    """The history once a decision is stored, every step performed in shadow."""
    cases = {case.key: case for case in (*history.cases, *decision.opened, *decision.closed, *decision.moved)}
    return history._replace(
        cases=tuple(cases.values()),
        past=(*history.past, *(as_past(act, now) for act in decision.acts)),
        decided_at=now,
        playbook=policy.playbook.digest,
    )


def as_past(act: Act, now: int) -> Past:
    """An act as the rules read it back."""
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


def ladder(policy: Policy, violation: Violation = LATE) -> Ladder:
    """The policy's ladder against a violation."""
    return next(ladder for ladder in policy.playbook.ladders if ladder.violation is violation)


def told(decision: Decision) -> list[str]:
    """A decision in short: "ship" for a step that is done, "make_good: NO_RULE" for a dropped one."""
    return [f"{act.step}: {act.reason}" if act.dropped else act.step for act in decision.acts]
