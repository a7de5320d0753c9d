"""What of the inputs could not be used and nobody has looked at yet."""

import json
from typing import NamedTuple

from sqlalchemy import Connection, case, func, select

from daemon.store import meta
from daemon.tables import Quarantine
from rules.instant import format_utc

Q = Quarantine.__table__  # type: ignore[attr-defined]
DATES = "observed_at"
"""Where a record says when it was true, as the place of what is refused there: the record itself is used."""


class Refused(NamedTuple):
    """How much of a shop's input was not used: whole files, rows of others, and dates that cannot be."""

    files: int
    rows: int
    dates: int = 0


def unseen(connection: Connection) -> dict[str, Refused]:
    """By shop, what was refused that nobody has looked at; shops without any are absent."""
    shops = connection.execute(select(Q.c.shop).distinct().order_by(Q.c.shop)).scalars().all()
    return {shop: found for shop in shops if any(found := of(connection, shop))}


def of(connection: Connection, shop: str) -> Refused:
    """What of a shop was refused since a person last said that he had looked at it."""
    new = (Q.c.shop == shop, Q.c.id > _seen(connection, shop))
    dated = func.coalesce(func.sum(case((Q.c.source == DATES, 1), else_=0)), 0)
    every, rows, dates = connection.execute(select(func.count(), func.count(Q.c.line), dated).where(*new)).one()
    return Refused(files=every - rows - dates, rows=rows, dates=dates)


def news(connection: Connection, shop: str) -> int | None:
    """The number of a shop's last refusal, unless a person has looked at it or there is none: no row is counted."""
    last = newest(connection, shop)
    return last if last > _seen(connection, shop) else None


def newest(connection: Connection, shop: str) -> int:
    """The number of the last refusal of a shop; 0 when there never was one."""
    return connection.execute(select(func.max(Q.c.id)).where(Q.c.shop == shop)).scalar_one() or 0


def settle(connection: Connection, shop: str, by: str, now: int) -> int:
    """A person has looked at all that a shop's input was refused for; returns how much was new to him."""
    refused = sum(of(connection, shop))
    if refused:
        meta.put(connection, _name(shop), json.dumps({"id": newest(connection, shop), "by": by, "at": format_utc(now)}))
    return refused


def _seen(connection: Connection, shop: str) -> int:
    said = meta.get(connection, _name(shop))
    return int(json.loads(said)["id"]) if said else 0


def _name(shop: str) -> str:
    return f"refusals/{shop}"


def rename(connection: Connection, old: str, new: str) -> None:
    """What a person has looked at of a shop stays so under its new name."""
    said = meta.get(connection, _name(old))
    if said and int(json.loads(said)["id"]) > _seen(connection, new):
        meta.put(connection, _name(new), said)
