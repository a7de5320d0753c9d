"""One look at an order: everything its decision is made from, and the action that may come of it."""

from dataclasses import dataclass

from rules.deadline import Deadline
from rules.model import History, Kind, Order, Violation
from rules.policy import Policy


@dataclass(frozen=True, slots=True)
class Look:
    """An order, what is wanted for it, what happened so far, its effective deadline and the instant."""

    order: Order
    policy: Policy
    history: History
    due: Deadline
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An action to insert (or, when `dropped`, a step that will not be done and why)."""

    key: str
    kind: Kind
    step: str
    violation: Violation
    episode: int
    reason: str
    not_after: int | None = None
    amount_minor: int | None = None
    currency: str | None = None
    template: str | None = None
    channel: str | None = None
    dropped: bool = False
