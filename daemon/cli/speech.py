"""Help in the reader's language: what the commands say of themselves, and the words typer puts around it.

Typer takes help texts when modules are imported; they are looked up when a command line is carried out, because the
daemon runs commands for clients of either language.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache

import typer
from rich.cells import cell_len
from typer._click.core import Command
from typer._click.formatting import HelpFormatter
from typer.core import TyperGroup

from daemon import i18n, shapes
from daemon.cli.commands import Later
from daemon.i18n import gettext as _

TYPER = (
    "Show this message and exit.",
    "Arguments",
    "Options",
    "Commands",
    "required",
    "default: {}",
    "env var: {}",
)
"""Typer's own words on a help page; `{}` stands for a value."""
TYPES = ("str", "path", "Path", "int", "int range", "float", "float range")
"""What typer calls the kinds of values; a reader may not know the words."""
PLACES = (
    *(
        "CASE",
        "DIR",
        "FILE",
        "KEY",
        "LISTING",
        "NAME",
        "NEW",
        "OLD",
        "ORDER",
        "PATH",
        "PLATFORM",
        "ROLE",
        "ROW",
        "SHOP",
    ),
    "TASK",
)
"""Words that stand for what is to be written in their place."""


def spoken(app: typer.Typer) -> Command:
    """The commands of `app`, ready to run; their help is in the process's language."""
    return _spoken(app, i18n.language())


@cache
def _spoken(app: typer.Typer, language: str) -> Command:
    """Put together once: it takes 30 ms, and a daemon runs many commands, in either language."""
    command: Command = typer.main.get_command(app)
    if language != "en":
        _translate(command)
    return command


def tree(command: Command) -> Iterator[Command]:
    """A command and all below it."""
    command = command.loaded if isinstance(command, Later) else command
    yield command
    if isinstance(command, TyperGroup):
        for one in command.commands.values():
            yield from tree(one)


def _translate(command: Command) -> None:
    """A command and all below it; what is not loaded yet, when it is."""
    command.context_class = _Context
    command.help = _(command.help or "")
    command.short_help = command.help
    command.options_metavar = _("[OPTIONS]")
    if isinstance(command, TyperGroup):
        command.subcommand_metavar = _("COMMAND [ARGS]...")
        for one in command.commands.values():
            _translate(one)
    if isinstance(command, Later):
        command.prepare = _translate


class _Formatter(HelpFormatter):
    """Looks up what typer writes, and breaks lines where Chinese, twice as wide and without blanks, has to."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, _named(args), _("Usage: ") if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{_('{heading}:').format(heading=_(heading))}\n")

    def write_text(self, text: str) -> None:
        indent = " " * self.current_indent
        for line in _wrapped(text, self.width - self.current_indent):
            self.write(f"{indent}{line}\n")

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        named = [(_named(name), said) for name, said in rows]
        column = min(max(cell_len(name) for name, _help in named), col_max) + col_spacing
        width = self.width - self.current_indent - column
        for name, said in named:
            lines = _wrapped(_line(said), width)
            if cell_len(name) + col_spacing > column:
                lines.insert(0, "")
            for number, line in enumerate(lines):
                left = "" if number else name
                pad = " " * (column - cell_len(left))
                self.write(f"{'':>{self.current_indent}}{left}{pad}{line}".rstrip() + "\n")


class _Context(typer.Context):
    formatter_class = _Formatter


def _named(text: str) -> str:
    """What is to be written where, in the reader's words: `ORDER`, `<path>`, `<list[str]>`."""
    typed = re.sub(
        r"<(?:list\[)?([A-Za-z ]+)\]?>", lambda found: f"<{_(found[1])}>" if found[1] in TYPES else found[0], text
    )
    return re.sub(r"\b[A-Z]{2,}\b", lambda found: _(found[0]) if found[0] in PLACES else found[0], typed)


def _line(said: str) -> str:
    """A help text with what typer hangs on it: `Text.  [default: x; required]`."""
    text, bracket, more = said.removesuffix("]").partition("  [")
    extras = "; ".join(_extra(one) for one in more.split("; "))
    return f"{_(text)}  [{extras}]" if bracket else _(said)


def _extra(said: str) -> str:
    found = shapes.match(said, TYPER)
    return _(found[0]).format(*found[1]) if found is not None else said


def _wrapped(text: str, width: int) -> list[str]:
    from daemon.cli import screen

    return screen.broken(text, width)
