"""`forestall policy`: what platforms charge, whether the policy is sound, and a person's word for a row."""

from difflib import get_close_matches
from typing import Annotated

import typer

from daemon import packtext, words
from daemon.cli import backtest, policy_lint, policy_show, scenarios
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, opened, out, user
from daemon.errors import Usage
from daemon.i18n import gettext as _
from daemon.store import confirmations, policies
from daemon.store.confirmations import Confirmation
from daemon.store.journal import Journal
from rules import lint, packs
from rules.packdata import Row
from rules.packs import Pack

app = typer.Typer(help="Rule packs and playbook: what platforms charge, and what you want done.", no_args_is_help=True)
policy_lint.register(app)
policy_show.register(app)
scenarios.register(app)
backtest.register(app)


@app.command()
def confirm(
    row: Annotated[str, typer.Argument(metavar="ROW", help="The row's id: forestall policy show.")],
    source: Annotated[str, typer.Option("--source", help="Where you have read it: page and date.")] = "",
    by: Annotated[str, typer.Option("--by", help="Who vouches for it; left out: the user who types.")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take a confirmation back.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Vouch for a row of a rule pack: only confirmed rows may move money."""
    pack, found = _row(row)
    if not withdraw and not source.strip():
        raise Usage(_("--source: say where you have read it, for example the rule centre's page and its date"))
    with opened(config) as session:
        who = user()
        word = Confirmation(row=row, by=by.strip() or who, user=who, at=session.now, source=source.strip())
        shops = [name for name, shop in session.installation.shops.known.items() if shop.platform == pack.platform]
        with session.database.begin() as tx:
            if withdraw:
                digests = confirmations.withdraw(tx, word, shops)
            else:
                digests = confirmations.confirm(tx, found, word, shops)
        if digests is None:
            raise Usage(_("row {row} was not confirmed").format(row=row))
        session.installation.shops.confirm(digests)
        with session.database.begin() as tx:
            policies.remember(tx, journal := Journal(), session.installation.shops, session.now)
            journal.write(tx, session.now)
    if json:
        out().json({"row": row, "digest": found.digest, "confirmed": None if withdraw else policy_show.word(word)})
    elif withdraw:
        out().print(_("withdrawn: {row} moves no money any more").format(row=row))
    else:
        _tell(found, word)


def _tell(row: Row, word: Confirmation) -> None:
    text = _("confirmed by {by}: {row} ({violation}, {days}): {payout}")
    violation = words.say(words.VIOLATIONS, row.violation)
    days = packtext.span(row.first, row.last)
    out().print(text.format(by=word.by, row=row.id, violation=violation, days=days, payout=packtext.payout(row)))
    if row.confidence == "C":
        out().print("! " + _("its source is weak: amounts are exact now, but it still picks no play"))
    elif not lint.pays_first(row):
        out().print(
            "! " + _("no money is paid first by it: the platform charges it by itself, or who starts it is unknown")
        )
    if row.instead_of is not None:
        out().print("! " + _("it now counts in place of {other}").format(other=row.instead_of))


def _row(name: str) -> tuple[Pack, Row]:
    """The row of that id and its pack. Raises Usage naming near ones, or when there is nothing to confirm."""
    rows = {row.id: (pack, row) for pack in packs.all_packs() for row in pack.rows}
    if name not in rows:
        near = ", ".join(get_close_matches(name.upper(), rows, 3))
        hint = _("did you mean {near}?").format(near=near) if near else _("forestall policy show --all lists them")
        raise Usage(_("no row {row}; {hint}").format(row=name, hint=hint))
    pack, row = rows[name]
    if not lint.priced(row):
        raise Usage(_("row {row} sets no amount for an order: there is nothing to confirm").format(row=name))
    return pack, row
