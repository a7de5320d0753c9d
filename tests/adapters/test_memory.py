"""The shipped fakes: what tests and the demo rely on."""

import asyncio
from collections.abc import Iterator

import pytest

from adapters import memory
from adapters.base import Message, Page, Permanent, Receipt, ShopSettings, Snapshot, Transient, Uncertain
from adapters.memory import MemoryFeed, MemorySink
from rules.instant import HOUR
from rules.model import Kind
from tests.adapters.contract import FeedContract, SinkContract
from tests.adapters.fakes.messages import NOW, alert, settings

NORTH = ShopSettings(name="north", platform="generic")


@pytest.fixture(autouse=True)
def _empty_boxes() -> Iterator[None]:
    memory.reset()
    yield
    memory.reset()


def snapshot(order_id: str, shop: str = "north") -> Snapshot:
    """A paid order."""
    return Snapshot(
        observed_at=NOW - HOUR, shop=shop, order_id=order_id, fields={"status": "paid", "paid_minor": 15000}
    )


def deliver(message: Message, now: int = NOW) -> Receipt:
    """Deliver through a new sink, as each hop of the daemon does."""
    return asyncio.run(MemorySink(settings()).deliver(message, now))


def poll(cursor: str | None = None, now: int = NOW) -> Page:
    """Poll a new feed."""
    return asyncio.run(MemoryFeed(NORTH).poll(cursor, now))


class TestMemorySinkKeepsTheContract(SinkContract):
    """The suite every sink passes."""

    sink_class = MemorySink


class TestMemoryFeedKeepsTheContract(FeedContract):
    """The suite every feed passes."""

    feed_class = MemoryFeed
    settings = NORTH
    known_order = "1"

    @pytest.fixture(autouse=True)
    def _two_pages(self, _empty_boxes: None) -> None:
        box = memory.feed_box("north")
        box.push(Page(records=[snapshot("1"), snapshot("2")]))
        box.push(Page(records=[snapshot("3")]))
        box.orders["1"] = snapshot("1")


def test_messages_are_kept_in_the_box_of_the_sinks_name() -> None:
    deliver(alert("north/1/a"))
    deliver(alert("north/2/a"), NOW + HOUR)

    assert ["north/1/a", "north/2/a"] == [message.key for message in memory.sink_box("ops").messages]
    assert {"north/1/a": NOW, "north/2/a": NOW + HOUR} == memory.sink_box("ops").at
    assert [] == memory.sink_box("other").messages


def test_a_repeated_key_is_counted_and_not_kept_twice() -> None:
    receipts = [deliver(alert("north/1/a")) for _ in range(3)]

    assert 1 == len(memory.sink_box("ops").messages)
    assert {"north/1/a": 2} == memory.sink_box("ops").repeats
    assert [Receipt(reference="memory/north/1/a", note="kept in memory")] * 3 == receipts


@pytest.mark.parametrize("error", [Transient("later", 5.0), Permanent("no"), Uncertain("cut")])
def test_it_fails_as_often_as_it_is_told(error: Exception) -> None:
    memory.sink_box("ops").faults.fail_next(2, error)  # type: ignore[arg-type]

    for _ in range(2):
        with pytest.raises(type(error)):
            deliver(alert())
    assert [] == memory.sink_box("ops").messages
    assert "kept in memory" == deliver(alert()).note


def test_a_lost_answer_leaves_the_message_delivered() -> None:
    memory.sink_box("ops").faults.fail_next(1, Uncertain("cut"), done=True)

    with pytest.raises(Uncertain):
        deliver(alert("north/1/a"))

    assert ["north/1/a"] == [message.key for message in memory.sink_box("ops").messages]


def test_a_stalled_sink_never_answers() -> None:
    memory.sink_box("ops").faults.stall_next()

    async def run() -> None:
        async with asyncio.timeout(0.05):
            await MemorySink(settings()).deliver(alert(), NOW)

    with pytest.raises(TimeoutError):
        asyncio.run(run())
    assert [] == memory.sink_box("ops").messages


def test_the_sink_carries_out_every_kind_and_heeds_keys() -> None:
    assert frozenset(Kind) == MemorySink.capabilities.kinds
    assert MemorySink.capabilities.idempotent


def test_pages_are_said_in_order_and_the_last_one_knows_all_until_now() -> None:
    box = memory.feed_box("north")
    box.push(Page(records=[snapshot("1")]))
    box.push(Page(records=[snapshot("2")]))

    first = poll()
    last = poll(first.cursor)

    assert (["1"], "1", True, None) == (ids(first), first.cursor, first.more, first.watermark)
    assert (["2"], "2", False, NOW) == (ids(last), last.cursor, last.more, last.watermark)


def ids(page: Page) -> list[str]:
    """The orders a page tells of."""
    return [record.order_id for record in page.records if isinstance(record, Snapshot)]


def test_a_page_keeps_the_watermark_it_names() -> None:
    memory.feed_box("north").push(Page(watermark=NOW - HOUR))

    assert NOW - HOUR == poll().watermark


def test_an_empty_box_has_nothing_new_and_keeps_the_cursor() -> None:
    assert Page(cursor=None, watermark=NOW) == poll()
    assert Page(cursor="7", watermark=NOW) == poll("7")


def test_a_page_pushed_later_is_said_at_the_next_poll() -> None:
    box = memory.feed_box("north")
    box.push(Page(records=[snapshot("1")]))
    cursor = poll().cursor
    box.push(Page(records=[snapshot("2")]))

    assert ["2"] == ids(poll(cursor))


def test_a_foreign_cursor_is_refused() -> None:
    with pytest.raises(Permanent, match="2026"):
        poll("2026-06-01")


def test_a_fresh_read_sees_the_order_as_it_stands_now() -> None:
    memory.feed_box("north").orders["1"] = snapshot("1")

    assert snapshot("1") == asyncio.run(MemoryFeed(NORTH).fresh("1", NOW))
    assert asyncio.run(MemoryFeed(NORTH).fresh("2", NOW)) is None


def test_a_feed_fails_and_stalls_as_told_then_goes_on_where_it_was() -> None:
    box = memory.feed_box("north")
    box.push(Page(records=[snapshot("1")]))
    box.faults.fail_next(1, Transient("busy", 3.0))
    box.faults.stall_next()

    async def stalled() -> None:
        async with asyncio.timeout(0.05):
            await MemoryFeed(NORTH).poll(None, NOW)

    with pytest.raises(Transient):
        poll()
    with pytest.raises(TimeoutError):
        asyncio.run(stalled())
    assert ["1"] == ids(poll())
