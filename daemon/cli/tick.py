"""`forestall tick`: one pass for cron and for trying out, and what it brought in people's words."""

from dataclasses import replace
from typing import Annotated, Any

import typer
from sqlalchemy import Connection, func, select

from daemon import caveats, clock, i18n, jump
from daemon.caveats import Caveat
from daemon.cli import logs
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, Session, instant, opened, out, shared_zone
from daemon.errors import Unavailable, Usage
from daemon.i18n import gettext as _
from daemon.i18n import ngettext
from daemon.poll import Polled
from daemon.scheduler import Parts, assemble
from daemon.scheduler import tick as pass_once
from daemon.store import feeds, timers, unwatched, views
from daemon.store.database import Database
from daemon.tables import Action, Delivery
from rules.model import Outcome

A = Action.__table__  # type: ignore[attr-defined]
D = Delivery.__table__  # type: ignore[attr-defined]
NEWEST = 5
"""So many refusals of this pass are told in full; the rest is a count."""
Shown = dict[str, Polled]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("tick")(tick)


def tick(
    config: ConfigOption = DEFAULT_CONFIG,
    at: Annotated[str | None, typer.Option("--at", help="Pretend it is this moment; forces shadow.")] = None,
    json: JsonOption = False,
) -> None:
    """Make one pass of all three hops: poll, decide, dispatch."""
    logs.show(quiet=True)
    with opened(config, adapters=True) as session:
        moment = instant(at, "--at", shared_zone(session.settings))
        if moment is not None:
            _refuse_live_rows(session.database)
            session.installation.shops.default_mode = "shadow"
            session.installation.shops.modes = {}
        now = moment if moment is not None else clock.now()
        before = _open_tasks(session, now)
        parts = assemble(session.database, session.installation, now, pretend=moment is not None)
        did, brought = _pass(parts, session, moment)
        with session.database.begin() as tx, i18n.speaking("en" if json else i18n.language()):
            doubts = caveats.found(tx, session.settings, now)
            counts = {
                "at_risk": len({(row["shop"], row["order_id"]) for row in views.case_rows(tx)}),
                "new_tasks": len(set(_tasks(tx, now)) - before),
                "unwatched": len(unwatched.found(tx)),
            }
            if not json:
                _tell_refused(tx, brought)
    if json:
        shops = [_document(name, one) for name, one in sorted(brought.items())]
        out().json({**did, **counts, "shops": shops, "caveats": [caveats.document(doubt) for doubt in doubts]})
    else:
        _print(brought, counts, doubts)
    _end(brought)


def _pass(parts: Parts, session: Session, moment: int | None) -> tuple[dict[str, int], Shown]:
    """One pass over all shops; a second one when files were still settling, after they had their time."""
    did = _once(parts, session, moment)
    brought = dict(parts.poller.brought)
    wait_s = max((one.settled_in_s for one in brought.values()), default=0.0)
    if not wait_s:
        return did, brought
    names = ", ".join(name for one in brought.values() for name in one.settling)
    text = _("{files}: written to just now; waiting {n} s until it is whole …")
    out().say(text.format(files=names, n=int(wait_s) + 1))
    clock.wait(wait_s)
    again = _once(parts, session, moment)
    for name, one in parts.poller.brought.items():
        brought[name] = _joined(brought[name], one) if name in brought else one
    did = {name: did[name] + again[name] for name in did} | {"polled": len(brought)}
    return did, brought


def _once(parts: Parts, session: Session, moment: int | None) -> dict[str, int]:
    """A pass that looks into every drop folder: that costs next to nothing, and somebody may just have filled it."""
    now = moment if moment is not None else clock.now()
    folders = [session.installation.shops.get(name) for name, one in session.settings.shops.items() if one.path]
    with session.database.begin() as tx:
        timers.wake(tx, timers.FEED, [(shop.name, "feed", shop.seller, now) for shop in folders])
    return pass_once(parts, now, jump.read() if moment is None else None)


def _joined(first: Polled, second: Polled) -> Polled:
    return replace(
        second,
        records=first.records + second.records,
        changed=first.changed + second.changed,
        refused=first.refused + second.refused,
        sources=first.sources + second.sources,
    )


def _print(brought: Shown, counts: dict[str, int], doubts: list[Caveat]) -> None:
    """What was read and what came of it, then what would make that lie."""
    n, files = len(brought), sum(len(one.sources) for one in brought.values())
    orders = sum(one.changed for one in brought.values())
    parts = [
        ngettext("{n} new file", "{n} new files", files).format(n=files),
        ngettext("{n} order new or changed", "{n} orders new or changed", orders).format(n=orders),
    ]
    risk, tasks = counts["at_risk"], counts["new_tasks"]
    text = ngettext(
        "read {n} shop: {what}; at risk: {risk}; new tasks: {tasks}",
        "read {n} shops: {what}; at risk: {risk}; new tasks: {tasks}",
        n,
    )
    if not n:
        text = _("no shop was due to be read; at risk: {risk}; new tasks: {tasks}")
    out().print(text.format(n=n, what=_(", ").join(parts), risk=risk, tasks=tasks))
    for name, one in sorted(brought.items()):
        if one.settling:
            text = _("[{shop}] still being written, not read yet: {files}")
            out().print(text.format(shop=name, files=", ".join(one.settling)))
    for doubt in doubts:
        out().print(f"⚠ {doubt.text}")


def _tell_refused(tx: Connection, brought: Shown) -> None:
    """What of this pass could not be used, with reason and mend."""
    for name, one in sorted(brought.items()):
        for row in reversed(feeds.rejected(tx, name, min(one.refused, NEWEST))) if one.refused else ():
            out().print(f"[{name}] {caveats.refusal(row)}")
        if one.refused > NEWEST:
            out().print(_("… and {n} more").format(n=one.refused - NEWEST))


def _document(name: str, one: Polled) -> dict[str, Any]:
    return {
        "shop": name,
        "files": one.sources,
        "records": one.records,
        "changed": one.changed,
        "rejected": one.refused,
        "settling": list(one.settling),
        "error": one.error,
    }


def _end(brought: Shown) -> None:
    """Exit code 69 when no shop could be read, 1 when some could not."""
    failed = sum(one.error is not None for one in brought.values())
    if failed:
        raise typer.Exit(Unavailable.exit_code if failed == len(brought) else 1)


def _open_tasks(session: Session, now: int) -> set[str]:
    with session.database.begin() as tx:
        return set(_tasks(tx, now))


def _tasks(tx: Connection, now: int) -> list[str]:
    return [str(row["key"]) for row in views.task_rows(tx, now)]


def _refuse_live_rows(database: Database) -> None:
    """`--at` is for rehearsals: a database in which something was ever live is left alone."""
    with database.begin() as tx:
        live = tx.execute(
            select(func.count()).select_from(A).where(A.c.mode == "live", A.c.outcome != Outcome.VOID)
        ).scalar_one()
        live += tx.execute(select(func.count()).select_from(D)).scalar_one()
    if live:
        raise Usage(_("--at needs a database without live rows; name another one in [database] url"))
