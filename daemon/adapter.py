"""Finding adapters by name: entry points `forestall.feeds` / `forestall.sinks`, or `"module:Class"`."""

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path
from typing import Any, Protocol

from adapters.base import Feed, FeedCapabilities, Record, Rejected, ShopSettings, Sink, SinkSettings
from daemon.errors import UnknownAdapter
from rules.hours import Hours
from rules.model import Kind


class Reader(Protocol):
    """Reads recorded files: which files there are, and the records of one."""

    def paths(self, roots: Iterable[Path]) -> Iterator[Path]:
        """Files and the contents of folders, in name order. Raises FileNotFoundError."""
        ...

    def read(
        self,
        path: Path,
        settings_for: Callable[[str | None, frozenset[str], str | None], ShopSettings],
        observed_at: int | None = None,
    ) -> Iterator[Record | Rejected]:
        """The records of one file, bad rows as Rejected."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """A configured sink: what it is for, and when it may speak (local hours of the shop; None = always).

    `settings`: a keyed hash of what it was set up with, its secrets included.
    """

    name: str
    sink: Sink
    kinds: frozenset[Kind]
    hours: Hours | None = None
    settings: str = ""


@dataclass(slots=True)
class Sinks:
    """All configured sinks by name."""

    outlets: dict[str, Outlet] = field(default_factory=dict)

    def for_kind(self, kind: Kind) -> list[Outlet]:
        """The outlets an action of this kind goes to, in name order."""
        return [outlet for _, outlet in sorted(self.outlets.items()) if kind in outlet.kinds]


def feed(name: str, settings: ShopSettings) -> Feed:
    """The feed `name` for one shop. Raises UnknownAdapter, or ValueError for settings it refuses."""
    made: Feed = _load("forestall.feeds", name)(settings)
    return made


def options(name: str) -> frozenset[str] | None:
    """The options that the feed `name` says it takes; None when it judges them itself. Raises UnknownAdapter."""
    capabilities: FeedCapabilities | None = getattr(_load("forestall.feeds", name), "capabilities", None)
    return capabilities.options if capabilities is not None else None


def sink(name: str, settings: SinkSettings) -> Sink:
    """The sink `name`. Raises UnknownAdapter, or ValueError for options it refuses."""
    made: Sink = _load("forestall.sinks", name)(settings)
    return made


def reader(name: str = "files") -> Reader:
    """What reads recorded files for replay (entry points `forestall.readers`)."""
    found: Reader = _load("forestall.readers", name)
    return found


def known(group: str) -> Mapping[str, str]:
    """Names in an entry-point group with the distribution that brings each."""
    return {point.name: point.dist.name if point.dist else "?" for point in _points(group)}


@cache
def _points(group: str) -> EntryPoints:
    """What is installed, looked up once in a process: it takes 8 ms, and each shop and sink asks several times."""
    return entry_points(group=group)


def _load(group: str, name: str) -> Any:
    if ":" in name:
        module, _, attribute = name.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise UnknownAdapter(f'{name!r}: {error}; write "module:Class" of an importable class') from error
    for point in _points(group).select(name=name):
        return point.load()
    names = ", ".join(sorted(known(group))) or "none"
    raise UnknownAdapter(f'no {name!r} in {group}; known: {names}; or write "module:Class"')
