"""How a table writes its times, amounts and ids: read one way, by the whole column, or refused with how to state it.

A text that can be read only one way is read so. Of one that can be two things (05/11/2026, 129.000) the other
cells of the file decide: they are looked at once, when the first such text comes. Clean files are never read twice.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from adapters.base import ShopSettings
from adapters.files import amounts, cells, dates, naming
from adapters.files.book import Typed
from adapters.files.cells import Kind
from adapters.files.refusal import Refusal, culprit, shown
from adapters.files.sheet import Row, Table

OPTIONS = frozenset({"dates", "decimal"})
"""What a shop may state of its notation."""

_EXACT = 15
"""So many digits of a number a spreadsheet keeps; the rest become zeros."""
_SURE_ZEROS = 3
"""So many zeros in all, where digits are to be expected, are no chance (one in a thousand)."""
_AFTER_YEAR = frozenset("-/.年")
_DISTINCT = 10_000


class Stated(NamedTuple):
    """What a shop says of its notation (None: not said), its zone, and the digits of its currency's minor unit."""

    order: dates.Order | None
    mark: amounts.Mark | None
    zone: ZoneInfo | None
    currency: str | None


def stated(settings: ShopSettings) -> Stated:
    """What a shop states. Raises ValueError with the option, what is wrong and what to write."""
    said = settings.options
    return Stated(
        order=dates.order_of(said["dates"]) if "dates" in said else None,
        mark=amounts.mark_of(said["decimal"]) if "decimal" in said else None,
        zone=naming.zone(settings),
        currency=said.get("currency"),
    )


def rows(
    table: Table, wanted: Set[str], essential: Set[str], kinds: Mapping[str, Kind], settings: ShopSettings
) -> Iterator[Row | Refusal]:
    """The rows of a table, times as ISO text and amounts with a decimal point; `kinds` by column.

    A row of descriptions right under the header (no digit where numbers are to be) is left out.
    """
    reading = _Reading(table, {name: kind for name, kind in kinds.items() if name in table.header}, stated(settings))
    for place, row in enumerate(table.rows(wanted, essential)):
        if isinstance(row, Refusal):
            yield row
        elif place > 0 or not reading.describes(row):
            try:
                yield reading.row(row)
            except Refusal as refusal:
                refusal.line = row.line
                yield refusal


@dataclass(slots=True)
class _Found:
    """What the cells of a whole table allow: orders of dates by column, decimal marks, and how long ids end."""

    orders: dict[str, set[dates.Order]] = field(default_factory=dict)
    marks: frozenset[amounts.Mark] = frozenset(amounts.MARKS)
    long_ids: dict[str, set[str]] = field(default_factory=dict)

    def order(self, column: str) -> dates.Order | None:
        """The order of a column's dates: its own, else that of all other columns that have one."""
        own = self.orders.get(column, set())
        if len(own) == 1:
            return next(iter(own))
        others = {next(iter(one)) for one in self.orders.values() if len(one) == 1}
        return next(iter(others)) if len(others) == 1 and others <= own else None

    def spoilt(self, column: str) -> bool:
        """Whether the long ids of a column end in zeros more often than by chance: a spreadsheet rounded them."""
        ids = self.long_ids.get(column, set())
        zeros = [one for one in ids if _ends_in_zeros(one)]
        return len(zeros) * 2 > len(ids) and sum(len(one) - _EXACT for one in zeros) >= _SURE_ZEROS


class _Reading:
    """One table being read."""

    def __init__(self, table: Table, kinds: Mapping[str, Kind], said: Stated) -> None:
        self._table = table
        self._kinds = kinds
        self._said = said
        self._times, self._amounts, self._ids, self._currencies = (
            [name for name, kind in kinds.items() if kind == one] for one in ("time", "amount", "id", "currency")
        )

    def describes(self, row: Row) -> bool:
        """Whether a row tells what the columns are for."""
        texts = [row.cells[name] for name, kind in self._kinds.items() if kind != "currency" and row.cells.get(name)]
        return len(texts) > 1 and not any(char.isdigit() for text in texts for char in text)

    def row(self, row: Row) -> Row:
        """The row with its times and amounts in one notation; raises Refusal for a text that can be two things."""
        read = row.cells
        changed: dict[str, str] = {}
        for name in self._times:
            text = read.get(name, "")
            if not _is_year_first(text) and text not in cells.MISSING:
                changed[name] = self._time(text, name)
        for name in self._amounts:
            text = read.get(name, "")
            if (self._said.mark or not amounts.is_plain(text)) and text not in cells.MISSING:
                changed[name] = self._amount(text, name, row)
        for name in self._ids:
            text = read.get(name, "")
            if len(text) > _EXACT and _ends_in_zeros(text) and self._found.spoilt(name):
                raise Refusal(
                    f"{shown(name)} {culprit(text)} has lost its last digits: a spreadsheet made zeros of them",
                    "export again and do not save the file in a spreadsheet, or format the column as text first",
                )
        return Row(row.line, {**read, **changed}) if changed else row

    def _time(self, text: str, column: str) -> str:
        if isinstance(text, Typed):
            return text
        found = dates.readings(text, self._said.zone)
        if self._said.order and found:
            if self._said.order not in found:
                raise Refusal(
                    f"{shown(column)} {culprit(text)} is no date as the shop states it",
                    f"correct dates of the shop, or the cell: it is read as {' '.join(self._said.order)}",
                )
            return found[self._said.order]
        if len(set(found.values())) > 1:
            order = self._found.order(column)
            if order is None or order not in found:
                raise Refusal(
                    f"{shown(column)} {culprit(text)} can be two days",
                    'state how the shop writes dates: dates = "DD/MM/YYYY" or dates = "MM/DD/YYYY"',
                )
            return found[order]
        return next(iter(found.values()), text)

    def _amount(self, text: str, column: str, row: Row) -> str:
        if isinstance(text, Typed):
            return text
        found = amounts.apart(text)
        if found is None:
            return text
        currency = self._currency(row)
        if found.currency and currency and found.currency != currency:
            raise Refusal(
                f"{shown(column)} is in {found.currency}, but the shop's currency is {currency}",
                "correct currency of the shop, or map the column that names it",
            )
        possible = amounts.marks(found.number, amounts.digits(currency))
        if self._said.mark:
            possible = possible & {self._said.mark}
        values = {amounts.plain(found.number, mark) for mark in possible}
        if len(values) > 1:
            values = {amounts.plain(found.number, mark) for mark in possible & self._found.marks}
        if len(values) > 1 or not self._found_once(possible, values):
            raise Refusal(
                f"{shown(column)} {culprit(text)} can be two amounts",
                'state the decimal mark of the shop: decimal = "." or decimal = ","',
            )
        return next(iter(values), None) or text

    def _currency(self, row: Row) -> str | None:
        """The row's currency, else the shop's."""
        named = next((text for name in self._currencies if (text := row.cells.get(name))), None)
        return named.upper() if named else self._said.currency

    def _found_once(self, possible: Set[amounts.Mark], values: Set[str | None]) -> bool:
        """Whether something is left to read; a text that no mark fits is told as it stands, by whoever takes it."""
        return bool(values) or not possible

    @cached_property
    def _found(self) -> _Found:
        """What all cells of the table allow, told by reading it once through."""
        found = _Found()
        again = replace(self._table, records=self._table.again())
        for row in again.rows(self._kinds):
            if isinstance(row, Row):
                for name, kind in self._kinds.items():
                    text = row.cells.get(name, "")
                    if text not in cells.MISSING and not isinstance(text, Typed):
                        self._note(found, kind, name, text, row)
        return found

    def _note(self, found: _Found, kind: Kind, name: str, text: str, row: Row) -> None:
        if kind == "time":
            read = {} if text[:4].isdigit() else dates.readings(text, self._said.zone)
            if 0 < len(read) < len(dates.ORDERS) or len(set(read.values())) > 1:
                found.orders.setdefault(name, set(dates.ORDERS)).intersection_update(read)
        elif kind == "amount":
            if (amount := amounts.apart(text)) and (
                marks := amounts.marks(amount.number, amounts.digits(self._currency(row)))
            ):
                found.marks = found.marks & marks
        elif kind == "id" and len(text) > _EXACT and text.isdigit():
            ids = found.long_ids.setdefault(name, set())
            if len(ids) < _DISTINCT:
                ids.add(text)


def _is_year_first(text: str) -> bool:
    return text[4:5] in _AFTER_YEAR and text[:4].isdigit()


def _ends_in_zeros(text: str) -> bool:
    return text.isdigit() and not text[_EXACT:].strip("0")
