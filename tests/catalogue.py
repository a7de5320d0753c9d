"""The Chinese catalogue: which texts the code shows to people, and the .po and .mo they stand in.

`python -m tests.catalogue` compiles the .mo and lists what has no translation yet.
"""

import ast
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from daemon import cli, foreign, i18n, mistakes, reasons, words
from daemon.cli import speech
from tests.project import ROOT, modules, shown

PO = ROOT / "daemon" / "locale" / "zh_CN" / "LC_MESSAGES" / "forestall.po"
MO = PO.with_suffix(".mo")
PLACEHOLDER = re.compile(r"\{[a-z_]*\}")
TABLES = {
    "daemon/words.py": (
        *(words.STATUSES, words.VIOLATIONS, words.KINDS, words.OUTCOMES, words.SOURCES, words.FLAGS),
        *(words.ENTRIES, words.FACTS),
        *(words.METRICS, words.EFFECTS, words.STATES, words.MISSING),
        *(words.OCCASIONS, words.INITIATIONS, words.SCOPES, words.WAYS, words.ASSUMED, words.STEPS),
        *(words.TODO, words.GAPS),
    ),
    "daemon/reasons.py": (reasons.REASONS,),
    "daemon/foreign.py": (foreign.FIELDS, {text: text for text in (*foreign.THINGS, *foreign.TEXTS, *foreign.ANSWERS)}),
    "daemon/mistakes.py": ({text: text for text in mistakes.OURS + mistakes.LIBRARIES},),
    "daemon/cli/speech.py": ({text: text for text in speech.TYPER + speech.TYPES + speech.PLACES},),
}
SINGLE, PLURAL = {"_", "gettext"}, {"ngettext"}


def used() -> dict[str, str]:
    """Every text the code looks up → where it first stands."""
    found: dict[str, str] = {}
    for path in modules():
        for place, text in calls(path):
            found.setdefault(text, place)
    for place, tables in TABLES.items():
        for table in tables:
            for text in table.values():
                found.setdefault(text, place)
    for text, command in helps():
        found.setdefault(text, f"forestall {command} --help")
    return found


def helps() -> Iterator[tuple[str, str]]:
    """(text, command) of every help text: those of commands, their arguments and options."""
    with i18n.speaking("en"):
        for command in speech.tree(speech.spoken(cli.app)):
            for text in (command.help, *(getattr(one, "help", None) for one in command.params)):
                if text:
                    yield text, command.name or ""


def calls(path: Path) -> Iterator[tuple[str, str]]:
    """(place, text) of each call that looks a literal text up, in one module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and (count := texts_in(node.func)):
            for argument in node.args[:count]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield shown(path, node.lineno), argument.value


def texts_in(function: ast.expr) -> int:
    """How many texts a call of this function takes first."""
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return 1 if name in SINGLE else 2 if name in PLURAL else 0


def catalogue() -> Catalog:
    with PO.open("rb") as stream:
        return read_po(stream, locale="zh_CN", domain="forestall")


def translations() -> dict[str, str]:
    """Text → Chinese; the forms for one and for many stand each for themselves."""
    found = {}
    for message in catalogue():
        forms = message.id if isinstance(message.id, tuple) else (message.id,)
        said = message.string[0] if isinstance(message.string, tuple) else message.string
        found |= {form: said for form in forms if form}
    return found


def compiled() -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, catalogue())
    return buffer.getvalue()


def main() -> None:
    known = translations()
    for text, place in sorted(used().items(), key=lambda item: item[1]):
        if not known.get(text):
            sys.stdout.write(f"{place}: {text!r}\n")
    MO.write_bytes(compiled())


if __name__ == "__main__":
    main()
