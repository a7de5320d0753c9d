"""How lists and records look to a person: aligned also in Chinese, quiet, narrow where the window is narrow."""

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from daemon.cli.session import out
from daemon.i18n import gettext as _

DASH = "–"
"""Stands where nothing is known or nothing applies."""


def table(heads: Sequence[str], rows: Iterable[Sequence[str | None]], right: Iterable[int] = ()) -> Table:
    """A table of plain texts; `right` names the columns of numbers. What stands in a cell is never markup."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    numbers = frozenset(right)
    for place, head in enumerate(heads):
        made.add_column(Text(head), justify="right" if place in numbers else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell or DASH) for cell in row))
    return made


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
