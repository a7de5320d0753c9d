"""Alerts about a shop itself, which no order decided: stale data, shop health, scans nobody can know."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from daemon.lines import line
from daemon.shops import Shop, Shops
from daemon.store import decisions
from daemon.store.journal import Journal
from rules.decide import Act


def plan(
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
) -> None:
    """Plan the alert and put it down as evidence, in the caller's transaction. `members`: the orders it names."""
    named = msgspec.json.encode(members).decode() if members is not None else None
    row = decisions.action_row(shops, shop, act, now, pack, cause=cause, members=named)
    decisions.add_actions(connection, [row])
    entry = line(
        at=now,
        shop=shop.name,
        cause=cause,
        members=members,
        case=act.violation,
        event="action",
        action=act.kind,
        step=act.step,
        key=act.key,
        reason=act.reason,
        outcome=decisions.planned_outcome(shops, act),
        pack=pack,
        playbook=shop.policy.playbook.version,
    )
    journal.note(shop.name, cause, entry)
