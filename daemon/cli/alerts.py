"""`forestall alerts`: what was told, what reached nobody and why, and a test message to a receiver."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from sqlalchemy import RowMapping

from adapters.base import Receipt
from daemon import kill, reasons, silence, trial, verdict, words
from daemon.adapter import Outlet
from daemon.cli import screen
from daemon.cli.session import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    Session,
    moment,
    opened,
    out,
    reader,
    shared_zone,
)
from daemon.config import url_of
from daemon.errors import Unavailable, Usage
from daemon.i18n import gettext as _
from daemon.silence import said
from daemon.store import deliveries, receivers
from daemon.store.receivers import Receiver
from daemon.verdict import Answer
from rules import key as keys
from rules.instant import SECOND, format_utc

app = typer.Typer(help="Alerts: what you were told, what reached nobody, and a test message.", no_args_is_help=True)
NameArgument = Annotated[
    str | None, typer.Argument(metavar="NAME", help="The receiver's name under [alerts]; all of them if left out.")
]


@app.command("list")
def list_alerts(
    config: ConfigOption = DEFAULT_CONFIG,
    undelivered: Annotated[bool, typer.Option("--undelivered", help="Only those that reached nobody.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="Show at most so many.")] = 50,
    json: JsonOption = False,
) -> None:
    """List alerts, the newest first: whom they reached, or why nobody, and how each receiver is doing."""
    with opened(config) as session:
        with session.database.begin() as tx:
            waits = {row.key for row in deliveries.undelivered(tx, session.now)}
            rows = deliveries.alerts(tx, sorted(waits) if undelivered else None, most)
            known = [one for one in receivers.every(tx) if one.name in session.settings.alerts]
            queued = deliveries.waiting(tx)
        if json:
            alerts = [silence.document(row, queue, waits) for row, queue in rows]
            out().json({"alerts": alerts, "receivers": [_health(one, queued) for one in known]})
            return
        if rows:
            heads = [_("time"), _("alert"), _("what became of it")]
            out().table(screen.table(heads, [_cells(session, row, queue, waits) for row, queue in rows]))
        else:
            out().print(_("every alert has reached somebody") if undelivered else _("nothing was told yet"))
        for one in known:
            out().print(_receiver(session, one, queued.get(one.name, 0)))


@app.command("test")
def send_test(name: NameArgument = None, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Send a marked test message now, and say what the other side answered."""
    with opened(config, adapters=True) as session:
        outlets = _chosen(session, name)
        if kill.is_on(session.database, kill.flag_path(url_of(session.settings), session.settings.base)):
            raise Unavailable(_("sending is stopped (kill switch): allow it again first: forestall kill off"))
        answered = [(outlet.name, _tried(session, outlet)) for outlet in outlets]
    failed = any(not isinstance(answer, Receipt) for _name, answer in answered)
    if json:
        out().json({"receivers": [_answer(receiver, answer) for receiver, answer in answered]})
    else:
        for receiver, answer in answered:
            out().print(_told(receiver, answer))
    if failed:
        raise typer.Exit(Unavailable.exit_code)


def _chosen(session: Session, name: str | None) -> list[Outlet]:
    """The receivers to try. Raises Usage when there are none of that name, or none at all."""
    known = {one.name: one for one in session.installation.sinks.outlets.values() if trial.can_be_tried(one)}
    if not known:
        raise Usage(_("no receiver for alerts is entered: enter one under [alerts]"))
    if name is not None and name not in known:
        text = _("no receiver {name} is entered under [alerts]; known are: {known}")
        raise Usage(text.format(name=name, known=", ".join(sorted(known))))
    return [known[each] for each in sorted(known) if name in (None, each)]


def _tried(session: Session, outlet: Outlet) -> Answer:
    shop, settings = session.installation.shops.first(), session.settings.daemon
    message = trial.message(outlet, shop.name if shop is not None else "", session.now, settings.language)
    answer = trial.send(outlet, message, session.now, settings.call_timeout / SECOND)
    trial.remember(session.database, outlet, answer, session.now)
    return answer


def _told(name: str, answer: Answer) -> str:
    if isinstance(answer, Receipt):
        text = _("✓ [{name}] took the test message ({answer}): look whether it is there")
        return text.format(name=name, answer=said(answer.note) or screen.DASH)
    return f"✗ {silence.reason(name, verdict.words(answer))}"


def _answer(name: str, answer: Answer) -> dict[str, Any]:
    taken = isinstance(answer, Receipt)
    text = answer.note if isinstance(answer, Receipt) else said(verdict.words(answer), "en")
    return {"name": name, "taken": taken, "answer": text}


def _health(one: Receiver, queued: dict[str, int]) -> dict[str, Any]:
    return {
        "name": one.name,
        "tried": not silence.is_untried(one),
        "unwell_since": _utc(one.since),
        "took_at": _utc(one.took_at),
        "next_at": _utc(one.next_at) if one.since is not None else None,
        "tries": one.tries,
        "waiting": queued.get(one.name, 0),
        "words": one.words,
    }


def _utc(instant: int | None) -> str | None:
    return format_utc(instant) if instant is not None else None


def _cells(session: Session, row: RowMapping, queue: Sequence[RowMapping], waits: set[str]) -> tuple[str, ...]:
    zone = session.installation.shops.get(row["shop"]).policy.zone
    name = keys.unpart(str(row["cause"]).split("/", 1)[1]).partition(":")[2]
    reason = reasons.sentence(row["reason"])
    subject = f"{words.say(words.VIOLATIONS, row['violation'])} {name}"
    what = f"[{row['shop']}] " + (words.about(subject, reason) if name else reason)
    return moment(row["at"], zone, session.now), what, "\n".join(silence.states(row, queue, waits))


def _receiver(session: Session, one: Receiver, queued: int) -> str:
    """How a receiver is doing."""
    zone, now = shared_zone(session.settings) or reader(), session.now
    if silence.is_untried(one):
        return silence.untried(one.name)
    if one.since is None:
        last = moment(one.took_at, zone, now)
        return _("[{name}] is well; the last message it took: {moment}").format(name=one.name, moment=last)
    text = _(
        "[{name}] has taken nothing since {since}: {words}; calls in vain {n}, messages waiting {queued}, next {next}"
    )
    return text.format(
        name=one.name,
        since=moment(one.since, zone, now),
        n=one.tries,
        words=said(one.words),
        queued=queued,
        next=moment(max(one.next_at, now), zone, now),
    )
