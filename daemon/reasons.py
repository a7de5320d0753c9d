"""Why something was done or not done: each reason code with the sentence a person reads.

Codes are written by rules and hops, and stay as they are in JSON, logs and evidence. docs/reasons.md lists them.
"""

import re
from collections.abc import Mapping

from daemon import mistakes, words
from daemon.i18n import gettext
from daemon.show import money

REASONS: Mapping[str, str] = {
    # What threatens, or why nothing does.
    "SHIP_BY_NEAR": "the ship-by time is near",
    "ALREADY_LATE": "the ship-by time has passed",
    "LONG_OVERDUE": "its time had passed long before the order was first seen",
    "SCAN_MISSING": "shipped, but the courier has not scanned it",
    "STOCK_SHORT": "the stock on hand does not cover this order",
    "OUT_OF_STOCK_FLAG": "the platform marks it as out of stock",
    "STOCK_KEPT": "the stock on hand is kept for it: its miss costs more than that of others",
    "STOCK_GIVES_WAY": "the stock on hand goes to orders whose miss costs more",
    "SHORT_CLAIMED": "the buyer says goods are missing",
    "WRONG_CLAIMED": "the buyer says the goods are wrong",
    "INTERVENTION_REQUESTED": "the platform has been called in",
    "REFUND_REQUESTED": "the buyer asks for a refund",
    "COMPLAINED": "the buyer has complained to the platform",
    "SCAN_OVERDUE": "the courier should have scanned it by now",
    "TRACK_STANDS": "the parcel has not moved for long",
    "TRACK_OVERDUE": "the parcel stands still longer than the platform allows",
    "NO_TRACKING": "this feed tells nothing of scans or tracks",
    "NOT_COLLECTED": "the courier has not collected it yet",
    "NOT_SHIPPED": "it is not shipped, or not all of it",
    "DELIVERED": "it has been delivered",
    "CLAIM_GONE": "the shop no longer shows the claim",
    "ESCALATED": "the claim got graver: it goes on as a new case",
    "MOVES_AGAIN": "the parcel moves again",
    "NOT_DUE_YET": "there is still enough time",
    "NOT_LATE_YET": "it is not late yet",
    "NOT_SEEN": "nothing points to it",
    "NOT_PAID": "the order is not paid",
    "NO_STATUS": "no data says in what state the order is",
    "NOTHING_OWED": "nothing is left to ship",
    "NO_DEADLINE": "no ship-by time is known",
    "IN_STOCK": "the stock covers it, or is not known",
    "SHIPPED": "it has been shipped",
    "COLLECTED": "the courier has collected it",
    "ORDER_CLOSED": "the order is cancelled or refunded",
    "TOO_OLD": "it is so long past that nothing helps any more",
    "SHIP_BY_MOVED": "the ship-by time has moved",
    "SCAN_UNKNOWN": "marked as shipped, but this data cannot tell whether the courier has scanned it",
    "REOPENED": "the reason for the case came back",
    # What a pack row says.
    "EXEMPT": "an exemption applies",
    "NO_PRICE": "the amount cannot be told from what is known",
    "UNCONFIRMED": "from a source nobody has confirmed",
    # Why a step was dropped.
    "NO_TIME_LEFT": "too late to be of use",
    "MISSED_WHILE_DOWN": "its time passed while Forestall was not running",
    "MISSED_WINDOW": "its time passed before it could be done",
    "ADDED_TOO_LATE": "the step was added to the playbook after its time",
    "ALREADY_UNDER_WAY": "the same was already begun for this order",
    "ALREADY_COMPLAINED": "the buyer has complained already",
    "OPTED_OUT": "the buyer wants no messages",
    "DATE_AGREED": "a new date is agreed",
    "NOTHING_SENT": "no message was sent that could be answered",
    "BUYER_REPLIED": "the buyer has replied",
    "NO_TOOL": "the platform has no tool for a new date here",
    "NO_ATTEMPT_LEFT": "the platform allows no further attempt",
    "DEADLINE_PASSED": "the platform allows this only before the ship-by time",
    "STOCK_OUT_OPEN": "a new date would admit that stock is missing",
    "NO_RULE": "no rule prices this",
    "RULE_NOT_CONFIRMED": "a person must confirm the rule before money moves",
    "INITIATION_UNKNOWN": "it is not known who starts this payout",
    "PLATFORM_PAYS_ITSELF": "the platform deducts it by itself: paying first does not help",
    "WEAK_SOURCE": "the rule's source is too weak to pay by",
    "WAITING_IS_CHEAPER": "waiting costs less than paying",
    "NEW_DATE_IS_CHEAPER": "asking for a new date costs less than paying",
    "BUYER_MUST_ASK": "only the buyer can ask for a refund",
    "NOTHING_TO_PAY": "there is nothing to pay",
    # Why a text or channel was refused.
    "ALLOWED": "allowed",
    "CHANNEL_NOT_ALLOWED": "the platform forbids this channel",
    "INTENT_NOT_ALLOWED": "the platform forbids saying this",
    "ADMITS_NO_STOCK": "the text admits that stock is missing",
    "FALSE_REASON": "the text names a false reason for a refund",
    "ASKS_TO_CANCEL": "the text asks the buyer to cancel",
    "ASKS_TO_SWAP": "the text asks the buyer to take something else",
    "OFF_PLATFORM_CONTACT": "the text names another way of contact",
    "PROMISES_PAYOUT": "the text promises money",
    "TEXT_NOT_APPROVED": "this edition of the text is not approved any more",
    "BUYER_CAP": "the buyer has had as many messages as you allow",
    "QUIET_HOURS": "its hours begin again only when it is too late",
    "SURCHARGE": "the text asks the buyer for more money",
    # Why an alert was sent, or a listing stopped.
    "FIRST_NOTICE": "first notice",
    "NEW_ORDERS": "more orders joined",
    "TIME_RUNNING_OUT": "time is running out",
    "PICKUP_PASSED": "the pick-up has passed",
    "SHIP_BY_PASSED": "the ship-by time has passed",
    "STILL_OPEN": "still open",
    "SNOOZE_OVER": "the snooze is over",
    "DEADLINE_MOVED": "another deadline: nobody has acknowledged or snoozed this one",
    "ALL_RESOLVED": "all is solved",
    "STOCK_OUT": "stock does not cover what is sold",
    "RESTOCKED": "stock is back",
    "NO_MARGIN": "without a margin in the playbook a person weighs what the next sale costs",
    "WORTH_SELLING": "the next sale earns more than it may cost",
    "PROTECTED": "the playbook protects this listing",
    "BY_PERSON": "a person ordered it",
    "UNDO": "a person put it back on sale",
    "LINE_NEAR": "the shop is near a line of the platform",
    "LINE_CROSSED": "the shop is over a line of the platform",
    "SHORT_AGAIN": "stock ran short again before it was sold again",
    "DATA_IS_BACK": "the data is back",
    "SUPERSEDED": "a newer alert says all of it",
    "ORDER_GONE": "the platform no longer knows the order",
    "FEED_STALE": "no new data has come",
    "INPUT_REFUSED": "files or rows could not be used",
    "ORDERS_UNWATCHED": "orders came without what their deadline needs",
    "WAS_DOWN": "Forestall was not running",
    "RECEIVER_SILENT": "a receiver takes no alerts",
    "RECEIVER_IS_BACK": "the receiver takes messages again",
    "CLOCK_SET": "the clock of this computer was set",
    # What became of an action.
    "MODE_SHADOW": "shadow mode: recorded, not done",
    "NO_SINK": "no channel is configured for it",
    "TASK_FOR_A_PERSON": "handed to a person",
    "TASK_DONE": "done by a person",
    "TASK_CANCELLED": "called off by a person",
    "TASK_REOPENED": "open again, says a person",
    "CALL_LOST": "the process ended during the call",
    "CASE_CLOSED": "the case is closed",
    "SHOP_RETIRED": "the shop was given up",
    # What a person did.
    "ACKNOWLEDGED": "a person has seen it",
    "ACK_UNDONE": "to be told again, says a person",
    "SNOOZED": "put off by a person",
    "WOKEN": "woken by a person",
    "HUMAN_TAKEOVER": "a person has taken over",
    "HANDED_BACK": "a person has handed it back",
    "RESOLVED_BY_PERSON": "a person declared it solved",
    # What is wrong with a listing.
    "CUSTOMISED_NOT_PRESALE": "customised goods that are not on presale: publish them as presale with a time",
    "PRESALE_DAYS": "the presale promises fewer or more days than the platform allows",
    "PRESALE_ENDS": "the presale ends within three days: change the listing before it does",
    "TITLE_SAYS_PRESALE": "the title need not say presale: the platform shows it",
}
_SPAN = re.compile(r"(-?\d+)\.\.(-?\d+)")


def sentence(reason: str | None, lang: str | None = None) -> str:
    """The sentence of a reason; several codes give several, parted by semicolons. What a sink answered is no code."""
    if reason and re.split("[ ,]", reason)[0] not in REASONS:
        return mistakes.translated(reason, lang)
    parts = [part for part in (reason or "").split(", ") if part]
    return gettext("; ", lang).join(_one(part, lang) for part in parts) or "–"


def full(reason: str | None, lang: str | None = None) -> str:
    """The code with its sentence, for those who want to look it up."""
    said = sentence(reason, lang)
    if said == (reason or "–"):
        return said
    codes = ", ".join(part.partition(" ")[0] for part in (reason or "").split(", "))
    return words.about(codes, said, lang)


def _one(part: str, lang: str | None) -> str:
    """One code, with the range of money that may follow it."""
    code, _, rest = part.partition(" ")
    said = gettext(REASONS.get(code, code), lang)
    span = _SPAN.fullmatch(rest)
    if span:
        rest = f"{money(int(span[1]), None)}–{money(int(span[2]), None)}"
    return f"{said} ({rest})" if rest else said
