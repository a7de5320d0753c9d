"""What the daemon costs while it waits: memory and processor time with a million open orders, none of them due.

The database holds the orders, what was seen of them and the timers their first decision left. `forestall run`
itself runs on it in a child process, its feeds watching empty folders; /proc tells what it takes.
"""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import perf_counter

from adapters.base import Snapshot
from benchmarks import orders, stores
from benchmarks.rounds import Goal, arguments, finish, note, show
from daemon import clock
from daemon.store import timers
from daemon.store.database import Database
from rules.instant import DAY, HOUR

CONFIG = '[database]\nurl = "sqlite:///store/forestall.db"\n[daemon]\nsocket = "forestall.sock"\n'
SHOP = '[shops.{name}]\nplatform = "{platform}"\nseller = "{seller}"\npath = "drop/{name}"\n'
STARTED = b"daemon.started"
PART = 20_000
PATIENCE_S = 300.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has taken so far: MB resident now and at most, seconds of processor time."""

    rss_mb: float
    peak_mb: float
    cpu_s: float


def main() -> None:
    """Measure and print."""
    chosen = arguments(
        __doc__, 1, orders=(1_000_000, 2000, "open orders"), seconds=(60, 3, "seconds to watch the idle daemon")
    )
    with stores.folder() as place:
        size_mb = _build(place, chosen.orders)
        note("built; starting the daemon")
        started, before, after = _watch(place, chosen.seconds)
    share = (after.cpu_s - before.cpu_s) / chosen.seconds
    print(f"{chosen.orders:,} open orders, none due; database {size_mb:,.0f} MB; watched for {chosen.seconds} s")
    show(
        ["moment", "RSS MB", "peak MB", "CPU s so far"],
        [
            [name, f"{usage.rss_mb:.0f}", f"{usage.peak_mb:.0f}", f"{usage.cpu_s:.2f}"]
            for name, usage in ((f"up after {started:.1f} s", before), ("at the end", after))
        ],
    )
    print(f"share of a core while idle: {share:.2%}")
    finish(
        "idle",
        chosen,
        [
            Goal("resident memory at most, MB", after.peak_mb, 250, most=True),
            Goal("share of a core, %", share * 100, 1, most=True),
        ],
        rss_mb=round(after.rss_mb, 1),
        started_s=round(started, 2),
        database_mb=round(size_mb, 1),
    )


def _build(place: Path, many: int) -> float:
    """A configuration, and a database with that many orders decided once; returns its size in MB."""
    tables = [CONFIG]
    for number in range(orders.SHOPS):
        name = orders.shop_of(number)
        (place / "drop" / name).mkdir(parents=True)
        seller = f"seller-{number:02d}"
        tables.append(SHOP.format(name=name, platform=orders.platform_of(number), seller=seller))
    (place / "forestall.toml").write_text("".join(tables))
    now = clock.now()
    database = stores.create(place / "store")
    try:
        _store(database, many, now)
    finally:
        database.close()
    return stores.file(place / "store").stat().st_size / 1e6


def _store(database: Database, many: int, now: int) -> None:
    """The orders, what was seen of them, and a timer for each, as the first decision leaves it."""
    shops = orders.shops()
    playbook = shops.playbook.digest
    numbers = orders.by_shop(many)
    stores.put(database, shops, (_order(number, now) for number in numbers))
    for start in range(0, many, PART):
        part = numbers[start : start + PART]
        names = [
            (orders.shop_of(number), orders.id_of(number), f"seller-{number % orders.SHOPS:02d}") for number in part
        ]
        with database.begin() as tx:
            timers.wake(tx, timers.ORDER, [(*name, now) for name in names])
            claims = timers.claim(tx, timers.ORDER, now, PART)
            timers.settle(
                tx,
                [
                    timers.Result(claim, now + (4 + place % 20) * DAY, now, playbook)
                    for place, claim in enumerate(claims)
                ],
            )


def _order(number: int, now: int) -> Snapshot:
    return orders.snapshot(number, orders.facts_of(number, now - HOUR, now + (5 + number % 20) * DAY), now)


def _watch(place: Path, seconds: int) -> tuple[float, Usage, Usage]:
    """Start the daemon; returns how long that took, and its usage before and after it was left alone."""
    began = perf_counter()
    log = place / "log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "daemon", "run", "--config", "forestall.toml"]
        daemon = subprocess.Popen(command, cwd=place, stdout=output, stderr=output, env=_environment())
    try:
        while STARTED not in log.read_bytes():
            if daemon.poll() is not None or perf_counter() - began > PATIENCE_S:
                raise RuntimeError(f"the daemon did not start:\n{log.read_text(errors='replace')}")
            _wait(0.1)
        started = perf_counter() - began
        _wait(min(seconds, 5))
        before = _usage(daemon.pid)
        _wait(seconds)
        return started, before, _usage(daemon.pid)
    finally:
        daemon.send_signal(signal.SIGTERM)
        try:
            daemon.wait(30)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def _environment() -> dict[str, str]:
    """This process's, with the modules that it found itself."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _usage(process: int) -> Usage:
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines() if ":" in line
    )
    user, system = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return Usage(
        rss_mb=int(status["VmRSS"].split()[0]) / 1024,
        peak_mb=int(status["VmHWM"].split()[0]) / 1024,
        cpu_s=(int(user) + int(system)) / _TICKS,
    )


def _wait(seconds: float) -> None:
    Event().wait(seconds)


if __name__ == "__main__":
    main()
