"""An order on its way to the courier: scans, pick-ups, new dates, late payments, and absences of ours."""

import pytest

from adapters.base import Transient
from tests.replay.conftest import Make
from tests.replay.world import alerts, an_order, ladder, now_says, tell

SHIP = 'name = "ship", action = "task", lead = "10h"'
CHASE = 'name = "chase_scan", action = "task", lead = "4h", stage = "unscanned"'


@pytest.mark.slow
def test_a_parcel_the_courier_has_not_scanned_is_chased(a_world: Make):
    """The feed knows the scan: until it is there the platform's clock runs."""
    world = a_world(ladder(SHIP, CHASE))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    world.until("Mon 12:00")
    world.expect_task("ship", "A", when="Mon 10:00")
    world.place(now_says("A", status="shipped", collection_known=True, collected_at=None))
    world.until("Mon 17:00")
    world.expect_task("chase_scan", "A", when="Mon 16:00")
    assert ["A late_shipment 1 open"] == world.cases()
    world.place(now_says("A", collected_at="Mon 16:50"))
    assert ["A late_shipment 1 COLLECTED"] == world.cases()
    world.advance(days=2)


def test_where_nobody_can_know_the_scan_shipped_ends_the_ladder(a_world: Make):
    """The feed has never said a word about collection."""
    world = a_world(ladder(SHIP, CHASE))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    world.place(now_says("A", status="shipped"))
    assert ["A late_shipment 1 SHIPPED"] == world.cases()
    world.advance(days=2)


@pytest.mark.slow
def test_an_order_that_was_refunded_and_then_shipped_troubles_nobody(a_world: Make):
    """The parcel left all the same; nothing is owed."""
    world = a_world(ladder(SHIP, CHASE))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    world.place(now_says("A", status="refunded"))
    world.advance(hours=1)
    world.place(now_says("A", status="shipped", collection_known=True, collected_at="Mon 08:50"))
    world.advance(days=2)
    assert ["A late_shipment 1 ORDER_CLOSED"] == world.cases()


@pytest.mark.slow
def test_an_order_due_on_monday_morning_must_be_on_fridays_pick_up(a_world: Make):
    """No courier comes at the weekend: alerts and ladders run on the last useful pick-up."""
    warehouse = {"open": "Mon-Fri 09:00-18:00", "pickups": ["17:00"], "scan_lag": "2h"}
    world = a_world(ladder(SHIP), shops={"north": {"warehouse": warehouse}})
    world.place(an_order("early", ship_by="2026-06-08 12:00"), an_order("late", ship_by="2026-06-08 20:00"))
    world.until("2026-06-08 21:00")
    world.expect_alert(orders=["early"], when="Thu 17:00", says="tomorrow 17:00")
    world.expect_task("ship", "early", when="Fri 07:00")
    world.expect_alert(orders=["late"], when="Sun 17:00", says="tomorrow 17:00")
    world.expect_task("ship", "late", when="2026-06-08 07:00")


@pytest.mark.slow
def test_once_a_new_date_is_agreed_the_buyer_is_left_alone(a_world: Make):
    """The event stops the steps; the new date moves the deadline; later it is a new episode."""
    steps = (SHIP, 'name = "ask", action = "negotiate", lead = "9h"', tell("tell", "4h"))
    world = a_world(ladder(*steps), live=("negotiate", "contact"))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.until("Mon 11:30")
    world.expect_alert(orders=["A"], when="Mon 08:00")
    world.expect_task("ship", "A", when="Mon 10:00")
    world.expect("negotiate", step="ask", order="A", when="Mon 11:00")
    world.event("date_agreed", "A")
    world.until("Mon 13:00")
    assert "DATE_AGREED" == world.outcome("tell", "A")
    world.place(now_says("A", negotiated_ship_by="Fri 20:00"))
    assert ["A late_shipment 1 SHIP_BY_MOVED"] == world.cases()
    world.until("Fri 11:30")
    world.expect_alert(orders=["A"], when="Thu 20:00")
    world.expect_contact("tell", "A", when="Fri 00:00")
    world.expect_task("ship", "A", when="Fri 10:00")
    world.expect("negotiate", step="ask", order="A", when="Fri 11:00")
    assert ["A late_shipment 1 SHIP_BY_MOVED", "A late_shipment 2 open"] == world.cases()


def test_a_message_that_waits_for_its_retry_is_not_sent_once_the_buyer_has_agreed(a_world: Make):
    """The fact is read again at the last moment."""
    world = a_world(ladder(tell("tell", "0m")), live=("contact",))
    world.sink("platform").fail_next(1, Transient("busy", retry_after_s=600))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    world.advance(minutes=5)
    world.event("date_agreed", "A")
    world.advance(minutes=30)
    assert "DATE_AGREED" == world.outcome("tell", "A")


def test_a_parcel_only_the_platform_knows_of_stops_the_message_at_the_last_look(a_world: Make):
    """Fresh read: the feed has not told us yet that it was shipped."""
    world = a_world(ladder(tell("tell", "1h")), live=("contact",))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    world.advance(minutes=30)
    world.silently(now_says("A", status="shipped"))
    world.advance(minutes=45)
    assert "CASE_CLOSED" == world.outcome("tell", "A")
    assert ["A late_shipment 1 SHIPPED"] == world.cases()


def test_an_order_paid_after_its_limit_is_late_from_the_first_look(a_world: Make):
    """Paid when its ship-by had passed: told at once, and no step that only helps before."""
    world = a_world(ladder(SHIP, 'name = "ask", action = "negotiate", lead = "9h"'), live=("negotiate",))
    world.place(an_order("A", status="unpaid", paid_at=None, ship_by="Mon 12:00"))
    world.until("Mon 14:00")
    world.expect_nothing()
    world.place(now_says("A", status="paid", paid_at="Mon 13:59"))
    world.expect_alert(orders=["A"], when="Mon 14:00")
    world.expect_task("ship", "A", when="Mon 14:00")
    assert "NO_TIME_LEFT" == world.outcome("ask", "A")
    world.advance(hours=5)


@pytest.mark.slow
def test_a_cancelled_order_that_is_paid_after_all_begins_anew(a_world: Make):
    """The clock starts with the payment."""
    world = a_world(alerts())
    world.place(an_order("A", status="unpaid", paid_at=None))
    world.place(now_says("A", status="cancelled"))
    world.advance(hours=3)
    world.place(now_says("A", status="paid", paid_at="Mon 11:00"))
    world.until("Wed 10:00")
    world.expect_alert(orders=["A"], when="Tue 11:00")


@pytest.mark.slow
def test_a_presale_order_is_due_at_the_end_of_its_promised_day(a_world: Make):
    """A bare date means its last second, and no 48 hours count."""
    world = a_world(alerts())
    world.place(an_order("A", flags=["presale"], presale_ship_by="2026-06-15 00:00"))
    world.until("2026-06-15 12:00")
    world.expect_alert(orders=["A"], when="2026-06-14 23:59:59")


def test_after_seven_days_away_there_is_one_report_and_one_decision_per_order(a_world: Make):
    """No burst of late messages: one digest, and steps whose time has passed are dropped with the reason."""
    steps = (SHIP, 'name = "ask", action = "negotiate", lead = "9h", until = "2h"', tell("tell", "2h"))
    world = a_world(ladder(*steps), live=("negotiate", "contact"))
    late, due = [f"late-{day}" for day in range(3, 8)], "due-8"
    world.place(*(an_order(name, ship_by=f"2026-06-0{name[-1]} 20:00") for name in (*late, due, "later-9")))
    world.down(days=7)
    told = world.expect_alert(step="digest", orders=[*late, due], when="2026-06-08 08:00")
    assert "6 orders came due meanwhile, 5 deadlines passed" in told.text
    for name in late:
        world.expect_task("ship", name, when="2026-06-08 08:00")
        assert "NO_TIME_LEFT" == world.outcome("ask", name)
    opened = [line["order_id"] for line in world.lines("case_opened")]
    assert sorted([*late, due]) == sorted(opened)
    world.advance(hours=1, minutes=59)
    world.expect_nothing()


def test_what_was_decided_before_an_absence_is_not_done_in_a_heap_after_it(a_world: Make):
    """Three messages fell due while we were down: the last useful one goes, the others say why not."""
    steps = (tell("first", "1h"), tell("second", "2h"), tell("third", "3h"))
    world = a_world(ladder(*steps), live=("contact",))
    world.place(an_order("A", ship_by="Tue 07:00"))
    world.expect_alert(orders=["A"])
    world.down(hours=4)
    world.expect_alert(step="boot")
    world.expect_contact("third", "A", when="Mon 12:00")
    assert ["MISSED_WHILE_DOWN"] * 2 == [world.outcome(step, "A") for step in ("first", "second")]
    world.advance(hours=2)


def test_an_order_that_was_shipped_while_we_were_away_is_not_chased(a_world: Make):
    """First the fresh poll, then the decision."""
    world = a_world(ladder(SHIP))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    world.meanwhile(now_says("A", status="shipped", observed_at="Mon 09:30"))
    world.down(hours=3)
    world.expect_alert(step="boot")
    assert ["A late_shipment 1 SHIPPED"] == world.cases()
