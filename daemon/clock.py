"""The only place that reads a clock."""

import time
from datetime import UTC, datetime

from rules.instant import from_datetime


def now() -> int:
    """This moment as an instant (UTC microseconds). freezegun moves it."""
    return from_datetime(datetime.now(UTC))


def monotonic() -> float:
    """Seconds that never go back, for durations of calls and progress. Nothing stored depends on it."""
    return time.monotonic()
