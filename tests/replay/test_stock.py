"""Stock that does not cover what is sold: who gets it, who is told, what is taken off sale and put back."""

from importlib.resources import files

import pytest

from adapters.base import Permanent
from daemon.explanation import why
from tests.replay.conftest import Make
from tests.replay.world import World, a_line, alerts, an_order, now_says

POOL = alerts() + '[pool]\ndelist = true\nrelist = true\nsettle = "30m"\nmargin_percent = 20\n'
SHIPPED_PLAYBOOK = files("rules").joinpath("data/playbook.toml").read_text("utf-8")
LATER = "2026-06-20 18:00"


def shared(world: World, *order_ids: str) -> dict[str, tuple[bool, str]]:
    """What `why` says about the pool A-1 to each order."""
    shops = world.parts.installation.shops
    found = {}
    for order_id in order_ids:
        with world.database.begin() as tx:
            document = why(tx, shops, "north", order_id, None, world.now)
        assert document is not None
        (rule,) = [rule for rule in document["rules"] if rule["id"] == "stock:A-1"]
        found[order_id] = (rule["fired"], rule["reason"])
    return found


@pytest.mark.slow
def test_of_two_orders_for_the_last_unit_the_dearer_loss_is_covered(a_world: Make):
    """One alert for the other, and the item goes off sale once the shortage has lasted."""
    world = a_world(POOL, live=("delist", "relist"))
    unit = a_line(listing_id="L9", stock=1)
    world.place(
        an_order("cheap", unit, ship_by=LATER, paid_minor=6000), an_order("dear", unit, ship_by=LATER, paid_minor=60000)
    )
    world.expect_alert(orders=["cheap"], says="the stock on hand goes to dear: a miss there costs more")
    assert ["cheap stock_out 1 open"] == world.cases()
    assert {"cheap": (True, "STOCK_GIVES_WAY dear"), "dear": (False, "STOCK_KEPT")} == shared(world, "cheap", "dear")
    world.advance(minutes=29)
    world.expect_nothing()
    world.advance(minutes=1)
    world.expect("delist", step="delist:north/L9", when="Mon 08:30")
    world.advance(days=2)


def test_after_restock_only_what_we_took_off_sale_comes_back(a_world: Make):
    """The platform refused to take one listing off: it is the seller's own affair, and stays so."""
    world = a_world(POOL, live=("delist", "relist"))
    world.sink("platform").fail_next(1, Permanent("not yours"))
    world.place(an_order("A", a_line(listing_id="L8", stock=0), ship_by=LATER))
    world.stock("A-1", 0, listing="L9")
    world.expect_alert(orders=["A"])
    world.advance(hours=1)
    world.expect("delist", step="delist:north/L9", when="Mon 08:30")
    assert "refused" == world.outcome("delist:north/L8")
    world.stock("A-1", 5)
    assert ["A stock_out 1 IN_STOCK"] == world.cases()
    world.advance(hours=1)
    world.expect("relist", step="relist:north/L9", when="Mon 09:30")


def test_a_shortage_that_is_over_before_it_settles_touches_no_listing(a_world: Make):
    """Flapping stock: the seller is told, the shop window stays."""
    world = a_world(POOL, live=("delist", "relist"))
    world.place(an_order("A", a_line(listing_id="L9", stock=0), ship_by=LATER))
    world.expect_alert(orders=["A"])
    world.advance(minutes=20)
    world.stock("A-1", 5)
    world.advance(hours=5)


def test_a_second_shortage_takes_the_item_off_sale_again(a_world: Make):
    """Each round has keys of its own."""
    world = a_world(POOL, live=("delist", "relist"))
    world.place(an_order("A", a_line(listing_id="L9", stock=0), ship_by=LATER))
    world.expect_alert(orders=["A"])
    world.advance(hours=1)
    world.expect("delist", step="delist:north/L9")
    world.stock("A-1", 5)
    world.advance(hours=7)
    world.expect("relist", step="relist:north/L9")
    world.stock("A-1", 0)
    world.expect_alert(orders=["A"], reason="NEW_ORDERS")
    world.advance(hours=1)
    world.expect("delist", step="delist:north/L9")
    assert "settled" == world.outcome("delist:north/L9")


def test_two_shops_share_one_pool_one_alert_and_one_shortage(a_world: Make):
    """Stock said by one shop covers the orders of both, the dearer first."""
    world = a_world(POOL, shops={"north": {}, "south": {}}, live=("delist", "relist"))
    world.place(an_order("N", a_line(listing_id="L9", stock=1), ship_by=LATER, paid_minor=6000))
    world.expect_nothing()
    world.place(an_order("S", a_line(listing_id="L5"), ship_by=LATER, paid_minor=60000, shop="south"))
    world.expect_alert(orders=["N"])
    world.advance(hours=1)
    world.expect("delist", step="delist:north/L9", shop="north")
    world.expect("delist", step="delist:south/L5", shop="south", says="[south]")
    world.place(now_says("S", status="cancelled", shop="south"))
    assert ["N stock_out 1 IN_STOCK"] == world.cases()
    world.advance(hours=2)


def test_on_pinduoduo_a_stock_out_is_told_to_the_platform_and_never_to_the_buyer(a_world: Make):
    """Telling the buyer is itself the violation (P31, P34)."""
    everything = ("negotiate", "contact", "compensate", "delist", "relist")
    world = a_world(SHIPPED_PLAYBOOK, shops={"north": {"platform": "pinduoduo"}}, live=everything)
    world.place(an_order("A", a_line(), ship_by="Thu 18:00", flags=["out_of_stock"]))
    world.expect_alert(orders=["A"])
    world.expect_task("apply_to_platform", "A", when="Mon 08:00")
    world.expect_task("find_stock", "A", when="Mon 08:00")
    world.advance(hours=30)
    assert "NO_TOOL" == world.outcome("agree_new_date", "A")
    assert "ADMITS_NO_STOCK" == world.outcome("tell_buyer", "A")
    assert [] == world.box("platform").messages


def test_on_pinduoduo_a_new_date_for_a_late_order_is_work_for_a_person(a_world: Make):
    """There is no card to send: the platform's own tool is used by hand, and only then is the buyer told."""
    world = a_world(SHIPPED_PLAYBOOK, shops={"north": {"platform": "pinduoduo"}}, live=("negotiate", "contact"))
    world.place(an_order("A", a_line(), ship_by="Tue 18:00"))
    world.until("Tue 17:00")
    world.expect_alert(orders=["A"], reason="FIRST_NOTICE", when="Mon 18:00")
    world.expect_task("ship", "A", when="Mon 18:00")
    world.expect_task("agree_new_date", "A", when="Tue 06:00")
    world.expect_contact("tell_buyer", "A", when="Tue 10:00")
    world.expect_alert(orders=["A"], reason="TIME_RUNNING_OUT", when="Tue 14:00")


def test_a_unit_that_was_refunded_is_owed_no_more(a_world: Make):
    """A sub-order is refunded: the case stays for the other, and ends with it."""
    world = a_world(alerts())
    two = (a_line(line_id="1"), a_line("B-2", line_id="2"))
    world.place(an_order("A", *two, ship_by="Mon 20:00"))
    world.expect_alert(orders=["A"])
    world.place(now_says("A", {"line_id": "2", "refunded_quantity": 1}))
    assert ["A late_shipment 1 open"] == world.cases()
    world.place(now_says("A", {"line_id": "1", "refunded_quantity": 1}))
    assert ["A late_shipment 1 NOTHING_OWED"] == world.cases()
    world.advance(hours=20)


def test_a_refunded_unit_frees_its_stock_for_another_order(a_world: Make):
    """The pool covers who is left."""
    world = a_world(alerts())
    world.place(an_order("A", a_line(stock=1), ship_by=LATER, paid_minor=60000), an_order("B", a_line(), ship_by=LATER))
    world.expect_alert(orders=["B"])
    world.place(now_says("A", status="refunded"))
    assert ["B stock_out 1 IN_STOCK"] == world.cases()
    world.advance(hours=20)
