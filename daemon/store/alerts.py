"""Alerts about a shop itself, which no order decided: stale data, shop health, scans nobody can know."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from daemon.shops import Shop, Shops
from daemon.store import decisions, outbox
from daemon.store.journal import Journal
from rules.decide import Act
from rules.model import Kind, Outcome, Violation


def notice(cause: str, told: str, step: str, reason: str, violation: Violation = Violation.LATE_SHIPMENT) -> Act:
    """The alert about a shop that says what `told` stands for: under this key it is told once."""
    return Act(key=f"{cause}/{told}", kind=Kind.ALERT, step=step, violation=violation, episode=1, reason=reason)


def untold(shops: Shops) -> tuple[Outcome, ...]:
    """The outcomes of alerts that told nobody and never will: in shadow what is recorded counts as told."""
    return (Outcome.VOID, Outcome.REFUSED, *((Outcome.SHADOW,) if shops.mode(Kind.ALERT) == "live" else ()))


def fresh(connection: Connection, shops: Shops, act: Act) -> Act | None:
    """The alert, unless it was told before: one that was only recorded in shadow told nobody, but has used its key."""
    number, key = 1, act.key
    while (outcome := outbox.outcome_of(connection, key)) is not None:
        if outcome not in untold(shops):
            return None
        number += 1
        key = f"{act.key}/{number}"
    return act._replace(key=key)


def tell(
    connection: Connection,
    journal: Journal,
    shops: Shops,
    shop: Shop,
    act: Act,
    cause: str,
    now: int,
    *,
    pack: str = "",
    members: Sequence[str] | None = None,
    note: str = "",
) -> None:
    """Plan the alert unless it was told before, and put it down as evidence, in the caller's transaction.

    `members`: the orders it names. `note`: what its text is made of.
    """
    new = fresh(connection, shops, act)
    if new is None:
        return
    named = msgspec.json.encode(members).decode() if members is not None else None
    row = decisions.action_row(shops, shop, new, now, pack, cause=cause, members=named) | {"note": note}
    decisions.add_actions(connection, [row])
    said = {"at": now, "shop": shop.name, "cause": cause, "members": members, "playbook": shop.policy.playbook.version}
    journal.note(shop.name, cause, decisions.act_line(shops, new, pack, said))
