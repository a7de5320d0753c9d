"""Effects: read afresh, write the intent, look once more, call, classify. Nothing unknown is taken for a no."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from adapters.base import Permanent, Transient, Uncertain
from adapters.memory import Fault
from daemon.scheduler import Parts, tick
from daemon.store import journal, outbox, views
from daemon.tables import Action
from rules.instant import DAY, HOUR, MINUTE, SECOND
from rules.model import Kind
from tests.daemon import running
from tests.daemon.builders import MORNING, rows
from tests.daemon.running import EVERY_EFFECT, a_late_order, action, again, feed, keys, plan, say, sink

Install = Callable[..., Parts]
A = Action.__table__  # type: ignore[attr-defined]
MEMORY = f'{running.LIVE}[alerts.hands]\nsink = "memory"\n{EVERY_EFFECT}\n'
PLAIN = MEMORY.replace('sink = "memory"\nkinds', 'sink = "tests.daemon.sinks:Plain"\nkinds')
WATCHED = MEMORY.replace('sink = "memory"\nkinds', 'sink = "tests.daemon.sinks:Watched"\nkinds')


@pytest.fixture
def installed(installed: Install) -> Install:
    """Makes installations that know order 1 and its open case; the platform can be asked about it."""

    def make(text: str = MEMORY) -> Parts:
        parts = installed(text)
        say(order := a_late_order())
        feed().orders["1"] = order
        tick(parts, MORNING)
        for name in ("ops", "hands"):
            sink(name).messages.clear()
            sink(name).at.clear()
        return parts

    return make


def reading(parts: Parts, order_id: str = "1") -> list[str]:
    """The evidence of an order's actions, in short: "attempt calling", "outcome settled" …"""
    with parts.database.begin() as tx:
        found = [e for e in journal.entries_of(tx, "north", order_id) if e["event"] in ("attempt", "outcome", "voided")]
    return [f"{entry['event']} {entry['outcome']}" for entry in found if entry["step"] == "make_good"]


# ---- the ordinary way


def test_an_effect_is_carried_out_once_and_its_receipt_kept(installed: Install) -> None:
    parts = installed()
    key = plan(parts, Kind.COMPENSATE, amount_minor=500, currency="CNY")

    for minute in range(10):
        parts.dispatcher.dispatch(MORNING + minute * MINUTE)

    assert [key] == keys(sink("hands"))
    assert 0 == sink("hands").repeats[key]
    assert ("settled", f"memory/{key}") == (action(parts, key).outcome, action(parts, key).note)


def test_the_other_side_is_told_what_to_pay(installed: Install) -> None:
    parts = installed()
    plan(parts, Kind.COMPENSATE, amount_minor=500, currency="CNY")

    parts.dispatcher.dispatch(MORNING)

    (message,) = sink("hands").messages
    assert (500, "CNY", "1") == tuple(message.data[name] for name in ("amount_minor", "currency", "order_id"))


def test_attempt_and_outcome_are_put_down_as_evidence(installed: Install) -> None:
    parts = installed()
    plan(parts, Kind.COMPENSATE)

    parts.dispatcher.dispatch(MORNING)

    assert ["attempt calling", "outcome settled"] == reading(parts)


def test_the_intent_is_on_disk_before_the_call(installed: Install, tmp_path: Path) -> None:
    parts = installed(WATCHED)
    key = plan(parts, Kind.COMPENSATE)
    seen: list[tuple[str, int, bool]] = []

    def look(_: object) -> None:
        row = action(parts, key)
        seen.append((row.outcome, row.attempts, row.lease_until == MORNING + outbox.LEASE))

    with running.looking(look):
        parts.dispatcher.dispatch(MORNING)

    assert [("calling", 1, True)] == seen


def test_no_transaction_is_open_during_the_call(installed: Install) -> None:
    parts = installed(WATCHED)
    plan(parts, Kind.COMPENSATE)
    seen: list[bool] = []

    with running.looking(lambda _: seen.append(parts.database.engine.raw_connection().in_transaction)):  # type: ignore[attr-defined]
        parts.dispatcher.dispatch(MORNING)

    assert [False] == seen


# ---- the fresh read


def test_an_order_shipped_meanwhile_gets_nothing(installed: Install) -> None:
    parts = installed()
    key = plan(parts, Kind.COMPENSATE)
    feed().orders["1"] = a_late_order(at=MORNING + MINUTE, status="shipped", shipped_at=MORNING)

    parts.dispatcher.dispatch(MORNING + MINUTE)

    assert ([], "void", "CASE_CLOSED") == (keys(sink("hands")), action(parts, key).outcome, action(parts, key).note)


def test_an_order_whose_deadline_was_moved_gets_nothing(installed: Install) -> None:
    parts = installed()
    key = plan(parts, Kind.COMPENSATE)
    feed().orders["1"] = a_late_order(at=MORNING + MINUTE, ship_by=MORNING + 5 * DAY)

    parts.dispatcher.dispatch(MORNING + MINUTE)

    assert ([], "void") == (keys(sink("hands")), action(parts, key).outcome)


def test_an_order_the_platform_no_longer_knows_gets_nothing(installed: Install) -> None:
    parts = installed()
    key = plan(parts, Kind.COMPENSATE)
    del feed().orders["1"]

    parts.dispatcher.dispatch(MORNING)

    assert ([], "void", "ORDER_GONE") == (keys(sink("hands")), action(parts, key).outcome, action(parts, key).note)


@pytest.mark.parametrize("error", [Transient("busy"), Permanent("forbidden"), RuntimeError("a bug")])
def test_an_order_that_cannot_be_read_waits(installed: Install, error: Exception) -> None:
    parts = installed()
    key = plan(parts, Kind.COMPENSATE)
    feed().faults.waiting.append(Fault(error=error))  # type: ignore[arg-type]

    parts.dispatcher.dispatch(MORNING)
    waiting = (keys(sink("hands")), action(parts, key).outcome)
    parts.dispatcher.dispatch(MORNING + 10 * MINUTE)

    assert ([], "ready") == waiting
    assert [key] == keys(sink("hands"))


def test_a_platform_that_never_answers_a_fresh_read_is_given_up_at_the_hard_end(installed: Install) -> None:
    parts = installed()
    parts.dispatcher.call_timeout_s = 0.05
    key = plan(parts, Kind.COMPENSATE)
    feed().faults.stall_next()

    parts.dispatcher.dispatch(MORNING)

    assert ([], "ready") == (keys(sink("hands")), action(parts, key).outcome)


def test_every_call_has_a_fresh_read_of_its_own(installed: Install) -> None:
    parts = installed()
    key = plan(parts, Kind.COMPENSATE)
    sink("hands").faults.fail_next(1, Transient("busy"))
    parts.dispatcher.dispatch(MORNING)
    feed().orders["1"] = a_late_order(at=MORNING + MINUTE, status="shipped", shipped_at=MORNING)

    parts.dispatcher.dispatch(MORNING + 10 * MINUTE)

    assert ([], "void") == (keys(sink("hands")), action(parts, key).outcome)


def test_effects_of_a_shop_wait_for_its_first_poll_after_a_start(installed: Install) -> None:
    parts = installed()
    plan(parts, Kind.COMPENSATE)
    parts.engine.waiting_for_poll = {"north"}

    parts.dispatcher.dispatch(MORNING)

    assert [] == keys(sink("hands"))


# ---- what the other side answers


def test_a_refusal_is_final(installed: Install) -> None:
    parts = installed()
    key = plan(parts, Kind.COMPENSATE)
    sink("hands").faults.fail_next(1, Permanent("limit of this order"))

    for hour in range(5):
        parts.dispatcher.dispatch(MORNING + hour * HOUR)

    assert ([], "refused") == (keys(sink("hands")), action(parts, key).outcome)


def test_what_surely_did_not_happen_is_tried_again(installed: Install) -> None:
    parts = installed(PLAIN)
    key = plan(parts, Kind.COMPENSATE)
    sink("hands").faults.fail_next(1, Transient("refused connection", retry_after_s=30))
    parts.dispatcher.dispatch(MORNING)

    parts.dispatcher.dispatch(MORNING + 30 * SECOND - 1)
    before = keys(sink("hands"))
    parts.dispatcher.dispatch(MORNING + 30 * SECOND)

    assert ([], [key]) == (before, keys(sink("hands")))


LOST = [
    pytest.param(Fault(error=Uncertain("cut"), done=True), id="the answer was lost"),
    pytest.param(Fault(error=RuntimeError("unreadable"), done=True), id="the answer made no sense"),  # type: ignore[arg-type]
    pytest.param(Fault(error=Uncertain("cut")), id="the request was lost"),
]


@pytest.mark.parametrize("fault", LOST)
def test_money_of_which_nobody_knows_is_for_a_person_and_never_sent_again(installed: Install, fault: Fault) -> None:
    parts = installed(PLAIN)
    key = plan(parts, Kind.COMPENSATE)
    sink("hands").faults.waiting.append(fault)

    for hour in range(24):
        parts.dispatcher.dispatch(MORNING + hour * HOUR)

    assert "needs_human" == action(parts, key).outcome
    assert 1 == action(parts, key).attempts
    assert 0 == sink("hands").repeats[key]


def test_money_of_which_nobody_knows_is_on_the_list_of_work(installed: Install) -> None:
    parts = installed(PLAIN)
    key = plan(parts, Kind.COMPENSATE, amount_minor=500, currency="CNY")
    sink("hands").faults.fail_next(1, Uncertain("cut"))

    parts.dispatcher.dispatch(MORNING)

    assert "¥5.00" in action(parts, key).request


def test_money_of_which_nobody_knows_stays_on_the_list_when_the_order_is_shipped(installed: Install) -> None:
    """Work items that nobody need do any more leave it; this one must be looked into, however late."""
    parts = installed(PLAIN)
    key = plan(parts, Kind.COMPENSATE, amount_minor=500, currency="CNY")
    sink("hands").faults.fail_next(1, Uncertain("cut"))
    parts.dispatcher.dispatch(MORNING)

    say(a_late_order(at=MORNING + HOUR, status="shipped"))
    tick(parts, MORNING + HOUR)
    tick(parts, MORNING + HOUR + SECOND)
    with parts.database.begin() as tx:
        listed = [row["key"] for row in views.task_rows(tx, MORNING + DAY)]

    assert [] == [case.key for case in rows(parts.database, "case") if case.closed_at is None]
    assert [key] == listed


def test_money_that_stalls_beyond_the_hard_end_counts_as_unknown(installed: Install) -> None:
    parts = installed(PLAIN)
    parts.dispatcher.call_timeout_s = 0.05
    key = plan(parts, Kind.COMPENSATE)
    sink("hands").faults.stall_next()

    parts.dispatcher.dispatch(MORNING)

    assert "needs_human" == action(parts, key).outcome


@pytest.mark.parametrize("fault", LOST)
def test_money_is_sent_again_under_the_same_key_where_keys_are_kept(installed: Install, fault: Fault) -> None:
    parts = installed()
    key = plan(parts, Kind.COMPENSATE)
    sink("hands").faults.waiting.append(fault)

    for minute in range(10):
        parts.dispatcher.dispatch(MORNING + minute * MINUTE)

    assert ([key], "settled") == (keys(sink("hands")), action(parts, key).outcome)
    assert 2 == action(parts, key).attempts


@pytest.mark.parametrize("text", [MEMORY, PLAIN])
@pytest.mark.parametrize("fault", LOST)
def test_a_message_of_which_nobody_knows_is_never_sent_again(installed: Install, text: str, fault: Fault) -> None:
    parts = installed(text)
    key = plan(parts, Kind.CONTACT, "tell_buyer", template="delay_notice", channel="platform_chat")
    sink("hands").faults.waiting.append(fault)

    for hour in range(24):
        parts.dispatcher.dispatch(MORNING + hour * HOUR)

    assert ("maybe_sent", 1) == (action(parts, key).outcome, action(parts, key).attempts)
    assert 0 == sink("hands").repeats[key]


def test_a_buyer_is_sent_the_approved_text_and_nothing_else(installed: Install) -> None:
    parts = installed()
    plan(parts, Kind.CONTACT, template="delay_notice@1", channel="platform_chat")

    parts.dispatcher.dispatch(MORNING)

    (message,) = sink("hands").messages
    assert message.text.startswith("您好，您的订单 1 ")
    assert "¥" not in message.text


@pytest.mark.parametrize("fault", LOST)
def test_a_listing_is_set_again_until_it_is_sure(installed: Install, fault: Fault) -> None:
    parts = installed(PLAIN)
    key = plan(parts, Kind.DELIST, "delist:north/L9")
    sink("hands").faults.waiting.append(fault)

    for minute in range(10):
        parts.dispatcher.dispatch(MORNING + minute * MINUTE)

    assert ([key], "settled") == (keys(sink("hands")), action(parts, key).outcome)


# ---- crashes


def lose_the_caller(parts: Parts) -> None:
    """A process that ends inside the call."""

    async def lost() -> None:
        await parts.dispatcher.start_due(MORNING)
        while sink("hands").faults.waiting:
            await asyncio.sleep(0.01)

    sink("hands").faults.stall_next()
    asyncio.run(lost())
    parts.dispatcher.in_flight.clear()


@pytest.mark.parametrize(
    ("kind", "text", "outcome"),
    [
        pytest.param(Kind.COMPENSATE, PLAIN, "needs_human", id="money without keys"),
        pytest.param(Kind.COMPENSATE, MEMORY, "settled", id="money under a key"),
        pytest.param(Kind.CONTACT, MEMORY, "maybe_sent", id="message"),
        pytest.param(Kind.NEGOTIATE, PLAIN, "needs_human", id="agreement"),
        pytest.param(Kind.DELIST, PLAIN, "settled", id="listing"),
    ],
)
def test_a_call_whose_caller_was_lost_is_treated_as_unknown(
    installed: Install, kind: Kind, text: str, outcome: str
) -> None:
    parts = installed(text)
    key = plan(parts, kind, "make_good")
    lose_the_caller(parts)

    parts.dispatcher.dispatch(MORNING + outbox.LEASE - 1)
    during = action(parts, key).outcome
    parts.dispatcher.dispatch(MORNING + outbox.LEASE)

    assert ("calling", outcome) == (during, action(parts, key).outcome)


def test_a_lost_call_for_money_is_on_the_list_of_work(installed: Install) -> None:
    parts = installed(PLAIN)
    key = plan(parts, Kind.COMPENSATE, amount_minor=500, currency="CNY")
    lose_the_caller(parts)

    parts.dispatcher.dispatch(MORNING + outbox.LEASE)

    assert "¥5.00" in action(parts, key).request


def test_whoever_lost_the_fence_does_not_overwrite_the_outcome(installed: Install) -> None:
    parts = installed(WATCHED)
    key = plan(parts, Kind.COMPENSATE)

    def another_takes_over(_: object) -> None:
        with parts.database.begin() as tx:
            tx.execute(update(A).where(A.c.key == key).values(fence=A.c.fence + 1, outcome="needs_human"))

    with running.looking(another_takes_over):
        parts.dispatcher.dispatch(MORNING)

    assert "needs_human" == action(parts, key).outcome
    assert ["attempt calling"] == reading(parts)


def test_whoever_lost_the_fence_before_the_call_does_not_call(installed: Install) -> None:
    parts = installed()
    key = plan(parts, Kind.COMPENSATE)
    fresh = feed().orders["1"]

    class Taking(dict[str, object]):
        def get(self, order_id: object, default: object = None) -> object:
            with parts.database.begin() as tx:
                tx.execute(update(A).where(A.c.key == key).values(fence=A.c.fence + 1))
            return fresh

    feed().orders = Taking()  # type: ignore[assignment]
    parts.dispatcher.dispatch(MORNING)

    assert [] == keys(sink("hands"))


# ---- side by side


def test_a_slow_shop_holds_no_other(installed: Install) -> None:
    parts = installed(MEMORY + '[shops.south]\nplatform = "taobao"\nfeed = "memory"\n')
    say(order := a_late_order("2", shop="south"), shop="south")
    feed("south").orders["2"] = order
    later = MORNING + 2 * MINUTE
    parts.poller.poll(later)
    parts.engine.decide(later)
    parts.dispatcher.call_timeout_s = 0.5
    feed("north").faults.stall_next()
    slow = plan(parts, Kind.COMPENSATE)

    parts.dispatcher.dispatch(later)

    assert "ready" == action(parts, slow).outcome
    assert "settled" == action(parts, "south/2/late_shipment/1/agree_new_date").outcome


def test_an_effect_whose_sink_was_taken_away_becomes_a_work_item(installed: Install) -> None:
    parts = installed()
    key = plan(parts, Kind.COMPENSATE)
    feed().faults.fail_next(1, Transient("down"))
    parts.dispatcher.dispatch(MORNING)

    again(parts, running.LIVE, MORNING).dispatcher.dispatch(MORNING + HOUR)

    assert "needs_human" == action(parts, key).outcome


def test_a_text_nobody_approved_is_never_sent_and_stops_no_other(installed: Install) -> None:
    parts = installed()
    poison = plan(parts, Kind.CONTACT, "a_poison", template="nobody_wrote_this")
    sound = plan(parts, Kind.COMPENSATE, "z_sound")

    parts.dispatcher.dispatch(MORNING)

    assert ([sound], "void") == (keys(sink("hands")), action(parts, poison).outcome)
    assert "TEXT_NOT_APPROVED" == action(parts, poison).note


def test_other_cases_of_the_order_are_untouched(installed: Install) -> None:
    parts = installed()
    plan(parts, Kind.COMPENSATE)

    parts.dispatcher.dispatch(MORNING)

    assert [None] == [case.closed_at for case in rows(parts.database, "case")]
