"""The shapes inside a rule pack's TOML: frozen values, validated once at load, plain dataclasses after.

Money is in minor units (fen), shares and percentages in basis points (1/100 of a percent), dates are
days in the pack's zone and inclusive on both ends. Every dated number names its source: `S…` a seed
article, `P…` a page listed in docs/rule-packs.md. No row was checked against an official rule centre.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from rules.model import Violation

Count = Annotated[int, Field(strict=True, ge=0)]
"""A whole number that is not negative: minor units, basis points, hours, counts."""

Confidence = Literal["S", "A", "B", "C"]
"""S seed article, A two pages or a reprinted notice, B one page, C weak: never picks a play."""

Base = Literal["item_paid_ex_postage", "paid_ex_postage", "item_paid", "order_paid", "order_received"]
Scope = Literal["order", "shop", "escalation", "alternative", "record"]
Initiation = Literal["auto", "complaint", "auto_on_complaint", "platform", "unknown"]
Form = Literal["cash", "points", "red_packet", "cash_coupon", "coupon", "jd_beans", "none", "unknown"]
Reason = Literal[
    "ADMITS_NO_STOCK",
    "OFF_PLATFORM_CONTACT",
    "SURCHARGE",
    "FALSE_REASON",
    "ASKS_TO_CANCEL",
    "ASKS_TO_SWAP",
    "PROMISES_PAYOUT",
]
"""What a lint calls a forbidden text (`rules.contact`)."""

Numerator = Literal[
    "refunds_with_intervention_all",
    "rulings_against_seller",
    "complaints_all",
    "stock_out_orders",
    "consumer_started_disputes_plus_complaints_unless_refund_closed",
]
"""Which orders a shop's measure counts (`rules.health` says by which facts)."""
Effect = Literal["campaigns", "search", "ads", "slots", "score"]
"""What a shop loses beyond the line: campaign entry, rank in search, paid search ads, resource slots, score."""

FORBID = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One step of a payout: the first tier whose conditions hold counts.

    Conditions: promise in hours at most / over, base below / from. Then `flat_minor`, or `percent_bp`
    of the base kept between `min_minor` and `max_minor`.
    """

    __pydantic_config__ = FORBID
    promise_hours_max: Count | None = None
    promise_hours_over: Count | None = None
    base_below_minor: Count | None = None
    base_from_minor: Count | None = None
    percent_bp: Count | None = None
    min_minor: Count = 0
    max_minor: Count | None = None
    flat_minor: Count | None = None

    def __post_init__(self) -> None:
        """Raises ValueError, which the loader reports with file, row and key."""
        if (self.percent_bp is None) == (self.flat_minor is None):
            raise ValueError("a tier has either percent_bp or flat_minor")
        if self.max_minor is not None and self.max_minor < self.min_minor:
            raise ValueError("max_minor is below min_minor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Other tiers for orders that carry every stated mark: a tag, a flag, a word of the category."""

    __pydantic_config__ = FORBID
    name: str
    tag: str | None = None
    flag: str | None = None
    category_any: tuple[str, ...] = ()
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What the platform measures: hours from `start` until `stop`."""

    __pydantic_config__ = FORBID
    start: str
    hours: Count
    stop: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A shop's line for one day; all stated parts together (several thresholds: any one)."""

    __pydantic_config__ = FORBID
    day_count_from: Count | None = None
    day_share_from_bp: Count | None = None
    day_share_over_bp: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One dated fact: what a violation costs and who starts it.

    `scope`: "order" = the cost of one order; "escalation" = a later, further cost of the same order;
    "shop" = a line for the shop's whole day; "alternative" = what another source says instead of the row
    `instead_of`, priced only once a person confirmed it; "record" = kept for people, never priced. `priced_like`: the
    platform charges it as that violation of the same day. `freeze_days`: goods money frozen at the n-th violation of a
    calendar year. `digest` binds a person's confirmation to this content; it and `by_promise` (a tier
    depends on the promised hours) are computed at load.
    """

    __pydantic_config__ = FORBID
    id: str
    violation: Violation
    also: tuple[Violation, ...] = ()
    draft_violation: str | None = None
    scope: Scope = "order"
    instead_of: str | None = None
    first: Annotated[date | None, Field(alias="from")] = None
    last: Annotated[date | None, Field(alias="to")] = None
    initiation: Initiation
    form: Form = "none"
    priced_like: Violation | None = None
    base: Base | None = None
    rounding: Literal["half_up", "floor_yuan"] = "half_up"
    tiers: tuple[Tier, ...] = ()
    variants: tuple[Variant, ...] = ()
    clock: Clock | None = None
    triggers: tuple[str, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    quantity_diff_over_bp: Count | None = None
    stacks_with: tuple[Violation, ...] = ()
    excludes: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()
    points: Count | None = None
    points_text: str | None = None
    serious_points: Count | None = None
    severe_max_minor: Count | None = None
    merge_window_hours: Count | None = None
    day_cap_same_buyer_minor: Count | None = None
    extra_to_platform: str | None = None
    freeze_days: tuple[Count, ...] = ()
    closes_order: bool = False
    buyer_consent_cures: bool = True
    freight: Literal["seller", "buyer"] | None = None
    proactive: str | None = None
    note: str = ""
    source: tuple[str, ...]
    confidence: Confidence
    verified: Literal[False] = False
    digest: str = ""
    by_promise: bool = False

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every violation this row prices."""
        return (self.violation, *self.also)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """What the platform offers a seller: agree a new date, pay the buyer a small sum.

    `api` says how it is used: "task" = a person does it in the seller desk, no interface is known.
    """

    __pydantic_config__ = FORBID
    tool: Literal["agree_ship_date", "delay_ship", "small_payment", "report", "small_collection", "pay_in_complaint"]
    violations: tuple[Violation, ...] = ()
    api: str = "task"
    before_deadline_only: bool = False
    max_attempts: Count | None = None
    confirm_hours: Count | None = None
    max_shift_days: Count | None = None
    buyer_initiated: str | None = None
    irreversible: bool = False
    min_minor: Count | None = None
    gap_minutes: Count | None = None
    per_order_max_times: Count | None = None
    per_order_cap: tuple[Tier, ...] = ()
    shop_day_cap_minor: Count | None = None
    note: str = ""
    source: tuple[str, ...]

    @property
    def task_only(self) -> bool:
        """Whether only a person can use it."""
        return self.api == "task"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A time a platform gives for something: `hours` from `start` until `stop`; a tagged one comes before the plain.

    `hours` counts clock hours; what a source gives in working days says so in `note`.
    """

    __pydantic_config__ = FORBID
    id: str
    about: Violation | None = None
    first: Annotated[date | None, Field(alias="from")] = None
    last: Annotated[date | None, Field(alias="to")] = None
    tag: str | None = None
    start: str
    hours: Count
    stop: str
    note: str = ""
    source: tuple[str, ...]
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Presale:
    """How long a presale may promise: `min_days` to `max_days` after the clock's start (platform-rules §5)."""

    __pydantic_config__ = FORBID
    first: Annotated[date | None, Field(alias="from")] = None
    last: Annotated[date | None, Field(alias="to")] = None
    min_days: Count
    max_days: Count
    source: tuple[str, ...]
    confidence: Confidence
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customised:
    """Customised goods without an agreed time: `hours` from the buyer's first request for delivery (§5)."""

    __pydantic_config__ = FORBID
    first: Annotated[date | None, Field(alias="from")] = None
    last: Annotated[date | None, Field(alias="to")] = None
    hours: Count
    source: tuple[str, ...]
    confidence: Confidence
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A shop's running dispute measure and the line it must not cross (platform-rules §2).

    Over the line of the window: more than `line_count` orders that are also more than `line_rate_bp` of the trades.
    Over that of a calendar month: more than `month_count_over` that are also `month_rate_from_bp` or more. `effect`
    and `month_effect` are what the shop loses then.
    """

    __pydantic_config__ = FORBID
    id: str
    name: str
    window_days: Count
    numerator: Numerator | None = None
    denominator: str | None = None
    effect: Effect | None = None
    month_count_over: Count | None = None
    month_rate_from_bp: Count | None = None
    month_effect: Effect | None = None
    line_rate_bp: Count | None = None
    line_count: Count | None = None
    line_digital_count: Count | None = None
    normal_bp: tuple[Count, ...] = ()
    weight_trusted: Count | None = None
    note: str = ""
    source: tuple[str, ...]
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The platform's own hours where neither listing nor order states any; `stop` is what ends the clock."""

    __pydantic_config__ = FORBID
    first: Annotated[date | None, Field(alias="from")] = None
    last: Annotated[date | None, Field(alias="to")] = None
    tag: str | None = None
    hours: Count
    start: Literal["payment", "group_success"] = "payment"
    stop: Literal["tracking_uploaded", "collection_scan", "shipped_and_collected"]
    source: tuple[str, ...]
    confidence: Confidence
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A campaign or festival: orders that start in it ship `by` the end of a day, or within `hours`.

    A `to` that is a local time is the first moment outside. Of several that match, the first in the file
    counts, so marked ones come first. `needs` names facts an order does not carry; such a window, and
    every C one, is shown but never applied. `occasion` names what recurs: a year without it is reported.
    """

    __pydantic_config__ = FORBID
    id: str
    first: Annotated[date | datetime, Field(alias="from")]
    last: Annotated[date | datetime, Field(alias="to")]
    by: date | None = None
    hours: Count | None = None
    tag: str | None = None
    category_any: tuple[str, ...] = ()
    only_without_promise: bool = False
    needs: str | None = None
    occasion: Literal["spring_festival", "618", "double_11", "new_year_goods"] | None = None
    track_hours: Count | None = None
    waives: tuple[Violation, ...] = ()
    source: tuple[str, ...]
    confidence: Confidence
    note: str = ""

    @property
    def applies(self) -> bool:
        """Whether this window may move a deadline by itself."""
        return self.confidence != "C" and self.needs is None and (self.by is not None or self.hours is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRules:
    """What may be said to a buyer, where, and in which words (design §7).

    `intents` is per violation what a message may carry; `tasks` what only a person may do through the
    platform's own tool; `off_by_default` channels a seller may switch on; `lints` the checks in force.
    """

    __pydantic_config__ = FORBID
    channels: tuple[str, ...] = ()
    off_by_default: tuple[str, ...] = ()
    admits_no_stock: Literal["violation", "allowed"]
    lints: tuple[Reason, ...] = ()
    intents: dict[Violation, tuple[str, ...]] = field(default_factory=dict)
    tasks: dict[Violation, tuple[str, ...]] = field(default_factory=dict)
    phrases: dict[Reason, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One pack file as written."""

    __pydantic_config__ = FORBID
    platform: str
    zone: str
    currency: str
    edition: Annotated[int, Field(strict=True, ge=1)] = 1
    promise: tuple[Promise, ...] = ()
    row: tuple[Row, ...] = ()
    tool: tuple[Tool, ...] = ()
    metric: tuple[Metric, ...] = ()
    window: tuple[Window, ...] = ()
    limit: tuple[Limit, ...] = ()
    presale: tuple[Presale, ...] = ()
    customised: tuple[Customised, ...] = ()
    contact: ContactRules


Raw = dict[str, Any]
"""A parsed TOML table before validation."""
