"""Texts of cells under canonical names → the JSON values they stand for, as a line of JSON would say them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from adapters.base import Json
from adapters.files import cells, fields
from adapters.files.refusal import Refusal


def of(text: str, name: str) -> Json:
    """The value of a cell: `null` clears, lists split at `|` or `;`; raises Refusal."""
    if text == "null":
        return None
    read = _BY_NAME.get(name)
    return read(text, name) if read is not None else text


def _tracks(text: str, name: str) -> Json:
    try:
        return msgspec.json.decode(text, type=list[dict[str, str]])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Refusal(f"{name} is not a list", 'write it as JSON: [{"at": "…", "event": "…"}]') from error


def _words(text: str, _: str) -> Sequence[str]:
    return [word for part in text.replace(";", "|").split("|") if (word := part.strip())]


_READERS: Mapping[fields.Convert, Callable[[str, str], Json]] = {
    fields.money: partial(cells.integer, most=cells.MOST_MINOR),
    fields.count: cells.integer,
    fields.hours: cells.integer,
    fields.tags: _words,
    fields.flags: _words,
    fields.tracking: _tracks,
}
_BY_NAME = {name: _READERS[one] for name, one in {**fields.LINE, **fields.ORDER}.items() if one in _READERS} | {
    "points": cells.integer
}
"""Whose cells are more than a text."""
