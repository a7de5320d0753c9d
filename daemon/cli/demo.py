"""`forestall demo`: three sample shops through the real main job, in a folder of their own.

Nothing leaves the machine: effects are in shadow, alerts go into a sink in memory, the environment is left out.
"""

import os
import re
import shutil
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import RowMapping

from adapters.base import Message
from daemon import cli, clock, reasons, show, words
from daemon import config as configuration
from daemon.cli import logs, screen
from daemon.cli.session import Session, opened, out, run
from daemon.config import Config
from daemon.errors import Busy, Unavailable, Usage
from daemon.explanation import why
from daemon.i18n import gettext as _
from daemon.i18n import ngettext
from daemon.scheduler import assemble, tick
from daemon.store import views
from daemon.store.database import open_database, upgrade
from rules import payout
from rules.calendars import duration
from rules.instant import MINUTE, parse, to_datetime

ZONE = ZoneInfo("Asia/Shanghai")
SAMPLES = {
    "taobao-home.csv": ("taobao-home/ExportOrderList{-14m|%Y%m%d%H%M}.csv", "gbk", "\r\n"),
    "pdd-outlet.csv": ("pdd-outlet/orders_export{-11m|%Y-%m-%d-%H-%M-%S}.csv", "utf-8-sig", "\r\n"),
    "tmall-flagship.jsonl": ("tmall-flagship/orders.jsonl", "utf-8", "\n"),
}
"""Sample → file in the drop folders, encoding, line end: as the platforms' own exports have them."""
NEXT_STEPS = 8
_MARK = re.compile(r"\{([+-])([0-9dhm]+)(?:\|([^}]+))?\}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    directory: Annotated[Path, typer.Argument(help="Working folder; made anew by each run.")] = Path(".demo"),
) -> None:
    """Show Forestall at work on sample shops, all on this machine."""
    logs.show(quiet=True)
    _without_overrides()
    now = clock.now()
    file = _made(directory, now)
    out().print(_("Three sample shops of one seller, from order exports to what has to be done, by the real main job."))
    out().print(_("Nothing leaves this machine. Folder: {folder} (made anew by each run)").format(folder=directory))
    with opened(file, adapters=True) as session:
        _head(1, _("Read the files in the drop folders"), f"forestall tick -c {file}")
        parts = assemble(session.database, session.installation, now)
        did = tick(parts, now)
        _read(session, directory)
        text = _("{decided} orders and stock pools decided, {dispatched} alerts and tasks sent on")
        out().print(text.format(**did))
        told = list(_told(session))
    _show(2, _("What could not be used, and how to mend it"), file, "feeds", "rejected")
    _cases(file)
    _alerts(told)
    _show(5, _("The screen to start the day with"), file, "today")
    _show(6, _("What is left for people"), file, "tasks", "list", "--most", "6")
    order, shop = _example(file)
    _show(7, _("Why: everything decided about one order"), file, "why", order, "--shop", shop)
    _to_come(file)
    _farewell(file, order, shop)


def _without_overrides() -> None:
    """Settings in the environment would beat the demo's own file, and could make it live: they are left out."""
    for name in sorted(os.environ):
        section = name.removeprefix("FORESTALL_").split("__")[0].lower()
        if name.startswith("FORESTALL_") and section in Config.model_fields:
            del os.environ[name]
            out().say(_("{name} is left out: the demo uses its own settings only").format(name=name))


def _made(directory: Path, now: int) -> Path:
    """The folder with configuration, drop folders and an empty database; returns the configuration file."""
    file = directory / "forestall.toml"
    shipped = files("daemon").joinpath("demo")
    text = shipped.joinpath("forestall.toml").read_text("utf-8")
    if directory.exists():
        _remove(directory, file, text.splitlines()[0])
    directory.mkdir(parents=True)
    file.write_text(text, "utf-8")
    for sample, (name, encoding, end) in SAMPLES.items():
        target = directory / "inbox" / _dated(name, now)
        target.parent.mkdir(parents=True)
        _write(shipped.joinpath(sample), target, now, encoding, end)
    database = open_database(configuration.url_of(configuration.load(file)))
    try:
        upgrade(database)
    finally:
        database.close()
    return file


def _remove(directory: Path, file: Path, mark: str) -> None:
    """Remove an earlier demo, and only that: never a folder that is something else, nor one in use."""
    if not any(directory.iterdir()):
        directory.rmdir()
        return
    if not file.is_file() or not file.read_text("utf-8").startswith(mark):
        raise Usage(_("{folder} is not a demo folder; name another one").format(folder=directory))
    try:
        open_database(configuration.url_of(configuration.load(file))).close()
    except Busy as error:
        raise Unavailable(_("a daemon runs on {folder}; stop it first").format(folder=directory)) from error
    shutil.rmtree(directory)


def _write(sample: Traversable, target: Path, now: int, encoding: str, end: str) -> None:
    """A sample with its times made relative to now; old enough to count as wholly written."""
    lines = _dated(sample.read_text("utf-8"), now, rfc=target.suffix == ".jsonl").splitlines()
    target.write_bytes("".join(line + end for line in lines).encode(encoding))
    at = (now - MINUTE) // 1_000_000
    os.utime(target, (at, at))


def _dated(text: str, now: int, *, rfc: bool = False) -> str:
    """`{-20h}` becomes the local time 20 hours ago; `{-20h|%y%m%d}` in that form."""

    def moment(found: re.Match[str]) -> str:
        span = duration(found[2]) * (1 if found[1] == "+" else -1)
        at = to_datetime(now + span, ZONE).replace(microsecond=0)
        return at.isoformat() if rfc and not found[3] else at.strftime(found[3] or "%Y-%m-%d %H:%M:%S")

    return _MARK.sub(moment, text)


def _head(number: int, title: str, command: str | None = None) -> None:
    out().print(f"\n━━ {number} ━━ {title}")
    if command is not None:
        out().print(f"$ {command}\n")


def _show(number: int, title: str, file: Path, *words_: str) -> None:
    """One step: its heading, the command as it would be typed, and what that command really prints."""
    arguments = [*words_, "-c", str(file)]
    _head(number, title, " ".join(("forestall", *arguments)))
    code = run(cli.app, arguments)
    if code:
        raise typer.Exit(code)


def _read(session: Session, directory: Path) -> None:
    """The files that were read, and what each shop now has."""
    with session.database.begin() as tx:
        known = views.order_rows(tx)
    rows = []
    for name, section in sorted(session.settings.shops.items()):
        mine = [row for row in known if row["shop"] == name]
        risky = sum(bool(row["at_risk"]) for row in mine)
        found = sorted((directory / (section.path or "")).iterdir())
        rows.append((name, ", ".join(file.name for file in found), str(len(mine)), str(risky)))
    heads = [_("shop"), _("file"), _("orders"), _("at risk")]
    out().table(screen.table(heads, rows, right=(2, 3)))


def _cases(file: Path) -> None:
    """What is at risk, counted by danger and reason."""
    _head(3, _("Orders at risk: each is a case"))
    with opened(file) as session, session.database.begin() as tx:
        cases = views.case_rows(tx)
    groups: dict[tuple[str, str], list[RowMapping]] = {}
    for case in cases:
        groups.setdefault((case["violation"], case["reason"]), []).append(case)
    rows = [
        (
            words.say(words.VIOLATIONS, violation),
            reasons.sentence(reason),
            str(len(mine)),
            show.money(payout.in_all(case["stake_minor"] for case in mine), mine[0]["currency"]),
        )
        for (violation, reason), mine in sorted(groups.items(), key=lambda group: -len(group[1]))
    ]
    out().table(screen.table([_("danger"), _("why"), _("cases"), _("at stake")], rows, right=(2, 3)))
    out().print(_("one by one: forestall cases list -c {file}").format(file=file))


def _told(session: Session) -> Iterator[Message]:
    """What the memory sink received in place of a phone."""
    for outlet in session.installation.sinks.outlets.values():
        yield from getattr(outlet.sink, "messages", ())


def _alerts(told: list[Message]) -> None:
    title = ngettext(
        "What reaches your phone (here kept in memory): {n} message",
        "What reaches your phone (here kept in memory): {n} messages",
        len(told),
    )
    _head(4, title.format(n=len(told)))
    for message in told:
        out().print(f"\n{message.title}")
        for line in message.text.splitlines():
            out().print(f"    {line}".rstrip())


def _example(file: Path) -> tuple[str, str]:
    """The order with most to tell: the one with most open cases, else the nearest."""
    with opened(file) as session, session.database.begin() as tx:
        rows = views.case_rows(tx)
    if not rows:
        raise Unavailable(_("no case was opened: look at forestall feeds rejected -c {file}").format(file=file))
    names = [(row["order_id"], row["shop"]) for row in rows]
    return max(names, key=lambda name: (names.count(name), -names.index(name)))


def _to_come(file: Path) -> None:
    """The steps that follow if nothing changes: found by letting the same rules run ahead."""
    _head(8, _("What Forestall will do next if nothing changes"))
    with opened(file) as session:
        with session.database.begin() as tx:
            names = sorted({(row["shop"], row["order_id"]) for row in views.case_rows(tx)})
            shops = session.installation.shops
            found = [(name, why(tx, shops, *name, None, session.now)) for name in names]
        steps = sorted(
            (step["due_at"], shop, order, step["action"], step["key"].rsplit("/", 1)[1])
            for (shop, order), document in found
            if document is not None
            for step in document["steps"]
            if step["outcome"] == "planned"
        )
        rows = [
            (show.moment(parse(at), ZONE), shop, order, words.say(words.KINDS, kind), words.say(words.STEPS, step))
            for at, shop, order, kind, step in steps[:NEXT_STEPS]
        ]
    out().table(screen.table([_("when"), _("shop"), _("order"), _("kind"), _("what")], rows))
    if len(steps) > NEXT_STEPS:
        out().print(_("… and {n} more").format(n=len(steps) - NEXT_STEPS))
    out().print(_("Effects are in shadow: they are recorded and handed to people, never carried out by themselves."))


def _farewell(file: Path, order: str, shop: str) -> None:
    _head(9, _("Where to look next"))
    lines = [
        (f"forestall today -c {file}", _("the screen again, later: time goes on")),
        (f"forestall orders show {order} --shop {shop} -c {file}", _("everything known of one order")),
        (f"forestall replay {file.parent / 'inbox'} -c {file}", _("the same files with simulated time")),
        ("forestall init my-shops", _("begin with your own export files")),
    ]
    out().print(screen.pairs(lines))
