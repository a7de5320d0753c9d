"""`forestall cases`: what is at risk, and what a person does about it."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection, RowMapping

from daemon import reasons, show, words
from daemon.cli import screen
from daemon.cli.session import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    MostOption,
    Session,
    ShopOption,
    check_shop,
    instant,
    moment,
    opened,
    out,
)
from daemon.errors import Usage
from daemon.i18n import gettext as _
from daemon.store import hands, views
from daemon.store.journal import Journal

Act = Callable[[Connection, Journal, RowMapping, int], None]
"""What a person does to a case, in one transaction at `now`."""
KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="The case's key: forestall cases list.")]
app = typer.Typer(help="Cases: what is at risk, and what you do about it.", no_args_is_help=True)


@app.command("list")
def list_cases(
    config: ConfigOption = DEFAULT_CONFIG,
    shop: ShopOption = None,
    all_cases: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    most: MostOption = None,
    json: JsonOption = False,
) -> None:
    """List open cases, the nearest hand-over first."""
    with opened(config) as session:
        check_shop(session, shop)
        with session.database.begin() as tx:
            rows = views.case_rows(tx, shop=shop, open_only=not all_cases)
        if json:
            out().json({"cases": [views.case_json(row) for row in rows]})
            return
        if not rows:
            out().print(_("no case is open: nothing is at risk") if not all_cases else _("no case was ever opened"))
            return
        heads = [_("hand over by"), _("time left"), _("at stake"), _("case"), _("state")]
        out().table(screen.table(heads, [_cells(session, row) for row in rows[:most]], right=(2,)))
        screen.rest(len(rows), most)


def _cells(session: Session, row: RowMapping) -> tuple[str, ...]:
    zone = session.installation.shops.get(row["shop"]).policy.zone
    why = f"{words.say(words.VIOLATIONS, row['violation'])}: {reasons.sentence(row['reason'])}"
    return (
        moment(row["act_by"], zone, session.now),
        show.left(row["act_by"] - session.now) if row["act_by"] is not None else screen.DASH,
        show.money(row["stake_minor"], row["currency"]),
        f"{why}\n{row['key']}",
        _state(row, session.now),
    )


@app.command("show")
def show_case(key: KeyArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Show one case."""
    with opened(config) as session, session.database.begin() as tx:
        case = hands.find_case(tx, key)
        rows = views.case_rows(tx, shop=case["shop"], order_id=case["order_id"], open_only=False)
        row = next(row for row in rows if row["key"] == key)
    if json:
        out().json(views.case_json(row))
        return
    out().print(screen.pairs(_facts(row, session)))


def _facts(row: RowMapping, session: Session) -> list[tuple[str, str]]:
    zone = session.installation.shops.get(row["shop"]).policy.zone
    facts = [
        (_("case"), row["key"]),
        (_("shop"), row["shop"]),
        (_("order"), row["order_id"]),
        (_("danger"), words.say(words.VIOLATIONS, row["violation"])),
        (_("why"), reasons.full(row["reason"])),
        (_("at stake"), show.money(row["stake_minor"], row["currency"])),
        (_("ship by"), moment(row["order_ship_by"], zone, session.now)),
        (_("hand over by"), moment(row["act_by"], zone, session.now)),
        (_("opened"), moment(row["opened_at"], zone, session.now)),
        (_("state"), _state(row, session.now)),
    ]
    if row["snoozed_until"] is not None:
        facts.append((_("silent until"), moment(row["snoozed_until"], zone, session.now)))
    return facts


@app.command()
def ack(key: KeyArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Say that you have it: alerts no longer name this case."""
    _hand(config, key, hands.acknowledge)


@app.command()
def snooze(
    key: KeyArgument,
    until: Annotated[str, typer.Option("--until", help="RFC 3339 with an offset; a past time wakes it.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Be silent about this case until then."""
    silent = instant(until, "--until")
    if silent is None:
        raise Usage("--until: give a time")
    _hand(config, key, lambda tx, journal, case, now: hands.snooze(tx, journal, case, silent, now))


@app.command()
def takeover(key: KeyArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Do the rest by hand: no further step is taken for this case."""
    _hand(config, key, hands.take_over)


@app.command()
def resolve(key: KeyArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Declare it solved: the case closes."""
    _hand(config, key, hands.resolve)


def _hand(config: Path, key: str, act: Act) -> None:
    with opened(config) as session, session.database.begin() as tx:
        journal = Journal()
        act(tx, journal, hands.find_case(tx, key), session.now)
        journal.write(tx, session.now)
    out().print(_("done: {key}").format(key=key))


def _state(row: RowMapping, now: int) -> str:
    if row["closed_at"] is not None:
        return _("closed")
    if row["taken_over"]:
        return _("taken over")
    if row["acked_at"] is not None:
        return _("acknowledged")
    if (row["snoozed_until"] or 0) > now:
        return _("snoozed")
    return _("open")
