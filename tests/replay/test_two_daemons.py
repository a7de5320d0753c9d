"""Two workers on one database: a call outlasts its lease, the other takes over, and one settle wins."""

import asyncio
from collections.abc import Callable

import pytest

from adapters.base import Message, Receipt
from adapters.memory import MemorySink
from daemon import scheduler
from daemon.store import journal, outbox
from rules.instant import MINUTE
from rules.model import Kind
from tests.replay.conftest import Make
from tests.replay.world import EFFECTS, World, alerts, an_order, ladder, tell

ASK = 'name = "ask", action = "negotiate", delay = "0m"'
ONCE = {"ops": {"sink": "memory"}, "platform": {"sink": "tests.replay.crash:OnceSink", "kinds": EFFECTS}}
LATER = outbox.LEASE + MINUTE
Slow = Callable[[World, Kind], None]


@pytest.fixture
def the_call_outlasts_its_lease(monkeypatch: pytest.MonkeyPatch) -> Slow:
    """The next call of a kind takes effect, but its answer comes when a second worker has looked at it."""

    def arrange(world: World, kind: Kind) -> None:
        other = scheduler.assemble(world.database, world.parts.installation, world.now)
        deliver = MemorySink.deliver
        waiting = [kind]

        async def slow(self: MemorySink, message: Message, now: int) -> Receipt:
            receipt = await deliver(self, message, now)
            if message.kind in waiting:
                waiting.clear()
                await asyncio.to_thread(other.dispatcher.dispatch, now + LATER)
            return receipt

        monkeypatch.setattr(MemorySink, "deliver", slow)

    return arrange


def outcomes(world: World, subject: str) -> list[str]:
    """What the evidence says about calls, in order."""
    with world.database.begin() as tx:
        entries = list(journal.entries_of(tx, "north", subject))
    return [f"{e['outcome']}: {e['reason']}"[:40] for e in entries if e["event"] == "outcome" and e["action"] != "task"]


def test_where_the_platform_heeds_keys_the_call_is_made_again_and_settled_once(
    a_world: Make, the_call_outlasts_its_lease: Slow
):
    world = a_world(ladder(ASK), live=("negotiate",))
    the_call_outlasts_its_lease(world, Kind.NEGOTIATE)
    world.place(an_order("A", ship_by="Mon 20:00"))
    key = world.expect("negotiate", step="ask", order="A").key
    assert ["ready: CALL_LOST", f"settled: memory/{key}"[:40]] == outcomes(world, "A")
    assert {key: 1} == dict(world.box("platform").repeats)
    world.expect_alert(orders=["A"])


def test_a_message_to_a_buyer_is_maybe_sent_and_never_sent_again(a_world: Make, the_call_outlasts_its_lease: Slow):
    world = a_world(ladder(tell("tell", "0m")), live=("contact",))
    the_call_outlasts_its_lease(world, Kind.CONTACT)
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_contact("tell", "A")
    assert ["maybe_sent: CALL_LOST"] == outcomes(world, "A")
    assert {} == dict(world.box("platform").repeats)
    world.expect_alert(orders=["A"])
    world.advance(hours=2)


def test_where_the_platform_heeds_no_keys_a_person_is_asked(a_world: Make, the_call_outlasts_its_lease: Slow):
    world = a_world(ladder(ASK), alerts=ONCE, mode={"default": "live"})
    the_call_outlasts_its_lease(world, Kind.NEGOTIATE)
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect("negotiate", step="ask", order="A")
    assert ["needs_human: CALL_LOST"] == outcomes(world, "A")
    assert {} == dict(world.box("platform").repeats)
    world.expect_task("ask", "A", says="it may have been done already")
    world.expect_alert(orders=["A"])
    world.advance(hours=2)


def test_an_alert_is_told_at_least_once_and_counted_once(a_world: Make, the_call_outlasts_its_lease: Slow):
    world = a_world(alerts())
    the_call_outlasts_its_lease(world, Kind.ALERT)
    world.place(an_order("A", ship_by="Mon 20:00"))
    key = world.expect_alert(orders=["A"]).key
    assert {key: 1} == dict(world.box().repeats)
    assert ("settled", "kept in memory") == world.deliveries()["ops alert"]
    world.advance(hours=2)
