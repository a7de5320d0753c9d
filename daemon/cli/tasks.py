"""`forestall tasks`: what is left for people to do."""

from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli import hand
from daemon.cli.hand import AllOption, KindOption, TasksArgument, UndoOption
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

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from daemon.acts import Act

app = typer.Typer(help="Tasks: what is left for people to do.", no_args_is_help=True)
NoteOption = Annotated[str, typer.Option("--note", help="What was done, or the platform's reference.")]


@app.command("list")
def list_tasks(
    config: ConfigOption = DEFAULT_CONFIG,
    shop: ShopOption = None,
    kind: KindOption = None,
    all_tasks: Annotated[bool, typer.Option("--all", help="Finished ones too.")] = False,
    most: MostOption = None,
    json: JsonOption = False,
) -> None:
    """List open tasks, those first that are soon of no use any more."""
    from daemon import acts
    from daemon.store import views, work

    with opened(config) as session:
        check_shop(session, shop)
        with session.database.begin() as tx:
            acts.check_kind(tx, "task", kind)
            found = views.task_rows(tx, session.now, shop=shop, all_rows=all_tasks)
            rows = [row for row in found if work.is_of(row, kind)]
            calm = _("nothing is left for people to do")
            none = hand.none(session, tx, bool(shop or kind), calm, _("no task is open")) if not rows else []
        if json:
            out().json({"tasks": [views.task_json(row) for row in rows]})
            return
        if not rows:
            out().print("\n".join(none))
            return
        _show(session, rows, most)
        if not all_tasks:
            out().print(_("the key stands below each; when it is done: forestall tasks done KEY"))


def _show(session: Session, rows: "list[RowMapping]", most: int | None) -> None:
    from daemon.cli import screen

    heads = [_("useful until"), _("time left"), _("task"), _("state")]
    rows = sorted(rows, key=lambda row: (row["not_after"] is None, row["not_after"] or 0))
    screen.listing(heads, [(_cells(session, row), row["key"]) for row in rows[:most]], wide=2)
    screen.rest(len(rows), most)


def _cells(session: Session, row: "RowMapping") -> tuple[str, ...]:
    from daemon import show, words
    from daemon.cli import screen
    from rules import key as keys

    zone = session.installation.shops.get(row["shop"]).policy.zone
    until = row["not_after"]
    what = words.say(words.STEPS, row["step"].split(":")[0])
    subject = row["order_id"] or keys.unpart(row["cause"].split("/", 1)[1])
    return (
        moment(until, zone, session.now),
        show.left(until - session.now) if until is not None else screen.DASH,
        f"[{row['shop']}] " + words.about(subject, what),
        words.say(words.OUTCOMES, row["outcome"]),
    )


@app.command()
def done(
    keys: TasksArgument = None,
    shop: ShopOption = None,
    kind: KindOption = None,
    everything: AllOption = False,
    undo: UndoOption = False,
    note: NoteOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Mark tasks as done."""
    text = _("task open again: {key}") if undo else _("task done: {key}")
    meant = hand.choice(keys, shop, kind, everything, undo)
    hand.carry_out(
        config, "task", meant, lambda session, by: _finish(session, by, "settled", note, undo),
        lambda session, one: text.format(key=one.name), json,
    )  # fmt: skip


@app.command()
def cancel(
    keys: TasksArgument = None,
    shop: ShopOption = None,
    kind: KindOption = None,
    everything: AllOption = False,
    undo: UndoOption = False,
    note: NoteOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Mark tasks as not going to be done."""
    text = _("task open again: {key}") if undo else _("task cancelled: {key}")
    meant = hand.choice(keys, shop, kind, everything, undo)
    hand.carry_out(
        config, "task", meant, lambda session, by: _finish(session, by, "refused", note, undo),
        lambda session, one: text.format(key=one.name), json,
    )  # fmt: skip


def _finish(session: Session, by: str, outcome: str, note: str, undo: bool) -> "Act":
    from daemon.store import hands
    from rules.model import Outcome

    if undo:
        return lambda tx, journal, task: hands.reopen_task(tx, journal, task["key"], session.now, by)
    end, now = Outcome(outcome), session.now
    return lambda tx, journal, task: hands.finish_task(tx, journal, task["key"], end, note, now, by)
