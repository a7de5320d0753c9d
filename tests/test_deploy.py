"""The unit file, the user and the example configuration that we hand to a system."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.project import ROOT

DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "forestall.service"
MOST_EXPOSURE = 20  # tenths: at most 2.0
SECRETS = {"app_secret", "access_token", "password", "secret", "token"}


@pytest.fixture
def systemd(tmp_path: Path) -> Path:
    """A copy of the unit whose programs exist everywhere. No systemd tools: a loud skip, on CI a failure."""
    if shutil.which("systemd-analyze") is None:
        reason = "systemd-analyze is missing: install Debian's `systemd`"
        if os.environ.get("CI") == "true" and not os.environ.get("SYSTEMD_NOT_INSTALLABLE"):
            pytest.fail(reason)
        pytest.skip(reason)
    copy = tmp_path / "forestall.service"
    copy.write_text(re.sub(r"^(Exec\w+=)/opt/.*$", r"\1/bin/true", UNIT.read_text(), flags=re.MULTILINE))
    return copy


def run(*command: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)


def test_systemd_finds_no_fault_with_the_unit(systemd: Path) -> None:
    verified = run("systemd-analyze", "verify", "--recursive-errors=yes", "--man=no", systemd)
    assert (0, "") == (verified.returncode, verified.stdout)


def test_the_service_is_hardened(systemd: Path) -> None:
    rated = run("systemd-analyze", "security", "--no-pager", "--offline=true", f"--threshold={MOST_EXPOSURE}", systemd)
    assert 0 == rated.returncode, rated.stdout


def test_a_fixed_user_runs_the_service() -> None:
    unit = settings()
    assert (["forestall"], ["forestall"], None) == (unit["User"], unit["Group"], unit.get("DynamicUser"))


def test_a_wrong_configuration_is_not_tried_again() -> None:
    assert ["78"] == settings()["RestartPreventExitStatus"]


def test_the_schema_is_current_before_the_daemon_runs() -> None:
    unit = settings()
    assert (["/opt/forestall/venv/bin/forestall db upgrade"], ["/opt/forestall/venv/bin/forestall run"]) == (
        unit["ExecStartPre"],
        unit["ExecStart"],
    )


def test_systemd_would_make_the_user(systemd: Path) -> None:
    if shutil.which("systemd-sysusers") is None:
        pytest.skip("systemd-sysusers is missing")
    made = run("systemd-sysusers", "--dry-run", DEPLOY / "forestall.sysusers.conf")
    assert 0 == made.returncode, made.stdout


def test_the_example_begins_in_shadow_and_tells_the_seller() -> None:
    assert {"default": "shadow", "alert": "live", "task": "live"} == example()["mode"]


def test_the_example_holds_no_secret_even_in_its_comments() -> None:
    named = re.findall(r'^#?(\w+) *= *"([^"]*)"', (DEPLOY / "forestall.example.toml").read_text(), re.MULTILINE)
    assert [] == [key for key, value in named if key in SECRETS and not re.match("(cred|file):", value)]


def test_the_commented_parts_of_the_example_are_toml_too() -> None:
    text = (DEPLOY / "forestall.example.toml").read_text()
    uncommented = tomllib.loads(re.sub(r"^#(?=\[|\w+ *= )", "", text, flags=re.MULTILINE).replace(SQLITE_URL, ""))
    assert {"north", "other"} == uncommented["shops"].keys()
    assert {"ops", "mail"} == uncommented["alerts"].keys()


SQLITE_URL = 'url = "sqlite:////var/lib/forestall/forestall.db"'  # else there are two urls


def example() -> dict[str, dict[str, object]]:
    return tomllib.loads((DEPLOY / "forestall.example.toml").read_text())


def settings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found
