"""The shape of the code: layers, one clock, small functions and files, nothing of one machine."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.project import ROOT, modules, shown, tracked_files

LONGEST_FUNCTION = 50
LONGEST_FILE = 400

CLOCKS = {
    "asyncio.get_event_loop.time",
    "asyncio.get_running_loop.time",
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "pydantic.AwareDatetime.now",
    "sqlalchemy.func.current_timestamp",
    "sqlalchemy.func.now",
    "sqlalchemy.sql.func.now",
    *(f"time.{name}" for name in ("asctime", "clock_gettime", "clock_gettime_ns", "ctime", "gmtime")),
    *(f"time.{name}" for name in ("localtime", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")),
    *(f"time.{name}" for name in ("process_time", "sleep", "thread_time", "time", "time_ns")),
}
MAY_READ_A_CLOCK = {
    ("daemon/clock.py", "*"),
    # Is the file still being written? Its mtime is compared with the system's clock, not with simulated time.
    ("adapters/files/*", "time.clock_gettime"),
    ("adapters/files/*", "time.clock_gettime_ns"),
}
IMPORTED_CLOCKS = """
import datetime
import time as t
from datetime import date
from time import time as read

t.time()
default = read
datetime.datetime.now()
date.today()
"""
SQL_CLOCK = re.compile(r"\bCURRENT_TIMESTAMP\b|\bnow\(\)|'now'|\bclock_timestamp\(\)", re.IGNORECASE)
# Written so that this file does not find itself.
OF_ONE_MACHINE = {
    "a registry's address": re.compile(r"https?://[^\s\"')]*(?:pypi|pythonhosted|npmjs|debian\.org|crates\.io)"),
    "a path of one workplace": re.compile(r"(?<![\w.-])/work/[\w.]"),
}


def test_the_layers_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, check=False, capture_output=True, text=True, timeout=100)
    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_only_the_clock_module_reads_a_clock() -> None:
    assert [] == [
        f"{shown(path, line)}: {clock}" for path in modules() for line, clock in clock_reads(parsed(path), path)
    ]


@pytest.mark.slow
def test_sql_never_reads_the_clock() -> None:
    assert [] == [f"{shown(path, line)}: {text}" for path in modules(generated=True) for line, text in sql_clocks(path)]


def test_a_clock_is_found_however_it_is_imported() -> None:
    tree = ast.parse(IMPORTED_CLOCKS)
    assert ["time.time", "time.time", "datetime.datetime.now", "datetime.date.today"] == [
        clock for _, clock in clock_reads(tree, ROOT / "rules" / "example.py")
    ]


@pytest.mark.slow
def test_no_function_is_longer_than_a_screen() -> None:
    assert [] == [
        f"{shown(path, node.lineno)} {node.name}: {length} lines"
        for path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    ]


def test_no_file_is_longer_than_a_sitting() -> None:
    assert [] == [
        f"{shown(path)}: {length} lines"
        for path in modules()
        if (length := len(path.read_text().splitlines())) > LONGEST_FILE
    ]


def test_nothing_prints_past_the_command_line() -> None:
    assert [] == [
        shown(path, node.lineno)
        for path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and "print" == node.func.id
    ]


def test_no_file_knows_a_registry_or_a_workplace() -> None:
    assert [] == [
        f"{shown(path, number)}: {what}"
        for path in tracked_files()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        for what, pattern in OF_ONE_MACHINE.items()
        if pattern.search(line)
    ]


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def clock_reads(tree: ast.Module, path: Path) -> Iterator[tuple[int, str]]:
    """Every mention of a clock, called or handed on, that the file is not allowed."""
    names = imported_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
            clock = full_name(node, names)
            if clock in CLOCKS and not is_allowed(path, clock):
                yield node.lineno, clock


def imported_names(tree: ast.Module) -> dict[str, str]:
    """Local name -> what it stands for: `from time import time as t` gives `t` -> `time.time`."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                package = item.name.split(".")[0]
                names[item.asname or package] = item.name if item.asname else package
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {(item.asname or item.name): f"{node.module}.{item.name}" for item in node.names}
    return names


def full_name(node: ast.expr, names: dict[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return names.get(name, "")
        case ast.Attribute(value=value, attr=attribute):
            return f"{full_name(value, names)}.{attribute}"
        case ast.Call(func=function):  # asyncio.get_running_loop().time
            return full_name(function, names)
    return ""


def is_allowed(path: Path, clock: str) -> bool:
    return any(fnmatch(shown(path), place) and fnmatch(clock, what) for place, what in MAY_READ_A_CLOCK)


def sql_clocks(path: Path) -> Iterator[tuple[int, str]]:
    """Strings that are not documentation and read a clock in SQL."""
    tree = parsed(path)
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in documentation:
            continue
        if isinstance(node.value, str) and (found := SQL_CLOCK.search(node.value)):
            yield node.lineno, found[0]
