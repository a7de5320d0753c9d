"""From a due timer to a finished decision: decided, action written, done. No network.

Ours: Engine.decide over the orders that are due among many that are not, in shadow mode (an action is done when it
is written), evidence on, SQLite file, FULL. (a) with a constant decision, (b) with the shipped playbook and packs.
Peers: one job per order in huey (SQLite as it ships) and in APScheduler (SQLite store, WAL, FULL), whose job does
next to nothing and which write no decision, no action and no evidence.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import func, select

from adapters.base import Snapshot
from benchmarks import orders, peers, stores
from benchmarks.phases import PHASE_HEADER, Phases
from benchmarks.rounds import HEADER, Goal, Sample, Stopwatch, arguments, finish, interleave, note, show
from daemon import engine as hops
from daemon.engine import Engine
from daemon.store import causes, decisions, memberships, stock, timers
from daemon.store import orders as stored
from daemon.store.database import Database
from daemon.store.journal import Journal
from daemon.tables import Action
from rules.deadline import Deadline
from rules.decide import Decision
from rules.instant import DAY, HOUR, MINUTE
from rules.look import Act
from rules.model import History, Kind, Order, Violation
from rules.policy import Policy

CONSTANT, SHIPPED = "ours (a), constant decision", "ours (b), shipped playbook"
HUEY, APSCHEDULER = "huey, SQLite as it ships", "APScheduler, SQLite store"
GOALS = {CONSTANT: 30.0, SHIPPED: 10.0}
NOW = orders.START + 10 * DAY
BEFORE = NOW - 2 * HOUR
A = Action.__table__  # type: ignore[attr-defined]
RULES = ("rules: orders", "rules: causes")
WATCHED = (
    (hops, "decide", RULES[0]),
    (hops, "decide_cause", RULES[1]),
    (timers, "take", "claim"),
    (timers, "settle", "settle"),
    (timers, "wake", "wake causes"),
    (stored, "load", "read orders"),
    (stored, "histories", "read histories"),
    (causes, "load", "read causes"),
    (causes, "write", "write causes"),
    (decisions, "write", "write decisions"),
    (memberships, "bring_up", "memberships"),
    (decisions, "_put_down", "note evidence"),
    (stock, "home", "homes of pools"),
    (Journal, "write", "write evidence"),
)


def main() -> None:
    """Measure and print."""
    chosen = arguments(
        __doc__,
        7,
        orders=(100_000, 1000, "orders stored"),
        due=(5000, 200, "orders of them that are due"),
        jobs=(1000, 50, "jobs of a peer"),
    )
    with stores.folder() as place:
        pipeline = Pipeline(place, chosen.orders, chosen.due)
        results = interleave(
            {
                CONSTANT: pipeline.constant,
                SHIPPED: pipeline.shipped,
                HUEY: lambda _: _peer(peers.huey, place / "huey", chosen.jobs),
                APSCHEDULER: lambda _: _peer(peers.apscheduler, place / "apscheduler", chosen.jobs),
            },
            chosen.rounds,
        )
        phases = Phases()
        with phases.watching(*WATCHED):
            whole = pipeline.shipped(0).wall
    print(f"{chosen.due:,} orders due of {chosen.orders:,}, SQLite file, FULL")
    show(HEADER, results.table())
    ratios = {f"{ours} / {peer}": results.ratio(ours, peer) for ours in GOALS for peer in (HUEY, APSCHEDULER)}
    for name, ratio in ratios.items():
        print(f"{name}: {ratio}")
    rules = sum(phases.seconds[name] for name in RULES) / whole
    print(f"\nWhere the time of (b) goes, in a pass of its own; rules: {rules:.0%}")
    show(PHASE_HEADER, phases.shares(whole))
    finish(
        "pipeline",
        chosen,
        [Goal(f"{ours} / {HUEY}", ratios[f"{ours} / {HUEY}"].median, wanted) for ours, wanted in GOALS.items()],
        sides=results.plain(),
        ratios=ratios,
        share_of_rules=round(rules, 4),
        phases={name: round(seconds, 4) for name, seconds in phases.seconds.items()},
    )


class Pipeline:
    """A template of a store in which some orders have just become due; every run works on a copy."""

    def __init__(self, place: Path, many: int, due: int) -> None:
        self.place = place
        self.due = due
        self.shops = orders.shops()
        database = stores.create(place / "template")
        stores.fill(database, self.shops, (self._order(number) for number in range(many)), BEFORE)
        Engine(database, self.shops).decide(BEFORE)
        assert not _actions(database)
        database.close()
        note(f"{many:,} orders stored and decided once")

    def constant(self, _round: int) -> Sample:
        """Every due order gets the same answer: one task."""
        with patch.object(hops, "decide", _always_ship):
            return self._run()

    def shipped(self, _round: int) -> Sample:
        """Every due order is 24 h from its deadline: a case, a task, a place in the pick-up's alert."""
        return self._run()

    def _run(self) -> Sample:
        with stores.copied(self.place / "template", self.place / "copy") as database:
            engine = Engine(database, self.shops)
            with Stopwatch() as watch:
                engine.decide(NOW)
            assert _actions(database) >= self.due
        return watch.sample(self.due)

    def _order(self, number: int) -> Snapshot:
        """Due orders reach the first step's lead between `BEFORE` and `NOW`; the others in days to come."""
        soon, later = NOW + DAY - number % 60 * MINUTE, NOW + 3 * DAY + number % 1000 * 15 * MINUTE
        ship_by = soon if number < self.due else later
        return orders.snapshot(number, orders.facts_of(number, BEFORE - HOUR, ship_by), BEFORE)


def _peer(run: Callable[[Path, int, int], Stopwatch], place: Path, jobs: int) -> Sample:
    """A peer on files of its own, gone afterwards."""
    place.mkdir()
    try:
        return run(place, jobs, NOW).sample(jobs)
    finally:
        shutil.rmtree(place)


def _always_ship(order: Order, _policy: Policy, _history: History, now: int) -> Decision:
    act = Act(
        key=f"{order.shop}/{order.order_id}/late_shipment/1/ship",
        kind=Kind.TASK,
        step="ship",
        violation=Violation.LATE_SHIPMENT,
        episode=1,
        reason="SHIP_BY_NEAR",
    )
    return Decision(Deadline(order.ship_by, order.ship_by, ()), acts=(act,), wake_at=now + DAY)


def _actions(database: Database) -> int:
    with database.begin() as tx:
        return int(tx.execute(select(func.count()).select_from(A).where(A.c.order_id.is_not(None))).scalar_one())


if __name__ == "__main__":
    main()
