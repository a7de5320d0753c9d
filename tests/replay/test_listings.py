"""Listings that stock does not cover: weighed by the next sale, protected, limited by the day, undone by a person."""

import pytest

from daemon import listings
from daemon.store.journal import Journal
from tests.replay.conftest import Make
from tests.replay.world import World, a_line, alerts, an_order

LATER = "2026-06-20 18:00"


def pool(*settings: str) -> str:
    return alerts() + "\n".join(["[pool]", "delist = true", "relist = true", *settings, ""])


POOL = pool("margin_percent = 20")
LIVE = ("delist", "relist")


def short(world: World, *names: str, sku: str = "A-1", **facts: object) -> None:
    """An order that stock does not cover, and the listings that sell the same."""
    lines = [a_line(sku, listing_id=name, stock=0, line_id=name) for name in names]
    world.place(an_order(f"of {sku}", *lines, ship_by=LATER, **facts))
    world.expect_alert(orders=[f"of {sku}"])


def order(world: World, what: str, title: str) -> None:
    """A person stops or resumes a listing by the command."""
    shops = world.parts.installation.shops
    with world.database.begin() as tx:
        (offer,) = [one for one in listings.offers(tx, shops, world.now) if one.title == title]
        log = Journal()
        (listings.stop if what == "stop" else listings.resume)(tx, log, shops, offer, world.now, "mei")
        log.write(tx, world.now)
    world.tick()


def verdicts(world: World) -> dict[str, str]:
    with world.database.begin() as tx:
        found = listings.offers(tx, world.parts.installation.shops, world.now)
    return {one.title: one.judgement.verdict for one in found}


@pytest.mark.slow
def test_without_a_margin_stopping_is_work_for_a_person(a_world: Make):
    world = a_world(pool(), live=LIVE)
    short(world, "L9")
    world.expect("task", step="delist:north/L9", reason="NO_MARGIN", sink="tasks", says="stop selling this item")
    world.advance(days=2)


@pytest.mark.slow
def test_a_listing_worth_selling_stays_on_sale(a_world: Make):
    """Ninety of a hundred next sales would go out: the margin is worth more than the payout."""
    world = a_world(pool("margin_percent = 60", "fails_percent = 10"), live=LIVE)
    short(world, "L9")
    world.advance(days=2)
    assert {"north/L9": "keep"} == verdicts(world)


def test_a_platform_without_a_price_leaves_it_to_a_person(a_world: Make):
    world = a_world(POOL, shops={"north": {"platform": "generic"}}, live=LIVE)
    short(world, "L9")
    world.expect("task", step="delist:north/L9", reason="NO_RULE", sink="tasks")


@pytest.mark.slow
def test_a_protected_listing_is_never_stopped(a_world: Make):
    world = a_world(pool("margin_percent = 20", 'protected = ["north/L9"]'), live=LIVE)
    short(world, "L8", "L9")
    world.expect("delist", step="delist:north/L8")
    world.advance(days=2)


def test_beyond_a_days_share_a_person_decides(a_world: Make):
    """Half of three listings a day is one: granted in the order of the keys, whatever the batch."""
    world = a_world(pool("margin_percent = 20", "daily_share_percent = 50"), live=LIVE)
    short(world, "L7", "L8", "L9")
    world.expect("delist", step="delist:north/L7", sink="platform")
    world.expect("task", step="delist:north/L8", sink="tasks")
    world.expect("task", step="delist:north/L9", sink="tasks")
    world.advance(hours=1)


def test_the_next_day_has_a_share_of_its_own(a_world: Make):
    world = a_world(pool("margin_percent = 20", "daily_share_percent = 1"), start="Mon 23:00", live=LIVE)
    short(world, "L1", sku="A")
    world.expect("delist", step="delist:north/L1", sink="platform")
    world.until("Tue 00:00")
    short(world, "L2", sku="B")
    world.expect("delist", step="delist:north/L2", sink="platform")


def test_what_a_person_undoes_stays_on_sale_until_the_shortage_is_over(a_world: Make):
    world = a_world(POOL, live=LIVE)
    short(world, "L9")
    world.expect("delist", step="delist:north/L9")
    order(world, "undo", "north/L9")
    world.expect("relist", step="relist:north/L9", reason="UNDO", sink="platform")
    world.place(an_order("another", a_line(listing_id="L9", stock=0), ship_by=LATER))
    world.advance(hours=8)
    world.expect_alert(reason="NEW_ORDERS")
    assert "settled" == world.outcome("relist:north/L9")
    world.stock("A-1", 9)
    world.advance(hours=1)
    world.stock("A-1", 0)
    world.expect("delist", step="delist:north/L9")


def test_what_a_person_stops_comes_back_after_restock_like_any_other(a_world: Make):
    """The sum said keep; a person knew better. Only what we stopped comes back."""
    world = a_world(pool("margin_percent = 60", "fails_percent = 10"), live=LIVE)
    short(world, "L8", "L9")
    order(world, "stop", "north/L9")
    world.expect("delist", step="delist:north/L9", reason="BY_PERSON", sink="platform")
    world.stock("A-1", 9)
    world.expect("relist", step="relist:north/L9", reason="RESTOCKED", sink="platform")
    world.advance(days=1)


def test_what_a_person_ordered_in_shadow_is_only_recorded(a_world: Make):
    world = a_world(pool("margin_percent = 60", "fails_percent = 10"))
    short(world, "L9")
    order(world, "stop", "north/L9")
    assert "shadow" == world.outcome("delist:north/L9")
