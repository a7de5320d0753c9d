"""Worksheets of an XLSX workbook as rows of text, streamed, with the zip checked before it is opened.

XML entities are refused (openpyxl parses with defusedxml). Numbers become text as a person sees them:
integers in full, other numbers with 15 significant digits; integers that Excel has rounded (from 10^15 on)
keep their exponent, so that ids among them are recognised as lost. Times become local text, dates without a time
of day bare dates.
"""

import re
import shutil
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, time
from functools import partial
from typing import IO, TYPE_CHECKING

from adapters.files import repair
from adapters.files.opening import Source
from adapters.files.refusal import EXPORT_AGAIN, SAVE_AGAIN, Refusal

if TYPE_CHECKING:
    from openpyxl.cell.read_only import EmptyCell, ReadOnlyCell
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

    _Cell = ReadOnlyCell | EmptyCell

ENTRIES = 1_000
TOTAL_BYTES = 500 << 20
RATIO = 100
RATIO_FREE = 1 << 20
"""Entries up to this size are exempt from the ratio: a tiny sheet compresses well by nature."""
STRINGS_BYTES = 64 << 20
"""Most bytes of the table of shared strings, the one part that is held in memory."""
ROWS = 1_048_576

_EXACT = 15
"""So many digits of a number a spreadsheet keeps."""
_TAG_BYTES = 512
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]{0,200}?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_LITERAL = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
"""What in a number format is no sign of it: quoted texts, colours and languages."""

_BAD = (
    zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError,
    EOFError, OSError, NotImplementedError, RecursionError,
)  # fmt: skip


class Typed(str):
    """The text of a cell that holds a number or a time itself: it can be read only one way."""

    __slots__ = ()


Rows = Iterator[tuple[int, Sequence[str]]]


def worksheets(source: Source) -> Iterator[tuple[str, Callable[[], Rows]]]:
    """Name of each worksheet and how to read its rows (number, texts) from the first, as often as needed.

    Cells that are merged over several rows say the same in each. Raises Refusal for bombs and damaged workbooks.
    """
    with tempfile.TemporaryFile() as scratch:
        content: IO[bytes] = source.stream()
        if source.packed:
            shutil.copyfileobj(content, scratch, 1 << 20)
            content = scratch
        _check_zip(content)
        with tempfile.TemporaryFile() as repaired, closing(_load(content, repaired)) as workbook:
            for sheet in workbook.worksheets:
                sheet.reset_dimensions()
                yield str(sheet.title), partial(_rows, sheet)


def _check_zip(content: IO[bytes]) -> None:
    try:
        with zipfile.ZipFile(content) as archive:
            entries = archive.infolist()
    except _BAD as error:
        raise Refusal("not a whole XLSX workbook: it is cut or damaged", EXPORT_AGAIN) from error
    names = {entry.filename for entry in entries}
    if "xl/workbook.xml" not in {name.lower() for name in names} and "[Content_Types].xml" not in names:
        raise Refusal("a zip archive, not a workbook", "unpack it and put the files inside here")
    if len(entries) > ENTRIES or sum(entry.file_size for entry in entries) > TOTAL_BYTES:
        raise Refusal(
            f"the workbook unpacks to far too much (more than {TOTAL_BYTES >> 20} MB or {ENTRIES} parts)",
            "export fewer orders at once, or as CSV",
        )
    for entry in entries:
        if entry.file_size > RATIO_FREE and entry.file_size > RATIO * entry.compress_size:
            raise Refusal(f"the workbook is packed more than {RATIO}:1, like a zip bomb", "save it as CSV")
        if entry.filename.lower().endswith("sharedstrings.xml") and entry.file_size > STRINGS_BYTES:
            raise Refusal(f"more than {STRINGS_BYTES >> 20} MB of texts in one workbook", "save it as CSV")


def _load(content: IO[bytes], scratch: IO[bytes]) -> "Workbook":
    """The workbook; where the library stumbles over it, a copy without what cells do not need."""
    workbook = _opened(content)
    if workbook is not None and workbook.worksheets:
        return workbook
    try:
        repair.copy(content, scratch)
        workbook = _opened(scratch)
    except _BAD as error:
        raise Refusal("the workbook cannot be read: it is damaged or not XLSX", SAVE_AGAIN) from error
    if workbook is None:
        raise Refusal("the workbook cannot be read: it is damaged or not XLSX", SAVE_AGAIN)
    return workbook


def _opened(content: IO[bytes]) -> "Workbook | None":
    """The library is loaded only here: it costs every command that reads other files half a second."""
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of missing styles, as exports have none
            return openpyxl.load_workbook(content, read_only=True, data_only=True, keep_links=False)
    except _BAD:
        return None


def _rows(sheet: "ReadOnlyWorksheet") -> Rows:
    merged, held = _merged(sheet), dict[int, tuple[int, str]]()
    rows: Iterator[tuple[_Cell, ...]] = sheet.iter_rows()  # type: ignore[assignment, misc]
    number = 0
    while True:
        try:
            row = next(rows, None)
        except _BAD as error:
            raise Refusal("the worksheet is damaged from here on", EXPORT_AGAIN, number + 1) from error
        if row is None:
            return
        number += 1
        if number > ROWS:
            raise Refusal(f"more than {ROWS} rows in one worksheet", "save it as CSV", number)
        if not any(cell.value is not None for cell in row):
            continue
        texts = [_text(cell) for cell in row]
        if held:
            held = {at: (last, text) for at, (last, text) in held.items() if number <= last}
            for at, (_, text) in held.items():
                texts += [""] * (at + 1 - len(texts))
                texts[at] = texts[at] or text
        for at, last in merged.get(number, ()):
            if at < len(texts) and texts[at]:
                held[at] = (last, texts[at])
        yield number, texts


def _merged(sheet: "ReadOnlyWorksheet") -> dict[int, list[tuple[int, int]]]:
    """Cells merged over several rows, by their first row: place in the row and the last row.

    They stand behind the rows in the file, where a stream of rows comes too late, so the part is searched first.
    """
    from openpyxl.utils import column_index_from_string

    found: dict[int, list[tuple[int, int]]] = {}
    archive, path = sheet.parent._archive, sheet._worksheet_path  # type: ignore[attr-defined]  # noqa: SLF001
    with archive.open(path) as part:
        rest = b""
        while chunk := part.read(1 << 20):
            text = rest + chunk
            for match in _MERGED.finditer(text):
                first, last = int(match[2]), int(match[4])
                if first < last <= ROWS:
                    found.setdefault(first, []).append((column_index_from_string(match[1].decode()) - 1, last))
            cut = max(text.rfind(b"<"), len(text) - _TAG_BYTES)
            rest = text[cut:]
    return found


def _text(cell: "_Cell") -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return Typed(_number(value))
    if isinstance(value, datetime):
        day_only = value.time() == time() and "h" not in _LITERAL.sub("", str(cell.number_format)).lower()
        return Typed(value.date().isoformat() if day_only else value.isoformat())
    if isinstance(value, date | time):
        return Typed(value.isoformat())
    return str(value)


def _number(value: float) -> str:
    """A number in full; from 10^15 on only where its last digits are more than the zeros of a spreadsheet."""
    if isinstance(value, int):
        digits = str(value)
        return digits if len(digits) <= _EXACT or digits[_EXACT:].strip("0") else f"{value:.15g}".upper()
    if abs(value) >= 10**_EXACT:
        return f"{value:.15g}".upper()
    return str(int(value)) if value.is_integer() else f"{value:.15g}"
