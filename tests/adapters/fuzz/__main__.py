"""Many generated export files, each beside its truth: `python -m tests.adapters.fuzz --files 10000 --seed 1`.

Says how many orders were right, refused or counted as unwatched, and names every silent difference with the seed that
makes its file again; `--keep FOLDER` puts each away with its configuration and truth. Ends with 1 when there is any.
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.adapters.fuzz.case import Case, make, run
from tests.adapters.fuzz.judge import Verdict
from tests.adapters.fuzz.keep import keep as put_away


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(prog="python -m tests.adapters.fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=1_000, help="how many files")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the first file")
    parser.add_argument("--keep", type=Path, help="where files with silent differences go")
    parser.add_argument("--show", type=int, default=20, help="how many of them are shown")
    asked = parser.parse_args()
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(asked.seed, asked.seed + asked.files):
            case = make(seed)
            verdict, _ = run(case, Path(folder))
            _count(counts, verdict)
            if verdict.silent or verdict.needless:
                _report(case, verdict, counts, asked.show, asked.keep)
    names = ("files", "right", "refused", "unwatched", "silent", "needless")
    _say(f"{asked.files} files; orders: " + ", ".join(f"{counts[name]} {name}" for name in names[1:]))
    return 1 if counts["silent"] or counts["needless"] else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _count(counts: Counter[str], verdict: Verdict) -> None:
    counts.update(files=1, right=verdict.right, refused=verdict.refused, unwatched=verdict.unwatched)
    counts.update(silent=len(verdict.silent), needless=len(verdict.needless))


def _report(case: Case, verdict: Verdict, counts: Counter[str], most: int, keep: Path | None) -> None:
    counts["shown"] += 1
    if counts["shown"] <= most:
        _say(str(case))
        for kind, texts in (("SILENT", verdict.silent), ("needless", verdict.needless)):
            for text in texts[:3]:
                _say(f"  {kind}: {text[:300]}")
    if keep and verdict.silent:
        put_away(case, verdict.silent, keep / str(case.seed))


sys.exit(main())
