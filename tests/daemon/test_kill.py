"""The kill switch: two places say "on", and any of them is enough."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from daemon import kill
from daemon.store.database import Database
from tests import databases

NOW = 1_780_300_800_000_000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = databases.opened(tmp_path / "forestall.db")
    yield made
    made.close()


@pytest.fixture
def flag(tmp_path: Path) -> Path:
    return tmp_path / kill.FLAG


def test_a_new_installation_may_call(database: Database, flag: Path) -> None:
    assert not kill.is_on(database, flag)


def test_on_is_written_in_both_places(database: Database, flag: Path) -> None:
    kill.switch(database, flag, True, "mei", NOW)

    with database.begin() as tx:
        stored = kill.stored(tx)
    assert (True, True) == (stored, flag.exists())


def test_off_clears_both_places(database: Database, flag: Path) -> None:
    kill.switch(database, flag, True, "mei", NOW)
    kill.switch(database, flag, False, "mei", NOW)

    assert not kill.is_on(database, flag)
    assert not flag.exists()


def test_it_is_known_who_turned_it_last_and_when(database: Database, flag: Path) -> None:
    with database.begin() as tx:
        assert kill.turned(tx) is None
    kill.switch(database, flag, True, "an li", NOW)
    assert "an li 2026-06-01T08:00:00Z\n" == flag.read_text()
    kill.switch(database, flag, False, "mei", NOW + 1)
    with database.begin() as tx:
        assert ("mei", NOW + 1) == kill.turned(tx)


def test_a_full_disk_does_not_keep_the_flag_from_being_raised(flag: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, *_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    kill.raise_flag(flag, "mei", NOW)

    assert kill.raised(flag)


def test_the_flag_file_alone_stops_calls(database: Database, flag: Path) -> None:
    flag.touch()

    assert kill.is_on(database, flag)


def test_the_database_alone_stops_calls(database: Database, flag: Path) -> None:
    kill.switch(database, flag, True, "mei", NOW)
    flag.unlink()

    assert kill.is_on(database, flag)


def test_on_can_be_said_without_a_database(flag: Path) -> None:
    kill.switch(None, flag, True, "mei", NOW)

    assert flag.exists()


def test_a_database_that_cannot_tell_counts_as_on(
    database: Database, flag: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(self: Database) -> None:
        raise OperationalError("BEGIN", {}, Exception("gone"))

    monkeypatch.setattr(Database, "begin", gone)

    assert kill.is_on(database, flag)


def test_on_is_not_lost_when_the_database_fails_half_way(
    database: Database, flag: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(self: Database) -> None:
        raise OperationalError("BEGIN", {}, Exception("gone"))

    monkeypatch.setattr(Database, "begin", gone)
    with pytest.raises(OperationalError):
        kill.switch(database, flag, True, "mei", NOW)

    assert flag.exists()


def test_a_flag_nobody_may_look_for_counts_as_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(self: Path, **_: object) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", forbidden)

    assert kill.raised(tmp_path / kill.FLAG)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////var/lib/forestall/forestall.db", "/var/lib/forestall/forestall.kill"),
        ("postgresql+psycopg://db/forestall", "/etc/forestall/forestall.kill"),
        ("sqlite://", "/etc/forestall/forestall.kill"),
    ],
)
def test_the_flag_stands_beside_the_database_file_or_else_the_configuration(url: str, expected: str) -> None:
    assert Path(expected) == kill.flag_path(url, Path("/etc/forestall"))
