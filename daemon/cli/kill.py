"""`forestall kill`: stop new external calls. Works with the database gone."""

import contextlib
from pathlib import Path
from typing import Annotated, Literal

import typer

from daemon import clock, mistakes
from daemon import config as configuration
from daemon import kill as switch
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, moment, opened, out, reader, user
from daemon.errors import Busy, DaemonError
from daemon.i18n import gettext as _
from rules.instant import format_utc


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("kill")(kill)


def kill(
    state: Annotated[Literal["on", "off", "status"], typer.Argument(help="on, off or status")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Stop new external calls (on), allow them again (off), or tell."""
    flag = _flag(config)
    on, last = _apply(config, flag, state)
    by, at = last or (None, None)
    if json:
        out().json({"kill": "on" if on else "off", "by": by, "at": None if at is None else format_utc(at)})
        return
    said = _("kill switch: on, nothing leaves this machine") if on else _("kill switch: off")
    who = _(" ({who}, {moment})").format(who=by, moment=moment(at, reader(), clock.now())) if by else ""
    out().print(said + who)


def _flag(config: Path) -> Path:
    settings = configuration.load(config)
    return switch.flag_path(configuration.url_of(settings), settings.base)


def _apply(config: Path, flag: Path, state: str) -> tuple[bool, tuple[str, int] | None]:
    """(whether it is on, who turned it last and when), once done.

    The flag file is written first, so that it counts even when the database cannot be reached.
    """
    if state == "on":
        with contextlib.suppress(PermissionError):  # one who may not write here may still ask the daemon
            switch.raise_flag(flag, user(), clock.now())
    try:
        with opened(config) as session:
            if state != "status":
                switch.switch(session.database, flag, state == "on", user(), session.now)
            with session.database.begin() as tx:
                last = switch.turned(tx)
            return switch.is_on(session.database, flag), last
    except Busy:
        raise
    except DaemonError as error:
        if state == "off" or (state == "on" and not flag.exists()):
            raise
        out().say(mistakes.translated(str(error)))
        return flag.exists(), None
