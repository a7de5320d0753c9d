"""The header a person most likely meant by a name that is not in the file."""

import difflib
import re
from collections.abc import Iterable

_ALIKE = 0.5
_BRACKETS = re.compile(r"[(（][^)）]*[)）]")
_LETTER = re.compile(r"[^\W\d_]")
_LATIN = re.compile(r"[a-z]")


def header(name: str, headers: Iterable[str], alike: float = _ALIKE) -> str | None:
    """The header most like `name`, whatever their case, blanks and marks; None when none is like it (0 to 1)."""
    plain = {_plain(one): one for one in sorted(headers, reverse=True) if one}
    found = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=alike)
    return plain[found[0]] if found else None


def added(name: str, headers: Iterable[str]) -> str | None:
    """The header that is `name` with something beside it that means nothing else: 支付时间2, new paid_at, 金额 (新)."""
    plain = _BRACKETS.sub("", name.casefold()).strip()
    return next((one for one in sorted(headers) if _is_added(plain, _BRACKETS.sub("", one.casefold()).strip())), None)


def _is_added(name: str, header: str) -> bool:
    """A number or brackets may stand beside any name; a Latin word, apart, beside one that is no Latin word itself."""
    if not name or name not in (header[: len(name)], header[-len(name) :]):
        return False
    rest = header.replace(name, "", 1)
    word = rest != rest.strip() and not (name.isascii() and name.isalpha())
    return not _LETTER.search(_LATIN.sub("", rest) if word else rest)


def _plain(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalnum())
