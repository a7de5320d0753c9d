"""One streaming reader of tables: CSV in any usual encoding and separator, and XLSX workbooks.

A table is its header and its rows; a row is its line number and the cleaned texts by header name. Memory
is constant; caps on line, record, cell and column count keep hostile files small.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adapters.files import book, lines
from adapters.files.opening import Source
from adapters.files.refusal import EXPORT_AGAIN, Refusal

COLUMNS = 1_000
RECORD_LINES = 100
"""Most physical lines of one record; a quotation mark that opens a longer one was a stray."""
RECORD_CHARS = 1 << 20
CELL_CHARS = 1 << 15

_STRIPPED = " \t\r\n\v\f\u00a0\u3000\ufeff"
_CUT = "the file ends in the middle of this row"


class Row(NamedTuple):
    """One row: its line number in the file, and the cleaned text of each wanted column."""

    line: int
    cells: dict[str, str]


class Record(NamedTuple):
    """A row before it has names: line number, raw cells, whether its line end was there."""

    line: int
    cells: Sequence[str]
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of a file. `name` is the worksheet's (None: CSV); `records` are the rows below."""

    name: str | None
    header: tuple[str, ...]
    records: Iterator[Record | Refusal]

    def rows(self, wanted: Iterable[str] | None = None) -> Iterator[Row | Refusal]:
        """The rows with the `wanted` columns (None = all); an unreadable one is a Refusal in its place."""
        take = _columns(self.header, None if wanted is None else frozenset(wanted))
        width = len(self.header)
        for record in self.records:
            if isinstance(record, Refusal):
                yield record
            elif trouble := _misshapen(record, width):
                yield trouble
            else:
                count = len(record.cells)
                cells = {name: clean(record.cells[at]) for at, name in take if at < count}
                yield Row(record.line, cells)


def tables(source: Source) -> Iterator[Table]:
    """The tables of a CSV file (one) or workbook (one per worksheet that is not empty).

    Use each table before asking for the next. Raises Refusal when the file, or the rest of it, is unusable.
    """
    if source.kind() == "xlsx":
        for name, cells in book.worksheets(source):
            yield from _table(name, (Record(line, row, True) for line, row in cells))
    else:
        yield from _table(None, _csv_records(lines.text_lines(source)))


def clean(text: str) -> str:
    """A cell without what exports wrap around it: blanks, tabs, `="…"`, a leading apostrophe."""
    text = text.strip(_STRIPPED)
    if text.startswith('="') and text.endswith('"') and len(text) > 2:
        return text[2:-1].strip(_STRIPPED)
    return text.removeprefix("'")


def _table(name: str | None, records: Iterator[Record | Refusal]) -> Iterator[Table]:
    """The table whose header is the first record with text; nothing when there is none."""
    for record in records:
        if isinstance(record, Refusal):
            raise record
        if any(cell.strip(_STRIPPED) for cell in record.cells):
            if len(record.cells) > COLUMNS:
                raise Refusal(f"more than {COLUMNS} columns", "export fewer columns", record.line)
            yield Table(name=name, header=tuple(clean(cell) for cell in record.cells), records=records)
            return


def _columns(header: tuple[str, ...], wanted: frozenset[str] | None) -> list[tuple[int, str]]:
    """Position and name of each wanted column; of columns with the same name the first counts."""
    places: dict[str, int] = {}
    for at, name in enumerate(header):
        if name and (wanted is None or name in wanted):
            places.setdefault(name, at)
    return [(at, name) for name, at in places.items()]


def _misshapen(record: Record, width: int) -> Refusal | None:
    """Why the record cannot be a row of this table, or None. Missing last cells count as empty."""
    count = len(record.cells)
    if count > width and any(cell.strip(_STRIPPED) for cell in record.cells[width:]):
        return Refusal(f"{count} cells under {width} headers", "quote cells that hold the separator", record.line)
    if count < width and not record.whole:
        return Refusal(_CUT, EXPORT_AGAIN, record.line)
    return None


def _csv_records(texts: Iterator[lines.Line]) -> Iterator[Record | Refusal]:
    """The records of CSV text; blank lines are skipped. A stray quotation mark costs its own line only."""
    pulled = _Pulled(texts)
    while True:
        reader = csv.reader(pulled, delimiter=pulled.delimiter)
        try:
            for cells in reader:
                number, whole, size = pulled.take()
                if size > CELL_CHARS and any(len(cell) > CELL_CHARS for cell in cells):
                    yield Refusal(f"a cell of more than {CELL_CHARS} characters", EXPORT_AGAIN, number)
                elif cells and (len(cells) > 1 or cells[0].strip(_STRIPPED)):
                    yield Record(number, cells, whole)
        except _Bad as bad:
            yield pulled.give_back(bad)
        except csv.Error as error:
            yield pulled.give_back(_Bad(f"not readable as CSV: {error}", EXPORT_AGAIN))
        else:
            return


class _Bad(Refusal):
    """The record in hand is no good; the file goes on."""


class _Pulled:
    """The lines as csv.reader pulls them, keeping those of the record in hand so that it can be undone."""

    def __init__(self, texts: Iterator[lines.Line]) -> None:
        first = next((line for line in texts if isinstance(line[1], Refusal) or line[1].strip()), None)
        self._texts = texts
        self._again: deque[lines.Line] = deque([first] if first else [])
        self._held: list[lines.Line] = []
        self._size = 0
        self.delimiter = _delimiter(first[1]) if first and isinstance(first[1], str) else ","

    def __iter__(self) -> "_Pulled":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._texts, None)
        if line is None:
            if self._held:
                raise _Bad("a quotation mark opens here and never closes", EXPORT_AGAIN)
            raise StopIteration
        self._held.append(line)
        text = line[1]
        if isinstance(text, Refusal):
            raise _Bad(text.reason, text.mend)
        self._size += len(text)
        if len(self._held) > RECORD_LINES or self._size > RECORD_CHARS:
            raise _Bad("a quotation mark opens here and does not close", "remove it, or double it inside a cell")
        return text

    def take(self) -> tuple[int, bool, int]:
        """First line number, whether the last line is whole, and the length of the record just read."""
        number, last, size = self._held[0][0], self._held[-1][1], self._size
        self._held, self._size = [], 0
        return number, str(last).endswith("\n"), size

    def give_back(self, refusal: Refusal) -> Refusal:
        """Refuse the first line in hand; the lines after it are read again, as records of their own."""
        number = self._held[0][0]
        self._again.extendleft(reversed(self._held[1:]))
        first = self._held[0][1]
        self._held, self._size = [], 0
        return first if isinstance(first, Refusal) else Refusal(refusal.reason, refusal.mend, number)


def _delimiter(header: str) -> str:
    """The separator the header line uses: comma, tab or semicolon, whichever is most frequent."""
    return max(",\t;", key=header.count)
