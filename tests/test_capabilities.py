"""docs/capabilities.md: every capability stands there once, with a word that is true as far as a machine can tell."""

import ast
import re
from functools import cache

import pytest

from rules import cause, playbook
from tests.project import ROOT
from tests.test_docs import ALL

PAGE = (ROOT / "docs" / "capabilities.md").read_text("utf-8")
ROWS = re.findall(r"^\| ([CXN]\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
WANTED = [f"C{n:03}" for n in range(1, 99)] + [f"X{n}" for n in range(1, 16)] + [f"N{n}" for n in range(1, 16)]
KINDS = ("**built**", "**task for a person** ", "**left out** (")
NAMED = [(row[0], name) for row in ROWS for name in re.findall(r"`(tests/[^`]+)`", row[3])]
STEPS = {step.name for ladder in playbook.shipped().ladders for step in ladder.steps} | {cause.POST, cause.REMOVE}


def kind(became: str) -> str:
    return next((word for word in KINDS if became.startswith(word)), became)


@cache
def functions(path: str) -> frozenset[str]:
    """The test functions of a module, parametrised ones by their name; those that never run do not count."""
    file = ROOT / path
    tree = ast.parse(file.read_text("utf-8")) if file.is_file() else ast.Module([], [])
    found = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in found if not any("skip" in ast.unparse(one) for one in node.decorator_list))


def test_every_capability_stands_on_the_page_once_and_in_order() -> None:
    assert WANTED == [row[0] for row in ROWS]
    assert len(WANTED) == len(re.findall(r"^\| [CXN]\d", PAGE, re.MULTILINE)), "a row that is not four cells"


def test_every_capability_was_built_or_is_a_task_or_was_left_out() -> None:
    assert [] == [row[0] for row in ROWS if kind(row[3]) not in KINDS]


def test_what_was_left_out_says_why() -> None:
    left = {row[0]: row[3].removeprefix(KINDS[2]) for row in ROWS if kind(row[3]) == KINDS[2]}
    assert [] == [name for name, why in left.items() if len(why.partition(")")[0]) < len("never")]


def test_what_must_not_be_built_was_not() -> None:
    assert {KINDS[2]} == {kind(row[3]) for row in ROWS if row[0].startswith("N")}


def test_what_was_built_or_is_a_task_names_its_test() -> None:
    proved = {name for name, _ in NAMED}
    assert [] == [row[0] for row in ROWS if kind(row[3]) != KINDS[2] and row[0] not in proved]


@pytest.mark.parametrize("name", sorted({name for _, name in NAMED}))
def test_a_test_that_is_named_exists(name: str) -> None:
    path, _, function = name.partition("::")
    assert function in functions(path)


def test_a_task_names_a_step_of_the_shipped_playbook_or_a_command() -> None:
    for name, _, _, became in ROWS:
        if kind(became) == KINDS[1]:
            said = set(re.findall(r"`([a-z_ ]+)`", became))
            assert said & (STEPS | set(ALL)), name


def test_the_numbers_at_the_top_are_those_of_the_rows() -> None:
    counted = [sum(kind(row[3]) == word and row[0][0] != "N" for row in ROWS) for word in KINDS]
    assert "{} built, {} tasks for\na person, {} left out".format(*counted) in PAGE


def test_a_function_that_is_not_there_is_missed() -> None:
    assert functions("tests/test_capabilities.py") >= {"test_what_was_left_out_says_why"}
    assert "test_nothing" not in functions("tests/test_capabilities.py")
    assert frozenset() == functions("tests/test_nowhere.py")
