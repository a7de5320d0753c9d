"""SQLite is opened so that nothing acknowledged is lost: one process, one connection, WAL under the lock, FULL."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from daemon.errors import Busy, Unavailable
from daemon.store.database import Database, check_schema, open_database, scratch, upgrade
from tests import databases
from tests.daemon.builders import broken_links

ROOT = Path(__file__).resolve().parents[2]
LOCK_IT = """
import sys
from daemon.store.database import open_database
database = open_database(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""
WRITE_FOR_EVER = """
import itertools, os, sys
from daemon.store import timers
from daemon.store.database import open_database
from daemon.store.journal import Journal

database = open_database(sys.argv[1])
for number in itertools.count(int(sys.argv[2])):
    os.write(1, b"begin %d\\n" % number)
    with database.begin() as tx:
        timers.wake(tx, timers.ORDER, [("north", f"{number}-{part}", "default", number) for part in range(20)])
        journal = Journal()
        journal.note("north", str(number), {"event": "fact", "order_id": str(number), "text": "x" * 5000})
        journal.write(tx, number)
    os.write(1, b"done %d\\n" % number)
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/forestall.db"


@pytest.fixture
def opened(url: str) -> Iterator[Database]:
    database = open_database(url)
    yield database
    database.close()


@pytest.fixture(autouse=True)
def as_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Databases are opened as sellers' are, waiting for the disk."""
    monkeypatch.setattr("daemon.store.database._sqlite_engine", databases.AS_SHIPPED)


def pragma(database: Database, name: str) -> Any:
    with database.engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


def child(script: str, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


# --- the lock ---------------------------------------------------------------------------------------------------------


def test_a_second_opening_is_told_that_the_database_is_busy(opened: Database, url: str) -> None:
    with pytest.raises(Busy, match=r"another Forestall process holds the database in .*; stop it or try again"):
        open_database(url)


def test_another_file_in_the_same_directory_is_busy_too(opened: Database, tmp_path: Path) -> None:
    with pytest.raises(Busy):
        open_database(f"sqlite:///{tmp_path}/other.db")
    assert not (tmp_path / "other.db").exists()


def test_once_closed_it_can_be_opened_again(url: str) -> None:
    for _ in range(2):
        open_database(url).close()


@pytest.mark.slow
def test_another_process_holds_the_lock_until_it_dies(url: str) -> None:
    with child(LOCK_IT, url) as holder:
        assert holder.stdout is not None
        assert b"held\n" == holder.stdout.readline()
        with pytest.raises(Busy):
            open_database(url)
        holder.kill()
        holder.wait()
    open_database(url).close()


def test_a_reader_from_outside_sees_a_locked_file_and_never_joins_in(opened: Database, tmp_path: Path) -> None:
    upgrade(opened)
    outsider = sqlite3.connect(tmp_path / "forestall.db", timeout=0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        outsider.execute("SELECT count(*) FROM timer")
    outsider.close()


@pytest.mark.slow
def test_a_file_that_another_program_has_open_is_busy(url: str, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "forestall.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Busy, match=r"forestall\.db: another program has the file open"):
        open_database(url)
    other.close()
    open_database(url).close()


# --- what keeps commits -----------------------------------------------------------------------------------------------


def test_a_file_is_opened_in_wal_with_full_sync_by_the_only_connection(opened: Database, tmp_path: Path) -> None:
    found = [pragma(opened, name) for name in ("journal_mode", "synchronous", "locking_mode")]
    assert ["wal", 2, "exclusive"] == found
    upgrade(opened)
    assert (tmp_path / "forestall.db-wal").stat().st_size > 0
    assert not (tmp_path / "forestall.db-shm").exists()


def test_a_new_file_has_pages_of_two_kilobytes_and_an_earlier_one_keeps_its_own(url: str, tmp_path: Path) -> None:
    earlier = sqlite3.connect(tmp_path / "forestall.db")
    earlier.executescript("PRAGMA page_size=4096; PRAGMA journal_mode=WAL; CREATE TABLE older (name TEXT)")
    earlier.close()
    (tmp_path / "new").mkdir()
    made = open_database(f"sqlite:///{tmp_path}/new/forestall.db")
    found = open_database(url)
    assert (2048, 4096) == (pragma(made, "page_size"), pragma(found, "page_size"))
    made.close()
    found.close()


def test_closing_leaves_one_file_with_everything_in_it(opened: Database, tmp_path: Path) -> None:
    upgrade(opened)
    opened.close()
    assert ["forestall.db"] == [path.name for path in tmp_path.iterdir()]
    check_schema(again := open_database(f"sqlite:///{tmp_path}/forestall.db"))
    again.close()


def test_a_database_outside_the_lock_is_never_in_wal() -> None:
    for name in (":memory:", ""):
        database = scratch(name)
        assert "wal" != pragma(database, "journal_mode")
        database.close()


def test_a_library_that_refuses_wal_gets_the_rollback_journal_and_extra_sync(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoWal(sqlite3.Connection):
        def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
            return super().execute(sql.replace("journal_mode=WAL", "journal_mode=DELETE"), *rest)

    connect = sqlite3.dbapi2.connect
    monkeypatch.setattr(sqlite3.dbapi2, "connect", lambda *a, **k: connect(*a, **k, factory=NoWal))
    database = open_database(url)
    assert ("delete", 3) == (pragma(database, "journal_mode"), pragma(database, "synchronous"))
    database.close()


def test_a_transaction_that_fails_is_undone(opened: Database) -> None:
    upgrade(opened)

    def fail_late() -> None:
        with opened.begin() as tx:
            tx.execute(text("INSERT INTO meta VALUES ('a', 'b')"))
            raise RuntimeError("power")

    with pytest.raises(RuntimeError):
        fail_late()
    with opened.begin() as tx:
        assert 0 == tx.execute(text("SELECT count(*) FROM meta")).scalar_one()


# --- what cannot be opened --------------------------------------------------------------------------------------------


def test_a_file_that_is_no_database_is_refused_with_the_mend_and_unlocked(url: str, tmp_path: Path) -> None:
    path = tmp_path / "forestall.db"
    path.write_bytes(b"not a database at all, but long enough to have a header" * 20)
    with pytest.raises(Unavailable, match=r"not a database.*; check the path"):
        open_database(url)
    path.unlink()
    open_database(url).close()


def test_a_missing_directory_is_refused_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"nowhere: No such file or directory; create it or correct \[database\] url"):
        open_database(f"sqlite:///{tmp_path}/nowhere/forestall.db")


def test_odd_characters_in_the_path_are_only_characters(tmp_path: Path) -> None:
    folder = tmp_path / "店 50% ?a=b"
    folder.mkdir()
    database = open_database(f"sqlite:///{folder}/forestall.db".replace("?", "%3F"))
    database.close()
    assert ["forestall.db"] == [path.name for path in folder.iterdir()]


# --- kill -9 ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_writer_killed_at_any_moment_loses_nothing_acknowledged(url: str, tmp_path: Path) -> None:
    upgrade(database := open_database(url))
    database.close()
    acknowledged = in_flight = recovered = 0
    for after in (2, 9, 20, 40):
        begun, acknowledged = killed(url, acknowledged + 1, after)
        in_flight += begun > acknowledged
        wal = tmp_path / "forestall.db-wal"
        recovered += wal.exists() and wal.stat().st_size > 0
        acknowledged = checked(url, begun, acknowledged)
    assert acknowledged > 60
    assert in_flight > 0, "no transaction was under way at any kill: the test has shown nothing"
    assert recovered > 0


def killed(url: str, first: int, after: int) -> tuple[int, int]:
    """Run the writer from `first` until it has begun its `after`th transaction; (last begun, last done)."""
    with child(WRITE_FOR_EVER, url, str(first)) as writer:
        assert writer.stdout is not None
        said = b""
        while f"begin {first + after}\n".encode() not in said:
            piece = os.read(writer.stdout.fileno(), 4096)
            assert piece, f"the writer ended by itself: {said!r}"
            said += piece
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout.read()
    numbers = {word: int(number) for word, number in re.findall(rb"(begin|done) (\d+)\n", said)}
    return numbers[b"begin"], numbers.get(b"done", first - 1)


def checked(url: str, begun: int, acknowledged: int) -> int:
    """Open what the killed writer left: whole, chained, every acknowledged transaction there, none by half."""
    database = open_database(url)
    with database.begin() as tx:
        assert "ok" == tx.exec_driver_sql("PRAGMA integrity_check").scalar_one()
        assert [] == broken_links(tx)
        links = tx.execute(text("SELECT count(*) FROM evidence")).scalar_one()
        assert links in {acknowledged, begun}
        assert 20 * links == tx.execute(text("SELECT count(*) FROM timer")).scalar_one()
    database.close()
    return int(links)
