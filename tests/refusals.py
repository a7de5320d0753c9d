"""What the file adapters and the poll say about inputs they cannot use: texts with `{}` for values."""

import ast
import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from tests.project import ROOT

CALLS = {"Refusal", "Broken", "Cut", "Rejected"}
SINK_CALLS = {"Transient", "Permanent", "AuthFailed", "Uncertain", "Receipt"}


def said() -> set[str]:
    """Every text of a refusal that stands in the source; those that are computed are left out."""
    paths = [*(ROOT / "adapters" / "files").glob("*.py"), ROOT / "daemon" / "poll.py"]
    return {text for path in sorted(paths) for text in in_module(path)}


def of_sinks() -> set[str]:
    """Every text that sinks raise or note, and the mends they know by code."""
    found = set()
    for path in sorted({*(ROOT / "adapters").glob("*.py")} - {ROOT / "adapters" / "memory.py"}):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in SINK_CALLS:
                found |= {*map(template, node.args[:1]), *(template(w.value) for w in node.keywords if w.arg == "note")}
            if isinstance(node, ast.keyword) and node.arg == "mends" and isinstance(node.value, ast.Dict):
                found |= set(map(template, node.value.values))
    return {text for text in found if text}


def in_module(path: Path) -> Iterator[str]:
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    constants = {name: value for name, value in vars(module).items() if isinstance(value, str)}
    for node in ast.walk(ast.parse(path.read_text())):
        named = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in {"reason", "mend"}
        if named and (text := template(node.value, constants)) is not None:  # type: ignore[attr-defined]
            yield text
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS:
            keywords = [word.value for word in node.keywords if word.arg in {"reason", "mend"}]
            for value in [*node.args[:2], *keywords]:
                if (text := template(value, constants)) is not None:
                    yield text


def template(value: ast.expr, constants: Mapping[str, str] = MappingProxyType({})) -> str | None:
    match value:
        case ast.Constant(value=str(text)):
            return escaped(text)
        case ast.JoinedStr(values=parts):
            return "".join(escaped(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
        case ast.Name(id=name) if name in constants:
            return escaped(constants[name])
    return None


def escaped(text: object) -> str:
    return str(text).replace("{", "{{").replace("}", "}}")
