"""What became of each order of a file: right, refused, counted as unwatched, or silently different."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.base import Json, Record, Rejected, Snapshot
from rules import deadline, packs, unwatched
from rules.model import Order
from rules.snapshot import Known, nest
from tests.adapters.fuzz.sheet import Sheet

Place = tuple[int, int]


@dataclass(slots=True)
class Verdict:
    """Counts of orders, and every silent difference in words."""

    right: int = 0
    refused: int = 0
    unwatched: int = 0
    silent: list[str] = field(default_factory=list)
    needless: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Seen:
    """One order as it is known after its files. `said`: the names that the last one told."""

    fields: dict[str, Json]
    lines: dict[str, dict[str, Json]]
    said: frozenset[str]


def judge(
    sheet: Sheet,
    places: Sequence[Place],
    items: Sequence[Record | Rejected],
    observed_at: int,
    before: Sequence[Record | Rejected] = (),
) -> Verdict:
    """Compare what was read, and before it from an earlier file, with the truth."""
    said = [item for item in items if isinstance(item, Rejected)]
    seen = _folded(items, before)
    verdict = Verdict()
    verdict.silent += [f"order {own!r} was invented" for own in seen if own not in sheet.expected]
    wrong_time = {item.observed_at for item in items if isinstance(item, Snapshot)} - {observed_at}
    verdict.silent += [f"read as of {at}, not {observed_at}" for at in wrong_time]
    for own, truth in sheet.expected.items():
        lines = [places[at] for at, row in enumerate(sheet.rows) if row.owner == own]
        _one(verdict, sheet, own, truth, seen.get(own), _refusals(said, lines, places[0][0] - 1))
    if sheet.plain and said:
        verdict.needless += [f"line {one.line}: {one.reason}" for one in said]
    return verdict


def _folded(items: Sequence[Record | Rejected], before: Sequence[Record | Rejected]) -> dict[str, Seen]:
    """The orders of the last file as ingest keeps them, by the rule that it has for what was said over time."""
    known: dict[str, Known] = {}
    said: dict[str, set[str]] = {}
    for item in (*before, *items):
        if isinstance(item, Snapshot):
            one = known.setdefault(item.order_id, Known(observed_at=item.observed_at))
            one.merge(item.fields, item.lines, item.observed_at, counted=item.counted)
    for item in items:
        if isinstance(item, Snapshot):
            said.setdefault(item.order_id, set()).update(item.fields, ["lines"] if item.lines else [])
    return {own: _seen(nest(known[own].facts), frozenset(names)) for own, names in said.items()}


def _seen(order: Mapping[str, Any], said: frozenset[str]) -> Seen:
    fields = dict(order)
    return Seen(fields, {line["line_id"]: line for line in fields.pop("lines")}, said)


def _refusals(said: Sequence[Rejected], lines: Sequence[Place], header: int) -> tuple[bool, bool]:
    """Whether a row of the order was refused, and whether the file or a column of it was."""
    own = any(one.line is not None and first <= one.line <= last for one in said for first, last in lines)
    whole = any(one.line is None or one.line <= header or "column" in one.reason for one in said)
    return own, whole


def _one(
    verdict: Verdict, sheet: Sheet, own: str, truth: Mapping[str, object], seen: Seen | None, said: tuple[bool, bool]
) -> None:
    row_said, file_said = said
    if seen is None:
        if row_said or file_said:
            verdict.refused += 1
        else:
            verdict.silent.append(f"order {own!r} is gone without a word")
        return
    missing, wrong = [], []
    for name, value, found in _compared(truth, seen):
        if found != value:
            gone = found is None or name not in seen.said
            (missing if gone else wrong).append(f"{name} {found!r} instead of {value!r}")
    foreign = list(_foreign(sheet, own, seen))
    if not (missing or wrong or foreign):
        verdict.right += 1
    elif foreign:
        verdict.silent.append(f"order {own!r} has another's: {', '.join(foreign)}")
    elif row_said or (file_said and not wrong):
        verdict.refused += 1
    elif not wrong and _gap(sheet, own, seen) is not None:
        verdict.unwatched += 1
    else:
        verdict.silent.append(f"order {own!r}: {'; '.join(wrong + missing)}")


def _compared(truth: Mapping[str, object], seen: Seen) -> Iterator[tuple[str, object, object]]:
    for name, value in truth.items():
        if name == "lines":
            yield name, value, _lines(value, seen)
        else:
            unknown = name == "status" and seen.fields.get(name) == "unknown"
            yield name, value, None if unknown else seen.fields.get(name)


def _lines(value: object, seen: Seen) -> object:
    """The lines as the truth has them; None where they only say less than it."""
    found = sorted((str(line.get("sku") or ""), line.get("quantity") or 0) for line in seen.lines.values())
    assert isinstance(value, list)
    skus, counts = [sku for sku, _ in found], [count for _, count in found]
    less = len(found) == len(value) and (not any(skus) or not any(counts))
    known = (skus if any(skus) else counts) if less else found
    same = sorted(sku if any(skus) else count for sku, count in value) if less else value
    return None if not found or (less and sorted(known) == same) else found


def _foreign(sheet: Sheet, own: str, seen: Seen) -> Iterator[str]:
    """Values that only another order of the file has."""
    mine = sheet.expected[own]
    for name in ("placed_at", "paid_at", "ship_by"):
        found = seen.fields.get(name)
        if found is not None and name in mine and found != mine[name]:
            others = (one for key, one in sheet.expected.items() if key != own)
            if found in [one.get(name) for one in others]:
                yield f"{name} {found}"
    skus = {sku for sku, _ in mine.get("lines", ())}  # type: ignore[attr-defined]
    foreign = {sku for key, one in sheet.expected.items() if key != own for sku, _ in one.get("lines", ())}  # type: ignore[attr-defined]
    for line in seen.lines.values():
        if line.get("sku") in foreign - skus:
            yield f"line {line.get('sku')}"


def _gap(sheet: Sheet, own: str, seen: Seen) -> str | None:
    """What keeps the order from being watched, as the daemon would count it."""
    known = {name: value for name, value in seen.fields.items() if name in Order.__dataclass_fields__}
    known |= {"flags": tuple(known.get("flags") or ()), "tags": tuple(known.get("tags") or ())}  # type: ignore[arg-type]
    order = Order(**{"shop": "north", "platform": sheet.platform, "order_id": own, "status": "unknown", **known})  # type: ignore[arg-type]
    return unwatched.gap(order, deadline.deadline(order, packs.load(sheet.platform)).ship_by)
