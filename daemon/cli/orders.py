"""`forestall orders`: what is open, what is at risk, and everything known of one order."""

from typing import Annotated, Any

import typer
from sqlalchemy import RowMapping

from daemon import reasons, show, words
from daemon.cli import completion, screen
from daemon.cli.session import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    Session,
    ShopOption,
    check_shop,
    find_shop,
    moment,
    opened,
    out,
)
from daemon.errors import Usage
from daemon.i18n import gettext as _
from daemon.store import views
from rules.deadline import Deadline, deadline
from rules.instant import format_utc
from rules.model import OWED, Order

app = typer.Typer(help="Orders: what is open, what is at risk, everything known of one.", no_args_is_help=True)


@app.command("list")
def list_orders(
    config: ConfigOption = DEFAULT_CONFIG,
    at_risk: Annotated[bool, typer.Option("--at-risk", help="Only orders with an open case.")] = False,
    open_only: Annotated[
        bool | None, typer.Option("--open/--all", help="Only open ones, or all (the default with --json).")
    ] = None,
    shop: ShopOption = None,
    json: JsonOption = False,
) -> None:
    """List orders, the nearest hand-over first."""
    with opened(config) as session:
        wanted = not json if open_only is None else open_only
        check_shop(session, shop)
        with session.database.begin() as tx:
            rows = views.order_rows(tx, shop=shop, open_only=wanted, at_risk=at_risk)
        if json:
            out().json({"orders": [views.order_json(row) for row in rows]})
            return
        if not rows:
            out().print(_("no such order; forestall feeds status shows what has been read"))
            return
        heads = [_("shop"), _("order"), _("status"), _("paid"), _("hand over by"), _("time left"), _("at risk")]
        screen.fitting(heads, [_cells(session, row) for row in rows], name=1, right=(3,))


def _cells(session: Session, row: RowMapping) -> tuple[str, ...]:
    zone = session.installation.shops.get(row["shop"], row["platform"]).policy.zone
    return (
        row["shop"],
        row["order_id"],
        words.say(words.STATUSES, row["status"]),
        show.money(row["paid_minor"], row["currency"]),
        moment(row["act_by"], zone, session.now),
        _left(row, session.now) or screen.DASH,
        screen.yes(row["at_risk"]),
    )


def _left(row: RowMapping, now: int) -> str:
    """Time left, while there is still something to hand over."""
    waiting = row["at_risk"] or row["status"] in OWED
    return show.left(row["act_by"] - now) if waiting and row["act_by"] is not None else ""


@app.command("show")
def show_order(
    order: Annotated[
        str, typer.Argument(metavar="ORDER", help="The platform's order id.", autocompletion=completion.orders)
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    shop: ShopOption = None,
    json: JsonOption = False,
) -> None:
    """Show one order: lines, deadline candidates, cases."""
    with opened(config) as session:
        name = find_shop(session, order, shop)
        with session.database.begin() as tx:
            facts = views.order_of(tx, name, order)
            row = next(iter(views.order_rows(tx, shop=name, order_id=order)), None)
            cases = views.case_rows(tx, shop=name, order_id=order, open_only=False)
        if facts is None or row is None:
            raise Usage(_("no order {order} is known{where}").format(order=order, where=f" ({name})"))
        policy = session.installation.shops.get(name, facts.platform).policy
        due = deadline(facts, policy.pack, policy.warehouse)
        if json:
            out().json(_document(facts, row, due, cases))
            return
        _print(facts, row, due, cases, session)


def _print(facts: Order, row: RowMapping, due: Deadline, cases: list[RowMapping], session: Session) -> None:
    zone = session.installation.shops.get(facts.shop, facts.platform).policy.zone
    left = _left(row, session.now)
    said = ", ".join(words.say(words.FLAGS, flag) for flag in facts.flags or ())
    known = [
        (_("shop"), f"{facts.shop} ({facts.platform})"),
        (_("order"), facts.order_id),
        (_("status"), words.say(words.STATUSES, facts.status)),
        (_("paid"), _paid(facts, moment(facts.paid_at, zone, session.now))),
        (_("ship by"), moment(row["ship_by"], zone, session.now)),
        (
            _("hand over by"),
            moment(row["act_by"], zone, session.now) + (_(" ({left})").format(left=left) if left else ""),
        ),
        (_("marks"), said),
    ]
    out().print(screen.pairs(known))
    if facts.lines:
        out().print("\n" + _("Goods"))
    for line in facts.lines:
        stock = _("{n} in stock").format(n=line.stock) if line.stock is not None else ""
        out().print("  " + "  ".join(filter(None, (f"{line.quantity or '?'} ×", line.sku, line.title, stock))))
    out().print("\n" + _("Ship-by time: who says what"))
    for candidate in due.candidates:
        mark = "→" if candidate.effective else " "
        out().print(
            f"  {mark} {moment(candidate.ship_by, zone, session.now)}  {words.say(words.SOURCES, candidate.source)}"
        )
    if cases:
        out().print("\n" + _("Cases"))
    for case in cases:
        state = _("open") if case["closed_at"] is None else _("closed")
        out().print(f"  {state}  {case['key']}  {reasons.full(case['reason'])}")


def _paid(facts: Order, when: str) -> str:
    amount = show.money(facts.paid_minor, facts.currency)
    return amount if facts.paid_at is None else _("{amount}, paid {moment}").format(amount=amount, moment=when)


def _document(facts: Order, row: RowMapping, due: Deadline, cases: list[RowMapping]) -> dict[str, Any]:
    return {
        **views.order_json(row),
        "platform": facts.platform,
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
            for line in facts.lines
        ],
        "flags": list(facts.flags or ()),
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
