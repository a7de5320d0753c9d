"""Finds a text that was made elsewhere among known ones, by its shape: `{}` stands for a value in it."""

import re
from functools import cache


def match(text: str, known: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    """The known text that `text` is an instance of, with the values in it; that with most letters of its own wins."""
    for shape, one in _compiled(known):
        found = shape.fullmatch(text)
        if found:
            return one, found.groups()
    return None


@cache
def _compiled(known: tuple[str, ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    longest = sorted(known, key=lambda text: (-len(text.replace("{}", "")), text))
    return tuple((re.compile(_pattern(text), re.DOTALL), text) for text in longest)


def _pattern(text: str) -> str:
    parts = text.split("{}")
    return "(.+?)".join(re.escape(part.replace("{{", "{").replace("}}", "}")) for part in parts)
