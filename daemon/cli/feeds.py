"""`forestall feeds`: how fresh each shop's data is, and what could not be used."""

from typing import Annotated, Any

import typer
from sqlalchemy import RowMapping

from daemon import show
from daemon.cli import screen
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, Session, ShopOption, check_shop, opened, out
from daemon.foreign import translated
from daemon.i18n import gettext as _
from daemon.store import feeds
from rules.instant import SECOND, format_utc

app = typer.Typer(help="Feeds: how fresh each shop's data is, and what could not be used.", no_args_is_help=True)


@app.command()
def status(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Show how far each feed has been read. The watermark means: everything changed before it is known."""
    with opened(config) as session:
        with session.database.begin() as tx:
            rows = {row["shop"]: row for row in feeds.statuses(tx)}
        names = sorted({*rows, *session.settings.shops})
        if json:
            out().json({"feeds": [_document(name, rows.get(name), session.now) for name in names]})
            return
        if not names:
            out().print(_("no shop is configured: enter one under [shops]"))
            return
        heads = [_("shop"), _("data as of"), _("age"), _("rows not usable"), _("error")]
        out().table(screen.table(heads, [_cells(session, name, rows.get(name)) for name in names], right=(3,)))
        if any(row["quarantined"] for row in rows.values()):
            out().print("\n" + _("which rows, and how to mend them: forestall feeds rejected"))


def _document(name: str, row: RowMapping | None, now: int) -> dict[str, Any]:
    mark = row["watermark"] if row else None
    return {
        "shop": name,
        "last_success": format_utc(row["last_success"]) if row and row["last_success"] else None,
        "watermark": format_utc(mark) if mark is not None else None,
        "lag_s": (now - mark) // SECOND if mark is not None else None,
        "quarantined": row["quarantined"] if row else 0,
        "error": row["error"] if row else None,
    }


def _cells(session: Session, name: str, row: RowMapping | None) -> tuple[str, ...]:
    mark = row["watermark"] if row else None
    zone = session.installation.shops.get(name).policy.zone
    return (
        name,
        show.moment(mark, zone),
        show.left(session.now - mark) if mark is not None else _("nothing read yet"),
        str(row["quarantined"] if row else 0),
        str(row["error"] or " ") if row else " ",
    )


@app.command()
def rejected(
    config: ConfigOption = DEFAULT_CONFIG,
    shop: ShopOption = None,
    most: Annotated[int, typer.Option("--most", min=1, max=10_000, help="At most so many, the newest.")] = 50,
    json: JsonOption = False,
) -> None:
    """Show rows that could not be used: where, why, the mend."""
    with opened(config) as session:
        check_shop(session, shop)
        with session.database.begin() as tx:
            rows = feeds.rejected(tx, shop, most)
    names = ("shop", "source", "line", "reason", "mend")
    if json:
        out().json({"rejected": [{name: row[name] for name in names} for row in rows]})
        return
    for row in rows:
        place = f"{row['source']}:{row['line']}" if row["line"] is not None else row["source"]
        out().print(f"[{row['shop']}] {place}: {translated(row['reason'])} → {translated(row['mend'])}")
    if not rows:
        out().print(_("everything could be used"))
