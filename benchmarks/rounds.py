"""Measuring sides against one another on a noisy machine.

All sides run in one process, round by round, in shuffled order; a ratio is the median of the quotients inside
the rounds, never a quotient of two runs. What a side prepares is outside its stopwatch. CPU seconds stand next
to wall seconds, because other work on the machine lengthens the latter.
"""

import argparse
import gc
import json
import random
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any, Self

from daemon import heap


@dataclass(frozen=True, slots=True)
class Sample:
    """One side in one round: how many items it did, in how many seconds on the wall and on the processor."""

    items: int
    wall: float
    cpu: float

    @property
    def rate(self) -> float:
        """Items per second on the wall."""
        return self.items / self.wall

    @property
    def cpu_rate(self) -> float:
        """Items per second of processor time."""
        return self.items / max(self.cpu, 1e-9)


Side = Callable[[int], Sample]
"""Does its work for a round (numbered from 0) and says how long the timed part took."""


class Stopwatch:
    """Wall and processor seconds of a block; may be entered several times."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def __enter__(self) -> Self:
        self._wall, self._cpu = perf_counter(), process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall += perf_counter() - self._wall
        self.cpu += process_time() - self._cpu

    def sample(self, items: int) -> Sample:
        """What was measured, for so many items."""
        return Sample(items, self.wall, self.cpu)


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times faster one side is than another: median, lowest and highest of the rounds; median by CPU."""

    median: float
    low: float
    high: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f}; by CPU {self.cpu:.2f})"


@dataclass(slots=True)
class Results:
    """The samples of every side, round by round."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def ratio(self, fast: str, slow: str) -> Ratio:
        """Rate of `fast` over rate of `slow`."""
        pairs = list(zip(self.samples[fast], self.samples[slow], strict=True))
        wall = [a.rate / b.rate for a, b in pairs]
        cpu = [a.cpu_rate / b.cpu_rate for a, b in pairs]
        return Ratio(statistics.median(wall), min(wall), max(wall), statistics.median(cpu))

    def table(self) -> list[list[str]]:
        """Rows of the readable table: side, rates, and time per item."""
        return [[name, *_shown(samples)] for name, samples in self.samples.items()]

    def plain(self) -> dict[str, dict[str, float]]:
        """The same for machines."""
        return {name: _plain(samples) for name, samples in self.samples.items()}


HEADER = ["side", "rounds", "items/s (median)", "lowest", "highest", "µs wall/item", "µs CPU/item"]


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure and what it should be; `most` turns it round: no more than that."""

    name: str
    figure: float
    wanted: float
    most: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure is good enough."""
        return self.figure <= self.wanted if self.most else self.figure >= self.wanted

    def __str__(self) -> str:
        sign = "≤" if self.most else "≥"
        return f"{self.name}: {self.figure:.2f}, goal {sign} {self.wanted:g}: {'met' if self.met else 'MISSED'}"


def interleave(sides: Mapping[str, Side], rounds: int, *, warm_up: bool = True, seed: int = 7) -> Results:
    """Run every side once a round, each round in another order; round 0 only warms up.

    For all sides the garbage collector is set as the daemon sets it.
    """
    heap.settle()
    results = Results({name: [] for name in sides})
    order = list(sides)
    shuffle = random.Random(seed).shuffle
    for number in range(0 if warm_up else 1, rounds + 1):
        shuffle(order)
        for name in order:
            gc.collect()
            sample = sides[name](number)
            if number:
                results.samples[name].append(sample)
        note(f"round {number} of {rounds} done" if number else "warmed up")
    return results


def arguments(description: str | None, rounds: int, **sizes: tuple[int, int, str]) -> argparse.Namespace:
    """The command line: `--quick`, `--rounds` and one option for each size (ordinary, quick, what it counts)."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small run that only shows that all works")
    parser.add_argument("--rounds", type=int, help=f"rounds to measure (default {rounds}; quick: 1)")
    for name, (ordinary, quick, what) in sizes.items():
        parser.add_argument(f"--{name}", type=int, help=f"{what} (default {ordinary:,}; quick: {quick:,})")
    chosen = parser.parse_args()
    for name, (ordinary, quick, _) in {"rounds": (rounds, 1, ""), **sizes}.items():
        if getattr(chosen, name) is None:
            setattr(chosen, name, quick if chosen.quick else ordinary)
    return chosen


def note(text: str) -> None:
    """Say how far it is, where it disturbs no reader of the results."""
    print(f"  … {text}", file=sys.stderr, flush=True)


def show(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: the first column to the left, figures to the right."""
    widths = [max(len(row[place]) for row in (header, *rows)) for place in range(len(header))]
    for row in (header, ["-" * width for width in widths], *rows):
        first, *others = (
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *others]).rstrip())


def finish(name: str, chosen: argparse.Namespace, goals: Sequence[Goal], **figures: Any) -> None:
    """Print the goals, and everything as one line of JSON at the very end."""
    print()
    for goal in goals:
        print(goal)
    if chosen.quick:
        print("(a quick run: its figures mean nothing)")
    found = [{"name": g.name, "figure": round(g.figure, 4), "wanted": g.wanted, "met": g.met} for g in goals]
    print(json.dumps({"benchmark": name, "options": vars(chosen), "goals": found, **figures}, default=_rounded))


def _shown(samples: Sequence[Sample]) -> list[str]:
    rates = [sample.rate for sample in samples]
    plain = _plain(samples)
    return [
        str(len(samples)),
        f"{plain['per_s']:,.0f}",
        f"{min(rates):,.0f}",
        f"{max(rates):,.0f}",
        f"{plain['wall_us']:,.1f}",
        f"{plain['cpu_us']:,.1f}",
    ]


def _plain(samples: Sequence[Sample]) -> dict[str, float]:
    return {
        "per_s": round(statistics.median(sample.rate for sample in samples), 1),
        "wall_us": round(statistics.median(1e6 / sample.rate for sample in samples), 2),
        "cpu_us": round(statistics.median(1e6 / sample.cpu_rate for sample in samples), 2),
    }


def _rounded(value: object) -> object:
    if isinstance(value, Ratio):
        return {name: round(getattr(value, name), 3) for name in ("median", "low", "high", "cpu")}
    return str(value)
