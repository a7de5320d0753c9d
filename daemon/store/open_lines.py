"""Open lines: what paid orders still need of each SKU, and what a changed order says or takes of a pool."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, update

from daemon.shops import Shop
from daemon.store import orders, pairs, stock
from daemon.store.stock import Word
from daemon.store.upsert import many
from daemon.tables import OpenLine, Pool
from rules import finding, payout
from rules.deadline import Deadline
from rules.model import Order as Facts
from rules.model import Violation
from rules.snapshot import Known

L = OpenLine.__table__  # type: ignore[attr-defined]
P = Pool.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Turned:
    """A changed order whose open lines are to be brought up to date, and the instant the change was seen."""

    shop: Shop
    order: Facts
    due: Deadline
    known: Known
    at: int
    is_new: bool


def bring_up(connection: Connection, turned: Sequence[Turned], limit: int) -> dict[tuple[str, str], int]:
    """Bring the open lines of changed orders up to date; returns the pools (seller, sku) to allocate anew, and when."""
    before = _open_lines(connection, {(one.order.shop, one.order.order_id) for one in turned if not one.is_new})
    kept = [one for one in turned if _name(one) in before or any(line.sku for line in one.order.lines)]
    after = {_name(one): _lines(one) for one in kept}
    _leave(connection, kept, before, after)
    stock.note_listings(connection, (listed for one in kept for listed in _listings(one)))
    told = stock.note(connection, [word for one in kept for word in _words(one)], limit)
    _write(connection, before, after)
    touched = dict(told)
    for one in kept:
        for line in (*before.get(_name(one), {}).values(), *after[_name(one)].values()):
            pool = (one.shop.seller, line.sku)
            touched[pool] = min(touched.get(pool, one.at), one.at)
    tracked = {pool: touched[pool] for pool in stock.tracked(connection, touched)}
    _consume(connection, kept, before, after, tracked)
    return tracked


class Need(NamedTuple):
    """A line that needs units of its pool: a row of the table."""

    shop: str
    order_id: str
    line_id: str
    seller: str
    sku: str
    quantity: int
    loss_minor: int
    act_by: int | None


Lines = dict[tuple[str, str], dict[str, Need]]
"""The open lines of orders: by (shop, order id), then line id."""


def _write(connection: Connection, before: Lines, after: Lines) -> None:
    """Write only lines that differ: most changes of an order leave all of its lines as they were."""
    gone: list[Need] = []
    new: list[Need] = []
    for name, lines in after.items():
        known = before.get(name, {})
        if known != lines:
            gone += [need for line_id, need in known.items() if lines.get(line_id) != need]
            new += [need for line_id, need in lines.items() if known.get(line_id) != need]
    many(connection, _DROP_LINE, [{"b_shop": n.shop, "b_order": n.order_id, "b_line": n.line_id} for n in gone])
    many(connection, _ADD_LINE, [need._asdict() for need in new])


def _name(one: Turned) -> tuple[str, str]:
    return (one.order.shop, one.order.order_id)


def _leave(connection: Connection, kept: Sequence[Turned], before: Lines, after: Lines) -> None:
    """Lines that left their pool (shipped, refunded, another SKU) are not short there any more."""
    moved = {}
    for name in map(_name, kept):
        left = {i for i, need in before.get(name, {}).items() if i not in after[name] or after[name][i].sku != need.sku}
        if left:
            moved[name] = left
    short = orders.short(connection, moved.keys())
    orders.set_short(connection, {name: short[name] - left for name, left in moved.items() if short[name] & left})


def _lines(one: Turned) -> dict[str, Need]:
    """What the lines need that are still owed units, by line id."""
    order, shop = one.order, one.shop
    lines = [line for line in order.lines if line.sku and line.open_quantity] if finding.owes(order) else []
    if not lines:
        return {}
    stake = payout.stake(order, shop.policy.pack, Violation.STOCK_OUT, shop.policy.confirmed)
    loss = stake.high_minor if stake else (order.paid_minor or 0)
    due = one.due.act_by
    return {
        line.line_id: Need(
            order.shop, order.order_id, line.line_id, shop.seller, line.sku or "", line.open_quantity, loss, due
        )
        for line in lines
    }


def _listings(one: Turned) -> Iterator[tuple[str, str, str, str, int]]:
    for line in one.order.lines:
        if line.sku and line.listing_id:
            yield (one.shop.seller, line.sku, one.shop.name, line.listing_id, one.at)


def _words(one: Turned) -> Iterator[Word]:
    """The stock that an order's lines report."""
    for line in one.order.lines if finding.owes(one.order) else ():
        if line.sku and line.stock is not None:
            said_at = one.known.times.get(f"lines\0{line.line_id}\0stock", one.known.observed_at)
            yield Word(one.shop.seller, line.sku, one.shop.name, line.stock, line.sellable, said_at, one.at)


def _consume(
    connection: Connection, kept: Sequence[Turned], before: Lines, after: Lines, tracked: Mapping[tuple[str, str], int]
) -> None:
    """Units shipped after the last stock report are no longer on hand, though no report has said so yet.

    A cancelled or refunded line gives its units back: nothing is taken; nor for a line that was none (`counted`).
    """
    rows = []
    for one in kept:
        if one.order.status not in ("partly_shipped", "shipped", "delivered", "completed"):
            continue
        lines = {line.line_id for line in one.order.lines}
        for line_id, need in sorted(before.get(_name(one), {}).items()):
            if line_id not in lines:
                continue
            still = after[_name(one)].get(line_id)
            units = need.quantity - (still.quantity if still else 0)
            if units > 0 and (one.shop.seller, need.sku) in tracked:
                pool = {"b_seller": one.shop.seller, "b_sku": need.sku}
                rows.append({**pool, "b_units": units, "b_at": one.known.observed_at})
    many(connection, _CONSUME, rows)


def _open_lines(connection: Connection, names: set[tuple[str, str]]) -> Lines:
    """The open lines of the named orders."""
    found: Lines = {}
    for need in map(Need._make, pairs.read(connection, _OPEN_LINES, names)):
        found.setdefault((need.shop, need.order_id), {})[need.line_id] = need
    return found


_ADD_LINE = L.insert()
_DROP_LINE = (
    delete(L)
    .where(L.c.shop == bindparam("b_shop"), L.c.order_id == bindparam("b_order"))
    .where(L.c.line_id == bindparam("b_line"))
)
_OPEN_LINES = pairs.among(select(*(L.c[name] for name in Need._fields)), L.c.shop, L.c.order_id)
_CONSUME = (
    update(P)
    .where(P.c.seller == bindparam("b_seller"), P.c.sku == bindparam("b_sku"))
    .where(P.c.on_hand.is_not(None), P.c.observed_at < bindparam("b_at"))
    .values(on_hand=P.c.on_hand - bindparam("b_units"))
)
