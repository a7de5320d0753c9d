"""A story gets its world from `a_world(...)`; when it ends, whatever was sent and not expected fails it."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time

from adapters import memory
from rules import packs
from rules.instant import to_datetime
from tests.replay.world import EFFECTS, World, at

QUIET = """
name = "quiet"
version = 1
[alerts]
leads = ["24h"]
missed = false
"""
"""A playbook that only tells the seller, once per pick-up, a day ahead."""

SINK = "adapters.memory:MemorySink"
"""Named by its class: looking through all entry points takes 20 ms."""
Make = Callable[..., World]


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember a failure, so that the end of the story does not complain once more."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture
def a_world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes the story's world: frozen at `start`, alerts to "ops" and tasks live, effects as named in `live`.

    `shops` are tables of configuration by name (platform taobao, a feed in memory); further sections as keywords.
    """
    with ExitStack() as stack:
        worlds: list[World] = []

        def make(
            playbook: str = QUIET,
            *,
            start: str = "Mon 08:00",
            shops: dict[str, dict[str, Any]] | None = None,
            live: tuple[str, ...] = (),
            confirmed: tuple[str, ...] = (),
            alerts: dict[str, dict[str, Any]] | None = None,
            kind: type[World] = World,
            **sections: Any,
        ) -> World:
            (tmp_path / "playbook.toml").write_text(playbook, "utf-8")
            tables = {name: _shop(name, table, tmp_path) for name, table in (shops or {"north": {}}).items()}
            settings: dict[str, Any] = {
                "mode": {"default": "shadow", "alert": "live", "task": "live"} | dict.fromkeys(live, "live"),
                "shops": tables,
                "alerts": alerts if alerts is not None else {"ops": {"sink": SINK}},
                "playbook": {"path": "playbook.toml"},
            }
            settings |= sections
            if live:
                settings["alerts"]["platform"] = {"sink": SINK, "kinds": EFFECTS}
            pack = frozenset(digest for name in confirmed for digest in digests(name))
            freezer = stack.enter_context(freeze_time(to_datetime(at(start)), real_asyncio=True))
            world = kind(folder=tmp_path, freezer=freezer, settings=settings, confirm=pack)
            stack.callback(world.database.close)
            worlds.append(world)
            return world

        memory.reset()
        yield make
        for world in worlds if FAILED not in request.node.stash else ():
            world.expect_nothing()
    memory.reset()


def _shop(name: str, table: dict[str, Any], folder: Path) -> dict[str, Any]:
    made = {"platform": "taobao", "feed": "adapters.memory:MemoryFeed", "poll_s": 3600} | table
    if made["feed"] == "files":
        (folder / "inbox" / name).mkdir(parents=True)
        made["path"] = f"inbox/{name}"
    return made


def digests(platform: str) -> frozenset[str]:
    """Every row of a platform's pack, as if a person had confirmed it."""
    pack = packs.load(platform)
    return frozenset(row.digest for regimes in pack.orders.values() for rows in regimes.at for row in rows)
