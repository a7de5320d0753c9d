"""The collector of a process that works through rows: it leaves alone what was loaded, and still finds cycles."""

import subprocess
import sys

from tests.project import ROOT

PROGRAM = """
import gc, weakref
from daemon import heap

class Node: pass

heap.settle()
one = Node()
one.itself = one
seen = weakref.ref(one)
del one
gc.collect()
print(gc.get_freeze_count() > 1000, gc.get_threshold()[0] == heap.SELDOM, gc.isenabled(), seen() is None)
"""


LOADED = """
import gc, sys
from daemon.cli import main
try:
    main()
except SystemExit:
    pass
print(gc.get_freeze_count() > 100_000, gc.isenabled())
"""


def test_a_command_that_works_long_leaves_its_modules_alone() -> None:
    words = [sys.executable, "-c", LOADED, "replay", "nowhere"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ["True", "True"] == done.stdout.split()


def test_what_is_loaded_stays_and_later_cycles_are_still_found() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ["True"] * 4 == done.stdout.split()
