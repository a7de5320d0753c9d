"""Data that stays away is told once, at its time, and never when it is back; no clock change makes it late."""

import json

import pytest

from adapters.base import Transient
from tests.replay.conftest import Make
from tests.replay.world import alerts, an_order, at, now_says

GONE = Transient("connection refused")
WATCHED = {"north": {"stale_after": "60m"}, "south": {}}


def test_a_feed_that_falls_silent_is_told_after_its_hour_and_the_unwatched_one_never(a_world: Make):
    """Scenario 16."""
    world = a_world(alerts(), shops=WATCHED)
    world.tick()
    for shop in WATCHED:
        world.feed(shop).fail_next(1000, GONE)
    world.advance(minutes=59, seconds=59)
    world.expect_nothing()
    world.advance(hours=5)
    world.expect_alert(step="stale", reason="FEED_STALE", says="[north]", when="Mon 09:00")


def test_a_message_about_missing_data_is_not_sent_once_the_data_is_back(a_world: Make):
    """Scenario 16: on the beat, what is still to be sent is dropped."""
    world = a_world(alerts(), shops=WATCHED, alerts={"ops": {"sink": "memory"}, "pager": {"sink": "memory"}})
    world.tick()
    world.feed("north").fail_next(1000, GONE)
    world.sink("pager").fail_next(3, Transient("busy", retry_after_s=15 * 60))
    world.advance(hours=1)
    world.expect_alert(step="stale", sink="ops", when="Mon 09:00")
    world.advance(minutes=10)
    world.feed("north").waiting.clear()
    world.poll("north")
    world.advance(hours=1)
    assert ("void", "DATA_IS_BACK") == world.deliveries()["pager stale"]


@pytest.mark.slow
def test_data_that_is_late_but_within_its_grace_is_no_alert(a_world: Make):
    """Scenario 66: a day's period and an hour's grace."""
    world = a_world(alerts(), shops={"north": {"stale_after": "25h"}})
    world.tick()
    world.feed().fail_next(1000, GONE)
    world.advance(hours=24, minutes=30)
    world.feed().waiting.clear()
    world.advance(hours=2)
    world.expect_nothing()


@pytest.mark.slow
def test_past_its_grace_there_is_one_alert_that_counts_from_the_last_data(a_world: Make):
    """Scenario 67: dated at the due time even when discovered three hours later."""
    world = a_world(alerts(), shops={"north": {"stale_after": "25h"}})
    world.tick()
    world.feed().fail_next(1000, GONE)
    world.advance(hours=20)
    world.down(hours=8)
    world.expect_alert(step="boot", reason="WAS_DOWN")
    stale = world.expect_alert(step="stale", when="Tue 12:00", says="data as of yesterday 08:00")
    assert stale.key.endswith("stale/2026-06-01T00:00:00Z")
    world.advance(days=2)


def test_a_due_time_that_newer_data_has_moved_is_no_alert(a_world: Make):
    """Scenario 68: re-check before acting."""
    world = a_world(alerts(), shops={"north": {"stale_after": "25h"}})
    world.tick()
    world.down(hours=26)
    world.expect_alert(step="boot")
    world.advance(hours=20)
    world.expect_nothing()


def test_a_pick_up_keeps_its_reminder_hour_whatever_joins_another(a_world: Make):
    """Scenario 69: the next reminder is set once, never moved by another, and gone when all is well."""
    world = a_world(alerts(repeat='"1h"'), shops={"north": {}, "south": {}})
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"], when="Mon 08:00")
    world.advance(minutes=20)
    world.place(an_order("B", ship_by="Mon 20:00", shop="south"))
    world.expect_alert(orders=["B"], when="Mon 08:20")
    world.advance(minutes=75)
    world.expect_alert(orders=["A"], reason="STILL_OPEN", when="Mon 09:00")
    world.expect_alert(orders=["B"], reason="STILL_OPEN", when="Mon 09:20")
    world.place(now_says("A", status="shipped"), now_says("B", status="shipped", shop="south"))
    world.advance(hours=6)


def test_the_hour_that_comes_twice_makes_no_feed_late(a_world: Make):
    """Scenario 70: Riga, the night of 29 October 2023, hourly data with five minutes' grace."""
    riga = {"platform": "generic", "timezone": "Europe/Riga", "stale_after": "65m", "poll_s": 3600}
    world = a_world(alerts(), start="2023-10-29 06:55", shops={"north": riga})
    world.advance(hours=8)
    world.expect_nothing()


def test_after_the_hour_that_comes_twice_quiet_hours_end_at_the_local_minute(a_world: Make):
    """Scenario 70 for what people hear: eight o'clock is eight o'clock on the wall."""
    riga = {"platform": "generic", "timezone": "Europe/Riga"}
    quiet = {"ops": {"sink": "memory", "hours": "08:00-22:00"}}
    world = a_world(alerts(), start="2023-10-29 04:00", shops={"north": riga}, alerts=quiet)
    world.place(an_order("A", ship_by="2023-10-30 04:00", currency=None))
    world.until("2023-10-29 20:00")
    world.expect_alert(orders=["A"], when=at("2023-10-29 06:00:00+00:00"))


LINE = {"shop": "north", "platform": "taobao", "order_id": "A", "currency": "CNY", "paid_minor": 15000}


def a_file(*lines: dict[str, object]) -> str:
    """Snapshots as JSON Lines."""
    return "".join(json.dumps(LINE | line) + "\n" for line in lines)


def test_yesterdays_export_dropped_late_changes_nothing_that_is_known_better(a_world: Make):
    """The newest observed_at wins, not the file that came last."""
    world = a_world(alerts(), start="Mon 12:00", shops={"north": {"feed": "files"}})
    shipped = {"observed_at": "2026-06-01T10:00:00+08:00", "status": "shipped", "ship_by": "2026-06-01T20:00:00+08:00"}
    world.drop_file("today.jsonl", a_file(shipped))
    world.advance(minutes=5)
    world.drop_file("yesterday.jsonl", a_file(shipped | {"observed_at": "2026-05-31T10:00:00+08:00", "status": "paid"}))
    world.advance(hours=6)
    assert ("shipped", []) == (world.order("A").status, world.cases())


def test_a_half_written_export_waits_until_it_rests_and_is_then_read_whole(a_world: Make):
    """Ready is a matter of the disk's clock: ten seconds without a write."""
    world = a_world(alerts(), start="Mon 12:00", shops={"north": {"feed": "files", "poll_s": 60}})
    paid = {"observed_at": "2026-06-01T11:59:00+08:00", "status": "paid", "ship_by": "2026-06-01T20:00:00+08:00"}
    path = world.drop_file("export.jsonl", a_file(paid), age_s=1)
    world.advance(minutes=5)
    assert [] == world.cases()
    path.write_text(a_file(paid, paid | {"order_id": "B"}), "utf-8")
    world.rest(path)
    world.advance(minutes=1)
    world.expect_alert(orders=["A", "B"], when="Mon 12:06")


def test_a_folder_nobody_exports_to_any_more_says_by_when_to_export_again(a_world: Make):
    """Stale data is an alert of its own (design §10)."""
    world = a_world(alerts(leads='"4h"'), start="Mon 12:00", shops={"north": {"feed": "files", "stale_after": "6h"}})
    paid = {"observed_at": "2026-06-01T11:00:00+08:00", "status": "paid", "ship_by": "2026-06-02T10:00:00+08:00"}
    world.drop_file("export.jsonl", a_file(paid, paid | {"order_id": "B"}))
    world.until("Mon 20:00")
    world.expect_alert(step="stale", when="Mon 17:00", says="export again before tomorrow 10:00: 2 deadlines")


def test_with_files_an_effect_is_a_task_that_says_as_of_when(a_world: Make):
    """A folder cannot be asked about one order: a person checks and acts."""
    playbook = alerts() + '[[late_shipment.steps]]\nname = "ask"\naction = "negotiate"\ndelay = "0m"\n'
    files = {"north": {"feed": "files"}}
    world = a_world(playbook, start="Mon 12:00", shops=files, live=("negotiate",))
    paid = {"observed_at": "2026-06-01T11:00:00+08:00", "status": "paid", "ship_by": "2026-06-01T20:00:00+08:00"}
    world.drop_file("export.jsonl", a_file(paid))
    world.advance(hours=1)
    world.expect_alert(orders=["A"])
    world.expect_task("ask", "A", says="as of 06-01 11:00; check the order first")
