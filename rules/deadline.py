"""The effective ship-by moment of an order, from every claim about it (design §6).

Precedence: the seller's override, a negotiated date, an approved exemption report (a negotiated date beats
it: P22), the platform's field (its lines' where they say more), a presale date, the pack's festival and
campaign calendar, the pack's promised hours. All claims are kept; the first is effective. Instants are µs UTC.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from rules.calendars import Warehouse, last_pickup
from rules.instant import HOUR, to_datetime
from rules.model import Order
from rules.packs import Pack, end_of_day


@dataclass(frozen=True, slots=True)
class Candidate:
    """One claim and who makes it: override, negotiated, report, platform, line, presale, calendar, urge or pack."""

    source: str
    ship_by: int
    observed_at: int | None
    effective: bool


class Deadline(NamedTuple):
    """When the parcel is due, the last moment to act, and every claim in order of precedence.

    `ship_by` and `act_by` are None together: nothing was paid and the platform names no date.
    """

    ship_by: int | None
    act_by: int | None
    candidates: tuple[Candidate, ...]


NO_DEADLINE = Deadline(None, None, ())


Claim = tuple[str, int, int | None]
"""Who claims what instant, and when that was said."""


def deadline(
    order: Order,
    pack: Pack,
    warehouse: Warehouse | None = None,
    override: int | None = None,
    observed_at: int | None = None,
) -> Deadline:
    """The effective deadline of an order; `observed_at` is when the snapshot was true. Never raises."""
    claims = list(_claims(order, pack, override, observed_at))
    if not claims:
        return NO_DEADLINE
    ship_by = claims[0][1]
    candidates = [Candidate(source, due, seen, not place) for place, (source, due, seen) in enumerate(claims)]
    return Deadline(ship_by, act_by(ship_by, warehouse), tuple(candidates))


def effective(order: Order, pack: Pack, warehouse: Warehouse | None = None) -> Deadline:
    """The same without the claims that lost: at every decision only the winner is worked out (2 of 7 µs)."""
    for _, ship_by, _ in _claims(order, pack, None, None):
        return Deadline(ship_by, act_by(ship_by, warehouse), ())
    return NO_DEADLINE


def _claims(order: Order, pack: Pack, override: int | None, observed_at: int | None) -> Iterator[Claim]:
    """Every claim, the effective one first."""
    if override is not None:
        yield ("override", override, None)
    if order.negotiated_ship_by is not None:
        yield ("negotiated", order.negotiated_ship_by, observed_at)
    if order.report_ship_by is not None:
        yield ("report", order.report_ship_by, observed_at)
    yield from _platform(order, observed_at)
    if order.presale_ship_by is not None:
        yield ("presale", _presale(order.presale_ship_by, pack), observed_at)
    start = pack.starts_at(order)
    if start is not None:
        yield from _pack(order, pack, start)


def act_by(ship_by: int, warehouse: Warehouse | None) -> int:
    """The last useful moment (µs): the last open pick-up at or before `ship_by − scan_lag`.

    Without a warehouse `ship_by` itself; without a pick-up in reach, `ship_by − scan_lag`.
    """
    if warehouse is None:
        return ship_by
    handed_over = ship_by - warehouse.scan_lag_us
    pickup = last_pickup(warehouse, handed_over)
    return handed_over if pickup is None else pickup


def _platform(order: Order, observed_at: int | None) -> list[Claim]:
    """The platform's claims, the effective one first.

    The order's date is the earliest over its unshipped lines (contract §4). Its own field covers lines
    without a date, and may still be that of a line already sent: then the lines' dates win.
    """
    field = order.ship_by
    dues = None
    for line in order.lines:
        if line.ship_by is not None:
            dues = [line.ship_by for line in order.lines if line.open_quantity and line.ship_by is not None]
            break
    if not dues:
        return [] if field is None else [("platform", field, observed_at)]
    claim = ("line", min(dues), observed_at)
    if field is None:
        return [claim]
    unshipped = sum(1 for line in order.lines if line.open_quantity)
    outdated = unshipped == len(dues) and unshipped < len(order.lines)
    claims = [claim, ("platform", field, observed_at)]
    return claims if outdated or claim[1] <= field else claims[::-1]


def _presale(moment: int, pack: Pack) -> int:
    """A presale date; a bare date (local 00:00:00) means its 23:59:59 (platform-rules §1.3, S003)."""
    if moment % (15 * 60 * 1_000_000):
        return moment  # no zone's midnight: offsets are whole quarters of an hour
    local = to_datetime(moment, pack.zone)
    if local.hour or local.minute or local.second:
        return moment
    return end_of_day(local.date(), pack.zone)


def _pack(order: Order, pack: Pack, start: int) -> list[Claim]:
    claims: list[Claim] = []
    hours = order.promise_hours
    if hours is not None and order.flagged("presale"):
        hours = _within_presale(hours, pack, start)
    usual = order.flags is None or not ("presale" in order.flags or "customised" in order.flags)
    if usual and order.tags is not None and "virtual" in order.tags:
        usual = False  # virtual goods run on a time of their own choice (platform-rules §1.3)
    if usual and pack.spans:
        moved = _calendar(order, pack, start)
        if moved is not None:
            claims.append(("calendar", moved, None))
    if hours is None and usual:
        promise = pack.promise(start, order.tags or ())
        hours = promise.hours if promise else None
    if hours is not None:
        claims.append(("pack", start + hours * HOUR, None))
    elif order.urged_at is not None and order.flagged("customised"):
        claims += [("urge", order.urged_at + one.hours * HOUR, None) for one in pack.customised_at(start)]
    return claims


def _within_presale(hours: int, pack: Pack, start: int) -> int:
    """Hours a presale promised, kept within the days the platform allows: too early is safe, too late is not."""
    for presale in pack.presale_at(start):
        hours = max(presale.min_days * 24, min(hours, presale.max_days * 24))
    return hours


def _calendar(order: Order, pack: Pack, start: int) -> int | None:
    """The date a campaign or festival window gives an order that starts in it; the first match counts."""
    for span in pack.spans:
        if not span.start <= start < span.end:
            continue
        window = span.window
        if window.only_without_promise and order.promise_hours is not None:
            continue
        if window.tag is not None and window.tag not in (order.tags or ()):
            continue
        category = (order.category or "").lower()
        if window.category_any and not any(word in category for word in window.category_any):
            continue
        return span.by if span.by is not None else start + (window.hours or 0) * HOUR
    return None
