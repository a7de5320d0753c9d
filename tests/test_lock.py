"""The locks: in sync with pyproject.toml, complete, nothing left over, hashed, without addresses."""

import importlib.metadata
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project import ROOT, extras, groups, runtime

EVERYTHING = ROOT / "requirements.lock"
ON_A_SERVER = ROOT / "deploy" / "requirements.lock"
ENTRY = re.compile(
    r"^(?P<requirement>\S+==[^\\\n]+?) \\\n(?P<hashes>(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Pin:
    version: str
    marker: Marker | None

    def applies(self) -> bool:
        return self.marker is None or self.marker.evaluate()


def pins(lock: Path) -> dict[str, Pin]:
    found = [Requirement(match["requirement"]) for match in ENTRY.finditer(lock.read_text())]
    return {
        canonicalize_name(requirement.name): Pin(str(requirement.specifier).removeprefix("=="), requirement.marker)
        for requirement in found
    }


def asked_for(lock: Path) -> list[Requirement]:
    everywhere = [*runtime(), *(requirement for extra in extras().values() for requirement in extra)]
    tools = [requirement for group in groups().values() for requirement in group]
    return everywhere if ON_A_SERVER == lock else [*everywhere, *tools]


def closure(requirements: Iterable[Requirement]) -> dict[str, list[Requirement]]:
    """Everything these bring along here, by name, from the metadata of what is installed."""
    wanted: dict[str, list[Requirement]] = {}
    waiting = [(requirement, "") for requirement in requirements]
    seen = set()
    while waiting:
        requirement, extra = waiting.pop()
        if (str(requirement), extra) in seen:
            continue
        seen.add((str(requirement), extra))
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        wanted.setdefault(canonicalize_name(requirement.name), []).append(requirement)
        lines = importlib.metadata.requires(requirement.name) or []
        waiting += [(Requirement(line), asked) for asked in ("", *requirement.extras) for line in lines]
    return wanted


@pytest.fixture(params=[EVERYTHING, ON_A_SERVER], ids=["everything", "on a server"])
def lock(request: pytest.FixtureRequest) -> Path:
    assert isinstance(request.param, Path)
    return request.param


def test_every_requirement_is_locked_at_a_version_it_allows(lock: Path) -> None:
    locked = pins(lock)
    assert [] == [
        f"{requirement}: locked is {locked.get(name)}; run `make lock`"
        for name, requirements in closure(asked_for(lock)).items()
        for requirement in requirements
        if name not in locked or not requirement.specifier.contains(locked[name].version, prereleases=True)
    ]


def test_nothing_is_locked_that_nobody_needs(lock: Path) -> None:
    needed = closure(asked_for(lock)).keys()
    assert set() == {name for name, pin in pins(lock).items() if pin.applies()} - needed


def test_every_line_belongs_to_an_entry_with_hashes(lock: Path) -> None:
    assert "" == ENTRY.sub("", lock.read_text()).strip()


def test_a_server_gets_the_versions_that_were_tested() -> None:
    tested = pins(EVERYTHING)
    assert {name: tested[name].version for name in pins(ON_A_SERVER)} == {
        name: pin.version for name, pin in pins(ON_A_SERVER).items()
    }


def test_no_address_is_locked(lock: Path) -> None:
    assert "://" not in lock.read_text()


def test_the_installed_versions_are_the_locked_ones() -> None:
    assert [] == [
        f"{name}: {installed} is installed, {pin.version} is locked; run `make venv`"
        for name, pin in pins(EVERYTHING).items()
        if pin.applies() and (installed := importlib.metadata.version(name)) != pin.version
    ]
