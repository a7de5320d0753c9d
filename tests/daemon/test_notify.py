"""systemd's notification socket: lines arrive where it listens, and nothing happens where it does not."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon import notify


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as made:
        made.settimeout(10)
        yield made


def test_lines_arrive_together(tmp_path: Path, listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    listener.bind(str(tmp_path / "n"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "n"))

    heard = notify.notify("READY=1", "STATUS=läuft")

    assert (True, "READY=1\nSTATUS=läuft") == (heard, listener.recv(4096).decode())


def test_an_abstract_address_is_understood(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"forestall-test-{os.getpid()}"
    listener.bind(f"\0{name}")
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")

    notify.notify("READY=1")

    assert b"READY=1" == listener.recv(4096)


def test_without_systemd_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)

    assert not notify.notify("READY=1")


def test_a_systemd_that_went_away_does_not_stop_the_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))

    assert not notify.notify("READY=1")


def test_signs_of_life_come_twice_as_often_as_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")

    assert 30.0 == notify.watchdog_s()


@pytest.mark.parametrize("every", ["", "soon", "-1"])
def test_without_a_watchdog_no_sign_of_life_is_wanted(monkeypatch: pytest.MonkeyPatch, every: str) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", every)

    assert notify.watchdog_s() is None


def test_a_watchdog_for_another_process_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    monkeypatch.setenv("WATCHDOG_PID", "1")

    assert notify.watchdog_s() is None


def test_a_watchdog_for_this_process_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))

    assert 30.0 == notify.watchdog_s()
