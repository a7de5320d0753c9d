"""The command line. Every command opens what it needs through `daemon.cli.session`, and says it in two languages."""

import sys
from importlib.metadata import version

import typer

from daemon import heap
from daemon.cli import (
    cases,
    demo,
    evidence,
    feeds,
    health,
    kill,
    listings,
    orders,
    policy,
    replay,
    schema,
    service,
    setup,
    tasks,
    today,
    why,
)
from daemon.cli.session import out, run_or_forward

app = typer.Typer(
    name="forestall",
    help="Watches your shops' orders and acts before a ship-by deadline is missed.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        out().print(f"forestall {version('forestall')}")
        raise typer.Exit


@app.callback()
def root(
    show: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version and end."),
) -> None:
    """Watches your shops' orders and acts before a ship-by deadline is missed."""


for module in (demo, setup, service, today, health, why, replay, kill):
    module.register(app)
app.add_typer(orders.app, name="orders")
app.add_typer(cases.app, name="cases")
app.add_typer(tasks.app, name="tasks")
app.add_typer(policy.app, name="policy")
app.add_typer(listings.app, name="listings")
app.add_typer(feeds.app, name="feeds")
app.add_typer(evidence.app, name="evidence")
app.add_typer(schema.app, name="db")


def main() -> None:
    """Entry point of `forestall` and `python -m daemon`; ends the process with the contract's exit code."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    heap.settle()
    sys.exit(run_or_forward(app, sys.argv[1:]))
