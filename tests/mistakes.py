"""What Forestall says when it refuses settings or a command, read off the source as texts with `{}` for values."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.project import ROOT
from tests.refusals import template

MODULES = (
    *(
        "daemon/adapter.py",
        "daemon/config.py",
        "daemon/slips.py",
        "daemon/installation.py",
        "daemon/metrics.py",
        "daemon/recording.py",
    ),
    *("daemon/secret.py", "daemon/store/database.py", "daemon/store/hands.py", "daemon/acts.py"),
    *("rules/calendars.py", "rules/hours.py", "rules/playbook.py", "rules/templates.py"),
    *("adapters/http.py", "adapters/options.py", "adapters/smtp.py"),
    *("adapters/files/layout.py", "adapters/files/slips.py"),
)
"""Where what a person has written is read."""
ERRORS = {
    "Busy",
    "ConfigError",
    "NoInput",
    "PolicyError",
    "SchemaOutdated",
    "Unavailable",
    "UnknownAdapter",
    "Usage",
    "ValueError",
}


def said() -> Iterator[tuple[str, str]]:
    """(place, text) of every refusal whose text stands in the source; those that are computed are left out."""
    for name in MODULES:
        path = Path(name)
        for line, text in in_module(ROOT / path):
            yield f"{name}:{line}", text


def in_module(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ERRORS:
            mends = [word.value for word in node.keywords if word.arg == "mend"]
            for value in [*node.args[:1], *mends]:
                text = template(value)
                if text is not None and text.replace("{}", "").strip(": ;()"):
                    yield node.lineno, text
