"""What would make a screen lie: data that is missing, orders that nobody watches, alerts that reach nobody.

Every screen that says how things stand says these first. Each has a code for machines and a sentence with its mend.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping

from daemon import clock, config, foreign, kill, show, silence, words
from daemon.config import Config, ShopSection
from daemon.i18n import gettext as _
from daemon.i18n import ngettext
from daemon.mistakes import translated
from daemon.store import feeds, meta, orders, refusals, strangers, unwatched
from daemon.store.refusals import Refused
from daemon.store.strangers import Left
from daemon.store.unwatched import Unwatched
from rules.instant import DAY
from rules.model import Kind

OLD = DAY
"""From this age on (µs) data is too old to rely on, where a shop has no `stale_after` of its own."""
NAMED = 3
"""So many orders are named; the rest is a count."""


@dataclass(frozen=True, slots=True)
class Caveat:
    """One reason not to trust that all is well. `shop` None: it is about the whole installation."""

    code: str
    shop: str | None
    count: int | None
    text: str


def found(connection: Connection, settings: Config, now: int) -> list[Caveat]:
    """All of them at `now`, in the reader's language: those that hide orders first, then those that hide alerts."""
    return [*_hidden(connection, settings, now), *_clock(connection, now), *_unheard(connection, settings, now)]


def document(caveat: Caveat) -> dict[str, object]:
    """A caveat for scripts."""
    return {"code": caveat.code, "shop": caveat.shop, "count": caveat.count, "text": caveat.text}


def _hidden(connection: Connection, settings: Config, now: int) -> Iterator[Caveat]:
    """Orders that may be there without being shown."""
    if not settings.shops:
        yield Caveat("no_shop", None, None, _("no shop is configured: enter one under [shops]"))
    for one in strangers.left(connection, settings.shops):
        yield Caveat("left_over", one.shop, one.orders, left_over(one))
    rows = {row["shop"]: row for row in feeds.statuses(connection)}
    unused = refusals.unseen(connection)
    lost = unwatched.by_shop(unwatched.found(connection))
    for shop in sorted({*settings.shops, *lost, *unused}):
        section = settings.shops.get(shop)
        if section is not None:
            yield from _unread(shop, section, rows.get(shop), now, is_known=orders.is_known(connection, shop))
        if shop in unused:
            yield refused(shop, unused[shop], next(iter(feeds.rejected(connection, shop, 1)), None))
        if shop in lost:
            yield _unwatched(shop, lost[shop])


def _clock(connection: Connection, now: int) -> Iterator[Caveat]:
    """The clock was set lately: what was told meanwhile was judged by another time."""
    jump = meta.clock_set(connection)
    if jump is None or abs(now - jump["now"]) >= DAY:
        return
    was, is_now = (show.moment(jump[name], clock.zone(), now) for name in ("was", "now"))
    text = _("the clock of this computer was set from {was} to {now}: if it is wrong now, all times are")
    yield Caveat("clock_set", None, None, text.format(was=was, now=is_now))


def _unread(shop: str, section: ShopSection, row: RowMapping | None, now: int, *, is_known: bool) -> Iterator[Caveat]:
    """A shop of which nothing is known, whose feed fails, or whose data is old."""
    mark = row["watermark"] if row is not None else None
    if row is not None and row["failing_since"] is not None:
        text = _("[{shop}] its data cannot be read: {error}")
        yield Caveat("failing", shop, None, text.format(shop=shop, error=translated(plain(str(row["error"])))))
    if not is_known:
        text = _("[{shop}] no order has been read yet: put an export into its folder, then run forestall tick")
        if section.path is None:
            text = _("[{shop}] no order has been read yet: if it has any, look at forestall feeds status")
        yield Caveat("nothing_read", shop, None, text.format(shop=shop))
    if mark is not None and now - mark >= (section.stale_after or OLD):
        text = _("[{shop}] its newest data is {age} old: export again; what came since is not shown")
        yield Caveat("stale", shop, None, text.format(shop=shop, age=show.left(now - mark)))


def refused(shop: str, unused: Refused, last: RowMapping | None = None) -> Caveat:
    """How much of a shop's input was not used, and why the last of it was not."""
    parts = []
    if unused.files:
        parts.append(ngettext("{n} file", "{n} files", unused.files).format(n=unused.files))
    if unused.rows:
        parts.append(ngettext("{n} row", "{n} rows", unused.rows).format(n=unused.rows))
    text = _("[{shop}] {what} could not be used: see forestall feeds rejected")
    if last is not None:
        text = _("[{shop}] {what} could not be used (the last: {last}): see forestall feeds rejected")
    said = text.format(shop=shop, what=_(", ").join(parts), last=refusal(last) if last is not None else "")
    return Caveat("refused", shop, sum(unused), said)


def refusal(row: RowMapping) -> str:
    """One input that was not used: where, why, the mend."""
    place = f"{row['source']}:{row['line']}" if row["line"] is not None else str(row["source"])
    return f"{place}: {foreign.translated(row['reason'])} → {foreign.translated(row['mend'])}"


def _unwatched(shop: str, lost: Sequence[Unwatched]) -> Caveat:
    n = len(lost)
    text = ngettext(
        "[{shop}] {n} order cannot be watched ({why}): {orders}; {mend}",
        "[{shop}] {n} orders cannot be watched ({why}): {orders}; {mend}",
        n,
    )
    said = text.format(shop=shop, n=n, why=lacking(lost), orders=named(lost), mend=mend())
    return Caveat("unwatched", shop, n, said)


def left_over(one: Left) -> str:
    """What is left of a shop that is configured no more, and the mend."""
    text = _(
        "shop {shop} is not configured any more: {orders} open orders, {cases} cases and {tasks} tasks of it are left "
        "alone. Enter it again, or: forestall shops rename {shop} NEW, forestall shops retire {shop}"
    )
    return text.format(shop=one.shop, orders=one.orders, cases=one.cases, tasks=one.tasks)


def lacking(lost: Sequence[Unwatched]) -> str:
    """What these orders lack, and how many of them, the most frequent first."""
    counted = Counter(order.gap for order in lost).most_common()
    return _(", ").join(f"{words.say(words.GAPS, gap)} {n}" for gap, n in counted)


def named(lost: Sequence[Unwatched], most: int = NAMED) -> str:
    """The first of these orders, and how many more there are."""
    more = f" … +{len(lost) - most}" if len(lost) > most else ""
    return _(", ").join(order.order_id for order in lost[:most]) + more


def mend() -> str:
    """How orders become watched."""
    return _("export with status, payment time and ship-by time, or map these columns under [shops.….columns]")


def plain(error: str) -> str:
    """What a feed said was wrong, without the name of its class, which is for logs."""
    name, colon, rest = error.partition(": ")
    return rest if colon and name.isidentifier() and name[0].isupper() else error


def _unheard(connection: Connection, settings: Config, now: int) -> Iterator[Caveat]:
    """Why the seller may not be told."""
    if kill.raised(kill.flag_path(config.url_of(settings), settings.base)) or kill.stored(connection):
        text = _("sending is stopped (kill switch): alerts do not leave either; allow it again: forestall kill off")
        yield Caveat("kill_switch", None, None, text)
    if not any(Kind.ALERT in section.kinds for section in settings.alerts.values()):
        text = _('nobody will be told: enter a sink under [alerts] and set [mode] alert = "live"')
        yield Caveat("no_sink", None, None, text)
    elif (settings.mode.alert or settings.mode.default) != "live":
        text = _('alerts are only recorded, nobody is told: set [mode] alert = "live"')
        yield Caveat("alerts_shadow", None, None, text)
    for one in silence.found(connection, settings.alerts, now):
        yield Caveat(one.code, None, one.count or None, one.text)
