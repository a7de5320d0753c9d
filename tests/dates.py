"""The quick tests on other days, in other zones and languages: what is red there depends on today.

`python -m tests.dates` tries every combination, `python -m tests.dates 3` three of them, always the same; what follows
goes to pytest. The clock is moved within the processes that run tests, not for files and for commands they start.
"""

import os
import subprocess
import sys
from datetime import datetime
from itertools import product
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.project import ROOT

MOMENTS = (
    "2026-12-01 00:00:20",  # a month begins
    "2026-12-31 23:59:20",  # the year ends while they run
    "2027-01-01 00:00:05",
    "2027-01-31 23:30:00",
    "2027-02-05 12:00:00",  # the day before Spring Festival
    "2027-02-28 23:59:30",
    "2027-03-14 01:59:00",  # New York's clocks skip an hour
    "2027-03-28 01:59:00",  # Berlin's clocks skip an hour
    "2027-10-31 02:30:00",  # Berlin has this hour twice
    "2027-11-07 01:30:00",  # New York has this hour twice
    "2027-11-11 00:05:00",  # the busiest day
    "2028-02-29 23:59:00",
)
"""Local times in the zone of the run."""
ZONES = ("Asia/Shanghai", "America/New_York", "Europe/Berlin")
LANGUAGES = ("en_US.UTF-8", "zh_CN.UTF-8")
QUICK = ("-q", "-n", "auto", "--maxprocesses", "8", "--dist", "loadfile", "-m", "not postgres and not slow")
LIMIT_S = 900


class Run(NamedTuple):
    """One run of the quick tests."""

    moment: str
    zone: str
    language: str

    def environment(self) -> dict[str, str]:
        """What a machine of that place has set, and the moment for tests/conftest.py."""
        language = {"LANG": self.language, "LC_ALL": self.language, "FORESTALL_LANG": self.language[:2]}
        moment = datetime.fromisoformat(self.moment).replace(tzinfo=ZoneInfo(self.zone)).timestamp()
        return {**os.environ, **language, "TZ": self.zone, "FORESTALL_TEST_NOW": str(moment)}


def runs(most: int | None = None) -> list[Run]:
    """All combinations; with `most`, the first so many in an order that soon meets all moments, zones and languages."""
    every = [Run(*one) for one in product(MOMENTS, ZONES, LANGUAGES)]
    step = 67  # no divisor in common with their number
    return [every[(n + 1) * step % len(every)] for n in range(len(every))][:most]


def passes(run: Run, more: list[str]) -> bool:
    """One run; what it prints is shown only if it fails."""
    command = [sys.executable, "-m", "pytest", *QUICK, *more]
    try:
        done = subprocess.run(command, cwd=ROOT, env=run.environment(), capture_output=True, text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired as late:
        _say(f"NOT DONE after {LIMIT_S} s", str(late.stdout)[-20_000:])
        return False
    lines = done.stdout.strip().splitlines() or [done.stderr]
    _say(f"{' '.join(run)}: {lines[-1]}")
    if done.returncode != 0:
        _say(done.stdout[-20_000:], done.stderr[-5_000:])
    return done.returncode == 0


def main(words: list[str]) -> int:
    """0 when every run passed."""
    most = int(words.pop(0)) if words and words[0].isdigit() else None
    green = [passes(run, words) for run in runs(most)]
    _say(f"{sum(green)} of {len(green)} runs of the quick tests are green")
    return 0 if all(green) else 1


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join((*lines, "")))
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
