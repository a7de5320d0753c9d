"""The garbage collector of a process that works through rows in batches."""

import gc

SELDOM = 20_000
"""More new containers than a batch of orders makes."""


def load() -> None:
    """Look for no cycles while modules are loaded: they make none. `settle` ends it."""
    gc.disable()


def settle() -> None:
    """Let what is loaded by now stay, and look for cycles seldom. To be called once, when the modules are loaded.

    Rows, facts and decisions hold no cycles: they go as soon as nothing names them. Without this, looking through
    all modules and statements again and again takes a quarter of the time of a decision.
    """
    gc.enable()
    gc.freeze()
    gc.set_threshold(SELDOM, 20, 20)
