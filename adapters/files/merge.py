"""The rows of one order, which may lie far apart in a table, brought together."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec

from adapters.base import Json, Record, Rejected, Snapshot
from adapters.files import waiting
from adapters.files.fields import MOST_LINES
from adapters.files.refusal import Refusal, shown
from adapters.files.states import GONE, MOVED, UNSHIPPED, of_lines
from rules.model import STATUSES

PRIVATE = "\0"
"""What the names of facts begin with that the parsers tell each other; none of them leaves the parsers."""
GOODS = f"{PRIVATE}goods"
"""The price of all goods of the order, where a file says it: it tells whether a row stands twice by mistake."""

Amounts = Literal["lines", "order"]
MONEY = ("paid_minor", "shipping_minor", "received_minor")
_EARLIEST = ("placed_at", "paid_at", f"{PRIVATE}placed", f"{PRIVATE}paid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """How the rows of one table make orders.

    `own_ids`: a line's id is the file's own, so a second row of it is the same line again. `amounts`: whether
    each row holds its own line's amount or repeats the order's; what is not said there is found out from the
    table, and only where it shows nothing `likely` counts.
    """

    own_ids: bool
    amounts: Mapping[str, Amounts] = field(default_factory=dict)
    likely: Mapping[str, Amounts] = field(default_factory=dict)


def by_order(
    parts: Iterable[Record | Rejected], how: Rows, source: str, held: int = waiting.HELD
) -> Iterator[Record | Rejected]:
    """One snapshot per order and instant, in the order of first rows; all else passes first.

    More than `held` rows wait on the disk.
    """
    with closing(waiting.Waiting(MONEY, MOST_LINES, held)) as rows:
        for part in parts:
            if isinstance(part, Snapshot):
                rows.add(part)
            else:
                yield part
        if len(how.amounts) < len(MONEY):
            found: dict[str, Amounts] = dict.fromkeys(rows.differ(), "lines")
            how = replace(how, amounts={**how.likely, **found, **how.amounts})
        for order in rows.orders():
            yield _order(order, how, source)


def _order(rows: list[Snapshot], how: Rows, source: str) -> Snapshot | Rejected:
    if len(rows) <= MOST_LINES:
        return merged(rows, how)
    reason = f"order {shown(rows[0].order_id)} has more than {MOST_LINES} rows"
    return Refusal(reason, "look whether order_id is the right column").rejected(source)


def merged(rows: list[Snapshot], how: Rows) -> Snapshot:
    """One order from the snapshots of its rows, each with the status and amounts of its own line."""
    if len(rows) > 1:
        rows = _once(_told(rows), how)
    if len(rows) > 1:
        rows = [_together(rows, how)]
    (order,) = rows
    if GOODS in order.fields:
        order = replace(order, fields={name: value for name, value in order.fields.items() if name != GOODS})
    return order if how.own_ids or not order.lines or order.counted else replace(order, counted=True)


def _together(rows: list[Snapshot], how: Rows) -> Snapshot:
    live = [row for row in rows if row.fields.get("status") not in GONE]
    facts: dict[str, Json] = {}
    for row in rows:
        facts |= {name: value for name, value in row.fields.items() if value is not None}
    if (status := of_lines([str(row.fields["status"]) for row in rows if row.fields.get("status")])) is not None:
        facts["status"] = status
    due = _numbers([row for row in live if row.fields.get("status", "paid") in UNSHIPPED] or rows, "ship_by")
    facts |= {"ship_by": min(due)} if due else {}
    for name in _EARLIEST:
        facts |= {name: min(known)} if (known := _numbers(rows, name)) else {}
    facts.pop("shipped_at", None)
    shipped = _numbers(live or rows, "shipped_at")
    if shipped and status not in UNSHIPPED and (status is not None or len(shipped) == len(rows)):
        facts["shipped_at"] = max(shipped)
    _stages(facts, rows)
    if any("flags" in row.fields for row in rows):
        facts["flags"] = sorted({flag for row in rows for flag in words(row.fields.get("flags"))})
    remarks = dict.fromkeys(str(row.fields["remark"]) for row in rows if row.fields.get("remark"))
    facts |= {"remark": " / ".join(remarks)} if remarks else {}
    for name in MONEY:
        _amount(facts, live or rows, name, how.amounts.get(name))
    return replace(rows[0], fields=facts, lines=_lines(rows))


def _stages(facts: dict[str, Json], rows: list[Snapshot]) -> None:
    """Times of a life beyond payment are the order's once every row that has any has them; the last counts."""
    lives = [row for row in rows if any(name.startswith(PRIVATE) for name in row.fields)]
    for name in [name for name in facts if name.startswith(PRIVATE) and name not in (*_EARLIEST, GOODS)]:
        known = _numbers(lives, name)
        if len(known) == len(lives):
            facts[name] = max(known)
        else:
            del facts[name]


def _told(rows: list[Snapshot]) -> list[Snapshot]:
    """The rows with a status each: one that says none, as further rows of an order often do, is as far as the order."""
    last = next((row.fields["status"] for row in rows if row.fields.get("status")), None)
    told: list[Snapshot] = []
    for row in rows:
        last = row.fields.get("status") or last
        told.append(row if last is None else replace(row, fields={**row.fields, "status": last}))
    return told


def _once(rows: list[Snapshot], how: Rows) -> list[Snapshot]:
    """The rows, each line once: by its own id, else only where the order's total shows that a row stands twice."""
    if how.own_ids:
        lines: dict[tuple[str, ...], list[Snapshot]] = {}
        for row in rows:
            lines.setdefault(tuple(row.lines), []).append(row)
        return [_further(again) for again in lines.values()]
    unique = list({msgspec.json.encode((row.fields, row.lines)): row for row in rows}.values())
    totals = _totals(rows[0], how)
    return unique if _goods(unique) in totals and _goods(rows) not in totals else rows


def _further(again: list[Snapshot]) -> Snapshot:
    """One line told more than once: the further state, of equals the later row; what it leaves out, the others say."""
    again = sorted(again, key=lambda row: _rank(row.fields.get("status")))
    facts: dict[str, Json] = {}
    lines: dict[str, Mapping[str, Json]] = {}
    for row in again:
        facts |= row.fields
        lines |= {line_id: {**lines.get(line_id, {}), **line} for line_id, line in row.lines.items()}
    return replace(again[-1], fields=facts, lines=lines)


def _rank(status: Json) -> int:
    return STATUSES.index(str(status)) if status else -1


def _totals(row: Snapshot, how: Rows) -> set[int | None]:
    """What all goods of the order may cost, by its own totals."""
    said = {_number(row, GOODS)}
    paid, postage = _number(row, "paid_minor"), _number(row, "shipping_minor")
    if how.amounts.get("paid_minor") != "lines" and paid is not None:
        said |= {paid, paid - (postage or 0)}
    return said - {None}


def _goods(rows: list[Snapshot]) -> int | None:
    """Price times quantity over all lines; None when one has no price."""
    prices = [
        (line.get("unit_minor"), 1 if line.get("quantity") is None else line["quantity"])
        for row in rows
        for line in row.lines.values()
    ]
    known = [unit * count for unit, count in prices if isinstance(unit, int) and isinstance(count, int)]
    return sum(known) if known and len(known) == len(prices) else None


def _amount(facts: dict[str, Json], rows: list[Snapshot], name: str, amounts: Amounts | None) -> None:
    """The order's own amount: a repeated one as it stands, a line's added up; unsure postage is left out."""
    known = _numbers(rows, name)
    facts.pop(name, None)
    if not known or (amounts == "lines" and len(known) < len(rows)):
        return
    once = len(set(known)) == 1 and amounts != "lines"
    if once and amounts is None and len(known) == len(rows):
        once = any(_goods([row]) != amount for row, amount in zip(rows, known, strict=True))
    if once:
        facts[name] = known[0]
    elif name != "shipping_minor" or sum(amount > 0 for amount in known) <= 1:
        facts[name] = sum(known)


def _lines(rows: list[Snapshot]) -> dict[str, Mapping[str, Json]]:
    """All lines by id; a second line of the same id gets a number, always the same in the same file."""
    lines: dict[str, Mapping[str, Json]] = {}
    for row in rows:
        for line_id, line in row.lines.items():
            count = sum(known == line_id or known.startswith(f"{line_id}#") for known in lines)
            lines[f"{line_id}#{count + 1}" if count else line_id] = _as_far(line, row.fields.get("status"))
    return lines


def _as_far(line: Mapping[str, Json], status: Json) -> Mapping[str, Json]:
    """The line with what its row's status says of its units, unless it says so itself."""
    quantity = 1 if line.get("quantity") is None else line["quantity"]
    if not status or status == "partly_shipped":
        return line
    shipped, gone = status in MOVED, status in GONE
    return {"shipped_quantity": quantity if shipped else 0, "refunded_quantity": quantity if gone else 0, **line}


def _number(row: Snapshot, name: str) -> int | None:
    value = row.fields.get(name)
    return value if isinstance(value, int) else None


def _numbers(rows: list[Snapshot], name: str) -> list[int]:
    return [value for row in rows if (value := _number(row, name)) is not None]


def words(value: Json) -> list[str]:
    """A list of words as it stands in a fact; nothing for any other value."""
    return [str(one) for one in value] if isinstance(value, list) else []
