"""How people see money, time left and moments: shop-local, yuan, short. JSON has its own plain forms."""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from daemon.i18n import gettext as _
from rules.instant import DAY, HOUR, MINUTE, to_datetime

_SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "BRL": "R$", "JPY": "JP¥"}
_BEIJING = frozenset({"Asia/Shanghai", "Asia/Chongqing", "PRC"})
SMALL_HOURS = 5
"""Before this hour people still call it the night of the day before."""
HALF_A_YEAR = 180
"""Days; further away a date alone may be taken for that of another year."""


def money(minor: int | None, currency: str | None, lang: str | None = None) -> str:
    """¥1,234.50; a dash when nothing is known."""
    if minor is None:
        return "–"
    if minor < 0:
        return f"-{money(-minor, currency, lang)}"
    sign, places = _SIGNS.get(currency or "CNY", f"{currency} "), _places(currency)
    whole, coins = divmod(minor, 10**places)
    return f"{sign}{whole:,}.{coins:0{places}}" if places else f"{sign}{whole:,}"


@lru_cache(maxsize=256)
def _places(currency: str | None) -> int:
    """How many digits the coins of a currency have: dollar 2, yen 0, dinar 3."""
    if currency in (None, "CNY", "USD", "EUR", "GBP", "BRL"):
        return 2
    from babel.numbers import get_currency_precision  # only for others: it costs a tenth of a second

    return int(get_currency_precision(currency))


def left(span: int, lang: str | None = None) -> str:
    """Time left or past in words a person uses: 3 h 58 min, 2 d 4 h; "late by …" when negative."""
    if span < 0:
        return _("late by {span}", lang).format(span=left(-span, lang))
    days, rest = divmod(span, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes = rest // MINUTE
    if days:
        return _("{days} d {hours} h", lang).format(days=days, hours=hours)
    if hours:
        return _("{hours} h {minutes} min", lang).format(hours=hours, minutes=minutes)
    return _("{minutes} min", lang).format(minutes=minutes)


def moment(
    instant: int | None, zone: ZoneInfo, now: int | None = None, reader: ZoneInfo | None = None, lang: str | None = None
) -> str:
    """A moment in the shop's own time: "today 18:00", "tonight 00:05", "tomorrow 11:00", else 06-02 18:00.

    Without `now` always the date. The year stands there where the date alone may be taken for another year's, and the
    zone where its clocks do not show the `reader`'s time (left out: the reader is at home in `zone`).
    """
    if instant is None:
        return "–"
    local = to_datetime(instant, zone)
    said = local.strftime("%m-%d %H:%M") if now is None else _spoken(local, to_datetime(now, zone), lang)
    abroad = reader is not None and to_datetime(instant, reader).utcoffset() != local.utcoffset()
    return f"{said} {zone_name(local, lang)}" if abroad else said


def zone_name(local: datetime, lang: str | None = None) -> str:
    """How people call the zone of a local time: Beijing time, else UTC-3."""
    if getattr(local.tzinfo, "key", "") in _BEIJING:
        return _("Beijing time", lang)
    minutes = (local.utcoffset() or timedelta()) // timedelta(minutes=1)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def _spoken(local: datetime, today: datetime, lang: str | None) -> str:
    """Tonight is the night ahead; who is in it already says today: at 01:58 "tonight" may be either night."""
    clock, days = local.strftime("%H:%M"), (local.date() - today.date()).days
    if days == 1 and local.hour < SMALL_HOURS <= today.hour:
        return _("tonight {time}", lang).format(time=clock)
    match days:
        case 0:
            return _("today {time}", lang).format(time=clock)
        case 1:
            return _("tomorrow {time}", lang).format(time=clock)
        case -1:
            return _("yesterday {time}", lang).format(time=clock)
    return local.strftime("%m-%d %H:%M" if abs(days) < HALF_A_YEAR else "%Y-%m-%d %H:%M")
