"""Every benchmark still runs, small, and says what it found; what it found is not judged here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import ROOT

BENCHMARKS = sorted((ROOT / "benchmarks").glob("bench_*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("bench", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_prints_its_table_and_a_line_of_json(bench: Path) -> None:
    done = subprocess.run([sys.executable, bench, "--quick"], check=False, capture_output=True, text=True, timeout=110)
    assert 0 == done.returncode, done.stderr[-4000:]
    *table, last = done.stdout.splitlines()
    assert any(line.startswith("---") for line in table)
    found = json.loads(last)
    assert f"bench_{found['benchmark']}" == bench.stem
    assert found["goals"]
