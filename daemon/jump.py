"""The clock of the machine is set, or the machine slept: noticed, told, healed.

Waking depends on none of it (`daemon.beat`). A clock set back leaves instants of ours in the future, which
`store.stamps` brings back. One that leaps ahead is like time away: feeds are asked before anything is decided.
"""

import json
from dataclasses import asdict, dataclass

import structlog
from sqlalchemy import Connection

from daemon import clock
from daemon.engine import Engine
from daemon.store import alerts, meta, policies, stamps
from daemon.store.journal import Journal
from rules import key
from rules.instant import MINUTE, SECOND, format_utc

log = structlog.get_logger()
NOTICED = SECOND // 2
"""A difference (µs) between two looks at both clocks that is no jitter."""
BETWEEN_RUNS = 5 * SECOND
"""The same between two runs of which only the wall clock is known: several machines never agree to the second."""
DRIFT = 1000
"""Two good clocks differ by less than this part of the time that went by, while one of them is being trimmed."""
TOLD = MINUTE
"""A smaller one is healed and logged, but nobody is told."""
STEP = "clock"
_SEEN = "clock_seen"


@dataclass(frozen=True, slots=True)
class Jump:
    """The wall clock read `now` where `was` was to be expected (instants). `asleep`: time itself went by unseen."""

    was: int
    now: int
    asleep: bool = False

    @property
    def back(self) -> bool:
        """Whether it was set back."""
        return self.now < self.was


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks at one moment: the wall (instant), and seconds since the machine's start `boot`, by name."""

    wall: int
    elapsed: float
    boot: str = ""

    def since(self, before: "Reading") -> Jump | None:
        """The jump between two readings of one start of the machine, if there was one."""
        went_by = round((self.elapsed - before.elapsed) * SECOND)
        if abs(self.wall - before.wall - went_by) >= NOTICED + abs(went_by) // DRIFT:
            return Jump(before.wall + went_by, self.wall)
        return Jump(before.wall, self.wall, asleep=True) if went_by >= MINUTE else None


def read() -> Reading:
    """Read both clocks."""
    return Reading(clock.now(), clock.elapsed(), clock.boot())


def leave(tx: Connection, seen: Reading) -> None:
    """Leave a reading for the next run."""
    meta.put(tx, _SEEN, json.dumps(asdict(seen)))


def since_last_run(tx: Connection, seen: Reading) -> Jump | None:
    """The jump since the last run that left its reading in the database, if the machine was not started anew since."""
    said = meta.get(tx, _SEEN)
    leave(tx, seen)
    before = Reading(**json.loads(said)) if said else None
    if before is None or not seen.boot or before.boot != seen.boot:
        return None
    found = seen.since(before)
    return None if found is None or found.asleep else found


def back_since(last: int, now: int) -> Jump | None:
    """The same where only the wall clock of the last run is known: whether it was later then."""
    return Jump(last, now) if last - now >= BETWEEN_RUNS else None


def mend(engine: Engine, tx: Connection, jump: Jump, *, told: bool = True) -> None:
    """Heal what the jump left wrong in the database; say so in the log, to the seller and on the screens."""
    if jump.back:
        stamps.bring_back(tx, jump.now, jump.was)
    by = round(abs(jump.now - jump.was) / SECOND)
    log.warning("clock.jumped", was=format_utc(jump.was), now=format_utc(jump.now), by_s=by, back=jump.back)
    journal = Journal()
    if jump.back:
        policies.remember(tx, journal, engine.shops, jump.now)
    if told and by * SECOND >= TOLD:
        meta.set_clock(tx, jump.was, jump.now)
        _tell(engine, tx, journal, jump)
    journal.write(tx, jump.now)


def _tell(engine: Engine, tx: Connection, journal: Journal, jump: Jump) -> None:
    shop = engine.shops.first()
    if shop is None:
        return
    cause = key.clock(shop.name)
    act = alerts.notice(cause, f"{format_utc(jump.was)}/{format_utc(jump.now)}", STEP, "CLOCK_SET")
    note = json.dumps({"was": jump.was, "now": jump.now})
    alerts.tell(tx, journal, engine.shops, shop, act, cause, jump.now, note=note)
