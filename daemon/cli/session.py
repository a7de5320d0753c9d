"""What a command works with: configuration, database, clock, output. One lock holder: a running daemon
executes commands for others through its socket."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from daemon import clock, i18n
from daemon.cli import output
from daemon.cli.output import Out as Out
from daemon.cli.output import out as out
from daemon.errors import Busy, ConfigError, DaemonError, Unavailable, Usage
from daemon.i18n import gettext as _

if TYPE_CHECKING:
    from daemon.config import Config
    from daemon.control import Request
    from daemon.installation import Installation
    from daemon.store.database import Database
from rules.errors import PolicyError

ConfigOption = Annotated[
    Path,
    typer.Option("-c", "--config", envvar="FORESTALL_CONFIG", help="The configuration file.", show_default=True),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
ShopOption = Annotated[str | None, typer.Option("--shop", help="Only this shop.")]
MostOption = Annotated[int | None, typer.Option("--most", min=1, help="Show at most so many.")]
DEFAULT_CONFIG = Path("forestall.toml")


@dataclass(slots=True)
class Holder:
    """The database and installation of a running daemon, in whose process a forwarded command runs."""

    database: "Database"
    installation: "Installation"


_holder: ContextVar[Holder | None] = ContextVar("holder", default=None)
_cwd: ContextVar[Path | None] = ContextVar("cwd", default=None)
_user: ContextVar[str | None] = ContextVar("user", default=None)
_zone: ContextVar[ZoneInfo | None] = ContextVar("zone", default=None)
_typed: ContextVar[str | None] = ContextVar("typed", default=None)
ALONE = ("run", "tick")
"""Commands that a running daemon does not carry out for others: they are what it does itself."""


@dataclass(slots=True)
class Session:
    """An open installation: configuration, database (schema checked), shops without adapters."""

    settings: "Config"
    database: "Database"
    installation: "Installation"
    now: int = field(default_factory=clock.now)


@contextmanager
def opened(path: Path, *, adapters: bool = False, check: bool = True) -> Iterator[Session]:
    """Open the installation that `path` describes; a forwarded command uses the daemon's own."""
    holder = _holder.get()
    if holder is not None:
        yield Session(settings=holder.installation.config, database=holder.database, installation=holder.installation)
        return
    from daemon import config
    from daemon.installation import build, usable
    from daemon.store import meta
    from daemon.store.database import check_schema, open_database

    settings = config.load(path)
    database = open_database(config.url_of(settings))
    try:
        if check:
            check_schema(database)
        with database.begin() as tx:
            key = meta.privacy_key(tx) if check else b""
            confirmed = meta.confirmed(tx) if check else frozenset[str]()
        installation = build(settings, privacy_key=key, confirmed=confirmed, adapters=adapters)
        yield Session(settings=settings, database=database, installation=usable(installation))
    finally:
        database.close()


def here(path: Path) -> Path:
    """A path that a person typed, seen from the folder it was typed in."""
    base = _cwd.get()
    return path if base is None else base / path


@contextmanager
def maybe_opened(config: Path, *, needed: bool) -> Iterator[Session | None]:
    """The installation; None where there is none, nobody named one, and it is not `needed`."""
    named = config != DEFAULT_CONFIG or config.exists()
    if not needed and not named and _holder.get() is None:
        yield None
        return
    with opened(config) as session:
        yield session


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """Write a file that a person named. Raises Unavailable, with the reason, where that cannot be done."""
    try:
        yield
    except OSError as error:
        text = _("{file}: cannot be written ({reason})")
        raise Unavailable(text.format(file=file, reason=translated(error.strerror or ""))) from error


def user() -> str:
    """The system's user who typed the command, also where a daemon runs it for him."""
    asked = _user.get()
    if asked is not None:
        return asked
    import getpass  # which loads what Windows has not

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def typed() -> str:
    """What stands on the standard input of the command, read to its end once."""
    said = _typed.get()
    if said is None:
        said = sys.stdin.read()
        _typed.set(said)
    return said


def check_shop(session: Session, shop: str | None) -> None:
    """Raises Usage for the name of a shop that is neither configured nor was ever read."""
    if shop is None or shop in session.settings.shops:
        return
    from daemon.store import feeds

    with session.database.begin() as tx:
        read = {row["shop"] for row in feeds.statuses(tx)}
    if shop not in read:
        known = ", ".join(sorted(read.union(session.settings.shops))) or _("none")
        raise Usage(_("no shop {shop} is known; known are: {known}").format(shop=shop, known=known))


def find_shop(session: Session, order_id: str, shop: str | None) -> str:
    """The shop of an order. Raises Usage when it is unknown, or known in several shops."""
    from daemon.store import views

    with session.database.begin() as tx:
        known = views.shops_of(tx, order_id)
    if shop is not None and shop in known:
        return shop
    if not known or shop is not None:
        raise Usage(_("no order {order} is known{where}").format(order=order_id, where=f" ({shop})" if shop else ""))
    if len(known) > 1:
        names = ", ".join(known)
        raise Usage(
            _("order {order} is known in several shops: {shops}; add --shop").format(order=order_id, shops=names)
        )
    return known[0]


def reader() -> ZoneInfo:
    """The zone of the person who reads: that of the system the command was typed on."""
    return _zone.get() or clock.zone()


def shared_zone(settings: "Config | None") -> ZoneInfo | None:
    """The zone of all configured shops; None where they have several, or there are none."""
    from daemon.shops import zone_of

    shops = settings.shops.values() if settings is not None else ()
    zones = {shop.timezone or zone_of(shop.platform) for shop in shops}
    return zones.pop() if len(zones) == 1 else None


def moment(instant: int | None, zone: ZoneInfo, now: int | None = None) -> str:
    """A moment in a shop's time, as its reader would say it; the zone is named where it is not his."""
    from daemon import show

    return show.moment(instant, zone, now, reader())


def instant(given: str | None, option: str, zone: ZoneInfo | None = None, *, past: bool = False) -> int | None:
    """An instant given on the command line: RFC 3339, or as people write it (`daemon.when`), in `zone`, else the
    reader's. `past`: of a span or a time of day the last one is meant. Raises Usage."""
    if given is None:
        return None
    from daemon import when

    try:
        return when.read(given, clock.now(), zone or reader(), past=past)
    except (ValueError, OverflowError) as error:
        text = _(
            "{option}: {text} names no time; write it like 2h, 08:30, tomorrow 08:30, 2026-06-01 08:00 "
            "or 2026-06-01T08:00:00+08:00"
        )
        raise Usage(text.format(option=option, text=repr(given))) from error


def run(app: typer.Typer, arguments: list[str]) -> int:
    """Run a command; returns its exit code. Errors are told on stderr, each with its mend."""
    from daemon.cli.speech import spoken

    try:
        code = spoken(app).main(arguments, standalone_mode=False, prog_name="forestall")
        return code if isinstance(code, int) else 0
    except DaemonError as error:
        if isinstance(error, Busy):
            raise
        out().say(translated(str(error)))
        return error.exit_code
    except PolicyError as error:
        out().say(translated(str(error)))
        return ConfigError.exit_code
    except typer.Exit as error:
        return error.exit_code
    except typer.TyperException as error:
        out().say(_misuse(error))
        return Usage.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        return 0


def translated(said: str) -> str:
    """What was refused, in the reader's language."""
    from daemon import mistakes

    return mistakes.translated(said)


def _misuse(error: typer.TyperException) -> str:
    """What was wrong with a command line, and where help is: commands, options and values are named."""
    said = str(getattr(error, "format_message", error.__str__)()).replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    if context is None or said == context.get_help():
        return said
    return f"{translated(said)}\n" + _("help: {command} --help").format(command=context.command_path)


def run_or_forward(app: typer.Typer, arguments: list[str]) -> int:
    """Run here; when a daemon holds the database, let it run the command and show its answer."""
    try:
        return run(app, arguments)
    except Busy as error:
        from daemon.control import forward, socket_path

        path = socket_path(arguments, DEFAULT_CONFIG) if arguments[0] not in ALONE else None
        answer = forward(path, arguments, i18n.language(), _typed.get() or "") if path is not None else None
        if answer is None:
            out().say(translated(str(error)))
            return error.exit_code
        out().out.write(answer["out"])
        out().err.write(answer["err"])
        return int(answer["code"])


def run_for_client(app: typer.Typer, holder: Holder, request: "Request") -> dict[str, Any]:
    """Run a forwarded command inside the daemon, with its database; returns code and what it printed."""
    streams = Out(io.StringIO(), io.StringIO(), request.columns)
    if request.argv[:1] and request.argv[0] in ALONE:
        return {"code": Busy.exit_code, "out": "", "err": _("a daemon is running; it does this by itself") + "\n"}
    tokens = (output.current.set(streams), _holder.set(holder), i18n.override.set(request.lang), _cwd.set(request.cwd))
    asked, zone, typed = _user.set(request.user), _zone.set(request.zone), _typed.set(request.stdin)
    try:
        code = run(app, request.argv)
    except Exception as error:
        streams.say(f"{type(error).__name__}: {error}")
        code = 1
    finally:
        output.current.reset(tokens[0])
        _holder.reset(tokens[1])
        i18n.override.reset(tokens[2])
        _cwd.reset(tokens[3])
        _user.reset(asked)
        _zone.reset(zone)
        _typed.reset(typed)
    return {"code": code, "out": streams.out.getvalue(), "err": streams.err.getvalue()}
