"""`forestall feeds`: how fresh each shop's data is, and what could not be used."""

from typing import Annotated

import typer
from rich.table import Table

from daemon import show
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, ShopOption, opened, out
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
        documents = []
        for name in names:
            row = rows.get(name)
            mark = row["watermark"] if row else None
            documents.append(
                {
                    "shop": name,
                    "last_success": format_utc(row["last_success"]) if row and row["last_success"] else None,
                    "watermark": format_utc(mark) if mark is not None else None,
                    "lag_s": (session.now - mark) // SECOND if mark is not None else None,
                    "quarantined": row["quarantined"] if row else 0,
                    "error": row["error"] if row else None,
                }
            )
        if json:
            out().json({"feeds": documents})
            return
        table = Table(*map(_, ("shop", "data as of", "age", "not usable", "error")))
        for document, name in zip(documents, names, strict=True):
            row = rows.get(name)
            mark = row["watermark"] if row else None
            zone = session.installation.shops.get(name).policy.zone
            age = show.left(session.now - mark) if mark is not None else "–"
            table.add_row(
                name, show.moment(mark, zone), age, str(document["quarantined"]), str(document["error"] or "")
            )
        out().table(table)


@app.command()
def rejected(
    config: ConfigOption = DEFAULT_CONFIG,
    shop: ShopOption = None,
    most: Annotated[int, typer.Option("--most", min=1, max=10_000)] = 50,
    json: JsonOption = False,
) -> None:
    """Show input rows that could not be used: where, why, and how to mend them."""
    with opened(config) as session, session.database.begin() as tx:
        rows = feeds.rejected(tx, shop, most)
    names = ("shop", "source", "line", "reason", "mend")
    if json:
        out().json({"rejected": [{name: row[name] for name in names} for row in rows]})
        return
    for row in rows:
        place = f"{row['source']}:{row['line']}" if row["line"] is not None else row["source"]
        out().print(f"[{row['shop']}] {place}: {row['reason']} → {row['mend']}")
    if not rows:
        out().print(_("everything could be used"))
