"""The effective ship-by moment of an order, from all claims about it (design §6)."""

from dataclasses import dataclass

from rules.calendars import Warehouse
from rules.model import Order
from rules.packs import Pack


@dataclass(frozen=True, slots=True)
class Candidate:
    """One claim and who makes it: platform, line, negotiated, presale, calendar, pack or override."""

    source: str
    ship_by: int
    observed_at: int | None
    effective: bool


@dataclass(frozen=True, slots=True)
class Deadline:
    """When the parcel is due, the last moment to act, and every claim, the effective one marked."""

    ship_by: int | None
    act_by: int | None
    candidates: tuple[Candidate, ...]


def deadline(
    order: Order,
    pack: Pack,
    warehouse: Warehouse | None = None,
    override: int | None = None,
    observed_at: int | None = None,
) -> Deadline:
    """The effective deadline."""
    if order.ship_by is None:
        return Deadline(None, None, ())
    return Deadline(order.ship_by, order.ship_by, (Candidate("platform", order.ship_by, observed_at, True),))
