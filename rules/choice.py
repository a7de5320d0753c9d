"""Which way out of a violation costs least: each alternative with its expected cost, and why some are not safe.

With `r` the risk that the deadline is missed, `q` that a late buyer complains, `A` what the platform then charges by
itself and `X` what a complaint brings (payout, dispute, points):

    wait  r(A + qX)      new date  r(1 - agree)(A + qX)      coupon or small payment  its value + r(A + q(1 - helps)X)
    rule's payout paid first  payout + rA                   refund  price (goods not yet sent: the margin) + rA

Amounts are minor units, rounded half up. Rows of weak source (C) count for nothing here: they never pick a play.
Money moves only by a row a person has confirmed, and where the platform pays by itself voluntary cash comes on top
of it and is never chosen (N13: no source says that it offsets the payout).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from rules import contact, stacking
from rules.assume import Assume
from rules.look import Look
from rules.model import Violation
from rules.packdata import Tool
from rules.payout import Stake, payout, stake

FULL = 100
_SCALE = FULL**3
"""Three percentages are multiplied before anything is rounded."""


class Way(StrEnum):
    """The alternatives; of equally dear ones the first is taken."""

    WAIT = "wait"
    NEGOTIATE = "negotiate"
    COUPON = "coupon"
    SMALL_PAYMENT = "small_payment"
    RULE_PAYOUT = "rule_payout"
    REFUND = "refund"


CASH = frozenset({Way.COUPON, Way.SMALL_PAYMENT, Way.RULE_PAYOUT, Way.REFUND})
"""Ways that give the buyer something of value."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A way, its expected cost, what it gives the buyer, and why it must not be taken (`obstacle`; None = safe).

    `break_even`: from this share of complaining buyers on, in percent, it is no dearer than waiting; None = never.
    """

    way: Way
    cost_minor: int
    pay_minor: int | None
    obstacle: str | None
    break_even: int | None


@dataclass(frozen=True, slots=True)
class Choice:
    """All ways out of one violation and the cheapest safe one. `miss`: the risk used, in percent.

    `auto_minor`: what the platform charges by itself; `complaint_minor`: what a complaint brings on top, disputes and
    points included; `near_line`: whether the shop is near a line of the platform. `weak`: rows not counted.
    """

    violation: Violation
    currency: str
    miss: int
    auto_minor: int
    complaint_minor: int
    near_line: bool
    weak: tuple[str, ...]
    assumed: Assume
    alternatives: tuple[Alternative, ...]

    @property
    def chosen(self) -> Alternative:
        """The cheapest safe alternative; waiting is always safe."""
        return min((one for one in self.alternatives if one.obstacle is None), key=lambda one: one.cost_minor)


@dataclass(frozen=True, slots=True)
class _Case:
    """What the costs are made of."""

    look: Look
    violation: Violation
    assumed: Assume
    miss: int
    auto: int
    complaint: int
    stake: Stake | None
    no_new_date: str | None

    def expected(self, *, keeps: int = FULL, complains: int = FULL, given: int = 0) -> int:
        """`given`, and the loss left when `keeps` percent of it all and `complains` percent of complaints remain."""
        loss = self.auto * FULL * FULL + self.complaint * self.assumed.complain * complains
        return given + (loss * self.miss * keeps + _SCALE * FULL // 2) // (_SCALE * FULL)


def weigh(look: Look, violation: Violation, others: Collection[Violation], tried: int, assumed: Assume) -> Choice:
    """The ways out of `violation` for one order, with other open violations and new dates already `tried`. Total."""
    policy = look.policy
    found = _stakes(look, violation, others)
    counted = [one for one in found if one.confidence != "C"]
    near = policy.budget is not None
    case = _Case(
        look=look,
        violation=violation,
        assumed=assumed,
        miss=_risk(look, violation, assumed),
        auto=sum(one.high_minor for one in counted if not _by_complaint(one)),
        complaint=_on_complaint(look, counted, assumed, near),
        stake=stake(look.order, policy.pack, violation, policy.confirmed),
        no_new_date=no_new_date(look, violation, others, tried),
    )
    return Choice(
        violation=violation,
        currency=policy.pack.currency,
        miss=case.miss,
        auto_minor=case.auto,
        complaint_minor=case.complaint,
        near_line=near,
        weak=tuple(one.row for one in found if one.confidence == "C" and one.row is not None),
        assumed=assumed,
        alternatives=tuple(_alternatives(case)),
    )


def no_cash(one: Stake | None) -> str | None:
    """Why no money may be given first by this payout; None where a person has confirmed that it helps."""
    if one is None:
        return "NO_RULE"
    if one.initiation == "unknown":
        return "INITIATION_UNKNOWN"
    if one.initiation != "complaint":
        return "PLATFORM_PAYS_ITSELF"
    if not one.confirmed:
        return "RULE_NOT_CONFIRMED"
    return "WEAK_SOURCE" if one.confidence == "C" else None


def _stakes(look: Look, violation: Violation, others: Collection[Violation]) -> tuple[Stake, ...]:
    """The payouts that threaten together. What is out of stock will be late too."""
    threatening = {violation, *others}
    if Violation.STOCK_OUT in threatening:
        threatening.add(Violation.LATE_SHIPMENT)
    policy = look.policy
    total = stacking.together(look.order, policy.pack, sorted(threatening), policy.confirmed)
    return total.stakes if total is not None else ()


def _by_complaint(one: Stake) -> bool:
    """Whether it is charged only when the buyer complains; where nobody knows, it is taken as certain."""
    return one.initiation in ("complaint", "auto_on_complaint")


def _on_complaint(look: Look, stakes: list[Stake], assumed: Assume, near: bool) -> int:
    """What a complaint brings: payouts, what the platform takes beside them, points, the dispute itself."""
    cost = assumed.dispute_minor * (assumed.near_line if near else 1)
    for one in stakes:
        if not _by_complaint(one):
            continue
        row = look.policy.pack.row(one.row) if one.row is not None else None
        doubled = row is not None and row.extra_to_platform == "equal_amount_if_not_proactive"
        cost += one.high_minor * (2 if doubled else 1)
        cost += assumed.point_minor * (row.points or 0 if row is not None else 0)
    return cost


def _risk(look: Look, violation: Violation, assumed: Assume) -> int:
    """The risk in percent: certain once it has happened or goods are missing, else the seller's guess."""
    if violation is not Violation.LATE_SHIPMENT:
        return FULL
    late = look.due.ship_by is not None and look.now >= look.due.ship_by
    return FULL if late else assumed.miss


def _alternatives(case: _Case) -> Iterator[Alternative]:
    assumed = case.assumed
    yield Alternative(Way.WAIT, case.expected(), None, None, None)
    cost = case.expected(keeps=FULL - assumed.agree)
    yield Alternative(Way.NEGOTIATE, cost, None, case.no_new_date, None)
    if "goodwill" in case.look.policy.pack.contact.intents.get(case.violation, ()):
        yield _given(case, Way.COUPON, assumed.coupon_minor, assumed.coupon_helps)
    tool = _small_payment(case.look)
    if tool is not None:
        yield _given(case, Way.SMALL_PAYMENT, _payable(case, tool), assumed.payment_helps)
    if case.stake is not None:
        yield _given(case, Way.RULE_PAYOUT, case.stake.low_minor, FULL)
    if case.look.order.paid_minor is not None:
        yield _refund(case, case.look.order.paid_minor)


def no_new_date(look: Look, violation: Violation, others: Collection[Violation], tried: int) -> str | None:
    """Why the platform's tool for a new date cannot be used (again); None when it can.

    Never beside a stock-out for which it has none: asking the buyer to wait for missing goods is that violation (P31).
    """
    pack = look.policy.pack
    tool = contact.negotiation(pack, violation)
    if tool is None:
        return "NO_TOOL"
    if Violation.STOCK_OUT in others and contact.negotiation(pack, Violation.STOCK_OUT) is None:
        return "STOCK_OUT_OPEN"
    if tool.before_deadline_only and look.due.ship_by is not None and look.now >= look.due.ship_by:
        return "DEADLINE_PASSED"
    return "NO_ATTEMPT_LEFT" if tool.max_attempts is not None and tried >= tool.max_attempts else None


def _given(case: _Case, way: Way, value: int, helps: int) -> Alternative:
    cost = case.expected(complains=FULL - helps, given=value)
    obstacle = no_cash(case.stake) or ("NOTHING_TO_PAY" if value == 0 else None)
    return Alternative(way, cost, value, obstacle, _break_even(case, value, helps))


def _break_even(case: _Case, value: int, helps: int) -> int | None:
    """The share of complaining buyers, in percent and rounded up, from which `value` is no dearer than waiting."""
    saved = case.complaint * case.miss * helps
    if saved == 0:
        return None
    percent = -(-value * FULL**3 // saved)
    return percent if percent <= FULL else None


def _small_payment(look: Look) -> Tool | None:
    return next((tool for tool in look.policy.pack.tools if tool.tool == "small_payment"), None)


def _payable(case: _Case, tool: Tool) -> int:
    """The seller's usual small payment within what the platform lets one order have; 0 where it lets none."""
    value = max(case.assumed.payment_minor, tool.min_minor or 0)
    paid = case.look.order.paid_minor or 0
    cap = payout(tool.per_order_cap, paid, 0) if tool.per_order_cap else None
    return value if cap is None or value <= cap else cap


def _refund(case: _Case, paid: int) -> Alternative:
    """All money back. Goods that never left are still there: then only the margin is lost, if it is known.

    Only the buyer can begin it: asking him to is itself a violation (P31), other reasons would be false (N1).
    """
    order, margin = case.look.order, case.assumed.margin
    kept = order.owed and order.shipped_at is None and margin is not None
    lost = (paid * (margin or 0) + FULL // 2) // FULL if kept else paid
    asked = order.flagged("refund_requested")
    obstacle = no_cash(case.stake) if asked else "BUYER_MUST_ASK"
    cost = case.expected(complains=0, given=lost)
    return Alternative(Way.REFUND, cost, paid, obstacle, _break_even(case, lost, FULL))
