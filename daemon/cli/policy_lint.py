"""`forestall policy lint`: packs, playbook and calendars checked at once, each finding with its place and mend."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from daemon import clock, mistakes, words
from daemon import config as configuration
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, here, opened, out
from daemon.config import Config
from daemon.errors import Busy, DaemonError
from daemon.i18n import gettext as _
from daemon.installation import Installation, build, read_playbook
from daemon.store import confirmations
from daemon.store.confirmations import Confirmation
from rules import lint, packs, playbook
from rules.calendars import coverage
from rules.errors import PolicyError
from rules.instant import to_datetime
from rules.packs import Pack
from rules.playbook import Playbook


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("lint")(lint_policy)


def lint_policy(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A playbook or rule pack; left out: the playbook in use.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Tell what is wrong with rule packs, playbook and calendars."""
    alone = file is not None and config == DEFAULT_CONFIG and not here(config).exists()
    made = build(Config() if alone else configuration.load(here(config)), adapters=False)
    problems = [*made.problems, *broken_packs()]
    plays = _read(here(file), made, problems) if file is not None else made.shops.playbook
    given, unread = ({}, list[str]()) if alone else _confirmations(config)
    warnings = [*unread, *_calendars()]
    if not problems:
        warnings += [*_windows(made), *_changed(given), *_unconfirmed(made, plays, given)]
    if json:
        out().json({"playbook": plays.version, "problems": problems, "warnings": warnings})
    else:
        for problem in problems:
            out().print(f"✗ {mistakes.translated(problem)}")
        for warning in warnings:
            out().print(f"! {warning}")
        out().print(_("playbook {version}: {n} mistakes").format(version=plays.version, n=len(problems)))
    if problems:
        raise typer.Exit(78)


def _read(file: Path, made: Installation, problems: list[str]) -> Playbook:
    """The playbook of a file; a rule pack (it names its platform) is judged as one, and the playbook in use stays."""
    try:
        text = file.read_text("utf-8")
        is_pack = "platform" in tomllib.loads(text)
    except (OSError, ValueError):
        is_pack = False
    if not is_pack:
        return read_playbook(file, problems)
    try:
        packs.parse(text, str(file))
    except PolicyError as error:
        problems += str(error).splitlines()
    return made.shops.playbook


def broken_packs() -> Iterator[str]:
    """What is wrong with the rule packs and the playbook that are installed."""
    for name in packs.PLATFORMS:
        try:
            packs.load(name)
        except PolicyError as error:
            yield str(error)
    try:
        playbook.shipped()
    except PolicyError as error:
        yield str(error)


def _confirmations(config: Path) -> tuple[Mapping[str, Confirmation], list[str]]:
    """What people have confirmed; without a database nothing is, and that is said."""
    try:
        with opened(config) as session, session.database.begin() as tx:
            return confirmations.load(tx), []
    except Busy:
        raise
    except DaemonError as error:
        why = mistakes.translated(str(error).splitlines()[0])
        return {}, [_("confirmations cannot be read: {why}").format(why=why)]


def _calendars() -> Iterator[str]:
    year = to_datetime(clock.now()).year
    text = _("the work calendar of {year} is not known yet: holidays of that year are not considered")
    for each in (year, year + 1):
        if not coverage(each):
            yield text.format(year=each)


def _windows(made: Installation) -> Iterator[str]:
    """Seasons whose dates nobody has told us: orders run on the ordinary promise."""
    text = _("{platform}: no dates are known for {occasion} {year}; its orders run on the ordinary promise")
    for pack in _in_use(made):
        today = packs.local_date(clock.now(), pack.zone)
        for occasion, year in lint.missing_windows(pack, today):
            name = words.say(words.OCCASIONS, occasion)
            yield text.format(platform=pack.platform, occasion=name, year=year)


def _changed(given: Mapping[str, Confirmation]) -> Iterator[str]:
    """Confirmations that count no more, because an update changed the row."""
    known = {row.digest for pack in packs.all_packs() for row in pack.rows}
    text = _("{row} has changed since {by} confirmed it: read it and confirm it again")
    for digest, word in sorted(given.items(), key=lambda item: item[1].row):
        if digest not in known:
            yield text.format(row=word.row, by=word.by)


def _unconfirmed(made: Installation, plays: Playbook, given: Mapping[str, Confirmation]) -> Iterator[str]:
    """Rows that would pay, were they confirmed."""
    text = _('{platform}: {row} would pay but is not confirmed: forestall policy confirm {row} --source "…"')
    for pack in _in_use(made):
        for row in lint.would_pay(pack, plays, clock.now(), frozenset(given)):
            yield text.format(platform=pack.platform, row=row.id)


def _in_use(made: Installation) -> list[Pack]:
    return [packs.load(name) for name in sorted({shop.platform for shop in made.shops.known.values()})]
