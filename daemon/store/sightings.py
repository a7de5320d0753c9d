"""Sightings: what each order looked like when it was last seen, as a digest, and when that was.

Kept apart from the orders, so that seeing one again unchanged touches nothing else (docs/adr/0007).
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from adapters.base import Snapshot
from daemon.store import pairs
from daemon.store.upsert import many, replace_all
from daemon.tables import Seen

S = Seen.__table__  # type: ignore[attr-defined]
Name = tuple[str, str]
"""(shop, order id)"""
Sighting = tuple[bytes, int]
"""The digest of an order's facts, and the instant at which they were last said."""
MAPPING = 2
"""Version of the normalised facts: raise it when a parser's meaning changes, and everything is compared anew."""

_canonical = msgspec.msgpack.Encoder(order="sorted").encode
"""The bytes that are hashed: MessagePack with sorted keys, written and hashed at two thirds of what JSON takes."""


def digest(snap: Snapshot) -> bytes:
    """The canonical hash of a snapshot's normalised facts and the mapping version; not of observed_at."""
    return hashlib.blake2b(_canonical((MAPPING, snap.fields, snap.lines)), digest_size=8).digest()


def differing(
    connection: Connection, snapshots: Sequence[Snapshot], limit: int
) -> tuple[list[Snapshot], dict[Name, Sighting]]:
    """The snapshots that differ from what was last seen, with how each order was seen before; all are remembered.

    Those that only say again what is known are newer sightings of it.
    """
    before = of(connection, {(snap.shop, snap.order_id) for snap in snapshots}, limit)
    seen, new, other = dict(before), dict[Name, Sighting](), list[Snapshot]()
    again: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for snap in snapshots:
        name, mark, at = (snap.shop, snap.order_id), digest(snap), snap.observed_at
        last = seen.get(name)
        if last is not None and last[0] == mark and at >= last[1]:
            if at == last[1]:
                continue
            if name not in new:
                again[snap.shop, at].add(snap.order_id)
        else:
            other.append(snap)
        if last is None or at >= last[1]:
            seen[name] = (mark, at)
            if last is None or last[0] != mark or name in new:
                new[name] = seen[name]
    affirm(connection, again)
    remember(connection, new)
    return other, before


def of(connection: Connection, names: set[tuple[str, str]], limit: int) -> dict[tuple[str, str], Sighting]:
    """How the named orders (shop, order id) were last seen; one never seen is absent.

    One that says it was seen later than `limit` was dated wrongly: anything is newer than that.
    """
    return {
        (shop, order_id): (mark, at if at <= limit else 0)
        for shop, order_id, mark, at in pairs.read(connection, _SEEN, names)
    }


def affirm(connection: Connection, again: dict[tuple[str, int], set[str]]) -> None:
    """What is unchanged was said again, oldest first: one statement for all orders of a shop at one instant."""
    rows = [
        {"b_shop": shop, "b_at": at, **pairs.listed(connection, names)}
        for (shop, at), names in sorted(again.items(), key=lambda one: one[0][1])
    ]
    many(connection, _AFFIRM[connection.dialect.name], rows)


def remember(connection: Connection, new: dict[tuple[str, str], Sighting]) -> None:
    """Store how orders were seen that are new or changed."""
    rows = [
        {"shop": shop, "order_id": order_id, "digest": mark, "observed_at": at}
        for (shop, order_id), (mark, at) in sorted(new.items())
    ]
    if rows:
        many(connection, _REMEMBER[connection.dialect.name], rows)


_SEEN = pairs.among(select(S.c.shop, S.c.order_id, S.c.digest, S.c.observed_at), S.c.shop, S.c.order_id)
_AFFIRM = {
    dialect: update(S)
    .where(S.c.shop == bindparam("b_shop"), S.c.order_id.in_(ids))
    .values(observed_at=bindparam("b_at"))
    for dialect, ids in pairs.LISTED.items()
}
_REMEMBER = {d: replace_all(d, S, ("shop", "order_id"), ("digest", "observed_at")) for d in ("sqlite", "postgresql")}
