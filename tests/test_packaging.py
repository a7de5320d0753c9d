"""What is installed: package data, entry points, names nobody else owns, few dependencies."""

import importlib
import importlib.metadata
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.project import PACKAGES, PYPROJECT, ROOT, extras, groups, runtime, shown, tracked_files

MOST_DEPENDENCIES = 20
OWNERS = """
import json, sys
from importlib.metadata import packages_distributions
sys.path.insert(0, sys.argv[1])
print(json.dumps({name: sorted(set(packages_distributions().get(name, []))) for name in sys.argv[2:]}))
"""
ENTRY_POINTS = [
    importlib.metadata.EntryPoint(name, value, group)
    for group, points in PYPROJECT["project"]["entry-points"].items()
    for name, value in points.items()
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert 0 == built.returncode, built.stderr
    (path,) = target.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def wheel_files(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize("folder", ["rules/data", "daemon/locale", "daemon/migrations", "daemon/demo"])
def test_the_wheel_brings_the_data_of(folder: str, wheel_files: set[str]) -> None:
    assert [name for name in wheel_files if name.startswith(f"{folder}/")]


def test_the_wheel_brings_every_file_of_the_packages(wheel_files: set[str]) -> None:
    wanted = {shown(path) for path in tracked_files() if path.relative_to(ROOT).parts[0] in PACKAGES}
    assert set() == wanted - wheel_files


def test_the_wheel_brings_nothing_else(wheel_files: set[str]) -> None:
    version = PYPROJECT["project"]["version"]
    assert {*PACKAGES, f"forestall-{version}.dist-info"} == {name.split("/")[0] for name in wheel_files}


def test_the_installed_names_belong_to_forestall_alone(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    asked = subprocess.run(
        [sys.executable, "-I", "-c", OWNERS, tmp_path, *PACKAGES], check=True, capture_output=True, text=True
    )
    assert {name: ["forestall"] for name in PACKAGES} == json.loads(asked.stdout)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_owns_the_name(package: str) -> None:
    # An editable installation lists no modules, so nobody may be the answer too.
    owners = importlib.metadata.packages_distributions().get(package, [])
    assert set(owners) <= {"forestall"}, f"{owners} also install {package!r}: remove the other one"


@pytest.mark.parametrize("package", PACKAGES)
def test_the_name_is_imported_from_this_checkout(package: str) -> None:
    assert str(ROOT / package / "__init__.py") == importlib.import_module(package).__file__


@pytest.mark.parametrize("entry_point", ENTRY_POINTS, ids=lambda point: f"{point.group}:{point.name}")
def test_an_entry_point_names_what_its_group_wants(entry_point: importlib.metadata.EntryPoint) -> None:
    loaded = entry_point.load()
    if entry_point.group == "forestall.readers":
        assert callable(loaded.read)
        assert callable(loaded.paths)
        return
    assert isinstance(loaded, type)


def test_the_command_can_be_called() -> None:
    (value,) = PYPROJECT["project"]["scripts"].values()
    assert callable(importlib.metadata.EntryPoint("forestall", value, "console_scripts").load())


def test_the_base_installation_needs_few_packages() -> None:
    assert len(runtime()) <= MOST_DEPENDENCIES


@pytest.mark.parametrize(
    ("heading", "wanted"),
    [
        ("Run time", {requirement.name for requirement in runtime()}),
        ("Extras", {requirement.name for extra in extras().values() for requirement in extra}),
        ("Tools", {requirement.name for group in groups().values() for requirement in group}),
    ],
)
def test_each_dependency_has_its_reason(heading: str, wanted: set[str]) -> None:
    assert {canonicalize_name(name) for name in wanted} == reasons(heading).keys()


def reasons(heading: str) -> dict[str, str]:
    """Package -> reason, from one table of docs/dependencies.md; rows without reason are left out."""
    page = (ROOT / "docs" / "dependencies.md").read_text()
    (section,) = re.findall(rf"^## {heading}\b.*?(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    rows = re.findall(r"^\| `([^`]+)` \|(?:.*\|)? *([^|]+?) *\|$", section, re.MULTILINE)
    return {canonicalize_name(name): reason for name, reason in rows if reason}
