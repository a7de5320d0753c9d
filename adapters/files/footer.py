"""Rows of a table that are no orders: padding, totals, notes below the last row. Told by kind, not by their place."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from adapters.files.cells import MISSING
from adapters.files.sheet import Broken, Row

NAME = "(rows that are no orders)"
"""Under what such rows are counted among the inputs that were dropped."""

_WORDS = re.compile(
    r"^\W*(?:grand |sub)?-?(?:totals?|sum|summe|count|average|records?|rows?|orders?|seller id)\b"
    r"|^\W*(?:exported|generated|printed|page)\b|\brecord\(?s?\)? downloaded"
    r"|^\W*(?:合计|总计|小计|共计|汇总|总数|导出时间|制表|备注|说明|注)(?:\W|$|\d)|^共.{0,12}[条笔单个行]|^total|^gesamt|^insgesamt",
    re.IGNORECASE,
)
_SUM = re.compile(r"[\d.,'¥￥$€£ ]+")
_DATED = re.compile(r"\d|[A-Z][a-z]{2,8}\b")
_LABEL = re.compile(r"(?<!\d)[:：]|[:：](?!\d)")
"""A colon that belongs to no time of day."""
_WORDY = frozenset({"字", " ", ":", "："})
_MANY = 1_000
_BARE = re.compile(r"\W*(?:(?:grand |sub)?-?totals?|sum|summe|合计|总计|小计|共计|汇总|本页合计)\W*", re.IGNORECASE)


@dataclass(slots=True)
class Ids:
    """What the ids of a table's orders are made of, so far: an id of other stuff is none of theirs.

    They are taken apart only when somebody asks, or many have come: in a clean file nobody asks.
    """

    _known: set[str] = field(default_factory=set)
    _new: list[str] = field(default_factory=list)

    def add(self, order_id: str) -> None:
        self._new.append(order_id)
        if len(self._new) >= _MANY:
            self._take_apart()

    @property
    def known(self) -> set[str]:
        """The stuff of all ids that were added."""
        if self._new:
            self._take_apart()
        return self._known

    def _take_apart(self) -> None:
        self._known |= _stuff("".join(self._new))
        self._new.clear()

    def strange(self, order_id: str) -> bool:
        """Whether this is no id beside those before: without a digit, or of words, blanks and colons, as they are not.

        As the first of all it must be nothing but a word such as Total.
        """
        if not self.known:
            return bare(order_id)
        stuff = _stuff(order_id)
        return bool((stuff - self.known) & _WORDY) or bool({"0"} & self.known - stuff)

    def no_order(self, own: str | None, texts: Iterable[str], told: frozenset[str]) -> bool:
        """Whether a row is padding, a total or a note. `own`: its id, `texts`: its cells, `told`: what else it tells.

        That is a known `state`, a `time`, `goods`, or a state that is not known (`text`); amounts are for totals too.
        """
        if "state" in told:
            return False
        filled = [text for text in texts if text not in MISSING]
        word = any(map(bare, filled))
        if own is None:
            return word or not told or (len(filled) == 1 and note(filled[0])) or _tally(filled)
        if (word or (worded(own) and self.strange(own))) and "time" not in told:
            return True
        alone = len(filled) == 1 and bool(_stuff(own) - self.known)
        return not told and (self.strange(own) or (alone if self.known else _tally(filled)))


def half(row: Row | Broken) -> bool:
    """Whether a row breaks off and is no note: half an order, to be refused by name whatever it still tells."""
    filled = [text for text in row.cells.values() if text not in MISSING] if isinstance(row, Broken) else []
    return bool(filled) and not any(worded(text) or _LABEL.search(text) for text in filled)


def worded(text: str) -> bool:
    """Whether a text is what stands in the first cell of a totals row or a note."""
    return bool(_WORDS.search(text.strip()))


def bare(text: str) -> bool:
    """Whether a text is such a word and nothing else, wherever it stands in a row."""
    return bool(_BARE.fullmatch(text.strip()))


def _tally(filled: Sequence[str]) -> bool:
    """Whether a row is a note and sums, and nothing else."""
    return any(map(worded, filled)) and all(map(note, filled))


_KINDS = {code: "0" if chr(code).isdigit() else "a" for code in range(128) if chr(code).isalnum()}


def dated(text: str | None) -> bool:
    """Whether a cell begins as a time does; `to Nov-28-26` is what a note says."""
    return bool(text and _DATED.match(text))


def note(text: str) -> bool:
    """Whether a text that stands alone in its row is a note or a sum, and not a thing that was sold."""
    return worded(text) or ":" in text or "：" in text or bool(_SUM.fullmatch(text))


def _stuff(order_id: str) -> set[str]:
    """What it is made of: digits as 0, letters as a, other scripts as 字, every other character as itself."""
    stuff = set(order_id.translate(_KINDS))
    return stuff if order_id.isascii() else {"字" if char > "\x7f" and char.isalpha() else char for char in stuff}
