"""The only place that reads a clock."""

import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rules.instant import from_datetime


def now() -> int:
    """This moment as an instant (UTC microseconds). freezegun moves it."""
    return from_datetime(datetime.now(UTC))


def monotonic() -> float:
    """Seconds that never go back, for durations of calls and progress. Nothing stored depends on it."""
    return time.monotonic()


def wait(seconds: float) -> None:
    """Do nothing for so long: only where a person waits for an answer. Waiting for work is a stored `due_at`."""
    threading.Event().wait(seconds)


def zone() -> ZoneInfo:
    """The zone of the system's local time: TZ, else /etc/localtime, else UTC."""
    named = os.environ.get("TZ", "").removeprefix(":")
    if not named:
        named = str(Path("/etc/localtime").resolve()).rpartition("zoneinfo/")[2]
    try:
        return ZoneInfo(named)
    except (KeyError, OSError, ValueError):  # no such zone, or no name of one
        return ZoneInfo("UTC")


def elapsed() -> float:
    """Seconds that went by since some moment, sleep of the machine included where the system tells it."""
    asleep_too = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if asleep_too is None else time.clock_gettime(asleep_too)


def boot() -> str:
    """Since which start of the machine `elapsed` counts; "" where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
