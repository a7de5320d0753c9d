"""Payouts of more than one violation, and of more than one order of the same buyer.

A late order that becomes a stock-out pays both where the platform's text says so (Tmall 2020: 5 % + 30 % = 35 %,
P12; Taobao 2022: 150 yuan = 7.50 + 45, P06); elsewhere the dearer payout stands alone. Orders of one buyer share
one cap when paid within some hours of the first (Taobao 2019, P04; Tmall, P17) or on one local day (Tmall, P12).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rules.instant import HOUR
from rules.model import Order, Violation
from rules.packdata import Row
from rules.packs import Pack, local_date
from rules.payout import NONE_CONFIRMED, Stake, stake


@dataclass(frozen=True, slots=True)
class Total:
    """What several violations of one order cost together, in minor units; `stakes` are those that count."""

    low_minor: int
    high_minor: int
    currency: str
    stakes: tuple[Stake, ...]


def together(
    order: Order, pack: Pack, violations: Iterable[Violation], confirmed: frozenset[str] = NONE_CONFIRMED
) -> Total | None:
    """The payouts of one order's violations: added up where rows stack, else the dearest alone. None: no price."""
    found = [one for violation in violations if (one := stake(order, pack, violation, confirmed)) is not None]
    chosen: list[Stake] = []
    for one in sorted(found, key=lambda one: (-one.high_minor, one.row or "")):
        if all(_stack(pack, one, other) for other in chosen):
            chosen.append(one)
    if not chosen:
        return None
    low, high = sum(one.low_minor for one in chosen), sum(one.high_minor for one in chosen)
    return Total(low, high, chosen[0].currency, tuple(chosen))


def _stack(pack: Pack, one: Stake, other: Stake) -> bool:
    a, b = _row(pack, one), _row(pack, other)
    if a is None or b is None:
        return False
    return any(v in a.stacks_with for v in b.violations) or any(v in b.stacks_with for v in a.violations)


def _row(pack: Pack, one: Stake) -> Row | None:
    return None if one.row is None else pack.row(one.row)


def shares(pack: Pack, violation: Violation) -> bool:
    """Whether any row of the violation has a cap that orders of one buyer share."""
    return any(violation in row.violations and _cap(row) is not None for row in pack.rows)


def shared(
    orders: Sequence[Order], pack: Pack, violation: Violation, confirmed: frozenset[str] = NONE_CONFIRMED
) -> tuple[int, ...]:
    """The highest payout of each order, in the order given, once the orders of one buyer share their caps.

    Earlier orders use the cap up first. An order whose buyer or start is not known shares with none; one without a
    price counts 0.
    """
    amounts = [0] * len(orders)
    left: dict[tuple[str, str, int], int] = {}
    windows: dict[tuple[str, str], int] = {}
    for place in sorted(range(len(orders)), key=lambda n: (pack.starts_at(orders[n]) or 0, orders[n].order_id)):
        order = orders[place]
        one = stake(order, pack, violation, confirmed)
        if one is None:
            continue
        amounts[place] = one.high_minor
        row, start = _row(pack, one), pack.starts_at(order)
        cap = None if row is None else _cap(row)
        if row is None or cap is None or order.buyer is None or start is None:
            continue
        group = (order.buyer, row.id, _window(row, start, windows, order.buyer, pack))
        amounts[place] = min(one.high_minor, left.get(group, cap))
        left[group] = left.get(group, cap) - amounts[place]
    return tuple(amounts)


def _cap(row: Row) -> int | None:
    """The most that a buyer's orders get together: the stated day's cap, else the tiers' own maximum."""
    if row.day_cap_same_buyer_minor is not None:
        return row.day_cap_same_buyer_minor
    if row.merge_window_hours is None:
        return None
    return max((tier.max_minor or tier.flat_minor or 0 for tier in row.tiers), default=None)


def _window(row: Row, start: int, windows: dict[tuple[str, str], int], buyer: str, pack: Pack) -> int:
    """Which orders share: those of one local day, or those that start within the hours after the first of them."""
    if row.day_cap_same_buyer_minor is not None:
        return local_date(start, pack.zone).toordinal()
    first = windows.get((buyer, row.id))
    if first is None or start - first > (row.merge_window_hours or 0) * HOUR:
        first = windows[buyer, row.id] = start
    return first
