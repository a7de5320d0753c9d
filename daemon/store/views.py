"""Read-only views of the database for people and scripts: orders, cases, tasks."""

from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, exists, or_, select

from daemon.store import orders
from daemon.tables import Action, Case, Delivery, Member, Order
from rules import model
from rules.instant import format_utc
from rules.model import Kind, Outcome

O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741
C = Case.__table__  # type: ignore[attr-defined]
A = Action.__table__  # type: ignore[attr-defined]
M = Member.__table__  # type: ignore[attr-defined]
D = Delivery.__table__  # type: ignore[attr-defined]


def shops_of(connection: Connection, order_id: str) -> list[str]:
    """The shops in which an order of this id is known."""
    return list(connection.execute(select(O.c.shop).where(O.c.order_id == order_id).order_by(O.c.shop)).scalars())


def order_rows(
    connection: Connection,
    *,
    shop: str | None = None,
    order_id: str | None = None,
    open_only: bool = False,
    at_risk: bool = False,
) -> list[RowMapping]:
    """Orders, the nearest `act_by` first; `at_risk` is whether a case of the order is open."""
    risky = select(C.c.key).where(C.c.shop == O.c.shop, C.c.order_id == O.c.order_id, C.c.closed_at.is_(None)).exists()
    columns = ("shop", "order_id", "status", "paid_minor", "currency", "paid_at", "ship_by", "act_by", "platform")
    query = select(*(O.c[name] for name in columns), risky.label("at_risk"))
    if shop is not None:
        query = query.where(O.c.shop == shop)
    if order_id is not None:
        query = query.where(O.c.order_id == order_id)
    if open_only:
        query = query.where(O.c.is_open.is_(True))
    if at_risk:
        query = query.where(risky)
    query = query.order_by(O.c.act_by.is_(None), O.c.act_by, O.c.shop, O.c.order_id)
    return list(connection.execute(query).mappings())


def order_json(row: RowMapping) -> dict[str, Any]:
    """An order as `orders list --json` shows it (contract §2)."""
    return {
        "shop": row["shop"],
        "order_id": row["order_id"],
        "status": row["status"],
        "paid_minor": row["paid_minor"],
        "currency": row["currency"],
        "paid_at": _utc(row["paid_at"]),
        "ship_by": _utc(row["ship_by"]),
        "act_by": _utc(row["act_by"]),
        "at_risk": bool(row["at_risk"]),
    }


def order_of(connection: Connection, shop: str, order_id: str) -> model.Order | None:
    """One order's facts."""
    found = orders.load(connection, {(shop, order_id)}).get((shop, order_id))
    return found.order if found else None


def case_rows(
    connection: Connection, *, shop: str | None = None, order_id: str | None = None, open_only: bool = True
) -> list[RowMapping]:
    """Cases with the order's effective times and the money at stake, the nearest deadline first."""
    stake = (
        select(M.c.stake_minor).where(M.c.case_key == C.c.key).order_by(M.c.joined_at.desc()).limit(1).scalar_subquery()
    )
    query = select(C, O.c.ship_by.label("order_ship_by"), O.c.act_by, O.c.currency, stake.label("stake_minor")).join(
        O, (O.c.shop == C.c.shop) & (O.c.order_id == C.c.order_id)
    )
    if open_only:
        query = query.where(C.c.closed_at.is_(None))
    if shop is not None:
        query = query.where(C.c.shop == shop)
    if order_id is not None:
        query = query.where(C.c.order_id == order_id)
    query = query.order_by(O.c.act_by.is_(None), O.c.act_by, C.c.shop, C.c.key)
    return list(connection.execute(query).mappings())


def case_json(row: RowMapping) -> dict[str, Any]:
    """A case for scripts."""
    return {
        "key": row["key"],
        "shop": row["shop"],
        "order_id": row["order_id"],
        "violation": row["violation"],
        "reason": row["reason"],
        "opened_at": _utc(row["opened_at"]),
        "closed_at": _utc(row["closed_at"]),
        "ship_by": _utc(row["order_ship_by"]),
        "act_by": _utc(row["act_by"]),
        "stake_minor": row["stake_minor"],
        "currency": row["currency"],
        "acked_at": _utc(row["acked_at"]),
        "snoozed_until": _utc(row["snoozed_until"]),
        "taken_over": bool(row["taken_over"]),
    }


def task_rows(connection: Connection, now: int, *, shop: str | None = None, all_rows: bool = False) -> list[RowMapping]:
    """Work items for people, oldest first: those that are open and of use at `now`, or all."""
    query = select(A).where(A.c.request.startswith("{"), A.c.outcome_at.is_not(None))
    if all_rows:
        query = query.where(A.c.kind != Kind.ALERT)
    else:
        in_time = or_(A.c.not_after.is_(None), A.c.not_after >= now)
        # a call that may have been made (it has a note) must be looked into, whatever became of its order
        query = query.where(A.c.outcome == Outcome.NEEDS_HUMAN, or_(A.c.note != "", in_time & ~_case_has_ended))
    if shop is not None:
        query = query.where(A.c.shop == shop)
    return list(connection.execute(query.order_by(A.c.at, A.c.key)).mappings())


def task_json(row: RowMapping) -> dict[str, Any]:
    """A work item for scripts."""
    request = msgspec.json.decode(row["request"]) if row["request"] else {}
    return {
        "key": row["key"],
        "shop": row["shop"],
        "order_id": row["order_id"],
        "cause": row["cause"],
        "action": row["kind"],
        "step": row["step"],
        "title": request.get("title"),
        "text": request.get("text"),
        "as_of": request.get("as_of"),
        "at": _utc(row["at"]),
        "not_after": _utc(row["not_after"]),
        "outcome": row["outcome"],
        "note": row["note"],
    }


_case_has_ended = exists().where(
    C.c.shop == A.c.shop,
    C.c.order_id == A.c.order_id,
    C.c.violation == A.c.violation,
    C.c.episode == A.c.episode,
    C.c.closed_at.is_not(None),
)


def _utc(instant: int | None) -> str | None:
    return None if instant is None else format_utc(instant)
