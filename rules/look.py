"""One look at an order: everything its decision is made from, what is found, and the action that may come of it."""

from typing import NamedTuple

from rules.deadline import Deadline
from rules.model import History, Kind, Order, Violation
from rules.policy import Policy


class Look(NamedTuple):
    """An order, what is wanted for it, what happened so far, its effective deadline and the instant."""

    order: Order
    policy: Policy
    history: History
    due: Deadline
    now: int


class Finding(NamedTuple):
    """Whether the violation threatens (`fired`), why or why not, and when the answer may change by time alone.

    `due`: where the facts set a clock of their own (a parcel without a scan), the instant it runs out.
    `since`: when the newest fact behind a claim was seen, where anybody knows.
    """

    violation: Violation
    fired: bool
    reason: str
    wake_at: int | None = None
    due: int | None = None
    since: int | None = None


class Act(NamedTuple):
    """An action to insert (or, when `dropped`, a step that will not be done and why).

    `channel`: how a buyer is reached, or of a compensation by which way he is paid (`rules.choice.Way`).
    """

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
