"""Several messages as few: what can still be saved first, each whole; the rest counted, with a place to look.

A digest names, or counts, every order it settles: nothing is left out in silence.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from adapters.base import Json, Message
from daemon import show
from daemon.i18n import gettext, ngettext
from rules.model import Kind

MOST = 4
"""Messages one digest becomes at most; beyond them the rest is counted."""
PER_LINE = 4
"""Bytes a robot may add to each line for its markup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """A message and what a digest needs of it.

    `lines`: what it says in short, below its title. `orders`: all it is about, "SHOP/ORDER". `until`: when the first of
    them can be saved no more (None: nothing runs out). `stake`: money at stake, minor units. `answer`: its orders want
    an answer (claims, parcels), not a hand-over. `unscanned`: those of them that are shipped and only lack a scan.
    `place`: the command that lists them.
    """

    message: Message
    zone: ZoneInfo
    lines: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    until: int | None = None
    stake: int = 0
    unscanned: frozenset[str] = frozenset()
    answer: bool = False
    place: str = "forestall cases list"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One message to send: the briefs it names, and those it only counts."""

    message: Message
    named: tuple[Brief, ...]
    counted: tuple[Brief, ...] = ()


def size(message: Message) -> int:
    """Bytes a message takes in a robot that adds markup to each line."""
    return _bytes(f"{message.title}\n{message.text}")


def whole(brief: Brief, now: int, room: int | None, lang: str | None) -> Message:
    """One message as it is, or in short where it is too long for the sink."""
    if room is None or size(brief.message) <= room:
        return brief.message
    (sheet,) = fold([brief], now, room=room, most=1, lang=lang)
    return replace(sheet.message, key=brief.message.key)


def fold(
    briefs: Iterable[Brief], now: int, *, room: int | None = None, most: int = MOST, lang: str | None = None
) -> list[Sheet]:
    """The briefs in at most `most` messages of at most `room` bytes each (None: no limit), the most urgent first."""
    left = sorted(briefs, key=lambda brief: rank(brief, now))
    sheets: list[Sheet] = []
    while left:
        fits = _fitting(left, room, lang)
        named, rest = left[:fits], left[fits:]
        if len(sheets) + 1 >= most:
            counted, left = rest, []
        elif named:
            counted, left = [], rest
        else:
            counted, left = rest[:1], rest[1:]
        sheets.append(Sheet(_message(named, counted, now, lang), tuple(named), tuple(counted)))
    return sheets


def rank(brief: Brief, now: int) -> tuple[int, int, int, str]:
    """What can still be saved, by time left, then money; then news; what is past, the latest first."""
    until = brief.until
    if until is None:
        return 1, 0, -brief.stake, brief.message.key
    return (0, until, -brief.stake, brief.message.key) if until > now else (2, -until, -brief.stake, brief.message.key)


def _fitting(briefs: Sequence[Brief], room: int | None, lang: str | None) -> int:
    """How many of the briefs fit into one message, whole and in order, beside its title and the count of the rest."""
    if room is None:
        return len(briefs)
    longest = max(len(brief.message.shop.encode()) for brief in briefs)
    used = longest + _bytes("\n".join((_headline(briefs, 0, lang), "", _rest(briefs, (), lang)))) + 40
    for count, brief in enumerate(briefs):
        used += _bytes(f"\n{_block(brief)}")
        if used > room:
            return count
    return len(briefs)


def _message(named: Sequence[Brief], counted: Sequence[Brief], now: int, lang: str | None) -> Message:
    parts = [_block(brief) for brief in named]
    if counted:
        parts.append(_rest(counted, named, lang))
    every = [*named, *counted]
    keys = "\n".join(brief.message.key for brief in every)
    shops = {brief.message.shop for brief in every}
    kinds = {brief.message.kind for brief in every}
    data: dict[str, Json] = {"alerts": [dict(brief.message.data) for brief in named], "counted": len(counted)}
    return Message(
        key=f"digest/{hashlib.blake2b(keys.encode(), digest_size=8).hexdigest()}",
        kind=Kind.ALERT if Kind.ALERT in kinds else Kind.TASK,
        shop=shops.pop() if len(shops) == 1 else "",
        title=_title(every, now, lang),
        text="\n\n".join(parts),
        data=data,
    )


def _title(briefs: Sequence[Brief], now: int, lang: str | None) -> str:
    """What a phone shows: the orders to be saved first, by when, and how many more there are."""
    shops = {brief.message.shop for brief in briefs}
    prefix = f"[{shops.pop()}] " if len(shops) == 1 else ""
    return prefix + _headline(briefs, now, lang)


def _headline(briefs: Sequence[Brief], now: int, lang: str | None) -> str:
    every = _orders(briefs)
    late = _orders(brief for brief in briefs if brief.until is not None)
    ahead = [brief for brief in briefs if brief.until is not None and brief.until > now]
    if not every:
        return ngettext("{n} notice", "{n} notices", len(briefs), lang).format(n=len(briefs))
    first = ahead[0] if ahead else briefs[0]
    urgent = _orders(brief for brief in ahead if (brief.until, brief.answer) == (first.until, first.answer))
    urgent = urgent or late or every
    to_send = urgent - frozenset().union(*(brief.unscanned for brief in briefs))
    urgent = to_send or urgent
    n = len(urgent)
    if ahead and not to_send:
        text = ngettext("{n} order to be scanned by {moment}", "{n} orders to be scanned by {moment}", n, lang)
    elif ahead:
        text = _urgent(n, first.answer, lang)
    elif late:
        text = ngettext("{n} order is overdue", "{n} orders are overdue", n, lang)
    else:
        text = ngettext("{n} order to look at", "{n} orders to look at", n, lang)
    said = text.format(n=n, moment=show.moment(first.until, first.zone, now, lang=lang))
    more = len(every - urgent)
    return said if not more else gettext("{said}, and {more} more", lang).format(said=said, more=more)


def _urgent(n: int, answer: bool, lang: str | None) -> str:
    if answer:
        return ngettext("{n} order to answer for by {moment}", "{n} orders to answer for by {moment}", n, lang)
    return ngettext("{n} order out by {moment}", "{n} orders out by {moment}", n, lang)


def _block(brief: Brief) -> str:
    """A message in short."""
    return "\n".join((brief.message.title, *brief.lines))


def _rest(counted: Sequence[Brief], named: Sequence[Brief], lang: str | None) -> str:
    """How many orders and messages are not named here, and where to look."""
    n = len(_orders(counted) - _orders(named))
    text = gettext("not named here: {n} orders in {messages} more messages; see {command}", lang)
    return text.format(n=n, messages=len(counted), command=", ".join(_places(counted)))


def _places(briefs: Iterable[Brief]) -> list[str]:
    """The commands that list what the briefs are about, each once."""
    return [f"`{place}`" for place in dict.fromkeys(brief.place for brief in briefs)]


def _orders(briefs: Iterable[Brief]) -> set[str]:
    return {order for brief in briefs for order in brief.orders}


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace")) + PER_LINE * (text.count("\n") + 1)
