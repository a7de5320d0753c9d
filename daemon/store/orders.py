"""Orders, their cases and their past, read in batches the way `decide` wants them."""

from collections.abc import Iterator, Mapping, Sequence, Set
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam, select, update

from daemon.shops import Shop
from daemon.store.pairs import among, read
from daemon.store.timers import Claimed
from daemon.store.upsert import many, replace_all
from daemon.tables import Action, Case, Event, Member, Order
from rules import model, snapshot
from rules.deadline import Deadline, effective
from rules.model import History, Kind, Outcome, Past, Violation
from rules.snapshot import Known

O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741
C = Case.__table__  # type: ignore[attr-defined]
A = Action.__table__  # type: ignore[attr-defined]
EV = Event.__table__  # type: ignore[attr-defined]
M = Member.__table__  # type: ignore[attr-defined]

_decode = lru_cache(maxsize=4096)(msgspec.json.Decoder(model.Order).decode)
"""Remembered by its text: an order is decided right after it was taken in, and seldom only once (10 µs each time)."""
_encode = msgspec.json.Encoder().encode
_loads = msgspec.json.decode
Item = TypeVar("Item")
CHUNK = 500
"""Parameters in one IN list; SQLite allows 32,766, PostgreSQL 65,535."""


class Stored(NamedTuple):
    """An order as the database has it: its facts, the effective times last computed, uncovered lines."""

    order: model.Order
    observed_at: int
    ship_by: int | None
    act_by: int | None
    short: tuple[str, ...]


def shipped(connection: Connection, names: set[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Which of the named orders are marked as shipped."""
    found = read(connection, _STATUS, names)
    return frozenset((row.shop, row.order_id) for row in found if row.status == "shipped")


def chunks(items: Sequence[Item], size: int = CHUNK) -> Iterator[Sequence[Item]]:
    """The items in parts a statement can take."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


Indexed = tuple[bool, int | None, int | None]
"""What the indexes of an order's row hold: is_open, paid_at, act_by."""


def known(
    connection: Connection, names: set[tuple[str, str]], affirmed: Mapping[tuple[str, str], int]
) -> tuple[dict[tuple[str, str], Known], dict[tuple[str, str], Indexed]]:
    """What is known of the named orders, to merge into, and what indexes hold of their rows.

    `affirmed`: when an unchanged snapshot last said so.
    """
    found: dict[tuple[str, str], Known] = {}
    indexed: dict[tuple[str, str], Indexed] = {}
    for shop, order_id, observed_at, text, times, *held in read(connection, _KNOWN, names):
        name = (shop, order_id)
        facts = snapshot.unnest(_loads(text))
        for own in ("shop", "platform", "order_id"):
            facts.pop(own, None)
        if facts.get("status") == model.UNKNOWN:
            del facts["status"]
        found[name] = Known(
            observed_at=max(observed_at, affirmed.get(name, observed_at)),
            facts=facts,
            times=_loads(times) if times else {},
        )
        is_open, paid_at, act_by = held
        indexed[name] = (is_open, paid_at, act_by)
    return found, indexed


def save(connection: Connection, rows: Sequence[dict[str, Any]], indexed: Mapping[tuple[str, str], Indexed]) -> None:
    """Write rows of orders. One whose indexed columns stay as they are (`known`) is spared its index entries.

    They are what most of a write costs: each lies on a page of its own.
    """
    fresh: list[dict[str, Any]] = []
    same: list[dict[str, Any]] = []
    for row in rows:
        held = indexed.get((row["shop"], row["order_id"]))
        (same if held == (row["is_open"], row["paid_at"], row["act_by"]) else fresh).append(row)
    many(connection, SAVE[connection.dialect.name], fresh)
    many(connection, _REWRITE, [{f"b_{name}": row[name] for name in _REWRITTEN} for row in same])


def row(shop: Shop, order_id: str, facts: Known) -> tuple[dict[str, Any], model.Order, Deadline]:
    """The table row of what is known, the order it decodes to and its effective deadline."""
    nested = {
        "shop": shop.name,
        "platform": shop.platform,
        "order_id": order_id,
        "status": model.UNKNOWN,
        **snapshot.nest(facts.facts),
    }
    text = _encode(nested)
    order = _decode(text)
    due = effective(order, shop.policy.pack, shop.policy.warehouse)
    return (
        {
            "shop": shop.name,
            "order_id": order_id,
            "seller": shop.seller,
            "platform": shop.platform,
            "status": order.status,
            "is_open": order.owed or order.status in ("unpaid", "shipped", model.UNKNOWN),
            "observed_at": facts.observed_at,
            "paid_at": order.paid_at,
            "ship_by": due.ship_by,
            "act_by": due.act_by,
            "paid_minor": order.paid_minor,
            "currency": order.currency,
            "facts": text.decode(),
            "times": times_text(facts),
        },
        order,
        due,
    )


def times_text(facts: Known) -> str:
    """How `orders.times` stores when facts older than the rest were said."""
    return _encode(facts.times).decode() if facts.times else ""


def decoded(facts: str) -> model.Order:
    """The order that a row's `facts` tell of."""
    return _decode(facts)


def load(connection: Connection, names: set[tuple[str, str]]) -> dict[tuple[str, str], Stored]:
    """The named orders, decoded."""
    return {
        (shop, order_id): Stored(_decode(facts), observed_at, ship_by, act_by, tuple(_loads(short)) if short else ())
        for shop, order_id, observed_at, facts, ship_by, act_by, short in read(connection, _LOAD, names)
    }


def is_known(connection: Connection, shop: str) -> bool:
    """Whether any order of a shop is known."""
    return connection.execute(select(O.c.shop).where(O.c.shop == shop).limit(1)).first() is not None


def histories(connection: Connection, names: set[tuple[str, str]]) -> dict[tuple[str, str], History]:
    """Cases, actions and events of the named orders. Orders without any are absent."""
    cases: dict[tuple[str, str], list[model.Case]] = {}
    past: dict[tuple[str, str], list[Past]] = {}
    events: dict[tuple[str, str], list[model.Event]] = {}
    for row in read(connection, _CASES, names):
        cases.setdefault((row.shop, row.order_id), []).append(_case(row))
    for row in read(connection, _PAST, names):
        past.setdefault((row.shop, row.order_id), []).append(_past(row))
    for row in read(connection, _EVENTS, names):
        event = model.Event(event=row.event, at=row.at, seen_at=row.seen_at)
        events.setdefault((row.shop, row.order_id), []).append(event)
    return {
        name: History(
            cases=tuple(cases.get(name, ())),
            past=tuple(past.get(name, ())),
            events=tuple(events.get(name, ())),
        )
        for name in cases.keys() | past.keys() | events.keys()
    }


def standing(history: History, claim: Claimed, stored: Stored) -> History:
    """The history together with what the last decision and the stock pools left."""
    return history._replace(
        short=stored.short, decided_at=claim.decided_at, playbook=claim.playbook, woken_at=claim.due_at
    )


def acknowledge(connection: Connection, shop: str, order_id: str, at: int) -> None:
    """The seller has it: open cases of the order stay silent from `at` on."""
    for table, still_open in ((C, C.c.closed_at.is_(None)), (M, M.c.left_at.is_(None))):
        connection.execute(
            update(table)
            .where(table.c.shop == shop, table.c.order_id == order_id, still_open, table.c.acked_at.is_(None))
            .values(acked_at=at)
        )


def short(connection: Connection, names: Set[tuple[str, str]]) -> dict[tuple[str, str], set[str]]:
    """Which lines of the named orders their pools cannot cover."""
    rows = read(connection, _SHORTS, names)
    return {(row.shop, row.order_id): set(_loads(row.short)) if row.short else set() for row in rows}


def set_short(connection: Connection, short: Mapping[tuple[str, str], Set[str]]) -> None:
    """Write which lines of orders (shop, order id) their pools cannot cover."""
    rows = [
        {"b_shop": shop, "b_order": order_id, "b_short": _encode(sorted(lines)).decode() if lines else ""}
        for (shop, order_id), lines in short.items()
    ]
    many(connection, _SHORT, rows)


def set_deadline(connection: Connection, stored: Stored, due: Deadline) -> None:
    """Write the effective times of an order after a policy change moved them."""
    connection.execute(
        update(O)
        .where(O.c.shop == stored.order.shop, O.c.order_id == stored.order.order_id)
        .values(ship_by=due.ship_by, act_by=due.act_by)
    )


def _case(row: Any) -> model.Case:
    return model.Case(
        key=row.key,
        violation=Violation(row.violation),
        episode=row.episode,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        reason=row.reason,
        ship_by=row.ship_by,
        snoozed_until=row.snoozed_until,
        acked_at=row.acked_at,
        taken_over=bool(row.taken_over),
    )


def _past(row: Any) -> Past:
    return Past(
        key=row.key,
        kind=Kind(row.kind),
        step=row.step,
        violation=Violation(row.violation),
        episode=row.episode,
        at=row.at,
        outcome=Outcome(row.outcome),
        reason=row.reason,
        dropped=bool(row.dropped),
    )


_shop: BindParameter[str] = bindparam("b_shop")
_STATUS = among(select(O.c.shop, O.c.order_id, O.c.status), O.c.shop, O.c.order_id)
_KNOWN = among(
    select(O.c.shop, O.c.order_id, O.c.observed_at, O.c.facts, O.c.times, O.c.is_open, O.c.paid_at, O.c.act_by),
    O.c.shop, O.c.order_id,
)  # fmt: skip
_TOLD = ("seller", "platform", "status", "observed_at", "ship_by", "paid_minor", "currency", "facts", "times")
SAVE = {
    d: replace_all(d, O, ("shop", "order_id"), (*_TOLD, "is_open", "paid_at", "act_by"))
    for d in ("sqlite", "postgresql")
}
"""Add orders, or replace all that is told of them."""
_REWRITTEN = ("shop", "order_id", *_TOLD)
_REWRITE = (
    update(O)
    .where(O.c.shop == _shop, O.c.order_id == bindparam("b_order_id"))
    .values({name: bindparam(f"b_{name}") for name in _TOLD})
)
_SHORTS = among(select(O.c.shop, O.c.order_id, O.c.short), O.c.shop, O.c.order_id)
_LOAD = among(
    select(O.c.shop, O.c.order_id, O.c.observed_at, O.c.facts, O.c.ship_by, O.c.act_by, O.c.short),
    O.c.shop, O.c.order_id,
)  # fmt: skip
_CASES = among(select(C).order_by(C.c.opened_at, C.c.key), C.c.shop, C.c.order_id)
_PAST = among(
    select(
        A.c.shop, A.c.order_id, A.c.key, A.c.kind,
        A.c.step, A.c.violation, A.c.episode, A.c.at, A.c.outcome, A.c.reason, A.c.dropped,
    ).order_by(A.c.at, A.c.key),
    A.c.shop, A.c.order_id,
)  # fmt: skip
_EVENTS = among(select(EV).order_by(EV.c.at, EV.c.event), EV.c.shop, EV.c.order_id)
_SHORT = update(O).where(O.c.shop == _shop, O.c.order_id == bindparam("b_order")).values(short=bindparam("b_short"))
