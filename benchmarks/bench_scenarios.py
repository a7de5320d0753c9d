"""What a scenario of `forestall policy test` costs: read, checked, played through the engine and judged.

The scenarios are those of docs/examples, repeated. One side plays them in one file, as a seller runs them; the other
gives each its own run, which shows what the shared set-up (playbook, packs, scratch database) is worth.
"""

from functools import partial
from pathlib import Path

from benchmarks import stores
from benchmarks.rounds import HEADER, Goal, Sample, Stopwatch, arguments, finish, interleave, show
from daemon import scenario
from daemon.rehearsal import rehearse
from rules import playbook

EXAMPLE = Path(__file__).resolve().parents[1] / "docs" / "examples" / "scenarios.toml"
TOGETHER, ALONE = "all in one file", "one file and run each"
RUNS = 5
"""Runs of a single scenario in a round: each takes long beside its share of the common run."""


def main() -> None:
    """Measure and print."""
    chosen = arguments(__doc__, 7, scenarios=(105, 14, "scenarios in one file"))
    plays = playbook.shipped()
    with stores.folder() as place:
        together = _written(place / "together.toml", chosen.scenarios)
        alone = _written(place / "alone.toml", 1)

        def play(path: Path, runs: int, count: int, _round: int) -> Sample:
            with Stopwatch() as watch:
                for _ in range(runs):
                    results = rehearse(scenario.load([path]), plays)
                    assert len(results) == count
            assert not any(result.misses for result in results)
            return watch.sample(runs * count)

        sides = {TOGETHER: partial(play, together, 1, chosen.scenarios), ALONE: partial(play, alone, RUNS, 1)}
        results = interleave(sides, chosen.rounds)
    show(HEADER, results.table())
    plain = results.plain()
    finish(
        "scenarios",
        chosen,
        [
            Goal("CPU seconds of 100 scenarios in one file", 100 * plain[TOGETHER]["cpu_us"] / 1e6, 1.0, most=True),
            Goal("one file over a run each", results.ratio(TOGETHER, ALONE).median, 1.0),
        ],
        sides=plain,
    )


def _written(path: Path, count: int) -> Path:
    """A file of so many scenarios, the example's over and over."""
    head, *parts = EXAMPLE.read_text("utf-8").split("[[scenario]]")
    path.write_text(head + "".join(f"[[scenario]]{parts[number % len(parts)]}" for number in range(count)), "utf-8")
    return path


if __name__ == "__main__":
    main()
