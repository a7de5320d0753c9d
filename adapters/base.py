"""The ports: what a feed and a sink must be, what they exchange with the daemon, and how they fail.

An adapter is a class named by an entry point (`forestall.feeds`, `forestall.sinks`) or `"module:Class"`.
Its constructor takes a `ShopSettings` (feeds) or `SinkSettings` (sinks). It never reads a clock, never
sleeps, and retries inside one call only, bounded by attempts. `tests/adapters/contract.py` checks one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from rules.model import Kind

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


class AdapterError(Exception):
    """An adapter could not do what was asked."""


class Transient(AdapterError):
    """Try again later; `retry_after_s` says when the other side told so (seconds)."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Permanent(AdapterError):
    """Refused for good; trying the same again cannot help."""


class AuthFailed(Permanent):
    """The credentials are not accepted: a person must renew them."""


class Uncertain(AdapterError):
    """The request may have been carried out and nobody can tell; never repeat it blindly.

    `arrived`: the other side has the whole request, only its verdict is missing or unreadable.
    """

    def __init__(self, message: str, *, arrived: bool = False) -> None:
        super().__init__(message)
        self.arrived = arrived


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One thing a shop said about one order at `observed_at` (instant).

    `fields` holds canonical order fields (contract §4) already normalised: instants as integer
    microseconds, money in minor units, flags and tags as sorted lists. A key that is absent keeps its
    stored value, None clears it. `lines` maps line_id to such a mapping of line fields. `platform`
    None = the shop's own. `counted`: lines have no ids of their own and are numbered (`A-1`, `A-1#2`), and
    these are all there are of each: what was numbered beyond them before was no line.
    """

    observed_at: int
    shop: str
    order_id: str
    platform: str | None = None
    fields: Mapping[str, Json] = field(default_factory=dict)
    lines: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    counted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StockReport:
    """Units on hand and still sellable of one SKU, apart from any order; None = not said."""

    observed_at: int
    shop: str
    sku: str
    listing_id: str | None = None
    stock: int | None = None
    sellable: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """A reply, an agreed date, an acknowledgement … about one order (`rules.model.EVENTS`).

    `points`: how many penalty points the platform took, at least 1 for `points_deducted`; 0 for all others.
    """

    observed_at: int
    shop: str
    order_id: str
    event: str
    at: int
    points: int = 0


Record = Snapshot | StockReport | OrderEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """An input that could not be used: where it stands, what is wrong, how to mend it. Holds no personal data."""

    source: str
    line: int | None
    reason: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One bounded part of a poll. The daemon commits it and `cursor` in one transaction.

    `watermark`: everything changed before this instant is known. `more`: poll again at once.
    `unknown_keys` counts names of input keys that were dropped. `sources` names the files that end in this page.
    `settling` names files that are still being written; in `settled_in_s` seconds they can be read, if they rest.
    """

    records: Sequence[Record] = ()
    rejected: Sequence[Rejected] = ()
    cursor: str | None = None
    watermark: int | None = None
    more: bool = False
    unknown_keys: Mapping[str, int] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    settling: tuple[str, ...] = ()
    settled_in_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """One entry of `[shops.X.columns]`: which column holds a canonical field, in what unit, with which values.

    `also`: further columns of the same field. For a status all are read together, else the first that is filled counts.
    `per`: whose amount it is where an order has several rows, its `line`'s or the `order`'s; None = found out.
    """

    column: str
    unit: Literal["minor", "major"] = "minor"
    values: Mapping[str, str] | None = None
    also: tuple["ColumnMap", ...] = ()
    per: Literal["line", "order"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopSettings:
    """What a feed is told about its shop. `options` holds the feed's own settings, secrets resolved."""

    name: str
    platform: str
    timezone: ZoneInfo | None = None
    path: Path | None = None
    columns: Mapping[str, ColumnMap] = field(default_factory=dict)
    history: Mapping[str, str] = field(default_factory=dict)
    keep: frozenset[str] = frozenset()
    privacy_key: bytes = b""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCapabilities:
    """What a feed can promise. `fresh_read` none (files): effects become tasks for a person.

    `options`: the settings of its own that it takes; others are refused before it is made. None: it judges them itself.
    """

    fresh_read: Literal["live", "none"]
    options: frozenset[str] | None = None


class Feed(Protocol):
    """Says what a shop said."""

    capabilities: FeedCapabilities

    def __init__(self, settings: ShopSettings) -> None: ...

    async def poll(self, cursor: str | None, now: int) -> Page:
        """The next page after `cursor` (None = from the beginning), at most about 5,000 records.

        Raises Transient, AuthFailed or Permanent; the stored cursor then stays where it was.
        """
        ...

    async def fresh(self, order_id: str, now: int) -> Snapshot | None:
        """The order as it stands on the platform this moment; None when the platform knows no such order.

        Called only with `fresh_read = live`.
        """
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSettings:
    """What a sink is told. `options` are the sink's own keys (url, secret, …), secrets resolved."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkCapabilities:
    """What a sink can promise.

    `kinds`: actions it can carry out. `idempotent`: repeating a key does nothing twice. `ledger`: it can
    be asked what became of a key. `per_minute`: calls allowed in any 60 s (None = no limit); the daemon
    folds alerts into digests to stay below it. `folds`: several messages of one moment may be made one, for people;
    False for machines, which want each as it is. `text_bytes`: the most a message may hold, title and text together
    in UTF-8, 4 bytes a line counted for markup (None = no limit); the daemon says the rest in a further message.
    """

    kinds: frozenset[Kind]
    idempotent: bool = False
    ledger: bool = False
    per_minute: int | None = None
    folds: bool = True
    text_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing to carry out, ready for a person or a machine to read.

    `key` is the natural idempotency key. `title` and `text` are in the seller's language; `data` is the
    same for machines (times RFC 3339 UTC, money in minor units).
    """

    key: str
    kind: Kind
    shop: str
    title: str
    text: str
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the other side answered to a delivered message: its own id, if it gave one."""

    reference: str | None = None
    note: str = ""


class Sink(Protocol):
    """Carries an action out."""

    capabilities: SinkCapabilities

    def __init__(self, settings: SinkSettings) -> None: ...

    async def deliver(self, message: Message, now: int) -> Receipt:
        """Carry the message out once; `now` (instant) is the only time a sink may sign or date with.

        Raises Transient (surely not done: refused connection, rate limit), Permanent (surely refused),
        Uncertain (may have been done: time-out or cut after the request left).
        """
        ...

    async def close(self) -> None: ...
