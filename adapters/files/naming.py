"""When a file was exported, as far as its name tells, and the zone of a shop's local times."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from adapters.base import ShopSettings
from rules import instant

CHINESE = frozenset({"taobao", "tmall", "pinduoduo", "jd", "douyin", "kuaishou", "xiaohongshu"})
"""Platforms whose local times are Asia/Shanghai, whatever the shop says about itself."""
SHANGHAI = ZoneInfo("Asia/Shanghai")

_LOCAL = re.compile(
    r"(?<!\d)(20\d\d)[-_.年]?([01]\d)[-_.月]?([0-3]\d)日?"
    r"[-_ T.]?([0-2]\d)[-_:.时]?([0-5]\d)(?:[-_:.分]?([0-5]\d))?(?!\d)"
)
_EPOCH = re.compile(r"(?<!\d)(1[4-9]\d{8}|[2-3]\d{9})(\d{3})?(?=_)")


def zone(settings: ShopSettings) -> ZoneInfo | None:
    """The zone of the shop's local times: its own setting, else that of a Chinese platform."""
    return settings.timezone or (SHANGHAI if settings.platform in CHINESE else None)


def export_instant(name: str, settings: ShopSettings) -> int | None:
    """The instant in a file name such as `ExportOrderList202611201000.csv` or `1795140000_ab.csv`, or None.

    A date without a time of day names no instant; a local time needs the shop's zone.
    """
    epoch = _EPOCH.search(name)
    if epoch:
        return int(epoch[1]) * instant.SECOND + int(epoch[2] or 0) * 1_000
    local = zone(settings)
    found = _LOCAL.search(name)
    if not found or local is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        return instant.from_datetime(datetime(year, month, day, hour, minute, second, tzinfo=local))
    except ValueError:
        return None
