"""The daemon dies at every boundary in turn, and ends each time as if it had not: nothing lost, nothing done twice."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from sqlmodel import SQLModel

from adapters import memory
from adapters.base import Snapshot, StockReport
from daemon.store.database import Database
from rules.instant import to_datetime
from tests import databases
from tests.replay import crash
from tests.replay.conftest import SINK, digests
from tests.replay.crash import Ending, Power, Scene, Stage
from tests.replay.world import EFFECTS, World, a_line, an_order, at, ladder, now_says, tell

HEAD = """
name = "mine"
version = 1
[alerts]
leads = ["24h"]
resolved = true
[pool]
delist = true
relist = true
margin_percent = 0
"""
PLAYBOOK = ladder(
    'name = "ship", action = "task", delay = "0m"',
    'name = "ask", action = "negotiate", delay = "0m"',
    tell("tell", "10m"),
    'name = "make_good", action = "compensate", after = "0m", until = "48h"',
    head=HEAD,
)


def told_at(moment: str, snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, observed_at=at(moment))


STORY: list[crash.Moment] = [
    (
        "Mon 08:00",
        (
            told_at("Mon 08:00", an_order("A", paid_at="2024-06-01 07:00", ship_by="Mon 08:20")),
            told_at("Mon 08:00", an_order("B", a_line(listing_id="L9", stock=0), ship_by="2026-06-20 18:00")),
        ),
    ),
    ("Mon 08:10", ()),
    ("Mon 08:20", ()),
    (
        "Mon 08:30",
        (
            StockReport(observed_at=at("Mon 08:30"), shop="north", sku="A-1", stock=5),
            told_at("Mon 08:30", now_says("A", status="shipped")),
        ),
    ),
    ("Mon 08:40", ()),
]
"""A step of every kind: a work item, a new date, a message, a payment; an item taken off sale and put back."""

ONCE = "tests.replay.crash:OnceSink"
ACTION = [column.name for column in SQLModel.metadata.tables["action"].columns]


@pytest.fixture
def a_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Stage]]:
    """A stage with nothing on it yet, eight o'clock on Monday."""
    (tmp_path / "playbook.toml").write_text(PLAYBOOK, "utf-8")
    confirmed, power = digests("taobao"), Power()
    empty = databases.empty()
    crash.wire(monkeypatch, power)
    with freeze_time(to_datetime(at("Mon 08:00")), real_asyncio=True) as freezer:

        def stage(platform: str = SINK) -> Stage:
            settings: dict[str, Any] = {
                "mode": {"default": "live"},
                "shops": {"north": {"platform": "taobao", "feed": "adapters.memory:MemoryFeed", "poll_s": 36_000}},
                "alerts": {"ops": {"sink": SINK}, "platform": {"sink": platform, "kinds": EFFECTS}},
                "playbook": {"path": "playbook.toml"},
                "daemon": {"boot_report_after": "30d"},
            }

            def make(folder: Path, database: Database) -> World:
                return World(folder=folder, freezer=freezer, settings=settings, database=database, confirm=confirmed)

            return Stage(tmp_path, freezer, power, make, Scene(empty, {}, {}))

        yield stage
    memory.reset()


def actions(ending: Ending) -> dict[str, dict[str, Any]]:
    """Every action by its key."""
    names = [name for name in ACTION if name not in crash.LEFT_OUT]
    return {row["key"]: row for row in (dict(zip(names, values, strict=True)) for values in ending.actions)}


def differing(clean: Ending, ending: Ending) -> dict[str, tuple[str, str]]:
    """Outcomes that are not those of the clean life, by key. A message to a buyer may be maybe sent instead of sent."""
    before, after = actions(clean), actions(ending)
    assert before.keys() == after.keys()
    changed = {key: (row["outcome"], after[key]["outcome"]) for key, row in before.items()}
    return {
        key: pair
        for key, pair in changed.items()
        if pair[0] != pair[1] and not (key.endswith("/tell") and pair == ("settled", "maybe_sent"))
    }


def bought(ending: Ending) -> set[str]:
    """What was asked of the platform; alerts to the seller are told at least once."""
    return {key for key, row in actions(ending).items() if row["kind"] in EFFECTS}


def without_outcomes(ending: Ending) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "outcome"} for row in actions(ending).values()]


def test_the_story_has_a_step_of_every_kind(a_stage: Callable[..., Stage]):
    stage = a_stage()
    ending = [stage.next(part) for part in STORY][-1]
    done = actions(ending).values()
    assert {"alert", "task", "negotiate", "contact", "compensate", "delist", "relist"} == {row["kind"] for row in done}
    assert {"settled", "void"} == {row["outcome"] for row in done}  # void: what is left for people once all is shipped
    assert {} == ending.repeats


@pytest.mark.slow
def test_wherever_it_dies_it_ends_as_if_it_had_not(a_stage: Callable[..., Stage]):
    """On a platform that heeds keys. A message to a buyer whose call was lost is maybe sent, and not sent again."""
    stage, points = a_stage(), 0
    for part in STORY:
        scene = stage.scene
        clean = stage.next(part)
        after, stage.scene = stage.scene, scene
        for point in count(1):
            ending = stage.live(part, fails_at=point)
            if stage.power.points < point:
                break
            said = f"{part[0]}, point {point}: {stage.power.trail[-1]}"
            assert (clean.cases, clean.lines, clean.rest) == (ending.cases, ending.lines, ending.rest), said
            assert {} == differing(clean, ending), said
            assert without_outcomes(clean) == without_outcomes(ending), said
            assert set() == {key for key in ending.repeats if key.endswith("/tell")}, said
            assert {key for key, _ in set(clean.told) ^ set(ending.told)} <= {"north/A/late_shipment/1/tell"}, said
            points += 1
        stage.scene = after
    assert points > 50


@pytest.mark.slow
def test_where_a_platform_heeds_no_key_what_is_unknown_is_put_before_a_person(a_stage: Callable[..., Stage]):
    """It dies around every call. Nothing is done twice, listings aside: they set a state, and are set again."""
    stage, unknown = a_stage(ONCE), {}
    for part in STORY:
        scene = stage.scene
        clean = stage.next(part)
        after, stage.scene = stage.scene, scene
        trail = list(stage.power.trail)
        calls = [n for n, where in enumerate(trail, 1) if any(f" {kind} " in where for kind in EFFECTS)]
        for point in sorted({n + near for n in calls for near in (-1, 0, 1)}):
            ending = stage.live(part, fails_at=point)
            said = f"{part[0]}, point {point}: {stage.power.trail[-1]}"
            assert clean.cases == ending.cases, said
            assert [] == [key for key in ending.repeats if "list/" not in key and key in bought(clean)], said
            unknown |= differing(clean, ending)
        stage.scene = after
    assert {f"north/A/late_shipment/{name}": ("settled", "needs_human") for name in ("1/ask", "compensate")} == unknown
