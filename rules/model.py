"""The words of the domain: orders and their facts, cases, actions. Frozen values, no behaviour beyond questions.

Instants are integer UTC microseconds (`rules.instant`), money is integer minor units. What is made anew at each
decision is a NamedTuple: it is made twice and changed four times as fast as a frozen dataclass (1.6 against 3.5 µs, 1.7
against 6.2 µs with twelve fields).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

Platform = str
"""generic | taobao | tmall | pinduoduo | jd | douyin | a third party's own name."""

STATUSES = ("unpaid", "paid", "partly_shipped", "shipped", "delivered", "completed", "cancelled", "refunded")
UNKNOWN = "unknown"
"""The status of an order of which no snapshot has said any."""
FLAGS = (
    "out_of_stock",
    "presale",
    "customised",
    "urged",
    "refund_requested",
    "intervention_requested",
    "short_claimed",
    "wrong_claimed",
    "risk_hold",
)
CLAIM_FLAGS = frozenset({"refund_requested", "intervention_requested", "short_claimed", "wrong_claimed"})
"""Flags that may come up after the parcel was handed over, and start a case of their own."""
EVENTS = (
    "buyer_reply",
    "date_agreed",
    "date_refused",
    "ack",
    "task_done",
    "opt_out",
    "complaint",
    "intervention",
    "ruled_against",
    "ruled_for",
    "refund_closed",
    "points_deducted",
)
OWED = frozenset({"paid", "partly_shipped"})
"""Statuses in which the seller still owes a shipment."""
OVER = frozenset({"cancelled", "refunded", "completed"})
"""Statuses after which nothing may be started for the order."""


class Violation(StrEnum):
    """What a platform punishes; one case per order, violation and episode."""

    LATE_SHIPMENT = "late_shipment"
    STOCK_OUT = "stock_out"
    SHORT_SHIPMENT = "short_shipment"
    WRONG_ITEM = "wrong_item"
    FAKE_SHIPMENT = "fake_shipment"
    TRACK_STALLED = "track_stalled"
    DISPUTE = "dispute"


LONG_OVERDUE = "LONG_OVERDUE"
"""Why a case was opened whose deadline had passed long before anybody told us of the order: nothing saves it."""
SHIPPING = (Violation.LATE_SHIPMENT, Violation.STOCK_OUT)
"""Violations of an order that is still to be shipped: their clock is the order's ship-by time."""
CLAIMS = (Violation.SHORT_SHIPMENT, Violation.WRONG_ITEM, Violation.DISPUTE)
"""What a buyer claims: the clock starts when the claim is seen."""


class Kind(StrEnum):
    """What an action does to the world."""

    ALERT = "alert"
    TASK = "task"
    NEGOTIATE = "negotiate"
    CONTACT = "contact"
    COMPENSATE = "compensate"
    DELIST = "delist"
    RELIST = "relist"


class Outcome(StrEnum):
    """Where an action stands (design §3). `shadow`: recorded, never performed."""

    PLANNED = "planned"
    AWAITING_APPROVAL = "awaiting_approval"
    READY = "ready"
    CALLING = "calling"
    SETTLED = "settled"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    MAYBE_SENT = "maybe_sent"
    NEEDS_HUMAN = "needs_human"
    VOID = "void"
    SHADOW = "shadow"


Mode = Literal["shadow", "live"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One order line. `stock` is on hand including what is owed to paid orders; None = unknown."""

    line_id: str
    sku: str | None = None
    listing_id: str | None = None
    title: str | None = None
    quantity: int | None = 1
    unit_minor: int | None = None
    paid_minor: int | None = None
    ship_by: int | None = None
    shipped_quantity: int | None = None
    refunded_quantity: int | None = None
    refund_status: str | None = None
    stock: int | None = None
    sellable: int | None = None

    @property
    def open_quantity(self) -> int:
        """Units still owed: ordered (one when nobody says how many), not shipped, not refunded. Never negative."""
        ordered = 1 if self.quantity is None else self.quantity
        left = ordered - (self.shipped_quantity or 0) - (self.refunded_quantity or 0)
        return max(0, left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One event of a parcel's journey, as the courier told it."""

    at: int
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a shop last said about one order (contract §4), merged over its snapshots.

    `collected_at` is meaningful only when `collection_known`: absent in every snapshot means this
    feed cannot know, null means known not collected. `paid_minor` includes postage. `report_ship_by`: the
    date of an approved exemption report; `urged_at`: the buyer's first request for delivery.
    """

    shop: str
    platform: Platform
    order_id: str
    status: str
    placed_at: int | None = None
    paid_at: int | None = None
    ship_by: int | None = None
    presale_ship_by: int | None = None
    group_success_at: int | None = None
    promise_hours: int | None = None
    negotiated_ship_by: int | None = None
    report_ship_by: int | None = None
    urged_at: int | None = None
    shipped_at: int | None = None
    collected_at: int | None = None
    collection_known: bool = False
    currency: str | None = None
    paid_minor: int | None = None
    shipping_minor: int | None = None
    received_minor: int | None = None
    buyer: str | None = None
    category: str | None = None
    remark: str | None = None
    tags: tuple[str, ...] | None = None
    flags: tuple[str, ...] | None = None
    tracking: tuple[Track, ...] | None = None
    lines: tuple[Line, ...] = ()

    @property
    def owed(self) -> bool:
        """The seller has been paid and still has to ship something."""
        return self.status in OWED

    def flagged(self, flag: str) -> bool:
        """Whether the shop's last word carries `flag`."""
        return self.flags is not None and flag in self.flags


class Event(NamedTuple):
    """Something a person or platform did about an order: a reply, an agreed date, an acknowledgement."""

    event: str
    at: int
    seen_at: int


class Case(NamedTuple):
    """One violation of one order in one episode; open while `closed_at` is None."""

    key: str
    violation: Violation
    episode: int
    opened_at: int
    closed_at: int | None = None
    reason: str = ""
    ship_by: int | None = None
    snoozed_until: int | None = None
    acked_at: int | None = None
    taken_over: bool = False


class Past(NamedTuple):
    """An action already decided, as the rules read it back."""

    key: str
    kind: Kind
    step: str
    violation: Violation
    episode: int
    at: int
    outcome: Outcome
    reason: str = ""
    dropped: bool = False


class History(NamedTuple):
    """All that happened to one order so far: cases, actions and dropped steps, events.

    `short`: line ids its stock pools cannot cover (written by `rules.allocate`). `decided_at` and
    `playbook`: when the order was last decided, and by which playbook digest. `woken_at`: when that
    playbook, or a fact since, wanted it decided next.
    """

    cases: tuple[Case, ...] = ()
    past: tuple[Past, ...] = ()
    events: tuple[Event, ...] = ()
    short: tuple[str, ...] = ()
    decided_at: int | None = None
    playbook: str = ""
    woken_at: int | None = None


NO_HISTORY = History()
