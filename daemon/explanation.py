"""The contract's `why` document for any order: now, or as it was known at an earlier instant."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from daemon.shops import Shops
from daemon.store import health, sharing
from daemon.store.past import as_of, as_stored
from rules.model import Order
from rules.why import explain, to_json


def why(
    connection: Connection, shops: Shops, shop: str, order_id: str, at: int | None, now: int
) -> dict[str, Any] | None:
    """What holds for the order and why, what was done, what is to come; None when it is (or was) unknown.

    With `at`, steps that came later than `at` show as planned, as they did then, and rules and steps are those of
    the playbook and rule pack that were in force then; `policy` says which these are. Who shares a stock pool is told
    of today only: no evidence holds it.
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
    document = to_json(found) | {"policy": known.law.document()}
    if at is None:
        document["rules"] += _shared(connection, shops.get(shop, known.order.platform).seller, known.order)
    return document


def _shared(connection: Connection, seller: str, order: Order) -> list[dict[str, Any]]:
    """One rule for each short stock pool of the order: does the stock go to it or to others, and for what loss."""
    found = []
    for sku in sorted({line.sku for line in order.lines if line.sku and line.open_quantity}):
        shares = sharing.shares(connection, seller, sku)
        mine = next((share for share in shares if (share.shop, share.order_id) == (order.shop, order.order_id)), None)
        if mine is None:
            continue
        others = " ".join(share.order_id for share in shares if share.covered)
        reason = "STOCK_KEPT" if mine.covered else f"STOCK_GIVES_WAY {others}".rstrip()
        rule = {"id": f"stock:{sku}", "fired": not mine.covered, "reason": reason}
        found.append({**rule, "amount_minor": mine.loss_minor, "confirmed": False})
    return found
