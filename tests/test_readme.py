"""What the READMEs show works, is the same in both languages, and is short enough to be read first."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon import cli
from daemon.cli import session
from tests.project import ROOT
from tests.test_docs import ALL

ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
BLOCK = re.compile(r"^```(console|sh)( run)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FIRST_SCREEN = 12
"""Lines within which the two commands stand."""


def blocks(page: Path) -> list[tuple[str, bool, str]]:
    """(language, meant to be run, text) of every block of commands."""
    return [(language, bool(run), text) for language, run, text in BLOCK.findall(page.read_text())]


def make_targets() -> Iterator[str]:
    """Every target a README tells people to make."""
    for page in (ENGLISH, CHINESE):
        yield from re.findall(r"\bmake ([a-z-]+)\b(?=[`\s$]|$)", "\n".join(commands(page)))


def commands(page: Path) -> list[str]:
    text = page.read_text()
    return [*(block for _, _, block in blocks(page)), *re.findall(r"`(make [a-z-]+)`", text)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder somebody works in, the demo already run there."""
    monkeypatch.chdir(tmp_path)
    typed("forestall demo")
    return tmp_path


def typed(line: str) -> None:
    """Run one command of ours in this process: a process each would take a second more."""
    assert 0 == session.run(cli.app, shlex.split(line)[1:]), line


def follow(script: str) -> None:
    """Do what a block says: our own commands here, what stands between them by the shell."""
    lines: list[str] = []
    for line in [*script.splitlines(), "forestall --help"]:
        if not line.startswith("forestall "):
            lines.append(line)
            continue
        subprocess.run(["bash", "-euo", "pipefail", "-c", "\n".join(lines)], check=True, timeout=20)
        lines.clear()
        typed(line)


@pytest.mark.slow
def test_the_commands_of_the_readme_work_one_after_the_other(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scripts = [text for _, run, text in blocks(ENGLISH) if run]
    assert len(scripts) > 3
    for script in scripts:
        follow(script)
    said = capsys.readouterr().out
    assert "2970000000000000102" in said  # the demo's export was read as somebody's own
    assert "3 orders, 11 snapshots, 0 rows not usable" in said
    assert "kill switch: off" in said
    assert (folder / "decisions.jsonl").stat().st_size
    assert (folder / "my-shop" / "backup.db").stat().st_size


@pytest.mark.slow
def test_the_installed_command_runs_the_demo(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("forestall")
    done = subprocess.run([program, "demo"], cwd=tmp_path, check=False, capture_output=True, text=True, timeout=50)
    assert (0, "") == (done.returncode, done.stderr)
    assert "forestall today -c .demo/forestall.toml" in done.stdout


def test_both_languages_show_the_same_commands() -> None:
    assert blocks(ENGLISH) == blocks(CHINESE)


def test_both_languages_have_the_same_parts() -> None:
    levels = [re.findall(r"^(#+) ", re.sub(BLOCK, "", page.read_text()), re.MULTILINE) for page in (ENGLISH, CHINESE)]
    assert levels[0] == levels[1]


def test_each_first_line_leads_to_the_other() -> None:
    assert "[简体中文](README.zh-CN.md)" in ENGLISH.read_text().splitlines()[0]
    assert "[English](README.md)" in CHINESE.read_text().splitlines()[0]


@pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=lambda page: page.name)
def test_the_two_commands_stand_on_the_first_screen(page: Path) -> None:
    first = "\n".join(page.read_text().splitlines()[: FIRST_SCREEN + 4])
    assert "$ make demo\n$ make test\n" in first


def test_every_target_is_in_the_makefile() -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    wanted = set(make_targets())
    assert {"demo", "test", "venv"} <= wanted
    assert set() == wanted - known


@pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=lambda page: page.name)
def test_every_forestall_command_in_the_text_is_one(page: Path) -> None:
    groups = {" ".join(command.split()[:2]) for command in ALL}
    named = set(re.findall(r"\bforestall ([a-z]+)(?= |`|$)", page.read_text(), re.MULTILINE))
    assert set() == {f"forestall {word}" for word in named} - groups
