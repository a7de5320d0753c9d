"""How the seller is told: folded, repeated, retried, silenced, and never about what is over."""

import pytest

from adapters.base import Transient
from tests.replay.conftest import Make
from tests.replay.world import a_line, alerts, an_order, at, ladder, now_says

OUT = {"flags": ["out_of_stock"]}
BACK = {"flags": []}


@pytest.mark.slow
def test_eight_rounds_of_trouble_are_told_eight_times_and_closed(a_world: Make):
    """Scenario 15. Rounds lie seven hours apart: a flag that flaps within six is the same trouble (design §8)."""
    world = a_world(alerts())
    world.place(an_order("A", a_line(), ship_by="2026-06-20 18:00"))
    for _ in range(8):
        world.place(now_says("A", **OUT))
        world.expect_alert(orders=["A"], when=world.now)
        world.advance(minutes=20)
        world.place(now_says("A", **BACK))
        world.advance(hours=7)
    assert [f"A stock_out {n} IN_STOCK" for n in range(1, 9)] == world.cases("A")


def test_trouble_that_flaps_is_told_once(a_world: Make):
    """Scenario 15, its counterpart: twenty minutes apart it is one and the same case."""
    world = a_world(alerts())
    world.place(an_order("A", a_line(), ship_by="2026-06-20 18:00", **OUT))
    world.expect_alert(orders=["A"])
    for _ in range(4):
        world.advance(minutes=20)
        world.place(now_says("A", **BACK))
        world.advance(minutes=20)
        world.place(now_says("A", **OUT))
    assert ["A stock_out 1 open"] == world.cases("A")


def test_what_was_acknowledged_and_comes_back_is_told_again_until_that_is_acknowledged(a_world: Make):
    """The seller said "I have it" of trouble that then ended: its return is news."""
    world = a_world(alerts(repeat='"1h"'))
    world.place(an_order("A", a_line(), ship_by="2026-06-20 18:00", **OUT))
    world.expect_alert(orders=["A"])
    world.ack("A")
    world.advance(minutes=20)
    world.place(now_says("A", **BACK))
    world.advance(minutes=20)
    world.place(now_says("A", **OUT))
    assert ["A stock_out 1 open"] == world.cases("A")
    world.expect_alert(reason="NEW_ORDERS", orders=["A"], when="Mon 08:40")
    world.ack("A")
    world.advance(hours=20)


def test_facts_about_an_order_nobody_knows_open_nothing(a_world: Make):
    """Scenario 18: a close for an unknown case."""
    world = a_world(alerts())
    world.event("ack", "nobody")
    world.advance(hours=1)
    assert [] == world.cases()


def test_only_the_ladder_of_what_was_shipped_stops(a_world: Make):
    """Scenario 18."""
    world = a_world(alerts(repeat='"30m"'))
    world.place(an_order("A", ship_by="Mon 20:00"), an_order("B", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A", "B"])
    world.advance(minutes=10)
    world.place(now_says("A", status="shipped"))
    world.advance(minutes=25)
    world.expect_alert(reason="STILL_OPEN", orders=["B"], when="Mon 08:30")
    world.place(now_says("B", status="shipped"))
    world.advance(hours=3)
    assert ["A late_shipment 1 SHIPPED", "B late_shipment 1 SHIPPED"] == world.cases()


def test_an_open_case_is_told_again_at_its_interval_until_it_closes(a_world: Make):
    """Scenario 45."""
    world = a_world(alerts(repeat='"1h"', resolved="true"))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(reason="FIRST_NOTICE", when="Mon 08:00")
    world.until("Mon 10:30")
    world.expect_alert(reason="STILL_OPEN", when="Mon 09:00")
    world.expect_alert(reason="STILL_OPEN", when="Mon 10:00")
    world.place(now_says("A", status="shipped"))
    world.advance(hours=5)
    world.expect_alert(step="resolved", reason="ALL_RESOLVED", when="Mon 10:30")


def test_a_failing_sink_holds_no_other_and_catches_up_without_repeats(a_world: Make):
    """Scenario 46."""
    world = a_world(alerts(repeat='"1h"'), alerts={"good": {"sink": "memory"}, "bad": {"sink": "memory"}})
    world.sink("bad").fail_next(5, Transient("connection refused"))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(sink="good", when="Mon 08:00")
    world.advance(minutes=50)
    late = world.expect_alert(sink="bad", reason="FIRST_NOTICE")
    assert late.at > world.opened_at("A")
    world.advance(minutes=15)
    world.expect_alert(sink="good", reason="STILL_OPEN", when="Mon 09:00")
    world.expect_alert(sink="bad", reason="STILL_OPEN", when="Mon 09:00")
    world.place(now_says("A", status="shipped"))


def test_a_sink_that_was_away_for_hours_hears_the_newest_only(a_world: Make):
    """Scenario 46, with an absence longer than the interval: what was overtaken is not told any more."""
    world = a_world(alerts(repeat='"1h"'))
    world.sink().fail_next(17, Transient("connection refused"))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.until("Mon 12:30")
    told = [world.expect_alert(reason="STILL_OPEN") for _ in world.unexpected()]
    assert sorted({one.at for one in told}) == [one.at for one in told], "two messages at one instant"
    assert "SUPERSEDED" in {note for _, note in world.deliveries().values()} | set(world.voided())


def test_orders_that_come_together_are_told_together(a_world: Make):
    """Scenario 47."""
    world = a_world(alerts(group_wait='"10m"', group_interval='"10m"', repeat='"49m"'))
    world.place(an_order("A", ship_by="Tue 07:00"))
    world.advance(minutes=4)
    world.place(an_order("B", ship_by="Tue 07:00"))
    world.advance(minutes=6)
    world.expect_alert(reason="FIRST_NOTICE", orders=["A", "B"], when="Mon 08:10")
    world.advance(minutes=3)
    world.place(*(an_order(name, ship_by="Tue 07:00") for name in "CDE"))
    world.advance(minutes=7)
    world.expect_alert(reason="NEW_ORDERS", orders=["A", "B", "C", "D", "E"], when="Mon 08:20")
    world.advance(minutes=48)
    world.expect_nothing()
    world.advance(minutes=1)
    world.expect_alert(reason="STILL_OPEN", orders=["A", "B", "C", "D", "E"], when="Mon 09:09")
    world.place(*(now_says(name, status="shipped") for name in "ABCDE"))


def test_cases_nobody_solves_close_by_themselves_and_are_told_once_together(a_world: Make):
    """Scenario 48."""
    world = a_world(alerts(resolved="true") + '[late_shipment]\nauto_close = "10h"\n')
    world.place(*(an_order(name, ship_by="Mon 12:00") for name in "ABC"))
    world.expect_alert(orders=["A", "B", "C"], reason="FIRST_NOTICE")
    world.until("Mon 23:00")
    world.expect_alert(step="resolved", reason="ALL_RESOLVED", when="Mon 22:00")
    assert [f"{name} late_shipment 1 TOO_OLD" for name in "ABC"] == world.cases()


def test_nothing_is_told_before_the_start_delay_is_over_and_then_all_in_one(a_world: Make):
    """Scenario 50. The interval counts from the decision, which the delay does not hold."""
    world = a_world(alerts(group_interval='"10m"'), daemon={"start_delay": "5m"})
    world.place(an_order("A", ship_by="Tue 07:00"))
    world.advance(minutes=2)
    world.place(an_order("B", ship_by="Tue 07:00"))
    world.advance(minutes=2, seconds=59)
    world.expect_nothing()
    world.advance(seconds=1)
    world.expect_alert(orders=["A", "B"], when="Mon 08:05")
    world.reload()
    world.place(an_order("C", ship_by="Tue 07:00"), an_order("D", ship_by="Tue 07:00"))
    world.advance(minutes=10)
    world.expect_alert(orders=["A", "B", "C", "D"], when="Mon 08:10")


def test_a_reload_tells_nobody_twice_and_new_orders_join_at_the_interval(a_world: Make):
    """Scenario 51."""
    world = a_world(alerts(group_interval='"10m"', repeat='"1h"'))
    world.place(an_order("A", ship_by="Tue 07:00"))
    world.expect_alert(orders=["A"], when="Mon 08:00")
    world.advance(minutes=3)
    world.reload(playbook=alerts(group_interval='"9m"', repeat='"1h"'))
    world.advance(minutes=1)
    world.place(an_order("B", ship_by="Tue 07:00"))
    world.expect_nothing()
    world.advance(minutes=20)
    world.expect_alert(reason="NEW_ORDERS", orders=["A", "B"], when="Mon 08:09")
    world.until("Mon 09:30")
    world.expect_alert(reason="STILL_OPEN", orders=["A", "B"], when="Mon 09:09")


def test_a_sink_that_does_not_answer_is_asked_again_before_the_next_alert(a_world: Make):
    """Scenario 52."""
    world = a_world(alerts(group_interval='"1h"'), daemon={"call_timeout": 30_000})
    world.sink().stall_next(2)
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_nothing()
    world.advance(minutes=3)
    assert world.now > world.expect_alert(orders=["A"]).at > world.opened_at("A")
    world.advance(hours=2)


def test_a_silenced_order_is_quiet_while_the_others_go_on(a_world: Make):
    """Scenario 53."""
    world = a_world(alerts(repeat='"1h"'))
    world.place(an_order("A", ship_by="Mon 20:00"), an_order("B", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A", "B"], when="Mon 08:00")
    world.advance(minutes=30)
    world.snooze("A", until="Mon 10:30")
    world.until("Mon 11:45")
    world.expect_alert(orders=["B"], when="Mon 09:00")
    world.expect_alert(orders=["B"], when="Mon 10:00")
    world.expect_alert(orders=["A", "B"], when="Mon 10:30")
    world.expect_alert(orders=["A", "B"], when="Mon 11:30")


def test_when_a_silence_is_taken_back_the_next_alert_names_the_order(a_world: Make):
    """Scenario 54."""
    world = a_world(alerts(repeat='"1h"'))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"], when="Mon 08:00")
    world.snooze("A", until="Tue 20:00")
    world.until("Mon 11:30")
    world.expect_nothing()
    world.wake("A")
    world.expect_alert(orders=["A"], when="Mon 11:30")
    world.until("Mon 12:00")


def test_people_reach_a_case_of_a_shop_whatever_it_is_called(a_world: Make):
    """Scenario 54 for a shop with a Chinese name: keys are percent-encoded, shops are not."""
    world = a_world(alerts(repeat='"1h"'), shops={"北店": {}})
    world.place(an_order("A", ship_by="Mon 20:00", shop="北店"))
    world.expect_alert(orders=["A"], when="Mon 08:00")
    world.snooze("A", until="Tue 20:00")
    world.advance(hours=3)
    world.wake("A")
    world.expect_alert(orders=["A"], when="Mon 11:00", shop="北店")


def test_an_interval_that_is_switched_on_holds_for_what_is_open_already(a_world: Make):
    """Scenario 51: a reload wakes what it can affect."""
    world = a_world(alerts())
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"], when="Mon 08:00")
    world.advance(minutes=10)
    world.reload(playbook=alerts(repeat='"1h"'))
    world.advance(hours=1)
    world.expect_alert(orders=["A"], reason="STILL_OPEN", when="Mon 09:00")


def test_an_order_somebody_has_taken_on_is_named_no_more(a_world: Make):
    """Scenario 53 for an acknowledgement: it lasts until the case is closed."""
    world = a_world(alerts(repeat='"1h"'))
    world.place(an_order("A", ship_by="Mon 20:00"), an_order("B", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A", "B"])
    world.ack("A")
    world.until("Mon 09:30")
    world.expect_alert(orders=["B"], when="Mon 09:00")
    world.event("ack", "B")
    world.until("Mon 12:00")


def test_an_alert_still_queued_when_the_order_ships_is_not_sent(a_world: Make):
    """Scenario 61."""
    world = a_world(alerts(), alerts={"ops": {"sink": "memory", "hours": "09:00-22:00"}})
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.advance(minutes=30)
    world.place(now_says("A", status="shipped"))
    world.until("Mon 12:00")
    assert "ALL_RESOLVED" == world.outcome("alert")
    assert [("voided", "ALL_RESOLVED")] == [(line["event"], line["reason"]) for line in world.lines("voided")]


def test_a_provider_that_says_retry_after_fifteen_seconds_is_asked_in_exactly_fifteen(a_world: Make):
    """Scenario 62."""
    world = a_world(alerts())
    world.sink().fail_next(1, Transient("slow down", retry_after_s=15))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.advance(seconds=14)
    world.expect_nothing()
    world.advance(seconds=1)
    world.expect_alert(orders=["A"], when="2026-06-01 08:00:15")


def test_after_hours_of_rate_limit_the_alert_is_told_as_soon_as_there_is_room(a_world: Make):
    """Scenario 62, and the end of it: nothing that is open is given up."""
    world = a_world(alerts())
    world.sink().fail_next(44, Transient("slow down", retry_after_s=10 * 60))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.advance(hours=2)
    world.expect_nothing()
    world.advance(hours=1)
    world.expect_alert(orders=["A"], when="Mon 10:56")


def test_an_old_case_goes_on_in_maintenance_and_a_new_one_is_silent(a_world: Make):
    """Scenario 23."""
    window = {"since": "2026-06-01T08:30:00+08:00", "until": "2026-06-01T10:30:00+08:00"}
    world = a_world(alerts(repeat='"45m"'), shops={"north": {"maintenance": [window]}})
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"], when="Mon 08:00")
    world.advance(minutes=35)
    world.place(an_order("B", ship_by="Mon 20:00"))
    world.until("Mon 10:29")
    world.expect_alert(orders=["A"], when="Mon 08:45")
    world.expect_alert(orders=["A"], when="Mon 09:30")
    world.expect_alert(orders=["A"], when="Mon 10:15")
    world.until("Mon 10:30")
    world.expect_alert(orders=["A", "B"], when="Mon 10:30")


@pytest.mark.slow
@pytest.mark.parametrize(("keep", "left"), [("1d", 0), ("30d", 1)])
def test_a_case_closed_long_ago_is_forgotten_when_that_is_wanted(a_world: Make, keep: str, left: int):
    """Scenario 20."""
    world = a_world(alerts(), daemon={"keep_closed": "400d"})
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    world.place(now_says("A", status="completed"))
    world.advance(days=2)
    world.place(an_order("B", ship_by="Wed 20:00"))
    world.expect_alert(orders=["B"])
    world.place(now_says("B", status="completed"))
    world.reload(daemon={"keep_closed": keep})
    world.housekeeping()
    assert left == len(world.cases("A"))
    assert 1 == len(world.cases("B"))


@pytest.mark.slow
def test_an_order_with_a_younger_case_is_forgotten_as_a_whole_or_not_at_all(a_world: Make):
    """Scenario 20: the keys of its steps keep them from being done twice."""
    world = a_world(ladder('name = "ship", action = "task", delay = "0m"'), daemon={"keep_closed": "1d"})
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    world.expect_task("ship", "A")
    world.place(now_says("A", negotiated_ship_by="Thu 12:00"))
    world.until("Wed 12:00")
    world.expect_alert(orders=["A"])
    world.expect_task("ship", "A")
    world.place(now_says("A", status="completed"))
    world.housekeeping()
    assert ["A late_shipment 1 SHIP_BY_MOVED", "A late_shipment 2 SHIPPED"] == world.cases("A")
    assert 4 == len(world.sent())
    world.advance(days=2)
    world.housekeeping()
    assert [] == world.cases("A")


@pytest.mark.slow
def test_an_old_case_closes_by_itself_once_that_is_switched_on_and_a_fresh_one_stays(a_world: Make):
    """Scenario 19."""
    world = a_world(alerts())
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    world.until("Wed 20:00")
    world.place(an_order("B", ship_by="Thu 10:00"))
    world.expect_alert(orders=["B"])
    assert ["A late_shipment 1 open", "B late_shipment 1 open"] == world.cases()
    world.reload(playbook=alerts() + '[late_shipment]\nauto_close = "1d"\n')
    assert ["A late_shipment 1 TOO_OLD", "B late_shipment 1 open"] == world.cases()


def test_what_is_said_again_about_an_open_case_changes_its_note_not_its_beginning(a_world: Make):
    """Scenario 44."""
    world = a_world(alerts())
    world.place(an_order("A", ship_by="Mon 20:00", remark="first"))
    world.expect_alert(orders=["A"])
    world.advance(hours=1)
    world.place(now_says("A", remark="second"))
    world.place(now_says("A", remark="stale", observed_at="Mon 08:30"))
    world.advance(hours=1)
    assert ["A late_shipment 1 open"] == world.cases()
    assert world.opened_at("A") == at("Mon 08:00")
    assert "second" == world.order("A").remark


def test_after_its_end_the_same_trouble_is_a_new_case(a_world: Make):
    """Scenario 44."""
    world = a_world(alerts())
    world.place(an_order("A", a_line(), ship_by="2026-06-20 18:00", **OUT))
    world.expect_alert(orders=["A"])
    world.place(now_says("A", **BACK))
    world.advance(hours=7)
    world.place(now_says("A", **OUT))
    world.expect_alert(orders=["A"], reason="NEW_ORDERS")
    assert ["A stock_out 1 IN_STOCK", "A stock_out 2 open"] == world.cases()
