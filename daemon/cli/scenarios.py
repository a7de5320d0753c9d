"""`forestall policy test`: does the playbook do what its owner expects?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from daemon import clock, scenario, whatif
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, here, out
from daemon.errors import NoInput
from daemon.i18n import gettext as _
from daemon.rehearsal import Result, rehearse


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("test")(run_scenarios)


def run_scenarios(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE|DIR…", help="Scenario files: docs/policy-tests.md.")],
    playbook: Annotated[
        Path | None, typer.Option("--playbook", help="For files that name none; left out: the one in use.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Play scenarios through the playbook and tell which expectations are missed."""
    began = clock.monotonic()
    files = scenario.files([here(path) for path in paths])
    if not files:
        raise NoInput(_("no scenario file (.toml) in {paths}").format(paths=", ".join(map(str, paths))))
    usual = whatif.playbook_of(here(playbook) if playbook is not None else None, whatif.settings_of(config))
    results = rehearse(scenario.load(files), usual)
    seconds = round(clock.monotonic() - began, 3)
    missed = [result for result in results if result.misses]
    if json:
        told = [_json(result) for result in results]
        out().json({"scenarios": len(results), "missed": len(missed), "results": told, "seconds": seconds})
    else:
        for result in missed:
            _print(result)
        text = _("{n} scenarios, {missed} missed ({seconds} s)")
        out().print(text.format(n=len(results), missed=len(missed), seconds=seconds))
    if missed:
        raise typer.Exit(1)


def _print(result: Result) -> None:
    out().print(f"✗ {result.scenario.file}: {result.scenario.name}")
    for miss in result.misses:
        out().print(f"    {_('order')} {miss.order}: {miss.what}")
        out().print(f"      - {_('expected')}: {miss.expected}")
        out().print(f"      + {_('actual')}:   {miss.actual}")


def _json(result: Result) -> dict[str, Any]:
    return {
        "file": result.scenario.file,
        "name": result.scenario.name,
        "ok": not result.misses,
        "misses": [
            {"order": miss.order, "what": miss.what, "expected": miss.expected, "actual": miss.actual}
            for miss in result.misses
        ],
    }
