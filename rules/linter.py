"""The linter of texts to buyers: what a platform punishes, the phrase that says it, and how to mend it.

Substring and digit work on folded text: it would rather refuse a harmless sentence than let an admission
through. The lists are data: shared ones in the generic pack, each platform's own in its pack.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from unicodedata import normalize

from rules import packs
from rules.packdata import Reason
from rules.packs import Pack

EXCUSED: dict[str, tuple[str, ...]] = {
    "PROMISES_PAYOUT": ("goodwill", "offer_refund"),
    "ASKS_TO_CANCEL": ("offer_refund",),
    "ASKS_TO_SWAP": ("offer_reship", "offer_swap"),
}
"""Intents whose very purpose is what the lint looks for; the pack decides where they are allowed."""
MENDS: Mapping[Reason, str] = {
    "ADMITS_NO_STOCK": "say that shipping takes longer, never why",
    "OFF_PLATFORM_CONTACT": "leave out numbers, addresses and other channels: the buyer answers in the platform's chat",
    "SURCHARGE": "ask for no money and set no condition",
    "FALSE_REASON": "name no reason for a refund: the buyer chooses the true one",
    "ASKS_TO_CANCEL": "leave refund and cancellation to the buyer",
    "ASKS_TO_SWAP": "offer no other goods",
    "PROMISES_PAYOUT": "promise no money; tell it after it is paid, with intent goodwill",
}

_SHORT = 6
"""ASCII phrases shorter than this must start a word: "qq" may not be found across two words."""
_DIGITS = str.maketrans("〇零一二三四五六七八九幺", "001234567891")


class Fault(NamedTuple):
    """Something a text may not say: why, in which words, on which of its lines (from 1), and the mend."""

    reason: Reason
    phrase: str
    line: int

    @property
    def mend(self) -> str:
        """What to write instead."""
        return MENDS[self.reason]


def lint(pack: Pack, text: str, intent: str = "", *, settled: bool = True) -> tuple[Reason, ...]:
    """Everything the platform forbids in a text, the gravest first; () when it may be sent."""
    return tuple(fault.reason for fault in faults(pack, text, intent, settled=settled))


def faults(pack: Pack, text: str, intent: str = "", *, settled: bool = True) -> tuple[Fault, ...]:
    """The same with phrase and line, one of each reason. `settled`: the money the text may speak of is paid."""
    found = []
    whole = _Folded(text)
    for name in pack.contact.lints:
        if intent in EXCUSED.get(name, ()) and (settled or name != "PROMISES_PAYOUT"):
            continue
        phrase = _phrase(whole, name, pack)
        if phrase is not None:
            lines = (n for n, line in enumerate(text.splitlines(), 1) if _phrase(_Folded(line), name, pack))
            found.append(Fault(name, phrase, next(lines, 1)))
    return tuple(found)


@lru_cache(maxsize=16)
def shared_phrases(name: Reason) -> tuple[str, ...]:
    """The phrase list of a lint that all packs share, kept in the generic pack."""
    return packs.load("generic").contact.phrases.get(name, ())


class _Folded:
    """A text as it is compared: NFKC, lower case; without blanks and signs; and with blanks for signs."""

    def __init__(self, text: str) -> None:
        self.folded = normalize("NFKC", text).casefold()
        self.compact = "".join(filter(str.isalnum, self.folded))
        self.words = "".join(char if char.isalnum() else " " for char in self.folded)


def _phrase(text: _Folded, name: Reason, pack: Pack) -> str | None:
    """The words in which the text says it, if it does."""
    if name == "OFF_PLATFORM_CONTACT":
        if _has_phone(text.folded):
            return "a telephone number"
        if _has_address(text.folded):
            return "an e-mail address"
    phrases = (*shared_phrases(name), *pack.contact.phrases.get(name, ()))
    return next((phrase for phrase in phrases if _says(text.compact, text.words, phrase)), None)


@lru_cache(maxsize=1024)
def _compact(phrase: str) -> str:
    return "".join(filter(str.isalnum, phrase.casefold()))


def _says(compact: str, words: str, phrase: str) -> bool:
    """Whether a folded text holds a phrase: anywhere, or for short Latin words only where a word starts."""
    wanted = _compact(phrase)
    if not wanted.isascii() or len(wanted) >= _SHORT:
        return wanted in compact
    place = words.find(wanted)
    while place > 0 and words[place - 1].isascii() and words[place - 1].isalnum():
        place = words.find(wanted, place + 1)
    return place >= 0


def _has_phone(text: str) -> bool:
    """A Chinese mobile number, also spaced, hyphenated, with +86, or written in numerals."""
    plain = text.translate(_DIGITS)
    joined = "".join(char for char in plain if char not in " -.\u2010\u2013")
    return any(_is_mobile(run) for form in (plain, joined) for run in _runs(form))


def _runs(text: str) -> list[str]:
    return "".join(char if char.isdecimal() else " " for char in text).split()


def _is_mobile(digits: str) -> bool:
    if len(digits) in (13, 15):
        digits = digits.removeprefix("00").removeprefix("86")
    return len(digits) == 11 and digits[0] == "1" and digits[1] in "3456789"


def _has_address(text: str) -> bool:
    """An e-mail address: a sign @ between two letters or digits."""
    return any(
        char == "@" and text[:place][-1:].isalnum() and text[place + 1 : place + 2].isalnum()
        for place, char in enumerate(text)
    )
