"""Notices: news about a shop or its data, not about an order. And what every message is made of."""

import shlex
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, RowMapping, func, select

from adapters.base import Json, Message
from daemon import caveats, gaps, i18n, prognosis, show, silence, words
from daemon.i18n import gettext, ngettext
from daemon.shops import Shop
from daemon.store import feeds, health, receivers, refusals, scans
from daemon.store import unwatched as lacking
from daemon.tables import Feed, Order
from rules import key
from rules.instant import HOUR, format_utc
from rules.model import Kind

F = Feed.__table__  # type: ignore[attr-defined]
O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741
NAMED = 10
"""Orders named in one message; the rest is a count."""


def of_data(tx: Connection, shop: Shop, row: RowMapping, now: int, lang: str | None) -> Message:
    """What is wrong with a shop's data: it is old, orders in it cannot be watched, or parts of it were not used."""
    match row["step"]:
        case gaps.UNWATCHED:
            return unwatched(tx, shop, row, now, lang)
        case gaps.REFUSED:
            return refused(tx, shop, row, lang)
    return stale(tx, shop, row, now, lang)


def stale(tx: Connection, shop: Shop, row: RowMapping, now: int, lang: str | None) -> Message:
    """The data is old: how many deadlines fall soon, and by when to export again."""
    soon = tx.execute(
        select(func.count(), func.min(O.c.act_by)).where(
            O.c.shop == shop.name, O.c.is_open.is_(True), O.c.act_by > now, O.c.act_by <= now + 24 * HOUR
        )
    ).one()
    title = gettext("[{shop}] no new data", lang).format(shop=shop.name)
    lines = [age(tx, shop, now, lang)]
    if soon[0]:
        text = gettext("export again before {moment}: {n} deadlines fall within 24 h", lang)
        lines.append(text.format(moment=show.moment(soon[1], shop.policy.zone, now, lang=lang), n=soon[0]))
    else:
        lines.append(gettext("export the orders again, or look at `forestall feeds status`", lang))
    return message(row, title, "\n".join(lines), {"cause": row["cause"], "deadlines": soon[0]})


def unwatched(tx: Connection, shop: Shop, row: RowMapping, now: int, lang: str | None) -> Message:
    """Which orders nothing can watch, what they lack, and how they become watched."""
    lost = lacking.found(tx, shop.name)
    if not lost:
        return solved(shop, row, lang)
    n = len(lost)
    text = ngettext("[{shop}] {n} order cannot be watched", "[{shop}] {n} orders cannot be watched", n, lang)
    with i18n.speaking(lang or i18n.language()):
        lines = [caveats.lacking(lost), caveats.named(lost, NAMED)]
        lines.append(gettext("to do: {todo}").format(todo=caveats.mend()))
    lines.append(age(tx, shop, now, lang))
    data: dict[str, Json] = {"cause": row["cause"], "orders": [order.order_id for order in lost], "count": n}
    return message(row, text.format(shop=shop.name, n=n), "\n".join(lines), data)


def refused(tx: Connection, shop: Shop, row: RowMapping, lang: str | None) -> Message:
    """What of the newest input was not used, and why."""
    unused = refusals.of(tx, shop.name)
    if not any(unused):
        return solved(shop, row, lang)
    with i18n.speaking(lang or i18n.language()):
        title = caveats.refused(shop.name, unused).text
        lines = [caveats.refusal(one) for one in feeds.rejected(tx, shop.name, 3)]
    data: dict[str, Json] = {"cause": row["cause"], **unused._asdict()}
    return message(row, title, "\n".join(lines), data)


def near_line(tx: Connection, shop: Shop, row: RowMapping, now: int, lang: str | None) -> Message:
    """How near a line of the platform the shop is, as it stands now."""
    place, zone = key.gauge(row["cause"]), shop.policy.pack.zone
    found = (r for r in health.readings(tx, shop, now) if (r.gauge.metric, r.gauge.period) == place)
    reading = next(found, None)
    if reading is None:  # another pack is in force by now
        return solved(shop, row, lang)
    said = words.say(words.STATES, reading.state, lang)
    title = f"[{shop.name}] {words.about(prognosis.name(reading, lang), said, lang)}"
    lines = [prognosis.sentence(reading, zone, lang)]
    stands = gettext("counted, {window}: {now}", lang).format(
        window=prognosis.window(reading, lang), now=prognosis.stands(reading)
    )
    lines += [stands, *prognosis.advice(reading, lang), *prognosis.gaps(reading, lang), age(tx, shop, now, lang)]
    data: dict[str, Json] = {"cause": row["cause"], "count": reading.count, "crosses_at": reading.crossing}
    return message(row, title, "\n".join(lines), data)


def unscanned(tx: Connection, shop: Shop, row: RowMapping, now: int, lang: str | None) -> Message:
    """Which parcels to look for: marked as shipped, and nobody can tell us of the courier's scan."""
    names = scans.left(tx, shop, row, now)
    n = len(names)
    if not names:
        return solved(shop, row, lang)
    title = ngettext(
        "{n} order is marked as shipped: has the courier scanned it?",
        "{n} orders are marked as shipped: has the courier scanned them?",
        n,
        lang,
    ).format(n=n)
    lines = [
        gettext("this data cannot tell, and the platform counts a parcel without a scan as late", lang),
        gettext("to do: {todo}", lang).format(todo=todo(row, lang)),
        named(names, f"forestall orders list --all --shop {shlex.quote(shop.name)}", lang),
        age(tx, shop, now, lang),
    ]
    data: dict[str, Json] = {"cause": row["cause"], "orders": names}
    return message(row, f"[{shop.name}] {title}", "\n".join(lines), data)


def was_down(shop: Shop, row: RowMapping, lang: str | None) -> Message:
    """What came due while Forestall was down."""
    counts = msgspec.json.decode(row["note"])
    since, until = (show.moment(counts[name], shop.policy.zone) for name in ("since", "until"))
    title = gettext("Forestall was down from {since} to {until}", lang).format(since=since, until=until)
    text = gettext("{orders} orders came due meanwhile, {passed} deadlines passed; look at `forestall today`", lang)
    return message(row, title, text.format(orders=counts["orders"], passed=counts["passed"]), {"cause": row["cause"]})


def clock_set(shop: Shop, row: RowMapping, lang: str | None) -> Message:
    """By how much the clock of this computer was set, and what that means for what was told meanwhile."""
    jump = msgspec.json.decode(row["note"])
    was, now = (show.moment(jump[name], shop.policy.zone) for name in ("was", "now"))
    by = show.left(abs(jump["now"] - jump["was"]), lang)
    if jump["now"] < jump["was"]:
        title = gettext("the clock of this computer was set back by {by}: from {was} to {now}", lang)
        text = gettext("what was decided by the wrong time is decided anew; look at `forestall today`", lang)
    else:
        title = gettext("the clock of this computer was set ahead by {by}: from {was} to {now}", lang)
        text = gettext("if that is wrong, correct it soon: deadlines are judged by it", lang)
    data: dict[str, Json] = {"cause": row["cause"], "was": format_utc(jump["was"]), "now": format_utc(jump["now"])}
    return message(row, title.format(by=by, was=was, now=now), text, data)


def receiver_silent(tx: Connection, shop: Shop, row: RowMapping, now: int, lang: str | None) -> Message:
    """Which receiver takes nothing, since when, what it says, and how to try it."""
    one = receivers.get(tx, key.receiver_of(row["cause"]))
    if one.since is None:
        return solved(shop, row, lang)
    since = show.moment(one.since, shop.policy.zone, now, lang=lang)
    title = gettext("alerts do not reach {receiver} since {since}", lang).format(receiver=f"[{one.name}]", since=since)
    mend = gettext("you still get them here; when it is mended, try it: forestall alerts test {name}", lang)
    lines = [silence.said(one.words, lang), mend.format(name=shlex.quote(one.name))]
    return message(row, title, "\n".join(lines), {"cause": row["cause"], "receiver": one.name, "words": one.words})


def solved(shop: Shop, row: RowMapping, lang: str | None) -> Message:
    """What it was about is over."""
    name = key.unpart(str(row["cause"]).split("/", 1)[1])
    title = gettext("[{shop}] solved: {cause}", lang).format(shop=shop.name, cause=name)
    return message(row, title, title, {"cause": row["cause"]})


def age(tx: Connection, shop: Shop, now: int, lang: str | None) -> str:
    """How old the data is."""
    watermark = tx.execute(select(F.c.watermark).where(F.c.shop == shop.name)).scalar_one_or_none()
    if watermark is None:
        return gettext("no data yet", lang)
    text = gettext("data as of {moment} ({left} old)", lang)
    return text.format(
        moment=show.moment(watermark, shop.policy.zone, now, lang=lang), left=show.left(max(now - watermark, 0), lang)
    )


def todo(row: RowMapping, lang: str | None) -> str:
    """The one thing to do about a task or effect, in the seller's words."""
    return words.say(words.STEPS, str(row["step"]).split(":")[0], lang)


def named(names: Sequence[str], place: str, lang: str | None) -> str:
    """The first of the names, and how many more there are; `place` is the command that lists them all."""
    said = ", ".join(names[:NAMED])
    if len(names) <= NAMED:
        return said
    text = gettext("{names} … and {n} more: {command}", lang)
    return text.format(names=said, n=len(names) - NAMED, command=f"`{place}`")


def message(row: RowMapping, title: str, text: str, data: dict[str, Json]) -> Message:
    """The message of an outbox row."""
    return Message(
        key=row["key"],
        kind=Kind(row["kind"]),
        shop=row["shop"],
        title=title,
        text=text,
        data={"key": row["key"], "reason": row["reason"], **data},
    )
