"""Rows of a table that are no orders: padding, totals, notes below the last row. Told by kind, not by their place."""

import re
from dataclasses import dataclass, field

NAME = "(rows that are no orders)"
"""Under what such rows are counted among the inputs that were dropped."""

_WORDS = re.compile(
    r"^\W*(?:grand |sub)?-?(?:totals?|sum|summe|count|average|records?|rows?|orders?|seller id)\b"
    r"|^\W*(?:exported|generated|printed|page)\b|\brecord\(?s?\)? downloaded"
    r"|^\W*(?:合计|总计|小计|共计|汇总|总数|导出时间|制表|备注|说明|注)(?:\W|$|\d)|^共.{0,12}[条笔单个行]|^total|^gesamt|^insgesamt",
    re.IGNORECASE,
)
_WORDY = frozenset({"字", " ", ":", "："})
_BARE = re.compile(r"\W*(?:(?:grand |sub)?-?totals?|sum|summe|合计|总计|小计|共计|汇总|本页合计)\W*", re.IGNORECASE)


@dataclass(slots=True)
class Ids:
    """What the ids of a table's orders are made of, so far: an id of other stuff is none of theirs."""

    known: set[str] = field(default_factory=set)

    def add(self, order_id: str) -> None:
        self.known |= _stuff(order_id)

    def strange(self, order_id: str) -> bool:
        """Whether this is no id beside those before: without a digit, or of words, blanks and colons, as they are not.

        As the first of all it must be a word such as Total.
        """
        if not self.known:
            return worded(order_id)
        stuff = _stuff(order_id)
        return bool((stuff - self.known) & _WORDY) or bool({"0"} & self.known - stuff)


def worded(text: str) -> bool:
    """Whether a text is what stands in the first cell of a totals row or a note."""
    return bool(_WORDS.search(text.strip()))


def bare(text: str) -> bool:
    """Whether a text is such a word and nothing else, wherever it stands in a row."""
    return bool(_BARE.fullmatch(text.strip()))


_KINDS = {code: "0" if chr(code).isdigit() else "a" for code in range(128) if chr(code).isalnum()}


def _stuff(order_id: str) -> set[str]:
    """What it is made of: digits as 0, letters as a, other scripts as 字, every other character as itself."""
    stuff = set(order_id.translate(_KINDS))
    return stuff if order_id.isascii() else {"字" if char > "\x7f" and char.isalpha() else char for char in stuff}
