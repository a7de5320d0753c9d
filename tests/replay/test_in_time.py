"""Told while it still matters: newcomers, misses, closed hours, moved deadlines."""

import pytest

from tests.replay.conftest import Make
from tests.replay.world import alerts, an_order, now_says

SHOP = {"north": {"warehouse": {"open": "Mon-Sun 00:00-24:00", "pickups": ["03:00"], "scan_lag": "0m"}}}


def test_an_order_that_joins_a_told_day_twenty_minutes_before_its_end_is_told_before_it(a_world: Make):
    """A was told at 01:00; B comes at 01:02 and must be out by 01:25."""
    world = a_world(alerts('"24h", "4h"', group_interval='"6h"'), start="Tue 01:00")
    world.place(an_order("A", ship_by="Tue 20:00"))
    world.expect_alert(orders=["A"])
    world.advance(minutes=2)
    world.place(an_order("B", ship_by="Tue 01:25"))
    world.until("Tue 01:20")
    world.expect_alert(orders=["A", "B"], reason="NEW_ORDERS", when="Tue 01:05")


@pytest.mark.parametrize("leads", ['"24h", "4h", "0m"', '"24h", "10m"', '"24h"'])
def test_a_new_order_three_hours_before_its_pick_up_is_told_within_the_hour(a_world: Make, leads: str):
    world = a_world(alerts(leads, group_interval='"6h"'), shops=SHOP, start="Mon 23:30")
    world.place(an_order("A", ship_by="Tue 04:00"))
    world.expect_alert(orders=["A"])
    world.advance(minutes=30)
    world.place(an_order("B", ship_by="Tue 04:00"))
    world.until("Tue 00:30")
    world.expect_alert(orders=["A", "B"], reason="NEW_ORDERS")
    world.place(*(now_says(name, status="shipped") for name in "AB"))


def test_many_urgent_newcomers_are_folded(a_world: Make):
    world = a_world(alerts('"24h"', group_interval='"6h"'), start="Tue 01:00")
    world.place(an_order("A", ship_by="Tue 02:00"))
    world.expect_alert(orders=["A"])
    for number in range(20):
        world.advance(minutes=1)
        world.place(an_order(f"B{number}", ship_by="Tue 02:00"))
    assert 4 == len([world.expect_alert(reason="NEW_ORDERS") for _ in world.unexpected()])


def test_a_missed_pick_up_says_what_still_helps_and_then_that_the_time_has_passed(a_world: Make):
    world = a_world(alerts('"24h"', missed="true"), shops=SHOP, start="Mon 20:00")
    world.place(an_order("A", ship_by="Tue 06:00"))
    world.expect_alert(orders=["A"], says="pack and hand over")
    world.until("Tue 05:00")
    told = world.expect_alert(orders=["A"], reason="PICKUP_PASSED", when="Tue 03:00")
    assert "take it to the courier's counter now" in told.text
    assert "3 h 0 min" in told.text
    world.until("Fri 05:00")
    world.expect_alert(orders=["A"], reason="SHIP_BY_PASSED", when="Tue 06:00", says="late already")


def test_a_shipped_order_without_a_scan_is_the_couriers(a_world: Make):
    world = a_world(alerts('"24h"'), shops=SHOP, start="Mon 20:00")
    world.place(
        an_order(
            "A", ship_by="Tue 06:00", status="shipped", shipped_at="Mon 19:00", collection_known=True, collected_at=None
        )
    )
    told = world.expect_alert(orders=["A"], says="shipped but not scanned: ask the courier")
    assert "pack" not in told.text + told.title
