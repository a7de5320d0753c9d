"""`forestall health`: what the platform counts against each shop, how much room is left, what is coming."""

from typing import Any

import typer

from daemon import prognosis, words
from daemon.cli import screen
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, Session, ShopOption, opened, out
from daemon.errors import Usage
from daemon.i18n import gettext as _
from daemon.store import contacts, health
from rules.health import Reading
from rules.instant import MINUTE, format_utc


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("health")(show_health)


def show_health(config: ConfigOption = DEFAULT_CONFIG, shop: ShopOption = None, json: JsonOption = False) -> None:
    """Show each shop's disputes and stock-outs against the platform's lines, and what is coming."""
    with opened(config) as session:
        names = _names(session, shop)
        with session.database.begin() as tx:
            found = {name: health.readings(tx, session.installation.shops.get(name), session.now) for name in names}
            heard = {name: soon for name in names if (soon := contacts.first_contact(tx, name, session.now))}
    if json:
        readings = [_document(name, reading) for name, of_shop in found.items() for reading in of_shop]
        spoken = [
            {"shop": name, "cases": one.cases, "median_minutes": one.median // MINUTE} for name, one in heard.items()
        ]
        out().json({"now": format_utc(session.now), "readings": readings, "first_contact": spoken})
        return
    _print(session, found)
    for name, one in heard.items():
        said = _("[{shop}] first message to the buyer: {minutes} min after a case opened (median of {n}, 30 days)")
        out().print(said.format(shop=name, minutes=one.median // MINUTE, n=one.cases))


def _names(session: Session, shop: str | None) -> list[str]:
    known = sorted(session.settings.shops)
    if shop is None:
        return known
    if shop not in known:
        raise Usage(_("no shop {shop} is configured; known: {shops}").format(shop=shop, shops=", ".join(known)))
    return [shop]


def _print(session: Session, found: dict[str, tuple[Reading, ...]]) -> None:
    heads = [_("shop"), _("what is counted"), _("over"), _("now"), _("line"), _("left"), _("outlook")]
    rows = [_cells(name, reading, session) for name, of_shop in found.items() for reading in of_shop]
    if rows:
        out().table(screen.table(heads, rows, right=(5,)))
    silent = [name for name, of_shop in found.items() if not of_shop]
    if silent:
        out().print(_("no line of the platform is known for: {shops}").format(shops=", ".join(silent)))
    gaps = sorted(
        {
            f"{name}, {reading.gauge.metric}: {gap}"
            for name, of_shop in found.items()
            for reading in of_shop
            for gap in prognosis.gaps(reading)
        }
    )
    for gap in gaps:
        out().print(f"! {gap}")
    advice = {line for of_shop in found.values() for reading in of_shop for line in prognosis.advice(reading)}
    for line in sorted(advice):
        out().print(line)


def _cells(name: str, reading: Reading, session: Session) -> tuple[str | None, ...]:
    zone = session.installation.shops.get(name).policy.pack.zone
    return (
        name,
        prognosis.name(reading),
        prognosis.window(reading),
        prognosis.stands(reading),
        prognosis.limit(reading),
        None if reading.left is None else str(max(reading.left - 1, 0)),
        words.about(words.say(words.STATES, reading.state), prognosis.sentence(reading, zone)),
    )


def _document(name: str, reading: Reading) -> dict[str, Any]:
    gauge = reading.gauge
    return {
        "shop": name,
        "metric": gauge.metric,
        "name": gauge.name,
        "period": gauge.period,
        "days": gauge.days,
        "since": format_utc(gauge.since),
        "until": format_utc(gauge.until),
        "count": None if "points" in reading.missing else reading.count,
        "trades": reading.trades,
        "rate_bp": reading.rate_bp,
        "normal_bp": list(gauge.normal_bp),
        "crosses_at": reading.crossing,
        "headroom": None if reading.left is None else max(reading.left - 1, 0),
        "state": reading.state,
        "effect": gauge.effect,
        "pending": reading.pending,
        "horizon": format_utc(reading.horizon),
        "forecast": None if "points" in reading.missing else reading.forecast,
        "forecast_crosses": reading.forecast_crosses,
        "confidence": gauge.confidence,
        "missing": list(reading.missing),
    }
