"""What a person waits for at the prompt: help, completion, a list, and a batch of acts, beside `python -c pass`.

Each is a process of its own, as `forestall` in a shell; its own processor time stands beside the wall.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from benchmarks import stores
from benchmarks.rounds import Goal, arguments, finish, note, show
from daemon import clock
from rules.instant import HOUR, format_utc

CONFIG = '[mode]\ntask = "live"\n[shops.north]\nplatform = "taobao"\npath = "inbox"\n'
COMPLETE = {"_FORESTALL_COMPLETE": "complete_bash", "COMP_CWORD": "3"}
OLD_S = 60
"""Seconds since the file was last changed, so that it counts as complete."""


def main() -> None:
    """Measure and print."""
    chosen = arguments(__doc__, 9, acts=(60, 3, "acts in a batch"))
    with stores.folder() as place:
        keys = _prepare(place, chosen.acts)
        lines: dict[str, tuple[list[str], dict[str, str], str]] = {
            "python -c pass": (["-c", "pass"], {}, ""),
            "--version": (["-m", "daemon", "--version"], {}, ""),
            "--help": (["-m", "daemon", "--help"], {}, ""),
            "complete a command": (["-m", "daemon"], {**COMPLETE, "COMP_WORDS": "forestall ca", "COMP_CWORD": "1"}, ""),
            "complete a key": (["-m", "daemon"], {**COMPLETE, "COMP_WORDS": "forestall cases ack n"}, ""),
            "cases list": (["-m", "daemon", "cases", "list"], {}, ""),
            "acts": (["-m", "daemon", "cases", "ack", "-"], {}, keys),
            "acts undone": (["-m", "daemon", "cases", "ack", "-", "--undo"], {}, keys),
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in lines}
        for number in range(chosen.rounds + 1):
            for name, (words, more, typed) in lines.items():
                took = _run(place, words, more, typed)
                if number:
                    taken[name].append(took)
            note(f"round {number} of {chosen.rounds} done" if number else "warmed up")
    wall = {name: statistics.median(one for one, _cpu in each) for name, each in taken.items()}
    cpu = {name: statistics.median(one for _wall, one in each) for name, each in taken.items()}
    show(["command", "wall s (median)", "CPU s"], [[name, f"{wall[name]:.3f}", f"{cpu[name]:.3f}"] for name in lines])
    quick = ("--version", "--help", "complete a command", "complete a key")
    goals = [Goal(f"{name}, s", wall[name], 0.25, most=True) for name in quick]
    goals.append(Goal(f"{chosen.acts} acts, s", wall["acts"], 1, most=True))
    finish("cli", chosen, goals, wall_s=wall, cpu_s=cpu)


def _prepare(place: Path, many: int) -> str:
    """An installation with so many late orders; the keys of their cases, one a line."""
    now = clock.now()
    (place / "forestall.toml").write_text(CONFIG)
    inbox = place / "inbox"
    inbox.mkdir()
    times = {"observed_at": format_utc(now), "paid_at": format_utc(now - HOUR), "ship_by": format_utc(now + 3 * HOUR)}
    order = {"shop": "north", "platform": "taobao", "status": "paid", "currency": "CNY", "paid_minor": 9900, **times}
    rows = [{**order, "order_id": f"A-{number}", "lines": []} for number in range(many)]
    (inbox / "orders.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    os.utime(inbox / "orders.jsonl", (now / 1e6 - OLD_S,) * 2)
    for words in (["db", "upgrade"], ["tick"]):
        subprocess.run([sys.executable, "-m", "daemon", *words], cwd=place, check=True, capture_output=True)
    listed = [sys.executable, "-m", "daemon", "cases", "list", "--json"]
    cases = json.loads(subprocess.run(listed, cwd=place, check=True, capture_output=True).stdout)["cases"]
    assert many == len(cases)
    return "".join(f"{case['key']}\n" for case in cases)


def _run(place: Path, words: list[str], more: dict[str, str], typed: str) -> tuple[float, float]:
    """Seconds of a command on the wall and on the processor."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    subprocess.run(
        [sys.executable, *words], cwd=place, check=True, capture_output=True, text=True, input=typed,
        env={**os.environ, "FORESTALL_LANG": "en", **more},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return perf_counter() - started, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


if __name__ == "__main__":
    main()
