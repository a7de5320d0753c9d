"""Where Unix's own modules are missing, everything can still be loaded, and the version told."""

import subprocess
import sys

from tests.project import ROOT

LOAD = """
import importlib, pkgutil, sys
for name in ("fcntl", "grp", "pwd"):
    sys.modules[name] = None
import daemon
for one in pkgutil.walk_packages(daemon.__path__, "daemon."):
    if ".migrations" not in one.name and not one.name.endswith("__main__"):
        importlib.import_module(one.name)
from daemon.cli import app
from daemon.cli.session import run
sys.exit(run(app, ["--version"]))
"""


def test_no_module_of_ours_needs_one_of_unix_to_be_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", LOAD], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (0, True) == (done.returncode, done.stdout.startswith("forestall ")), done.stderr
