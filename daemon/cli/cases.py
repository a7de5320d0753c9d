"""`forestall cases`: what is at risk, and what a person does about it."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import Connection, RowMapping

from daemon import show
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, ShopOption, instant, opened, out
from daemon.errors import Usage
from daemon.i18n import gettext as _
from daemon.store import hands, views
from daemon.store.journal import Journal

Act = Callable[[Connection, Journal, RowMapping, int], None]
"""What a person does to a case, in one transaction at `now`."""
app = typer.Typer(help="Cases: what is at risk, and what you do about it.", no_args_is_help=True)


@app.command("list")
def list_cases(
    config: ConfigOption = DEFAULT_CONFIG,
    shop: ShopOption = None,
    all_cases: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    json: JsonOption = False,
) -> None:
    """List open cases, the nearest hand-over first."""
    with opened(config) as session:
        with session.database.begin() as tx:
            rows = views.case_rows(tx, shop=shop, open_only=not all_cases)
        if json:
            out().json({"cases": [views.case_json(row) for row in rows]})
            return
        table = Table(*map(_, ("case", "why", "at stake", "hand over by", "time left", "state")))
        for row in rows:
            zone = session.installation.shops.get(row["shop"]).policy.zone
            left = show.left(row["act_by"] - session.now) if row["act_by"] is not None else "–"
            stake = show.money(row["stake_minor"], row["currency"])
            table.add_row(
                row["key"], _(row["reason"]), stake, show.moment(row["act_by"], zone), left, _state(row, session.now)
            )
        out().table(table)


@app.command("show")
def show_case(key: str, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Show one case."""
    with opened(config) as session, session.database.begin() as tx:
        case = hands.find_case(tx, key)
        rows = views.case_rows(tx, shop=case["shop"], order_id=case["order_id"], open_only=False)
        document = next(views.case_json(row) for row in rows if row["key"] == key)
    if json:
        out().json(document)
        return
    for name, value in document.items():
        out().print(f"{name}: {value if value is not None else '–'}")


@app.command()
def ack(key: str, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Say that you have it: alerts no longer name this case."""
    _hand(config, key, hands.acknowledge)


@app.command()
def snooze(
    key: str,
    until: Annotated[str, typer.Option("--until", help="RFC 3339 with an offset; a past time wakes it.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Be silent about this case until then."""
    moment = instant(until, "--until")
    if moment is None:
        raise Usage("--until: give a time")
    _hand(config, key, lambda tx, journal, case, now: hands.snooze(tx, journal, case, moment, now))


@app.command()
def takeover(key: str, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Do the rest by hand: no further step is taken for this case."""
    _hand(config, key, hands.take_over)


@app.command()
def resolve(key: str, config: ConfigOption = DEFAULT_CONFIG) -> None:
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
