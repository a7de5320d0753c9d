"""docs/reasons.md names every reason code, once, in English and Chinese."""

import ast
import re
from collections.abc import Iterator

from daemon.reasons import REASONS
from tests.project import ROOT

PAGE = (ROOT / "docs" / "reasons.md").read_text("utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `")]
CODES = [cells[0].strip("`") for cells in ROWS]
EMITTERS = (
    "linter",
    "finding",
    "claim",
    "track",
    "episode",
    "decide",
    "play",
    "ladder",
    "cause",
    "why",
    "contact",
    "packdata",
    "presale",
)
"""The modules of rules/ whose capital words are reasons."""
OTHER_WORDS = {"NFKC"}
_CODE = re.compile(r"\b[A-Z]{2,}(?:_[A-Z]+)*\b")


def codes(module: str) -> Iterator[str]:
    """Capital words in the string literals of a module, docstrings aside."""
    tree = ast.parse((ROOT / "rules" / f"{module}.py").read_text("utf-8"))
    prose = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in prose:
            yield from _CODE.findall(node.value)


def emitted() -> set[str]:
    return {code for module in EMITTERS for code in codes(module)} - OTHER_WORDS


def test_the_scan_finds_reasons_at_all():
    assert {"SHIP_BY_NEAR", "NO_TIME_LEFT", "UNCONFIRMED", "ADMITS_NO_STOCK", "FIRST_NOTICE"} <= emitted()


def test_every_reason_that_rules_emit_is_on_the_page():
    assert set() == emitted() - set(CODES)


def test_every_reason_that_the_daemon_shows_is_on_the_page():
    assert set() == set(REASONS) - set(CODES)


def test_no_reason_stands_on_the_page_that_nobody_emits():
    assert set() == set(CODES) - emitted() - set(REASONS)


def test_every_reason_stands_once_with_a_sentence_in_both_languages():
    assert sorted(set(CODES)) == sorted(CODES)
    for code, english, chinese in ROWS:
        assert english.endswith("."), code
        assert chinese.endswith("。"), code
