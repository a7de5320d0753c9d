"""What people read: alerts, tasks, messages to buyers. Money at stake, time left, one thing to do.

Texts are strict substitution of named fields; the newest stored state is read when a message is made.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, RowMapping, select

from adapters.base import Json, Message
from daemon import notice, show, words
from daemon.i18n import gettext, ngettext
from daemon.shops import Shop, Shops
from daemon.store import orders, outbox, scans, sharing
from daemon.tables import Action
from rules import key
from rules.instant import format_utc
from rules.model import SHIPPING, Kind
from rules.templates import Template

A = Action.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Texts:
    """Makes messages in the seller's language ("zh" or "en"; None = the process's)."""

    language: str | None = None

    def action(self, tx: Connection, action_key: str) -> RowMapping:
        """The outbox row behind a delivery."""
        return tx.execute(select(A).where(A.c.key == action_key)).mappings().one()

    def alert(self, tx: Connection, shops: Shops, row: RowMapping, now: int) -> Message:
        """The message of an alert (or of a task that is sent on), from the newest stored state."""
        shop = shops.get(row["shop"])
        if row["kind"] != Kind.ALERT:
            return self._order_message(tx, shops, row, now)
        name = str(row["cause"]).split("/", 1)[1]
        if name == "feed":
            return notice.stale(tx, shop, row, now, self.language)
        if name.startswith("health:"):
            return notice.near_line(tx, shop, row, now, self.language)
        if row["step"] == scans.STEP:
            return notice.unscanned(tx, shop, row, now, self.language)
        if name == "boot":
            return notice.was_down(shop, row, self.language)
        members = outbox.members_of(tx, row["cause"], now)
        if row["step"] == "resolved" or not members:
            return notice.solved(shop, row, self.language)
        return self._members(tx, shop, row, name, members, now)

    def digest(self, messages: Sequence[Message]) -> Message:
        """Several alerts as one message, for a robot that may only speak so often."""
        title = ngettext("{n} alert", "{n} alerts", len(messages), self.language).format(n=len(messages))
        text = "\n\n".join(f"{message.title}\n{message.text}" for message in messages)
        first = messages[0]
        data: dict[str, Json] = {"alerts": [dict(message.data) for message in messages]}
        mark = hashlib.blake2b("\n".join(message.key for message in messages).encode(), digest_size=8).hexdigest()
        return Message(key=f"digest/{mark}", kind=first.kind, shop=first.shop, title=title, text=text, data=data)

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
                lines += self._answer_by(outbox.due_of(tx, row), zone, now)
            elif stored.act_by is not None:
                lines.append(self._deadline(stored.act_by, zone, now))
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

    def _members(
        self, tx: Connection, shop: Shop, row: RowMapping, name: str, members: Sequence[RowMapping], now: int
    ) -> Message:
        count = len({(m["shop"], m["order_id"]) for m in members})
        stake = sum(m["stake_minor"] or 0 for m in members)
        currency = next((m["currency"] for m in members if m["currency"]), None)
        act_by, ship_by = (_earliest(members, name) for name in ("act_by", "ship_by"))
        title, todo = self._title(key.unpart(name), count, act_by, shop.policy.zone, now)
        sure = all(m["confirmed"] for m in members)
        text = self._("at stake: {amount}") if sure else self._("at stake: {amount} (unconfirmed)")
        lines = [text.format(amount=show.money(stake, currency))]
        aftersale = name.startswith("aftersale:")
        if aftersale:
            lines += self._answer_by(act_by, shop.policy.zone, now)
        elif act_by is not None:
            lines.append(self._deadline(act_by, shop.policy.zone, now))
        if ship_by is not None and ship_by != act_by:
            text = self._("the platform's ship-by time: {moment} ({left})")
            left = show.left(ship_by - now, self.language)
            lines.append(text.format(moment=show.moment(ship_by, shop.policy.zone), left=left))
        lines.append(self._("to do: {todo}").format(todo=todo))
        lines.append(notice.named([m["order_id"] for m in members], count))
        if name.startswith("pool:"):
            lines += self._kept_for(tx, shop, key.unpart(name.removeprefix("pool:")), currency)
        lines.append(notice.age(tx, shop, now, self.language))
        data: dict[str, Json] = {
            "cause": row["cause"],
            "orders": sorted({m["order_id"] for m in members}),
            "stake_minor": stake,
            "stake_confirmed": sure,
            "currency": currency,
            "act_by": format_utc(act_by) if act_by is not None else None,
        }
        return notice.message(row, f"[{shop.name}] {title}", "\n".join(lines), data)

    def _title(self, cause: str, n: int, act_by: int | None, zone: ZoneInfo, now: int) -> tuple[str, str]:
        """What the alert says first, and the one thing to do."""
        lang, missed = self.language, act_by is not None and act_by < now
        todo = self._("hand over with the next pick-up") if missed else self._("pack and hand over, the oldest first")
        if cause.startswith("pool:"):
            text = ngettext(
                "{n} order is not covered by stock: {sku}", "{n} orders are not covered by stock: {sku}", n, lang
            )
            todo = self._("count the stock again, then ship, reorder or agree a new date")
        elif cause.startswith("aftersale:"):
            text = ngettext(
                "{n} claim or parcel needs an answer by {moment}",
                "{n} claims or parcels need an answer, the first by {moment}",
                n,
                lang,
            )
            todo = self._("answer the oldest first; forestall tasks list says what to do")
        elif "T" not in cause:
            text = ngettext(
                "{n} order must be handed over by {moment}",
                "{n} orders must be handed over, the first by {moment}",
                n,
                lang,
            )
        elif missed:
            text = ngettext(
                "{n} order missed the pick-up of {moment}", "{n} orders missed the pick-up of {moment}", n, lang
            )
        else:
            text = ngettext(
                "{n} order must be on the pick-up of {moment}", "{n} orders must be on the pick-up of {moment}", n, lang
            )
        return text.format(n=n, moment=show.moment(act_by, zone), sku=cause.removeprefix("pool:")), todo

    def _deadline(self, act_by: int, zone: Any, now: int) -> str:
        text = self._("hand over by {moment} ({left})")
        return text.format(moment=show.moment(act_by, zone), left=show.left(act_by - now, self.language))

    def _kept_for(self, tx: Connection, shop: Shop, sku: str, currency: str | None) -> list[str]:
        """Which orders get what is on hand: those whose miss would cost most."""
        kept = [share for share in sharing.shares(tx, shop.seller, sku) if share.covered]
        if not kept:
            return []
        names = ", ".join(share.order_id for share in kept[: notice.NAMED]) + (" …" if len(kept) > notice.NAMED else "")
        text = self._("the stock on hand goes to {orders}: a miss there costs more (up to {amount})")
        return [text.format(orders=names, amount=show.money(kept[0].loss_minor, currency))]

    def _answer_by(self, due: int | None, zone: Any, now: int) -> list[str]:
        """Until when a claim must be answered, or a parcel must move."""
        if due is None:
            return []
        text = self._("time until {moment} ({left})")
        return [text.format(moment=show.moment(due, zone), left=show.left(due - now, self.language))]

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
