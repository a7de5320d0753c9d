"""The header a person most likely meant by a name that is not in the file."""

import difflib
from collections.abc import Iterable

_ALIKE = 0.5


def header(name: str, headers: Iterable[str], alike: float = _ALIKE) -> str | None:
    """The header most like `name`, whatever their case, blanks and marks; None when none is like it (0 to 1)."""
    plain = {_plain(one): one for one in sorted(headers, reverse=True) if one}
    found = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=alike)
    return plain[found[0]] if found else None


def _plain(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalnum())
