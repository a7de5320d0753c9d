"""The daemon as a process of its own, as systemd would see it: its notifications, its log, its end."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon import clock, control
from tests import databases
from tests.daemon.running import until
from tests.project import ROOT

PATIENCE_S = 120.0
"""For a process to start on a machine that is busy with other tests."""
FORESTALL = (sys.executable, "-m", "daemon")


def run(*words: str, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A command in a process of its own, in `cwd`."""
    return subprocess.run(
        [*FORESTALL, *words],
        cwd=cwd,
        env=_environment(environment),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def ask(folder: Path, *words: str, lang: str = "en") -> dict[str, Any]:
    """A command handed to the daemon in `folder` over its socket: code, out, err. Cheaper than a process."""
    answer = control.forward(folder / "forestall.sock", list(words), lang)
    assert answer is not None, "nobody answers"
    return answer


@dataclass(slots=True)
class Running:
    """A daemon under way; `said` are the lines it told systemd, in order."""

    process: "subprocess.Popen[str]"
    folder: Path
    listener: socket.socket
    said: list[str] = field(default_factory=list)

    def hear(self, line: str) -> None:
        """Wait until the daemon has told systemd this line."""
        until(lambda: self._heard(line), f"systemd hears {line!r}; it heard {self.said}; {self.log()}", PATIENCE_S)

    def hear_after(self, number: signal.Signals, line: str) -> None:
        """Send the signal and wait until the line is told once more."""
        self._listen()
        before = self.said.count(line)
        self.signal(number)
        self.hear_more(line, before)

    def hear_more(self, line: str, before: int) -> None:
        """Wait until a line has been told more often than `before`."""
        until(lambda: self._listen() is None and self.said.count(line) > before, f"{line!r} again", PATIENCE_S)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> tuple[int, float]:
        """SIGTERM; returns the exit code and how long it took."""
        began = clock.monotonic()
        self.signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self._listen()
        return code, clock.monotonic() - began

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def events(self, name: str) -> list[dict[str, Any]]:
        """Its canonical log lines of one name."""
        entries = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [entry for entry in entries if entry["event"] == name]

    def _heard(self, line: str) -> bool:
        self._listen()
        assert line in self.said or self.process.poll() is None, f"the daemon ended: {self.log()}"
        return line in self.said

    def _listen(self) -> None:
        while True:
            try:
                self.said += self.listener.recv(4096).decode().splitlines()
            except BlockingIOError:
                return


@contextmanager
def started(folder: Path, **environment: str) -> Iterator[Running]:
    """`forestall run` in `folder`, ready for work; killed at the end if it still runs."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listener, (folder / "log").open("a") as log:
        address = folder / "notify"
        address.unlink(missing_ok=True)
        listener.bind(str(address))
        listener.setblocking(False)
        process = subprocess.Popen(
            [*FORESTALL, "run"],
            cwd=folder,
            env=_environment({"NOTIFY_SOCKET": str(address), **environment}),
            stdout=log,
            stderr=log,
            text=True,
        )
        running = Running(process, folder, listener)
        try:
            running.hear("READY=1")
            yield running
        finally:
            process.kill()
            process.wait()


def _environment(more: dict[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def prepare(folder: Path, text: str, inboxes: Sequence[str] = ("north",)) -> None:
    """A configuration, its drop folders and an empty database."""
    for name in inboxes:
        (folder / "inbox" / name).mkdir(parents=True)
    (folder / "forestall.toml").write_text(text)
    databases.put(folder / "forestall.db")
