"""What a pack row charges, in words a seller reads: "≤ 48 h: 5% [5, 50]". Amounts in whole units, as in the rules."""

from datetime import date

from daemon import words
from daemon.i18n import gettext as _
from rules.packdata import Row, Threshold, Tier


def payout(row: Row, lang: str | None = None) -> str:
    """The row's tiers, the line it draws for a shop's day, or its points; a dash where it charges nothing."""
    if row.priced_like is not None:
        return _("as {violation}", lang).format(violation=words.say(words.VIOLATIONS, row.priced_like, lang))
    if row.tiers:
        return "; ".join(_tier(tier, lang) for tier in row.tiers)
    lines = "; ".join(_threshold(one, lang) for one in row.thresholds)
    points = _("{n} points", lang).format(n=row.points) if row.points else row.points_text
    return lines or points or "–"


def span(first: date | None, last: date | None) -> str:
    """2022-07-18 – 2025-02-12; an open end is an ellipsis."""
    return f"{first or '…'} – {last or '…'}"


def _threshold(one: Threshold, lang: str | None) -> str:
    share = _("share ≥ {n}%", lang).format(n=(one.day_share_from_bp or 0) // 100)
    if one.day_count_from is None:
        return _("day {share}", lang).format(share=share)
    return _("day: count ≥ {n}, {share}", lang).format(n=one.day_count_from, share=share)


def _tier(tier: Tier, lang: str | None) -> str:
    when = []
    if tier.promise_hours_max is not None:
        when.append(_("≤ {n} h", lang).format(n=tier.promise_hours_max))
    if tier.promise_hours_over is not None:
        when.append(_("> {n} h", lang).format(n=tier.promise_hours_over))
    if tier.base_below_minor is not None:
        when.append(_("below {n}", lang).format(n=_whole(tier.base_below_minor)))
    if tier.base_from_minor is not None:
        when.append(_("from {n}", lang).format(n=_whole(tier.base_from_minor)))
    condition = ", ".join(when)
    return f"{condition}: {_amount(tier, lang)}" if condition else _amount(tier, lang)


def _amount(tier: Tier, lang: str | None) -> str:
    if tier.flat_minor is not None:
        return _("{n} yuan", lang).format(n=_whole(tier.flat_minor))
    most = "…" if tier.max_minor is None else _whole(tier.max_minor)
    return f"{_whole(tier.percent_bp or 0)}% [{_whole(tier.min_minor)}, {most}]"


def _whole(minor: int) -> str:
    return f"{minor / 100:g}"
