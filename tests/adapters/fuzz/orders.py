"""The truth: orders as they are, before any shop writes them into a file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from rules.instant import from_datetime

GONE = ("cancelled", "refunded")
_FROM = datetime.fromisoformat("2026-11-03T00:00:00")
"""The first local moment of any order; all are placed in the seventeen days before the export."""
WORDS = ("glove", "lamp", "poster", "kettle", "rope", "tent", "mug", "scarf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of an order. Its SKU belongs to no other order, so that a foreign one is seen."""

    line_id: str
    sku: str
    title: str
    quantity: int
    unit_minor: int
    status: str

    @property
    def paid_minor(self) -> int:
        """What was paid for it."""
        return self.quantity * self.unit_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One order. Times are local and naive: its shop's zone is the file's."""

    order_id: str
    placed_at: datetime
    paid_at: datetime | None
    ship_by: datetime | None
    shipped_at: datetime | None
    items: tuple[Item, ...]

    @property
    def status(self) -> str:
        """As far as its slowest line that is not gone."""
        live = [item.status for item in self.items if item.status not in GONE]
        if not live:
            return "refunded" if any(item.status == "refunded" for item in self.items) else "cancelled"
        return live[0] if len(set(live)) == 1 else "partly_shipped"

    @property
    def paid_minor(self) -> int | None:
        """The sum of the lines; None where some are gone, since platforms tell that differently."""
        if any(item.status in GONE for item in self.items):
            return None
        return sum(item.paid_minor for item in self.items)


def instant(moment: datetime | None, zone: ZoneInfo) -> int | None:
    """Microseconds of a local moment."""
    return None if moment is None else from_datetime(moment.replace(tzinfo=zone))


def orders(rng: Random, count: int, most_items: int, mixed: bool) -> tuple[Told, ...]:
    """So many orders with ids of one kind. `mixed`: the lines of an order may differ in state."""
    ids = _ids(rng, count)
    return tuple(_order(rng, own, n, rng.randint(1, most_items), mixed) for n, own in enumerate(ids))


def _ids(rng: Random, count: int) -> list[str]:
    kind = rng.choice(("long", "long", "dashed", "letters", "short"))
    start = rng.randint(0, 9_000)
    if kind == "long":
        return [f"29{rng.randint(10**9, 10**10 - 1)}{start + n:07}" for n in range(count)]
    if kind == "dashed":
        return [f"2611{rng.randint(10, 20)}-{start + n:015}" for n in range(count)]
    if kind == "letters":
        return [f"#X{start + n}" for n in range(count)]
    return [str(10_000 + start + n) for n in range(count)]


def _order(rng: Random, order_id: str, n: int, size: int, mixed: bool) -> Told:
    status = rng.choices(
        ("paid", "shipped", "completed", "cancelled", "refunded", "unpaid"), (55, 15, 8, 8, 6, 8)
    )[0]  # fmt: skip
    placed = _FROM + timedelta(seconds=rng.randint(0, 17 * 86_400 - 7_200))
    paid = None if status in ("unpaid", "cancelled") else placed + timedelta(seconds=rng.randint(5, 3_600))
    due = None if paid is None else paid + timedelta(hours=rng.choice((24, 48, 72, 168)), seconds=rng.randint(0, 59))
    items = tuple(_item(rng, f"{n}{chr(97 + at)}", status, mixed and size > 1) for at in range(size))
    moved = any(item.status in ("shipped", "completed") for item in items)
    shipped = paid + timedelta(seconds=rng.randint(60, 6_000)) if paid and moved else None
    return Told(order_id=order_id, placed_at=placed, paid_at=paid, ship_by=due, shipped_at=shipped, items=items)


def _item(rng: Random, mark: str, status: str, mixed: bool) -> Item:
    own = rng.choice(("paid", "shipped", "refunded")) if mixed and status == "paid" and rng.random() < 0.4 else status
    return Item(
        line_id=f"7{ord(mark[-1])}{mark[:-1]:0>6}",
        sku=f"SKU-{mark}",
        title=f"{rng.choice(WORDS)} {mark[-1]}",
        quantity=rng.randint(1, 4),
        unit_minor=rng.choice((100, 990, 1_999, 12_980, 129_900)) + rng.randint(0, 99),
        status=own,
    )


def as_before(told: Sequence[Told]) -> tuple[Told, ...]:
    """The same a while ago: nothing shipped or given back yet, what was never paid still waiting for it."""
    return tuple(
        replace(
            one,
            shipped_at=None,
            items=tuple(replace(item, status="paid" if one.paid_at else "unpaid") for item in one.items),
        )
        for one in told
    )


def to_minutes(told: Sequence[Told]) -> tuple[Told, ...]:
    """The same as a file without seconds tells them."""

    def cut(moment: datetime | None) -> datetime | None:
        return None if moment is None else moment.replace(second=0)

    return tuple(
        replace(one, placed_at=one.placed_at.replace(second=0), paid_at=cut(one.paid_at), ship_by=cut(one.ship_by),
                shipped_at=cut(one.shipped_at))
        for one in told
    )  # fmt: skip


def to_whole(told: Sequence[Told], digits: int) -> tuple[Told, ...]:
    """The same with amounts that need no smaller coins."""
    return tuple(
        replace(one, items=tuple(replace(item, unit_minor=item.unit_minor * 10**digits) for item in one.items))
        for one in told
    )


def to_day_ends(told: Sequence[Told]) -> tuple[Told, ...]:
    """The same with deadlines that mean the end of their day."""
    return tuple(
        one if one.ship_by is None else replace(one, ship_by=one.ship_by.replace(hour=23, minute=59, second=59))
        for one in told
    )
