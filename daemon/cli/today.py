"""`forestall today`: the lead's screen. What is at stake, how long is left, the one thing to do."""

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from daemon import prognosis, show
from daemon.cli import screen
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, Session, here, opened, out, writing
from daemon.i18n import gettext as _
from daemon.i18n import ngettext
from daemon.store import feeds, health, orders, views
from daemon.store.views import Bucket
from rules import payout, stacking
from rules.instant import DAY, HOUR, SECOND, format_utc
from rules.model import Violation

TODO = {"pickup": "ship", "pool": "check_stock", "aftersale": "answer"}
"""What is to be done about each kind of cause, for machines."""
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
    with opened(config) as session:
        with session.database.begin() as tx:
            buckets = [_shared(tx, bucket, session) for bucket in views.today(tx, session.now + hours * HOUR)]
            marks = {row["shop"]: row["watermark"] for row in feeds.statuses(tx)}
            silent = len(views.undelivered(tx, session.now - DAY))
            tasks = len(views.task_rows(tx, session.now))
            warnings = _warnings(tx, session)
        documents = [_document(bucket, session, marks.get(bucket.shop)) for bucket in buckets]
        if csv_file is not None:
            with writing(here(csv_file)):
                here(csv_file).write_text(_csv(documents), "utf-8-sig")
        if json:
            out().json({"now": format_utc(session.now), "hours": hours, "pickups": documents, "open_tasks": tasks})
            return
        _print(buckets, session, marks, hours)
    for warning in warnings:
        out().print(warning)
    if tasks:
        text = ngettext(
            "{n} task waits for a person: forestall tasks list",
            "{n} tasks wait for a person: forestall tasks list",
            tasks,
        )
        out().print(text.format(n=tasks))
    if silent:
        text = ngettext(
            "{n} alert could not be delivered in the last 24 h: check [alerts]",
            "{n} alerts could not be delivered in the last 24 h: check [alerts]",
            silent,
        )
        out().print(text.format(n=silent))


def _shared(tx: Connection, bucket: Bucket, session: Session) -> Bucket:
    """The bucket with its stake lowered by what orders of one buyer share (`rules.stacking`)."""
    policy = session.installation.shops.get(bucket.shop).policy
    violation = Violation.STOCK_OUT if bucket.kind == "pool" else Violation.LATE_SHIPMENT
    if bucket.count < 2 or not stacking.shares(policy.pack, violation):
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
        f"[{name}] {prognosis.name(reading)}: {prognosis.sentence(reading, shops.get(name).policy.pack.zone)}"
        for name in sorted(session.settings.shops)
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


def _print(buckets: list[Bucket], session: Session, marks: dict[str, int | None], hours: int) -> None:
    """The screen itself: what to hand over by when, what it may cost, and how old the data is."""
    if buckets:
        heads = [_("hand over by"), _("time left"), _("shop"), _("orders"), _("at stake"), _("oldest"), _("to do")]
        out().table(screen.table(heads, [_cells(bucket, session) for bucket in buckets], right=(3, 4)))
        out().print()
    else:
        out().print(_("nothing has to be handed over in the next {hours} h").format(hours=hours))
    ages = ", ".join(
        f"{name} {show.left(session.now - mark) if mark is not None else _('nothing read yet')}"
        for name, mark in sorted(marks.items())
    )
    if ages:
        out().print(_("age of the data: {ages}").format(ages=ages))
    else:
        out().print(_("nothing has been read yet: put an export into a shop's folder, then run forestall tick"))


def _cells(bucket: Bucket, session: Session) -> tuple[str, ...]:
    zone = session.installation.shops.get(bucket.shop).policy.zone
    return (
        _("stock") if bucket.kind == "pool" else show.moment(bucket.due_at, zone),
        show.left(bucket.due_at - session.now) if bucket.due_at is not None else screen.DASH,
        bucket.shop,
        str(bucket.count),
        show.money(bucket.stake_minor, bucket.currency),
        bucket.oldest,
        todo(bucket),
    )


def todo(bucket: Bucket) -> str:
    """The one thing to do."""
    if bucket.kind == "pool":
        return _("count the stock again")
    if bucket.kind == "aftersale":
        return _("answer claims, trace parcels")
    return _("pack and hand over")


def _document(bucket: Bucket, session: Session, mark: int | None) -> dict[str, Any]:
    return {
        "shop": bucket.shop,
        "kind": bucket.kind,
        "act_by": format_utc(bucket.due_at) if bucket.due_at is not None else None,
        "left_s": (bucket.due_at - session.now) // SECOND if bucket.due_at is not None else None,
        "orders": bucket.count,
        "stake_minor": bucket.stake_minor,
        "currency": bucket.currency,
        "oldest": bucket.oldest,
        "order_ids": list(bucket.order_ids),
        "todo": TODO[bucket.kind],
        "data_age_s": (session.now - mark) // SECOND if mark is not None else None,
    }


def _csv(documents: list[dict[str, Any]]) -> str:
    """One row per order, for a spreadsheet."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(("shop", "act_by", "order_id", "todo"))
    for document in documents:
        for order_id in document["order_ids"]:
            writer.writerow((document["shop"], document["act_by"] or "", f"\t{order_id}", document["todo"]))
    return buffer.getvalue()
