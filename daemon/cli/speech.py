"""Help in the reader's language: what the commands say of themselves, and the words typer puts around it.

Typer takes help texts when modules are imported; they are looked up when a command line is carried out, because the
daemon runs commands for clients of either language.
"""

from collections.abc import Iterator, Sequence
from functools import cache

import typer
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
        super().write_usage(prog, args, _("Usage: ") if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{_('{heading}:').format(heading=_(heading))}\n")

    def write_text(self, text: str) -> None:
        indent = " " * self.current_indent
        for line in _wrapped(text, self.width - self.current_indent):
            self.write(f"{indent}{line}\n")

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        column = min(max(len(name) for name, _help in rows), col_max) + col_spacing
        width = self.width - self.current_indent - column
        for name, said in rows:
            lines = _wrapped(_line(said), width)
            if len(name) + col_spacing > column:
                lines.insert(0, "")
            for number, line in enumerate(lines):
                left = "" if number else name
                self.write(f"{'':>{self.current_indent}}{left:<{column}}{line}".rstrip() + "\n")


class _Context(typer.Context):
    formatter_class = _Formatter


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
