"""Where a command writes: results to one stream, talk to the other."""

import json
import sys
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 120
"""Columns of what is not written to a terminal."""


@dataclass(slots=True)
class Out:
    """Where a command writes: results to `out`, talk and progress to `err`; `width`: columns, None: found out."""

    out: Any
    err: Any
    width: int | None = None

    def print(self, text: str = "") -> None:
        """A line of the result, as it is."""
        self.out.write(f"{text}\n")

    def table(self, table: object) -> None:
        """A rich table or renderable of the result."""
        self.console(self.out).print(table, highlight=False)

    def say(self, text: str) -> None:
        """Talk that is not the result."""
        self.err.write(f"{text}\n")

    def json(self, document: object) -> None:
        """The result as one JSON document."""
        self.print(json.dumps(document, ensure_ascii=False))

    def console(self, stream: Any) -> "Console":
        """A rich console on one of the streams."""
        from rich.console import Console

        return Console(file=stream, width=self.width or (None if stream.isatty() else WIDTH))


current: ContextVar[Out | None] = ContextVar("out", default=None)
"""The output of a client for whom the daemon runs a command."""


def out() -> Out:
    """The output of the command under way."""
    return current.get() or Out(sys.stdout, sys.stderr)
