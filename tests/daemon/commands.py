"""Commands as a person types them, run in this process: exit code, what was printed, what was said beside it."""

import json
import shlex
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


def words(line: str, **values: object) -> list[str]:
    """The words of a command line; {names} are filled in, each as one word."""
    return [word.format(**values) for word in shlex.split(line)]
