"""How a person says which cases or tasks are meant, and hears what became of each."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from daemon.cli import completion
from daemon.cli.session import Session, check_shop, moment, opened, out, translated, typed, user
from daemon.errors import Usage
from daemon.i18n import gettext as _

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from daemon.acts import Act, Answer, Choice

CasesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="CASE|ORDER|-", help="Keys or order ids; - reads them from stdin, one a line.",
                   autocompletion=completion.cases, show_default=False),
]  # fmt: skip
TasksArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="TASK|ORDER|-", help="Keys or order ids; - reads them from stdin, one a line.",
                   autocompletion=completion.tasks, show_default=False),
]  # fmt: skip
KindOption = Annotated[str | None, typer.Option("--kind", help="Only this kind, such as late_shipment or ship.")]
AllOption = Annotated[bool, typer.Option("--all-matching", help="All that the list shows with these filters.")]
UndoOption = Annotated[bool, typer.Option("--undo", help="Take it back.")]
Said = Callable[[Session, "Answer"], str]
"""What is printed of one that was done."""


def none(session: Session, tx: "Connection", filtered: bool, calm: str, plain: str) -> list[str]:
    """What an empty list says: `calm` only where nothing was left out and nothing makes it doubtful, else `plain`."""
    from daemon import caveats

    if filtered:
        return [_("nothing with these filters")]
    doubts = [doubt.text for doubt in caveats.found(tx, session.settings, session.now)]
    return [plain, *(f"! {doubt}" for doubt in doubts)] if doubts else [calm]


def choice(keys: list[str] | None, shop: str | None, kind: str | None, everything: bool, undo: bool) -> "Choice":
    """What is meant. Raises Usage for nothing at all, or for names beside "all"."""
    from daemon.acts import Choice

    if everything and undo:
        raise Usage(_("--undo takes keys or orders, not --all-matching"))
    if everything == bool(keys):
        raise Usage(_("name keys or orders (- reads them from stdin), or give --all-matching"))
    names = [name for key in keys or () for name in (typed().split("\n") if key == "-" else [key])]
    known = tuple(filter(None, map(str.strip, names)))
    return Choice(names=known, shop=shop, kind=kind, everything=everything, undo=undo)


def carry_out(
    config: Path, thing: Literal["case", "task"], meant: "Choice", act: Callable[[Session, str], "Act"], said: Said,
    json: bool,
) -> None:  # fmt: skip
    """Do it in one transaction, and say of each what became of it. `act` is made for a session and who asks."""
    from daemon import acts

    with opened(config) as session:
        check_shop(session, meant.shop)
        with session.database.begin() as tx:
            answers = acts.carry_out(tx, thing, meant, act(session, user()), session.now)
        if json:
            out().json(_document(answers))
        else:
            _tell(session, answers, said)
    if refused := [one for one in answers if one.did == "refused"]:
        nothing_known = all(one.row is None for one in refused) and len(refused) == len(answers)
        raise typer.Exit(Usage.exit_code if nothing_known else 1)


def _tell(session: Session, answers: "list[Answer]", said: Said) -> None:
    for one in answers:
        if one.did == "done":
            out().print(said(session, one))
        elif one.did == "already":
            out().print(_("was so before{who}: {key}").format(who=_by(session, one), key=one.name))
        else:
            out().say(translated(one.why))
    if len(answers) != 1:
        text = _("{done} done, {already} were so before, {refused} refused")
        counts = Counter(one.did for one in answers)
        out().print(text.format(**{did: counts[did] for did in ("done", "already", "refused")}))


def _by(session: Session, one: "Answer") -> str:
    """Who did it before, and when, as far as it is known."""
    if one.at is None or one.row is None:
        return ""
    zone = session.installation.shops.get(one.row["shop"]).policy.zone
    said = moment(one.at, zone, session.now)
    return _(" ({who}, {moment})").format(who=one.by, moment=said) if one.by else _(" ({moment})").format(moment=said)


def _document(answers: "list[Answer]") -> dict[str, Any]:
    from rules.instant import format_utc

    counts = Counter(one.did for one in answers)
    return {
        "by": user(),
        **{did: counts[did] for did in ("done", "already", "refused")},
        "answers": [
            {
                "key": one.name,
                "did": one.did,
                "by": one.by or None,
                "at": format_utc(one.at) if one.at is not None else None,
                "why": one.why or None,
            }
            for one in answers
        ],
    }
