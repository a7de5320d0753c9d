"""`forestall today`: the lead's screen. What may be hidden, what is at stake, how long is left, the one thing to do."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from daemon import caveats, i18n, prognosis, show, words
from daemon.caveats import Caveat
from daemon.cli import screen
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, Session, here, moment, opened, out, writing
from daemon.i18n import gettext as _
from daemon.i18n import ngettext
from daemon.store import buckets, feeds, health, orders, unwatched, views
from daemon.store.buckets import Bucket
from rules import payout, stacking
from rules.instant import HOUR, SECOND, format_utc, to_datetime
from rules.model import Violation

SURGE, SURGE_FROM = 2, 20
"""So many times the usual number of orders in a day, and no fewer than so many, is a rush (C054). Both are ours."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("today")(today)


def today(
    config: ConfigOption = DEFAULT_CONFIG,
    hours: Annotated[int, typer.Option("--hours", min=1, max=24 * 60, help="How far to look ahead.")] = 24,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write the orders to this CSV file.")] = None,
    json: JsonOption = False,
) -> None:
    """Show what to do next: by when, how many, money at stake."""
    reader = i18n.language()
    with opened(config) as session:
        with session.database.begin() as tx, i18n.speaking("en" if json else i18n.language()):
            doubts = caveats.found(tx, session.settings, session.now)
            with i18n.speaking(reader):
                said = [doubt.text for doubt in caveats.found(tx, session.settings, session.now)] if json else []
            due = [_shared(tx, one, session) for one in buckets.today(tx, session.now, session.now + hours * HOUR)]
            marks = {row["shop"]: row["watermark"] for row in feeds.statuses(tx)}
            tasks = len(views.task_rows(tx, session.now))
            warnings = _warnings(tx, session)
            watched = unwatched.watched(tx)
        if csv_file is not None:
            with writing(here(csv_file)):
                here(csv_file).write_text(_csv(due, session), "utf-8-sig")
        if json:
            out().json(_document(session, hours, zip(doubts, said, strict=True), due, marks, tasks))
            return
        _print(session, hours, doubts, due, marks, watched)
    for warning in warnings:
        out().print(warning)
    if tasks:
        out().print(_waiting(tasks))


def _shared(tx: Connection, bucket: Bucket, session: Session) -> Bucket:
    """The bucket with its stake lowered by what orders of one buyer share (`rules.stacking`)."""
    policy = session.installation.shops.get(bucket.shop).policy
    violation = Violation.STOCK_OUT if bucket.kind == "pool" else Violation.LATE_SHIPMENT
    if bucket.stake_minor is None or bucket.count < 2 or not stacking.shares(policy.pack, violation):
        return bucket
    stored = orders.load(tx, {(bucket.shop, order_id) for order_id in bucket.order_ids})
    known = [stored[name].order for name in sorted(stored)]
    alone = [payout.stake(order, policy.pack, violation, policy.confirmed) for order in known]
    saved = sum(one.high_minor for one in alone if one) - sum(
        stacking.shared(known, policy.pack, violation, policy.confirmed)
    )
    return replace(bucket, stake_minor=max(bucket.stake_minor - saved, 0))


def _warnings(tx: Connection, session: Session) -> list[str]:
    """One line for each line of a platform that a shop is near, and for each shop in a rush."""
    shops = session.installation.shops
    near = [
        f"[{name}] " + words.about(prognosis.name(reading), prognosis.sentence(reading, policy.pack.zone))
        for name in sorted(session.settings.shops)
        for policy in (shops.get(name).policy,)
        for reading in health.readings(tx, shops.get(name), session.now)
        if reading.state in ("near", "over")
    ]
    return near + [said for name in sorted(session.settings.shops) if (said := _surge(tx, name, session.now))]


def _surge(tx: Connection, shop: str, now: int) -> str | None:
    """A rush is when parcels are packed wrong: say so while it lasts."""
    count, usual = health.pace(tx, shop, now)
    if not usual or count < max(SURGE * usual, SURGE_FROM):
        return None
    text = _(
        "[{shop}] {n} orders were paid in the last 24 h, usual are {usual}: check item, size and number when packing"
    )
    return text.format(shop=shop, n=count, usual=usual)


def _print(
    session: Session,
    hours: int,
    doubts: Sequence[Caveat],
    due: Sequence[Bucket],
    marks: dict[str, int | None],
    watched: int,
) -> None:
    """The screen itself: first what would make it lie, then what to hand over by when, then how old the data is."""
    for doubt in doubts:
        out().print(f"⚠ {doubt.text}")
    if doubts and (due or watched):
        out().print()
    if due:
        _list(session, due)
    elif not doubts or watched:
        out().print(_calm(hours, watched if doubts else None))
    known = [(name, mark) for name, mark in sorted(marks.items()) if mark is not None]
    if known:
        ages = _(", ").join(f"{name} {_ago(session.now - mark)}" for name, mark in known)
        out().print(_("data updated: {ages}").format(ages=ages))


def _list(session: Session, due: Sequence[Bucket]) -> None:
    """What to hand over by when; the zone is said once where all shops share one that is not the reader's."""
    heads = [_("hand over by"), _("ship by"), _("time left"), _("shop"), _("at stake")]
    zones = {session.installation.shops.get(bucket.shop).policy.zone for bucket in due}
    rows = [(_cells(bucket, session, named=len(zones) > 1), _work(bucket)) for bucket in due]
    screen.listing(heads, rows, wide=3, right=(4,))
    out().print()
    if len(zones) == 1 and (abroad := screen.abroad(zones.pop(), session.now)):
        out().print(_("times are {zone}").format(zone=abroad))


def _waiting(tasks: int) -> str:
    text = ngettext(
        "{n} task waits for a person: forestall tasks list", "{n} tasks wait for a person: forestall tasks list", tasks
    )
    return text.format(n=tasks)


def _calm(hours: int, watched: int | None) -> str:
    """What an empty list says: of all orders, or of the `watched` ones alone where others may be hidden."""
    if watched is None:
        return _("nothing has to be handed over in the next {hours} h").format(hours=hours)
    text = ngettext(
        "of {n} order that is known and watched, none falls due in the next {hours} h",
        "of {n} orders that are known and watched, none falls due in the next {hours} h",
        watched,
    )
    return text.format(n=watched, hours=hours)


def _ago(span: int) -> str:
    return _("{span} ago").format(span=show.left(max(span, 0)))


def _cells(bucket: Bucket, session: Session, *, named: bool) -> tuple[str, ...]:
    """`named`: the zone stands in every time that is not in the reader's."""
    zone, now = session.installation.shops.get(bucket.shop).policy.zone, session.now
    said = moment if named else show.moment
    urgent_at = bucket.urgent_at
    return (
        said(bucket.due_at, zone, now),
        said(bucket.ship_by, zone, now),
        show.left(urgent_at - now) if urgent_at is not None else screen.DASH,
        bucket.shop,
        show.money(bucket.stake_minor, bucket.currency),
    )


def _work(bucket: Bucket) -> str:
    """How many orders, the one thing to do, and the first of them."""
    text = ngettext("{n} order: {todo}", "{n} orders: {todo}", bucket.count)
    return f"{text.format(n=bucket.count, todo=_todo(bucket))}  {bucket.oldest}"


def _todo(bucket: Bucket) -> str:
    """The one thing to do, and how many of its cases somebody has dealt with already."""
    marks = (
        (bucket.acked, _("{n} acknowledged")),
        (bucket.snoozed, _("{n} snoozed")),
        (bucket.taken, _("{n} taken over")),
    )
    said = _(", ").join(text.format(n=n) for n, text in marks if n)
    todo = words.say(words.TODO, bucket.todo)
    return _("{todo} ({marks})").format(todo=todo, marks=said) if said else todo


def _document(
    session: Session,
    hours: int,
    doubts: Iterable[tuple[Caveat, str]],
    due: Sequence[Bucket],
    marks: dict[str, int | None],
    tasks: int,
) -> dict[str, Any]:
    return {
        "now": format_utc(session.now),
        "hours": hours,
        "caveats": [caveats.document(doubt) | {"said": said} for doubt, said in doubts],
        "pickups": [_bucket(bucket, session.now, marks.get(bucket.shop)) for bucket in due],
        "open_tasks": tasks,
    }


def _bucket(bucket: Bucket, now: int, mark: int | None) -> dict[str, Any]:
    return {
        "shop": bucket.shop,
        "kind": bucket.kind,
        "act_by": format_utc(bucket.due_at) if bucket.due_at is not None else None,
        "ship_by": format_utc(bucket.ship_by) if bucket.ship_by is not None else None,
        "left_s": (bucket.due_at - now) // SECOND if bucket.due_at is not None else None,
        "orders": bucket.count,
        "stake_minor": bucket.stake_minor,
        "currency": bucket.currency,
        "oldest": bucket.oldest,
        "order_ids": list(bucket.order_ids),
        "todo": bucket.todo,
        "acknowledged": bucket.acked,
        "snoozed": bucket.snoozed,
        "taken_over": bucket.taken,
        "data_age_s": (now - mark) // SECOND if mark is not None else None,
    }


def _csv(due: Sequence[Bucket], session: Session) -> str:
    """One row per order, for a spreadsheet: in the reader's language and the shop's own time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow((_("shop"), _("hand over by"), _("ship by"), _("order"), _("to do")))
    for bucket in due:
        zone = session.installation.shops.get(bucket.shop).policy.zone
        for order_id, times in zip(bucket.order_ids, bucket.times, strict=True):
            said = ["" if at is None else to_datetime(at, zone).strftime("%Y-%m-%d %H:%M") for at in times]
            writer.writerow((bucket.shop, *said, f"\t{order_id}", words.say(words.TODO, bucket.todo)))
    return buffer.getvalue()
