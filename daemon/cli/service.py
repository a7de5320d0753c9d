"""`forestall run`: the daemon."""

import typer

from daemon import cli
from daemon.cli import logs
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, Holder, run_for_client
from daemon.control import Handler
from daemon.installation import Installation
from daemon.service import Service
from daemon.store.database import Database


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run the daemon until SIGTERM; SIGHUP reloads the configuration."""
    logs.show()
    Service(path=config, handler=_handler).run()


def _handler(database: Database, installation: Installation) -> Handler:
    holder = Holder(database, installation)
    return lambda request: run_for_client(cli.app, holder, request)
