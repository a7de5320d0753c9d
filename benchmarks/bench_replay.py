"""Replay of 30 days of orders through the production engine, against the least a replay could do.

Ours: Simulation over a Tape: the daemon's own SQL in memory, shipped playbook, rule packs, causes and evidence, in
steps of 1 h. Floor: the same facts in an event heap with an injected clock, a toy decision of a few comparisons
and a list of actions; no database, no rules, no evidence. An event is a fact or a decision; ratios are per event.
"""

import heapq
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from adapters.base import Record, Snapshot
from benchmarks import orders
from benchmarks.phases import PHASE_HEADER, Phases
from benchmarks.rounds import HEADER, Goal, Sample, Stopwatch, arguments, finish, interleave, note, show
from daemon import engine as hops
from daemon import replay
from daemon.engine import Engine
from daemon.replay import AFTERMATH, Simulation, Tape
from daemon.store import decisions, memberships, timers
from daemon.store import orders as stored
from daemon.store.journal import Journal
from rules.instant import HOUR

OURS, FLOOR = "ours, Simulation", "floor, event heap"
WATCHED = (
    (replay, "ingest", "ingest"),
    (timers, "due_of", "facts or timer first"),
    (timers, "take", "decide: claim"),
    (stored, "load", "decide: read orders"),
    (stored, "histories", "decide: read histories"),
    (hops, "decide", "decide: rules"),
    (decisions, "write", "decide: write"),
    (memberships, "bring_up", "decide: memberships"),
    (decisions, "_put_down", "evidence: note"),
    (timers, "settle", "decide: settle"),
    (Engine, "decide_causes", "causes"),
    (Journal, "write", "evidence: write"),
)
LEADS = (24 * HOUR, 12 * HOUR, 8 * HOUR, 4 * HOUR, 0)
STEPS = ("ship", "agree", "tell", "alert", "good")


def main() -> None:
    """Measure and print."""
    chosen = arguments(__doc__, 3, orders=(100_000, 300, "orders"), days=(30, 30, "days they are paid over"))
    with Stopwatch() as spooling:
        tape = record(chosen.orders, chosen.days)
        facts = entries(tape.play())
    note(f"{len(facts):,} facts on tape")
    ours, floor = Ours(tape), Floor(facts)
    results = interleave({OURS: ours.measure, FLOOR: floor.measure}, chosen.rounds, warm_up=False)
    phases, watch = Phases(), Stopwatch()
    with phases.watching(*WATCHED), watch:
        ours.play(phases)
    print(f"{chosen.orders:,} orders over {chosen.days} days, {len(facts):,} facts; an item is an event")
    show(HEADER, results.table())
    ratio = results.ratio(FLOOR, OURS)
    seconds = {name: round(min(s.wall for s in samples), 2) for name, samples in results.samples.items()}
    print(f"ours takes {ratio} times as long as the floor, per event")
    print(f"{OURS}: {ours.events:,} events, best {seconds[OURS]} s; {FLOOR}: {floor.events:,}, best {seconds[FLOOR]} s")
    print(f"\nWhere our time goes, in a pass of its own ({watch.wall:.1f} s)")
    show(PHASE_HEADER, phases.shares(watch.wall))
    finish(
        "replay",
        chosen,
        [Goal("time of ours / floor, per event", ratio.median, 15, most=True)],
        sides=results.plain(),
        ratios={"per event": ratio},
        events={OURS: ours.events, FLOOR: floor.events},
        seconds=seconds,
        generated_and_spooled_s=round(spooling.wall, 2),
        phases={name: round(seconds, 3) for name, seconds in phases.seconds.items()},
    )


def record(many: int, days: int) -> Tape:
    """The lives of all orders on a tape."""
    tape = Tape()
    chance = random.Random(11)
    for number in range(many):
        for fact in orders.life(number, chance, days):
            tape.add(fact)
    return tape


@dataclass(slots=True)
class Ours:
    """The production engine under simulated time. `events`: facts and decisions of the last run."""

    tape: Tape
    events: int = 0

    def measure(self, _round: int) -> Sample:
        """One whole replay."""
        with Stopwatch() as watch:
            self.play()
        return watch.sample(self.events)

    def play(self, phases: Phases | None = None) -> None:
        """From the first fact until all is long over."""
        simulation = Simulation(orders.shops())
        engine = Counted(simulation.database, simulation.shops, own_time=True, batch=simulation.engine.batch)
        simulation.engine = engine
        facts = self.tape.play() if phases is None else phases.reading(self.tape.play(), "reading the tape")
        first, last = self.tape.first or 0, self.tape.last or 0
        simulation.run(facts, first, HOUR, lambda: max(last, simulation.last_deadline() or last) + AFTERMATH)
        simulation.database.close()
        self.events = self.tape.snapshots + engine.decided


class Counted(Engine):
    """An engine that counts the orders and causes it decides."""

    decided = 0

    def decide_orders_once(self, now: int) -> int:
        """As the engine does."""
        count = Engine.decide_orders_once(self, now)
        self.decided += count
        return count

    def decide_causes(self, now: int) -> int:
        """As the engine does."""
        count = Engine.decide_causes(self, now)
        self.decided += count
        return count


@dataclass(slots=True)
class Clock:
    """The injected clock of the floor."""

    now: int = 0


Entry = tuple[int, int, int, str, Any]
"""(instant, fact or timer, number, order, fields): what the heap holds."""
FACT, TIMER = 0, 1


@dataclass(slots=True)
class Floor:
    """Facts and timers in one heap. `events`: facts and decisions of the last run."""

    entries: list[Entry]
    events: int = 0

    def measure(self, _round: int) -> Sample:
        """One whole replay."""
        heap = list(self.entries)
        with Stopwatch() as watch:
            self.events = _run_heap(heap)
        return watch.sample(self.events)


def entries(facts: Iterable[Record]) -> list[Entry]:
    """The facts as the floor wants them."""
    return [
        (fact.observed_at, FACT, number, f"{fact.shop}/{fact.order_id}", fact.fields)
        for number, fact in enumerate(facts)
        if isinstance(fact, Snapshot)
    ]


def _run_heap(heap: list[Entry]) -> int:
    """Facts and timers in order of time; returns how many facts were taken in and orders decided."""
    heapq.heapify(heap)
    clock, events, number = Clock(), 0, len(heap)
    known: dict[str, dict[str, Any]] = {}
    due: dict[str, int | None] = {}
    actions: list[tuple[int, str, str]] = []
    while heap:
        clock.now, kind, _, order, fields = heapq.heappop(heap)
        if kind == FACT:
            known.setdefault(order, {"done": -1}).update(fields)
            following: int | None = clock.now
        elif due[order] != clock.now:
            continue
        else:
            following = _toy(known[order], order, clock.now, actions)
        events += 1
        due[order] = following
        if following is not None:
            number += 1
            heapq.heappush(heap, (following, TIMER, number, order, None))
    return events


def _toy(facts: dict[str, Any], order: str, now: int, actions: list[tuple[int, str, str]]) -> int | None:
    """A step for each lead that has begun; when the next one does."""
    if facts["status"] != "paid":
        return None
    for place, lead in enumerate(LEADS):
        at: int = facts["ship_by"] - lead
        if at > now:
            return at
        if place > facts["done"]:
            facts["done"] = place
            actions.append((now, order, STEPS[place]))
    return None


if __name__ == "__main__":
    main()
