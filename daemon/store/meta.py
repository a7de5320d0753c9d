"""Facts about the installation: privacy key, last sign of life, confirmed pack rows, kill switch."""

import json
import secrets

from sqlalchemy import Connection, bindparam, select

from daemon.store.upsert import replace_all, upsert
from daemon.tables import Meta

T = Meta.__table__  # type: ignore[attr-defined]
_DIALECTS = ("sqlite", "postgresql")


def get(connection: Connection, name: str) -> str | None:
    """The value stored under `name`."""
    found: str | None = connection.execute(_GET, {"b_name": name}).scalar_one_or_none()
    return found


def put(connection: Connection, name: str, value: str) -> None:
    """Store `value` under `name`."""
    connection.execute(_PUT[connection.dialect.name], {"name": name, "value": value})


def privacy_key(connection: Connection) -> bytes:
    """The key personal data is hashed with; made on first use and never shown."""
    made = {"name": "privacy_key", "value": secrets.token_hex(32)}
    connection.execute(_ADD[connection.dialect.name], made)
    return bytes.fromhex(get(connection, "privacy_key") or "")


def confirmed(connection: Connection) -> frozenset[str]:
    """Digests of the rule-pack rows a person has confirmed: only those may move money."""
    return frozenset(json.loads(get(connection, "confirmed") or "{}"))


def set_clock(connection: Connection, was: int, now: int) -> None:
    """Remember that the clock read `now` where `was` (instants) was to be expected."""
    put(connection, "clock_set", json.dumps({"was": was, "now": now}))


def clock_set(connection: Connection) -> dict[str, int] | None:
    """The last time the clock was set by much, if it ever was."""
    said = get(connection, "clock_set")
    found: dict[str, int] | None = json.loads(said) if said else None
    return found


_GET = select(T.c.value).where(T.c.name == bindparam("b_name"))
_PUT = {d: replace_all(d, T, ("name",), ("value",)) for d in _DIALECTS}
_ADD = {d: upsert(d, T, ("name",), None) for d in _DIALECTS}
