"""`forestall feeds`: how fresh each shop's data is, and what could not be used or watched."""

from collections import Counter
from typing import Annotated, Any

import msgspec
import typer
from sqlalchemy import Connection, RowMapping

from daemon import caveats, show
from daemon.cli import screen
from daemon.cli.session import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    Session,
    ShopOption,
    check_shop,
    moment,
    opened,
    out,
    user,
)
from daemon.foreign import translated
from daemon.i18n import gettext as _
from daemon.i18n import ngettext
from daemon.store import feeds, refusals, unwatched
from daemon.store.unwatched import Unwatched
from rules.instant import SECOND, format_utc

app = typer.Typer(help="Feeds: how fresh each shop's data is, and what could not be used.", no_args_is_help=True)


@app.command()
def status(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Show how far each feed has been read. The watermark means: everything changed before it is known."""
    with opened(config) as session:
        with session.database.begin() as tx:
            rows = {row["shop"]: row for row in feeds.statuses(tx)}
            lost = unwatched.by_shop(unwatched.found(tx))
            doubts = caveats.found(tx, session.settings, session.now)
        names = sorted({*rows, *session.settings.shops})
        if json:
            out().json({"feeds": [_document(one, rows.get(one), lost.get(one, []), session.now) for one in names]})
            return
        if names:
            heads = [_("shop"), _("data as of"), _("age"), _("rows not usable"), _("not watched"), _("error")]
            lines = [_cells(session, one, rows.get(one), len(lost.get(one, ()))) for one in names]
            out().table(screen.table(heads, lines, right=(3, 4)))
            out().print()
        for doubt in doubts:
            out().print(f"⚠ {doubt.text}")


def _document(name: str, row: RowMapping | None, lost: list[Unwatched], now: int) -> dict[str, Any]:
    mark = row["watermark"] if row else None
    return {
        "shop": name,
        "last_success": format_utc(row["last_success"]) if row and row["last_success"] else None,
        "watermark": format_utc(mark) if mark is not None else None,
        "lag_s": (now - mark) // SECOND if mark is not None else None,
        "quarantined": row["quarantined"] if row else 0,
        "unwatched": len(lost),
        "unwatched_why": dict(sorted(Counter(one.gap for one in lost).items())),
        "dropped": msgspec.json.decode(row["unknown_keys"]) if row else {},
        "error": row["error"] if row else None,
    }


def _cells(session: Session, name: str, row: RowMapping | None, lost: int) -> tuple[str, ...]:
    mark = row["watermark"] if row else None
    zone = session.installation.shops.get(name).policy.zone
    return (
        name,
        moment(mark, zone, session.now),
        show.left(session.now - mark) if mark is not None else _("nothing read yet"),
        str(row["quarantined"] if row else 0),
        str(lost),
        (translated(caveats.plain(row["error"])) if row and row["error"] else None) or " ",
    )


@app.command()
def rejected(
    config: ConfigOption = DEFAULT_CONFIG,
    shop: ShopOption = None,
    most: Annotated[int, typer.Option("--most", min=1, max=10_000, help="At most so many, the newest.")] = 50,
    seen: Annotated[bool, typer.Option("--seen", help="I have dealt with them: show no warning about them.")] = False,
    json: JsonOption = False,
) -> None:
    """Show rows that could not be used: where, why, the mend."""
    with opened(config) as session:
        check_shop(session, shop)
        with session.database.begin() as tx:
            rows = feeds.rejected(tx, shop, most)
            read = {row["shop"] for row in feeds.statuses(tx) if row["watermark"] is not None}
            settled = _settle(tx, shop, session.now) if seen else 0
        wanted = {shop} if shop is not None else set(session.settings.shops)
    names = ("shop", "source", "line", "reason", "mend")
    if json:
        out().json({"rejected": [{name: row[name] for name in names} for row in rows]})
        return
    for row in rows:
        out().print(f"[{row['shop']}] {caveats.refusal(row)}")
    if settled:
        text = ngettext("{n} refusal is marked as dealt with", "{n} refusals are marked as dealt with", settled)
        out().print(text.format(n=settled))
    if not rows:
        unread = _(", ").join(sorted(wanted - read))
        text = _("no file has been read yet: {shops}") if unread else _("everything could be used")
        out().print(text.format(shops=unread))


def _settle(tx: Connection, shop: str | None, now: int) -> int:
    """A person has looked at what was refused of a shop (None: of each); returns how much was new to him."""
    names = sorted(refusals.unseen(tx)) if shop is None else [shop]
    return sum(refusals.settle(tx, name, user(), now) for name in names)
