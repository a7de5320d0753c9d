"""How a shop's tables are laid out, as far as it says so, and how the rest is found out from their first lines."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from adapters.base import ShopSettings
from adapters.files import encoding, shopmap
from adapters.files.lines import Line
from adapters.files.refusal import Refusal, shown

HEAD = 30
"""In so many first lines (or rows of a worksheet) the header is looked for."""
OPTIONS = frozenset({"encoding", "delimiter", "header_row", "quotes"})
"""What a shop may state; each is found out where it does not."""

BLANK = " \t\r\n\v\f\u00a0\u3000\ufeff"
_DELIMITERS = (",", "\t", ";", "|")
_WORDS = {"comma": ",", "tab": "\t", "\\t": "\t", "semicolon": ";", "pipe": "|"}
_SEP = re.compile(r'"?sep=(?P<sep>[^"\r\n])"?[,;\t]*\s*', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a shop states of its files (None: not stated); `header_row` counts from 1; `names`: columns it maps."""

    encoding: str | None = None
    delimiter: str | None = None
    header_row: int | None = None
    quotes: bool = True
    names: frozenset[str] = frozenset()
    zone: str | None = None


def of(settings: ShopSettings, zone: str | None) -> Layout:
    """The layout a shop states. Raises ValueError with the option, what is wrong and what to write."""
    said = settings.options
    return Layout(
        encoding=_encoding(said.get("encoding")),
        delimiter=_delimiter(said.get("delimiter")),
        header_row=_row(said.get("header_row")),
        quotes=_quotes(said.get("quotes")),
        names=shopmap.names(settings) if settings.columns or settings.history else frozenset(),
        zone=zone,
    )


def separator(head: Iterable[Line], layout: Layout, known: frozenset[str]) -> tuple[str, int]:
    """The separator of cells, and the number of the line where the table begins (after a `sep=` line).

    It is the stated one, else the one by which a line becomes most of the `known` headers, else the one that cuts
    most lines alike. Raises Refusal where the stated one cuts nothing.
    """
    texts = [(number, text) for number, text in head if isinstance(text, str) and text.strip()]
    start = texts[0][0] if texts else 1
    stated = _SEP.fullmatch(texts[0][1]) if texts else None
    if stated:
        start, texts = (texts[1][0] if len(texts) > 1 else start + 1), texts[1:]
    lines = [text for _, text in texts]
    if layout.delimiter:
        return _held(layout.delimiter, lines, known), start
    return (stated["sep"] if stated else _likely(lines, known)), start


def header(rows: Sequence[tuple[int, Sequence[str]]], layout: Layout, known: frozenset[str]) -> int | None:
    """Which of the first rows (number, cleaned cells) is the header, as a place in `rows`; None when none is.

    The stated one; else the one that holds most `known` names; else the first that is about as full as the
    fullest: titles and periods above a table fill few cells.
    """
    if layout.header_row is not None:
        return next((at for at, (number, _) in enumerate(rows) if number >= (layout.header_row or 0)), None)
    hits = [len(known.intersection(cells)) for _, cells in rows]
    if max(hits, default=0) > 0:
        return hits.index(max(hits))
    filled = [sum(map(bool, cells)) for _, cells in rows]
    most = max(filled, default=0)
    return next((at for at, count in enumerate(filled) if count * 2 > most), None)


def _held(delimiter: str, texts: Sequence[str], known: frozenset[str]) -> str:
    """The stated separator; raises Refusal where no line holds it, but another one cuts them."""
    likely = _likely(texts, known)
    if any(delimiter in text for text in texts) or not any(likely in text for text in texts):
        return delimiter
    raise Refusal(
        f"no line holds the delimiter {_word(delimiter)} that the shop states",
        f"correct delimiter of the shop: the lines look cut by {_word(likely)}",
    )


def _word(sign: str) -> str:
    return shown("tab" if sign == "\t" else sign)


def _likely(texts: Sequence[str], known: frozenset[str]) -> str:
    scores = {one: _score(texts, one, known) for one in _DELIMITERS}
    return max(_DELIMITERS, key=lambda one: scores[one])


def _score(texts: Sequence[str], delimiter: str, known: frozenset[str]) -> tuple[int, int, int]:
    """Known headers in the best line, how many lines have the usual number of cells, and that number."""
    rows = [_cells(text, delimiter) for text in texts]
    hits = max((len(known.intersection(cell.strip(BLANK) for cell in row)) for row in rows), default=0)
    usual = Counter(len(row) for row in rows if len(row) > 1).most_common(1)
    cells, lines = usual[0] if usual else (0, 0)
    return hits, lines, cells


def _cells(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return text.split(delimiter)


def _encoding(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        return encoding.normal(name)
    except LookupError:
        raise ValueError(
            f'encoding: {name!r} is not known; write it as in "windows-1252", "gb18030", "utf-8"'
        ) from None


def _delimiter(text: str | None) -> str | None:
    if text is None:
        return None
    sign = _WORDS.get(text.strip().lower(), text)
    if len(sign) != 1 or sign.isalnum() or sign in "\"'\r\n":
        raise ValueError(f'delimiter: {text!r} is not one sign; write ",", ";", "|" or "tab"')
    return sign


def _row(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= HEAD):
        raise ValueError(f"header_row: {text!r} is not a row from 1 to {HEAD}; count from 1, blank lines too")
    return int(text)


def _quotes(text: str | None) -> bool:
    kinds: Mapping[str | None, bool] = {None: True, "double": True, "none": False}
    if text not in kinds:
        raise ValueError(f'quotes: {text!r} is not known; write "none" where cells are never quoted, else "double"')
    return kinds[text]
