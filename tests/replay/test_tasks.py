"""Work items: they leave the list by themselves once nobody need do them."""

from daemon.store import views
from tests.replay.conftest import Make
from tests.replay.world import World, a_line, alerts, an_order, ladder, now_says

SHIP = 'name = "ship", action = "task", delay = "0m"'
AGREE = 'name = "agree", action = "negotiate", delay = "0m", until = "2h"'

LEFT_TO_PEOPLE = {"north": {"platform": "pinduoduo"}}
"""There new dates are agreed in the platform's own tool only."""


def listed(world: World) -> list[str]:
    """The steps on the list of a person who looks now."""
    with world.database.begin() as tx:
        return [row["step"] for row in views.task_rows(tx, world.now)]


def placed(world: World, *steps: str) -> None:
    world.place(an_order("A", a_line(), ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    for step in steps:
        world.expect_task(step, "A")


def test_a_shipped_order_is_not_to_be_packed_any_more(a_world: Make):
    world = a_world(ladder(SHIP))
    placed(world, "ship")
    before = listed(world)

    world.place(now_says("A", status="shipped"))

    assert (["ship"], []) == (before, listed(world))
    assert "CASE_CLOSED" == world.outcome("ship", "A")


def test_what_a_person_did_stays_done(a_world: Make):
    world = a_world(ladder(SHIP))
    placed(world, "ship")

    world.task_done("ship", "A")
    world.place(now_says("A", status="shipped"))

    assert "settled" == world.outcome("ship", "A")


def test_a_task_stays_while_its_order_only_changes(a_world: Make):
    world = a_world(ladder(SHIP))
    placed(world, "ship")

    world.place(now_says("A", paid_minor=14000))

    assert ["ship"] == listed(world)


def test_a_task_of_a_case_that_a_person_took_over_is_still_hers(a_world: Make):
    world = a_world(ladder(SHIP))
    placed(world, "ship")

    world.take_over("A")
    world.advance(minutes=1)

    assert ["ship"] == listed(world)


def test_a_date_agreed_ends_the_task_to_agree_one(a_world: Make):
    world = a_world(ladder(SHIP, AGREE), shops=LEFT_TO_PEOPLE)
    placed(world, "ship", "agree")

    world.event("date_agreed", "A")

    assert ["ship"] == listed(world)
    assert "DATE_AGREED" == world.outcome("agree", "A")


def test_a_task_whose_time_is_up_is_not_on_the_list(a_world: Make):
    world = a_world(ladder(SHIP, AGREE), shops=LEFT_TO_PEOPLE)
    placed(world, "ship", "agree")
    world.until("Mon 18:00")
    before = listed(world)

    world.advance(seconds=1)

    assert (["agree", "ship"], ["ship"]) == (sorted(before), listed(world))


POOL = alerts() + "[pool]\ndelist = true\nrelist = true\nnotice = true\n"


def short(world: World) -> None:
    """Stock does not cover the order: without a margin, a person decides whether the item is sold on."""
    world.place(an_order("A", a_line(listing_id="L9", stock=0), ship_by="2026-06-20 18:00"))
    world.expect_alert(orders=["A"])
    world.expect("task", step="delist:north/L9", sink="tasks")
    world.expect("task", step="post_notice", sink="tasks")


def test_after_restock_nobody_need_stop_the_item_or_tell_visitors(a_world: Make):
    world = a_world(POOL)
    short(world)
    before = listed(world)

    world.stock("A-1", 50, listing="L9")
    world.expect("task", step="remove_notice", sink="tasks")

    assert (["delist:north/L9", "post_notice"], ["remove_notice"]) == (sorted(before), listed(world))


def test_out_of_stock_again_asks_again(a_world: Make):
    world = a_world(POOL)
    short(world)
    world.stock("A-1", 50, listing="L9")
    world.expect("task", step="remove_notice", sink="tasks")

    world.advance(hours=2)
    world.stock("A-1", 0, listing="L9")

    world.expect("task", step="delist:north/L9", sink="tasks")
    world.expect("task", step="post_notice", sink="tasks")
    assert ["delist:north/L9", "post_notice"] == sorted(listed(world))
