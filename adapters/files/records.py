"""Lines of text → records of cells. A stray quotation mark costs no other row its data.

Exports either quote cells (RFC 4180) or never do, and a title may begin with a quotation mark (`"Banner, gold`,
`12" pan`) in both. So a line with an opening mark is read by the rules first, and what comes out must fit
the header: a cell that would swallow whole rows is none.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from adapters.files.lines import Line
from adapters.files.refusal import EXPORT_AGAIN, Refusal

RECORD_LINES = 100
"""Most physical lines of one record; a quotation mark that opens a longer one was a stray."""
RECORD_CHARS = 1 << 20
CELL_CHARS = 1 << 15

_STRAY = "a quotation mark opens here and does not close"
_UNCLEAR = "a quotation mark opens a cell here that would swallow whole rows"
_MEND = "remove it, or double it inside a cell"
_NEVER = 'remove it, or say that the file never quotes: quotes = "none"'


class Record(NamedTuple):
    """A row before it has names: line number, raw cells, whether its line end was there."""

    line: int
    cells: Sequence[str]
    whole: bool


class _Fed:
    """What one reader of quoted text is given, record by record: making a reader for each costs more than reading."""

    texts: Iterator[str] = iter(())

    def __iter__(self) -> "_Fed":
        return self

    def __next__(self) -> str:
        return next(self.texts)


class Records:
    """The records of lines, blank ones skipped. `width`: how many cells a row has, once the header told."""

    def __init__(self, lines: Iterator[Line], delimiter: str, quoted: bool = True) -> None:
        self._lines = lines
        self._again: deque[Line] = deque()
        self._delimiter = delimiter
        self._opening = delimiter + '"'
        self._quoted = quoted
        self._fed = _Fed()
        self._reader = csv.reader(self._fed, delimiter=delimiter, strict=True)
        self.width: int | None = None

    def __iter__(self) -> "Records":
        return self

    def __next__(self) -> Record | Refusal:
        while True:
            number, text = self._next()
            if isinstance(text, Refusal):
                return text
            if not text.strip():
                continue
            made = self._record(number, text)
            if len(text) > CELL_CHARS and isinstance(made, Record) and any(len(one) > CELL_CHARS for one in made.cells):
                return Refusal(f"a cell of more than {CELL_CHARS} characters", EXPORT_AGAIN, number)
            return made

    def _next(self) -> Line:
        return self._again.popleft() if self._again else next(self._lines)

    def _record(self, number: int, text: str) -> Record | Refusal:
        if not self._quoted or '"' not in text or not (text[0] == '"' or self._opening in text):
            return Record(number, self._split(text), text.endswith("\n"))
        cells = self._parsed([text])
        if cells is not None and self.width in (None, len(cells)):
            return Record(number, cells, text.endswith("\n"))
        if text.count('"') % 2 == 0:
            return self._single(number, text, cells)
        return self._several(number, text)

    def _single(self, number: int, text: str, cells: list[str] | None) -> Record | Refusal:
        """A line whose marks come in pairs, so that none is open at its end, and that does not fit as it is."""
        plain = self._plain(number, text)
        if cells is None:
            return plain or Refusal(_STRAY, _MEND, number)
        if plain is None or self._quotes(text):
            return Record(number, cells, text.endswith("\n"))
        # a short row that quotes, or a whole one that never does: texts between tabs are hardly ever quoted
        return plain if self._delimiter == "\t" else Refusal(_UNCLEAR, _NEVER, number)

    def _quotes(self, text: str) -> bool:
        """Whether a line quotes its cells: most of them wholly, or a mark stands alone behind the cell it closes."""
        cells = [one.strip() for one in self._split(text)]
        wholly = sum(len(one) > 1 and one[0] == one[-1] == '"' for one in cells)
        return wholly * 2 > len(cells) or '"' in cells

    def _several(self, number: int, text: str) -> Record | Refusal:
        """A line with a mark that is open at its end: a cell over several lines, or a stray."""
        held, texts = self._gathered(text)
        cells = self._parsed(texts)
        if cells is None or self._swallows(cells, texts):
            self._again.extendleft(reversed(held))
            return self._plain(number, text) or Refusal(_STRAY, _MEND, number)
        if self._rows_apart(texts):
            self._again.extendleft(reversed(held))
            if self._delimiter == "\t":  # texts between tabs are hardly ever quoted
                return self._plain(number, text) or Refusal(_STRAY, _MEND, number)
            for place, (at, _) in enumerate(held):
                self._again[place] = (at, Refusal(_UNCLEAR, _NEVER, at))
            return Refusal(_UNCLEAR, _NEVER, number)
        return Record(number, cells, texts[-1].endswith("\n"))

    def _gathered(self, text: str) -> tuple[list[Line], list[str]]:
        """The lines after the first up to the one that closes the mark; texts with the first. Empty: none does."""
        held: list[Line] = []
        texts, marks, size = [text], 1, len(text)
        while marks % 2 and len(texts) < RECORD_LINES and size < RECORD_CHARS:
            line = self._again.popleft() if self._again else next(self._lines, None)
            if line is None:
                break
            held.append(line)
            if isinstance(line[1], Refusal):
                break
            texts.append(line[1])
            marks, size = marks + line[1].count('"'), size + len(line[1])
        return held, texts if marks % 2 == 0 else []

    def _swallows(self, cells: Sequence[str], texts: Sequence[str]) -> bool:
        """Whether a cell over several lines cannot be: the row does not fit, and one of its lines alone does."""
        fits = self.width in (None, len(cells))
        return not fits and (
            len(cells) > (self.width or 0) or any(len(self._split(one)) == self.width for one in texts)
        )

    def _rows_apart(self, texts: Sequence[str]) -> bool:
        return self.width is not None and self.width > 1 and all(len(self._split(one)) == self.width for one in texts)

    def _parsed(self, texts: Sequence[str]) -> list[str] | None:
        """The cells of all texts by the rules of quoting; None when the marks break them, or close before the end."""
        self._fed.texts = iter(texts)
        try:
            cells = next(self._reader, None)
        except csv.Error:
            return None
        return cells if next(self._fed.texts, None) is None else None

    def _plain(self, number: int, text: str) -> Record | None:
        """The line as a row whose marks are text, when it fits the header so."""
        cells = self._split(text)
        return Record(number, [_bare(one) for one in cells], text.endswith("\n")) if len(cells) == self.width else None

    def _split(self, text: str) -> list[str]:
        return text.rstrip("\r\n").split(self._delimiter)


def _bare(cell: str) -> str:
    """A cell without the marks around the whole of it."""
    inner = cell.strip()
    return inner[1:-1].replace('""', '"') if len(inner) > 1 and inner[0] == inner[-1] == '"' else cell
