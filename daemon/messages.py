"""What people read: alerts, tasks, messages to buyers. Money at stake, time left, one thing to do.

Texts are strict substitution of named fields; the newest stored state is read when a message is made.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy import Connection, RowMapping, select

from adapters.base import Message
from daemon import crowd, notice, show, words
from daemon.digest import Brief
from daemon.i18n import gettext
from daemon.shops import Shop, Shops
from daemon.store import orders, outbox, scans
from daemon.tables import Action
from rules import key
from rules.instant import format_utc
from rules.model import SHIPPING, Kind
from rules.templates import Template

A = Action.__table__  # type: ignore[attr-defined]
WORK = "forestall tasks list"


@dataclass(frozen=True, slots=True)
class Texts:
    """Makes messages in the seller's language ("zh" or "en"; None = the process's)."""

    language: str | None = None

    def action(self, tx: Connection, action_key: str) -> RowMapping:
        """The outbox row behind a delivery."""
        return tx.execute(select(A).where(A.c.key == action_key)).mappings().one()

    def brief(self, tx: Connection, shops: Shops, row: RowMapping, now: int) -> Brief:
        """The message of an alert (or of a task that is sent on), from the newest stored state."""
        shop, lang = shops.get(row["shop"]), self.language
        if row["kind"] != Kind.ALERT:
            return self._work(tx, shops, row, now)
        name = str(row["cause"]).split("/", 1)[1]
        members = outbox.members_of(tx, row["cause"], now)
        if name == "feed":
            message = notice.of_data(tx, shop, row, now, lang)
        elif name.startswith("health:"):
            message = notice.near_line(tx, shop, row, now, lang)
        elif row["step"] == scans.STEP:
            message = notice.unscanned(tx, shop, row, now, lang)
        elif name == "boot":
            message = notice.was_down(shop, row, lang)
        elif name == "clock":
            message = notice.clock_set(shop, row, lang)
        elif name.startswith("receiver:"):
            message = notice.receiver_silent(tx, shop, row, now, lang)
        elif row["step"] == "resolved" or not members:
            message = notice.solved(shop, row, lang)
        else:
            return crowd.brief(tx, shop, row, members, now, lang)
        named = [str(order) for order in message.data.get("orders") or ()]  # type: ignore[union-attr]
        place = "forestall orders list --all" if named else "forestall today"
        orders = tuple(f"{shop.name}/{order}" for order in named)
        lines = tuple(message.text.split("\n"))
        return Brief(message=message, zone=shop.policy.zone, lines=lines, orders=orders, place=place)

    def _work(self, tx: Connection, shops: Shops, row: RowMapping, now: int) -> Brief:
        """A work item that is sent on."""
        message = self._order_message(tx, shops, row, now)
        zone = shops.get(row["shop"]).policy.zone
        if row["order_id"] is None:
            return Brief(message=message, zone=zone, place=WORK)
        due = outbox.due_of(tx, row)
        lines = () if due is None else (crowd.answer_by(due, zone, now, self.language),)
        name = f"{row['shop']}/{row['order_id']}"
        answer = row["violation"] not in SHIPPING
        return Brief(message=message, zone=zone, lines=lines, orders=(name,), until=due, answer=answer, place=WORK)

    def effect(self, tx: Connection, shops: Shops, row: RowMapping, now: int) -> Message:
        """What a platform or buyer is told; a text for a buyer comes from an approved template."""
        message = self._order_message(tx, shops, row, now)
        if row["template"] is None:
            return message
        text = _approved(shops, row).filled(row["order_id"])
        return Message(
            key=message.key, kind=message.kind, shop=message.shop, title=message.title, text=text, data=message.data
        )

    def task(self, tx: Connection, shops: Shops, row: RowMapping, now: int, *, uncertain: bool = False) -> str:
        """A work item for a person, pre-filled, as JSON: title, text, the age of what it says, and when it was made.

        `uncertain`: a call was made and nobody knows what became of it.
        """
        message = self._order_message(tx, shops, row, now)
        text = message.text
        if uncertain:
            text = self._("it may have been done already: look before you do it again") + "\n" + text
        name = (row["shop"], row["order_id"])
        known = orders.load(tx, {name}).get(name) if row["order_id"] else None
        times = {"as_of": format_utc(known.observed_at if known else now), "made_at": format_utc(now)}
        return msgspec.json.encode({"title": message.title, "text": text, **times}).decode()

    def _order_message(self, tx: Connection, shops: Shops, row: RowMapping, now: int) -> Message:
        """What is to be done about an order, or about a listing of whichever shop shares the pool."""
        place = key.listing(row["step"])
        shop = shops.get(place[0] if place else row["shop"])
        zone = shop.policy.zone
        subject = row["order_id"] or key.unpart(str(row["cause"]).split("/", 1)[1])
        title = f"[{shop.name}] {subject}: {notice.todo(row, self.language)}"
        found = orders.load(tx, {(row["shop"], row["order_id"])}) if row["order_id"] else {}
        lines = []
        if row["amount_minor"] is not None:
            text = self._("one unit: {amount}") if row["kind"] == Kind.TASK else self._("pay {amount}")
            lines.append(text.format(amount=show.money(row["amount_minor"], row["currency"])))
            if row["channel"] in words.WAYS:
                lines.append(words.say(words.WAYS, row["channel"], self.language))
        for stored in found.values():
            order = stored.order
            lines.append(self._("paid {amount}").format(amount=show.money(order.paid_minor, order.currency)))
            if row["violation"] not in SHIPPING:
                due = outbox.due_of(tx, row)
                lines += [crowd.answer_by(due, zone, now, self.language, dated=True)] if due is not None else []
            elif stored.act_by is not None:
                lines.append(crowd.hand_over_by(stored.act_by, zone, now, self.language, dated=True))
            lines.append(
                self._("as of {moment}; check the order first").format(moment=show.moment(stored.observed_at, zone))
            )
        if row["channel"] in ("sms", "phone"):
            lines += self._protected_number(shop, now)
        if row["template"] is not None:
            lines.append(_approved(shops, row).filled(row["order_id"] or ""))
        names = ("order_id", "cause", "step", "amount_minor", "currency", "template", "channel")
        data = {name: row[name] for name in names if row[name] is not None}
        if place:
            data["listing_id"] = place[1]
        return replace(notice.message(row, title, "\n".join(lines), data), shop=shop.name)

    def _protected_number(self, shop: Shop, now: int) -> list[str]:
        """How to reach a buyer whose number the platform masks (P71), where the pack knows of it."""
        limit = shop.policy.pack.limit("number_protection", now)
        if limit is None:
            return []
        text = self._(
            "the number in the order is masked: dial its extension too; it dies {days} days after the order ends"
        )
        return [text.format(days=limit.hours // 24)]

    def _(self, text: str) -> str:
        return gettext(text, self.language)


def _approved(shops: Shops, row: RowMapping) -> Template:
    """The text to a buyer. Raises KeyError when nobody approved it: nothing else is ever sent in its place."""
    template = shops.get(row["shop"]).policy.playbook.approved(row["template"])
    if template is None:
        raise KeyError(f"no approved text {row['template']!r}")
    return template


def _earliest(members: Sequence[RowMapping], name: str) -> int | None:
    return min((member[name] for member in members if member[name] is not None), default=None)
