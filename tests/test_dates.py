"""The runs on other days: enough of them, and a sample that soon meets everything."""

from tests import dates
from tests.project import ROOT


def test_there_are_twelve_moments_three_zones_and_two_languages() -> None:
    every = dates.runs()
    assert len(set(every)) == len(every) >= 12 * 3 * 2


def test_a_sample_meets_all_zones_and_languages_soon_and_all_moments_in_fourteen_runs() -> None:
    assert set(dates.ZONES) == {run.zone for run in dates.runs(4)}
    assert set(dates.LANGUAGES) == {run.language for run in dates.runs(2)}
    assert set(dates.MOMENTS) == {run.moment for run in dates.runs(14)}


def test_ci_runs_a_sample() -> None:
    assert "make test-dates RUNS=" in (ROOT / ".ci" / "run").read_text()
