"""What a violation would cost the seller: exact integer arithmetic on the pack's dated rows.

Amounts are minor units (fen) whatever the form: 100 JD beans are 1 yuan (platform-rules §1.4), so one
bean is one fen; coupons, red packets and points count at face value. A percentage is rounded half up
to the fen, or for `floor_yuan` rows cut to whole yuan (Pinduoduo: 430 yuan → 21 yuan, P30), and then kept
between the tier's minimum and maximum. The base is the whole order, an upper bound where only part of it
is late or short. Conditions name the promised hours and the base; the first tier that holds counts.
"""

from collections.abc import Iterable
from typing import NamedTuple

from rules.instant import HOUR
from rules.model import Order, Violation
from rules.packdata import Base, Row, Tier
from rules.packs import Pack

NONE_CONFIRMED: frozenset[str] = frozenset()
USUAL_PROMISE = 48
"""Hours where neither the order nor the pack states any: every sourced platform's ordinary promise."""
_ANY = (USUAL_PROMISE,)
_WITH_POSTAGE = frozenset({"order_paid", "order_received"})


class Stake(NamedTuple):
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


def stake(order: Order, pack: Pack, violation: Violation, confirmed: frozenset[str] = NONE_CONFIRMED) -> Stake | None:
    """The payout at stake under the rows in force when the order's clock started.

    `confirmed` holds the digests of rows a person confirmed; where some of several rows are, only those
    count. None where no row, no price, or another currency than the pack's is known. Never raises.
    """
    start = pack.starts_at(order)
    rows = pack.orders[violation](start)
    if confirmed:
        others = pack.others[violation, "alternative"](start)
        rows = (*(row for row in others if row.digest in confirmed), *rows) if others else rows
    if not rows or (order.currency is not None and order.currency != pack.currency):
        return None
    if len(rows) > 1:
        return _overlapping(order, pack, rows, confirmed)
    return of_row(order, pack, rows[0], confirmed)


def in_all(amounts: Iterable[int | None]) -> int | None:
    """The sum of the amounts that are known; None where none is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def of_row(order: Order, pack: Pack, row: Row, confirmed: frozenset[str] = NONE_CONFIRMED) -> Stake | None:
    """What one row says of the order, whether or not it is in force for it; None without a price."""
    start = pack.starts_at(order)
    sure = row.digest in confirmed
    if row.priced_like is not None:
        like = stake(order, pack, row.priced_like, confirmed)
        return like and like._replace(row=row.id, confirmed=like.confirmed and sure, note=row.note)
    price = _price(order, pack, row, start, sure)
    if price is None:
        return None
    low, high, note = price
    return Stake(low, high, pack.currency, row.id, row.form, row.initiation, row.confidence, sure, note)


def _overlapping(order: Order, pack: Pack, rows: tuple[Row, ...], confirmed: frozenset[str]) -> Stake | None:
    """Rows in force together: the confirmed ones, else all, from the lowest payout to the highest."""
    rows = tuple(row for row in rows if row.digest in confirmed) or rows
    stakes = [s for row in rows if (s := of_row(order, pack, row, confirmed)) is not None]
    if not stakes:
        return None
    low, high = min(s.low_minor for s in stakes), max(s.high_minor for s in stakes)
    return stakes[0]._replace(low_minor=low, high_minor=high)


Price = tuple[int, int, str]
"""Lowest and highest payout in minor units, and a note."""


def _price(order: Order, pack: Pack, row: Row, start: int | None, sure: bool) -> Price | None:
    amount = base_of(order, row.base)
    if amount is None or not row.tiers:
        return None
    if row.exempt and (mark := _exemption(order, row)):
        return 0, 0, f"exempt: {mark}"
    tiers = _variant(order, row) if row.variants else row.tiers
    floor = row.rounding == "floor_yuan"
    if row.confidence == "C" and not sure:
        return _weak(tiers, amount, floor)
    hours = promised_hours(order, pack, start) if row.by_promise else _ANY
    low = payout(tiers, amount, hours[0], floor)
    high = low if len(hours) == 1 else payout(tiers, amount, hours[1], floor)
    if low is None or high is None:
        return None
    return (low, high, row.note) if low <= high else (high, low, row.note)


def payout(tiers: tuple[Tier, ...], base: int, hours: int, floor_yuan: bool = False) -> int | None:
    """The payout of the first tier that holds for a base (minor units) and promised hours, or None."""
    for tier in tiers:
        if (most := tier.promise_hours_max) is not None and hours > most:
            continue
        if (over := tier.promise_hours_over) is not None and hours <= over:
            continue
        if (below := tier.base_below_minor) is not None and base >= below:
            continue
        if (least := tier.base_from_minor) is not None and base < least:
            continue
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


def base_of(order: Order, kind: Base | None) -> int | None:
    """The amount a percentage is taken of, in minor units; None when no price is known.

    `order_received` is what the seller received, else what was paid; `order_paid` includes postage; the
    item bases leave it out (an unknown postage counts as none). Without an order total the lines count.
    """
    if kind is None:
        return None
    if kind == "order_received" and order.received_minor is not None:
        return order.received_minor
    paid, postage = order.paid_minor, order.shipping_minor or 0
    if paid is None:
        paid = _items(order)
        if paid is None:
            return None
        paid += postage
    if kind in _WITH_POSTAGE:
        return paid
    return paid - postage if paid > postage else 0


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
    agreed = order.negotiated_ship_by is not None or order.report_ship_by is not None
    moved = agreed or any(s.start <= start < s.end for s in pack.spans)
    return (usual, shown) if moved else (shown,)


def _exemption(order: Order, row: Row) -> str | None:
    if not (order.flags or order.tags):
        return None
    marks = (*(order.flags or ()), *(order.tags or ()))
    return next((mark for mark in row.exempt if mark in marks), None)


def _variant(order: Order, row: Row) -> tuple[Tier, ...]:
    if not (order.flags or order.tags or order.category):
        return row.tiers
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
