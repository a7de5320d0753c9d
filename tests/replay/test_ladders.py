"""Steps of a ladder: when each goes, that it goes once, what happens to it when the playbook is edited meanwhile."""

import pytest

from adapters.base import Permanent
from tests.replay.conftest import Make
from tests.replay.world import an_order, ladder, now_says, tell

ONE = 'name = "one", action = "task", delay = "0m"'
TWO = 'name = "two", action = "task", delay = "30m"'
SIXTY = 'name = "sixty", action = "task", delay = "60m"'
NINETY = 'name = "ninety", action = "task", delay = "90m"'
ASK = 'name = "ask", action = "negotiate", delay = "0m"'


def test_the_second_step_goes_exactly_thirty_minutes_after_the_first(a_world: Make):
    """Scenario 1."""
    world = a_world(ladder(ONE, TWO))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(step="alert", reason="FIRST_NOTICE", orders=["A"])
    world.expect_task("one", "A", when="Mon 08:00")
    world.advance(minutes=29, seconds=59)
    world.expect_nothing()
    world.advance(seconds=1)
    world.expect_task("two", "A", when="Mon 08:30")
    world.advance(hours=11)


def test_every_step_goes_exactly_once_the_instant_ones_first(a_world: Make):
    """Scenario 4."""
    world = a_world(ladder(ONE, 'name = "also_now", action = "task", delay = "0m"', TWO))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    world.expect_task("one", "A", when="Mon 08:00")
    world.expect_task("also_now", "A", when="Mon 08:00")
    world.advance(hours=11)
    world.expect_task("two", "A", when="Mon 08:30")


@pytest.mark.slow
def test_after_three_minutes_away_the_buyer_gets_one_message_not_two(a_world: Make):
    """Scenario 5."""
    ladder_of_two = ladder(tell("first", "1m"), tell("second", "2m"))
    world = a_world(ladder_of_two, live=("contact",), shops={"north": {"poll_s": 60}})
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    world.down(minutes=3)
    world.expect_contact("second", "A", when="Mon 08:03")
    world.advance(hours=1)
    assert "MISSED_WHILE_DOWN" == world.outcome("first", "A")


def test_a_step_added_after_its_time_is_skipped_and_the_later_ones_go(a_world: Make):
    """Scenario 10."""
    world = a_world(ladder(ONE, SIXTY))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    world.expect_task("one", "A")
    world.advance(minutes=35)
    world.reload(playbook=ladder(ONE, TWO, SIXTY, NINETY))
    assert "ADDED_TOO_LATE" == world.outcome("two", "A")
    world.advance(hours=2)
    world.expect_task("sixty", "A", when="Mon 09:00")
    world.expect_task("ninety", "A", when="Mon 09:30")


@pytest.mark.slow
def test_the_next_case_climbs_the_edited_ladder_in_full(a_world: Make):
    """Scenario 10, its new cycle."""
    world = a_world(ladder(ONE, SIXTY))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.advance(minutes=35)
    world.reload(playbook=ladder(ONE, TWO, SIXTY))
    world.expect_alert(orders=["A"])
    world.expect_task("one", "A", when="Mon 08:00")
    world.place(now_says("A", negotiated_ship_by="Thu 20:00"))
    world.until("Wed 23:00")
    world.expect_alert(orders=["A"], when="Wed 20:00")
    world.expect_task("one", "A", when="Wed 20:00")
    world.expect_task("two", "A", when="Wed 20:30")
    world.expect_task("sixty", "A", when="Wed 21:00")


def test_a_restart_with_an_edited_playbook_still_does_the_step_that_came_due_meanwhile(a_world: Make):
    """Scenario 10, seen from the other side: the step was there before, so it was not added too late."""
    world = a_world(ladder(ONE, TWO))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    world.expect_task("one", "A")
    world.advance(minutes=28)
    world.edit(ladder(ONE, TWO, SIXTY))
    world.down(minutes=4)
    world.expect_task("two", "A", when="Mon 08:32")
    world.advance(minutes=30)
    world.expect_task("sixty", "A", when="Mon 09:00")


def test_a_step_added_behind_the_last_one_is_not_sent_in_retrospect(a_world: Make):
    """Scenario 11."""
    world = a_world(ladder(ONE))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    world.expect_task("one", "A")
    world.advance(minutes=10)
    world.reload(playbook=ladder(ONE, 'name = "late_one", action = "task", delay = "0m"', TWO))
    assert "ADDED_TOO_LATE" == world.outcome("late_one", "A")
    world.advance(hours=2)
    world.expect_task("two", "A", when="Mon 08:30")


def test_another_ladder_starts_at_once_and_the_old_one_never_goes_on(a_world: Make):
    """Scenario 12. Switching back repeats nothing: a step that was done stays done (design §6)."""
    world = a_world(ladder(ONE, TWO))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    world.expect_task("one", "A")
    world.advance(minutes=10)
    world.reload(playbook=ladder('name = "other", action = "task", delay = "0m"'))
    world.expect_task("other", "A", when="Mon 08:10")
    world.advance(hours=1)
    world.expect_nothing()
    world.reload(playbook=ladder(ONE, TWO))
    world.advance(hours=1)
    assert "ADDED_TOO_LATE" == world.outcome("two", "A")


def test_a_step_waits_for_the_answer_to_the_one_before(a_world: Make):
    """The wait ends with its time, or at once when the answer is a no."""
    waiting = tell("then", "1m") + ', waits_for = "ask", wait = "2h"'
    world = a_world(ladder(ASK, waiting), live=("contact", "negotiate"))
    world.place(an_order("A", ship_by="Mon 20:00"), an_order("B", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A", "B"])
    world.expect("negotiate", step="ask", order="A")
    world.expect("negotiate", step="ask", order="B")
    world.advance(minutes=30)
    world.event("date_refused", "B")
    world.expect_contact("then", "B", when="Mon 08:30")
    world.advance(hours=4)
    world.expect_contact("then", "A", when="Mon 10:00")


def test_a_refused_request_makes_nobody_wait_for_its_answer(a_world: Make):
    """The platform refuses the card: no answer can come, so the next step keeps its own time."""
    waiting = tell("then", "1m") + ', waits_for = "ask", wait = "2h"'
    world = a_world(ladder(ASK, waiting), live=("contact", "negotiate"))
    world.sink("platform").fail_next(1, Permanent("not for this order"))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    assert "refused" == world.outcome("ask", "A")
    world.advance(minutes=5)
    world.expect_contact("then", "A", when="Mon 08:01")
