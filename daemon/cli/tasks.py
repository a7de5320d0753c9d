"""`forestall tasks`: what is left for people to do."""

from typing import Annotated

import typer
from rich.table import Table

from daemon import show
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, ShopOption, opened, out
from daemon.i18n import gettext as _
from daemon.store import hands, views
from daemon.store.journal import Journal
from rules.model import Outcome

app = typer.Typer(help="Tasks: what is left for people to do.", no_args_is_help=True)
NoteOption = Annotated[str, typer.Option("--note", help="What was done, or the platform's reference.")]


@app.command("list")
def list_tasks(
    config: ConfigOption = DEFAULT_CONFIG,
    shop: ShopOption = None,
    all_tasks: Annotated[bool, typer.Option("--all", help="Finished ones too.")] = False,
    json: JsonOption = False,
) -> None:
    """List open tasks, oldest first."""
    with opened(config) as session:
        with session.database.begin() as tx:
            rows = views.task_rows(tx, shop=shop, all_rows=all_tasks)
        documents = [views.task_json(row) for row in rows]
        if json:
            out().json({"tasks": documents})
            return
        table = Table(*map(_, ("task", "what", "until", "outcome")))
        for row, document in zip(rows, documents, strict=True):
            zone = session.installation.shops.get(row["shop"]).policy.zone
            table.add_row(
                row["key"], document["title"] or row["step"], show.moment(row["not_after"], zone), _(row["outcome"])
            )
        out().table(table)


@app.command()
def done(key: str, note: NoteOption = "", config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Mark a task as done."""
    _finish(config, key, Outcome.SETTLED, note)


@app.command()
def cancel(key: str, note: NoteOption = "", config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Mark a task as not going to be done."""
    _finish(config, key, Outcome.REFUSED, note)


def _finish(config: ConfigOption, key: str, outcome: Outcome, note: str) -> None:
    with opened(config) as session, session.database.begin() as tx:
        journal = Journal()
        hands.finish_task(tx, journal, key, outcome, note, session.now)
        journal.write(tx, session.now)
    out().print(_("done: {key}").format(key=key))
