"""Receivers: how each configured sink is doing, and when it is called next.

A receiver that does not take what it is sent is unwell: all that waits for it waits together, and one call at a time
asks whether it is well again. However long that lasts, nothing is given up, and nobody is called often.
"""

from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, bindparam, delete, select

from daemon.store.upsert import replace_all
from daemon.tables import Receiver as Row
from rules.instant import MINUTE, SECOND

R = Row.__table__  # type: ignore[attr-defined]
PROBE = 4 * MINUTE
"""How long an unwell receiver is left alone (µs), whatever it asks for: under 20 calls an hour, none 5 min late."""
WAITS = (15 * SECOND, MINUTE, PROBE)
"""The shortest waits after the first, the second and each further call in vain, also where it says "at once"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """What is known of one. `since`: it has taken nothing since then (None: it is well). `took_at`: the last it took.

    `next_at`: not called before. `tries`: calls in vain in a row. `words`: what it said last, with the mend.
    """

    name: str
    settings: str = ""
    since: int | None = None
    next_at: int = 0
    tries: int = 0
    took_at: int | None = None
    words: str = ""

    def took(self, now: int) -> "Receiver":
        """It has taken something."""
        return replace(self, since=None, next_at=0, tries=0, took_at=now, words="")

    def failed(self, words: str, now: int, asked: int | None = None) -> "Receiver":
        """It has not taken what it was sent; `asked`: how long it wants to be left alone (µs), as far as it said."""
        floor = WAITS[min(self.tries, len(WAITS) - 1)]
        wait = min(max(floor, asked or 0), PROBE)
        since = now if self.since is None else self.since
        return replace(self, since=since, next_at=now + wait, tries=self.tries + 1, words=words)


def get(connection: Connection, name: str) -> Receiver:
    """What is known of a receiver; one never heard of is well."""
    found = connection.execute(_GET, {"b_name": name}).mappings().first()
    return Receiver(**found) if found is not None else Receiver(name=name)


def every(connection: Connection) -> list[Receiver]:
    """All that were ever called, by name."""
    return [Receiver(**row) for row in connection.execute(select(R).order_by(R.c.name)).mappings()]


def put(connection: Connection, receiver: Receiver) -> None:
    """Keep what is known of one."""
    connection.execute(_PUT[connection.dialect.name], asdict(receiver))


def configured(connection: Connection, settings: dict[str, str]) -> set[str]:
    """Learn which receivers there are, name → digest of settings; returns those that are new or set up otherwise now.

    One that was only renamed goes on as it was. One with other settings is asked at once: that may be the mend.
    """
    known = {receiver.name: receiver for receiver in every(connection)}
    gone = {one.settings: one for name, one in known.items() if name not in settings}
    changed = set()
    for name, digest in settings.items():
        before = known.get(name)
        if before is not None and before.settings == digest:
            continue
        changed.add(name)
        if before is not None:
            put(connection, replace(before, settings=digest, next_at=0))
        else:
            put(connection, replace(gone.get(digest, Receiver(name=name)), name=name, settings=digest))
    for one in gone.values():
        connection.execute(delete(R).where(R.c.name == one.name))
    return changed


_GET = select(R).where(R.c.name == bindparam("b_name"))
_COLUMNS = ("settings", "since", "next_at", "tries", "took_at", "words")
_PUT = {dialect: replace_all(dialect, R, ("name",), _COLUMNS) for dialect in ("sqlite", "postgresql")}
