"""The playbook: what this seller wants done, read from TOML, checked at load, compiled to plain steps.

A mistake is a PolicyError that names file, key and mend. After loading nothing is parsed again.
"""

import hashlib
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from rules.calendars import duration
from rules.errors import PolicyError
from rules.hours import Hours
from rules.instant import DAY
from rules.model import Kind, Violation

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


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class _StepSchema(_Strict):
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

    @model_validator(mode="after")
    def _one_anchor(self) -> Self:
        if sum(anchor is not None for anchor in (self.lead, self.after, self.delay)) != 1:
            raise ValueError(f"step {self.name!r}: give exactly one of lead, after, delay")
        if self.action == "contact" and not (self.channel and self.intent and self.template):
            raise ValueError(f"step {self.name!r}: a contact needs channel, intent and template")
        return self


class _LadderSchema(_Strict):
    auto_close: Duration = 30 * DAY
    steps: tuple[_StepSchema, ...] = ()

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


class _AlertsSchema(_Strict):
    leads: tuple[Duration, ...] = Field(min_length=1)
    group_wait: Duration = 0
    group_interval: Duration = 0
    repeat: Duration = 0
    resolved: bool = False


class _PoolSchema(_Strict):
    delist: bool = False
    relist: bool = False
    settle: Duration = 0


class _PlaybookSchema(_Strict):
    name: str
    version: int
    alerts: _AlertsSchema
    late_shipment: _LadderSchema = _LadderSchema()
    stock_out: _LadderSchema = _LadderSchema()
    pool: _PoolSchema = _PoolSchema()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rung. Exactly one anchor: `lead` before act_by, `after` ship_by, `delay` after the case opened (µs).

    `until`: lead and delay steps are useless later than this long before ship_by (None: than ship_by itself,
    but a task stays useful); `after` steps later than this long past their anchor (None: never).
    `followers`: the steps that wait for this one.
    """

    name: str
    kind: Kind
    lead: int | None
    after: int | None
    delay: int | None
    until: int | None
    unscanned: bool
    waits_for: str | None
    wait: int
    platforms: frozenset[str]
    channel: str | None
    intent: str | None
    template: str | None
    hours: Hours | None
    followers: "tuple[Step, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The steps against one violation, and when a case nobody solves is let go (µs after the deadline)."""

    violation: Violation
    steps: tuple[Step, ...]
    auto_close: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """How alerts to the seller are folded and repeated; all durations in µs, `leads` longest first."""

    leads: tuple[int, ...]
    group_wait: int
    group_interval: int
    repeat: int
    resolved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRule:
    """Whether an uncovered stock pool is delisted and relisted, and how long a change must last first (µs)."""

    delist: bool
    relist: bool
    settle: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """A whole playbook. `version` as lines show it (default@1); `digest` tells edits apart, `text` is its TOML."""

    version: str
    digest: str
    text: str = field(repr=False)
    alerts: Alerts
    ladders: tuple[Ladder, ...]
    pool: PoolRule
    first_lead: int


def parse(text: str, source: str) -> Playbook:
    """The playbook written in TOML `text`; `source` names the file in errors. Raises PolicyError."""
    try:
        schema = _PlaybookSchema.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{source}: not valid TOML: {error}") from error
    except ValidationError as error:
        raise PolicyError("\n".join(_explain(source, text, error))) from error
    ladders = tuple(
        Ladder(violation=violation, steps=_steps(ladder.steps), auto_close=ladder.auto_close)
        for violation, ladder in (
            (Violation.LATE_SHIPMENT, schema.late_shipment),
            (Violation.STOCK_OUT, schema.stock_out),
        )
    )
    leads = tuple(sorted(schema.alerts.leads, reverse=True))
    return Playbook(
        version=f"{schema.name}@{schema.version}",
        digest=hashlib.blake2b(text.encode(), digest_size=8).hexdigest(),
        text=text,
        alerts=Alerts(**(schema.alerts.model_dump() | {"leads": leads})),
        ladders=ladders,
        pool=PoolRule(**schema.pool.model_dump()),
        first_lead=max(leads[0], *(step.lead or 0 for step in ladders[0].steps), 0),
    )


def load(path: Path) -> Playbook:
    """The playbook in a file. Raises PolicyError, also when the file cannot be read."""
    try:
        return parse(path.read_text("utf-8"), str(path))
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read ({error.strerror}); correct [playbook] path") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path}: not UTF-8 text; save it as UTF-8") from error


@lru_cache(maxsize=1)
def shipped() -> Playbook:
    """The playbook that comes with Forestall (rules/data/playbook.toml)."""
    return parse(shipped_text(), "shipped playbook")


def shipped_text() -> str:
    """The shipped playbook as a seller reads and copies it."""
    return resources.files("rules").joinpath("data/playbook.toml").read_text("utf-8")


def _steps(schemas: tuple[_StepSchema, ...]) -> tuple[Step, ...]:
    """The steps in order, each knowing those that wait for it: they all come later."""
    steps: list[Step] = []
    for schema in reversed(schemas):
        steps.insert(0, _step(schema, tuple(step for step in steps if step.waits_for == schema.name)))
    return tuple(steps)


def _step(schema: _StepSchema, followers: tuple[Step, ...]) -> Step:
    fields = schema.model_dump(exclude={"action", "stage", "platforms", "hours"})
    return Step(
        **fields,
        kind=Kind(schema.action),
        unscanned=schema.stage == "unscanned",
        platforms=frozenset(schema.platforms),
        hours=schema.hours,
        followers=followers,
    )


def _explain(source: str, text: str, error: ValidationError) -> list[str]:
    problems = []
    for problem in error.errors():
        place = ".".join(str(part) for part in problem["loc"]) or "playbook"
        key = next((str(part) for part in reversed(problem["loc"]) if isinstance(part, str)), "")
        line = next((n for n, row in enumerate(text.splitlines(), 1) if key and row.strip().startswith(key)), 1)
        problems.append(f"{source}:{line}: {place}: {problem['msg']}")
    return problems
