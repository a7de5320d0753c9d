"""One generated file from its seed: the table, what happened to it, its bytes, and what a reader made of it."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from adapters.base import Record, Rejected
from adapters.files import read
from rules.instant import DAY, parse
from tests.adapters.fuzz import damage, dialect
from tests.adapters.fuzz.dialect import Dialect, Written
from tests.adapters.fuzz.judge import Verdict, judge
from tests.adapters.fuzz.layouts import EXPORTS
from tests.adapters.fuzz.sheet import Sheet
from tests.adapters.fuzz.tables import TABLES

NOON = parse("2026-11-20T12:00:00+08:00")
"""When the files were exported; their names do not say so."""
LAYOUTS = {**EXPORTS, **TABLES}


class Case(NamedTuple):
    """One file: which layout it has, what was done to it, how it is written."""

    seed: int
    layout: str
    sheet: Sheet
    dialect: Dialect
    written: Written
    name: str
    earlier: Written | None = None

    def __str__(self) -> str:
        how = ", ".join(f"{key}={value!r}" for key, value in _unusual(self.dialect))
        after = " after an earlier file" if self.earlier else ""
        return f"seed {self.seed}: {self.layout}, {how}; {', '.join(self.sheet.done) or 'no damage'}{after}"


def _unusual(spoken: Dialect) -> Sequence[tuple[str, object]]:
    usual = Dialect(kind="")
    return [
        (name, value)
        for name in Dialect.__dataclass_fields__
        if (value := getattr(spoken, name)) != getattr(usual, name)
    ]


def make(seed: int) -> Case:
    """The file of a seed, always the same."""
    rng = Random(seed)
    layout = rng.choice([*LAYOUTS, *(["table"] * 4)])
    sheet = LAYOUTS[layout](rng)
    sheet.book = not sheet.json and rng.random() < 0.25
    earlier = sheet.earlier() if rng.random() < 0.25 else None
    for one in _damages(rng):
        sheet.done.append(one.__name__)
        one(rng, sheet)
    how = dialect.choose(rng, sheet)
    sheet.plain &= how.ordinary and (not how.encoding.startswith("gb") or sheet.zone.key == "Asia/Shanghai")
    written = dialect.write(sheet, how)
    before = None
    if earlier is not None and not how.misstated and damage.left_out.__name__ not in sheet.done:
        before = dialect.write(earlier, how)
    sheet.options |= dialect.options(how, written)
    return Case(seed, layout, sheet, how, written, f"orders{written.suffix}", before)


def _damages(rng: Random) -> Sequence[damage.Damage]:
    mild = rng.sample(damage.HARMLESS, rng.choice((0, 0, 1, 1, 2)))
    grave = rng.sample(damage.HARMFUL, rng.choice((0, 0, 0, 1, 1, 2)))
    return [*sorted(mild, key=damage.HARMLESS.index), *sorted(grave, key=lambda one: one is damage.left_out)]


def run(case: Case, folder: Path) -> tuple[Verdict, Sequence[Record | Rejected]]:
    """Read the file as replay does, after the earlier one where there is one, and judge it."""
    before = _items(case, case.earlier, folder, NOON - DAY) if case.earlier else []
    items = _items(case, case.written, folder, NOON)
    return judge(case.sheet, case.written.places, items, NOON, before), items


def _items(case: Case, written: Written, folder: Path, observed_at: int) -> list[Record | Rejected]:
    path = folder / case.name
    path.write_bytes(written.content)
    settings = case.sheet.settings()
    items = list(read.read(path, lambda platform, header, shop: settings, observed_at))
    path.unlink()
    return items
