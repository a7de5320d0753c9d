"""The one error of file parsing: what is wrong, where it stands, how to mend it."""

import re

from adapters.base import Rejected
from adapters.files import privacy

EXPORT_AGAIN = "export the file again and put the whole file here"
SAVE_AGAIN = "open it and save it again as .xlsx or as CSV (UTF-8)"

_SHOWN_CHARS = 40

_TIME = re.compile(
    r"(?:\d{1,2}|\d{4})([-/. ])\d{1,2}\1(?:\d{2}|\d{4})(?:[T ,]+\d{1,2}[:.]\d{2}(?:[:.]\d{2})?.{0,12})?"
    r"|\d{1,2}:\d{2}(?::\d{2})?"
)
_NUMBER = re.compile(r"\D{0,4}\d{1,3}(?:[.,'’]\d{2,3}){0,3}(?:[.,]\d{1,4})?\D{0,4}|\d{1,6}(?:[.,]\d{1,4})?")
_ROUNDED = re.compile(r"\d{15}0+")


class Refusal(Exception):
    """A row, or with it the rest of a file, cannot be used. Texts hold no personal data."""

    def __init__(self, reason: str, mend: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.mend = mend
        self.line = line

    def rejected(self, source: str, line: int | None = None) -> Rejected:
        """The same as a value; `line` fills in where the refusal does not know its own."""
        return Rejected(source=source, line=self.line or line, reason=self.reason, mend=self.mend)


class Cut(Refusal):
    """The file ends or breaks off here; what stands before counts."""


def culprit(value: object) -> str:
    """`value` as the message about a time, an amount or an id may quote it: as it is where it looks like one.

    A mask would hide the very thing that is to be mended; what looks like none may be anybody's number.
    """
    text = str(value)
    looks = _TIME.fullmatch(text) or _NUMBER.fullmatch(text) or _ROUNDED.fullmatch(text)
    return repr(text) if looks and len(text) <= _SHOWN_CHARS and text.isprintable() else shown(value)


def shown(value: object) -> str:
    """`value` as an error message may quote it: short, printable, numbers and addresses masked."""
    text = privacy.mask(str(value)[: 4 * _SHOWN_CHARS])
    text = "".join(char if char.isprintable() else "?" for char in text)
    return repr(text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…")
