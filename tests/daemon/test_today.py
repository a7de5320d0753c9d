"""The lead's screen: what the orders of one buyer cost together."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Page, Snapshot
from adapters.memory import feed_box
from daemon import clock
from rules.instant import DAY
from tests.daemon.commands import Said

Cli = Callable[..., Said]
TEXT = '[shops.west]\nplatform = "tmall"\nfeed = "memory"\n'


@pytest.fixture
def folder(tmp_path: Path, cli: Cli, boxes: None) -> Path:
    """An installation of one Tmall shop with an empty database."""
    (tmp_path / "forestall.toml").write_text(TEXT)
    assert 0 == cli("db upgrade").code
    return tmp_path


def missing(order_id: str, buyer: str) -> Snapshot:
    """An order of 1,500 yuan, paid this minute, that the platform marks as out of stock: 30 %, 450 yuan (TM-S1)."""
    now = clock.now()
    facts: dict[str, Any] = {"status": "paid", "paid_at": now, "ship_by": now + DAY, "flags": ["out_of_stock"]}
    facts |= {"paid_minor": 150_000, "currency": "CNY", "buyer": buyer}
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
