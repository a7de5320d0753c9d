"""Steps of a ladder: when each goes, that it goes once, and what happens to it when the playbook is edited meanwhile."""

from tests.replay.conftest import Make
from tests.replay.world import an_order, at

HEAD = """
name = "mine"
version = 1
[alerts]
leads = ["24h"]
"""


def ladder(*steps: str, violation: str = "late_shipment") -> str:
    """A playbook whose ladder has these steps, each a TOML line like 'name = "a", action = "task", delay = "0m"'."""
    return HEAD + "".join(f"[[{violation}.steps]]\n{step.replace(', ', chr(10))}\n" for step in steps)


ONE = 'name = "one", action = "task", delay = "0m"'
TWO = 'name = "two", action = "task", delay = "30m"'


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
