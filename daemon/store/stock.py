"""Stock pools: one SKU over all shops of a seller, what is on hand, and which open lines it cannot cover."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnClause, Connection, bindparam, literal_column, select, update

from adapters.base import StockReport
from daemon.shops import Shops
from daemon.store import orders, pairs, timers
from daemon.store.upsert import many, upsert
from daemon.tables import Listing, OpenLine, Order, Pool
from rules import allocate

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
    limit: int,
    *,
    staged: bool = False,
) -> None:
    """Take in stock that was reported apart from orders; the newest word about a pool wins.

    A stored one that is dated later than `limit` cannot be right, and any other wins.
    """
    words, listed = [], []
    for said in reports:
        seller, at = shops.get(said.shop).seller, seen_at(said.observed_at)
        words.append(Word(seller, said.sku, said.shop, said.stock, said.sellable, said.observed_at, at))
        if said.listing_id is not None:
            listed.append((seller, said.sku, said.shop, said.listing_id, at))
    note_listings(connection, listed)
    wake(connection, note(connection, words, limit), staged=staged)


class Word(NamedTuple):
    """What a shop said at `observed_at` about the units of one SKU; `seen_at` is when we heard it (instants)."""

    seller: str
    sku: str
    shop: str
    units: int | None
    sellable: int | None
    observed_at: int
    seen_at: int


def wake(connection: Connection, pools: Mapping[tuple[str, str], int], *, staged: bool = False) -> None:
    """Let pools be allocated anew, each at its instant."""
    subjects = [(seller, sku, seller, at) for (seller, sku), at in pools.items()]
    timers.wake(connection, timers.POOL, subjects, staged=staged)


def home(connection: Connection, seller: str, sku: str, shop: str) -> str:
    """The shop a pool's cause is named after: the first one that reported its stock, `shop` itself if none did."""
    found = connection.execute(_HOME, {"b_seller": seller, "b_sku": sku}).scalar_one_or_none()
    return shop if found is None else str(found)


def reallocate(connection: Connection, shops: Shops, seller: str, sku: str, now: int) -> list[tuple[str, str]]:
    """Decide anew which open lines the pool covers, write what changed; returns the orders to wake.

    Lines of shops that nobody configured any more need nothing: their orders may stand under another name by now.
    """
    pool = connection.execute(select(P).where(P.c.seller == seller, P.c.sku == sku)).first()
    if pool is None:
        return []
    lines = tuple(line for line in open_in(connection, seller, sku) if shops.knows(line.shop))
    short = allocate.allocate(pool.on_hand, lines)
    _note_balance(connection, pool, sum(line.quantity for line in lines), bool(short), now)
    return _write_short(connection, seller, sku, lines, short)


def open_in(connection: Connection, seller: str, sku: str) -> tuple[allocate.OpenLine, ...]:
    """All open lines of a pool, as `allocate` wants them."""
    rows = connection.execute(select(L).where(L.c.seller == seller, L.c.sku == sku)).all()
    return tuple(
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
    missing: dict[tuple[str, str], set[str]] = {}
    for shop, order_id, line_id in short:
        missing.setdefault((shop, order_id), set()).add(line_id)
    changed = {}
    for name, before in sorted(orders.short(connection, mine.keys()).items()):
        new = (before - mine[name]) | missing.get(name, set())
        if new != before:
            changed[name] = new
    orders.set_short(connection, changed)
    return list(changed)


def _note_balance(connection: Connection, pool: Any, needed: int, short: bool, now: int) -> None:
    """Remember what the pool owes, and since when it has been short or covered."""
    values = {"needed": needed, "short": int(short)}
    if short != bool(pool.short):
        values["changed_at"] = now
    connection.execute(update(P).where(P.c.seller == pool.seller, P.c.sku == pool.sku).values(**values))


def note(connection: Connection, words: Sequence[Word], limit: int) -> dict[tuple[str, str], int]:
    """Note what is on hand, the newest word last; returns the pools whose cover may change, and since when."""
    many(
        connection,
        _ADD_POOL[connection.dialect.name],
        [{"seller": word.seller, "sku": word.sku, "home": word.shop} for word in words],
    )
    known = {
        (row.seller, row.sku): (row.on_hand, row.observed_at)
        for row in pairs.read(connection, _POOLS, {(word.seller, word.sku) for word in words})
    }
    latest: dict[tuple[str, str], Word] = {}
    changed: dict[tuple[str, str], int] = {}
    for word in words:
        pool = (word.seller, word.sku)
        on_hand, said_at = known[pool]
        if said_at is not None and word.observed_at < said_at <= limit:
            continue
        known[pool] = (word.units, word.observed_at)
        latest[pool] = word
        if on_hand != word.units:
            changed[pool] = min(changed.get(pool, word.seen_at), word.seen_at)
    many(
        connection,
        _SET_POOL,
        [
            {"b_seller": seller, "b_sku": sku, "b_units": w.units, "b_sellable": w.sellable, "b_at": w.observed_at}
            for (seller, sku), w in sorted(latest.items())
        ],
    )
    return changed


def note_listings(connection: Connection, listed: Iterable[tuple[str, str, str, str, int]]) -> None:
    """Note by which listings a SKU is sold, and since when (seller, sku, shop, listing, instant)."""
    first: dict[tuple[str, str, str, str], int] = {}
    for seller, sku, shop, listing_id, at in listed:
        name = (seller, sku, shop, listing_id)
        first[name] = min(first.get(name, at), at)
    rows = [
        {"seller": seller, "sku": sku, "shop": shop, "listing_id": listing_id, "seen_at": at}
        for (seller, sku, shop, listing_id), at in sorted(first.items())
    ]
    many(connection, _ADD_LISTING[connection.dialect.name], rows)


def tracked(connection: Connection, pools: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of the pools whose stock anybody has ever reported: the others need no allocation."""
    return [(row.seller, row.sku) for row in pairs.read(connection, _TRACKED, pools)]


_ADD_POOL = {d: upsert(d, P, ("seller", "sku"), None) for d in _DIALECTS}
_said: ColumnClause[int] = literal_column("excluded.seen_at")
_ADD_LISTING = {
    d: upsert(
        d,
        LI,
        ("seller", "sku", "shop", "listing_id"),
        {"seen_at": _said},
        where=_said < LI.c.seen_at,  # nearly always known: then nothing is written
    )
    for d in _DIALECTS
}
_HOME = select(P.c.home).where(P.c.seller == bindparam("b_seller"), P.c.sku == bindparam("b_sku"))
_POOLS = pairs.among(select(P.c.seller, P.c.sku, P.c.on_hand, P.c.observed_at), P.c.seller, P.c.sku)
_TRACKED = pairs.among(select(P.c.seller, P.c.sku).where(P.c.observed_at.is_not(None)), P.c.seller, P.c.sku)
_SET_POOL = (
    update(P)
    .where(P.c.seller == bindparam("b_seller"), P.c.sku == bindparam("b_sku"))
    .values(on_hand=bindparam("b_units"), sellable=bindparam("b_sellable"), observed_at=bindparam("b_at"))
)
