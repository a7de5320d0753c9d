"""What nobody knows and a choice needs all the same: the seller's guesses, named wherever they decide something."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Percent = Annotated[int, Field(strict=True, ge=0, le=100)]
Minor = Annotated[int, Field(strict=True, ge=0, le=10**9)]
"""Money in minor units (fen)."""


class AssumeSchema(BaseModel):
    """The table `[assume]` of a playbook. Every number has to be written down: none is implied."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    miss: Percent
    complain: Percent
    agree: Percent
    coupon_minor: Minor
    coupon_helps: Percent
    payment_minor: Minor
    payment_helps: Percent
    dispute_minor: Minor
    point_minor: Minor
    near_line: int = Field(strict=True, ge=1, le=1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assume:
    """Guesses, not facts. Percentages are whole, money is minor units of the pack's currency.

    `miss`: of the orders near their deadline, how many miss it. `complain`: of the late ones, how many buyers
    complain. `agree`: how many accept a new date. `coupon_helps`, `payment_helps`: how many complaints a coupon of
    `coupon_minor` or a payment of `payment_minor` prevents. `dispute_minor`, `point_minor`: what a dispute or a
    penalty point costs beyond the payout; near a line of the platform a dispute counts `near_line` times.
    `margin`: what the seller keeps of a price ([pool] margin_percent); None = nobody has said.
    """

    miss: int
    complain: int
    agree: int
    coupon_minor: int
    coupon_helps: int
    payment_minor: int
    payment_helps: int
    dispute_minor: int
    point_minor: int
    near_line: int
    margin: int | None = None
