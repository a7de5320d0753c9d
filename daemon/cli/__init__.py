"""The command line. Every command opens what it needs through `daemon.cli.session`, and says it in two languages."""

import sys

import typer

from daemon import heap
from daemon.cli.commands import Root
from daemon.cli.output import out
from daemon.cli.session import run_or_forward

app = typer.Typer(
    name="forestall",
    cls=Root,
    help="Watches your shops' orders and acts before a ship-by deadline is missed.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        out().print(f"forestall {version('forestall')}")
        raise typer.Exit


@app.callback()
def root(
    show: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version and end."),
) -> None:
    """Watches your shops' orders and acts before a ship-by deadline is missed."""


def main() -> None:
    """Entry point of `forestall` and `python -m daemon`; ends the process with the contract's exit code."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    heap.load()
    sys.exit(run_or_forward(app, sys.argv[1:]))
