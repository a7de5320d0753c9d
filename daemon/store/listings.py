"""Listings: what they sold last, how many a shop has, which were stopped today, which pools run short, presales."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, literal_column, or_, select

from daemon.store import orders
from daemon.tables import Action, Listing, Member, OpenLine, Pool
from daemon.tables import Order as OrderTable
from rules import key, presale
from rules.model import Line, Order, Outcome

A = Action.__table__  # type: ignore[attr-defined]
L = OpenLine.__table__  # type: ignore[attr-defined]
LI = Listing.__table__  # type: ignore[attr-defined]
M = Member.__table__  # type: ignore[attr-defined]
P = Pool.__table__  # type: ignore[attr-defined]
O = OrderTable.__table__  # type: ignore[attr-defined]  # noqa: E741
STOPPED = (Outcome.READY, Outcome.CALLING, Outcome.UNKNOWN, Outcome.SETTLED)
"""A listing in one of these is off sale, or about to be: it uses up the day's share."""


@dataclass(frozen=True, slots=True)
class Place:
    """A stock pool and the cause that speaks for it."""

    seller: str
    sku: str
    home: str

    @property
    def cause(self) -> str:
        """The key of the pool's cause."""
        return key.pool(self.home, self.sku)


def last_sale(connection: Connection, seller: str, sku: str) -> tuple[Order, Line] | None:
    """The open order of an SKU that is due last, and its line: what the next sale will be like."""
    row = connection.execute(_LAST, {"b_seller": seller, "b_sku": sku}).first()
    if row is None:
        return None
    found = orders.load(connection, {(row.shop, row.order_id)}).get((row.shop, row.order_id))
    lines = found.order.lines if found else ()
    line = next((line for line in lines if line.line_id == row.line_id), None)
    return (found.order, line) if found and line else None


def count_of(connection: Connection, shop: str) -> int:
    """How many listings of a shop are known."""
    return int(connection.execute(_COUNT, {"b_shop": shop}).scalar_one())


def stopped_since(connection: Connection, shop: str, since: int, *, but: str = "") -> int:
    """How many listings of a shop were taken off sale since then, the action `but` aside."""
    steps = connection.execute(_STOPPED, {"b_since": since, "outcomes": list(STOPPED), "b_but": but}).scalars()
    return sum((place := key.listing(step)) is not None and place[0] == shop for step in steps)


def troubled(connection: Connection) -> list[Place]:
    """Pools that cannot cover what is sold, and those of which we touched a listing, by seller and SKU."""
    touched = set(connection.execute(_TOUCHED).scalars())
    with_members = set(connection.execute(_WITH_MEMBERS).scalars())
    rows = connection.execute(select(P.c.seller, P.c.sku, P.c.home, P.c.short).order_by(P.c.seller, P.c.sku))
    places = [(Place(row.seller, row.sku, row.home), bool(row.short)) for row in rows]
    return [place for place, short in places if short or place.cause in touched or place.cause in with_members]


def told_ahead(connection: Connection) -> Iterator[Order]:
    """The open orders of presale or customised goods, or whose title says so, by shop and id; read a few at a time."""
    for facts in connection.execute(_TOLD_AHEAD).yield_per(orders.CHUNK).scalars():
        yield orders.decoded(facts)


_TOLD_AHEAD = (
    select(O.c.facts)
    .where(O.c.is_open.is_(True), or_(*(O.c.facts.ilike(f"%{word}%") for word in ("customised", *presale.WORDS))))
    .order_by(O.c.shop, O.c.order_id)
)
"""Facts are JSON with its letters as they are, so the words are found without decoding every order."""
_LAST = (
    select(L.c.shop, L.c.order_id, L.c.line_id)
    .where(L.c.seller == bindparam("b_seller"), L.c.sku == bindparam("b_sku"))
    .order_by(L.c.act_by.is_(None), L.c.act_by.desc(), L.c.shop, L.c.order_id, L.c.line_id)
    .limit(1)
)
_COUNT = select(func.count(func.distinct(LI.c.listing_id))).where(LI.c.shop == bindparam("b_shop"))
_STOPPED = select(A.c.step).where(
    A.c.kind == literal_column("'delist'"),  # as written in the index, else SQLite does not see that it fits
    A.c.key != bindparam("b_but"),
    A.c.outcome.in_(bindparam("outcomes", expanding=True)),
    A.c.outcome_at >= bindparam("b_since"),
)
_TOUCHED = (
    select(A.c.cause)
    .where(or_(A.c.step.startswith("delist:"), A.c.step.startswith("relist:")), A.c.cause.is_not(None))
    .distinct()
)
_WITH_MEMBERS = select(M.c.cause).where(M.c.left_at.is_(None)).distinct()
