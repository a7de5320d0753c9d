"""What a violation would cost the seller: exact integer arithmetic on the pack's dated rows.

Amounts are minor units (fen) whatever the form: 100 JD beans are 1 yuan (platform-rules §1.4), so one
bean is one fen; coupons, red packets and points count at face value. A percentage is rounded half up
to the fen, or for `floor_yuan` rows cut to whole yuan (Pinduoduo: 430 yuan → 21 yuan, P30), and then kept
between the tier's minimum and maximum. The base is the whole order, an upper bound where only part of it
is late or short. Conditions name the promised hours and the base; the first tier that holds counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from rules.instant import HOUR
from rules.model import Order, Violation
from rules.packdata import Base, Row, Tier
from rules.packs import Pack

NONE_CONFIRMED: frozenset[str] = frozenset()
USUAL_PROMISE = 48
"""Hours where neither the order nor the pack states any: every sourced platform's ordinary promise."""


@dataclass(frozen=True, slots=True)
class Stake:
    """The platform's payout for one order, from `low_minor` to `high_minor` of `currency`.

    Low and high differ where a row is weak (C), rows overlap, or the promised hours are not known.
    Only a `confirmed` stake may move money; a C one never picks a play. `row` is the leading row's id.
    """

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
    order: Order, pack: Pack, violation: Violation, confirmed: frozenset[str] = NONE_CONFIRMED
) -> Stake | None:
    """The payout at stake under the rows in force when the order's clock started.

    `confirmed` holds the digests of rows a person confirmed; where some of several rows are, only those
    count. None where no row, no price, or another currency than the pack's is known. Never raises.
    """
    start = pack.starts_at(order)
    rows = pack.orders[violation](start)
    if not rows or (order.currency is not None and order.currency != pack.currency):
        return None
    if len(rows) > 1:
        rows = tuple(row for row in rows if row.digest in confirmed) or rows
    lead = rows[0]
    priced = _price(order, pack, lead, start)
    if len(rows) > 1:
        priced = _span([priced, *(_price(order, pack, row, start) for row in rows[1:])])
    if priced is None:
        return None
    low, high, note = priced
    sure = all(row.digest in confirmed for row in rows)
    return Stake(
        low,
        high,
        pack.currency,
        lead.id,
        lead.form,
        lead.initiation,
        lead.confidence,
        sure,
        note or lead.note,
    )


Price = tuple[int, int, str]
"""Lowest and highest payout in minor units, and a note."""


def _span(prices: Iterable[Price | None]) -> Price | None:
    known = [price for price in prices if price is not None]
    if not known:
        return None
    return min(low for low, _, _ in known), max(high for _, high, _ in known), known[0][2]


def _price(order: Order, pack: Pack, row: Row, start: int | None) -> Price | None:
    amount = base_of(order, row.base) if row.base else None
    if amount is None or not row.tiers:
        return None
    if row.exempt and (mark := _exemption(order, row)):
        return 0, 0, f"exempt: {mark}"
    tiers = _variant(order, row) if row.variants else row.tiers
    floor = row.rounding == "floor_yuan"
    if row.confidence == "C":
        return _weak(tiers, amount, floor)
    if not row.by_promise:
        sure = payout(tiers, amount, USUAL_PROMISE, floor)
        return None if sure is None else (sure, sure, "")
    hours = promised_hours(order, pack, start)
    payouts = [p for h in hours if (p := payout(tiers, amount, h, floor)) is not None]
    return (min(payouts), max(payouts), "") if payouts else None


def payout(tiers: tuple[Tier, ...], base: int, hours: int, floor_yuan: bool = False) -> int | None:
    """The payout of the first tier that holds for a base (minor units) and promised hours, or None."""
    for tier in tiers:
        if tier.promise_hours_max is not None and hours > tier.promise_hours_max:
            continue
        if tier.promise_hours_over is not None and hours <= tier.promise_hours_over:
            continue
        if _fits(tier, base):
            return _amount(tier, base, floor_yuan)
    return None


def _fits(tier: Tier, base: int) -> bool:
    if tier.base_below_minor is not None and base >= tier.base_below_minor:
        return False
    return tier.base_from_minor is None or base >= tier.base_from_minor


def _amount(tier: Tier, base: int, floor_yuan: bool) -> int:
    if tier.flat_minor is not None:
        return tier.flat_minor
    share = base * (tier.percent_bp or 0)
    value = share // 1_000_000 * 100 if floor_yuan else (share + 5_000) // 10_000
    if value < tier.min_minor:
        return tier.min_minor
    return value if tier.max_minor is None or value < tier.max_minor else tier.max_minor


def _weak(tiers: tuple[Tier, ...], base: int, floor_yuan: bool) -> Price | None:
    """A weak row's range: every tier the base allows, whatever was promised."""
    payouts = [_amount(tier, base, floor_yuan) for tier in tiers if _fits(tier, base)]
    return (min(payouts), max(payouts), "unconfirmed: weak source") if payouts else None


def base_of(order: Order, kind: Base) -> int | None:
    """The amount a percentage is taken of, in minor units; None when no price is known.

    `order_received` is what the seller received, else what was paid; `order_paid` includes postage; the
    item bases leave it out (an unknown postage counts as none). Without an order total the lines count.
    """
    if kind == "order_received" and order.received_minor is not None:
        return order.received_minor
    postage = order.shipping_minor or 0
    with_postage = kind in ("order_paid", "order_received")
    if order.paid_minor is not None:
        return order.paid_minor if with_postage else max(order.paid_minor - postage, 0)
    items = _items(order)
    if items is None:
        return None
    return items + postage if with_postage else items


def _items(order: Order) -> int | None:
    total = 0
    for line in order.lines:
        if line.paid_minor is not None:
            total += line.paid_minor
        elif line.unit_minor is not None and line.quantity is not None:
            total += line.unit_minor * line.quantity
        else:
            return None
    return total if order.lines else None


def promised_hours(order: Order, pack: Pack, start: int | None) -> tuple[int, ...]:
    """The hours promised for the order: stated, else read off the platform's own deadline, else usual.

    Two values where a deadline longer than usual may come from a festival or an agreed date instead of
    the promise: then nobody knows which tier applies.
    """
    if order.promise_hours is not None:
        return (order.promise_hours,)
    promise = pack.promise(start, order.tags or ())
    usual = promise.hours if promise else USUAL_PROMISE
    due = order.ship_by if order.ship_by is not None else order.presale_ship_by
    if due is None or start is None:
        return (usual,)
    shown = -((start - due) // HOUR)
    if shown <= usual:
        return (usual,)
    moved = order.negotiated_ship_by is not None or any(s.start <= start < s.end for s in pack.spans)
    return (usual, shown) if moved else (shown,)


def _exemption(order: Order, row: Row) -> str | None:
    marks = (*(order.flags or ()), *(order.tags or ()))
    return next((mark for mark in row.exempt if mark in marks), None)


def _variant(order: Order, row: Row) -> tuple[Tier, ...]:
    for variant in row.variants:
        if variant.tag is not None and variant.tag not in (order.tags or ()):
            continue
        if variant.flag is not None and not order.flagged(variant.flag):
            continue
        category = (order.category or "").lower()
        if variant.category_any and not any(word in category for word in variant.category_any):
            continue
        return variant.tiers
    return row.tiers
