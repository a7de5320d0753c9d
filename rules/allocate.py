"""Who gets the stock when it cannot cover all: the open lines whose miss costs most come first."""

from dataclasses import dataclass

_LATEST = 1 << 62
_FINE = 1_000_000
"""Losses per unit are compared in millionths of a minor unit: integers, exact on every machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLine:
    """A line that still needs units of the pool. `loss_minor`: what a miss would cost (minor units)."""

    shop: str
    order_id: str
    line_id: str
    quantity: int
    loss_minor: int
    act_by: int | None


def allocate(on_hand: int | None, lines: tuple[OpenLine, ...]) -> frozenset[tuple[str, str, str]]:
    """The lines (shop, order, line) that `on_hand` units cannot cover; none when stock is unknown.

    By loss avoided per unit, then by the earlier deadline, then by name: independent of the order in
    which lines arrived. A line is covered whole or not at all; smaller lines behind it may still fit.
    """
    if on_hand is None:
        return frozenset()
    left = max(on_hand, 0)
    short: set[tuple[str, str, str]] = set()
    for line in sorted(lines, key=_precedence):
        if line.quantity <= left:
            left -= line.quantity
        else:
            short.add((line.shop, line.order_id, line.line_id))
    return frozenset(short)


def _precedence(line: OpenLine) -> tuple[int, int, str, str, str]:
    per_unit = line.loss_minor * _FINE // max(line.quantity, 1)
    return (-per_unit, line.act_by if line.act_by is not None else _LATEST, line.shop, line.order_id, line.line_id)
