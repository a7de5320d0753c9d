"""`forestall why`: for any order, what was decided and why, also why nothing happened; at any moment."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from daemon import reasons, show, silence, words
from daemon.cli import completion, screen
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, ShopOption, find_shop, instant, opened, out
from daemon.cli.session import moment as said_at
from daemon.errors import Usage
from daemon.explanation import why as explain
from daemon.i18n import gettext as _
from daemon.show import money
from daemon.store import deliveries, hands
from rules.instant import parse


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("why")(why)


def why(
    order: Annotated[
        str, typer.Argument(metavar="ORDER", help="The platform's order id.", autocompletion=completion.orders)
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    at: Annotated[str | None, typer.Option("--at", help="As it was known at this moment (RFC 3339).")] = None,
    shop: ShopOption = None,
    json: JsonOption = False,
) -> None:
    """Say why something was done about an order, or why not."""
    with opened(config) as session:
        name = find_shop(session, order, shop)
        zone = session.installation.shops.get(name).policy.zone
        moment = instant(at, "--at", zone, past=True)
        with session.database.begin() as tx:
            document = explain(tx, session.installation.shops, name, order, moment, session.now)
            by_hand = hands.by_people(tx, name, order, moment if moment is not None else session.now)
            about = deliveries.about(tx, name, order) if moment is None else []
            waits = {row.key for row in deliveries.undelivered(tx, session.now)} if about else set()
    if document is None:
        raise Usage(_("order {order} was not known at {at}").format(order=order, at=at))
    if json:
        alerts = [silence.document(row, queue, waits) for row, queue in about]
        people = [{name: one.get(name) for name in ("at", "by", "key", "reason")} for one in by_hand]
        out().json({**document, "alerts": alerts, "people": people})
        return
    now = moment if moment is not None else session.now
    _print(document, name, zone, now)
    if by_hand:
        _part(_("What people did"), (_hand(one, zone, now) for one in by_hand))
    if about:
        lines = ((row["at"], line) for row, queue in about for line in silence.states(row, queue, waits))
        told = (f"{said_at(when, zone, now)}  {line}" for when, line in lines)
        _part(_("Alerts about it, and whom they reached"), told)


def _print(document: dict[str, Any], shop: str, zone: ZoneInfo, now: int) -> None:
    act_by = document["act_by"]
    waiting = act_by is not None and (parse(act_by) >= now or any(rule["fired"] for rule in document["rules"]))
    left = f" ({show.left(parse(act_by) - now)})" if waiting else ""
    known = [
        (_("order"), f"{document['order']}  [{shop}]"),
        (_("ship by"), _moment(document["ship_by"], zone, now)),
        (_("hand over by"), _moment(act_by, zone, now) + left),
        (_("decided by"), _policy(document["policy"], zone, now)),
    ]
    out().print(screen.pairs(known))
    _part(_("Ship-by time: who says what"), (_candidate(one, zone, now) for one in document["candidates"]))
    _part(_("Dangers and rules (● holds, ○ does not)"), map(_rule, document["rules"]))
    for choice in document["choices"]:
        _ways(choice)
    steps = document["steps"]
    ahead = [step for step in steps if step["outcome"] == "planned"]
    dropped = [step for step in steps if step["outcome"] == "void"]
    taken = [step for step in steps if step not in ahead and step not in dropped]
    _part(_("So far"), (_step(step, zone, now) for step in taken))
    _part(_("To come, if nothing changes"), (_step(step, zone, now) for step in ahead))
    if dropped:
        _part(_("Not done, and why"), (_step(step, zone, now) for step in dropped))


def _policy(law: dict[str, Any], zone: ZoneInfo, now: int) -> str:
    """Playbook and rule pack, and whether they are those of the moment asked about."""
    said = _("playbook {playbook} ({digest}), rules {pack}").format(
        playbook=law["playbook"], digest=law["playbook_digest"], pack=law["pack"]
    )
    match law["source"]:
        case "kept":
            return said + "  " + _("in force since {moment}").format(moment=_moment(law["since"], zone, now))
        case "unreadable":
            return said + "  " + _("today's: this version cannot read those of that time")
    return said


def _ways(choice: dict[str, Any]) -> None:
    """The ways out of one danger, the cheapest safe one marked; then the guesses they rest on."""
    danger, currency = words.say(words.VIOLATIONS, choice["violation"]), choice["currency"]
    _part(
        _("Ways out of “{danger}”, with what each is expected to cost (→ planned)").format(danger=danger),
        (_way(one, currency) for one in choice["alternatives"]),
    )
    named = [words.assumed(name, value, currency) for name, value in choice["assumed"].items() if name in words.ASSUMED]
    out().print(
        "  " + _("Guesses of your playbook [assume]: {guesses}").format(guesses=_("; ").join(filter(None, named)))
    )
    if choice["near_line"]:
        times = choice["assumed"]["near_line"]
        out().print("  " + _("near a line of the platform: a dispute counts {n} times").format(n=times))
    if choice["weak"]:
        out().print("  " + _("not counted, its source is weak: {rows}").format(rows=", ".join(choice["weak"])))


def _way(one: dict[str, Any], currency: str) -> str:
    mark = "→" if one["chosen"] else "·" if one["obstacle"] is None else "×"
    said = f"{mark} {words.say(words.WAYS, one['way'])}"
    if one["pay_minor"] is not None:
        said += f" {money(one['pay_minor'], currency)}"
    said = words.about(said, _("costs {amount}").format(amount=money(one["cost_minor"], currency)))
    if one["obstacle"] is not None:
        return f"{said}  ({reasons.full(one['obstacle'])})"
    if one["break_even"] is not None:
        said += "  " + _("(pays off from {n}% of complaining buyers on)").format(n=one["break_even"])
    return said


def _part(title: str, lines: Iterable[str]) -> None:
    out().print(f"\n{title}")
    for line in list(lines) or [_("nothing")]:
        out().print(f"  {line}")


def _candidate(candidate: dict[str, Any], zone: ZoneInfo, now: int) -> str:
    mark = "→" if candidate["effective"] else " "
    return f"{mark} {_moment(candidate['ship_by'], zone, now)}  {words.say(words.SOURCES, candidate['source'])}"


def _rule(rule: dict[str, Any]) -> str:
    mark = "●" if rule["fired"] else "○"
    name = words.say(words.VIOLATIONS, rule["id"]) if rule["id"] in words.VIOLATIONS else rule["id"]
    if name.startswith("stock:"):
        name = _("stock of {sku}").format(sku=name.removeprefix("stock:"))
    amount = rule["amount_minor"]
    price = "" if amount is None else "  " + _("up to {amount}").format(amount=money(amount, None))
    doubt = "" if rule["confirmed"] or amount is None else f" ({_('not confirmed by a person')})"
    return f"{mark} {words.about(name, reasons.full(rule['reason']))}{price}{doubt}"


def _step(step: dict[str, Any], zone: ZoneInfo, now: int) -> str:
    _shop, _order, violation, *_episode, name = step["key"].split("/")
    danger = words.say(words.VIOLATIONS, violation)
    what = words.say(words.STEPS, name)
    outcome = "" if step["outcome"] in ("planned", "void") else f" – {words.say(words.OUTCOMES, step['outcome'])}"
    return (
        f"{_moment(step['due_at'], zone, now)}  {words.about(danger, what)}{outcome}  ({reasons.full(step['reason'])})"
    )


def _hand(entry: Mapping[str, Any], zone: ZoneInfo, now: int) -> str:
    """Who did what, and about which danger."""
    what = words.about(words.say(words.VIOLATIONS, entry["case"]), reasons.sentence(entry["reason"]))
    return f"{_moment(entry['at'], zone, now)}  {what}  ({entry.get('by') or screen.DASH})"


def _moment(text: str | None, zone: ZoneInfo, now: int) -> str:
    return screen.DASH if text is None else said_at(parse(text), zone, now)
