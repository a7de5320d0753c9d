"""`forestall tasks`: what is left for people to do."""

from typing import Annotated

import typer
from sqlalchemy import RowMapping

from daemon import show, words
from daemon.cli import screen
from daemon.cli.session import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    MostOption,
    Session,
    ShopOption,
    check_shop,
    moment,
    opened,
    out,
)
from daemon.i18n import gettext as _
from daemon.store import hands, views
from daemon.store.journal import Journal
from rules import key as keys
from rules.model import Outcome

app = typer.Typer(help="Tasks: what is left for people to do.", no_args_is_help=True)
KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="The task's key: forestall tasks list.")]
NoteOption = Annotated[str, typer.Option("--note", help="What was done, or the platform's reference.")]


@app.command("list")
def list_tasks(
    config: ConfigOption = DEFAULT_CONFIG,
    shop: ShopOption = None,
    all_tasks: Annotated[bool, typer.Option("--all", help="Finished ones too.")] = False,
    most: MostOption = None,
    json: JsonOption = False,
) -> None:
    """List open tasks, those first that are soon of no use any more."""
    with opened(config) as session:
        check_shop(session, shop)
        with session.database.begin() as tx:
            rows = views.task_rows(tx, session.now, shop=shop, all_rows=all_tasks)
        if json:
            out().json({"tasks": [views.task_json(row) for row in rows]})
            return
        if not rows:
            out().print(_("nothing is left for people to do"))
            return
        heads = [_("useful until"), _("time left"), _("task"), _("state")]
        rows.sort(key=lambda row: (row["not_after"] is None, row["not_after"] or 0))
        out().table(screen.table(heads, [_cells(session, row) for row in rows[:most]]))
        screen.rest(len(rows), most)
        if not all_tasks:
            out().print(_("when it is done: forestall tasks done TASK (TASK is the second line)"))


def _cells(session: Session, row: RowMapping) -> tuple[str, ...]:
    zone = session.installation.shops.get(row["shop"]).policy.zone
    until = row["not_after"]
    subject = row["order_id"] or keys.unpart(row["cause"].split("/", 1)[1])
    return (
        moment(until, zone, session.now),
        show.left(until - session.now) if until is not None else screen.DASH,
        f"[{row['shop']}] {subject}: {words.say(words.STEPS, row['step'].split(':')[0])}\n{row['key']}",
        words.say(words.OUTCOMES, row["outcome"]),
    )


@app.command()
def done(key: KeyArgument, note: NoteOption = "", config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Mark a task as done."""
    _finish(config, key, Outcome.SETTLED, note)


@app.command()
def cancel(key: KeyArgument, note: NoteOption = "", config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Mark a task as not going to be done."""
    _finish(config, key, Outcome.REFUSED, note)


def _finish(config: ConfigOption, key: str, outcome: Outcome, note: str) -> None:
    with opened(config) as session, session.database.begin() as tx:
        journal = Journal()
        hands.finish_task(tx, journal, key, outcome, note, session.now)
        journal.write(tx, session.now)
    out().print(_("done: {key}").format(key=key))
