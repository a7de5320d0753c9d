"""The contract's `why` document for any order: now, or as it was known at an earlier instant."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from daemon.shops import Shops
from daemon.store import health
from daemon.store.past import as_of, as_stored
from rules.why import explain, to_json


def why(
    connection: Connection, shops: Shops, shop: str, order_id: str, at: int | None, now: int
) -> dict[str, Any] | None:
    """What holds for the order and why, what was done, what is to come; None when it is (or was) unknown.

    With `at`, steps that came later than `at` show as planned, as they did then, and rules and steps are those of
    the playbook and rule pack that were in force then; `policy` says which these are.
    """
    if at is None:
        known = as_stored(connection, shops, shop, order_id, now)
    else:
        known = as_of(connection, shops, shop, order_id, at)
    if known is None:
        return None
    moment = now if at is None else at
    budget = health.Budgets().at(connection, shops, [(shop, moment)]).get((shop, moment))
    policy = replace(known.law.policy, budget=budget)
    found = explain(known.order, policy, known.history, moment, observed_at=known.observed_at)
    return to_json(found) | {"policy": known.law.document()}
