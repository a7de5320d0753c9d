"""`forestall check`: all that is wrong with an installation at once."""

import json as plain_json
import os
import socket
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import typer

from daemon import caveats, clock, i18n, metrics, mistakes, silence
from daemon import config as configuration
from daemon.cli import policy_lint
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, out
from daemon.config import Config
from daemon.control import forward, path_of
from daemon.errors import Busy, ConfigError, DaemonError
from daemon.i18n import gettext as _
from daemon.installation import Installation, build
from daemon.store import strangers
from daemon.store.database import check_schema, open_database
from daemon.store.strangers import Left
from rules import packs, platforms
from rules.calendars import coverage
from rules.errors import PolicyError
from rules.instant import to_datetime
from rules.model import Kind

OURS = ("daemon", "adapters", "rules")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Tell all that is wrong with configuration and database."""
    with i18n.speaking("en" if json else i18n.language()):
        problems, warnings = _found(config)
    if json:
        out().json({"problems": problems, "warnings": warnings})
    else:
        for problem in problems:
            out().print(f"✗ {mistakes.translated(problem)}")
        for warning in warnings:
            out().print(f"! {warning}")
        if not problems:
            out().print(_("all is well") if not warnings else _("usable; the lines above say what is still missing"))
    if problems:
        raise typer.Exit(78)


def _found(file: Path) -> tuple[list[str], list[str]]:
    """(problems, warnings) of an installation."""
    problems, warnings = [*_names(), *policy_lint.broken_packs()], list[str]()
    try:
        settings, misread = configuration.load_part(file)
    except ConfigError as error:
        return [*problems, *str(error).splitlines()], warnings
    problems += misread
    if settings is None:
        return problems, warnings
    try:
        made = build(settings, privacy_key=b"check")
        said = _warnings(made)
    except PolicyError:  # a shipped pack is broken, which is told already
        return problems, warnings
    problems += dict.fromkeys(f"{file}: {problem}" for problem in [*made.problems, *_folders(settings)])
    broken, silent = _database(settings)
    return [*problems, *broken], [*_platforms(settings), *silent, *said]


def _folders(settings: Config) -> Iterator[str]:
    """Drop folders that nobody can look into."""
    for name, section in sorted(settings.shops.items()):
        folder = settings.base / section.path if section.path is not None else None
        if folder is not None and not folder.is_dir():
            yield f"shops.{name}.path: there is no folder {folder}; create it, or correct path"
        elif folder is not None and not os.access(folder, os.R_OK | os.X_OK):
            yield f"shops.{name}.path: nobody may look into {folder}; let this user read it"


def _platforms(settings: Config) -> Iterator[str]:
    """Platforms of which no rules are known: what they charge and forbid is not known either."""
    for name, section in sorted(settings.shops.items()):
        if section.platform in packs.PLATFORMS:
            continue
        text = _("shops.{name}.platform: no rules are known for {platform}: fines and contact rules are generic{hint}")
        near = platforms.nearest(section.platform)
        hint = _("; did you mean {near}?").format(near=near) if near is not None else ""
        yield text.format(name=name, platform=section.platform, hint=hint)


def _listening(settings: Config) -> list[str]:
    """What already listens where metrics are to be served, while no daemon of ours runs."""
    if settings.daemon.metrics is None:
        return []
    try:
        socket.create_server(configuration.address(settings.daemon.metrics)).close()
    except OSError as error:
        return [str(metrics.taken(settings.daemon.metrics, error))]
    return []


def _names() -> list[str]:
    """Other distributions that own our top-level names would silently replace our modules."""
    owners = _owners()
    return [
        _("package {other} owns the module name {name}: pip uninstall {other}").format(other=other, name=name)
        for name in OURS
        for other in sorted(set(owners.get(name, ())) - {"forestall"})
    ]


@cache
def _owners() -> Mapping[str, list[str]]:
    """Which distributions bring each top-level name: read once in a process, of all that is installed (0.1 s)."""
    return packages_distributions()


def _database(settings: Config) -> tuple[list[str], list[str]]:
    """(what is wrong with the database, warnings: what it holds of shops configured no more, what reached nobody).

    While a daemon holds it, the daemon says what reached nobody.
    """
    try:
        database = open_database(configuration.url_of(settings))
    except Busy:
        return [], _asked(settings)
    except DaemonError as error:
        return [str(error)], []
    try:
        check_schema(database)
        with database.begin() as tx:
            left = [caveats.left_over(one) for one in strangers.left(tx, settings.shops)]
            silent = [one.text for one in silence.found(tx, settings.alerts, clock.now())]
            return _listening(settings), [*left, *silent, *silence.never_tried(tx, settings.alerts)]
    except DaemonError as error:
        return [str(error)], []
    finally:
        database.close()


def _asked(settings: Config) -> list[str]:
    """What is left of shops, what reached nobody, which receivers were never tried, as a running daemon says it."""
    known = (_left(one) for one in _of_daemon(settings, "shops", "list").get("shops", ()))
    left = [caveats.left_over(one) for one in known if one.shop not in settings.shops and one.open]
    caveats_now = _of_daemon(settings, "today").get("caveats", ())
    tried = {one["name"] for one in _of_daemon(settings, "alerts", "list").get("receivers", ()) if one["tried"]}
    silent = [one["said"] for one in caveats_now if one["code"] in silence.CODES]
    return [*left, *silent, *(silence.untried(name) for name in sorted(settings.alerts) if name not in tried)]


def _left(document: dict[str, Any]) -> Left:
    """What a daemon's list of shops says of one."""
    counts = {name: document[name] for name in ("tasks", "waiting")}
    names = {name: document[name] for name in ("shop", "seller", "platform")}
    return Left(**names, **counts, orders=document["open_orders"], cases=document["open_cases"])


def _of_daemon(settings: Config, *words: str) -> dict[str, Any]:
    """A document of the daemon that holds the database; empty when it does not answer."""
    answer = forward(path_of(settings), [*words, "--json"], i18n.language())
    document: dict[str, Any] = plain_json.loads(answer["out"]) if answer is not None and answer["code"] == 0 else {}
    return document


def _warnings(made: Installation) -> list[str]:
    found = []
    told = made.shops.mode(Kind.ALERT) == "live" and made.sinks.for_kind(Kind.ALERT)
    if not told:
        found.append(_('nobody will be told: enter a sink under [alerts] and set [mode] alert = "live"'))
    year = to_datetime(clock.now()).year
    unknown = _("the work calendar of {year} is not known yet: holidays of that year are not considered")
    found += [unknown.format(year=each) for each in (year, year + 1) if not coverage(each)]
    env = _("shops.{name}: env: secrets are for development; use cred: or file:")
    sections = made.config.shops.items()
    found += [env.format(name=name) for name, s in sections if any(v.startswith("env:") for v in s.options.values())]
    unconfirmed = sum(not row.verified for pack in packs.all_packs() for row in pack.rows)
    if unconfirmed:
        text = _("{n} rows of the rule packs are not confirmed by a person: none of them moves money")
        found.append(text.format(n=unconfirmed))
    return found
