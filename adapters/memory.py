"""Fakes that ship: a feed and a sink that live in memory, for the demo, for tests, and for trying things out.

Each name has one box, which outlives the feed or sink: `feed_box("north")` and `sink_box("ops")` are what a
test or the demo fills, breaks and looks into, while the daemon makes and closes its adapters as it likes.
`reset()` forgets all boxes. Nothing is bounded and nothing survives the process: not for production.
"""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field, replace

from adapters import options
from adapters.base import (
    AdapterError,
    FeedCapabilities,
    Message,
    Page,
    Permanent,
    Receipt,
    ShopSettings,
    SinkCapabilities,
    SinkSettings,
    Snapshot,
)
from rules.model import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a fake does wrong once. `error` None = stalls; `done` = carries the message out all the same."""

    error: AdapterError | None
    done: bool = False


@dataclass(slots=True)
class Faults:
    """What a fake does wrong next, one call each, in the order told."""

    waiting: deque[Fault] = field(default_factory=deque)

    def fail_next(self, times: int, error: AdapterError, *, done: bool = False) -> None:
        """The next `times` calls raise `error`; with `done` the message is recorded first (a lost answer)."""
        self.waiting.extend([Fault(error=error, done=done)] * times)

    def stall_next(self, times: int = 1) -> None:
        """The next `times` calls never answer: the caller's own time-out has to end them."""
        self.waiting.extend([Fault(error=None)] * times)

    def take(self) -> Fault | None:
        """The fault of this call, if any."""
        return self.waiting.popleft() if self.waiting else None


async def suffer(fault: Fault | None) -> None:
    """Raise the fault's error, or wait until cancelled; return when there is no fault."""
    if fault is None:
        return
    if fault.error is not None:
        raise fault.error
    await asyncio.get_running_loop().create_future()


@dataclass(slots=True)
class FeedBox:
    """What one shop's MemoryFeed will say: `pages` in order, and `orders` as they stand for a fresh read."""

    pages: list[Page] = field(default_factory=list)
    orders: dict[str, Snapshot] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)

    def push(self, page: Page) -> None:
        """Say one more page; its `cursor` and `more` are set by the feed."""
        self.pages.append(page)


@dataclass(slots=True)
class SinkBox:
    """What one MemorySink received: each key once, `repeats` counts the rest, `at` the instant by key."""

    messages: list[Message] = field(default_factory=list)
    repeats: Counter[str] = field(default_factory=Counter)
    at: dict[str, int] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)


_feeds: dict[str, FeedBox] = {}
_sinks: dict[str, SinkBox] = {}


def feed_box(shop: str) -> FeedBox:
    """The box behind the shop's MemoryFeed, made when first asked for."""
    return _feeds.setdefault(shop, FeedBox())


def sink_box(name: str) -> SinkBox:
    """The box behind the MemorySink of that name, made when first asked for."""
    return _sinks.setdefault(name, SinkBox())


def reset() -> None:
    """Forget every box; adapters made before keep their own."""
    _feeds.clear()
    _sinks.clear()


class MemoryFeed:
    """Says the pages of its shop's box. Stands in for any feed, so it accepts and ignores every option."""

    capabilities = FeedCapabilities(fresh_read="live")

    def __init__(self, settings: ShopSettings) -> None:
        self._box = feed_box(settings.name)

    async def poll(self, cursor: str | None, now: int) -> Page:
        """The page after `cursor`, which counts pages read.

        The last page, and an empty one after it, has the watermark `now` unless the page names its own.
        A cursor beyond the end (kept by a database from an earlier process) reads as "nothing new".
        """
        await suffer(self._box.faults.take())
        if cursor is not None and not cursor.isdecimal():
            raise Permanent(f"cursor {cursor!r} is not one of MemoryFeed's: it counts pages")
        read = int(cursor or 0)
        if read >= len(self._box.pages):
            return Page(cursor=cursor, watermark=now)
        page, more = self._box.pages[read], read + 1 < len(self._box.pages)
        watermark = page.watermark if page.watermark is not None or more else now
        return replace(page, cursor=str(read + 1), more=more, watermark=watermark)

    async def fresh(self, order_id: str, now: int) -> Snapshot | None:
        """The order as the box's `orders` has it."""
        await suffer(self._box.faults.take())
        return self._box.orders.get(order_id)

    async def close(self) -> None:
        """The box stays."""


class MemorySink:
    """Collects messages of every kind in its box, each key once. It takes no options."""

    capabilities = SinkCapabilities(kinds=frozenset(Kind), idempotent=True)

    def __init__(self, settings: SinkSettings) -> None:
        options.read(settings)
        self._box = sink_box(settings.name)

    @property
    def messages(self) -> tuple[Message, ...]:
        """What the box holds, in the order it came."""
        return tuple(self._box.messages)

    async def deliver(self, message: Message, now: int) -> Receipt:
        """Collect the message, or do what the box was told to do wrong."""
        fault = self._box.faults.take()
        if fault is not None and not fault.done:
            await suffer(fault)
        if message.key in self._box.at:
            self._box.repeats[message.key] += 1
        else:
            self._box.messages.append(message)
            self._box.at[message.key] = now
        await suffer(fault)
        return Receipt(reference=f"memory/{message.key}", note="kept in memory")

    async def close(self) -> None:
        """The box stays."""
