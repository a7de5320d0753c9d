"""The lead's screen: what the orders of one buyer cost together."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Page, Snapshot
from adapters.memory import feed_box
from daemon import clock
from rules.instant import DAY, HOUR
from tests import databases
from tests.daemon.commands import Said

Cli = Callable[..., Said]
QUIET: dict[str, Any] = {"status": "shipped", "paid_minor": 100, "currency": "CNY"}
TEXT = '[shops.west]\nplatform = "tmall"\nfeed = "memory"\n'


@pytest.fixture
def folder(tmp_path: Path, cli: Cli, boxes: None) -> Path:
    """An installation of one Tmall shop with an empty database."""
    (tmp_path / "forestall.toml").write_text(TEXT)
    databases.put(tmp_path / "forestall.db")
    return tmp_path


def missing(order_id: str, buyer: str) -> Snapshot:
    """An order of 4,500 yuan, paid this minute, that the platform marks as out of stock: 10 %, 450 yuan (TM-S2)."""
    now = clock.now()
    facts: dict[str, Any] = {"status": "paid", "paid_at": now, "ship_by": now + DAY, "flags": ["out_of_stock"]}
    facts |= {"paid_minor": 450_000, "currency": "CNY", "buyer": buyer}
    lines = {"1": {"sku": "A-1", "quantity": 1}}
    return Snapshot(observed_at=now, shop="west", order_id=order_id, platform="tmall", fields=facts, lines=lines)


@pytest.mark.parametrize(("buyers", "stake"), [("aa", 50_000), ("ab", 90_000)])
def test_orders_of_one_buyer_on_one_day_count_with_the_cap_they_share(
    cli: Cli, folder: Path, buyers: str, stake: int
) -> None:
    feed_box("west").push(Page(records=[missing(str(n), buyer) for n, buyer in enumerate(buyers)]))
    cli("tick")

    pools = [one for one in cli("today --json").document["pickups"] if one["kind"] == "pool"]

    assert [(2, stake)] == [(one["orders"], one["stake_minor"]) for one in pools]


def test_what_is_at_stake_is_a_dash_where_no_rule_says_it(cli: Cli, folder: Path) -> None:
    """A Tmall order in euro: the pack prices in yuan. Nothing known is no nought."""
    foreign = missing("1", "a")
    feed_box("west").push(Page(records=[replace(foreign, fields=foreign.fields | {"currency": "EUR"})]))
    cli("tick")

    assert {None} == {one["stake_minor"] for one in cli("today --json").document["pickups"]}
    assert "0.00" not in cli("today").out


@pytest.mark.parametrize(
    ("today", "before", "told"), [(20, 70, True), (19, 63, False), (39, 140, False), (40, 140, True)]
)
def test_a_rush_is_told_from_twice_the_usual_orders_and_twenty_of_them(
    cli: Cli, folder: Path, today: int, before: int, told: bool
) -> None:
    """C001, C054: the mean of the seven days before is the usual."""
    now = clock.now()
    ages = [HOUR] * today + [2 * DAY] * before
    paid = [replace(missing(str(n), "a"), fields=QUIET | {"paid_at": now - age}) for n, age in enumerate(ages)]
    feed_box("west").push(Page(records=paid))
    cli("tick")
    assert told == (f"[west] {today} orders were paid in the last 24 h, usual are {before // 7}" in cli("today").out)


def test_a_shop_without_a_past_is_in_no_rush(cli: Cli, folder: Path) -> None:
    now = clock.now()
    paid = [replace(missing(str(n), "a"), fields=QUIET | {"paid_at": now}) for n in range(40)]
    feed_box("west").push(Page(records=paid))
    cli("tick")
    assert "were paid in the last 24 h" not in cli("today").out
