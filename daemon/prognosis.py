"""What people read about a shop's health: one sentence per gauge, the same on screens and in alerts."""

from zoneinfo import ZoneInfo

from daemon import show, words
from daemon.i18n import gettext as _
from daemon.i18n import ngettext
from rules.health import Reading
from rules.instant import SECOND


def name(reading: Reading, lang: str | None = None) -> str:
    """What is counted: platform called in (DM-1)."""
    said = words.say(words.METRICS, reading.gauge.name, lang)
    return said if reading.gauge.period == "year" else f"{said} ({reading.gauge.metric})"


def window(reading: Reading, lang: str | None = None) -> str:
    """Over which days."""
    match reading.gauge.period:
        case "month":
            return _("this month", lang)
        case "year":
            return _("this year", lang)
        case "day":
            return _("today", lang)
        case "rolling":
            return _("{days} days", lang).format(days=reading.gauge.days)


def stands(reading: Reading) -> str:
    """The count of how many trades, and the rate: 3 / 1,200 = 0.25 %; a dash where nobody told anything to count."""
    if reading.state == "unknown":
        return "–"
    if reading.trades is None or reading.rate_bp is None:
        return str(reading.count)
    return f"{reading.count} / {reading.trades:,} = {percent(reading.rate_bp)}"


def limit(reading: Reading, lang: str | None = None) -> str | None:
    """The line: the count that crosses it, or what is normal where no line is known."""
    if reading.gauge.period == "year" and reading.crossing is not None:
        return _("your own: {n} points", lang).format(n=reading.crossing)
    if reading.crossing is not None:
        return _("{n} cross it", lang).format(n=reading.crossing)
    if reading.gauge.normal_bp:
        low, high = (percent(bp) for bp in reading.gauge.normal_bp)
        return _("usual {low} to {high}", lang).format(low=low, high=high)
    return None


def sentence(reading: Reading, zone: ZoneInfo, lang: str | None = None) -> str:
    """What is coming: "2 more before 11-29 00:00 and campaigns close; expected by then: 4"."""
    if reading.gauge.period == "year":
        return _of_points(reading, zone, lang)
    effect = words.say(words.EFFECTS, reading.gauge.effect, lang)
    until = show.moment(reading.horizon - SECOND, zone)
    if reading.left is None:
        return _("expected by {moment}: {n}", lang).format(moment=until, n=reading.forecast)
    if reading.state == "over":
        text = _("over the line until {moment}: {effect}; let no further dispute arise", lang)
        return text.format(moment=until, effect=effect)
    text = ngettext(
        "{n} more by {moment} and {effect}; expected by then: {forecast}",
        "{n} more by {moment} and {effect}; expected by then: {forecast}",
        reading.left,
        lang,
    )
    return text.format(n=reading.left, moment=until, effect=effect, forecast=reading.forecast)


def _of_points(reading: Reading, zone: ZoneInfo, lang: str | None) -> str:
    if reading.state == "unknown":
        return _("nobody has told any", lang)
    text = _("points expected by {moment}: {n}", lang)
    if reading.state == "over":
        text = _("your own line of points is reached until {moment}; expected by then: {n}", lang)
    elif reading.left is not None:
        text = _("{left} points more by {moment} and your own line is reached; expected by then: {n}", lang)
    until = show.moment(reading.horizon - SECOND, zone)
    return text.format(left=reading.left, moment=until, n=reading.forecast)


def advice(reading: Reading, lang: str | None = None) -> list[str]:
    """What a seller may do beyond the line and Forestall never will: buy traffic back (C085, N4)."""
    if reading.state != "over" or reading.gauge.period == "year" or reading.gauge.effect == "ads":
        return []
    return [_("paid search ads can steady the traffic meanwhile; that is for you to weigh, Forestall buys none", lang)]


def gaps(reading: Reading, lang: str | None = None) -> list[str]:
    """What the formula needs and nobody told."""
    return [words.say(words.MISSING, missing, lang) for missing in reading.missing]


def percent(bp: int) -> str:
    """Basis points as people write a share: 0.25 %."""
    return f"{bp // 100}.{bp % 100:02} %"
