"""One streaming reader of tables: CSV in any usual encoding and separator, and XLSX workbooks.

A table is its header and its rows; a row is its line number and the cleaned texts by header name. Memory
is constant; caps on line, record, cell and column count keep hostile files small. No row takes another's data:
one that is longer or shorter than the header is a row only where that harms nothing, else it is refused.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple

from adapters.files import book, encoding, layout, lines
from adapters.files.layout import BLANK, Layout
from adapters.files.opening import Source
from adapters.files.records import Record, Records
from adapters.files.refusal import EXPORT_AGAIN, Refusal

COLUMNS = 1_000

_AHEAD = 20
"""So many rows tell whether rows usually end with separators that the header does not have."""
_JOIN = "export again so that cells with line breaks are quoted, or as XLSX"
_NOTHING = Layout()
_WRAPS = frozenset("='")
"""What the first sign of a wrapped cell is."""
_CUT = "the file ends in the middle of this row"


class Row(NamedTuple):
    """One row: its line number in the file, and the cleaned text of each wanted column."""

    line: int
    cells: dict[str, str]


class Broken(Refusal):
    """A row that ends before an essential column: half a row, or a note below the table; `cells` are all it has."""

    cells: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of a file. `name` is the worksheet's (None: CSV); `records` are the rows below.

    `again` gives the same rows once more from the first.
    `surplus`: how many empty cells rows usually have beyond the header. `encoding`: how its text was read (None: XLSX).
    """

    name: str | None
    header: tuple[str, ...]
    records: Iterator[Record | Refusal]
    again: Callable[[], Iterator[Record | Refusal]]
    surplus: int = 0
    encoding: str | None = None

    def rows(self, wanted: Iterable[str] | None = None, essential: Iterable[str] = ()) -> Iterator[Row | Refusal]:
        """The rows with the `wanted` columns (None = all); an unreadable one is a Refusal in its place.

        A row of a CSV file that ends before an `essential` column is broken: a spreadsheet leaves out empty last
        cells, a line break in a note all that comes after it.
        """
        take = _columns(self.header, None if wanted is None else frozenset(wanted))
        shape = _Shape(self, frozenset(essential))
        for record in self.records:
            if isinstance(record, Refusal):
                yield record
                continue
            if len(record.cells) == len(self.header):
                shape.owed = 0
                yield Row(record.line, self._cleaned(record.cells, take))
                continue
            trouble = shape.trouble(record)
            if trouble is not None and not isinstance(trouble, Broken):
                yield trouble
                continue
            count = len(record.cells)
            there = [one for one in (_columns(self.header, None) if trouble else take) if one[0] < count]
            cells = self._cleaned(record.cells, there)
            if trouble:
                trouble.cells = cells
            yield trouble or Row(record.line, cells)

    def _cleaned(self, texts: Sequence[str], take: Sequence[tuple[int, str]]) -> dict[str, str]:
        """The wanted cells by name, each cleaned; all of a text file are plain texts, most of them not wrapped."""
        if self.name is not None:
            return {name: clean(texts[at]) for at, name in take}
        return {name: one if (one := texts[at].strip(BLANK))[:1] not in _WRAPS else clean(one) for at, name in take}


class _Shape:
    """How the number of cells of a row must be, against the header and against the rows before."""

    def __init__(self, table: Table, essential: frozenset[str]) -> None:
        self._csv = table.name is None
        self._width = len(table.header)
        self._surplus = table.surplus
        self._needed = max((at + 1 for at, name in _columns(table.header, essential)), default=0)
        self.owed = 0

    def trouble(self, record: Record) -> Refusal | None:
        """Why the record cannot be a row of this table, or None."""
        count = len(record.cells)
        if not self._csv:
            return None
        return self._longer(record, count) if count > self._width else self._shorter(record, count)

    def _longer(self, record: Record, count: int) -> Refusal | None:
        self.owed = 0
        if count - self._width == self._surplus and not any(cell.strip(BLANK) for cell in record.cells[self._width :]):
            return None
        return Refusal(f"{count} cells under {self._width} headers", "quote cells that hold the separator", record.line)

    def _shorter(self, record: Record, count: int) -> Refusal | None:
        """Missing last cells count as empty, unless the file ends there or the row was cut in two."""
        rest, self.owed = self.owed, 0
        if not record.whole:
            return Refusal(_CUT, EXPORT_AGAIN, record.line)
        if rest and count in (rest, rest - 1):  # the break stood in a cell, or between two
            return Refusal(
                f"{count} of {self._width} cells: the rest of a row that a line break cut", _JOIN, record.line
            )
        if count < self._needed:
            self.owed = self._width + 1 - count
            return Broken(f"the row breaks off after {count} of {self._width} cells", _JOIN, record.line)
        return None


def tables(source: Source, stated: Layout = _NOTHING, known: frozenset[str] = frozenset()) -> Iterator[Table]:
    """The tables of a CSV file (one) or workbook (one per worksheet that is not empty).

    `stated` is what the shop says of its files, `known` are names of columns that make a row a header.
    Raises Refusal when the file, or the rest of it, is unusable.
    """
    if source.kind() == "xlsx":
        for name, read in book.worksheets(source):
            yield from _sheet(name, read, stated, known)
    else:
        yield from _text(source, stated, known)


def clean(text: str) -> str:
    """A cell without what exports wrap around it: blanks, tabs, `="…"`, a leading apostrophe."""
    if type(text) is not str:
        return text
    text = text.strip(BLANK)
    if text[:1] not in _WRAPS:
        return text
    if text.startswith('="') and text.endswith('"') and len(text) > 2:
        return text[2:-1].strip(BLANK)
    return text.removeprefix("'")


def _text(source: Source, stated: Layout, known: frozenset[str]) -> Iterator[Table]:
    """The table of a text file, or nothing."""
    read_as = encoding.of(source, encoding.Hints(known, stated.encoding, stated.zone))
    texts = lines.text_lines(source, read_as)
    head = list(islice(texts, layout.HEAD))
    delimiter, start = layout.separator(head, stated, known)
    first = Records((one for one in head if one[0] >= start), delimiter, stated.quotes)
    found = _header(list(first), stated, known)
    if found is None:
        return
    records = Records(chain((one for one in head if one[0] >= found.line), texts), delimiter, stated.quotes)
    top = next(records)
    if isinstance(top, Refusal):
        raise top
    records.width = len(top.cells)
    ahead = list(islice(records, _AHEAD))
    yield Table(
        name=None,
        header=tuple(clean(cell) for cell in top.cells),
        records=chain(ahead, records),
        again=lambda: next(_text(source, stated, known)).records,
        surplus=_surplus(ahead, len(top.cells)),
        encoding=read_as,
    )


def _sheet(name: str, read: Callable[[], book.Rows], stated: Layout, known: frozenset[str]) -> Iterator[Table]:
    """The table of a worksheet, or nothing."""
    records = (Record(line, row, True) for line, row in read())
    first = list(islice(records, layout.HEAD))
    found = _header(first, stated, known)
    if found is None:
        return
    below = (one for one in first if one.line > found.line)
    yield Table(
        name=name,
        header=tuple(clean(cell) for cell in found.cells),
        records=chain(below, records),
        again=lambda: (Record(line, row, True) for line, row in read() if line > found.line),
    )


def _header(rows: Sequence[Record | Refusal], stated: Layout, known: frozenset[str]) -> Record | None:
    """The row that is the header; raises Refusal where that row is unusable, or there was none before a bad one."""
    usable = [row for row in rows if isinstance(row, Record)]
    texts = [(row.line, [clean(cell) for cell in row.cells]) for row in usable]
    at = layout.header(texts, stated, known)
    bad = next((row for row in rows if isinstance(row, Refusal)), None)
    if bad and (at is None or not known.intersection(texts[at][1])):
        raise bad
    if at is None:
        return None
    if len(usable[at].cells) > COLUMNS:
        raise Refusal(f"more than {COLUMNS} columns", "export fewer columns", usable[at].line)
    return usable[at]


def _surplus(ahead: Sequence[Record | Refusal], width: int) -> int:
    """How many cells beyond the header most rows have; 0 where rows are as long as the header."""
    beyond = Counter(max(len(row.cells) - width, 0) for row in ahead if isinstance(row, Record))
    return beyond.most_common(1)[0][0] if beyond else 0


def _columns(header: tuple[str, ...], wanted: frozenset[str] | None) -> list[tuple[int, str]]:
    """Position and name of each wanted column; of columns with the same name the first counts."""
    places: dict[str, int] = {}
    for at, name in enumerate(header):
        if name and (wanted is None or name in wanted):
            places.setdefault(name, at)
    return [(at, name) for name, at in places.items()]
