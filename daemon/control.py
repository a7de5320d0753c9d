"""The daemon's unix socket: other processes hand it their commands, since it alone holds the database.

One request, one answer, each a line of JSON: {"argv", "lang"} -> {"code", "out", "err"}. Mode 0660.
"""

import itertools
import json
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.engine import make_url

from daemon import config
from daemon.config import Config
from daemon.errors import ConfigError

log = structlog.get_logger()
MOST = 64 * 1024
Handler = Callable[[list[str], str], dict[str, Any]]


def path_of(settings: Config) -> Path:
    """Where the socket is: as configured, else under RUNTIME_DIRECTORY, else beside the database."""
    if settings.daemon.socket is not None:
        return settings.base / settings.daemon.socket
    runtime = os.environ.get("RUNTIME_DIRECTORY")
    database = make_url(config.url_of(settings)).database
    beside = Path(database).parent if settings.database.url.startswith("sqlite") and database else settings.base
    standard = Path("/run/forestall/forestall.sock")
    if runtime:
        return Path(runtime.split(":")[0]) / "forestall.sock"
    return standard if standard.exists() else beside / "forestall.sock"


def socket_path(arguments: list[str], default: Path) -> Path | None:
    """The socket of the daemon that a command line's configuration belongs to."""
    chosen = Path(os.environ.get("FORESTALL_CONFIG", default))
    for flag, value in itertools.pairwise(arguments):
        if flag in ("-c", "--config"):
            chosen = Path(value)
    try:
        return path_of(config.load(chosen))
    except ConfigError:
        return None


def forward(path: Path, arguments: list[str], lang: str) -> dict[str, Any] | None:
    """Let the daemon run the command; None when none answers there."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(120)
            connection.connect(str(path))
            connection.sendall(json.dumps({"argv": arguments, "lang": lang}).encode() + b"\n")
            with connection.makefile("rb") as answer:
                said: dict[str, Any] = json.loads(answer.readline())
                return said
    except (OSError, ValueError):
        return None


class Server:
    """Answers commands, one at a time, in a thread of its own."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self._path = path
        self._handler = handler
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)

    def start(self) -> None:
        """Bind (mode 0660) and begin to answer. The caller holds the database's lock, so a left-over goes."""
        self._path.unlink(missing_ok=True)
        before = os.umask(0o117)
        try:
            self._socket.bind(str(self._path))
        finally:
            os.umask(before)
        self._socket.listen(16)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and remove the socket."""
        self._path.unlink(missing_ok=True)
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        try:
            with connection.makefile("rb") as reader:
                request = json.loads(reader.readline(MOST))
            answer = self._handler([str(word) for word in request["argv"]], str(request["lang"]))
            connection.sendall(json.dumps(answer).encode() + b"\n")
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("control.refused", error=str(error))
