"""The gate every message to a buyer passes: channel, intent, and the words themselves (design §7).

What a platform forbids is data in its pack's [contact] table. On Pinduoduo telling a buyer "no stock", asking
for a swap or a cancellation is itself the violation (P31, P34); on Taobao, Tmall and JD admitting it turns
late into stock-out (P10, P12, P42). The linter is substring and digit work on folded text: it would rather
refuse a harmless sentence than let an admission through.
"""

from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize

from rules import packs
from rules.model import Violation
from rules.packdata import Reason, Tool
from rules.packs import Pack

TASK = "task"
"""The channel of a work item for a person, who acts through the platform's own tool."""
APPLY = "apply_to_platform"
"""The one intent whose text is for the platform, which must be told plainly: not linted."""

EXCUSED: dict[str, tuple[str, ...]] = {
    "PROMISES_PAYOUT": ("goodwill", "offer_refund"),
    "ASKS_TO_CANCEL": ("offer_refund",),
    "ASKS_TO_SWAP": ("offer_reship", "offer_swap"),
}
"""Intents whose very purpose is what the lint looks for; the pack decides where they are allowed."""

_SHORT = 6
"""ASCII phrases shorter than this must start a word: "qq" may not be found across two words."""
_DIGITS = str.maketrans("〇零一二三四五六七八九幺", "001234567891")


@dataclass(frozen=True)
class Verdict:
    """Whether a message may leave, and why not: an UPPER_SNAKE reason code."""

    allowed: bool
    reason: str


ALLOWED = Verdict(True, "ALLOWED")


def gate(
    pack: Pack,
    violation: Violation,
    channel: str,
    intent: str,
    text: str | None = None,
    enabled: frozenset[str] = frozenset(),
) -> Verdict:
    """Whether a message about `violation` may go out by `channel` with this intent and text.

    `enabled` names channels of the pack's `off_by_default` that the seller switched on. Without a text only
    channel and intent are judged; the rendered text must pass again before it is sent. Never raises.
    """
    rules = pack.contact
    intents = rules.intents.get(violation, ())
    if channel == TASK and intent in rules.tasks.get(violation, ()):
        return ALLOWED if text is None or intent == APPLY else _judge(pack, intent, text)
    if not intents and violation is Violation.STOCK_OUT and rules.admits_no_stock == "violation":
        return Verdict(False, "ADMITS_NO_STOCK")
    switched_on = channel in rules.off_by_default and channel in enabled
    if not (channel == TASK or channel in rules.channels or switched_on):
        return Verdict(False, "CHANNEL_NOT_ALLOWED")
    if intent not in intents:
        return Verdict(False, "INTENT_NOT_ALLOWED")
    return ALLOWED if text is None else _judge(pack, intent, text)


def negotiation(pack: Pack, violation: Violation) -> Tool | None:
    """The platform's own tool to agree a new date, or None where it has none (P22, P35, P59)."""
    for tool in pack.tools:
        if tool.tool in ("agree_ship_date", "delay_ship") and violation in tool.violations:
            return tool
    return None


def _judge(pack: Pack, intent: str, text: str) -> Verdict:
    found = lint(pack, text, intent)
    return Verdict(False, found[0]) if found else ALLOWED


def lint(pack: Pack, text: str, intent: str = "") -> tuple[Reason, ...]:
    """Everything the platform forbids in a text, the gravest first; () when it may be sent."""
    folded = normalize("NFKC", text).casefold()
    compact = "".join(filter(str.isalnum, folded))
    words = "".join(char if char.isalnum() else " " for char in folded)
    found = []
    for name in pack.contact.lints:
        if intent in EXCUSED.get(name, ()):
            continue
        phrases = (*shared_phrases(name), *pack.contact.phrases.get(name, ()))
        outside = name == "OFF_PLATFORM_CONTACT" and (_has_phone(folded) or _has_address(folded))
        if outside or any(_says(compact, words, phrase) for phrase in phrases):
            found.append(name)
    return tuple(found)


@lru_cache(maxsize=16)
def shared_phrases(name: Reason) -> tuple[str, ...]:
    """The phrase list of a lint that all packs share, kept in the generic pack."""
    return packs.load("generic").contact.phrases.get(name, ())


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
