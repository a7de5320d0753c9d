"""A shop near a line of its platform: told in time, once, and no more than is known."""

import pytest

from tests.replay.conftest import Make
from tests.replay.world import World, alerts, an_order, now_says

QUIET = alerts('"1h"')
LATER = "2026-09-01 18:00"


def disputes(world: World, *names: str) -> None:
    """Orders about which the platform is called in."""
    for name in names:
        world.place(an_order(name, ship_by=LATER))
        world.event("intervention", name)
    aside(world)


def aside(world: World) -> None:
    """What is told about orders, and about the daemon, is not this story's affair."""
    for sent in world.unexpected():
        if sent.step != "health":
            world.expect("alert", step=sent.step, reason=sent.reason, orders=sent.orders)


def test_two_more_disputes_and_campaigns_close(a_world: Make):
    """C080: the alarm comes at four of "more than five in a month"; what each further one does is told that day.

    C085: beyond the line there is one word of advice about ads, before it none.
    """
    world = a_world(QUIET, start="2026-06-26 08:00")
    disputes(world, "1", "2", "3")
    world.expect_nothing()
    disputes(world, "4")
    told = world.expect_alert(step="health", reason="LINE_NEAR", says="2 more by 06-30 23:59 and campaigns close")
    assert "paid search ads" not in told.text
    disputes(world, "5")
    world.expect_nothing()
    disputes(world, "6")
    told = world.expect_alert(
        step="health", reason="LINE_CROSSED", says="over the line until 06-30 23:59: campaigns close"
    )
    assert "Forestall buys none" in told.text


def test_a_new_month_begins_at_nought(a_world: Make):
    """What was near in June is not in July; the 28 days go on counting."""
    world = a_world(QUIET, start="2026-06-30 20:00")
    disputes(world, "1", "2", "3", "4")
    world.expect_alert(step="health", says="2 more by 06-30 23:59")
    world.until("2026-07-01 09:00")
    aside(world)
    world.expect_nothing()


@pytest.mark.slow
def test_nobody_is_told_again_after_a_night_that_brought_nothing(a_world: Make):
    """Scenario 45 turned round: a count that only grows older is not repeated, also over a restart (scenario 5)."""
    world = a_world(QUIET, start="2026-06-24 20:00")
    disputes(world, "1", "2", "3", "4")
    world.expect_alert(step="health", reason="LINE_NEAR")
    world.down(hours=12)
    world.advance(days=2)
    aside(world)
    world.expect_nothing()


def test_a_dispute_the_seller_wins_counts_all_the_same(a_world: Make):
    """C084: every intervention counts for the shop's place in search, won or lost."""
    world = a_world(QUIET, start="2026-06-26 08:00")
    disputes(world, "1", "2", "3")
    for name in ("1", "2", "3"):
        world.event("ruled_for", name)
    disputes(world, "4")
    world.expect_alert(step="health", reason="LINE_NEAR")


def test_the_stock_outs_of_a_day_are_told_before_the_line(a_world: Make):
    """X5: the platform flags two of six orders of a day that follows one with orders: 30 % is crossed."""
    world = a_world(QUIET, shops={"north": {"platform": "pinduoduo"}}, start="Mon 08:00")
    for number in range(7):
        world.place(an_order(f"mon{number}", ship_by=LATER, paid_at="Mon 07:00"))
    world.until("Tue 12:00")
    for number in range(6):
        world.place(an_order(f"tue{number}", ship_by=LATER, paid_at="Tue 11:00"))
    world.place(now_says("tue0", flags=["out_of_stock"]))
    aside(world)
    world.expect_alert(step="health", reason="LINE_NEAR", says="1 more by 06-02 23:59 and resource slots are lost")
    world.place(now_says("tue1", flags=["out_of_stock"]))
    world.expect_alert(step="health", reason="LINE_CROSSED")
    aside(world)


def test_points_are_told_before_the_sellers_line_and_when_it_is_reached(a_world: Make):
    """C010: a ruled stock-out takes three points; nine of twelve are one more of them before the line."""
    world = a_world(QUIET, shops={"north": {"points_line": 12}}, start="2026-12-30 08:00")
    for name, points in (("1", 3), ("2", 5)):
        world.place(an_order(name, ship_by="2027-02-01 18:00"))
        world.event("points_deducted", name, points=points)
    aside(world)
    world.expect_nothing()
    world.advance(minutes=1)
    world.event("points_deducted", "1", points=1)
    world.expect_alert(
        step="health", reason="LINE_NEAR", says="3 points more by 12-31 23:59 and your own line is reached"
    )
    world.event("points_deducted", "2", points=3)
    told = world.expect_alert(step="health", reason="LINE_CROSSED", says="your own line of points is reached until")
    assert "paid search ads" not in told.text
    aside(world)
    world.until("2027-01-01 09:00")
    aside(world)
    world.expect_nothing()
