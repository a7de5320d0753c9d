"""Worksheets of an XLSX workbook as rows of text, streamed, with the zip checked before it is opened.

XML entities are refused (openpyxl parses with defusedxml). Numbers become text as a person sees them:
integers in full, other numbers with 15 significant digits; integers that Excel has rounded (from 10^15 on)
keep their exponent, so that ids among them are recognised as lost. Times become local text.
"""

import shutil
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, time
from typing import IO, TYPE_CHECKING

from adapters.files.opening import Source
from adapters.files.refusal import EXPORT_AGAIN, SAVE_AGAIN, Refusal

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

ENTRIES = 1_000
TOTAL_BYTES = 500 << 20
RATIO = 100
RATIO_FREE = 1 << 20
"""Entries up to this size are exempt from the ratio: a tiny sheet compresses well by nature."""
STRINGS_BYTES = 64 << 20
"""Most bytes of the table of shared strings, the one part that is held in memory."""
ROWS = 1_048_576

_BAD = (
    zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError,
    EOFError, OSError, NotImplementedError, RecursionError,
)  # fmt: skip


def worksheets(source: Source) -> Iterator[tuple[str, Iterator[tuple[int, Sequence[str]]]]]:
    """Name and rows (number, texts) of each worksheet. Raises Refusal for bombs and damaged workbooks."""
    with tempfile.TemporaryFile() as scratch:
        content: IO[bytes] = source.stream()
        if source.packed:
            shutil.copyfileobj(content, scratch, 1 << 20)
            content = scratch
        _check_zip(content)
        with closing(_load(content)) as workbook:
            for sheet in workbook.worksheets:
                sheet.reset_dimensions()
                yield str(sheet.title), _rows(sheet.iter_rows(values_only=True))


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


def _load(content: IO[bytes]) -> "Workbook":
    """The library is loaded only here: it costs every command that reads other files half a second."""
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of missing styles, as exports have none
            return openpyxl.load_workbook(content, read_only=True, data_only=True, keep_links=False)
    except _BAD as error:
        raise Refusal("the workbook cannot be read: it is damaged or not XLSX", SAVE_AGAIN) from error


def _rows(values: Iterator[tuple[object, ...]]) -> Iterator[tuple[int, Sequence[str]]]:
    number = 0
    while True:
        try:
            row = next(values, None)
        except _BAD as error:
            raise Refusal("the worksheet is damaged from here on", EXPORT_AGAIN, number + 1) from error
        if row is None:
            return
        number += 1
        if number > ROWS:
            raise Refusal(f"more than {ROWS} rows in one worksheet", "save it as CSV", number)
        if any(value is not None for value in row):
            yield number, [_text(value) for value in row]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


def _number(value: float) -> str:
    if abs(value) >= 1e15:
        return f"{value:.15g}".upper()
    return str(int(value)) if value.is_integer() else f"{value:.15g}"
