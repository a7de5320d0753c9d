"""The gate every message to a buyer passes: channel, intent, and the words themselves (design §7).

What a platform forbids is data in its pack's [contact] table. On Pinduoduo telling a buyer "no stock", asking
for a swap or a cancellation is itself the violation (P31, P34); on Taobao, Tmall and JD admitting it turns
late into stock-out (P10, P12, P42). The words are judged by `rules.linter`.
"""

from dataclasses import dataclass

from rules.linter import lint
from rules.model import Violation
from rules.packdata import Tool
from rules.packs import Pack

TASK = "task"
"""The channel of a work item for a person, who acts through the platform's own tool."""
APPLY = "apply_to_platform"
"""The one intent whose text is for the platform, which must be told plainly: not linted."""


_OUTSIDE = frozenset({"sms", "email"})
"""Channels by which nothing is given away: marketing there needs a consent, and no feed tells of one (P72, N11)."""


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
    *,
    settled: bool = True,
) -> Verdict:
    """Whether a message about `violation` may go out by `channel` with this intent and text.

    `enabled` names channels of the pack's `off_by_default` that the seller switched on; `settled`: the money a
    goodwill message may speak of is paid. Without a text only
    channel and intent are judged; the rendered text must pass again before it is sent. Never raises.
    """
    rules = pack.contact
    intents = rules.intents.get(violation, ())
    if channel == TASK and intent in rules.tasks.get(violation, ()):
        return ALLOWED if text is None or intent == APPLY else _judge(pack, intent, text, settled)
    if not intents and violation is Violation.STOCK_OUT and rules.admits_no_stock == "violation":
        return Verdict(False, "ADMITS_NO_STOCK")
    switched_on = channel in rules.off_by_default and channel in enabled
    if not (channel == TASK or channel in rules.channels or switched_on):
        return Verdict(False, "CHANNEL_NOT_ALLOWED")
    if intent not in intents or (intent == "goodwill" and channel in _OUTSIDE):
        return Verdict(False, "INTENT_NOT_ALLOWED")
    return ALLOWED if text is None else _judge(pack, intent, text, settled)


def negotiation(pack: Pack, violation: Violation) -> Tool | None:
    """The platform's own tool to agree a new date, or None where it has none (P22, P35, P59)."""
    for tool in pack.tools:
        if tool.tool in ("agree_ship_date", "delay_ship") and violation in tool.violations:
            return tool
    return None


def _judge(pack: Pack, intent: str, text: str, settled: bool) -> Verdict:
    found = lint(pack, text, intent, settled=settled)
    return Verdict(False, found[0]) if found else ALLOWED
