"""The words of the domain as people read them: statuses, outcomes, violations, kinds, steps, sources.

Each table maps a code to short English, which is also what is looked up in the catalogue. Codes themselves
stay English in JSON, logs and keys.
"""

from collections.abc import Mapping

from daemon.i18n import gettext
from daemon.show import money

STATUSES: Mapping[str, str] = {
    "unknown": "status not known",
    "unpaid": "not paid",
    "paid": "to ship",
    "partly_shipped": "partly shipped",
    "shipped": "shipped",
    "delivered": "delivered",
    "completed": "completed",
    "cancelled": "cancelled",
    "refunded": "refunded",
}
VIOLATIONS: Mapping[str, str] = {
    "late_shipment": "late shipment",
    "stock_out": "out of stock",
    "short_shipment": "short shipment",
    "wrong_item": "wrong item",
    "fake_shipment": "fake shipment",
    "track_stalled": "parcel stands still",
    "dispute": "dispute",
}
KINDS: Mapping[str, str] = {
    "alert": "alert",
    "task": "task",
    "negotiate": "agree a date",
    "contact": "message to the buyer",
    "compensate": "compensation",
    "delist": "stop the listing",
    "relist": "sell again",
}
OUTCOMES: Mapping[str, str] = {
    "planned": "planned",
    "awaiting_approval": "waits for approval",
    "ready": "about to be done",
    "calling": "under way",
    "settled": "done",
    "refused": "refused",
    "unknown": "outcome unknown",
    "maybe_sent": "perhaps sent",
    "needs_human": "for a person",
    "void": "dropped",
    "shadow": "recorded only",
}
WAYS: Mapping[str, str] = {
    "wait": "wait and pay only if asked to",
    "negotiate": "ask for a new date",
    "coupon": "give a coupon",
    "small_payment": "make a small payment",
    "rule_payout": "pay first what the rule says",
    "refund": "refund without return",
}
ASSUMED: Mapping[str, str] = {
    "miss": "orders near their deadline that miss it: {n}%",
    "complain": "late buyers who complain: {n}%",
    "agree": "buyers who accept a new date: {n}%",
    "coupon_helps": "complaints a coupon prevents: {n}%",
    "payment_helps": "complaints a small payment prevents: {n}%",
    "dispute_minor": "a dispute beyond its payout: {amount}",
    "point_minor": "a penalty point: {amount}",
    "margin": "margin: {n}%",
}
OCCASIONS: Mapping[str, str] = {
    "new_year_goods": "the New Year goods festival",
    "spring_festival": "Spring Festival",
    "618": "the 618 campaign",
    "double_11": "Double 11",
}
INITIATIONS: Mapping[str, str] = {
    "auto": "the platform, by itself",
    "complaint": "the buyer's complaint",
    "auto_on_complaint": "any complaint, unheard",
    "platform": "the platform's decision",
    "unknown": "not known",
}
SCOPES: Mapping[str, str] = {
    "order": "per order",
    "shop": "for a shop's day",
    "escalation": "a later, further cost",
    "alternative": "another source",
    "record": "on record only",
}
SOURCES: Mapping[str, str] = {
    "line": "the platform's time for a line",
    "platform": "the platform",
    "presale": "the presale date",
    "negotiated": "agreed with the buyer",
    "report": "an approved report",
    "override": "your own setting",
    "calendar": "the platform's festival or campaign days",
    "urge": "the buyer's first request for customised goods",
    "pack": "the platform's rules",
}
FLAGS: Mapping[str, str] = {
    "out_of_stock": "out of stock",
    "presale": "presale",
    "customised": "customised",
    "urged": "buyer urges",
    "refund_requested": "refund requested",
    "intervention_requested": "platform called in",
    "short_claimed": "says goods are missing",
    "wrong_claimed": "says goods are wrong",
    "risk_hold": "held by risk control",
}
ENTRIES: Mapping[str, str] = {
    "observed": "the shop said",
    "fact": "it happened",
    "case_opened": "risk noticed",
    "case_closed": "risk over",
    "moved": "the deadline moved",
    "action": "decided",
    "dropped": "decided not to",
    "voided": "called off",
    "hand": "a person acted",
    "attempt": "call begun",
    "outcome": "outcome",
    "delivery": "sent to",
}
"""What an entry of the evidence tells."""
FACTS: Mapping[str, str] = {
    "buyer_reply": "the buyer answered",
    "date_agreed": "the buyer agreed to a new date",
    "date_refused": "the buyer refused a new date",
    "ack": "the seller has seen it",
    "task_done": "the work item was done",
    "opt_out": "the buyer wants no messages",
    "complaint": "the buyer complained",
    "intervention": "the platform was called in",
    "ruled_against": "the platform ruled against the seller",
    "ruled_for": "the platform ruled for the seller",
    "refund_closed": "the refund was closed",
    "points_deducted": "the platform took penalty points",
}

METRICS: Mapping[str, str] = {
    "intervention_rate": "platform called in",
    "ruled_against_rate": "ruled against the seller",
    "platform_help_rate": "buyers asked the platform for help",
    "complaint_rate": "complaints",
    "day_stock_out": "orders out of stock",
    "points": "penalty points",
}
EFFECTS: Mapping[str, str] = {
    "campaigns": "campaigns close",
    "search": "the shop sinks in search",
    "ads": "paid search ads stop",
    "slots": "resource slots are lost",
    "score": "the shop's score falls",
}
STATES: Mapping[str, str] = {
    "fine": "fine",
    "near": "near the line",
    "over": "over the line",
    "no_line": "no line known",
    "unknown": "not known",
}
MISSING: Mapping[str, str] = {
    "trades": "no paid order is known in this time, so there is no rate",
    "history": "our data begins later than this time, so the rate is too high",
    "rulings": "nobody told how some interventions ended: each may still count",
    "trusted_buyers": "which buyers weigh more is not in the data: each counts once",
    "points": "nobody has told any penalty points, so how many there are is not known",
}
TODO: Mapping[str, str] = {
    "ship": "pack and hand over",
    "counter": "take it to the courier's counter now, or agree a new date",
    "ship_late": "late: send it at once",
    "chase_scan": "chase the courier's scan",
    "check_stock": "count the stock again",
    "answer": "answer claims, trace parcels",
}
"""The one thing to do about orders that share a pick-up, a pool or a day of claims, by what it is for machines.

`counter`: the pick-up was missed, the platform's deadline still lies ahead.
"""
GAPS: Mapping[str, str] = {
    "NO_STATUS": "no status",
    "STATUS_UNPAID": "a payment, but the status says unpaid",
    "NO_PAYMENT_TIME": "no payment time",
    "NO_DEADLINE": "no deadline",
}
"""What keeps an order from being watched (`rules.unwatched`)."""
STEPS: Mapping[str, str] = {
    "ship": "pack it and hand it over",
    "chase_scan": "shipped but not scanned: ask the courier",
    "agree_new_date": "agree a new ship date with the buyer, in the platform's own tool",
    "tell_buyer": "tell the buyer that it takes a little longer",
    "make_good": "pay the buyer a small compensation before a complaint",
    "compensate": "pay the buyer a small compensation before a complaint",
    "apply_to_platform": "tell the platform now (never the buyer): apply for a stock-out report",
    "find_stock": "count again, borrow or reorder",
    "text_buyer": "no answer in the chat: text or call the buyer",
    "write_in_site": "no answer: write an in-site message",
    "mail_buyer": "no answer: write an e-mail",
    "ask_support": "the buyer cannot be reached: ask the platform's support, keep the ticket",
    "tell_receipt": "tell the buyer that the claim has arrived",
    "tell_track": "tell the buyer where the parcel is",
    "guide_refund": "paid, no stock, no refund asked for: never cancel; help the buyer to ask for the refund himself",
    "reship_or_refund": "goods are missing and cheap: send them again or refund the unit at once",
    "verify_packing": "check pack list, weight and waybill before you answer the buyer",
    "approve_remedy": "decide: send the missing goods again, or refund them",
    "exchange_or_refund": "wrong goods and cheap: send the right ones or refund; both freights are yours",
    "approve_exchange": "decide: exchange or refund; both freights are yours",
    "answer_now": "answer the buyer now: the time to do so is nearly up",
    "find_parcel": "uploaded but not scanned: find the parcel and have the courier scan it",
    "prove_handover": "no scan in time: keep the proof of the hand-over, tell the buyer where the parcel is",
    "ask_courier": "the parcel stands still: ask the courier",
    "trace_or_reship": "still no movement: file a trace with the courier, send again or refund",
    "answer_refund": "answer the refund request; never refuse one that names missing stock or lateness",
    "give_return_address": "give the return address now: a wrong or late one refunds the buyer directly",
    "settle_complaint": "settle the complaint with the buyer before the platform rules",
    "submit_evidence": "hand in the evidence: chat, weight, waybill, timeline",
    "confirm_scan": "look the parcels up at the courier; what was not scanned is handed over again today",
    "post_notice": "say in the shop announcement and on the item page when it ships, never that stock is missing",
    "remove_notice": "stock is back: take the notice off the shop announcement and the item page",
    "delist": "stop selling this item: stock does not cover what is sold",
    "relist": "sell this item again: stock is back",
}
"""The one thing to do, by step of the shipped playbook and by kind of what is done to a listing."""


def say(table: Mapping[str, str], code: str | None, lang: str | None = None) -> str:
    """What a person reads for `code`; one that is not in the table stands for itself."""
    if code is None:
        return "–"
    return gettext(table.get(code, code.replace("_", " ")), lang)


def about(subject: str, text: str, lang: str | None = None) -> str:
    """What is said of a subject, with the colon of the reader's language."""
    return gettext("{subject}: {reason}", lang).format(subject=subject, reason=text)


def assumed(name: str, value: int | None, currency: str) -> str:
    """A guess of the playbook as people read it; "" for one that was not made."""
    if value is None:
        return ""
    return gettext(ASSUMED[name]).format(n=value, amount=money(value, currency))
