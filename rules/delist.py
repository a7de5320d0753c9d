"""Whether a listing that stock does not cover should be stopped: what the next sale would cost against what it earns.

Stock of 0 alone is no reason (contract §4). With probability p (`[pool] fails_percent`) the next sale cannot be
shipped and costs the platform's stock-out payout; else it earns the margin. Stop when p × payout exceeds
(1 - p) × margin. Without a margin nobody can weigh that: a person decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rules import key, payout
from rules.model import Kind, Line, Order, Outcome, Violation
from rules.packs import Pack
from rules.playbook import PoolRule

BY_PERSON, UNDO = "BY_PERSON", "UNDO"
"""Reasons of what a person ordered: stop this listing, sell it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """The next sale of a listing as the last one was: unit price and the payout a stock-out of it costs, in minor
    units of `currency`. None = not known, or from a source too weak to pick a play."""

    unit_minor: int | None = None
    payout_minor: int | None = None
    currency: str | None = None


UNKNOWN = Sale()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What to do about a listing that stock does not cover, and why; both sides in minor units, None = not known.

    `ask`: a person must decide. `cost_minor`: p × payout. `gain_minor`: (1 - p) × margin.
    """

    verdict: Literal["stop", "keep", "ask"]
    reason: str
    cost_minor: int | None = None
    gain_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A listing as we left it. `off`: we stopped it. `asked`: a person was asked to and has not answered yet.

    `last`: the reason of what was done last; `last_at`: when anything was tried last; `refused`: what was refused then.
    """

    off: bool = False
    asked: bool = False
    last: str = ""
    last_at: int = 0
    refused: str = ""


def next_sale(order: Order, line: Line, pack: Pack, confirmed: frozenset[str], now: int) -> Sale:
    """The next sale of a line's listing if it is like the line of this order and paid at `now`."""
    if line.unit_minor is None:
        return UNKNOWN
    sold = Order(
        shop=order.shop,
        platform=order.platform,
        order_id="",
        status="paid",
        paid_at=now,
        group_success_at=now,
        promise_hours=order.promise_hours,
        currency=order.currency,
        paid_minor=line.unit_minor,
        shipping_minor=0,
        received_minor=line.unit_minor,
        category=order.category,
        tags=order.tags,
    )
    stake = payout.stake(sold, pack, Violation.STOCK_OUT, confirmed)
    known = stake is not None and (stake.confirmed or stake.confidence != "C")
    return Sale(
        unit_minor=line.unit_minor,
        payout_minor=stake.low_minor if stake is not None and known else None,
        currency=order.currency or pack.currency,
    )


def judge(listing: str, sale: Sale, rule: PoolRule) -> Judgement:
    """What the next sale of `listing` (shop/id, as causes write it) says. Never raises."""
    if is_protected(listing, rule):
        return Judgement(verdict="keep", reason="PROTECTED")
    if sale.unit_minor is None:
        return Judgement(verdict="ask", reason="NO_PRICE")
    if sale.payout_minor is None:
        return Judgement(verdict="ask", reason="NO_RULE")
    fails = rule.fails_percent
    cost = fails * sale.payout_minor // 100
    if rule.margin_percent is None:
        return Judgement(verdict="ask", reason="NO_MARGIN", cost_minor=cost)
    earned = sale.unit_minor * rule.margin_percent
    gain = (100 - fails) * earned // 10_000
    stop = fails * sale.payout_minor * 100 > (100 - fails) * earned
    verdict: Literal["stop", "keep"] = "stop" if stop else "keep"
    return Judgement(verdict=verdict, reason="STOCK_OUT" if stop else "WORTH_SELLING", cost_minor=cost, gain_minor=gain)


def is_protected(listing: str, rule: PoolRule) -> bool:
    """Whether the seller never wants this listing stopped: named as SHOP/LISTING."""
    shop, _, name = listing.partition("/")
    return f"{key.unpart(shop)}/{key.unpart(name)}" in rule.protected


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Something once done, or tried, to a listing: `what` is delist or relist; `by_person`: it was a work item."""

    what: str
    at: int
    outcome: Outcome
    reason: str
    by_person: bool = False


def touched(moves: Iterable[Move]) -> Touched:
    """How we left a listing. What was voided or refused changed nothing, but its key is used up."""
    every = list(moves)
    done = [move for move in every if move.outcome not in (Outcome.VOID, Outcome.REFUSED)]
    last = done[-1] if done else None
    refused = every[-1].what if every and every[-1].outcome is Outcome.REFUSED else ""
    waiting = last is not None and last.by_person and last.outcome not in (Outcome.SETTLED, Outcome.SHADOW)
    stopped = last is not None and last.what == Kind.DELIST
    return Touched(
        off=stopped and not waiting,
        asked=stopped and waiting,
        last=last.reason if last else "",
        last_at=every[-1].at if every else 0,
        refused=refused,
    )


def left_on_sale(left: Touched, since: int) -> bool:
    """A person put it back on sale during this very shortage (from `since`): it stays so until the shortage ends."""
    return not left.off and left.last == UNDO and left.last_at >= since


def share_left(rule: PoolRule, listings: int, stopped_today: int) -> int:
    """How many more of a shop's listings may be stopped today: the playbook's share, at least one."""
    if rule.daily_share_percent is None:
        return listings
    return max(listings * rule.daily_share_percent // 100, 1) - stopped_today
