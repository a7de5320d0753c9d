"""`forestall replay`: recorded snapshots through the production engine, with simulated time; nothing is performed."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from daemon import clock, lines, whatif, words
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, instant, out, shared_zone, writing
from daemon.errors import Usage
from daemon.foreign import translated
from daemon.i18n import gettext as _
from daemon.i18n import ngettext
from daemon.recording import Recording, place_of, record
from daemon.replay import Simulation
from daemon.store import journal
from rules.calendars import duration
from rules.errors import PolicyError
from rules.instant import format_utc

SHOWN = 50
"""Rows that could not be used and are named one by one."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(replay)


def replay(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="Files and folders: .jsonl .csv .xlsx, also .gz.")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    since: Annotated[str | None, typer.Option("--from", help="Start here (default: the first fact).")] = None,
    until: Annotated[str | None, typer.Option("--until", help="End here (default: 72 h after all is due).")] = None,
    step: Annotated[str, typer.Option("--step", help="How far time moves at once; changes no result.")] = "1h",
    observed_at: Annotated[
        str | None, typer.Option("--observed-at", help="When files without a time were true.")
    ] = None,
    out_file: Annotated[Path | None, typer.Option("--out", help="Write the decision lines here.")] = None,
    json: JsonOption = False,
) -> None:
    """Replay recorded orders with simulated time; nothing is performed."""
    began = clock.monotonic()
    settings = whatif.settings_of(config)
    zone = shared_zone(settings)
    stride, start, stop = (
        _step(step),
        instant(since, "--from", zone, past=True),
        instant(until, "--until", zone, past=True),
    )
    if start is not None and stop is not None and stop <= start:
        raise Usage(_("--until: must lie after --from"))
    with _bar() as bar:
        reading = bar.add_task(_("reading"), total=None)
        recording = record(
            paths,
            settings,
            instant(observed_at, "--observed-at", zone, past=True),
            lambda path: bar.update(reading, description=path.name),
        )
        bar.remove_task(reading)
        with _output(out_file) as lines_to:
            simulation = Simulation(whatif.shops_of(settings, recording))
            end = _run(simulation, recording, start, stop, stride, bar)
            summary = _summary(simulation, recording, end, lines_to)
    summary["seconds"] = round(clock.monotonic() - began, 3)
    _report(summary, recording, out_file, json)


def _run(
    simulation: Simulation, recording: Recording, since: int | None, until: int | None, step: int, bar: Progress
) -> int:
    """Let time pass; returns where it ended."""
    start, last = whatif.span(recording, since)
    task = bar.add_task(_("replaying"), total=max((until or last) - start, 1))

    def progress(mark: int) -> None:
        bar.update(task, completed=mark - start, description=format_utc(mark)[:16])

    return whatif.live(simulation, recording, start, until, step, progress)


@contextmanager
def _output(out_file: Path | None) -> Iterator[BinaryIO | None]:
    """Where the decision lines go: opened before time moves, so that a wrong path costs nobody the replay."""
    if out_file is None:
        yield None
        return
    with writing(out_file), out_file.open("wb") as stream:
        yield stream


def _summary(simulation: Simulation, recording: Recording, end: int, stream: BinaryIO | None) -> dict[str, Any]:
    with simulation.database.begin() as tx:
        entries = list(journal.lines(tx))
    digest = hashlib.sha256()
    for encoded in lines.encode(entries):
        digest.update(encoded)
        if stream is not None:
            stream.write(encoded)
    cases = Counter(entry["case"] for entry in entries if entry["event"] == "case_opened")
    actions = Counter(entry["action"] for entry in entries if entry["event"] == "action")
    return {
        "orders": len(recording.orders),
        "snapshots": recording.snapshots,
        "quarantined": len(recording.rejected),
        "pending": simulation.pending(end),
        "cases": dict(sorted(cases.items())),
        "actions": dict(sorted(actions.items())),
        "seconds": 0.0,
        "decisions_sha256": digest.hexdigest(),
    }


def _report(summary: dict[str, Any], recording: Recording, out_file: Path | None, json: bool) -> None:
    for rejected in recording.rejected[:SHOWN]:
        out().say(f"{place_of(rejected)}: {translated(rejected.reason)} → {translated(rejected.mend)}")
    if len(recording.rejected) > SHOWN:
        out().say(_("… and {n} more").format(n=len(recording.rejected) - SHOWN))
    if json:
        out().json(summary)
        return
    text = _("{orders} orders, {snapshots} snapshots, {quarantined} rows not usable")
    out().print(text.format(**summary))
    for violation, count in summary["cases"].items():
        said = ngettext("{n} case", "{n} cases", count).format(n=count)
        out().print(f"  {words.say(words.VIOLATIONS, violation)}: {said}")
    for action, count in summary["actions"].items():
        out().print(f"  {words.say(words.KINDS, action)}: {count}")
    out().print(_("{pending} timers lie after the end; {seconds} s").format(**summary))
    out().print(f"sha256 {summary['decisions_sha256']}")
    if out_file is not None:
        out().print(_("decision lines: {file}").format(file=out_file))


def _step(text: str) -> int:
    try:
        step = duration(text)
    except (PolicyError, ValueError) as error:
        raise Usage(f"--step: {error}") from None
    if step <= 0:
        raise Usage(_("--step: must be longer than nothing"))
    return step


@contextmanager
def _bar() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = out().console(out().err)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield bar
