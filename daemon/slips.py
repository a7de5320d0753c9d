"""What is wrong with a configuration file: each slip said with its place and mend, and taken out of the rest."""

import difflib
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from daemon import secret

UNKNOWN = "no such setting; remove it or correct its name"


def literal_secrets(raw: dict[str, Any]) -> list[str]:
    """Secrets written out in the file: refused, and never repeated in the message."""
    return [
        f"{place}: holds a secret; write cred:NAME, file:PATH or env:NAME instead"
        for place, key, value in _settings("", raw)
        if key in secret.SECRET_FIELDS and not secret.is_reference(str(value))
    ]


def _settings(place: str, table: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(dotted place, key, value) of every setting at any depth."""
    for key, value in table.items():
        here = f"{place}.{key}" if place else key
        if isinstance(value, dict):
            yield from _settings(here, value)
        else:
            yield here, key, value


def said(problem: ErrorDetails, known: type[BaseModel]) -> str:
    """One problem: its dotted place, what is wrong, how to mend it. Values are not repeated: one may be a secret."""
    place = ".".join(str(part) for part in problem["loc"]) or "the file"
    match problem["type"]:
        case "extra_forbidden":
            return f"{place}: {UNKNOWN}{_meant(problem['loc'], known)}"
        case "missing":
            return f"{place}: is missing; add it"
    return f"{place}: {problem['msg'].removeprefix('Value error, ')}"


def _meant(location: tuple[int | str, ...], section: Any) -> str:
    """The setting that an unknown name was probably meant to be."""
    for part in location[:-1]:
        field = section.model_fields.get(part) if hasattr(section, "model_fields") else None
        section = field.annotation if field is not None else None
    names = list(section.model_fields) if hasattr(section, "model_fields") else []
    return nearest(str(location[-1]), [name for name in names if name != "base"])


def nearest(name: str, known: list[str]) -> str:
    """Which known name an unknown one was probably meant to be; "" when none is near."""
    near = difflib.get_close_matches(name, known, 1)
    return f' (did you mean "{near[0]}"?)' if near else ""


def take_out(tables: dict[str, Any], problem: ErrorDetails) -> None:
    """Take out what is wrong, or stands around what is missing; a shop without a platform gets one."""
    where = problem["loc"]
    if problem["type"] == "missing" and where[0] == "shops" and where[2:] == ("platform",):
        tables["shops"][where[1]]["platform"] = "generic"
        return
    above, inside = None, tables
    for part in where:
        if not isinstance(inside, dict) or part not in inside:
            break
        above, name, inside = inside, part, inside[part]
    if above is not None:
        above.pop(name)
