"""How people see money, time left and moments: shop-local, yuan, short. JSON has its own plain forms."""

from zoneinfo import ZoneInfo

from daemon.i18n import gettext as _
from rules.instant import DAY, HOUR, MINUTE, to_datetime

_SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "BRL": "R$", "JPY": "JP¥"}
_NO_MINOR = frozenset({"JPY", "KRW", "VND", "CLP"})


def money(minor: int | None, currency: str | None, lang: str | None = None) -> str:
    """¥1,234.50; a dash when nothing is known."""
    if minor is None:
        return "–"
    sign = _SIGNS.get(currency or "CNY", f"{currency} ")
    if currency in _NO_MINOR:
        return f"{sign}{minor:,}"
    return f"{sign}{minor // 100:,}.{minor % 100:02}" if minor >= 0 else f"-{money(-minor, currency, lang)}"


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


def moment(instant: int | None, zone: ZoneInfo) -> str:
    """06-02 18:00 in the shop's own time."""
    return "–" if instant is None else to_datetime(instant, zone).strftime("%m-%d %H:%M")
