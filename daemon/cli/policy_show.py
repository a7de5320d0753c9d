"""`forestall policy show`: what a platform charges, by date, with source, doubt and the person who vouches."""

from dataclasses import asdict, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Annotated, Any

import typer

from daemon import clock, packtext, show, words
from daemon.cli import screen
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, Session, instant, maybe_opened, out
from daemon.errors import Usage
from daemon.i18n import gettext as _
from daemon.store import confirmations
from daemon.store.confirmations import Confirmation
from rules import lint, packs, payout, platforms
from rules.instant import format_utc, to_datetime
from rules.model import Order
from rules.packdata import Limit, Metric, Row, Tier, Tool, Window
from rules.packs import Pack, midnight

MINOR = 100
"""Minor units of one yuan."""
MOST = 10**12
"""Fen; no order costs more."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("show")(show_rules)


def show_rules(
    platform: Annotated[
        str | None,
        typer.Argument(metavar="PLATFORM", help="Or the id of one row. Left out: your shops' platforms."),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    at: Annotated[str | None, typer.Option("--at", help="For orders paid on this day (or RFC 3339).")] = None,
    paid: Annotated[str | None, typer.Option("--paid", help="What an order of so many yuan would cost.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Rows of every date, also those kept for people.")] = False,
    json: JsonOption = False,
) -> None:
    """Show what a platform charges, for orders paid at a date, and who confirmed it."""
    amount = None if paid is None else _minor(paid)
    with maybe_opened(config, needed=platform is None) as session:
        given, now = {}, clock.now()
        if session is not None:
            now = session.now
            with session.database.begin() as tx:
                given = confirmations.load(tx)
        known = [
            (pack, start, (only,)) if only is not None else _shown(pack, start, everything)
            for pack, only in _wanted(platform, session)
            for start in (_instant(at, pack, now),)
        ]
        documents = [_document(pack, start, rows, given, amount) for pack, start, rows in known]
    if json:
        out().json({"platforms": documents})
        return
    for (pack, start, rows), document in zip(known, documents, strict=True):
        _print(pack, start, rows, document, amount is not None)


def _wanted(name: str | None, session: Session | None) -> list[tuple[Pack, Row | None]]:
    """The packs to show, or the one row of that id. Raises Usage for a name that is neither."""
    if name is None and session is not None:
        mine = {shop.platform for shop in session.installation.shops.known.values()}
        return [(packs.load(one), None) for one in sorted(mine)]
    platform = platforms.named(name or "")
    if platform in packs.PLATFORMS:
        return [(packs.load(platform), None)]
    rows = {row.id: (pack, row) for pack in packs.all_packs() for row in pack.rows}
    found = rows.get(platform.upper())
    if found is not None:
        return [found]
    near = ", ".join(get_close_matches(platform.upper(), rows, 3) or packs.PLATFORMS)
    raise Usage(_("no platform and no row {name}; near are {names}").format(name=name, names=near))


def _instant(at: str | None, pack: Pack, now: int) -> int:
    """The start of the local day, or the moment, that was asked for; else now."""
    if at is None:
        return now
    try:
        return midnight(date.fromisoformat(at), pack.zone)
    except ValueError:
        return instant(at, "--at", pack.zone, past=True) or 0


def _minor(text: str) -> int:
    """Fen of an amount in yuan. Raises Usage."""
    try:
        amount = Decimal(text) * MINOR
    except InvalidOperation:
        amount = Decimal(-1)
    if not (amount.is_finite() and 0 <= amount <= MOST and amount == int(amount)):
        raise Usage(_("--paid: {text} is no amount; write yuan, like 129.80").format(text=repr(text)))
    return int(amount)


Shown = tuple[Pack, int, tuple[Row, ...]]
"""A pack, the instant the orders are paid at, and the rows to be shown."""


def _shown(pack: Pack, start: int, everything: bool) -> Shown:
    if everything:
        return pack, start, pack.rows
    day = packs.local_date(start, pack.zone)
    in_force = (row for row in pack.rows if (row.first or day) <= day <= (row.last or day))
    return pack, start, tuple(row for row in in_force if row.scope != "record")


def _document(
    pack: Pack, start: int, rows: tuple[Row, ...], given: dict[str, Confirmation], paid: int | None
) -> dict[str, Any]:
    promise = pack.promise(start)
    example = Order(
        shop="-", platform=pack.platform, order_id="-", status="paid", paid_at=start, paid_minor=paid,
        received_minor=paid, currency=pack.currency,
    )  # fmt: skip
    return {
        "platform": pack.platform,
        "pack": pack.version(start),
        "at": format_utc(start),
        "zone": pack.zone.key,
        "promise_hours": promise.hours if promise else None,
        "stop": promise.stop if promise else None,
        "rows": [_row_document(pack, row, example, given) for row in rows],
        "windows": [_plain(span.window) for span in pack.spans if span.start <= start < span.end],
        "limits": [_plain(one) for one in pack.limit_at(start)],
        "tools": [_plain(one) for one in pack.tools],
        "metrics": [_plain(one) for one in pack.metrics],
    }


def _row_document(pack: Pack, row: Row, example: Order, given: dict[str, Confirmation]) -> dict[str, Any]:
    stake = payout.of_row(example, pack, row, frozenset(given)) if lint.priced(row) else None
    said = given.get(row.digest)
    return {
        "id": row.id,
        "violations": list(row.violations),
        "scope": row.scope,
        "instead_of": row.instead_of,
        "from": row.first.isoformat() if row.first else None,
        "to": row.last.isoformat() if row.last else None,
        "payout": packtext.payout(row, "en"),
        "low_minor": stake.low_minor if stake else None,
        "high_minor": stake.high_minor if stake else None,
        "base": row.base,
        "form": row.form,
        "initiation": row.initiation,
        "source": list(row.source),
        "confidence": row.confidence,
        "note": row.note,
        "digest": row.digest,
        "confirmed": word(said) if said else None,
    }


def word(said: Confirmation) -> dict[str, str]:
    """A confirmation for scripts."""
    return {"by": said.by, "user": said.user, "at": format_utc(said.at), "source": said.source}


def _plain(fact: Window | Limit | Tool | Metric) -> dict[str, Any]:
    """A fact for scripts: its keys as the pack has them, days as text, what is not said left out."""
    names = {"first": "from", "last": "to"}
    said = {names.get(f.name, f.name): value for f in fields(fact) if (value := getattr(fact, f.name)) != f.default}
    return {name: _value(value) for name, value in said.items()}


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [asdict(one) if isinstance(one, Tier) else one for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _print(pack: Pack, start: int, rows: tuple[Row, ...], document: dict[str, Any], priced: bool) -> None:
    """One platform: its clock, its rows, the festival under way. ✓ = confirmed by a person."""
    clock = (
        _("no hours promised") if document["promise_hours"] is None else _("{n} h").format(n=document["promise_hours"])
    )
    day = to_datetime(start, pack.zone).strftime("%Y-%m-%d %H:%M")
    out().print(f"{pack.platform}  {document['pack']}  {_('paid at {moment}').format(moment=day)}  {clock}")
    if rows:
        heads = [_("rule"), _("danger"), _("valid"), _("payout"), _("started by"), _("source"), _("confirmed")]
        cells = [_cells(row, one) for row, one in zip(rows, document["rows"], strict=True)]
        if priced:
            heads.insert(4, _("would cost"))
            for line, one in zip(cells, document["rows"], strict=True):
                line.insert(4, _cost(one, pack.currency))
        out().table(screen.table(heads, cells))
    else:
        out().print(_("no row prices anything here"))
    for row in rows if len(rows) == 1 else ():
        if row.note:
            out().print(row.note)
    for window in document["windows"]:
        out().print(_("festival or campaign: {id}").format(id=window["id"]))
    out().print()


def _cells(row: Row, document: dict[str, Any]) -> list[str]:
    danger = words.say(words.VIOLATIONS, row.violation)
    place = _("instead of {row}").format(row=row.instead_of) if row.instead_of else words.say(words.SCOPES, row.scope)
    said = document["confirmed"]
    return [
        row.id,
        danger if row.scope == "order" else f"{danger} ({place})",
        packtext.span(row.first, row.last),
        packtext.payout(row),
        words.say(words.INITIATIONS, row.initiation),
        f"{', '.join(row.source)} {row.confidence}",
        f"✓ {said['by']}" if said else " ",
    ]


def _cost(document: dict[str, Any], currency: str) -> str:
    low, high = document["low_minor"], document["high_minor"]
    if low is None or high == low:
        return show.money(low, currency)
    return f"{show.money(low, currency)}–{show.money(high, currency)}"
