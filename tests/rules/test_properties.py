"""What holds for every order, history and instant: the promises `decide` and its companions make."""

from collections import deque
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rules import packs, playbook
from rules.allocate import OpenLine, allocate
from rules.calendars import warehouse
from rules.cause import Cause, Member, Told, decide_cause
from rules.decide import Membership, decide
from rules.instant import DAY, HOUR, MINUTE, parse
from rules.model import (
    EVENTS,
    FLAGS,
    NO_HISTORY,
    SHIPPING,
    STATUSES,
    Event,
    History,
    Kind,
    Line,
    Order,
    Outcome,
    Track,
    Violation,
)
from rules.policy import Policy
from rules.snapshot import Known, nest
from rules.why import explain, to_json
from tests.builders import PAID, SHANGHAI, a_case, a_past, a_playbook, a_policy, lived

MANY = a_playbook(
    """
    name = "ship", action = "task", lead = "30h"
    name = "card", action = "negotiate", lead = "10h", until = "1h"
    name = "talk", action = "contact", lead = "9h", waits_for = "card", wait = "3h", channel = "platform_chat", \
intent = "delay_notice", template = "t", hours = "09:00-21:00"
    name = "chase", action = "contact", lead = "5h", stage = "unscanned", channel = "platform_chat", \
intent = "apology", template = "t", hours = "08:30-20:00"
    name = "sorry", action = "contact", after = "1h", until = "3h", channel = "platform_chat", intent = "apology", \
template = "t", hours = "09:00-21:00"
    name = "pay", action = "compensate", after = "0m", until = "48h"
    name = "pay_more", action = "compensate", after = "1h", until = "48h"
    """,
    """
    name = "find", action = "task", delay = "0m"
    name = "card", action = "negotiate", delay = "30m", until = "2h"
    name = "talk", action = "contact", delay = "1h", waits_for = "card", wait = "2h", channel = "platform_chat", \
intent = "delay_notice", template = "t", hours = "09:00-21:00"
    name = "pay", action = "compensate", after = "0m", until = "48h"
    """,
    'leads = ["24h", "4h"]\nrepeat = "6h"\ngroup_interval = "30m"\nresolved = true',
    more="""
[dispute]
auto_close = "3d"
steps = [
  { name = "reply", action = "task", delay = "1h", on = ["refund_requested"] },
  { name = "settle", action = "task", lead = "5h", on = ["complained", "intervention_requested"] },
  { name = "sorry", action = "contact", delay = "30m", channel = "platform_chat", intent = "apology", template = "t" },
]
[short_shipment]
low_value_minor = 5000
steps = [
  { name = "send", action = "task", delay = "0m", value = "low" },
  { name = "check", action = "task", delay = "0m", value = "high" },
  { name = "pay", action = "compensate", after = "0m", until = "48h" },
]
[track_stalled]
steps = [{ name = "ask", action = "task", lead = "6h" }, { name = "trace", action = "task", after = "12h" }]
""",
)
HOUSE = warehouse("Mon-Sat 09:00-18:00", ["11:00", "18:00"], "2h", SHANGHAI)
ALL_ROWS = frozenset(row.digest for pack in packs.all_packs() for row in pack.rows)
MOMENTS = st.integers(-4 * 24 * 4, 6 * 24 * 4).map(lambda quarter: PAID + quarter * 15 * MINUTE)
ABSURD = st.sampled_from([0, parse("2099-12-31T23:59:59Z")])
"""What other systems write where they know no date."""
MAYBE = st.none() | MOMENTS | ABSURD

LINES = st.lists(
    st.builds(
        Line,
        line_id=st.sampled_from("123"),
        sku=st.sampled_from(["A", "B", None]),
        quantity=st.none() | st.integers(0, 5),
        shipped_quantity=st.none() | st.integers(0, 5),
        refunded_quantity=st.none() | st.integers(0, 2),
        ship_by=MAYBE,
        stock=st.none() | st.integers(0, 5),
    ),
    max_size=3,
    unique_by=lambda line: line.line_id,
).map(tuple)
PLATFORMS = st.sampled_from(packs.PLATFORMS)
MONEY = st.none() | st.integers(0, 100_000)
ORDERS = st.builds(
    Order,
    shop=st.just("north"),
    platform=PLATFORMS,
    order_id=st.just("1"),
    status=st.sampled_from(("paid", "paid", "paid", *STATUSES)),
    paid_at=MAYBE,
    ship_by=MAYBE,
    presale_ship_by=MAYBE,
    negotiated_ship_by=MAYBE,
    group_success_at=MAYBE,
    promise_hours=st.none() | st.integers(1, 200),
    shipped_at=MAYBE,
    collected_at=st.none() | MOMENTS,
    collection_known=st.booleans(),
    currency=st.sampled_from(["CNY", None, "USD"]),
    paid_minor=MONEY,
    shipping_minor=MONEY,
    flags=st.none() | st.lists(st.sampled_from(FLAGS), max_size=3, unique=True).map(tuple),
    tracking=st.none()
    | st.lists(st.builds(Track, at=MOMENTS, event=st.sampled_from(["已揽收", "待揽收"])), max_size=3).map(tuple),
    lines=LINES,
)
EVENT = st.builds(lambda event, at, lag: Event(event=event, at=at, seen_at=at + lag), st.sampled_from(EVENTS),
                  MOMENTS, st.integers(0, 3).map(lambda hours: hours * HOUR))  # fmt: skip
OUTCOMES = st.sampled_from(Outcome)


@st.composite
def policies(draw, platforms=PLATFORMS) -> Policy:
    """A shop's policy: shipped or crowded playbook, with or without warehouse, rows confirmed or not."""
    return a_policy(
        draw(platforms),
        draw(st.sampled_from([playbook.shipped(), MANY])),
        warehouse=draw(st.sampled_from([None, HOUSE])),
        confirmed=draw(st.sampled_from([frozenset(), ALL_ROWS])),
        maintenance=draw(st.sampled_from([(), ((PAID + DAY, PAID + DAY + 6 * HOUR),)])),
    )


@st.composite
def histories(draw) -> History:
    """Any past that could be stored: cases of all kinds in any state, steps with any outcome, events."""
    cases, past = [], []
    for violation in draw(st.lists(st.sampled_from(Violation), max_size=3, unique=True)):
        for episode in range(1, draw(st.integers(1, 2)) + 1):
            opened = draw(MOMENTS)
            closed = draw(st.none() | MOMENTS.filter(lambda moment, opened=opened: moment >= opened))
            reasons = st.sampled_from(["IN_STOCK", "SHIP_BY_MOVED", "RESOLVED_BY_PERSON"])
            case = a_case(violation, opened, episode, closed_at=closed, reason=draw(reasons), ship_by=draw(MAYBE))
            cases.append(case._replace(snoozed_until=draw(st.none() | MOMENTS), taken_over=draw(st.booleans())))
            names = st.lists(st.sampled_from(["ship", "card", "talk", "pay", "tell_buyer"]), unique=True)
            past += [
                a_past(name, opened, draw(st.sampled_from([Kind.TASK, Kind.NEGOTIATE, Kind.CONTACT, Kind.COMPENSATE])),
                       violation, key=f"{case.key}/{name}", episode=episode, outcome=draw(OUTCOMES),
                       dropped=draw(st.booleans()))
                for name in draw(names)
            ]  # fmt: skip
    return History(
        cases=tuple(cases),
        past=tuple(past),
        events=tuple(draw(st.lists(EVENT, max_size=3))),
        short=draw(st.sampled_from([(), ("1",), ("1", "2")])),
        decided_at=draw(MAYBE),
        playbook=draw(st.sampled_from(["", MANY.digest, playbook.shipped().digest])),
    )


def _closed(order: Order) -> bool:
    return order.status in ("unpaid", "delivered", "completed", "cancelled", "refunded")


@pytest.mark.slow
@given(ORDERS, policies(), histories(), MOMENTS)
@settings(max_examples=150)
def test_every_order_gets_an_answer_and_a_wake_up_that_lies_ahead(order, policy, history, now):
    decision = decide(order, policy, history, now)
    assert decision.wake_at is None or decision.wake_at > now


@given(ORDERS, policies(), histories(), MOMENTS)
@settings(max_examples=80)
def test_every_order_is_explained_with_a_reason_for_each_violation(order, policy, history, now):
    document = to_json(explain(order, policy, history, now))
    assert set(Violation) <= {rule["id"] for rule in document["rules"]}
    assert all(rule["reason"] for rule in document["rules"])


@pytest.mark.slow
@given(ORDERS.filter(_closed), policies(), histories(), MOMENTS)
def test_a_closed_order_yields_no_action_and_keeps_no_case_open(order, policy, history, now):
    decision = decide(order, policy, history, now)
    assert [] == [act for act in decision.acts if act.violation in SHIPPING]
    may_be_claimed = order.status in ("delivered", "completed")
    assert may_be_claimed or ((), ()) == (decision.acts, decision.members)
    assert {case.key for case in history.cases if case.closed_at is None} >= {case.key for case in decision.closed}


def news_told(one: Membership) -> Membership:
    """That a case came back is news at that moment alone, and no change of what stands."""
    return one._replace(anew=False)


@pytest.mark.slow
@given(ORDERS, policies(), histories(), MOMENTS)
@settings(max_examples=150)
def test_a_decision_fed_back_as_history_decides_nothing_new(order, policy, history, now):
    first = decide(order, policy, history, now)
    again = decide(order, policy, lived(history, first, policy, now), now)
    assert ((), (), ()) == (again.opened, again.closed, again.acts)
    assert first.wake_at == again.wake_at
    assert [news_told(one) for one in first.members] == [news_told(one) for one in again.members]


@given(ORDERS, policies(), st.data())
@settings(max_examples=80)
def test_no_key_is_used_twice_in_the_life_of_an_order(order, policy, data):
    keys: list[str] = []
    history = NO_HISTORY
    for now in sorted(data.draw(st.lists(MOMENTS, min_size=1, max_size=8))):
        order = replace(
            order,
            status=data.draw(st.sampled_from(["paid", "paid", "shipped"])),
            ship_by=data.draw(st.sampled_from([order.ship_by, PAID + 2 * DAY, PAID + 4 * DAY])),
            flags=data.draw(st.sampled_from([(), ("out_of_stock",)])),
        )
        decision = decide(order, policy, history, now)
        keys += [act.key for act in decision.acts]
        history = lived(history, decision, policy, now)
    assert sorted(set(keys)) == sorted(keys)


@pytest.mark.slow
@given(ORDERS, policies(), st.data())
@settings(max_examples=80)
def test_money_is_paid_at_most_once_for_an_order_whatever_is_wrong_with_it(order, policy, data):
    payments: list[str] = []
    history = NO_HISTORY
    for now in sorted(data.draw(st.lists(MOMENTS, min_size=1, max_size=8))):
        order = replace(order, flags=data.draw(st.sampled_from([(), ("out_of_stock",)])))
        decision = decide(order, replace(policy, confirmed=ALL_ROWS), history, now)
        payments += [act.key for act in decision.acts if act.kind is Kind.COMPENSATE and not act.dropped]
        history = lived(history, decision, policy, now)
    assert len(payments) <= 1


def _life(versions, policy: Policy, extra: list[int], until: int) -> list[tuple]:
    """All that is decided about an order whose facts change at given instants; `extra` looks are taken besides.

    As the daemon does it: a look at every change and every wake-up.
    """
    history, written, wake = NO_HISTORY, [], None
    looks = deque(sorted({at for at, _, _ in versions} | set(extra)))
    order = events = None
    while looks or (wake is not None and wake <= until):
        now = min(moment for moment in (wake, looks[0] if looks else None) if moment is not None)
        if looks and looks[0] == now:
            looks.popleft()
        for at, facts, seen in versions:
            if at == now:
                order, events = facts, seen
        if order is None:
            continue
        decision = decide(order, policy, history._replace(events=events, woken_at=now), now)
        written += [(now, case.key, case.reason) for case in (*decision.opened, *decision.closed)]
        written += [(now, act.key, act.reason) for act in decision.acts]
        history, wake = lived(history, decision, policy, now), decision.wake_at
    return written


@pytest.mark.slow
@given(ORDERS, policies(), st.data())
@settings(max_examples=40)
def test_jumping_to_the_wake_up_decides_the_same_as_looking_all_the_time(order, policy, data):
    versions = []
    for at in sorted(data.draw(st.lists(MOMENTS, min_size=1, max_size=4, unique=True))):
        order = replace(
            order,
            status=data.draw(st.sampled_from(["paid", "paid", "shipped", "partly_shipped"])),
            ship_by=data.draw(st.sampled_from([order.ship_by, PAID + 2 * DAY, PAID + 3 * DAY])),
            flags=data.draw(
                st.sampled_from([(), ("out_of_stock",), ("refund_requested",), ("short_claimed", "urged")])
            ),
        )
        seen = tuple(event for event in data.draw(st.lists(EVENT, max_size=2)) if event.seen_at <= at)
        versions.append((at, order, seen))
    until = versions[0][0] + 12 * DAY
    often = list(range(versions[0][0], until, data.draw(st.sampled_from([60, 11 * 60])) * MINUTE))
    assert _life(versions, policy, [], until) == _life(versions, policy, often, until)


@given(st.integers(-3, 40), st.data())
def test_allocation_never_hands_out_more_than_is_on_hand_and_ignores_the_order_of_lines(on_hand, data):
    sizes = data.draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5000), MAYBE), max_size=12))
    lines = [
        OpenLine(shop="n", order_id=str(i), line_id="1", quantity=quantity, loss_minor=loss, act_by=act_by)
        for i, (quantity, loss, act_by) in enumerate(sizes)
    ]
    short = allocate(on_hand, tuple(lines))
    assert sum(line.quantity for line in lines if ("n", line.order_id, "1") not in short) <= max(on_hand, 0)
    assert short == allocate(on_hand, tuple(data.draw(st.permutations(lines))))


FACT = st.sampled_from(["status", "ship_by", "remark"])
SAID = st.dictionaries(FACT, st.none() | st.integers(0, 3), max_size=3)
LINE_FACTS = st.dictionaries(st.sampled_from(["stock", "sku"]), st.integers(0, 3))
LINE_SAID = st.dictionaries(st.sampled_from("12"), LINE_FACTS)


@given(st.lists(st.tuples(SAID, LINE_SAID), min_size=1, max_size=6), st.data())
@example([({"ship_by": 1}, {}), ({}, {}), ({"ship_by": 2}, {})], None)
def test_what_is_known_does_not_depend_on_the_order_in_which_snapshots_arrive(said, data):
    snapshots = [(fields, lines, 10 * n) for n, (fields, lines) in enumerate(said)]
    shuffled = data.draw(st.permutations(snapshots)) if data else snapshots[::-1]
    assert _known(snapshots) == _known(shuffled)


def _known(snapshots) -> tuple[int, dict]:
    known = Known(observed_at=snapshots[0][2])
    for fields, lines, observed_at in snapshots:
        known.merge(fields, lines, observed_at)
    return known.observed_at, nest(known.facts)


@st.composite
def members(draw) -> tuple[Member, ...]:
    """A few open cases of one cause, some snoozed, some acknowledged."""
    return tuple(
        Member(shop="n", order_id=name, joined_at=draw(MOMENTS), membership=Membership(
            case_key=name, sku=None, act_by=draw(MAYBE), ship_by=None, stake_minor=None, currency=None,
            snoozed_until=draw(MAYBE), acked_at=draw(MAYBE)))
        for name in draw(st.lists(st.sampled_from("abcd"), unique=True))
    )  # fmt: skip


@given(st.sampled_from(["pickup", "day", "pool"]), st.lists(members(), min_size=1, max_size=5), policies(), st.data())
@settings(max_examples=80)
def test_an_alert_names_nobody_again_without_a_change(kind, crowds, policy, data):
    act_by = PAID + 3 * DAY
    pool_or_pickup = "pool" if kind == "pool" else "pickup"
    cause = Cause(key="n/c", kind=pool_or_pickup, act_by=act_by if kind == "pickup" else None, listings=("n/L1",))
    told: tuple[Told, ...] = ()
    rule = policy.playbook.alerts
    keys = []
    for now, crowd in zip(sorted(data.draw(st.lists(MOMENTS, min_size=1, max_size=5))), crowds, strict=False):
        crowd = tuple(member for member in crowd if member.joined_at <= now)
        decision = decide_cause(cause, crowd, policy, told, now)
        named = frozenset(member.membership.case_key for member in decision.members)
        for act in decision.acts:
            alerts = [past for past in told if past.kind is Kind.ALERT]
            if act.kind is Kind.ALERT and alerts and act.step == "alert":
                dues = {act_by} if kind == "pickup" else {member.membership.act_by for member in crowd} - {None}
                ends = {due - lead for lead in (*rule.leads, 0) for due in dues}  # a lead begins, or the time is over
                snoozes = {member.membership.snoozed_until for member in crowd} - {None}
                passed = any(alerts[-1].at < at <= now for at in ends | snoozes)
                repeated = rule.repeat and now >= alerts[-1].at + rule.repeat
                assert named - alerts[-1].members or alerts[-1].step == "resolved" or passed or repeated
        told += tuple(Told(key=a.key, kind=a.kind, step=a.step, at=now, members=named) for a in decision.acts)
        keys += [act.key for act in decision.acts]
        assert decision.wake_at is None or decision.wake_at > now
        assert () == decide_cause(cause, crowd, policy, told, now).acts
    assert sorted(set(keys)) == sorted(keys)
