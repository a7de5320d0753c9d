"""The playbook: what this seller wants done, read from TOML, checked at load, compiled to plain steps.

A mistake is a PolicyError that names file, key and mend. After loading nothing is parsed again.
"""

import hashlib
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from rules.assume import Assume
from rules.errors import PolicyError
from rules.hours import Hours
from rules.model import SHIPPING, Kind, Violation
from rules.schema import ContactSchema, LadderSchema, PlaybookSchema, StepSchema
from rules.templates import Template
from rules.templates import shipped as shipped_texts
from rules.toml import line_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rung. Exactly one anchor: `lead` before act_by, `after` ship_by, `delay` after the case opened (µs).

    `until`: lead and delay steps are useless later than this long before ship_by (None: than ship_by itself,
    but a task stays useful); `after` steps later than this long past their anchor (None: never).
    `on`: only for these claims (reason codes). `value`: only for goods at most as dear as the ladder's limit, or only
    for dearer ones. `followers`: the steps that wait for this one. `follows_message`: it waits for the answer
    to a message, so an answer makes it needless.
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
    on: frozenset[str] = frozenset()
    value: str | None = None
    followers: "tuple[Step, ...]" = ()
    follows_message: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The steps against one violation, and when a case nobody solves is let go (µs after the deadline).

    `answer`, `complaint`: how long a claim, and one the platform looks at, may stand unanswered.
    `within`: how long a parcel may go unscanned or stand still; `first_within`: right after its collection (µs).
    `low_value_minor`: up to this unit price goods count as cheap. `first_lead`: the longest lead of its steps.
    """

    violation: Violation
    steps: tuple[Step, ...]
    auto_close: int
    answer: int = 0
    complaint: int = 0
    within: int = 0
    first_within: int = 0
    low_value_minor: int = 0
    first_lead: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """How alerts to the seller are folded and repeated; all durations in µs, `leads` longest first.

    `missed`: whether the passing of a pick-up and of a ship-by time is told. `confirm_scan`: whether he is asked
    about collection scans that his feed cannot know.
    """

    leads: tuple[int, ...]
    group_wait: int
    group_interval: int
    repeat: int
    resolved: bool
    missed: bool
    confirm_scan: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRule:
    """Whether an uncovered stock pool is delisted and relisted, and how long a change must last first (µs).

    `margin_percent` of the unit price is what a sale earns; None = not known: a person decides. `fails_percent`: how
    likely the next sale while short cannot be shipped. `notice`: a person posts one in the shop. `protected`:
    SHOP/LISTING that are never stopped.
    `daily_share_percent`: at most this share of a shop's listings a local day, at least one; None = no limit.
    """

    delist: bool
    relist: bool
    settle: int
    notice: bool = False
    margin_percent: int | None = None
    fails_percent: int = 90
    protected: frozenset[str] = frozenset()
    daily_share_percent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRule:
    """Messages to buyers: channels switched on that a platform has off, and at most how many a buyer gets.

    `per_buyer` messages over all shops of the seller `per_buyer_within` µs; 0 = no limit. `hours`: of every message
    whose step names none.
    """

    channels: frozenset[str]
    per_buyer: int
    per_buyer_within: int
    hours: Hours | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """A whole playbook. `version` as decision lines show it (default@1); `digest` tells edits apart,
    `text` is its TOML.

    `ladders`: one per violation; `shipping`: those of orders still to be shipped. `first_lead`: when a late case
    opens before act_by, `urged`: how much earlier when the buyer urges (µs).
    `assume`: the seller's guesses; without them nothing is compared, and a `compensate` step pays what the rule says.
    """

    version: str
    digest: str
    text: str = field(repr=False)
    alerts: Alerts
    ladders: tuple[Ladder, ...]
    shipping: tuple[Ladder, ...]
    pool: PoolRule
    contact: ContactRule
    templates: tuple[tuple[str, Template], ...]
    first_lead: int
    urged: int
    assume: Assume | None = None

    def texts(self) -> dict[str, Template]:
        """All approved texts by name: the shipped ones and the seller's own, which win."""
        return {**shipped_texts(), **dict(self.templates)}

    def template(self, name: str) -> Template | None:
        """The approved text of that name."""
        return next((own for known, own in self.templates if known == name), shipped_texts().get(name))

    def approved(self, edition: str) -> Template | None:
        """The text a decision named (delay_notice@1); None when it is not approved any more, or another edition is."""
        name, _, version = edition.partition("@")
        template = self.template(name)
        return template if template is not None and version in ("", str(template.version)) else None

    def step(self, violation: str, name: str) -> "Step | None":
        """The step of that name against a violation."""
        ladder = next((ladder for ladder in self.ladders if ladder.violation == violation), None)
        return next((step for step in ladder.steps if step.name == name), None) if ladder else None


def parse(text: str, source: str) -> Playbook:
    """The playbook written in TOML `text`; `source` names the file in errors. Raises PolicyError."""
    try:
        schema = PlaybookSchema.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{source}: not valid TOML: {error}") from error
    except ValidationError as error:
        raise PolicyError("\n".join(_explain(source, text, error))) from error
    ladders = tuple(_ladder(violation, getattr(schema, violation), schema.contact.hours) for violation in Violation)
    leads = tuple(sorted(schema.alerts.leads, reverse=True))
    return Playbook(
        version=f"{schema.name}@{schema.version}",
        digest=hashlib.blake2b(text.encode(), digest_size=8).hexdigest(),
        text=text,
        alerts=Alerts(**(schema.alerts.model_dump() | {"leads": leads})),
        ladders=ladders,
        shipping=tuple(ladder for ladder in ladders if ladder.violation in SHIPPING),
        pool=PoolRule(**schema.pool.model_dump()),
        contact=_contact(schema.contact),
        templates=tuple(schema.templates.items()),
        first_lead=max(leads[0], ladders[0].first_lead),
        urged=schema.late_shipment.urged,
        assume=_assume(schema),
    )


def _assume(schema: PlaybookSchema) -> Assume | None:
    if schema.assume is None:
        return None
    return Assume(**schema.assume.model_dump(), margin=schema.pool.margin_percent)


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


def _contact(schema: ContactSchema) -> ContactRule:
    limits = schema.model_dump(include={"per_buyer", "per_buyer_within"})
    return ContactRule(channels=frozenset(schema.channels), hours=schema.hours, **limits)


def _ladder(violation: Violation, schema: LadderSchema, hours: Hours | None) -> Ladder:
    settings = schema.model_dump(exclude={"steps", "urged"})
    first_lead = max((step.lead or 0 for step in schema.steps), default=0)
    return Ladder(violation=violation, steps=_steps(schema.steps, hours), first_lead=first_lead, **settings)


def _steps(schemas: tuple[StepSchema, ...], hours: Hours | None) -> tuple[Step, ...]:
    """The steps in order, each knowing those that wait for it: they all come later."""
    steps: list[Step] = []
    kinds = {schema.name: schema.action for schema in schemas}
    for schema in reversed(schemas):
        followers = tuple(step for step in steps if step.waits_for == schema.name)
        follows = kinds.get(schema.waits_for or "") == "contact"
        steps.insert(0, _step(schema, followers, hours, follows))
    return tuple(steps)


def _step(schema: StepSchema, followers: tuple[Step, ...], hours: Hours | None, follows: bool) -> Step:
    fields = schema.model_dump(exclude={"action", "stage", "platforms", "hours", "on"})
    return Step(
        **fields,
        kind=Kind(schema.action),
        unscanned=schema.stage == "unscanned",
        platforms=frozenset(schema.platforms),
        hours=schema.hours or (hours if schema.action == "contact" else None),
        on=frozenset(reason.upper() for reason in schema.on),
        followers=followers,
        follows_message=follows,
    )


def _explain(source: str, text: str, error: ValidationError) -> list[str]:
    problems = []
    for problem in error.errors():
        place = ".".join(str(part) for part in problem["loc"]) or "playbook"
        said = problem["msg"].removeprefix("Value error, ")
        problems.append(f"{source}:{line_of(text, problem['loc'])}: {place}: {said}")
    return problems
