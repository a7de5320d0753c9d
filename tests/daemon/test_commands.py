"""Commands are loaded when they are wanted: what is asked most often waits for nothing that it does not need."""

import subprocess
import sys
from pathlib import Path

import pytest

from daemon.cli import commands

# pydantic is left out: typer itself reads the words of a command line by it
HEAVY = ("aiohttp", "alembic", "apscheduler", "holidays", "msgspec", "openpyxl", "sqlalchemy", "structlog")
PROBE = """
import os, sys
from daemon.cli import main
code = 0
try:
    main()
except SystemExit as end:
    code = end.code
loaded = [name for name in {heavy} if name in sys.modules]
os.write(2, repr((code, loaded)).encode())
"""


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(
    ("line", "complete"), [("--help", {}), ("--version", {}), ("", {"_FORESTALL_COMPLETE": "complete_bash"})]
)
def test_help_version_and_completion_load_nothing_heavy(line: str, complete: dict[str, str], lang: str) -> None:
    script = PROBE.format(heavy=repr((*HEAVY, *(["rich.console"] if lang == "en" else []))))
    env = {"FORESTALL_LANG": lang, "COMP_WORDS": "forestall ca", "COMP_CWORD": "1", **complete}
    done = subprocess.run([sys.executable, "-c", script, *line.split()], capture_output=True, text=True, env=env)

    assert "(0, [])" == done.stderr
    assert done.stdout
    assert not complete or ["cases"] == done.stdout.split()


def test_a_short_command_loads_nothing_that_only_the_daemon_needs(tmp_path: Path) -> None:
    for line in ("init . --yes", "cases ack x", "tasks list"):
        script = PROBE.format(heavy=("alembic", "holidays", "aiohttp", "apscheduler", "openpyxl"))
        done = subprocess.run(
            [sys.executable, "-c", script, *line.split()], capture_output=True, text=True, cwd=tmp_path
        )
    assert done.stderr.endswith("(0, [])"), done.stderr


def test_the_command_line_is_there_where_the_system_has_no_users() -> None:
    without = "import sys; sys.modules['pwd'] = None; sys.modules['fcntl'] = None; import daemon.cli"
    subprocess.run([sys.executable, "-c", without], check=True)


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_what_help_says_of_a_command_is_what_the_command_says_of_itself(name: str) -> None:
    later = commands.Root(name="forestall").commands[name]

    assert isinstance(later, commands.Later)
    assert later.help == (later.loaded.help or "").splitlines()[0]


def test_every_module_with_commands_is_in_the_table() -> None:
    folder = commands.__file__.rpartition("/")[0]
    listed = {module for module, _said in commands.COMMANDS.values()}
    found = subprocess.run(
        ["grep", "-lE", "^app = typer.Typer|^def register", "-r", folder, "--include=*.py"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    own = {path.rpartition("/")[2].removesuffix(".py") for path in found} - {"__init__"}
    parts = {"backtest", "scenarios", "policy_lint", "policy_show"}

    assert listed | parts == own
