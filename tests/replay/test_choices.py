"""What an order that goes wrong is worth: the cheapest safe way is taken, and told with what it would have cost."""

from dataclasses import replace

import pytest

from adapters.base import Snapshot
from daemon.explanation import why
from rules import playbook
from rules.assume import Assume
from tests.replay.conftest import Make
from tests.replay.world import World, an_order, at, ladder

MAKE_GOOD = 'name = "make_good", action = "compensate", after = "0m", until = "48h"'
GUESSES = """
[assume]
miss = 30
complain = 10
agree = 40
coupon_minor = 500
coupon_helps = 20
payment_minor = 500
payment_helps = 60
dispute_minor = 2000
point_minor = 5000
near_line = 5
"""
TMALL = {"west": {"platform": "tmall"}}
DEAR, CHEAP = {"paid_minor": 450_000}, {"paid_minor": 15_000}


def missing(order_id: str, **facts: object) -> Snapshot:
    """An order on Tmall that its platform marks as out of stock: 10 % when the buyer complains, 5 % in any case."""
    told = an_order(order_id, ship_by="Mon 20:00", paid_at="Mon 07:00", flags=["out_of_stock"], **facts)
    return replace(told, shop="west", platform="tmall")


@pytest.fixture
def world(a_world: Make) -> World:
    """A Tmall shop whose rows a person has confirmed, and a playbook with guesses."""
    play = ladder(MAKE_GOOD, violation="stock_out") + GUESSES
    return a_world(play, shops=TMALL, confirmed=("tmall",), live=("compensate",))


def place(world: World, *orders: Snapshot) -> None:
    """Orders appear; the seller is told of the pick-up and of each order without stock."""
    world.place(*orders)
    world.expect_alert(orders=[order.order_id for order in orders])
    for order in orders:
        world.expect_alert(orders=[order.order_id])


def asked(world: World, order_id: str) -> dict[str, object]:
    """The choice of the only open case, as `why` tells it."""
    with world.database.begin() as tx:
        document = why(tx, world.parts.installation.shops, "west", order_id, None, world.now)
    assert document is not None
    (choice,) = document["choices"]
    return choice


def test_a_dear_order_gets_the_small_payment_and_a_cheap_one_waits(world: World):
    """450 yuan and a dispute at one in ten against 5 yuan at four in a hundred."""
    place(world, missing("dear", **DEAR), missing("cheap", **CHEAP))
    world.until("Mon 20:00")
    world.expect("compensate", step="make_good", order="dear", when="Mon 20:00", says="make a small payment")
    assert ("small_payment", 500, "CNY") == tuple(
        world.action("make_good", "dear")[name] for name in ("channel", "amount_minor", "currency")
    )
    assert "WAITING_IS_CHEAPER" == world.outcome("make_good", "cheap")
    world.advance(hours=1)


def test_why_names_every_way_the_guesses_and_where_it_tips(world: World):
    place(world, missing("dear", **DEAR))
    choice = asked(world, "dear")
    ways = {one["way"]: one for one in choice["alternatives"]}
    assert (100, 5_000, 47_000, False) == tuple(
        choice[name] for name in ("miss", "auto_minor", "complaint_minor", "near_line")
    )
    assert 10 == choice["assumed"]["complain"]
    assert ["negotiate"] == [name for name, one in ways.items() if one["chosen"]]
    assert {"cost_minor": 7_380, "pay_minor": 500, "break_even": 2} == {
        name: ways["small_payment"][name] for name in ("cost_minor", "pay_minor", "break_even")
    }
    assert "BUYER_MUST_ASK" == ways["refund"]["obstacle"]


def test_without_a_confirmed_row_nothing_is_given(a_world: Make):
    world = a_world(ladder(MAKE_GOOD, violation="stock_out") + GUESSES, shops=TMALL)
    place(world, missing("dear", **DEAR))
    world.until("Mon 21:00")
    assert "RULE_NOT_CONFIRMED" == world.outcome("make_good", "dear")


def test_without_guesses_the_rule_is_paid_and_no_ways_are_compared(a_world: Make):
    world = a_world(ladder(MAKE_GOOD, violation="stock_out"), shops=TMALL, confirmed=("tmall",))
    place(world, missing("cheap", **CHEAP))
    world.until("Mon 21:00")
    assert ("rule_payout", 1_500) == tuple(
        world.action("make_good", "cheap")[name] for name in ("channel", "amount_minor")
    )
    with world.database.begin() as tx:
        document = why(tx, world.parts.installation.shops, "west", "cheap", at("Mon 19:00"), world.now)
    assert document is not None
    assert [] == document["choices"]


def test_the_shipped_guesses_are_those_of_these_stories():
    shipped = playbook.shipped().assume
    assert isinstance(shipped, Assume)
    assert playbook.parse(ladder(MAKE_GOOD) + GUESSES, "here").assume == shipped
