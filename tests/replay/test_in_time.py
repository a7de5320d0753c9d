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
    world.expect_alert(orders=["A"], reason="SHIP_BY_PASSED", when="Tue 06:00", says="late: send it at once")


def test_a_shipped_order_without_a_scan_is_the_couriers(a_world: Make):
    world = a_world(alerts('"24h"'), shops=SHOP, start="Mon 20:00")
    world.place(
        an_order(
            "A", ship_by="Tue 06:00", status="shipped", shipped_at="Mon 19:00", collection_known=True, collected_at=None
        )
    )
    told = world.expect_alert(orders=["A"], says="chase the courier's scan")
    assert "pack" not in told.text + told.title


@pytest.mark.parametrize("ship_by", ["Tue 16:00", "Tue 22:00"])
@pytest.mark.parametrize("silence", ["ack", "snooze"])
def test_a_moved_deadline_breaks_a_silence_that_was_given_for_the_old_one(a_world: Make, ship_by: str, silence: str):
    world = a_world(alerts('"24h"'), start="Mon 20:00")
    world.place(an_order("A", ship_by="Tue 20:00"))
    world.expect_alert(orders=["A"])
    world.ack("A") if silence == "ack" else world.snooze("A", until="Wed 08:00")
    world.until("Tue 02:00")
    world.place(now_says("A", ship_by=ship_by))
    world.expect_alert(orders=["A"], when="Tue 02:00")
    world.ack("A")
    world.until("Tue 23:00")
    assert ["A late_shipment 1 open"] == world.cases()


def test_what_does_not_move_the_deadline_breaks_no_silence(a_world: Make):
    world = a_world(alerts('"24h"', missed="true"), start="Mon 20:00")
    world.place(an_order("A", ship_by="Tue 20:00"))
    world.expect_alert(orders=["A"])
    world.ack("A")
    world.place(now_says("A", remark="please hurry", paid_minor=14000))
    world.until("Tue 23:00")


def test_the_end_of_a_snooze_is_told_although_nothing_changed(a_world: Make):
    world = a_world(alerts('"24h"'), start="Mon 20:00")
    world.place(an_order("A", ship_by="Tue 20:00"))
    world.expect_alert(orders=["A"])
    world.snooze("A", until="Tue 08:00")
    world.until("Tue 12:00")
    world.expect_alert(orders=["A"], reason="SNOOZE_OVER", when="Tue 08:00")


DAYTIME = {"ops": {"sink": "adapters.memory:MemorySink", "hours": "08:00-22:00"}}


@pytest.mark.parametrize(("hours", "when"), [("08:00-22:00", "Mon 21:59"), ("20:00-02:00", "Tue 01:59")])
def test_a_reminder_that_would_fall_into_closed_hours_comes_before_them(a_world: Make, hours: str, when: str):
    receiver = {"ops": DAYTIME["ops"] | {"hours": hours}}
    world = a_world(alerts('"12h", "4h"'), start="Mon 21:00", alerts=receiver)
    world.place(an_order("A", ship_by="Tue 07:30"))
    world.expect_alert(orders=["A"], when="Mon 21:00")
    world.until("Tue 07:00")
    world.expect_alert(orders=["A"], reason="TIME_RUNNING_OUT", when=when)


def test_the_first_alert_of_an_order_comes_before_the_night_too(a_world: Make):
    """Its lead begins at 03:30, when nobody listens; at 08:00 it would be too late."""
    world = a_world(alerts('"4h"'), start="Mon 21:00", alerts=DAYTIME)
    world.place(an_order("A", ship_by="Tue 07:30"))
    world.until("Tue 07:00")
    world.expect_alert(orders=["A"], when="Mon 21:59")


def test_while_somebody_listens_nothing_is_told_earlier(a_world: Make):
    both = {"boss": DAYTIME["ops"], "night": {"sink": "adapters.memory:MemorySink"}}
    world = a_world(alerts('"4h"'), start="Mon 21:00", alerts=both)
    world.place(an_order("A", ship_by="Tue 07:30"))
    world.until("Tue 07:00")
    world.expect_alert(orders=["A"], when="Tue 03:30", sink="night")
    world.place(now_says("A", status="shipped"))
