"""What a violation would cost, in exact integer arithmetic on the pack's rows."""

from dataclasses import dataclass

from rules.model import Order, Violation
from rules.packs import Pack


@dataclass(frozen=True, slots=True)
class Stake:
    """The platform's payout for one order, in minor units: from `low_minor` to `high_minor`."""

    low_minor: int
    high_minor: int
    currency: str
    row: str | None
    form: str
    initiation: str
    confidence: str
    confirmed: bool
    note: str


def stake(
    order: Order, pack: Pack, violation: Violation, confirmed: frozenset[str] = frozenset()
) -> Stake | None:
    """The payout at stake; None where no price or no row is known."""
    return None
