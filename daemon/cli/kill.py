"""`forestall kill`: stop new external calls. Works with the database gone."""

import contextlib
from pathlib import Path
from typing import Annotated, Literal

import typer

from daemon import config as configuration
from daemon import kill as switch
from daemon import mistakes
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, opened, out
from daemon.errors import Busy, DaemonError
from daemon.i18n import gettext as _


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
    on = _apply(config, flag, state)
    if json:
        out().json({"kill": "on" if on else "off"})
        return
    out().print(_("kill switch: on, nothing leaves this machine") if on else _("kill switch: off"))


def _flag(config: Path) -> Path:
    settings = configuration.load(config)
    return switch.flag_path(configuration.url_of(settings), settings.base)


def _apply(config: Path, flag: Path, state: str) -> bool:
    """Write the flag file first, so that it counts even when the database cannot be reached."""
    if state == "on":
        with contextlib.suppress(PermissionError):  # one who may not write here may still ask the daemon
            flag.touch()
    try:
        with opened(config) as session:
            if state != "status":
                switch.switch(session.database, flag, state == "on")
            return switch.is_on(session.database, flag)
    except Busy:
        raise
    except DaemonError as error:
        if state == "off" or (state == "on" and not flag.exists()):
            raise
        out().say(mistakes.translated(str(error)))
        return flag.exists()
