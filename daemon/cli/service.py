"""`forestall run` and `forestall tick`: the daemon, and one pass for cron."""

import sys
from typing import Annotated

import structlog
import typer
from sqlalchemy import func, select

from daemon import cli, clock, jump
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, Holder, JsonOption, instant, opened, out, run_for_client
from daemon.control import Handler
from daemon.errors import Usage
from daemon.i18n import gettext as _
from daemon.installation import Installation
from daemon.scheduler import assemble
from daemon.scheduler import tick as pass_once
from daemon.service import Service
from daemon.store.database import Database
from daemon.tables import Action, Delivery
from rules.model import Outcome

A = Action.__table__  # type: ignore[attr-defined]
D = Delivery.__table__  # type: ignore[attr-defined]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run")(run)
    app.command("tick")(tick)


def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run the daemon until SIGTERM; SIGHUP reloads the configuration."""
    logging()
    Service(path=config, handler=_handler).run()


def tick(
    config: ConfigOption = DEFAULT_CONFIG,
    at: Annotated[str | None, typer.Option("--at", help="Pretend it is this moment; forces shadow.")] = None,
    json: JsonOption = False,
) -> None:
    """Make one pass of all three hops: poll, decide, dispatch."""
    logging(quiet=True)
    moment = instant(at, "--at")
    with opened(config, adapters=True) as session:
        if moment is not None:
            _refuse_live_rows(session.database)
            session.installation.shops.default_mode = "shadow"
            session.installation.shops.modes = {}
        now = moment if moment is not None else clock.now()
        parts = assemble(session.database, session.installation, now, pretend=moment is not None)
        did = pass_once(parts, now, jump.read() if moment is None else None)
    if json:
        out().json(did)
        return
    out().print(_("polled {polled}, decided {decided}, dispatched {dispatched}").format(**did))


_TRACEBACKS = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
"""Tracebacks without local variables: those hold orders, texts and keys."""


def logging(quiet: bool = False) -> None:
    """Canonical log lines on stderr (quiet: warnings only); JSON unless a person watches."""
    person = sys.stderr.isatty()
    level = 30 if quiet else 20
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if person else [structlog.processors.ExceptionRenderer(_TRACEBACKS)]),
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
            if person
            else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def _handler(database: Database, installation: Installation) -> Handler:
    holder = Holder(database, installation)
    return lambda request: run_for_client(cli.app, holder, request)


def _refuse_live_rows(database: Database) -> None:
    """`--at` is for rehearsals: a database in which something was ever live is left alone."""
    with database.begin() as tx:
        live = tx.execute(
            select(func.count()).select_from(A).where(A.c.mode == "live", A.c.outcome != Outcome.VOID)
        ).scalar_one()
        live += tx.execute(select(func.count()).select_from(D)).scalar_one()
    if live:
        raise Usage(_("--at needs a database without live rows; name another one in [database] url"))
