"""`forestall why`: for any order, what was decided and why, also why nothing happened; at any moment."""

from typing import Annotated, Any

import typer

from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, ShopOption, find_shop, instant, opened, out
from daemon.errors import Usage
from daemon.explanation import why as explain
from daemon.i18n import gettext as _
from daemon.show import money


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("why")(why)


def why(
    order: str,
    config: ConfigOption = DEFAULT_CONFIG,
    at: Annotated[str | None, typer.Option("--at", help="As it was known at this moment (RFC 3339).")] = None,
    shop: ShopOption = None,
    json: JsonOption = False,
) -> None:
    """Say why something was done about an order, or why not."""
    moment = instant(at, "--at")
    with opened(config) as session:
        name = find_shop(session, order, shop)
        with session.database.begin() as tx:
            document = explain(tx, session.installation.shops, name, order, moment, session.now)
    if document is None:
        raise Usage(_("order {order} was not known at {at}").format(order=order, at=at))
    if json:
        out().json(document)
        return
    _print(document)


def _print(document: dict[str, Any]) -> None:
    out().print(
        f"{_('order')} {document['order']}: {_('ship by')} {document['ship_by'] or '–'}, {_('hand over by')} {document['act_by'] or '–'}"
    )
    for candidate in document["candidates"]:
        mark = "→" if candidate["effective"] else " "
        out().print(f"  {mark} {candidate['ship_by']}  {_('from')} {candidate['source']}")
    out().print(_("rules:"))
    for rule in document["rules"]:
        mark = "●" if rule["fired"] else "○"
        amount = f"  {money(rule['amount_minor'], None)}" if rule["amount_minor"] is not None else ""
        doubt = "" if rule["confirmed"] or rule["amount_minor"] is None else f" ({_('unconfirmed')})"
        out().print(f"  {mark} {rule['id']}: {_(rule['reason'])}{amount}{doubt}")
    out().print(_("steps:"))
    for step in document["steps"]:
        out().print(
            f"  {step['due_at'] or '–'}  {step['action']:<11} {_(step['outcome'])}  {_(step['reason'])}  {step['key']}"
        )
    if not document["steps"]:
        out().print(f"  {_('none')}")
