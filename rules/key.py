"""Natural keys (contract §5): stable, readable, parts percent-encoded. Amount and attempt are never part of one."""

from functools import lru_cache
from urllib.parse import quote, unquote

from rules.instant import format_utc
from rules.model import Violation


@lru_cache(maxsize=65536)
def part(text: str) -> str:
    """One key part, percent-encoded."""
    return quote(text, safe="-_.~")


def case(shop: str, order_id: str, violation: Violation, episode: int) -> str:
    """north/240601-1/late_shipment/1"""
    return f"{part(shop)}/{part(order_id)}/{violation}/{episode}"


def step(case_key: str, name: str) -> str:
    """north/240601-1/late_shipment/1/agree_new_date"""
    return f"{case_key}/{name}"


def compensation(shop: str, order_id: str, violation: Violation) -> str:
    """Leaves out the episode: money is paid once per order and violation, a second time needs a person."""
    return f"{part(shop)}/{part(order_id)}/{violation}/compensate"


def pickup(shop: str, act_by: int) -> str:
    """north/pickup:2026-06-02T10:00:00Z: all orders of a shop that must be on the same courier pick-up."""
    return f"{part(shop)}/pickup:{format_utc(act_by)}"


def pickup_day(shop: str, day: str) -> str:
    """north/pickup:2026-06-02: the orders of one local day, for a shop whose pick-up times are not known."""
    return f"{part(shop)}/pickup:{day}"


def aftersale_day(shop: str, day: str) -> str:
    """north/aftersale:2026-06-03: the claims and parcels of a shop that came up on one local day."""
    return f"{part(shop)}/aftersale:{day}"


def overdue_day(shop: str, day: str) -> str:
    """north/overdue:2026-06-03: the orders of a shop that were long overdue when they were first seen, on that day."""
    return f"{part(shop)}/overdue:{day}"


def violation(case_key: str) -> Violation:
    """The violation a case key is about."""
    return Violation(case_key.split("/")[2])


def pool(shop: str, sku: str) -> str:
    """north/pool:A-1: one SKU over all shops of a seller, named after the shop that was first seen to sell it."""
    return f"{part(shop)}/pool:{part(sku)}"


def feed(shop: str) -> str:
    """north/feed: what a shop's feed brings, leaves out, or keeps back."""
    return f"{part(shop)}/feed"


def whole(shop: str) -> str:
    """north/shop: the shop itself, when it is renamed or given up."""
    return f"{part(shop)}/shop"


def clock(shop: str) -> str:
    """north/clock: the clock of the machine was set, told as news of the first shop."""
    return f"{part(shop)}/clock"


def boot(shop: str) -> str:
    """north/boot: nothing ran for a while, told as news of the first shop."""
    return f"{part(shop)}/boot"


def scan(shop: str) -> str:
    """north/scan: parcels of a shop whose collection scan its feed cannot know."""
    return f"{part(shop)}/scan"


def health(shop: str, metric: str, period: str) -> str:
    """north/health:DM-1.month: what a platform counts against a shop, over one kind of window."""
    return f"{part(shop)}/health:{part(metric)}.{period}"


def gauge(cause: str) -> tuple[str, str]:
    """(metric, period) of a cause such as north/health:DM-1.month."""
    metric, _, period = unpart(cause.partition("/health:")[2]).rpartition(".")
    return metric, period


def receiver(shop: str, name: str) -> str:
    """north/receiver:ops: a receiver of alerts that takes nothing, told as news of the first shop."""
    return f"{part(shop)}/receiver:{part(name)}"


def receiver_of(cause: str) -> str:
    """The receiver of a cause such as north/receiver:ops."""
    return unpart(cause.partition("/receiver:")[2])


def listing(step: str) -> tuple[str, str] | None:
    """(shop, listing) of a step such as delist:south/L5; None for a step that is about no listing."""
    shop, slash, listing_id = step.partition(":")[2].partition("/")
    return (unpart(shop), unpart(listing_id)) if slash else None


def unpart(text: str) -> str:
    """The inverse of `part`."""
    return unquote(text)
