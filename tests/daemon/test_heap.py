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


def test_what_is_loaded_stays_and_later_cycles_are_still_found() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ["True"] * 4 == done.stdout.split()
