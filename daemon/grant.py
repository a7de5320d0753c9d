"""The last gate before a buyer hears anything: an approved text, its words, opt-out, quiet hours, and not too often.

Asked in the transaction in which a message is about to leave, from the newest stored state. Limits are granted here
and never inside `decide`, so the size of a batch cannot change what is decided.
"""

import msgspec
from sqlalchemy import Connection, RowMapping, func, select

from daemon.shops import Shop
from daemon.tables import Action, Event, Order
from rules import contact, model
from rules.model import History, Kind, Outcome
from rules.templates import Template

A = Action.__table__  # type: ignore[attr-defined]
EV = Event.__table__  # type: ignore[attr-defined]
O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741
_HEARD = (Outcome.CALLING, Outcome.SETTLED, Outcome.MAYBE_SENT, Outcome.UNKNOWN, Outcome.NEEDS_HUMAN)
"""Outcomes in which the buyer has heard from us, or may have, or will by a person."""


def refusal(tx: Connection, shop: Shop, row: RowMapping, order: model.Order, history: History, now: int) -> str | None:
    """Why a planned message must not leave, as a reason code; None when it may."""
    template = shop.policy.playbook.approved(row["template"] or "")
    if template is None:
        return "TEXT_NOT_APPROVED"
    said = _unsayable(shop, row, template, history)
    if said is not None:
        return said
    until = quiet_until(shop, row, now)
    if until is not None and row["not_after"] is not None and until > row["not_after"]:
        return "QUIET_HOURS"
    if order.buyer is None:
        return None
    if _opted_out(tx, row["seller"], order.buyer):
        return "OPTED_OUT"
    return "BUYER_CAP" if _is_full(tx, shop, row, order.buyer, now) else None


def buyer_of(tx: Connection, row: RowMapping) -> str | None:
    """Whom a message is for (a keyed hash); None for every other action, and where the feed does not say."""
    if row["kind"] != Kind.CONTACT or row["order_id"] is None:
        return None
    where = (O.c.shop == row["shop"]) & (O.c.order_id == row["order_id"])
    facts = tx.execute(select(O.c.facts).where(where)).scalar_one_or_none()
    buyer: str | None = msgspec.json.decode(facts).get("buyer") if facts else None
    return buyer


def quiet_until(shop: Shop, row: RowMapping, now: int) -> int | None:
    """When the hours of a message's step begin again (instant); None while they are open or there are none."""
    playbook, zone = shop.policy.playbook, shop.policy.zone
    step = playbook.step(row["violation"], row["step"])
    hours = step.hours if step is not None else playbook.contact.hours
    return None if hours is None or hours.is_open(now, zone) else hours.next_open(now, zone)


def _unsayable(shop: Shop, row: RowMapping, template: Template, history: History) -> str | None:
    """What the platform forbids in the text, for every violation that is open: harmless for one may admit another."""
    paid = any(past.kind is Kind.COMPENSATE and past.outcome is Outcome.SETTLED for past in history.past)
    enabled = shop.policy.playbook.contact.channels
    for violation in sorted({case.violation for case in history.cases if case.closed_at is None}):
        verdict = contact.gate(
            shop.policy.pack,
            violation,
            row["channel"] or "",
            template.intent,
            template.plain(),
            enabled=enabled,
            settled=paid,
        )
        if not verdict.allowed:
            return verdict.reason
    return None


def _opted_out(tx: Connection, seller: str, buyer: str) -> bool:
    """Whether the buyer wants no messages, said about any order of any shop of the seller."""
    query = (
        select(O.c.facts)
        .join(EV, (EV.c.shop == O.c.shop) & (EV.c.order_id == O.c.order_id))
        .where(O.c.seller == seller, EV.c.event == "opt_out")
    )
    return any(msgspec.json.decode(facts).get("buyer") == buyer for facts in tx.execute(query).scalars())


def _is_full(tx: Connection, shop: Shop, row: RowMapping, buyer: str, now: int) -> bool:
    """Whether the buyer has had as many messages as the playbook allows, over all shops of the seller."""
    rule = shop.policy.playbook.contact
    if not rule.per_buyer:
        return False
    count: int = tx.execute(
        select(func.count()).where(
            A.c.seller == row["seller"],
            A.c.buyer == buyer,
            A.c.outcome.in_(_HEARD),
            A.c.outcome_at > now - rule.per_buyer_within,
            A.c.key != row["key"],
        )
    ).scalar_one()
    return count >= rule.per_buyer
