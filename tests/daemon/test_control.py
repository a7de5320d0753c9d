"""The daemon's unix socket: one line in, one line out, and a broken client hurts nobody."""

import json
import os
import pwd
import socket
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import pytest

from daemon import config, control
from daemon.control import Request, Server, forward, path_of, socket_path
from daemon.errors import Unavailable


def echo(request: Request) -> dict[str, Any]:
    return {"code": 3, "out": " ".join(request.argv), "err": f"{request.lang} {request.cwd}"}


@contextmanager
def serving(path: Path, handler: control.Handler = echo) -> Iterator[Path]:
    server = Server(path, handler)
    server.start()
    try:
        yield path
    finally:
        server.stop()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.sock"


def raw(path: Path, line: bytes) -> bytes:
    """What the server answers to these bytes; nothing when it hangs up."""
    with closing(socket.socket(socket.AF_UNIX)) as client:
        client.settimeout(10)
        client.connect(str(path))
        client.sendall(line)
        client.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            return client.makefile("rb").readline()
    return b""


def test_a_command_comes_back_with_its_code_and_what_it_printed(path: Path) -> None:
    with serving(path):
        answer = forward(path, ["orders", "list"], "zh")

    assert {"code": 3, "out": "orders list", "err": f"zh {Path.cwd()}"} == answer


def test_the_handler_is_told_who_asks_by_the_kernel_not_by_the_client(path: Path) -> None:
    with serving(path, lambda request: {"code": 0, "out": request.user, "err": ""}):
        answer = raw(path, json.dumps({"argv": ["x"], "lang": "en", "cwd": "/", "user": "somebody"}).encode() + b"\n")

    assert pwd.getpwuid(os.getuid()).pw_name == json.loads(answer)["out"]


def test_the_handler_is_told_the_zone_the_client_reads_in(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with serving(path, lambda request: {"code": 0, "out": str(request.zone), "err": ""}):
        answer = forward(path, ["orders"], "en")

    assert answer is not None
    assert "Asia/Tokyo" == answer["out"]


def test_nobody_listening_is_no_answer(path: Path) -> None:
    assert forward(path, ["orders"], "en") is None


def test_a_socket_left_behind_by_a_killed_daemon_is_no_answer(path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as left_over:
        left_over.bind(str(path))

    assert forward(path, ["orders"], "en") is None


def test_a_socket_left_behind_by_a_killed_daemon_is_replaced(path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as left_over:
        left_over.bind(str(path))

    with serving(path):
        answer = forward(path, ["orders"], "en")

    assert answer is not None


def test_only_the_owner_and_the_group_may_connect(path: Path) -> None:
    with serving(path):
        mode = stat.S_IMODE(path.stat().st_mode)

    assert 0o660 == mode


def test_the_socket_is_gone_after_the_end(path: Path) -> None:
    with serving(path):
        pass

    assert not path.exists()


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"hello\n", id="no json"),
        pytest.param(b"[]\n", id="no table"),
        pytest.param(b'{"argv": 1, "lang": "en", "cwd": "/"}\n', id="no words"),
        pytest.param(b'{"argv": ["orders"]}\n', id="half"),
        pytest.param(b'{"argv": ["x"], "lang": "en", "cwd": "/", "zone": "Nowhere/Land"}\n', id="no zone"),
        pytest.param(b'{"argv": ["orders"], "lang": "en", "cwd"', id="cut"),
        pytest.param(b"[" * 60_000 + b"\n", id="deep"),
        pytest.param(b'{"argv": ["' + b"x" * control.MOST + b'"], "lang": "en", "cwd": "/"}\n', id="long"),
        pytest.param(b"\xff\xfe\n", id="not utf-8"),
    ],
)
def test_nonsense_is_not_answered_and_the_next_client_is(path: Path, line: bytes) -> None:
    with serving(path):
        nonsense = raw(path, line)
        answer = forward(path, ["orders"], "en")

    assert b"" == nonsense
    assert answer is not None


def test_a_client_that_goes_away_before_the_answer_hurts_nobody(path: Path) -> None:
    gone = Event()

    def slow(request: Request) -> dict[str, Any]:
        if request.argv == ["slow"]:
            assert gone.wait(10)
        return echo(request)

    with serving(path, slow):
        with closing(socket.socket(socket.AF_UNIX)) as client:
            client.connect(str(path))
            client.sendall(json.dumps({"argv": ["slow"], "lang": "en", "cwd": "/"}).encode() + b"\n")
        gone.set()
        answer = forward(path, ["orders"], "en")

    assert answer is not None


def test_a_client_that_says_nothing_holds_no_other(path: Path) -> None:
    with serving(path), closing(socket.socket(socket.AF_UNIX)) as silent:
        silent.connect(str(path))
        answer = forward(path, ["orders"], "en")

    assert answer is not None


def test_commands_run_one_at_a_time(path: Path) -> None:
    most, at_once, gate = 0, 0, Barrier(4)

    def counting(request: Request) -> dict[str, Any]:
        nonlocal most, at_once
        at_once += 1
        most = max(most, at_once)
        Event().wait(0.02)
        at_once -= 1
        return echo(request)

    def ask() -> None:
        gate.wait(10)
        forward(path, ["orders"], "en")

    with serving(path, counting):
        clients = [Thread(target=ask) for _ in range(4)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(10)

    assert 1 == most


def test_a_handler_that_fails_is_no_answer_and_the_next_command_runs(path: Path) -> None:
    def failing(request: Request) -> dict[str, Any]:
        if request.argv == ["bad"]:
            raise RuntimeError("boom")
        return echo(request)

    with serving(path, failing):
        answers = [forward(path, [word], "en") for word in ("bad", "good")]

    assert [None, "good"] == [answer and answer["out"] for answer in answers]


def test_a_path_that_is_too_long_for_a_socket_says_which_setting_mends_it(tmp_path: Path) -> None:
    server = Server(tmp_path / ("x" * 200), echo)

    with pytest.raises(Unavailable, match=r"no socket can be made there .*; set \[daemon\] socket"):
        server.start()


def test_a_folder_that_is_missing_says_which_setting_mends_it(tmp_path: Path) -> None:
    server = Server(tmp_path / "nowhere" / "s.sock", echo)

    with pytest.raises(Unavailable, match=r"set \[daemon\] socket"):
        server.start()


def test_the_socket_stands_beside_the_database(tmp_path: Path) -> None:
    made = config.parse({"database": {"url": "sqlite:///data/forestall.db"}}, tmp_path / "forestall.toml")

    assert tmp_path / "data" / "forestall.sock" == path_of(made)


def test_the_socket_stands_where_systemd_made_a_directory_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{tmp_path}/run:{tmp_path}/other")
    made = config.parse({}, tmp_path / "forestall.toml")

    assert tmp_path / "run" / "forestall.sock" == path_of(made)


def test_the_socket_stands_where_the_file_says_before_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{tmp_path}/run")
    made = config.parse({"daemon": {"socket": "my.sock"}}, tmp_path / "forestall.toml")

    assert tmp_path / "my.sock" == path_of(made)


@pytest.mark.parametrize("words", [["-c", "{file}"], ["--config", "{file}"], ["--config={file}"]])
def test_the_daemon_asked_is_that_of_the_configuration_named(tmp_path: Path, words: list[str]) -> None:
    file = tmp_path / "my.toml"
    file.write_text('[daemon]\nsocket = "my.sock"\n')
    named = [word.format(file=file) for word in words]

    assert tmp_path / "my.sock" == socket_path(["orders", "list", *named, "--json"], Path("forestall.toml"))


def test_the_daemon_asked_is_that_of_the_configuration_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "my.toml"
    file.write_text('[daemon]\nsocket = "my.sock"\n')
    monkeypatch.setenv("FORESTALL_CONFIG", str(file))

    assert tmp_path / "my.sock" == socket_path(["orders", "list"], Path("forestall.toml"))


def test_without_a_configuration_there_is_nobody_to_ask(tmp_path: Path) -> None:
    assert socket_path(["orders", "-c", str(tmp_path / "none.toml")], Path("forestall.toml")) is None
