"""The text of an alert about orders: a pick-up's, a stock pool's, or a day's claims and parcels."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping

from adapters.base import Json
from daemon import notice, show, words
from daemon.digest import Brief
from daemon.i18n import gettext, ngettext
from daemon.shops import Shop
from daemon.store import orders, sharing
from rules import key, payout, todo
from rules.instant import format_utc

LIMITS = ("act_by", "ship_by")


@dataclass(frozen=True, slots=True)
class Crowd:
    """The members of a cause that an alert names, as they stand now. `name`: the cause without its shop."""

    shop: Shop
    name: str
    members: Sequence[RowMapping]
    shipped: frozenset[tuple[str, str]]
    now: int
    lang: str | None

    @property
    def aftersale(self) -> bool:
        """Claims and parcels: they want an answer."""
        return self.name.startswith("aftersale:")

    @property
    def overdue(self) -> bool:
        """Orders whose time had passed long before they were first seen."""
        return self.name.startswith("overdue:")

    @property
    def ships(self) -> bool:
        """Orders that must reach the courier, by one pick-up or on one day."""
        return not (self.aftersale or self.overdue or self.sku is not None)

    @property
    def unshipped(self) -> list[RowMapping]:
        """Those that are still to be handed over; the others only lack the courier's scan."""
        return [member for member in self.members if (member["shop"], member["order_id"]) not in self.shipped]

    @property
    def sku(self) -> str | None:
        """The item that is short, of a pool."""
        return key.unpart(self.name.removeprefix("pool:")) if self.name.startswith("pool:") else None

    def earliest(self, column: str) -> int | None:
        """The first of the members' instants in that column."""
        return min((member[column] for member in self.members if member[column] is not None), default=None)

    def next(self, *columns: str) -> int | None:
        """The first instant in these columns that is ahead: of what is to be handed over, else of all."""
        for members in (self.to_do, self.members):
            known = (member[column] for member in members for column in columns)
            if ahead := [int(at) for at in known if at is not None and at > self.now]:
                return min(ahead)
        return None

    @property
    def to_do(self) -> Sequence[RowMapping]:
        """Those whose time counts first: what is to be handed over, before what only lacks a scan."""
        return (self.unshipped if self.ships else ()) or self.members

    def names(self) -> list[str]:
        """Its orders, each once, the most urgent first; another shop's with its shop."""
        places = dict.fromkeys((member["shop"], member["order_id"]) for member in self.members)
        return [order if shop == self.shop.name else f"{shop}/{order}" for shop, order in places]

    def until(self) -> int | None:
        """Until when the first of them can be saved; when none can, when the last of them could."""
        past = (int(member[column]) for member in self.members for column in LIMITS if member[column] is not None)
        return self.next(*LIMITS) or max(past, default=None)


def brief(
    tx: Connection, shop: Shop, row: RowMapping, members: Sequence[RowMapping], now: int, lang: str | None
) -> Brief:
    """The alert of a cause with these members."""
    places = {(member["shop"], member["order_id"]) for member in members}
    name = str(row["cause"]).split("/", 1)[1]
    crowd = Crowd(shop, name, members, orders.shipped(tx, places), now, lang)
    title = f"[{shop.name}] {_title(crowd)}"
    stake = payout.in_all(member["stake_minor"] for member in members)
    money, limits, who = _stake(crowd, stake), _deadlines(crowd), _who(crowd)
    kept = _kept_for(tx, crowd) if crowd.sku is not None else []
    text = [money, *limits, *who, *kept, notice.age(tx, shop, now, lang)]
    return Brief(
        message=notice.message(row, title, "\n".join(text), _data(row, crowd, stake)),
        zone=shop.policy.zone,
        lines=(money, *limits[-1:], *who),
        orders=tuple(sorted("/".join(place) for place in places)),
        until=crowd.until(),
        stake=stake or 0,
        unscanned=frozenset("/".join(place) for place in crowd.shipped) if crowd.ships else frozenset(),
        answer=crowd.aftersale,
    )


def _data(row: RowMapping, crowd: Crowd, stake: int | None) -> dict[str, Json]:
    act_by, ship_by = crowd.earliest("act_by"), crowd.earliest("ship_by")
    return {
        "cause": row["cause"],
        "orders": sorted({member["order_id"] for member in crowd.members}),
        "stake_minor": stake,
        "stake_confirmed": all(member["confirmed"] for member in crowd.members),
        "currency": _currency(crowd),
        "act_by": format_utc(act_by) if act_by is not None else None,
        "ship_by": format_utc(ship_by) if ship_by is not None else None,
    }


def _title(crowd: Crowd) -> str:
    """What the alert says first; orders that only lack a scan are counted apart."""
    if crowd.ships and (ahead := crowd.unshipped) and len(ahead) < len(crowd.members):
        rest = len(crowd.names()) - len(replace(crowd, members=ahead).names())
        unscanned = ngettext("{n} shipped order has no scan", "{n} shipped orders have no scan", rest, crowd.lang)
        return gettext("; ", crowd.lang).join((_title(replace(crowd, members=ahead)), unscanned.format(n=rest)))
    n, lang, act_by = len(crowd.names()), crowd.lang, crowd.earliest("act_by")
    if crowd.sku is not None:
        text = ngettext(
            "{n} order is not covered by stock: {sku}", "{n} orders are not covered by stock: {sku}", n, lang
        )
    elif crowd.aftersale:
        text = ngettext(
            "{n} claim or parcel needs an answer by {moment}",
            "{n} claims or parcels need an answer, the first by {moment}",
            n,
            lang,
        )
    elif crowd.overdue:
        text = ngettext(
            "{n} order was long overdue when it was first seen: has it been shipped?",
            "{n} orders were long overdue when they were first seen: have they been shipped?",
            n,
            lang,
        )
    elif crowd.unshipped and "T" not in crowd.name:
        return _day(crowd)
    else:
        text = _pickup(crowd, n, missed=act_by is not None and act_by <= crowd.now)
    return text.format(n=n, moment=show.moment(act_by, crowd.shop.policy.zone, crowd.now, lang=lang), sku=crowd.sku)


def _pickup(crowd: Crowd, n: int, *, missed: bool) -> str:
    """The title of the orders of one pick-up, or of those that only want a scan; its moment stays to be filled in."""
    lang = crowd.lang
    if not crowd.unshipped:
        return ngettext(
            "{n} shipped order has no scan; the courier must scan it by {moment}",
            "{n} shipped orders have no scan; the courier must scan them, the first by {moment}",
            n,
            lang,
        )
    if missed:
        return ngettext(
            "{n} order missed the pick-up of {moment}", "{n} orders missed the pick-up of {moment}", n, lang
        )
    return ngettext(
        "{n} order must be on the pick-up of {moment}", "{n} orders must be on the pick-up of {moment}", n, lang
    )


def _day(crowd: Crowd) -> str:
    """The title of a day's orders, each with a time of its own: how many can still be saved, how many are overdue."""
    lang, zone = crowd.lang, crowd.shop.policy.zone
    ahead = [member for member in crowd.members if (member["act_by"] or 0) > crowd.now]
    n = len(replace(crowd, members=ahead).names())
    late = len(crowd.names()) - n
    overdue = ngettext("{n} order is overdue", "{n} orders are overdue", late, lang).format(n=late)
    if not ahead:
        return overdue
    text = ngettext(
        "{n} order must be handed over by {moment}", "{n} orders must be handed over, the first by {moment}", n, lang
    ).format(n=n, moment=show.moment(min(member["act_by"] for member in ahead), zone, crowd.now, lang=lang))
    return gettext("; ", lang).join((text, overdue)) if late else text


def _stake(crowd: Crowd, stake: int | None) -> str:
    lang = crowd.lang
    sure = stake is None or all(member["confirmed"] for member in crowd.members)
    text = gettext("at stake: {amount}", lang) if sure else gettext("at stake: {amount} (unconfirmed)", lang)
    return text.format(amount=show.money(stake, _currency(crowd)))


def _deadlines(crowd: Crowd) -> list[str]:
    """The last useful moment, and the platform's own where that is another."""
    act_by, ship_by = (crowd.next(column) or crowd.earliest(column) for column in LIMITS)
    zone, now, lang = crowd.shop.policy.zone, crowd.now, crowd.lang
    lines = []
    if act_by is not None:
        lines.append((answer_by if crowd.aftersale else hand_over_by)(act_by, zone, now, lang))
    if ship_by is not None and ship_by != act_by:
        text = gettext("the platform's ship-by time: {moment} ({left})", lang)
        lines.append(
            text.format(moment=show.moment(ship_by, zone, now, lang=lang), left=show.left(ship_by - now, lang))
        )
    return lines


def hand_over_by(act_by: int, zone: ZoneInfo, now: int, lang: str | None, *, dated: bool = False) -> str:
    """Until when an order must reach the courier; `dated`: with the date, for what is kept and read another day."""
    text = gettext("hand over by {moment} ({left})", lang)
    return text.format(
        moment=show.moment(act_by, zone, None if dated else now, lang=lang), left=show.left(act_by - now, lang)
    )


def answer_by(due: int, zone: ZoneInfo, now: int, lang: str | None, *, dated: bool = False) -> str:
    """Until when a claim must be answered, or a parcel must move; `dated` as above."""
    text = gettext("time until {moment} ({left})", lang)
    return text.format(
        moment=show.moment(due, zone, None if dated else now, lang=lang), left=show.left(due - now, lang)
    )


def _who(crowd: Crowd) -> list[str]:
    """The one thing to do and for which orders; each thing where it is not the same for all."""
    place, lang = f"forestall cases list --shop {shlex.quote(crowd.shop.name)}", crowd.lang
    return [
        line
        for what, names in _groups(crowd).items()
        for line in (gettext("to do: {todo}", lang).format(todo=what), notice.named(names, place, lang))
    ]


def _groups(crowd: Crowd) -> dict[str, list[str]]:
    """What is to be done, with the names of its orders."""
    lang = crowd.lang
    if crowd.sku is not None:
        return {gettext("count the stock again, then ship, reorder or agree a new date", lang): crowd.names()}
    if crowd.aftersale:
        return {gettext("answer the oldest first; forestall tasks list says what to do", lang): crowd.names()}
    if crowd.overdue:
        what = gettext(
            "export them again as they stand now, ship what was not, or end their cases: forestall cases resolve", lang
        )
        return {what: crowd.names()}
    found: dict[str, list[RowMapping]] = {code: [] for code in ("counter", "ship", "chase_scan", "ship_late")}
    for member in crowd.members:
        shipped = (member["shop"], member["order_id"]) in crowd.shipped
        found[todo.handover(member["act_by"], member["ship_by"], shipped=shipped, now=crowd.now)].append(member)
    return {
        words.say(words.TODO, code, lang): replace(crowd, members=members).names()
        for code, members in found.items()
        if members
    }


def _kept_for(tx: Connection, crowd: Crowd) -> list[str]:
    """Which orders get what is on hand: those whose miss would cost most."""
    kept = [share for share in sharing.shares(tx, crowd.shop.seller, crowd.sku or "") if share.covered]
    if not kept:
        return []
    names = ", ".join(share.order_id for share in kept[: notice.NAMED]) + (" …" if len(kept) > notice.NAMED else "")
    text = gettext("the stock on hand goes to {orders}: a miss there costs more (up to {amount})", crowd.lang)
    return [text.format(orders=names, amount=show.money(kept[0].loss_minor, _currency(crowd)))]


def _currency(crowd: Crowd) -> str | None:
    return next((member["currency"] for member in crowd.members if member["currency"]), None)
