"""A generated file put away for people: the file, the configuration that reads it, the truth, and what was said."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.adapters.fuzz.case import Case
from tests.adapters.fuzz.sheet import Sheet


def keep(case: Case, said: Sequence[str], folder: Path) -> None:
    """Write a folder that `forestall tick -c forestall.toml` can be run in; an earlier file lies beside its inbox."""
    inbox = folder / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / case.name).write_bytes(case.written.content)
    if case.earlier:
        (folder / f"earlier-{case.name}").write_bytes(case.earlier.content)
    (folder / "forestall.toml").write_text("\n".join(_config(case.sheet)) + "\n", encoding="utf-8")
    truth = json.dumps(case.sheet.expected, ensure_ascii=False, indent=1)
    (folder / "truth.json").write_text(truth + "\n", encoding="utf-8")
    (folder / "README.txt").write_text("\n".join([str(case), *said]) + "\n", encoding="utf-8")


def _config(sheet: Sheet) -> Iterator[str]:
    yield '[database]\nurl = "sqlite:///forestall.db"\n[shops.north]'
    yield f'platform = "{sheet.platform}"\nfeed = "files"\npath = "inbox"\ntimezone = "{sheet.zone.key}"'
    yield from (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in sheet.options.items())
    if sheet.columns:
        yield "[shops.north.columns]"
    for name, entry in sheet.columns.items():
        parts = [f"column = {json.dumps(entry.column, ensure_ascii=False)}", f'unit = "{entry.unit}"']
        if entry.values:
            words = (f"{json.dumps(key, ensure_ascii=False)} = {json.dumps(to)}" for key, to in entry.values.items())
            parts.append(f"values = {{ {', '.join(words)} }}")
        yield f"{name} = {{ {', '.join(parts)} }}"
