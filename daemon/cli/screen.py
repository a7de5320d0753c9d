"""How lists and records look to a person: aligned also in Chinese, quiet, narrow where the window is narrow."""

from collections.abc import Iterable, Sequence
from typing import Literal
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from daemon import show
from daemon.cli.session import out, reader
from daemon.i18n import gettext as _
from rules.instant import to_datetime

DASH = "–"
"""Stands where nothing is known or nothing applies."""
NARROW = 16
"""How narrow a column of sentences may become so that one of ids is not broken."""
GAP = 3
"""Between two columns."""


def table(heads: Sequence[str], rows: Iterable[Sequence[str | None]], right: Iterable[int] = ()) -> Table:
    """A table of plain texts; `right` names the columns of numbers. What stands in a cell is never markup."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    texts, numbers = [[cell or DASH for cell in row] for row in rows], frozenset(right)
    unbroken = _unbroken(heads, texts)
    for place, head in enumerate(heads):
        side: Literal["right", "left"] = "right" if place in numbers else "left"
        made.add_column(Text(head), justify=side, overflow="fold", no_wrap=place in unbroken)
    for row in texts:
        made.add_row(*map(Text, row))
    return made


def _unbroken(heads: Sequence[str], texts: list[list[str]]) -> frozenset[int]:
    """The columns of single words, such as ids, which nobody wants to put together again: kept whole where it fits."""
    columns = [[head, *(row[place] for row in texts)] for place, head in enumerate(heads)]
    words = frozenset(place for place, cells in enumerate(columns) if all(" " not in cell for cell in cells[1:]))
    widths = [max(map(cell_len, cells)) for cells in columns]
    least = sum(width if place in words else min(width, NARROW) for place, width in enumerate(widths))
    room = out().console(out().out).width
    return words if least + GAP * len(heads) <= room else frozenset()


def abroad(zone: ZoneInfo, now: int) -> str | None:
    """The name of a zone in which the clocks do not show the reader's time; None where they do."""
    local = to_datetime(now, zone)
    return show.zone_name(local) if local.utcoffset() != to_datetime(now, reader()).utcoffset() else None


def fitting(heads: Sequence[str], rows: Sequence[Sequence[str]], name: int, right: Iterable[int] = ()) -> None:
    """A table; where the window is too narrow for it, the column `name` stands below each row, whole."""
    widths = [max(map(cell_len, column)) for column in zip(heads, *rows, strict=True)]
    if sum(widths) + GAP * (len(widths) - 1) <= out().console(out().out).width:
        out().table(table(heads, rows, right))
        return
    cut = [([*row[:name], *row[name + 1 :]], row[name]) for row in rows]
    listing([*heads[:name], *heads[name + 1 :]], cut, wide=0, right=[place - (place > name) for place in right])


def listing(
    heads: Sequence[str], rows: Sequence[tuple[Sequence[str], str]], wide: int, right: Iterable[int] = ()
) -> None:
    """A table of (cells, key): each key has a line of its own below, whole, so that it can be copied at any width.

    Where words stand before a key, two blanks apart, and do not fit beside it, they have a line of their own too.
    `wide`: the column whose text is broken where the window is too narrow for it.
    """
    columns = list(zip(heads, *(cells for cells, _key in rows), strict=True))
    widths = [max(map(cell_len, column)) for column in columns]
    room = out().console(out().out).width - sum(widths) + widths[wide] - 2 * len(widths) + 2
    widths[wide] = max(min(NARROW, widths[wide]), min(widths[wide], room))
    numbers = frozenset(right)
    out().print(_aligned(heads, widths, numbers))
    out().print("─" * (sum(widths) + 2 * len(widths) - 2))
    for cells, key in rows:
        lines = broken(cells[wide], widths[wide])
        out().print(_aligned([*cells[:wide], lines[0], *cells[wide + 1 :]], widths, numbers))
        for line in lines[1:]:
            out().print(
                _aligned(["" if place != wide else line for place in range(len(widths))], widths, numbers).rstrip()
            )
        _below(key)


def _below(key: str) -> None:
    """What stands under a row; where it has two parts and the window is narrow, each on its own line."""
    room = out().console(out().out).width
    for line in [key] if cell_len(key) + 2 <= room else key.split("  "):
        out().print(f"  {line}")


def _aligned(cells: Sequence[str], widths: Sequence[int], right: frozenset[int]) -> str:
    pads = [" " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True)]
    sides = [
        pad + cell if place in right else cell + pad for place, (cell, pad) in enumerate(zip(cells, pads, strict=True))
    ]
    return "  ".join(sides)


def broken(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` columns, broken where Chinese, twice as wide and without blanks, has to."""
    lines = Text(text).wrap(Console(width=width), width)
    return [line.plain.rstrip() for line in lines] or [""]


def rest(count: int, most: int | None) -> None:
    """Say how many a list left out."""
    if most is not None and count > most:
        out().print(_("… and {n} more").format(n=count - most))


def pairs(named: Iterable[tuple[str, str | None]]) -> str:
    """Lines of name and value, the values below one another also when the names are Chinese."""
    known = [(name, value or DASH) for name, value in named]
    width = max((cell_len(name) for name, _ in known), default=0)
    return "\n".join(f"{name}{' ' * (width - cell_len(name))}  {value}" for name, value in known)


def yes(flag: bool) -> str:
    """Yes, or nothing: a column in which only the yes catches the eye."""
    return _("yes") if flag else " "
