"""Of every order in a generated file one knows what became of it: right, refused by name, or counted as unwatched."""

import subprocess
import sys
from pathlib import Path

import pytest

from adapters.base import Rejected, Snapshot
from tests.adapters.fuzz import damage
from tests.adapters.fuzz.case import NOON, make, run
from tests.adapters.fuzz.judge import judge
from tests.project import ROOT


def differences(folder: Path, seeds: range) -> list[str]:
    """What is silently different in the files of these seeds, and refusals of what nothing is wrong with."""
    found = []
    for case in map(make, seeds):
        verdict, _ = run(case, folder)
        found += [f"{case}: {said}" for said in (*verdict.silent, *verdict.needless)]
    return found


def test_no_order_of_a_few_dozen_files_is_silently_different(tmp_path: Path) -> None:
    assert [] == differences(tmp_path, range(1, 60))


@pytest.mark.slow
def test_no_order_of_two_thousand_files_is_silently_different(tmp_path: Path) -> None:
    assert [] == differences(tmp_path, range(1_000, 3_000))


def test_most_orders_of_undamaged_files_are_right(tmp_path: Path) -> None:
    """Who refuses everything is never wrong, and of no use."""
    whole = [case for case in map(make, range(1, 160)) if not case.sheet.done and case.sheet.plain]
    verdicts = [run(case, tmp_path)[0] for case in whole]
    assert len(whole) > 8
    assert [0] * len(whole) == [verdict.refused + verdict.unwatched + len(verdict.silent) for verdict in verdicts]


def test_a_seed_makes_the_same_file_again() -> None:
    assert make(7).written == make(7).written


def test_every_damage_happens() -> None:
    done = {name for case in map(make, range(1, 400)) for name in case.sheet.done}
    assert {one.__name__ for one in (*damage.HARMLESS, *damage.HARMFUL)} <= done


def test_shops_state_every_option_rightly_and_wrongly() -> None:
    made = [case.dialect for case in map(make, range(1, 400))]
    assert {"encoding", "delimiter", "header_row"} == {name for one in made for name in one.stated}
    assert {"", "encoding", "delimiter", "header_row"} == {one.misstated for one in made}


def test_some_orders_cannot_be_watched_and_are_counted(tmp_path: Path) -> None:
    cases = [case for case in map(make, range(1, 200)) if "left_out" in case.sheet.done]
    assert sum(run(case, tmp_path)[0].unwatched for case in cases) > 4


def test_some_files_come_after_an_earlier_one_of_the_same_orders(tmp_path: Path) -> None:
    cases = [case for case in map(make, range(1, 60)) if case.earlier]
    assert len(cases) > 8
    assert any(run(case, tmp_path)[0].right for case in cases)


def test_the_judge_sees_a_line_that_an_earlier_file_told_under_another_id(tmp_path: Path) -> None:
    case = next(case for case in map(make, range(1, 400)) if not case.sheet.done and case.layout == "douyin")
    _, items = run(case, tmp_path)
    first = next(item for item in items if isinstance(item, Snapshot))
    other = Snapshot(
        observed_at=NOON - 1, shop="north", order_id=first.order_id, lines={"other": next(iter(first.lines.values()))}
    )
    verdict = judge(case.sheet, case.written.places, items, NOON, [other])
    assert any("lines" in one for one in verdict.silent)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (Snapshot(observed_at=NOON, shop="north", order_id="never-heard-of"), "invented"),
        (None, "gone without a word"),
    ],
)
def test_the_judge_sees_orders_that_are_invented_or_gone(record: Snapshot | None, said: str) -> None:
    case = make(7)
    verdict = judge(case.sheet, case.written.places, [record] if record else [], NOON)
    assert any(said in one for one in verdict.silent)


def test_the_judge_sees_a_value_of_another_order_and_forgives_it_to_no_refusal(tmp_path: Path) -> None:
    case = next(
        case
        for case in map(make, range(1, 400))
        if not case.sheet.done and len(case.sheet.expected) > 3 and case.layout == "douyin"
    )
    _, items = run(case, tmp_path)
    first, second, *others = [item for item in items if isinstance(item, Snapshot)]
    (place, *_) = [
        at for at, row in zip(case.written.places, case.sheet.rows, strict=True) if row.owner == first.order_id
    ]
    mixed = Snapshot(observed_at=NOON, shop="north", order_id=first.order_id, fields=first.fields, lines=second.lines)
    refusal = Rejected(source="x", line=place[0], reason="r", mend="m")
    verdict = judge(case.sheet, case.written.places, [mixed, second, *others, refusal], NOON)
    assert any("has another's" in one for one in verdict.silent)


def test_the_command_says_what_became_of_the_orders() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "tests.adapters.fuzz", "--files", "3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "3 files; orders: " in said.stdout, said.stderr
    assert (0, "0 silent, 0 needless") == (said.returncode, said.stdout.strip().split("unwatched, ")[-1])
