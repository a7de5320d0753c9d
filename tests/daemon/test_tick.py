"""A pass says what it read in people's words, reads every shop, waits for files that settle, and ends as it went."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters import memory
from adapters.base import Page, Transient
from daemon import clock, poll
from rules.instant import HOUR, format_utc
from tests import databases
from tests.daemon.builders import a_snapshot
from tests.daemon.commands import Said

Cli = Callable[..., Said]
FILES = '[shops.north]\nplatform = "generic"\npath = "inbox"\ntimezone = "UTC"\n'
ORDER = '{{"observed_at":"{now}","order_id":"{id}","status":"paid","paid_at":"{now}","ship_by":"{due}"}}\n'


@pytest.fixture
def folder(tmp_path: Path, boxes: None) -> Path:
    """An installation with an empty database; what is configured is up to the test."""
    databases.put(tmp_path / "forestall.db")
    (tmp_path / "inbox").mkdir()
    return tmp_path


def shops(folder: Path, *names: str) -> None:
    tables = "".join(f'[shops.{name}]\nplatform = "generic"\nfeed = "memory"\n' for name in names)
    (folder / "forestall.toml").write_text(tables)


def drop(folder: Path, name: str, text: str | None = None, age_s: int = 60) -> Path:
    """A file in the drop folder, written so many seconds ago."""
    now = clock.now()
    file = folder / "inbox" / name
    file.write_text(text or ORDER.format(now=format_utc(now - HOUR), due=format_utc(now + HOUR), id=name))
    os.utime(file, (now / 1e6 - age_s,) * 2)
    return file


def test_files_orders_risk_and_tasks_are_counted_in_words(cli: Cli, folder: Path) -> None:
    (folder / "forestall.toml").write_text('[mode]\ntask = "live"\n' + FILES)
    drop(folder, "a.jsonl")
    drop(folder, "b.jsonl")

    said = cli("tick")

    assert "read 1 shop: 2 new files, 2 orders new or changed; at risk: 2; new tasks: 2\n" in said.out
    assert "0 new files, 0 orders new or changed; at risk: 2; new tasks: 0" in cli("tick").out


def test_a_second_tick_reads_what_was_dropped_since_the_first(cli: Cli, folder: Path) -> None:
    (folder / "forestall.toml").write_text(FILES)
    cli("tick")
    drop(folder, "a.jsonl")

    assert "1 new file, 1 order new or changed" in cli("tick").out


def test_what_was_refused_is_told_with_reason_and_mend(cli: Cli, folder: Path) -> None:
    (folder / "forestall.toml").write_text(FILES)
    drop(folder, "a.csv", "x,y\n1,2\n")

    said = cli("tick").out

    assert "[north] a.csv:" in said
    assert " → " in said
    assert "⚠ [north] 1 file could not be used" in said or "⚠ [north] 1 row could not be used" in said


def test_a_file_that_is_being_written_is_waited_for_once(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "forestall.toml").write_text(FILES)
    file = drop(folder, "a.jsonl", age_s=4)
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        os.utime(file, (clock.now() / 1e6 - 60,) * 2)

    monkeypatch.setattr(clock, "wait", wait)

    said = cli("tick")

    assert "a.jsonl: written to just now; waiting 6 s until it is whole" in said.err
    assert 1 == len(waited)
    assert 5 < waited[0] <= 6
    assert "read 1 shop: 1 new file, 1 order new or changed" in said.out


def test_a_file_that_is_written_on_and_on_is_not_waited_for_for_ever(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "forestall.toml").write_text(FILES)
    drop(folder, "a.jsonl", age_s=4)
    monkeypatch.setattr(clock, "wait", lambda _: None)

    assert "[north] still being written, not read yet: a.jsonl" in cli("tick").out


@pytest.mark.parametrize(("broken", "code"), [((), 0), (("a",), 1), (("a", "b"), 69)])
def test_the_exit_code_says_whether_shops_could_be_read(
    cli: Cli, folder: Path, broken: tuple[str, ...], code: int
) -> None:
    shops(folder, "a", "b")
    for name in broken:
        memory.feed_box(name).faults.fail_next(1, Transient("down"))

    said = cli("tick")

    assert code == said.code
    assert [f"⚠ [{name}] its data cannot be read: down" in said.out for name in ("a", "b")] == [
        name in broken for name in ("a", "b")
    ]


def test_a_missing_folder_is_said_with_its_mend(cli: Cli, folder: Path) -> None:
    (folder / "forestall.toml").write_text(FILES.replace('"inbox"', '"nowhere"'))

    said = cli("tick")

    assert 69 == said.code
    assert f"there is no folder {folder / 'nowhere'}; create it, or correct path" in said.out


def test_every_shop_is_read_however_many_there_are(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll, "AT_ONCE", 2)
    names = ["a", "b", "c", "d", "e"]
    shops(folder, *names)
    for name in names:
        memory.feed_box(name).push(Page(records=[a_snapshot("1", shop=name)]))

    said = cli("tick --json").document

    assert 5 == said["polled"]
    assert [(name, 1) for name in names] == [(one["shop"], one["changed"]) for one in said["shops"]]
