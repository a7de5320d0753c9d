"""Synthetic orders of many shops: the same for the same seed, about as large as real ones."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from adapters.base import Snapshot
from daemon.shops import Shops
from rules.instant import DAY, HOUR, MINUTE, parse

START = parse("2026-06-01T00:00:00+08:00")
PLATFORMS = ("taobao", "tmall", "pinduoduo", "jd", "douyin")
SHOPS = 20
Facts = dict[str, Any]


def shop_of(number: int) -> str:
    """The shop an order belongs to."""
    return f"shop-{number % SHOPS:02d}"


def platform_of(number: int) -> str:
    """The platform of an order's shop."""
    return PLATFORMS[number % SHOPS % len(PLATFORMS)]


def id_of(number: int) -> str:
    """The platform's id of an order."""
    return f"SO-{number:09d}"


def shops() -> Shops:
    """All shops, one seller each, everything in shadow, under the shipped playbook and packs."""
    made = Shops()
    for number in range(SHOPS):
        name = shop_of(number)
        made.known[name] = made.made(name, platform_of(number), seller=f"seller-{number:02d}")
    return made


def by_shop(many: int) -> list[int]:
    """So many orders in the order of their keys, which is the quickest to write."""
    return sorted(range(many), key=lambda number: (shop_of(number), number))


def facts_of(number: int, paid_at: int, ship_by: int) -> Facts:
    """A paid order with one line, as a feed hands it on: instants in µs, money in fen, the buyer as a hash."""
    units = number % 3 + 1
    price = 1990 + number % 97 * 100
    return {
        "status": "paid",
        "placed_at": paid_at - 5 * MINUTE,
        "paid_at": paid_at,
        "ship_by": ship_by,
        "currency": "CNY",
        "paid_minor": units * price + 800,
        "shipping_minor": 800,
        "buyer": blake2b(b"%d" % (number // 2), digest_size=16).hexdigest(),
        "category": f"category-{number % 40:02d}",
        "tags": [f"wave-{number % 7}"],
        "lines": {
            "1": {
                "sku": f"SKU-{number % 5000:05d}",
                "listing_id": f"{70_000_000 + number % 5000}",
                "title": f"Cotton throw, woven, 130 x 170 cm, colour {number % 12}",
                "quantity": units,
                "unit_minor": price,
            }
        },
    }


def told_of(number: int, paid_at: int, ship_by: int) -> Facts:
    """The same order with four lines, as an API answers: some 1,400 bytes of JSON.

    Who bought, where it goes and how it is sent is part of what is told and no part of what Forestall stores.
    """
    facts = facts_of(number, paid_at, ship_by)
    (first,) = facts["lines"].values()
    skus = [number % 5000, *(5000 + (number * prime) % 5000 for prime in (7, 11, 13))]
    person, phone = f"Buyer {number // 2:07d}", f"+86 130 {number % 10_000:04d} 0000"
    return {
        "shop": shop_of(number),
        "platform": platform_of(number),
        "order_id": id_of(number),
        **facts,
        "lines": [
            {"line_id": f"{place}", **first, "sku": f"SKU-{sku:05d}", "listing_id": f"{70_000_000 + sku}"}
            for place, sku in enumerate(skus, 1)
        ],
        "paid_minor": len(skus) * first["quantity"] * first["unit_minor"] + 800,
        "customer": {
            "id": f"C-{number // 2:07d}",
            "name": person,
            "email": f"b{number // 2:07d}@example.com",
            "level": 3,
        },
        "address": {
            "name": person,
            "phone": phone,
            "street": f"{number % 900 + 1} Wulin Road, Building {number % 30 + 1}, Room {number % 2000 + 101}",
            "district": "Xihu",
            "city": "Hangzhou",
            "province": "Zhejiang",
            "postcode": f"31{number % 10_000:04d}",
            "country": "CN",
        },
        "shipping_lines": [
            {"carrier": "SF Express", "service": "standard", "price_minor": 800, "tracking_no": f"SF{number:013d}"}
        ],
    }


def snapshot(number: int, facts: Facts, at: int) -> Snapshot:
    """These facts as a feed's record, true at `at`."""
    fields = dict(facts)
    lines = fields.pop("lines", {})
    return Snapshot(
        observed_at=at,
        shop=shop_of(number),
        order_id=id_of(number),
        platform=platform_of(number),
        fields=fields,
        lines=lines,
    )


@dataclass(slots=True)
class Polls:
    """What polling shops again and again returns: of `orders` known ones some of one shop, a few of them changed."""

    orders: int
    changed: float
    seed: int = 1
    now: int = START + DAY
    _versions: dict[int, int] = field(default_factory=dict)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def page(self, size: int) -> list[Facts]:
        """At most `size` different orders of one shop, as JSON objects its API might answer with."""
        self.now += MINUTE
        of_shop = range(self._random.randrange(SHOPS), self.orders, SHOPS)
        return [self._told(number) for number in self._random.sample(of_shop, min(size, len(of_shop)))]

    def first(self) -> Iterator[Facts]:
        """All orders, as they are first told."""
        return map(self._facts, range(self.orders))

    def _told(self, number: int) -> Facts:
        if self._random.random() < self.changed:
            self._versions[number] = self._versions.get(number, 0) + 1
        return self._facts(number)

    def _facts(self, number: int) -> Facts:
        facts = told_of(number, START - number % 24 * HOUR, START + (5 + number % 20) * DAY)
        version = self._versions.get(number)
        return facts if version is None else {**facts, "remark": f"note {version}", "tags": ["urgent", f"v{version}"]}


def life(number: int, chance: random.Random, days: int) -> Iterator[Snapshot]:
    """An order's recorded life: paid, shipped (a tenth late), delivered; one in fifty is flagged out of stock."""
    paid_at = START + chance.randrange(days * DAY)
    ship_by = paid_at + 2 * DAY
    late = chance.random() < 0.10
    shipped_at = ship_by + chance.randrange(HOUR, DAY) if late else paid_at + chance.randrange(2 * HOUR, 44 * HOUR)
    facts = facts_of(number, paid_at, ship_by)
    yield snapshot(number, facts, paid_at)
    if chance.random() < 0.02:
        yield snapshot(number, {"flags": ["out_of_stock"]}, paid_at + HOUR)
    yield snapshot(number, {"status": "shipped", "shipped_at": shipped_at, "flags": []}, shipped_at)
    delivered_at = shipped_at + chance.randrange(DAY, 4 * DAY)
    yield snapshot(number, {"status": "delivered"}, delivered_at)
