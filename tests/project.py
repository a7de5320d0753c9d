"""Where the project's own files are and what its metadata says, for the tests about the project itself."""

import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("daemon", "adapters", "rules")
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def runtime() -> list[Requirement]:
    return [Requirement(line) for line in PYPROJECT["project"]["dependencies"]]


def extras() -> dict[str, list[Requirement]]:
    return _requirements(PYPROJECT["project"].get("optional-dependencies", {}))


def groups() -> dict[str, list[Requirement]]:
    return _requirements(PYPROJECT.get("dependency-groups", {}))


def _requirements(table: dict[str, list[str]]) -> dict[str, list[Requirement]]:
    return {name: [Requirement(line) for line in lines] for name, lines in table.items()}


def modules(*, generated: bool = False) -> Iterator[Path]:
    """The Python files of the three packages; generated ones (migrations) only when asked for."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if generated or "migrations/versions" not in path.as_posix():
                yield path


def tracked_files() -> list[Path]:
    """What git has. Skips the test outside a checkout."""
    try:
        listed = subprocess.run(
            ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"not a git checkout: {error}")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def shown(path: Path, line: int | None = None) -> str:
    place = path.relative_to(ROOT).as_posix()
    return place if line is None else f"{place}:{line}"
