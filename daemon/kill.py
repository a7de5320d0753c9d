"""The kill switch: stops new external calls. A flag file beside the database works with the database gone."""

from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from daemon.store import meta
from daemon.store.database import Database
from rules.instant import format_utc

_NAME = "kill"
_BY = "kill_by"
FLAG = "forestall.kill"


def flag_path(url: str, base: Path) -> Path:
    """Where the flag file is: beside the SQLite database, else beside the configuration."""
    path = make_url(url).database if url.startswith("sqlite") else None
    return (Path(path).resolve().parent if path and path != ":memory:" else base) / FLAG


def is_on(database: Database, flag: Path | None = None) -> bool:
    """Whether new external calls are stopped; when the database cannot tell, they are."""
    if flag is not None and raised(flag):
        return True
    try:
        with database.begin() as tx:
            return stored(tx)
    except SQLAlchemyError:
        return True


def raised(flag: Path) -> bool:
    """Whether the flag file is there; when nobody can look, it is. Touches no database."""
    try:
        return flag.exists()
    except OSError:
        return True


def stored(connection: Connection) -> bool:
    """Whether the database says that calls are stopped."""
    return meta.get(connection, _NAME) == "on"


def turned(connection: Connection) -> tuple[str, int] | None:
    """Who turned it last, and when; None where nobody ever did."""
    said = meta.get(connection, _BY)
    if said is None:
        return None
    name, _, at = said.rpartition(" ")
    return name, int(at)


def raise_flag(flag: Path, by: str, now: int) -> None:
    """Write the flag file, also on a full disk. It says who did so and when, for when the database is gone."""
    flag.touch()
    with suppress(OSError):
        flag.write_text(f"{by} {format_utc(now)}\n")


def switch(database: Database | None, flag: Path, on: bool, by: str, now: int) -> None:
    """Turn it on or off. The flag file is written first and removed last, so that "on" is never lost."""
    if on:
        raise_flag(flag, by, now)
    if database is not None:
        with database.begin() as tx:
            meta.put(tx, _NAME, "on" if on else "off")
            meta.put(tx, _BY, f"{by} {now}")
    if not on:
        flag.unlink(missing_ok=True)
