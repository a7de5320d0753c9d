"""What every test can rely on: a clean environment, texts in English, cheap frozen clocks, databases.

Importing this file changes the process, on purpose and only here: nothing may be imported with another environment.
"""

import importlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests import postgres

MOMENT = "FORESTALL_TEST_NOW"
"""Set: seconds since 1970 at which the tests begin."""
KEPT = {"FORESTALL_TEST_PG", MOMENT}
EXAMPLES, QUICK_EXAMPLES, DATED_EXAMPLES = 100, 40, 5
"""Tries of each property that does not say how many: in the whole suite, its quick part, and that on another day."""
ON_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

for name in [name for name in os.environ if name.startswith("FORESTALL_") and name not in KEPT]:
    del os.environ[name]
for name in [name for name in os.environ if name.startswith("LC_") or name in {"LANGUAGE", "NO_COLOR", "FORCE_COLOR"}]:
    del os.environ[name]
os.environ.update(LANG="C.UTF-8", LC_ALL="C.UTF-8", FORESTALL_LANG="en", COLUMNS="100", TERM="dumb")


def pytest_configure(config: pytest.Config) -> None:
    """Make ready for tests; not the process that only hands them to workers, which wait for its start (2 s)."""
    if not config.getoption("numprocesses", None):
        _another_day()
        _hypothesis(_examples(config))
        _frozen_clocks()
        importlib.import_module("tests.databases").quicken()


def _another_day() -> None:
    """Let the clock run from another moment (tests/dates.py); freezegun freezes within. Waiting stays real."""
    moment = os.environ.get(MOMENT)
    if moment is not None:
        importlib.import_module("time_machine").travel(float(moment), tick=True).start()


def _examples(config: pytest.Config) -> int:
    if MOMENT in os.environ:
        return DATED_EXAMPLES
    return QUICK_EXAMPLES if "not slow" in config.getoption("markexpr") else EXAMPLES


def _hypothesis(examples: int) -> None:
    settings = importlib.import_module("hypothesis").settings
    settings.register_profile(
        "forestall", max_examples=examples, deadline=None, derandomize=ON_CI, print_blob=True, database=None
    )
    settings.load_profile("forestall")


def _frozen_clocks() -> None:
    """No model may be defined while the clock is frozen: pydantic would keep the fake datetime."""
    importlib.import_module("daemon.cli")  # defines every table and model
    importlib.import_module("openpyxl")  # else loaded by the first workbook
    # Entering a freeze looks through every loaded module; these never keep a clock of their own (9 ms -> 2 ms).
    importlib.import_module("freezegun").configure(
        extend_ignore_list=[
            *("sqlalchemy", "sqlmodel", "pydantic", "starlette", "typer", "rich"),
            *("jinja2", "uvicorn", "anyio", "click", "pygments"),
        ]
    )


@pytest.fixture(scope="session")
def pg_server() -> "Iterator[postgres.Server]":
    """The worker's PostgreSQL server, begun when a test asks. Without one: a loud skip, on CI a failure."""
    from tests import postgres

    running = postgres.server()
    try:
        server = running.__enter__()
    except postgres.Unavailable as reason:
        if ON_CI:
            pytest.fail(f"CI must run the PostgreSQL tests: {reason}")
        pytest.skip(f"PostgreSQL: {reason}")
    try:
        yield server
    finally:
        running.__exit__(None, None, None)


@pytest.fixture(scope="session")
def pg_url(pg_server: "postgres.Server") -> Iterator[str]:
    """A database that all tests of this worker share: clean up what you leave in it."""
    with pg_server.database() as url:
        yield url


@pytest.fixture
def pg_database(pg_server: "postgres.Server") -> Iterator[str]:
    """An empty database of this test's own."""
    with pg_server.database() as url:
        yield url
