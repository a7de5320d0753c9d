"""How a table gets into bytes: encoding, separator, quoting, line ends, banner rows, workbooks, gzip."""

import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, NamedTuple

import openpyxl

from tests.adapters.fuzz.sheet import Cells, Row, Sheet

CHINESE = frozenset({"taobao", "tmall", "pinduoduo", "jd", "douyin"})
BANNERS = (("Orders report",), ("Shop: north", "", "exported by: lead"), ("导出时间：2026-11-20",), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one file is written. `quoting`: needed, all, never. `banner`: rows above the header.

    `stated`: what the shop says of it; `misstated`: that says another thing than it is.
    """

    kind: str
    encoding: str = "utf-8"
    delimiter: str = ","
    quoting: str = "needed"
    end: str = "\r\n"
    sep_line: bool = False
    banner: tuple[tuple[str, ...], ...] = ()
    blank_lines: bool = False
    final_end: bool = True
    packed: bool = False
    typed: bool = False
    stated: tuple[str, ...] = ()
    misstated: str = ""

    @property
    def ordinary(self) -> bool:
        """Whether every reader should understand it; what is odder may be refused."""
        known = self.encoding in ("utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16") or "encoding" in self.stated
        cut = self.delimiter in ",\t;" or "delimiter" in self.stated
        placed = not self.banner or "header_row" in self.stated
        return known and cut and placed and self.end != "\r" and not self.sep_line and not self.misstated


class Written(NamedTuple):
    """A file's bytes, the end of its name, the first and last line of each row, and the line of the header."""

    content: bytes
    suffix: str
    places: list[tuple[int, int]]
    header: int = 1


def options(dialect: Dialect, written: Written) -> dict[str, str]:
    """What the shop states, right or wrong."""
    right = {"encoding": dialect.encoding, "delimiter": dialect.delimiter, "header_row": str(written.header)}
    other = {
        "encoding": "windows-1252" if dialect.encoding.startswith(("utf", "gb")) else "utf-8",
        "delimiter": ";" if dialect.delimiter != ";" else "tab",
        "header_row": str(written.header + 1),
    }
    return {name: (other if name == dialect.misstated else right)[name] for name in dialect.stated}


def choose(rng: Random, sheet: Sheet) -> Dialect:
    """A dialect that people meet, and that a reader must either read or refuse."""
    if sheet.json:
        return Dialect(kind="json", end="\n", final_end=rng.random() < 0.8, packed=rng.random() < 0.2)
    if sheet.book:
        typed = sheet.plain and "dates" not in sheet.options and rng.random() < 0.5
        return Dialect(kind="xlsx", banner=_banner(rng), typed=typed, **_stated(rng, ("header_row",)))
    delimiter = rng.choices((",", "\t", ";", "|"), (6, 2, 2, 0.5))[0]
    return Dialect(
        kind="csv",
        encoding=_encoding(rng, sheet),
        delimiter=delimiter,
        quoting=rng.choice(("needed", "needed", "all", "never" if delimiter == "\t" else "needed")),
        end=rng.choices(("\r\n", "\n", "\r"), (6, 4, 0.5))[0],
        sep_line=delimiter in ",;|" and rng.random() < 0.08,
        banner=_banner(rng),
        blank_lines=rng.random() < 0.1,
        final_end=rng.random() < 0.8,
        packed=rng.random() < 0.1,
        **_stated(rng, ("encoding", "delimiter", "header_row")),
    )


def _stated(rng: Random, names: Sequence[str]) -> dict[str, Any]:
    """What the shop says of its files, one in eight times wrongly."""
    if rng.random() < 0.8:
        return {}
    stated = tuple(name for name in names if rng.random() < 0.6)
    return {"stated": stated, "misstated": rng.choice(stated) if stated and rng.random() < 0.12 else ""}


def _banner(rng: Random) -> tuple[tuple[str, ...], ...]:
    return tuple(rng.choice(BANNERS) for _ in range(rng.randint(1, 3))) if rng.random() < 0.12 else ()


def _encoding(rng: Random, sheet: Sheet) -> str:
    text = "".join([*sheet.header, *(cell for row in sheet.rows for cell in row.cells.values())])
    able = ["utf-8", "utf-8-sig"] * 4 + ["utf-16"] + [
        name for name in ("gb18030", "gbk", "cp1252", "shift_jis", "utf-16-le") if _holds(text, name)
    ]  # fmt: skip
    return rng.choice(able)


def _holds(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return encoding.startswith("utf") or not text.isascii()


def write(sheet: Sheet, dialect: Dialect) -> Written:
    """The file."""
    made = {"xlsx": _workbook, "json": _objects, "csv": _text}[dialect.kind](sheet, dialect)
    return made._replace(content=gzip.compress(made.content), suffix=made.suffix + ".gz") if dialect.packed else made


def _text(sheet: Sheet, dialect: Dialect) -> Written:
    lines: list[str] = [f"sep={dialect.delimiter}"] if dialect.sep_line else []
    lines += [dialect.delimiter.join(one) for one in dialect.banner]
    lines.append(dialect.delimiter.join(_quoted(name, dialect) for name in sheet.header))
    header, places = len(lines), []
    for row in sheet.rows:
        if dialect.blank_lines and len(lines) % 3 == 0:
            lines.append("")
        first = _physical(lines, dialect.end) + 1
        lines.append(_row(sheet.header, row, dialect))
        places.append((first, _physical(lines, dialect.end)))
    text = dialect.end.join(lines) + (dialect.end if dialect.final_end else "")
    return Written(text.encode(dialect.encoding, "replace"), ".csv", places, header)


def _physical(lines: Sequence[str], end: str) -> int:
    return len(lines) + sum(line.count(end[-1]) for line in lines)


def _row(header: Sequence[str], row: Row, dialect: Dialect) -> str:
    cells = [_quoted(row.cells.get(name, ""), dialect) for name in header]
    if row.ends_at is not None:
        return dialect.delimiter.join(cells[: row.ends_at])
    if row.broken_at is not None:
        return (
            dialect.delimiter.join(cells[: row.broken_at])
            + dialect.end
            + dialect.delimiter.join(cells[row.broken_at :])
        )
    return dialect.delimiter.join(cells)


def _quoted(cell: str, dialect: Dialect) -> str:
    if dialect.quoting == "never":
        return cell.replace(dialect.delimiter, " ").replace("\n", " ")
    if dialect.quoting == "all" or any(mark in cell for mark in (dialect.delimiter, '"', "\n", "\r")):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _objects(sheet: Sheet, dialect: Dialect) -> Written:
    lines: list[str] = []
    places = []
    for row in sheet.rows:
        text = json.dumps(_object(row.cells), ensure_ascii=False)
        if row.ends_at is not None:
            text = text[: len(text) * row.ends_at // len(sheet.header)]
        at = len(text) * (row.broken_at or 0) // len(sheet.header)
        first = _physical(lines, "\n") + 1
        lines.append(f"{text[:at]}\n{text[at:]}" if at else text)
        places.append((first, _physical(lines, "\n")))
    return Written(("\n".join(lines) + ("\n" if dialect.final_end else "")).encode(), ".jsonl", places)


def _object(cells: Cells) -> dict[str, object]:
    """The canonical object of a row: numbers as numbers, its line under `lines`, nothing for an empty cell."""
    said: dict[str, object] = {
        name: int(text) if name in ("paid_minor", "quantity") and text.isdigit() else text
        for name, text in cells.items()
        if text
    }
    line = {name: said.pop(name) for name in ("line_id", "sku", "quantity", "title") if name in said}
    return said | ({"lines": [line]} if line else {})


def _workbook(sheet: Sheet, dialect: Dialect) -> Written:
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    for one in dialect.banner:
        page.append(list(one) or [""])
    page.append(sheet.header)
    header, places = page.max_row, []
    for row in sheet.rows:
        cells = [row.cells.get(name, "") for name in sheet.header]
        if row.ends_at is not None:
            cells = cells[: row.ends_at]
        page.append([_typed(cell) if dialect.typed else cell for cell in cells])
        places.append((page.max_row, page.max_row))
    out = io.BytesIO()
    book.save(out)
    return Written(out.getvalue(), ".xlsx", places, header)


def _typed(cell: str) -> object:
    """The cell as a spreadsheet that understands it keeps it: amounts and times; ids stay text."""
    plain = cell.strip()
    if plain.startswith("2026") and " " in plain:
        try:
            return datetime.fromisoformat(plain.replace("/", "-"))
        except ValueError:
            return cell
    return float(plain) if plain.count(".") == 1 and plain.replace(".", "").isdigit() else cell
