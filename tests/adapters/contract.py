"""The suite an adapter has to pass; run it over your own by subclassing.

    class TestMySink(SinkContract):
        sink_class = MySink
        options = {"url": "http://127.0.0.1:9/"}

    class TestMyFeed(FeedContract):
        feed_class = MyFeed
        settings = ShopSettings(name="north", platform="generic", options={...})

pytest collects the tests through the subclass. Override `serving` to start the other side first. Nothing
here needs a plug-in, a network beyond the loopback, or the daemon.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

import pytest

from adapters.base import (
    Feed,
    FeedCapabilities,
    Message,
    Page,
    Receipt,
    ShopSettings,
    Sink,
    SinkCapabilities,
    SinkSettings,
    Snapshot,
)
from rules.instant import parse
from rules.model import Kind
from tests.adapters.canonical import problems

NOW = parse("2026-06-02T01:00:00Z")
LARGEST_PAGE = 5_000
MOST_PAGES = 1_000


class SinkContract:
    """What every sink promises. Set `sink_class` and `options`."""

    sink_class: ClassVar[type[Sink]]
    options: ClassVar[Mapping[str, str]] = {}

    @contextmanager
    def serving(self) -> Iterator[Mapping[str, str]]:
        """Options of a sink whose other side runs and accepts everything, in a thread of its own."""
        yield self.options

    def sink(self, options: Mapping[str, str]) -> Sink:
        """A sink called `contract`."""
        return self.sink_class(SinkSettings(name="contract", options=options))

    def message(self, key: str, kind: Kind | None = None) -> Message:
        """A message with all a text may hold: Chinese, an emoji, quotes, lines, half a surrogate pair."""
        title, text = '缺货 "A-1" 😀', "第一行\nsecond line \ud83d\n"
        kind = kind or min(self.sink_class.capabilities.kinds)
        return Message(key=key, kind=kind, shop="north", title=title, text=text, data={"count": 1})

    def deliver(self, sink: Sink, *messages: Message) -> list[Receipt]:
        """Deliver the messages in one event loop, as one batch of the daemon's."""

        async def run() -> list[Receipt]:
            try:
                return [await sink.deliver(message, NOW) for message in messages]
            finally:
                await sink.close()

        return asyncio.run(run())

    def test_capabilities_are_stated_before_a_sink_is_made(self) -> None:
        stated = self.sink_class.capabilities

        assert isinstance(stated, SinkCapabilities)
        assert frozenset() < stated.kinds <= frozenset(Kind)
        assert stated.per_minute is None or stated.per_minute > 0

    def test_an_unknown_option_is_refused_by_name(self) -> None:
        with pytest.raises(ValueError, match="no_such_option"):
            self.sink({**self.options, "no_such_option": "1"})

    def test_a_missing_option_is_refused_by_name(self) -> None:
        if self.options:
            with pytest.raises(ValueError, match=next(iter(self.options))):
                self.sink({})

    def test_a_sink_can_be_closed_without_a_delivery_and_twice(self) -> None:
        sink = self.sink(self.options)

        assert [] == self.deliver(sink)
        assert [] == self.deliver(sink)

    def test_every_kind_it_states_is_delivered_with_a_receipt(self) -> None:
        messages = [self.message(f"north/1/{kind}", kind) for kind in sorted(self.sink_class.capabilities.kinds)]
        with self.serving() as options:
            receipts = self.deliver(self.sink(options), *messages)

        assert [Receipt] * len(messages) == [type(receipt) for receipt in receipts]

    def test_one_sink_serves_one_event_loop_after_another(self) -> None:
        with self.serving() as options:
            sink = self.sink(options)
            receipts = self.deliver(sink, self.message("north/1/a")) + self.deliver(sink, self.message("north/1/b"))

        assert [Receipt, Receipt] == [type(receipt) for receipt in receipts]

    def test_several_messages_may_be_delivered_at_once(self) -> None:
        async def run(sink: Sink) -> list[Receipt]:
            try:
                return await asyncio.gather(*(sink.deliver(self.message(f"north/{n}/a"), NOW) for n in range(5)))
            finally:
                await sink.close()

        with self.serving() as options:
            assert 5 == len(asyncio.run(run(self.sink(options))))

    def test_a_repeated_key_gets_the_same_reference_where_keys_are_heeded(self) -> None:
        if self.sink_class.capabilities.idempotent:
            with self.serving() as options:
                first, again = self.deliver(self.sink(options), *[self.message("north/1/a")] * 2)

            assert first.reference == again.reference


class FeedContract:
    """What every feed promises. Set `feed_class` and `settings`.

    Set `known_order` too when it reads live: the id of an order its platform knows.
    """

    feed_class: ClassVar[type[Feed]]
    settings: ClassVar[ShopSettings]
    known_order: ClassVar[str | None] = None

    @contextmanager
    def serving(self) -> Iterator[ShopSettings]:
        """Settings of a feed whose other side runs and has at least one order to tell of."""
        yield self.settings

    def pages(self, settings: ShopSettings, cursor: str | None = None) -> list[Page]:
        """All pages after `cursor`, up to the first without `more`."""

        async def run() -> list[Page]:
            found: list[Page] = []
            feed, at = self.feed_class(settings), cursor
            try:
                while not found or (found[-1].more and len(found) < MOST_PAGES):
                    found.append(await feed.poll(at, NOW))
                    at = found[-1].cursor
            finally:
                await feed.close()
            return found

        return asyncio.run(run())

    def fresh(self, settings: ShopSettings, order_id: str) -> Snapshot | None:
        """One fresh read."""

        async def run() -> Snapshot | None:
            feed = self.feed_class(settings)
            try:
                return await feed.fresh(order_id, NOW)
            finally:
                await feed.close()

        return asyncio.run(run())

    def test_capabilities_are_stated_before_a_feed_is_made(self) -> None:
        assert isinstance(self.feed_class.capabilities, FeedCapabilities)

    def test_polling_comes_to_an_end_in_bounded_pages(self) -> None:
        with self.serving() as settings:
            pages = self.pages(settings)

        assert not pages[-1].more
        assert LARGEST_PAGE >= max(len(page.records) for page in pages)
        assert any(page.records for page in pages)

    def test_a_poll_after_the_last_cursor_says_nothing_twice(self) -> None:
        with self.serving() as settings:
            last = self.pages(settings)[-1].cursor
            again = self.pages(settings, last)

        assert [] == [record for page in again for record in page.records]

    def test_a_page_that_was_not_committed_is_said_again(self) -> None:
        with self.serving() as settings:
            first, again = self.pages(settings), self.pages(settings)

        assert [page.records for page in first] == [page.records for page in again]

    def test_every_record_is_canonical(self) -> None:
        with self.serving() as settings:
            records = [record for page in self.pages(settings) for record in page.records]

        assert [] == [problem for record in records for problem in problems(record, settings.name, NOW)]

    def test_no_watermark_lies_in_the_future(self) -> None:
        with self.serving() as settings:
            marks = [page.watermark for page in self.pages(settings) if page.watermark is not None]

        assert all(mark <= NOW for mark in marks)
        assert sorted(marks) == marks

    def test_a_fresh_read_knows_known_orders_and_no_others(self) -> None:
        if self.feed_class.capabilities.fresh_read == "live" and self.known_order is not None:
            with self.serving() as settings:
                known, unknown = self.fresh(settings, self.known_order), self.fresh(settings, "no-such-order")

            assert known is not None
            assert [] == problems(known, settings.name, NOW)
            assert unknown is None
