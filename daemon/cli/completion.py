"""Completion of keys and order ids: quick, and silent where nothing can be known.

A running daemon is asked through its socket; else the database's file is looked into, without a lock and read-only.
"""

import json
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

import typer

from daemon.cli.session import DEFAULT_CONFIG

MOST = 200


def cases(ctx: typer.Context, incomplete: str) -> list[str]:
    """Keys of open cases, or orders that have one."""
    return _known("case", ctx, incomplete)


def tasks(ctx: typer.Context, incomplete: str) -> list[str]:
    """Keys of open tasks, or orders that have one."""
    return _known("task", ctx, incomplete)


def orders(ctx: typer.Context, incomplete: str) -> list[str]:
    """Ids of orders."""
    return _known("order", ctx, incomplete)


def _known(thing: str, ctx: typer.Context, incomplete: str) -> list[str]:
    file = Path(ctx.params.get("config") or DEFAULT_CONFIG)
    try:
        return sorted({name for name in _names(file, thing, incomplete) if name and name.startswith(incomplete)})[:MOST]
    except Exception:  # whatever it is: a person who presses a key wants no report
        return []


def _names(file: Path, thing: str, incomplete: str) -> Iterator[str | None]:
    from daemon import control
    from daemon.store import glimpse

    socket, database = places(file)
    answer = control.forward(socket, [f"{thing}s", "list", "--json", "-c", str(file)], "en", patience=1)
    if answer is not None:
        for row in json.loads(answer["out"])[f"{thing}s"]:
            yield from (row.get("key"), row["order_id"])
    elif database is not None:
        yield from glimpse.names(database, thing, incomplete, MOST)


def places(file: Path) -> tuple[Path, Path | None]:
    """The daemon's socket and the database's file, if it is one, as `daemon.config` has them: read without checking,
    because to load what checks settings takes longer than a person waits for a key."""
    from daemon import control

    raw = tomllib.loads(file.read_text("utf-8"))
    url = os.environ.get("FORESTALL_DATABASE__URL") or raw.get("database", {}).get("url", "sqlite:///forestall.db")
    socket = os.environ.get("FORESTALL_DAEMON__SOCKET") or raw.get("daemon", {}).get("socket")
    base = file.resolve().parent
    database = base / url.removeprefix("sqlite:///") if url.startswith("sqlite:///") else None
    return control.place(socket, database, base), database
