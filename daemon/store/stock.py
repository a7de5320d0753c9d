"""Stock pools: one SKU over all shops of a seller, what is on hand, and which open lines it cannot cover."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, literal_column, select, update

from adapters.base import StockReport
from daemon.shops import Shop, Shops
from daemon.store import orders, pairs, timers
from daemon.store.upsert import many, upsert
from daemon.tables import Listing, OpenLine, Order, Pool
from rules import allocate, finding, payout
from rules.deadline import Deadline
from rules.model import Order as Facts
from rules.model import Violation
from rules.snapshot import Known

L = OpenLine.__table__  # type: ignore[attr-defined]
P = Pool.__table__  # type: ignore[attr-defined]
LI = Listing.__table__  # type: ignore[attr-defined]
O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741
_DIALECTS = ("sqlite", "postgresql")


def report(
    connection: Connection,
    shops: Shops,
    reports: list[StockReport],
    seen_at: Callable[[int], int],
    *,
    staged: bool = False,
) -> None:
    """Take in stock that was reported apart from orders; the newest word about a pool wins."""
    woken: dict[tuple[str, str], int] = {}
    for said in reports:
        seller = shops.get(said.shop).seller
        if said.listing_id is not None:
            _listing(connection, seller, said.sku, said.shop, said.listing_id, seen_at(said.observed_at))
        if _on_hand(connection, seller, said.sku, said.shop, said.stock, said.sellable, said.observed_at):
            woken[(seller, said.sku)] = seen_at(said.observed_at)
    wake(connection, woken, staged=staged)


@dataclass(frozen=True, slots=True)
class Turned:
    """A changed order whose open lines are to be brought up to date, and the instant the change was seen."""

    shop: Shop
    order: Facts
    due: Deadline
    known: Known
    at: int
    is_new: bool


def bring_up(connection: Connection, turned: Sequence[Turned]) -> dict[tuple[str, str], int]:
    """Bring the open lines of changed orders up to date; returns the pools (seller, sku) to allocate anew, and when."""
    before = _open_lines(connection, {(one.order.shop, one.order.order_id) for one in turned if not one.is_new})
    dropped: list[dict[str, Any]] = []
    added: list[dict[str, Any]] = []
    touched: dict[tuple[str, str], int] = {}
    for one in turned:
        name = (one.order.shop, one.order.order_id)
        had = {line_id: line.sku for line_id, line in before.get(name, {}).items()}
        if not had and not any(line.sku for line in one.order.lines):
            continue
        rows = _lines(one)
        now_of = {row["line_id"]: row["sku"] for row in rows}
        moved = {line_id for line_id, sku in had.items() if now_of.get(line_id) != sku}
        if moved:
            orders.not_short(connection, *name, moved)
        if had:
            dropped.append({"b_shop": name[0], "b_order": name[1]})
        added += rows
        _listings(connection, one)
        told = set(_stocked(connection, one))
        _consume(connection, one, before.get(name, {}), rows)
        for sku in {*had.values(), *now_of.values(), *told}:
            pool = (one.shop.seller, sku)
            touched[pool] = min(touched.get(pool, one.at), one.at)
    if dropped:
        many(connection, _DROP_LINES, dropped)
    if added:
        many(connection, _ADD_LINE, added)
    return {pool: touched[pool] for pool in _tracked(connection, touched)}


def _lines(one: Turned) -> list[dict[str, Any]]:
    """The rows of the lines that still need units."""
    if not finding.owes(one.order):
        return []
    return [_line(one.shop, one.order, line, one.due) for line in one.order.lines if line.sku and line.open_quantity]


def _listings(connection: Connection, one: Turned) -> None:
    for line in one.order.lines:
        if line.sku and line.listing_id:
            _listing(connection, one.shop.seller, line.sku, one.shop.name, line.listing_id, one.at)


def _stocked(connection: Connection, one: Turned) -> Iterator[str]:
    """Note the stock an order's lines report; yields the SKUs whose stock that changed."""
    for line in one.order.lines if finding.owes(one.order) else ():
        if line.sku and line.stock is not None:
            at = one.known.times.get(f"lines\0{line.line_id}\0stock", one.known.observed_at)
            if _on_hand(connection, one.shop.seller, line.sku, one.shop.name, line.stock, line.sellable, at):
                yield line.sku


def wake(connection: Connection, pools: Mapping[tuple[str, str], int], *, staged: bool = False) -> None:
    """Let pools be allocated anew, each at its instant."""
    subjects = [(seller, sku, seller, at) for (seller, sku), at in pools.items()]
    timers.wake(connection, timers.POOL, subjects, staged=staged)


def home(connection: Connection, seller: str, sku: str, shop: str) -> str:
    """The shop a pool's cause is named after: the first one that reported its stock, `shop` itself if none did."""
    found = connection.execute(_HOME, {"b_seller": seller, "b_sku": sku}).scalar_one_or_none()
    return shop if found is None else str(found)


def reallocate(connection: Connection, seller: str, sku: str, now: int) -> list[tuple[str, str]]:
    """Decide anew which open lines the pool covers, write what changed; returns the orders to wake."""
    pool = connection.execute(select(P).where(P.c.seller == seller, P.c.sku == sku)).first()
    if pool is None:
        return []
    rows = connection.execute(select(L).where(L.c.seller == seller, L.c.sku == sku)).all()
    lines = tuple(
        allocate.OpenLine(
            shop=row.shop,
            order_id=row.order_id,
            line_id=row.line_id,
            quantity=row.quantity,
            loss_minor=row.loss_minor,
            act_by=row.act_by,
        )
        for row in rows
    )
    short = allocate.allocate(pool.on_hand, lines)
    _note_balance(connection, pool, sum(line.quantity for line in lines), bool(short), now)
    return _write_short(connection, seller, sku, lines, short)


def _write_short(
    connection: Connection,
    seller: str,
    sku: str,
    lines: tuple[allocate.OpenLine, ...],
    short: frozenset[tuple[str, str, str]],
) -> list[tuple[str, str]]:
    mine: dict[tuple[str, str], set[str]] = {}
    for line in lines:
        mine.setdefault((line.shop, line.order_id), set()).add(line.line_id)
    changed = []
    missing: dict[tuple[str, str], set[str]] = {}
    for shop, order_id, line_id in short:
        missing.setdefault((shop, order_id), set()).add(line_id)
    for name, before in sorted(orders.short(connection, set(mine)).items()):
        new = (before - mine[name]) | missing.get(name, set())
        if new != before:
            orders.set_short(connection, *name, sorted(new))
            changed.append(name)
    return changed


def _note_balance(connection: Connection, pool: Any, needed: int, short: bool, now: int) -> None:
    """Remember what the pool owes, and since when it has been short or covered."""
    values = {"needed": needed, "short": int(short)}
    if short != bool(pool.short):
        values["changed_at"] = now
    connection.execute(update(P).where(P.c.seller == pool.seller, P.c.sku == pool.sku).values(**values))


def _consume(connection: Connection, one: Turned, before: Mapping[str, Any], rows: list[dict[str, Any]]) -> None:
    """Units shipped after the last stock report are no longer on hand, though no report has said so yet.

    A cancelled or refunded line gives its units back: nothing is taken.
    """
    if one.order.status not in ("partly_shipped", "shipped", "delivered", "completed"):
        return
    left = {row["line_id"]: row["quantity"] for row in rows}
    for line_id, line in sorted(before.items()):
        units = line.quantity - left.get(line_id, 0)
        if units > 0:
            values = {"b_seller": one.shop.seller, "b_sku": line.sku, "b_units": units, "b_at": one.known.observed_at}
            connection.execute(_CONSUME, values)


def _open_lines(connection: Connection, names: set[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    """The open lines (sku, quantity) of the named orders by line id."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for part in pairs.named(names):
        for row in connection.execute(_OPEN_LINES, part).all():
            found.setdefault((row.shop, row.order_id), {})[row.line_id] = row
    return found


def _line(shop: Shop, order: Facts, line: Any, due: Deadline) -> dict[str, Any]:
    stake = payout.stake(order, shop.policy.pack, Violation.STOCK_OUT, shop.policy.confirmed)
    return {
        "shop": order.shop,
        "order_id": order.order_id,
        "line_id": line.line_id,
        "seller": shop.seller,
        "sku": line.sku,
        "quantity": line.open_quantity,
        "loss_minor": stake.high_minor if stake else (order.paid_minor or 0),
        "act_by": due.act_by,
    }


def _on_hand(
    connection: Connection, seller: str, sku: str, shop: str, units: int | None, sellable: int | None, at: int
) -> bool:
    """Note what is on hand; returns whether that changed what the pool can cover."""
    connection.execute(_ADD_POOL[connection.dialect.name], {"seller": seller, "sku": sku, "home": shop})
    before = connection.execute(select(P).where(P.c.seller == seller, P.c.sku == sku)).one()
    if before.observed_at is not None and before.observed_at > at:
        return False
    connection.execute(
        update(P).where(P.c.seller == seller, P.c.sku == sku).values(on_hand=units, sellable=sellable, observed_at=at)
    )
    return bool(before.on_hand != units)


def _listing(connection: Connection, seller: str, sku: str, shop: str, listing_id: str, seen_at: int) -> None:
    values = {"seller": seller, "sku": sku, "shop": shop, "listing_id": listing_id, "seen_at": seen_at}
    connection.execute(_ADD_LISTING[connection.dialect.name], values)


def _tracked(connection: Connection, pools: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Those of the pools whose stock anybody has ever reported: the others need no allocation."""
    sellers: dict[str, set[str]] = {}
    for seller, sku in pools:
        sellers.setdefault(seller, set()).add(sku)
    for seller, skus in sorted(sellers.items()):
        for chunk in orders.chunks(sorted(skus)):
            for sku in connection.execute(_TRACKED, {"b_seller": seller, "skus": chunk}).scalars():
                yield (seller, sku)


_ADD_LINE = L.insert()
_DROP_LINES = delete(L).where(L.c.shop == bindparam("b_shop"), L.c.order_id == bindparam("b_order"))
_OPEN_LINES = select(L.c.shop, L.c.order_id, L.c.line_id, L.c.sku, L.c.quantity).where(
    pairs.is_named(L.c.shop, L.c.order_id)
)
_CONSUME = (
    update(P)
    .where(P.c.seller == bindparam("b_seller"), P.c.sku == bindparam("b_sku"))
    .where(P.c.on_hand.is_not(None), P.c.observed_at < bindparam("b_at"))
    .values(on_hand=P.c.on_hand - bindparam("b_units"))
)
_ADD_POOL = {d: upsert(d, P, ("seller", "sku"), None) for d in _DIALECTS}
_ADD_LISTING = {
    d: upsert(
        d,
        LI,
        ("seller", "sku", "shop", "listing_id"),
        {"seen_at": least(LI.c.seen_at, literal_column("excluded.seen_at"))},
    )
    for d, least in (("sqlite", func.min), ("postgresql", func.least))
}
_HOME = select(P.c.home).where(P.c.seller == bindparam("b_seller"), P.c.sku == bindparam("b_sku"))
_TRACKED = select(P.c.sku).where(
    P.c.seller == bindparam("b_seller"),
    P.c.sku.in_(bindparam("skus", expanding=True)),
    P.c.observed_at.is_not(None),
)
