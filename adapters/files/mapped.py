"""What a row says by the shop's own map. All that is the same for every row of a table is found out once."""

from collections.abc import Callable, Mapping
from functools import partial

from adapters.base import ColumnMap, Json, ShopSettings
from adapters.files import cells, fields, literal, shopmap, states, texts
from adapters.files.refusal import Refusal, shown
from rules.model import STATUSES

_CANONICAL = fields.ORDER.keys() | fields.LINE.keys() | {"order_id", "lines", "event", "observed_at"}
_LISTS = frozenset({"flags", "tags"})
_TIMES = fields.TIMES | {"observed_at"}

_Read = Callable[[str, str], Json]
"""A cell's text and the currency of its row → the canonical value; raises Refusal."""
_Means = Callable[[str], str | None]


class Map:
    """The map of a shop, ready for a table with a certain header."""

    def __init__(self, settings: ShopSettings, header: frozenset[str]) -> None:
        columns = settings.columns
        apart = {"status", "currency", *shopmap.ENDS}
        self.settings = settings
        self.key = tuple(one for one in shopmap.key(settings) if one in header)
        self._facts = [(name, _readers(name, one, header)) for name, one in columns.items() if name not in apart]
        self._major = frozenset(name for name in shopmap.MONEY & columns.keys() if columns[name].unit == "major")
        self._status = [(one.column, _words(one)) for one in _all(columns.get("status"))]
        self._ends = [(columns[name].column, state) for name, state in shopmap.ENDS.items() if name in columns]
        self._currency = next(((one.column, _words(one)) for one in _all(columns.get("currency"))), None)
        self._line_only = [name for name in shopmap.LINE_ONLY if name in columns]
        self._keep = sorted(settings.keep & header - _CANONICAL)

    def status(self, row: dict[str, str]) -> str | None:
        """What the map makes of a row's state: a status, or a flag that stands for one; None when it tells nothing."""
        found = [meant for column, means in self._status if (meant := _known(row, column, means))]
        found += [state for column, state in self._ends if _happened(row, column)]
        if len(found) == 1:
            return found[0]
        flags = [one for one in found if one.startswith(shopmap.FLAG)]
        return flags[0] if flags else states.of_columns(found)

    def said(
        self,
        row: dict[str, str],
        status: str | None,
        *,
        known: bool = False,
        above: Mapping[str, Json] | None = None,
    ) -> dict[str, Json]:
        """The canonical object that a row's cells tell: order fields, and its line's fields under `lines`.

        `status`: what `status` says of the row. `known`: the table is read by others too, so a status that the map
        does not know is theirs. `above`: what the row before told; of the same order it tells the currency too.
        Amounts of an unknown currency are not read.
        """
        currency = self._currency_of(row) or self._currency_above(row, above or {})
        value: dict[str, Json] = {"currency": currency} if currency else {}
        nameless = self._currency is not None and currency is None  # nobody knows its smallest coin
        for name, readers in self._facts:
            if nameless and name in self._major:
                continue
            for column, read in readers:
                if (text := row.get(column, "")) not in cells.MISSING:
                    one = read(text, currency or "")
                    if one is not None or name not in _TIMES:  # a time that says "none" says nothing
                        value[name] = one
                    break
        self._put_status(value, row, status, known)
        if "order_id" not in self.settings.columns and (own := cells.present(row, "order_id")):
            value["order_id"] = own
        if "order_id" in value and (line := {name: value.pop(name) for name in self._line_only if name in value}):
            value["lines"] = [line]
        for name in self._keep:
            if name in row:
                value[name] = row[name]
        return value

    def _put_status(self, value: dict[str, Json], row: dict[str, str], own: str | None, known: bool) -> None:
        """Add the row's status or flag; an unknown text is refused, unless others (`known`) or a history tell it."""
        if own is not None and own.startswith(shopmap.FLAG):
            flags = value.get("flags")
            value["flags"] = [*(flags if isinstance(flags, list) else []), own.removeprefix(shopmap.FLAG)]
        elif own is not None:
            value["status"] = own
        if own in states.GONE or known or self.settings.history:
            return
        for column, means in self._status:
            text = row.get(column, "")
            if text not in cells.MISSING and _known(row, column, means) is None:
                mend = f'add it to the values of status: values = {{ {shown(text)} = "paid" }}'
                raise Refusal(f"status {shown(text)} is not mapped", mend)

    def _currency_of(self, row: dict[str, str]) -> str | None:
        if self._currency is not None and (text := cells.present(row, self._currency[0])):
            return self._currency[1](text) or text.upper()
        return self.settings.options.get("currency")

    def _currency_above(self, row: dict[str, str], above: Mapping[str, Json]) -> str | None:
        own = next((text for column in self.key if (text := cells.present(row, column))), None)
        known = above.get("currency")
        return known if isinstance(known, str) and own in (None, above.get("order_id")) else None


def _all(entry: ColumnMap | None) -> tuple[ColumnMap, ...]:
    return (entry, *entry.also) if entry else ()


def _readers(name: str, entry: ColumnMap, header: frozenset[str]) -> list[tuple[str, _Read]]:
    """The columns of a field that the table has, the first that is filled counts, and how their texts are read."""
    return [(one.column, _reader(name, one)) for one in _all(entry) if one.column in header]


def _reader(name: str, entry: ColumnMap) -> _Read:
    means = _words(entry)
    if name in _LISTS:
        return lambda text, _: literal.of(text if entry.values is None else means(text) or "", name)
    read = _plain_reader(name, entry)
    return (lambda text, currency: read(means(text) or text, currency)) if entry.values else read


def _plain_reader(name: str, entry: ColumnMap) -> _Read:
    """How texts of a field are read that no `values` change."""
    if name in shopmap.MONEY and entry.unit == "major":
        return lambda text, currency: cells.minor(text, name, currency)
    if name in _TIMES:
        return lambda text, _: cells.local_time(text)
    return lambda text, _: literal.of(text, name)


def _words(entry: ColumnMap) -> _Means:
    """What `values` make of a text, whatever its case, blanks and width of marks; None when they do not know it."""
    if not entry.values:
        return _nothing
    alike = {texts.plain(key): value for key, value in reversed(tuple(entry.values.items()))}  # of like keys the first
    return partial(_meaning, entry.values, alike)


def _nothing(_: str) -> None:
    return None


def _meaning(values: Mapping[str, str], alike: Mapping[str, str], text: str) -> str | None:
    return values[text] if text in values else alike.get(texts.plain(text))


def _known(row: dict[str, str], column: str, means: _Means) -> str | None:
    """The status or flag that a cell means, None for none."""
    if (text := row.get(column, "")) in cells.MISSING:
        return None
    meant = means(text) or text
    return meant if meant in STATUSES or meant.startswith(shopmap.FLAG) else None


def _happened(row: dict[str, str], column: str) -> bool:
    text = cells.present(row, column)
    return text is not None and cells.local_time(text) is not None
