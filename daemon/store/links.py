"""Reading the hash chains of evidence: heads, and links a few at a time, so that a chain of any length fits."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from sqlalchemy import BigInteger, Connection, Text, bindparam, func, select

from daemon.store.database import Database
from daemon.store.journal import body_hash, entry_hash
from daemon.tables import Evidence, EvidenceOf

E = Evidence.__table__  # type: ignore[attr-defined]
OF = EvidenceOf.__table__  # type: ignore[attr-defined]
PAGE = 32
"""Links read in one transaction: a link may hold the changes of some thousand orders."""
_pieces = msgspec.json.Decoder(list[msgspec.Raw]).decode


@dataclass(frozen=True, slots=True)
class Link:
    """One link. `body`: the hash of its entries; None when they cannot be read."""

    seq: int
    at: int
    body: bytes | None
    hash: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """A shop's newest link: its place, hash and instant."""

    shop: str
    seq: int
    hash: bytes
    at: int


def shops(connection: Connection) -> list[str]:
    """The shops that have a chain; one index look-up each, whatever the chains' length."""
    found: list[str] = []
    after = ""
    while (name := connection.execute(_NEXT_SHOP, {"b_shop": after}).scalar_one_or_none()) is not None:
        found.append(name)
        after = name
    return found


def heads(connection: Connection) -> list[Head]:
    """The newest link of every chain, by shop."""
    return [found for shop in shops(connection) if (found := head(connection, shop)) is not None]


def head(connection: Connection, shop: str, until: int = 1 << 62) -> Head | None:
    """The newest link of a shop's chain, or of its part up to the link `until`."""
    row = connection.execute(_HEAD, {"b_shop": shop, "b_until": until}).first()
    return Head(shop, row.seq, bytes(row.hash), row.at) if row else None


def links(database: Database, shop: str, since: int = 0, until: int | None = None) -> Iterator[Link]:
    """A shop's links with since < seq <= until, in order. Each page is a transaction of its own: nobody waits long."""
    while True:
        with database.begin() as tx:
            page = tx.execute(_PAGE, {"b_shop": shop, "b_since": since, "b_until": until or (1 << 62)}).all()
        if not page:
            return
        for row in page:
            yield Link(row.seq, row.at, body_of(row.entries), bytes(row.hash))
        since = page[-1].seq


def hash_at(connection: Connection, shop: str, seq: int) -> bytes | None:
    """The stored hash of one link."""
    found = connection.execute(_HASH, {"b_shop": shop, "b_seq": seq}).scalar_one_or_none()
    return None if found is None else bytes(found)


def about(connection: Connection, shop: str, subject: str) -> dict[int, list[bytes]]:
    """The links that speak of an order or cause, by place: the stored bytes of all entries of each."""
    rows = connection.execute(_ABOUT, {"b_shop": shop, "b_subject": subject})
    return {row.seq: pieces(row.entries) for row in rows}


def pieces(entries: str) -> list[bytes]:
    """The entries of a link, each as it is stored. Raises ValueError when they are no JSON array."""
    return [bytes(piece) for piece in _pieces(entries)]


def body_of(entries: str) -> bytes | None:
    """The hash of a link's entries; None when somebody made them unreadable."""
    try:
        return body_hash(map(entry_hash, pieces(entries)))
    except ValueError:
        return None


_shop = bindparam("b_shop", type_=Text)
_since = bindparam("b_since", type_=BigInteger)
_until = bindparam("b_until", type_=BigInteger)
_NEXT_SHOP = select(func.min(E.c.shop)).where(E.c.shop > _shop)
_HEAD = select(E.c.seq, E.c.hash, E.c.at).where(E.c.shop == _shop, E.c.seq <= _until).order_by(E.c.seq.desc()).limit(1)
_PAGE = select(E).where(E.c.shop == _shop, E.c.seq > _since, E.c.seq <= _until).order_by(E.c.seq).limit(PAGE)
_HASH = select(E.c.hash).where(E.c.shop == _shop, E.c.seq == bindparam("b_seq", type_=BigInteger))
_ABOUT = (
    select(E.c.seq, E.c.entries)
    .join(OF, (OF.c.shop == E.c.shop) & (OF.c.seq == E.c.seq))
    .where(OF.c.shop == _shop, OF.c.subject == bindparam("b_subject", type_=Text))
    .order_by(E.c.seq)
)
