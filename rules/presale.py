"""What a listing of presale or customised goods gets wrong, seen from one of its orders (platform-rules §5, S003).

Hints for a person: nothing is changed by them. Only where the platform's pack bounds a presale are days, label and
title judged; that a presale is about to end is worth knowing everywhere.
"""

from collections.abc import Iterator
from typing import NamedTuple

from rules.deadline import deadline
from rules.instant import DAY
from rules.model import Line, Order
from rules.packdata import Presale
from rules.packs import Pack, local_date

AHEAD = 3 * DAY
"""How long before its date a presale is named (µs). The platform's own SMS has no stated lead (S003): ours."""
WORDS = ("预售", "presale", "pre-sale", "pre sale")
"""Words a title need not carry, since the platform shows the label itself (S003); compared in lower case."""


class Remark(NamedTuple):
    """One thing to mend, as a reason code, and the listing it is about: its id, else the SKU, else the order's id."""

    code: str
    listing: str


def remarks(order: Order, pack: Pack, now: int) -> tuple[Remark, ...]:
    """What is to be mended at the listings of an order that is still owed, each once, sorted. Total."""
    if not order.owed:
        return ()
    start, until = pack.starts_at(order), _until(order, pack)
    bounds = pack.presale_at(start)
    titled = [line for line in order.lines if bounds and _says_presale(line)]
    found = {Remark("TITLE_SAYS_PRESALE", _name(order, line)) for line in titled}
    codes = [code for presale in bounds for code in _of_order(order, pack, presale, start, until)]
    if until is not None and now <= until < now + AHEAD:
        codes.append("PRESALE_ENDS")
    names = [_name(order, line) for line in order.lines if line.open_quantity] or [order.order_id]
    return tuple(sorted(found | {Remark(code, name) for code in codes for name in names}))


def _until(order: Order, pack: Pack) -> int | None:
    """The date a presale promises (instant; a bare date means its last second), whatever deadline is in force."""
    claims = deadline(order, pack).candidates if order.flagged("presale") else ()
    return next((claim.ship_by for claim in claims if claim.source == "presale"), None)


def _of_order(order: Order, pack: Pack, bounds: Presale, start: int | None, until: int | None) -> Iterator[str]:
    """What label and days of an order say of how its listing is published."""
    if not order.flagged("presale"):
        if order.flagged("customised"):
            yield "CUSTOMISED_NOT_PRESALE"
    elif start is not None and not _allowed(order, pack, bounds, start, until):
        yield "PRESALE_DAYS"


def _allowed(order: Order, pack: Pack, bounds: Presale, start: int, until: int | None) -> bool:
    """Whether the presale keeps the platform's days: a date by local days, a period by its hours."""
    if until is not None:
        return (local_date(until, pack.zone) - local_date(start, pack.zone)).days <= bounds.max_days
    return order.promise_hours is None or bounds.min_days * 24 <= order.promise_hours <= bounds.max_days * 24


def _says_presale(line: Line) -> bool:
    title = (line.title or "").lower()
    return any(word in title for word in WORDS)


def _name(order: Order, line: Line) -> str:
    return line.listing_id or line.sku or order.order_id
