"""The daemon's unix socket: other processes hand it their commands, since it alone holds the database.

One request, one answer, each a line of JSON, {"argv", "lang", "cwd", "zone", "stdin",
"columns"} -> {"code", "out", "err"}.
Mode 0660.
"""

import itertools
import json
import os
import shutil
import socket
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from daemon import clock
from daemon.errors import ConfigError, Unavailable

if TYPE_CHECKING:
    from daemon.config import Config

MOST = 4 * 1024 * 1024
"""Bytes of a request: the keys of some ten thousand cases."""
READ_S = 10
"""How long a client may take to say its line."""
CLIENTS = 16
"""Clients that may be connected at once; more wait in the queue of the socket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A command that another process wants run: its words, language, folder, zone and input, and who asks.

    `columns`: how wide its terminal is; None where it writes to none. `user` is the name of the system's user at the
    other end, as the kernel says it; "" where it cannot.
    """

    argv: list[str]
    lang: str
    cwd: Path
    user: str = ""
    zone: ZoneInfo | None = None
    stdin: str = ""
    columns: int | None = None


Answer = dict[str, Any]
Handler = Callable[[Request], Answer]


def path_of(settings: "Config") -> Path:
    """Where the socket of an installation is."""
    from sqlalchemy.engine import make_url

    from daemon.config import url_of

    url = make_url(url_of(settings))
    database = url.database if url.drivername.startswith("sqlite") else None
    return place(settings.daemon.socket, Path(database) if database else None, settings.base)


def place(configured: Path | str | None, database: Path | None, base: Path) -> Path:
    """Where a socket is: as configured, else under RUNTIME_DIRECTORY, else beside the database's file."""
    if configured is not None:
        return base / configured
    runtime = os.environ.get("RUNTIME_DIRECTORY")
    standard = Path("/run/forestall/forestall.sock")
    if runtime:
        return Path(runtime.split(":")[0]) / "forestall.sock"
    return standard if standard.exists() else (database.parent if database else base) / "forestall.sock"


def socket_path(arguments: list[str], default: Path) -> Path | None:
    """The socket of the daemon that a command line's configuration belongs to."""
    chosen = Path(os.environ.get("FORESTALL_CONFIG", default))
    for word, value in itertools.pairwise([*arguments, ""]):
        if word in ("-c", "--config"):
            chosen = Path(value)
        elif word.startswith("--config="):
            chosen = Path(word.removeprefix("--config="))
    from daemon import config

    try:
        return path_of(config.load(chosen))
    except ConfigError:
        return None


def forward(path: Path, arguments: list[str], lang: str, typed: str = "", patience: float = 120) -> Answer | None:
    """Let the daemon run the command; None when none answers there within `patience` (s).

    `typed`: what this process has read of its standard input.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(patience)
            connection.connect(str(path))
            where = {"cwd": str(Path.cwd()), "zone": clock.zone().key, "columns": _columns()}
            request = {"argv": arguments, "lang": lang, "stdin": typed, **where}
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answer:
                said: Answer = json.loads(answer.readline())
                return said
    except (OSError, ValueError):
        return None


def _columns() -> int | None:
    """How wide the terminal is that the answer is shown on; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


class Server:
    """Answers commands, one at a time; a client that is slow to speak holds no other."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self._path = path
        self._handler = handler
        self._turn = threading.Lock()
        self._places = threading.BoundedSemaphore(CLIENTS)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)

    def start(self) -> None:
        """Bind (mode 0660) and begin to answer. The caller holds the database's lock, so a left-over goes.

        Raises Unavailable when there can be no socket at that path.
        """
        before = os.umask(0o117)
        try:
            self._path.unlink(missing_ok=True)
            self._socket.bind(str(self._path))
        except OSError as error:
            self._socket.close()
            said = error.strerror or str(error)
            raise Unavailable(f"{self._path}: no socket can be made there ({said}); set [daemon] socket") from error
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
            self._places.acquire()
            threading.Thread(target=self._client, args=(connection,), name="client", daemon=True).start()

    def _client(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._answer(connection)
        finally:
            self._places.release()

    def _answer(self, connection: socket.socket) -> None:
        """Whatever a client sends stays with that client."""
        connection.settimeout(READ_S)
        try:
            with connection.makefile("rb") as reader:
                said = json.loads(reader.readline(MOST))
            request = _request(said, _peer(connection))
            with self._turn:
                answer = self._handler(request)
            connection.sendall(json.dumps(answer).encode() + b"\n")
        except Exception as error:
            import structlog

            structlog.get_logger().warning("control.refused", error=f"{type(error).__name__}: {error}"[:300])


def _request(said: dict[str, Any], user: str) -> Request:
    """What a client said; a client that names no zone reads in the daemon's. Raises where it said something else."""
    words, zone = [str(word) for word in said["argv"]], said.get("zone")
    known = ZoneInfo(str(zone)) if zone is not None else None
    typed = str(said.get("stdin", ""))
    wide = int(columns) if (columns := said.get("columns")) is not None else None
    return Request(
        argv=words, lang=str(said["lang"]), cwd=Path(str(said["cwd"])), user=user, zone=known, stdin=typed, columns=wide
    )


def _peer(connection: socket.socket) -> str:
    """The user at the other end of the socket (SO_PEERCRED: pid, uid, gid)."""
    import pwd  # not there on Windows, where nothing else here needs it

    try:
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return pwd.getpwuid(struct.unpack("3i", credentials)[1]).pw_name
    except (OSError, KeyError, AttributeError):
        return ""
