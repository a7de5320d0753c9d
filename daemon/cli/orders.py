"""`forestall orders`: what is open, what is at risk, and everything known of one order."""

from typing import Annotated, Any

import typer
from rich.table import Table

from daemon import show
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, Session, ShopOption, find_shop, opened, out
from daemon.errors import Usage
from daemon.i18n import gettext as _
from daemon.store import views
from rules.deadline import deadline
from rules.instant import format_utc

app = typer.Typer(help="Orders: what is open, what is at risk, everything known of one.", no_args_is_help=True)


@app.command("list")
def list_orders(
    config: ConfigOption = DEFAULT_CONFIG,
    at_risk: Annotated[bool, typer.Option("--at-risk", help="Only orders with an open case.")] = False,
    open_only: Annotated[bool | None, typer.Option("--open/--all", help="Only open ones, or all.")] = None,
    shop: ShopOption = None,
    json: JsonOption = False,
) -> None:
    """List orders, the nearest hand-over first."""
    with opened(config) as session:
        wanted = not json if open_only is None else open_only
        with session.database.begin() as tx:
            rows = views.order_rows(tx, shop=shop, open_only=wanted, at_risk=at_risk)
        if json:
            out().json({"orders": [views.order_json(row) for row in rows]})
            return
        table = Table(*map(_, ("shop", "order", "status", "paid", "hand over by", "time left", "at risk")))
        for row in rows:
            zone = session.installation.shops.get(row["shop"], row["platform"]).policy.zone
            left = show.left(row["act_by"] - session.now) if row["act_by"] is not None else "–"
            amount = show.money(row["paid_minor"], row["currency"])
            risk = _("yes") if row["at_risk"] else ""
            table.add_row(
                row["shop"], row["order_id"], _(row["status"]), amount, show.moment(row["act_by"], zone), left, risk
            )
        out().table(table)


@app.command("show")
def show_order(
    order: str, config: ConfigOption = DEFAULT_CONFIG, shop: ShopOption = None, json: JsonOption = False
) -> None:
    """Show one order: lines, deadline candidates, cases."""
    with opened(config) as session:
        document = _document(session, find_shop(session, order, shop), order)
    if json:
        out().json(document)
        return
    for name in ("shop", "order_id", "status", "paid_at", "ship_by", "act_by"):
        out().print(f"{_(name.replace('_', ' '))}: {document[name] or '–'}")
    out().print(f"{_('paid')}: {show.money(document['paid_minor'], document['currency'])}")
    for line in document["lines"]:
        out().print(f"  {line['line_id']}: {line['quantity']} × {line['sku'] or '–'}  {line['title'] or ''}")
    for candidate in document["candidates"]:
        mark = "→" if candidate["effective"] else " "
        out().print(f"  {mark} {candidate['source']}: {candidate['ship_by']}")
    for case in document["cases"]:
        out().print(f"  {case['key']}: {case['reason']} {case['closed_at'] or _('open')}")


def _document(session: Session, shop: str, order_id: str) -> dict[str, Any]:
    with session.database.begin() as tx:
        order = views.order_of(tx, shop, order_id)
        rows = [row for row in views.order_rows(tx, shop=shop) if row["order_id"] == order_id]
        cases = views.case_rows(tx, shop=shop, order_id=order_id, open_only=False)
    if order is None:
        raise Usage(f"{shop}: {order_id}")
    policy = session.installation.shops.get(shop, order.platform).policy
    due = deadline(order, policy.pack, policy.warehouse)
    return {
        **views.order_json(rows[0]),
        "platform": order.platform,
        "lines": [
            {
                "line_id": line.line_id,
                "sku": line.sku,
                "listing_id": line.listing_id,
                "title": line.title,
                "quantity": line.quantity,
                "unit_minor": line.unit_minor,
                "stock": line.stock,
            }
            for line in order.lines
        ],
        "flags": list(order.flags or ()),
        "candidates": [
            {
                "source": candidate.source,
                "ship_by": format_utc(candidate.ship_by),
                "observed_at": format_utc(candidate.observed_at) if candidate.observed_at is not None else None,
                "effective": candidate.effective,
            }
            for candidate in due.candidates
        ],
        "cases": [views.case_json(case) for case in cases],
    }
