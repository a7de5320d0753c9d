"""When a file was exported, as far as its name tells, and the zone of a shop's local times.

Digits in a name are a time only where a known export writes its time so. Periods (`2026-11-01_2026-11-28`), shop
numbers and counts of orders are none: taken for a time, they would date the file years away.
"""

import re
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from adapters.base import Rejected, ShopSettings
from rules import instant

CHINESE = frozenset({"taobao", "tmall", "pinduoduo", "jd", "douyin", "kuaishou", "xiaohongshu"})
"""Platforms whose local times are Asia/Shanghai, whatever the shop says about itself."""
SHANGHAI = ZoneInfo("Asia/Shanghai")

SLACK = instant.HOUR
"""How much later than both our clock and the file's own time a name may say that a file was exported."""

_COMPACT = r"(20\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?"
_DASHED = r"(20\d\d)-(\d\d)-(\d\d)-(\d\d)[-_](\d\d)(?:[-_](\d\d))?"
_COPY = r"(?: ?[(（]\d{1,3}[)）])?"
"""What a browser adds to the name of a file that is there already."""


class _Pattern(NamedTuple):
    """How one export writes its time, the whole name; `platforms` None: whatever the shop's platform."""

    name: re.Pattern[str]
    platforms: frozenset[str] | None = None


def _names(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern + _COPY, re.IGNORECASE)


_LOCAL = (
    _Pattern(_names(rf"Export(?:Order|OrderDetail|Item)List{_COMPACT}"), frozenset({"taobao", "tmall"})),
    _Pattern(_names(rf"orders?(?:_export)?(?:{_COMPACT})"), frozenset({"pinduoduo"})),
    _Pattern(_names(rf"orders?(?:_export)?(?:{_DASHED})"), frozenset({"pinduoduo"})),
    _Pattern(_names(rf"[a-z ]+ order-{_DASHED}")),  # TikTok Shop: "To Ship order-2026-11-28-15_05"
    _Pattern(_names(r"(?:.*[^\d])?(20\d\d)-?(\d\d)-?(\d\d)T(\d\d)[-:_]?(\d\d)(?:[-:_]?(\d\d))?")),
    _Pattern(_names(r"(20\d\d)-(\d\d)-(\d\d)[_ ](\d\d)(\d\d)(\d\d)?")),
)
"""The last two are for people: ISO with its T at the end of a name, and a name that is nothing but a time."""
_EPOCH = _Pattern(_names(r"(1[4-9]\d{8}|[2-3]\d{9})_(?=\d*[a-f])[0-9a-f]{4,64}"), frozenset({"douyin"}))


def zone(settings: ShopSettings) -> ZoneInfo | None:
    """The zone of the shop's local times: its own setting, else that of a Chinese platform."""
    return settings.timezone or (SHANGHAI if settings.platform in CHINESE else None)


def export_instant(name: str, settings: ShopSettings) -> int | None:
    """The instant in a file name such as `ExportOrderList202611201000.csv`, or None.

    A date without a time of day names no instant; a local time needs the shop's zone.
    """
    stem = _stem(name)
    epoch = _found(_EPOCH, stem, settings)
    if epoch:
        return int(epoch[1]) * instant.SECOND
    local = zone(settings)
    found = next((found for one in _LOCAL if (found := _found(one, stem, settings))), None)
    if not found or local is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        return instant.from_datetime(datetime(year, month, day, hour, minute, second, tzinfo=local))
    except ValueError:
        return None


def ahead(source: str, at: int) -> Rejected:
    """What is said of a file whose name tells a time that lies ahead; the file's own time is taken instead."""
    return Rejected(
        source=source,
        line=None,
        reason=f"the time in the file's name lies ahead: {instant.format_utc(at)}; the file's own time is taken",
        mend="correct the clock or the time zone of the computer that exports, or rename the file",
    )


def _found(pattern: _Pattern, stem: str, settings: ShopSettings) -> re.Match[str] | None:
    if pattern.platforms is not None and settings.platform not in pattern.platforms:
        return None
    return pattern.name.fullmatch(stem)


def _stem(name: str) -> str:
    """The name without its endings, which hold no time."""
    return re.sub(r"(?:\.[a-z][a-z0-9]{0,5}){1,2}$", "", name, flags=re.IGNORECASE)
