"""`forestall listings`: which listings stock does not cover, what stopping each is worth; stop them, and undo it."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from daemon import listings, reasons, show
from daemon.cli import hand, screen
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, Session, opened, out, user
from daemon.errors import Usage
from daemon.i18n import gettext as _
from daemon.i18n import ngettext
from daemon.listings import Offer, Slip
from daemon.store.journal import Journal
from rules.model import Kind

app = typer.Typer(help="Listings: stop those that stock does not cover, and undo it.", no_args_is_help=True)
Names = Annotated[list[str] | None, typer.Argument(metavar="SHOP/LISTING", help="Only these: forestall listings plan.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do it; without it only what would be done is shown.")]


@app.command()
def plan(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Show what the next sale of each uncovered listing may cost and earn, and what follows."""
    with opened(config) as session, session.database.begin() as tx:
        found = listings.offers(tx, session.installation.shops, session.now)
        nameless = listings.nameless(tx, found)
        calm, plain = _("stock covers every listing, and none was stopped"), _("no listing is known to be short")
        none = [] if found or nameless else hand.none(session, tx, False, calm, plain)
    if json:
        out().json({"listings": [_document(offer) for offer in found], "nameless": nameless})
        return
    if found:
        _table(found)
    if nameless:
        text = _("short, but the data names no listing: {skus}; stop what is still on sale by hand")
        none = [text.format(skus=_(", ").join(nameless))]
    if none:
        out().print("\n".join(none))


@app.command()
def apply(
    names: Names = None, yes: YesOption = False, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """Stop listings: those whose next sale costs more than it earns, or the ones named."""
    with opened(config) as session:
        _carry_out(session, names or [], Kind.DELIST, yes=yes, json=json)


@app.command()
def undo(
    names: Names = None, yes: YesOption = False, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """Put listings back on sale that Forestall stopped: all of them, or the ones named."""
    with opened(config) as session:
        _carry_out(session, names or [], Kind.RELIST, yes=yes, json=json)


@app.command()
def lint(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Name what is wrong with presale and customised goods, as far as open orders show it."""
    with opened(config) as session, session.database.begin() as tx:
        found = listings.slips(tx, session.installation.shops, session.now)
    if json:
        out().json({"findings": [_finding(slip) for slip in found]})
    elif found:
        heads = [_("listing"), _("orders"), _("such as"), _("what is wrong")]
        rows = [(slip.listing, str(slip.count), slip.order_id, reasons.full(slip.code)) for slip in found]
        out().table(screen.table(heads, rows, right=(1,)))
    else:
        out().print(_("open orders show nothing wrong with presale or customised goods"))
    if found:
        raise typer.Exit(1)


def _finding(slip: Slip) -> dict[str, Any]:
    return {"listing": slip.listing, "code": slip.code, "orders": slip.count, "order_id": slip.order_id}


def _carry_out(session: Session, names: Sequence[str], what: Kind, *, yes: bool, json: bool) -> None:
    shops = session.installation.shops
    order = listings.stop if what is Kind.DELIST else listings.resume
    keys: list[str] = []
    with session.database.begin() as tx:
        found = listings.offers(tx, shops, session.now)
        chosen = _named(found, names, what) if names else [offer for offer in found if _wanted(offer, what)]
        if what is Kind.DELIST and not names:
            chosen = listings.within_share(tx, shops, chosen, session.now)
        if yes:
            journal = Journal()
            keys = [order(tx, journal, shops, offer, session.now, user()) for offer in chosen]
            journal.write(tx, session.now)
    if json:
        out().json({"listings": [_document(offer) for offer in chosen], "keys": keys})
        return
    _say(session, chosen, what, yes=yes)


def _wanted(offer: Offer, what: Kind) -> bool:
    return offer.may_stop if what is Kind.DELIST else offer.left.off


def _named(found: Sequence[Offer], names: Sequence[str], what: Kind) -> list[Offer]:
    """The offers a person named. Raises Usage for one that is unknown, protected, or already as wanted."""
    by_title: dict[str, Offer] = {offer.title: offer for offer in found}
    chosen = []
    for name in dict.fromkeys(names):
        offer = by_title.get(name)
        if offer is None:
            raise Usage(
                _("no listing {name} is short or was stopped; forestall listings plan names them").format(name=name)
            )
        if what is Kind.DELIST and offer.judgement.reason == "PROTECTED":
            raise Usage(
                _("{name} is protected by the playbook; take it out of [pool] protected first").format(name=name)
            )
        if what is Kind.DELIST and offer.left.off:
            raise Usage(_("{name} is stopped already").format(name=name))
        if what is Kind.RELIST and not offer.left.off:
            raise Usage(_("{name} was not stopped by Forestall").format(name=name))
        chosen.append(offer)
    return chosen


def _say(session: Session, chosen: Sequence[Offer], what: Kind, *, yes: bool) -> None:
    if not chosen:
        out().print(_("nothing to do"))
        return
    _table(chosen)
    n = len(chosen)
    if not yes:
        out().print(_("nothing was done yet: add --yes"))
    elif session.installation.shops.mode(what) != "live":
        out().print(_("recorded only: [mode] {kind} is shadow").format(kind=what))
    elif what is Kind.DELIST:
        out().print(ngettext("{n} listing will be stopped", "{n} listings will be stopped", n).format(n=n))
    else:
        out().print(ngettext("{n} listing will be sold again", "{n} listings will be sold again", n).format(n=n))


def _table(found: Sequence[Offer]) -> None:
    heads = [_("listing"), _("SKU"), _("state"), _("price"), _("next sale may cost"), _("may earn"), _("verdict")]
    out().table(screen.table(heads, [_cells(offer) for offer in found], right=(3, 4, 5)))


def _cells(offer: Offer) -> tuple[str | None, ...]:
    sale, judged = offer.sale, offer.judgement
    return (
        offer.title,
        offer.place.sku,
        _("stopped by us") if offer.left.off else _("on sale"),
        _money(offer, sale.unit_minor),
        _money(offer, judged.cost_minor),
        _money(offer, judged.gain_minor),
        _verdict(offer),
    )


def _money(offer: Offer, minor: int | None) -> str | None:
    return None if minor is None else show.money(minor, offer.sale.currency)


def _verdict(offer: Offer) -> str:
    if not offer.short:
        return _("stock covers it")
    word = {"stop": _("stop"), "keep": _("keep"), "ask": _("you decide")}[offer.judgement.verdict]
    return f"{word}: {reasons.sentence(offer.judgement.reason)}"


def _document(offer: Offer) -> dict[str, Any]:
    return {
        "listing": offer.title,
        "sku": offer.place.sku,
        "cause": offer.place.cause,
        "short": offer.short,
        "stopped": offer.left.off,
        "unit_minor": offer.sale.unit_minor,
        "cost_minor": offer.judgement.cost_minor,
        "gain_minor": offer.judgement.gain_minor,
        "currency": offer.sale.currency,
        "verdict": offer.judgement.verdict,
        "reason": offer.judgement.reason,
    }
