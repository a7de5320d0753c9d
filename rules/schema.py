"""How a playbook is written in TOML: its tables and keys and what each may hold. `rules.playbook` compiles it."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from rules.assume import AssumeSchema
from rules.calendars import duration
from rules.hours import Hours
from rules.instant import DAY
from rules.templates import Template

LONGEST = 400 * DAY
"""No step lies further than this from its anchor; it keeps every instant in a 64 bit integer."""


def _duration(value: object) -> int:
    """A bare number would be read as microseconds, which nobody means: text with a unit only."""
    if not isinstance(value, str):
        raise ValueError(f'{value!r} has no unit; write "12h", "30m" or "2d"')
    length = duration(value)
    if length > LONGEST:
        raise ValueError(f"{value!r} is longer than 400 days")
    return length


Duration = Annotated[int, BeforeValidator(_duration)]
"""Microseconds, written as "12h", "30m", "2d", "90分钟"."""
OpeningHours = Annotated[Hours, BeforeValidator(lambda v: Hours.parse(v) if isinstance(v, str) else v)]

ORDER_KINDS = Literal["task", "negotiate", "contact", "compensate"]
CLAIM_REASONS = Literal["refund_requested", "complained", "intervention_requested"]


class Strict(BaseModel):
    """A table whose keys are all known: a typing error is no new setting."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class StepSchema(Strict):
    """One step of a ladder."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    action: ORDER_KINDS
    lead: Duration | None = None
    after: Duration | None = None
    delay: Duration | None = None
    until: Duration | None = None
    stage: Literal["unshipped", "unscanned"] = "unshipped"
    waits_for: str | None = None
    wait: Duration = 0
    platforms: tuple[str, ...] = ()
    channel: str | None = None
    intent: str | None = None
    template: str | None = None
    hours: OpeningHours | None = None
    on: tuple[CLAIM_REASONS, ...] = ()
    value: Literal["low", "high"] | None = None

    @model_validator(mode="after")
    def _one_anchor(self) -> Self:
        if sum(anchor is not None for anchor in (self.lead, self.after, self.delay)) != 1:
            raise ValueError(f"step {self.name!r}: give exactly one of lead, after, delay")
        if self.action == "contact" and not (self.channel and self.intent and self.template):
            raise ValueError(f"step {self.name!r}: a contact needs channel, intent and template")
        return self


class LadderSchema(Strict):
    """`[stock_out]`, and what every ladder has."""

    auto_close: Duration = 30 * DAY
    steps: tuple[StepSchema, ...] = ()

    @model_validator(mode="after")
    def _names(self) -> Self:
        seen: set[str] = set()
        for step in self.steps:
            if step.name in seen:
                raise ValueError(f"step {step.name!r} is there twice: names become keys, give each its own")
            if step.waits_for is not None and step.waits_for not in seen:
                raise ValueError(f"step {step.name!r} waits for {step.waits_for!r}, which is no earlier step")
            seen.add(step.name)
        return self


class LateSchema(LadderSchema):
    """`[late_shipment]`."""

    urged: Duration = 0


class ClaimSchema(LadderSchema):
    """`[short_shipment]` and `[wrong_item]`."""

    answer: Duration = 2 * DAY
    low_value_minor: int = Field(default=0, ge=0, strict=True)


class DisputeSchema(LadderSchema):
    """`[dispute]`."""

    answer: Duration = DAY
    complaint: Duration = DAY


class ScanSchema(LadderSchema):
    """`[fake_shipment]`."""

    within: Duration = DAY


class TrackSchema(ScanSchema):
    """`[track_stalled]`."""

    first_within: Duration = DAY
    within: Duration = 5 * DAY


class AlertsSchema(Strict):
    """`[alerts]`: how the seller is told."""

    leads: tuple[Duration, ...] = Field(min_length=1)
    group_wait: Duration = 0
    group_interval: Duration = 0
    repeat: Duration = 0
    resolved: bool = False
    missed: bool = True
    confirm_scan: bool = False


class PoolSchema(Strict):
    """`[pool]`: listings whose stock cannot cover what is sold."""

    delist: bool = False
    relist: bool = False
    notice: bool = False
    settle: Duration = 0
    margin_percent: int | None = Field(default=None, ge=0, le=100, strict=True)
    fails_percent: int = Field(default=90, ge=0, le=100, strict=True)
    protected: frozenset[Annotated[str, Field(pattern="^[^/]+/.+$")]] = frozenset()
    daily_share_percent: int | None = Field(default=None, ge=0, le=100, strict=True)


class ContactSchema(Strict):
    """`[contact]`: messages to buyers over all shops."""

    hours: OpeningHours | None = None
    channels: tuple[str, ...] = ()
    per_buyer: int = Field(default=0, ge=0, strict=True)
    per_buyer_within: Duration = DAY


class PlaybookSchema(Strict):
    """The whole file."""

    name: str
    version: int
    alerts: AlertsSchema
    late_shipment: LateSchema = LateSchema()
    stock_out: LadderSchema = LadderSchema()
    short_shipment: ClaimSchema = ClaimSchema()
    wrong_item: ClaimSchema = ClaimSchema()
    fake_shipment: ScanSchema = ScanSchema()
    track_stalled: TrackSchema = TrackSchema()
    dispute: DisputeSchema = DisputeSchema()
    pool: PoolSchema = PoolSchema()
    assume: AssumeSchema | None = None
    contact: ContactSchema = ContactSchema()
    templates: dict[str, Template] = Field(default_factory=dict)
