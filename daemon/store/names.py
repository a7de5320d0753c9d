"""Names that shops had before, and what natural keys are called under the one or the other."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from daemon.store import meta
from rules import key

_RENAMES = "renames"


class Move:
    """Natural keys of one shop as those of another: they begin with its name."""

    def __init__(self, old: str, new: str) -> None:
        self.own, self.becomes = f"{key.part(old)}/", f"{key.part(new)}/"

    def text(self, name: str) -> str:
        """One key; that of another shop stays as it is."""
        return self.becomes + name.removeprefix(self.own) if name.startswith(self.own) else name


def before(connection: Connection, shop: str) -> list[tuple[str, int]]:
    """The names a shop had before, the oldest first, each with the last link of its chain that is about this shop."""
    found: list[tuple[str, int]] = []
    said, name = meta.get(connection, _RENAMES), shop
    for old, new, end in reversed(json.loads(said) if said else ()):
        if new == name:
            found.append((old, end))
            name = old
    return found[::-1]


def remember(connection: Connection, old: str, new: str, end: int) -> None:
    """Put down that `old` is called `new` from now on; its chain ends with link `end`."""
    said = meta.get(connection, _RENAMES)
    meta.put(connection, _RENAMES, json.dumps([*(json.loads(said) if said else ()), [old, new, end]]))


def entry(said: Mapping[str, Any], old: str, new: str) -> Mapping[str, Any]:
    """An entry of the chain of `old` as it reads under the name `new`."""
    move = Move(old, new)
    keys = {name: move.text(said[name]) for name in ("key", "cause") if isinstance(said.get(name), str)}
    return {**said, **keys, **({"shop": new} if said.get("shop") == old else {})}
