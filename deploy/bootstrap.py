"""Build the virtual environment from the hashed lock. Standard library only, so a bare Python can run it.

    python3 deploy/bootstrap.py [--venv .venv] [--pip]   make the environment current; quick when it is
    python3 deploy/bootstrap.py lock [--upgrade]         resolve pyproject.toml into the two lock files

pip installs the locked `uv`, `uv` installs the rest with hashes; where `uv` cannot, pip does all of it.
Your own index, mirror, proxy and certificates apply: `uv` reads none of pip's settings, so it is told them.
"""

import argparse
import ast
import fcntl
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"  # everything, tools included
RUNTIME_LOCK = ROOT / "deploy" / "requirements.lock"  # what a server needs: run time and the extras
INPUTS = (LOCK, ROOT / "pyproject.toml", Path(__file__).resolve())
OLDEST = (3, 11)


def main() -> int:
    """Exit status: 0 the environment is current, 1 it could not be built (the reason is on stderr)."""
    parser = argparse.ArgumentParser(description="Build the virtual environment from the hashed lock.")
    parser.add_argument("job", nargs="?", choices=("install", "lock"), default="install")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv")
    parser.add_argument("--pip", action="store_true", help="do without uv")
    parser.add_argument("--upgrade", action="store_true", help="lock: take the newest versions")
    asked = parser.parse_args()
    try:
        check_interpreter()
        venv = Venv(asked.venv.absolute())
        venv.bring_up_to_date(use_uv=not asked.pip)
        if asked.job == "lock":
            venv.lock(upgrade=asked.upgrade)
    except Failure as failure:
        say(str(failure))
        return 1
    return 0


class Failure(Exception):
    """The environment cannot be built; the text says how to mend it."""


class Venv:
    """One virtual environment of this checkout."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.python = path / "bin" / "python"
        self.uv = path / "bin" / "uv"
        self.stamp = path / ".forestall-stamp"

    def bring_up_to_date(self, use_uv: bool) -> None:
        """Installs whatever changed since the last time; two callers at once wait for one another."""
        wanted = fingerprint(self.path)
        if self.is_current(wanted):
            return
        self.path.mkdir(parents=True, exist_ok=True)
        directory = os.open(ROOT, os.O_RDONLY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            if not self.is_current(wanted):
                say(f"building {self.path} from {LOCK.name} …")
                self.stamp.unlink(missing_ok=True)
                self.create()
                self.install(use_uv)
                self.stamp.write_text(wanted)
        finally:
            os.close(directory)

    def is_current(self, wanted: str) -> bool:
        return self.python.exists() and self.stamp.is_file() and wanted == self.stamp.read_text()

    def create(self) -> None:
        """An environment of this very interpreter, with pip; one of another interpreter is made anew."""
        config = self.path / "pyvenv.cfg"
        made_by = config.read_text() if config.exists() else ""
        same = self.python.exists() and f"version = {platform_version()}\n" in made_by
        if same and run([self.python, "-m", "pip", "--version"], quiet=True) == 0:
            return
        clear = ["--clear"] if made_by else []
        if run([sys.executable, "-m", "venv", *clear, self.path]) != 0:
            raise Failure(f"{sys.executable} -m venv failed: see above")

    def install(self, use_uv: bool) -> None:
        settings = pip_settings(self.python)
        if not (use_uv and self.install_uv() and self.install_with_uv(settings)):
            say("installing with pip, which takes a minute or two …")
            pip: list[str | Path] = [self.python, "-m", "pip", "install", "--quiet"]
            done = run([*pip, "--require-hashes", "-r", LOCK], env=pip_environment()) == 0
            project = [*pip, "--no-deps", "--no-build-isolation", "-e", ROOT]
            if not (done and run(project, env=pip_environment()) == 0):
                raise Failure("the packages could not be installed: see pip's words above")

    def install_uv(self) -> bool:
        """Whether the environment has exactly the `uv` that the lock names."""
        pinned = re.search(r"^uv==(\S+).*(?:\n    --hash.*)+", LOCK.read_text(), re.MULTILINE)
        if pinned is None:
            return False
        if self.uv.exists() and f"uv {pinned[1]}" in output([self.uv, "--version"]):
            return True
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as only_uv:
            only_uv.write(pinned[0] + "\n")
            only_uv.flush()
            pip: list[str | Path] = [self.python, "-m", "pip", "install", "--quiet", "--no-deps"]
            return run([*pip, "--require-hashes", "-r", only_uv.name], env=pip_environment()) == 0

    def install_with_uv(self, settings: dict[str, str]) -> bool:
        env = uv_environment(settings)
        # compiled here: a service that may not write beside its packages would compile them at every start
        uv: list[str | Path] = [self.uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", self.python]
        project = [*uv, "--no-deps", "--no-build-isolation", "-e", ROOT]
        return run([*uv, "--require-hashes", "-r", LOCK], env=env) == 0 and run(project, env=env) == 0

    def lock(self, upgrade: bool) -> None:
        """Writes both locks, good on every platform; locked versions stay unless told to upgrade."""
        if not self.install_uv():
            raise Failure("locking needs uv, and pip could not install it")
        # Without the machine's extra indexes: they may hold other files under the same version.
        settings = pip_settings(self.python)
        env = uv_environment({**settings, "extra-index-url": "", "find-links": ""})
        command: list[str | Path] = [self.uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
        command += ["--python-version", ".".join(map(str, OLDEST)), "--no-header", "--no-annotate"]
        command += ["--all-extras", "pyproject.toml", *(["--upgrade"] if upgrade else [])]
        everything = [*command, "--group", "dev", "--group", "pg", "-o", LOCK.relative_to(ROOT)]
        runtime = [*command, "-c", LOCK.relative_to(ROOT), "-o", RUNTIME_LOCK.relative_to(ROOT)]
        if run(everything, env=env) != 0 or run(runtime, env=env) != 0:
            raise Failure("the requirements could not be resolved: see above")


def check_interpreter() -> None:
    """Says what is missing on a bare machine before anything fails in a less telling way."""
    if sys.version_info < OLDEST:
        raise Failure(
            f"Forestall needs Python {'.'.join(map(str, OLDEST))} or newer, this is {platform_version()}.\n"
            "Name another one, for example: make PYTHON=python3.12 demo"
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        raise Failure(
            f"{sys.executable} cannot make virtual environments.\n"
            "On Debian and Ubuntu:  sudo apt-get install python3-venv"
        ) from None


def fingerprint(venv: Path) -> str:
    """Changes when the lock, the project's metadata, the interpreter or the environment's place changes."""
    digest = hashlib.sha256(f"{sys.version}\n{sys.base_prefix}\n{ROOT}\n{venv}".encode())
    for path in INPUTS:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def pip_settings(python: Path) -> dict[str, str]:
    """What pip's configuration files and environment say; the later source wins, as with pip itself."""
    ranks = {"global": 0, "install": 1, ":env:": 2}
    found: dict[str, tuple[int, str]] = {}
    for line in output([python, "-m", "pip", "config", "list"]).splitlines():
        match = re.match(r"(global|install|:env:)\.([a-z-]+)=(.+)$", line)
        if match and ranks[match[1]] >= found.get(match[2], (-1, ""))[0]:
            found[match[2]] = (ranks[match[1]], str(ast.literal_eval(match[3])))
    return {name: value for name, (_, value) in found.items()}


def pip_environment() -> dict[str, str]:
    dropped = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_HASHES")
    env = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**env, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def uv_environment(settings: dict[str, str]) -> dict[str, str]:
    """The environment for `uv`, saying in its words what pip's settings say; its own variables come first."""
    translated = {
        "UV_DEFAULT_INDEX": settings.get("index-url", ""),
        "UV_INDEX": " ".join(settings.get("extra-index-url", "").split()),
        # The hashes decide which file is right, so every index may be asked.
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": ",".join(settings.get("find-links", "").split()),
        "UV_NO_INDEX": "1" if settings.get("no-index", "").lower() in {"1", "true", "yes", "on"} else "",
        "UV_INSECURE_HOST": " ".join(settings.get("trusted-host", "").split()),
        "UV_HTTP_TIMEOUT": settings.get("default-timeout", settings.get("timeout", "")),
        "SSL_CERT_FILE": settings.get("cert", ""),
        "ALL_PROXY": settings.get("proxy", ""),
    }
    env = pip_environment()
    for name in ("VIRTUAL_ENV", "UV_REQUIRE_HASHES", "UV_PROJECT_ENVIRONMENT"):
        env.pop(name, None)
    env = {name: value for name, value in translated.items() if value} | env
    return {**env, "UV_PYTHON_DOWNLOADS": "never", "UV_LINK_MODE": env.get("UV_LINK_MODE", "copy")}


def run(command: "list[str | Path]", env: "dict[str, str] | None" = None, quiet: bool = False) -> int:
    """The exit status; 127 where the program itself cannot start."""
    sink = subprocess.DEVNULL if quiet else None
    try:
        done = subprocess.run(  # noqa: S603 - the commands are the ones above
            command, check=False, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
        )
    except OSError as error:
        say(f"{command[0]}: {error.strerror}")
        return 127
    return done.returncode


def output(command: "list[str | Path]") -> str:
    done = subprocess.run(  # noqa: S603 - the commands are the ones above
        command, check=False, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    return done.stdout


def platform_version() -> str:
    return ".".join(map(str, sys.version_info[:3]))


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
