"""`forestall shops`: which there are, and a shop that has another name now or is given up."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, Session, here, opened, out, user
from daemon.errors import TryAgain, Usage
from daemon.i18n import gettext as _

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from daemon.config import Config
    from daemon.store.strangers import Left

app = typer.Typer(help="Shops: which there are; another name for one; one that is given up.", no_args_is_help=True)
OldArgument = Annotated[str, typer.Argument(metavar="OLD", help="Its name so far.")]
NewArgument = Annotated[str, typer.Argument(metavar="NEW", help="Its name in the configuration now.")]
ShopArgument = Annotated[str, typer.Argument(metavar="SHOP", help="The shop that is given up.")]


@app.command("list")
def list_shops(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """List the configured shops, and those of which only the database knows."""
    from daemon.cli import screen
    from daemon.store import strangers

    with opened(config) as session:
        with session.database.begin() as tx:
            known = {one.shop: one for one in strangers.every(tx)}
        rows = [_document(session, name, known.get(name)) for name in sorted({*known, *session.settings.shops})]
    if json:
        out().json({"shops": rows})
        return
    heads = [_("shop"), _("platform"), _("configured"), _("open orders"), _("cases"), _("tasks")]
    cells = [
        (str(row["shop"]), str(row["platform"] or " "), _("yes") if row["configured"] else _("no"),
         *(str(row[name]) for name in ("open_orders", "open_cases", "tasks")))
        for row in rows
    ]  # fmt: skip
    out().table(screen.table(heads, cells, right=(3, 4, 5)))
    if not all(row["configured"] for row in rows):
        text = _("nothing is done for a shop that is not configured: forestall shops rename OLD NEW, or retire SHOP")
        out().print("\n" + text)


@app.command()
def rename(old: OldArgument, new: NewArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Give a shop's orders, cases, keys and evidence the name that it has in the configuration now."""
    from daemon.store import renames

    with opened(config) as session, session.database.begin() as tx:
        _refuse_rename(tx, _file(session, config), old, new)
        renames.rename(tx, old, new, session.now, user())
    if json:
        out().json({"renamed": {"from": old, "to": new}})
        return
    out().print(_("{old} is {new} now, with its orders, cases, tasks and evidence").format(old=old, new=new))


@app.command()
def retire(shop: ShopArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Close what is open for a shop that was taken out of the configuration."""
    from daemon.store import retirement
    from daemon.store.journal import Journal

    with opened(config) as session, session.database.begin() as tx:
        _refuse(tx, _file(session, config), shop)
        journal = Journal()
        closed = retirement.retire(tx, journal, session.installation.shops, shop, session.now, user())
        journal.write(tx, session.now)
    if json:
        out().json({"retired": shop, **closed})
        return
    text = _(
        "{shop} is given up: {cases} cases, {actions} planned steps and {orders} orders closed; nothing is deleted"
    )
    out().print(text.format(shop=shop, **closed))


def _file(session: Session, path: "Path") -> "Config":
    """The configuration as it is in the file at this moment: a daemon may not have read it yet."""
    from daemon import config

    return config.load(here(path)) if here(path).exists() else session.settings


def _refuse_rename(tx: "Connection", settings: "Config", old: str, new: str) -> None:
    """Raises Usage or TryAgain, with the mend, where the shop cannot take the new name now."""
    found = _refuse(tx, settings, old)
    section = settings.shops.get(new)
    if section is None:
        text = _("shop {new} is not configured: change [shops.{old}] to [shops.{new}] in the file first")
        raise Usage(text.format(old=old, new=new))
    if section.seller != found.seller or (found.platform or section.platform) != section.platform:
        text = _("{old} was on {platform} for seller {seller}, {new} is not: they are different shops")
        raise Usage(text.format(old=old, new=new, platform=found.platform or "?", seller=found.seller))


def _refuse(tx: "Connection", settings: "Config", shop: str) -> "Left":
    """What is left of a shop. Raises Usage where it is configured or unknown, TryAgain while calls are under way."""
    from daemon.store import renames, strangers

    known = {one.shop: one for one in strangers.every(tx)}
    if shop in settings.shops:
        text = _("shop {shop} is still configured: change its name in the file, or take it out, first")
        raise Usage(text.format(shop=shop))
    if shop not in known:
        names = ", ".join(sorted(known)) or _("none")
        raise Usage(_("no shop {shop} is known; known are: {known}").format(shop=shop, known=names))
    if calls := renames.under_way(tx, shop):
        text = _("{n} calls for {shop} are under way or not settled: try again in a minute")
        raise TryAgain(text.format(n=calls, shop=shop))
    return known[shop]


def _document(session: Session, name: str, known: "Left | None") -> dict[str, object]:
    section = session.settings.shops.get(name)
    counts = asdict(known) if known is not None else {}
    return {
        "shop": name,
        "configured": section is not None,
        "platform": section.platform if section is not None else counts.get("platform"),
        "seller": section.seller if section is not None else counts.get("seller"),
        "open_orders": counts.get("orders", 0),
        "open_cases": counts.get("cases", 0),
        "tasks": counts.get("tasks", 0),
        "waiting": counts.get("waiting", 0),
    }
