"""`forestall cases`: what is at risk, and what a person does about it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli import completion, hand
from daemon.cli.hand import AllOption, CasesArgument, KindOption, UndoOption
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

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

    from daemon.acts import Act, Answer, Choice
    from daemon.store.journal import Journal

    Do = Callable[[Connection, Journal, RowMapping, int, str], None]

KeyArgument = Annotated[
    str, typer.Argument(metavar="CASE", help="The case's key: forestall cases list.", autocompletion=completion.cases)
]
UntilOption = Annotated[
    str | None, typer.Option("--until", help="2h, 08:30, tomorrow 08:30, an RFC 3339 time; a past one wakes it.")
]
app = typer.Typer(help="Cases: what is at risk, and what you do about it.", no_args_is_help=True)


@app.command("list")
def list_cases(
    config: ConfigOption = DEFAULT_CONFIG,
    shop: ShopOption = None,
    kind: KindOption = None,
    all_cases: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    most: MostOption = None,
    json: JsonOption = False,
) -> None:
    """List open cases, the nearest hand-over first."""
    from daemon import acts
    from daemon.store import views, work

    with opened(config) as session:
        check_shop(session, shop)
        with session.database.begin() as tx:
            acts.check_kind(tx, "case", kind)
            rows = [row for row in views.case_rows(tx, shop=shop, open_only=not all_cases) if work.is_of(row, kind)]
            calm = _("no case is open: nothing is at risk") if not all_cases else _("no case was ever opened")
            none = hand.none(session, tx, bool(shop or kind), calm, _("no case is open")) if not rows else []
        if json:
            out().json({"cases": [views.case_json(row) for row in rows]})
            return
        if not rows:
            out().print("\n".join(none))
            return
        _show(session, rows, most)
        if not all_cases:
            out().print(_("the key stands below each; when you have it: forestall cases ack KEY"))


def _show(session: Session, rows: "list[RowMapping]", most: int | None) -> None:
    from daemon.cli import screen

    heads = [_("hand over by"), _("time left"), _("at stake"), _("danger"), _("state")]
    screen.listing(heads, [(_cells(session, row), row["key"]) for row in rows[:most]], wide=3, right=(2,))
    screen.rest(len(rows), most)


def _cells(session: Session, row: "RowMapping") -> tuple[str, ...]:
    from daemon import reasons, show, words
    from daemon.cli import screen

    zone = session.installation.shops.get(row["shop"]).policy.zone
    danger = words.say(words.VIOLATIONS, row["violation"])
    why = words.about(danger, reasons.sentence(row["reason"]))
    return (
        moment(row["act_by"], zone, session.now),
        show.left(row["act_by"] - session.now) if row["act_by"] is not None else screen.DASH,
        show.money(row["stake_minor"], row["currency"]),
        why,
        _state(row, session.now),
    )


@app.command("show")
def show_case(key: KeyArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Show one case."""
    from daemon.cli import screen
    from daemon.store import hands, views

    with opened(config) as session, session.database.begin() as tx:
        case = hands.find_case(tx, key)
        rows = views.case_rows(tx, shop=case["shop"], order_id=case["order_id"], open_only=False)
        row = next(row for row in rows if row["key"] == key)
    if json:
        out().json(views.case_json(row))
        return
    out().print(screen.pairs(_facts(row, session)))


def _facts(row: "RowMapping", session: Session) -> list[tuple[str, str]]:
    from daemon import reasons, show, words

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
def ack(
    keys: CasesArgument = None,
    shop: ShopOption = None,
    kind: KindOption = None,
    everything: AllOption = False,
    undo: UndoOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Say that you have it: alerts no longer name these cases."""
    from daemon.store import hands

    do = hands.unacknowledge if undo else hands.acknowledge
    text = _("alerts may name it again: {key}") if undo else _("marked as seen, no more alerts: {key}")
    meant = hand.choice(keys, shop, kind, everything, undo)
    _hand(config, meant, do, text, json)


@app.command()
def snooze(
    keys: CasesArgument = None,
    until: UntilOption = None,
    shop: ShopOption = None,
    kind: KindOption = None,
    everything: AllOption = False,
    undo: UndoOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Be silent about these cases until then."""
    if undo == (until is not None):
        raise Usage(_("give --until TIME, or --undo"))
    instant(until, "--until")  # one that is none is refused before anything is looked for
    meant = hand.choice(keys, shop, kind, everything, undo)
    hand.carry_out(
        config, "case", meant, lambda session, by: _silence(session, by, until),
        lambda session, one: _silent(session, one, until), json,
    )  # fmt: skip


def _silence(session: Session, by: str, until: str | None) -> "Act":
    from daemon.store import hands

    if until is None:
        return lambda tx, journal, case: hands.wake(tx, journal, case, session.now, by)
    return lambda tx, journal, case: hands.snooze(tx, journal, case, _until(session, case, until), session.now, by)


def _until(session: Session, case: "RowMapping", until: str) -> int:
    zone = session.installation.shops.get(case["shop"]).policy.zone
    return instant(until, "--until", zone) or 0


def _silent(session: Session, one: "Answer", until: str | None) -> str:
    """What is silent, until when, and whether that is too late."""
    if until is None or one.row is None or (silent := _until(session, one.row, until)) <= session.now:
        return _("alerts name it again: {key}").format(key=one.name)
    zone = session.installation.shops.get(one.row["shop"]).policy.zone
    said = _("quiet until {moment}: {key}").format(moment=moment(silent, zone, session.now), key=one.name)
    ahead = (at for at in (one.row["act_by"], one.row["ship_by"]) if at is not None and at > session.now)
    due = min(ahead, default=None)
    if due is None or silent <= due:
        return said
    text = _("! that is after its deadline {moment}: no alert comes before it")
    return f"{said}\n  {text.format(moment=moment(due, zone, session.now))}"


@app.command()
def takeover(
    keys: CasesArgument = None,
    shop: ShopOption = None,
    kind: KindOption = None,
    everything: AllOption = False,
    undo: UndoOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Do the rest by hand: no further step is taken for these cases."""
    from daemon.store import hands

    do = hands.hand_back if undo else hands.take_over
    text = _("handed back, steps go on: {key}") if undo else _("taken over by you: {key}")
    meant = hand.choice(keys, shop, kind, everything, undo)
    _hand(config, meant, do, text, json)


@app.command()
def resolve(
    keys: CasesArgument = None,
    shop: ShopOption = None,
    kind: KindOption = None,
    everything: AllOption = False,
    undo: UndoOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Declare them solved: the cases close."""
    from daemon.store import hands

    do = hands.reopen if undo else hands.resolve
    text = _("open again: {key}") if undo else _("closed: {key}")
    meant = hand.choice(keys, shop, kind, everything, undo)
    _hand(config, meant, do, text, json)


def _hand(config: Path, meant: "Choice", do: "Do", text: str, json: bool) -> None:
    hand.carry_out(
        config, "case", meant, lambda session, by: lambda tx, journal, case: do(tx, journal, case, session.now, by),
        lambda session, one: text.format(key=one.name), json,
    )  # fmt: skip


def _state(row: "RowMapping", now: int) -> str:
    if row["closed_at"] is not None:
        return _("closed")
    if row["taken_over"]:
        return _("taken over")
    if row["acked_at"] is not None:
        return _("acknowledged")
    if (row["snoozed_until"] or 0) > now:
        return _("snoozed")
    return _("open")
