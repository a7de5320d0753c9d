"""What buyers hear: in which order, when, how often, and what stops it."""

import pytest

from adapters.base import Transient
from daemon.store import hands
from rules import playbook
from tests.replay.conftest import Make
from tests.replay.world import HEAD, World, a_line, an_order, at, ladder, tell

WORDS = 'intent = "delay_notice", template = "delay_notice"'


def message(name: str, channel: str, delay: str, after: str | None = None, wait: str = "2h") -> str:
    waits = f', waits_for = "{after}", wait = "{wait}"' if after else ""
    return f'name = "{name}", action = "contact", delay = "{delay}", channel = "{channel}", {WORDS}{waits}'


CLIMB = (
    message("chat", "platform_chat", "0m"),
    message("text", "sms", "1h", "chat"),
    message("letter", "in_site", "1h", "text"),
    message("mail", "email", "1h", "letter"),
    'name = "ask_support", action = "task", delay = "1h", waits_for = "mail", wait = "2h"',
)


def limited(cap: int, *steps: str) -> str:
    return ladder(*steps, head=f'{HEAD}[contact]\nper_buyer = {cap}\nper_buyer_within = "24h"\n')


def quiet(*steps: str) -> str:
    return ladder(*steps, head=f'{HEAD}[contact]\nhours = "09:00-21:00"\n')


def climbing(a_world: Make) -> World:
    world = a_world(ladder(*CLIMB), live=("contact",))
    world.place(an_order("A", ship_by="Mon 23:00"))
    world.expect_alert(orders=["A"])
    return world


def test_chat_then_sms_then_in_site_then_mail_then_the_platform_each_after_the_wait(a_world: Make):
    """C012-C020, C093; scenario 4: each goes once."""
    world = climbing(a_world)
    world.advance(hours=12)
    for name, when in (("chat", "Mon 08:00"), ("text", "Mon 10:00"), ("letter", "Mon 12:00"), ("mail", "Mon 14:00")):
        world.expect_contact(name, "A", when=when)
    world.expect_task("ask_support", "A", when="Mon 16:00")


def test_a_reply_stops_the_ladder_the_platform_included(a_world: Make):
    """C013; scenario 27."""
    world = climbing(a_world)
    world.advance(hours=3)
    world.expect_contact("chat", "A", when="Mon 08:00")
    world.expect_contact("text", "A", when="Mon 10:00")
    world.event("buyer_reply", "A")
    world.advance(hours=12)
    assert {"BUYER_REPLIED"} == {world.outcome(name, "A") for name in ("letter", "mail", "ask_support")}


def test_the_shipped_ladder_asks_the_platform_only_after_every_other_way(a_world: Make):
    world = a_world(playbook.shipped_text())
    world.place(an_order("A", a_line(stock=0), ship_by="Wed 20:00"))
    world.advance(hours=24)
    order = ("agree_new_date", "tell_buyer", "text_buyer", "write_in_site", "mail_buyer", "ask_support")
    moments = [world.action(step, "A")["at"] for step in order]
    assert moments == sorted(set(moments))
    for sent in list(world.unexpected()):
        world.expect(sent.kind, step=sent.step)


def test_a_person_who_takes_over_stops_every_later_step(a_world: Make):
    world = climbing(a_world)
    world.advance(hours=1)
    world.expect_contact("chat", "A")
    world._hand("A", lambda tx, log, case: hands.take_over(tx, log, case, world.now))
    world.advance(hours=12)
    assert {"HUMAN_TAKEOVER"} == {world.outcome(name, "A") for name in ("text", "letter", "mail", "ask_support")}


def test_a_buyer_who_opted_out_hears_nothing_more_about_any_order_in_any_shop(a_world: Make):
    """Scenario 33, without a way back: only a new word of the buyer could be one."""
    world = a_world(ladder(tell("hello", "1m")), live=("contact",), shops={"north": {}, "south": {}})
    world.place(an_order("A", ship_by="Mon 20:00", buyer="b"))
    world.event("opt_out", "A")
    world.place(an_order("B", shop="south", ship_by="Mon 20:00", buyer="b"))
    world.place(an_order("C", shop="south", ship_by="Mon 20:00", buyer="other"))
    world.advance(hours=2)
    world.expect_contact("hello", "C", when="Mon 08:01")
    assert ("OPTED_OUT", "OPTED_OUT") == (world.outcome("hello", "A"), world.outcome("hello", "B"))
    for sent in list(world.unexpected()):
        world.expect("alert", sink=sent.sink)


@pytest.mark.slow
def test_a_buyer_gets_no_more_messages_than_allowed_over_all_shops(a_world: Make):
    """The one too many is dropped; when the day is over the next goes again."""
    world = a_world(limited(2, tell("hello", "0m")), live=("contact",), shops={"north": {}, "south": {}})
    for name, shop in (("A", "north"), ("B", "south"), ("C", "north"), ("D", "south")):
        buyer = "other" if name == "D" else "b"
        world.place(an_order(name, shop=shop, ship_by="Mon 20:00", buyer=buyer))
    for name in "ABD":
        world.expect_contact("hello", name, when="Mon 08:00")
    assert "BUYER_CAP" == world.outcome("hello", "C")
    world.until("Tue 08:00")
    world.place(an_order("E", ship_by="Tue 20:00", buyer="b"))
    world.expect_contact("hello", "E", when="Tue 08:00")
    for sent in list(world.unexpected()):
        world.expect("alert", sink=sent.sink)


def test_a_message_waits_for_the_morning_where_there_is_time(a_world: Make):
    """Scenario 64."""
    world = a_world(quiet(tell("hello", "0m")), live=("contact",), start="Mon 22:00")
    world.place(an_order("A", ship_by="Tue 20:00"))
    world.expect_alert()
    world.advance(hours=12)
    world.expect_contact("hello", "A", when="Tue 09:00")


def test_a_message_before_a_deadline_in_the_night_goes_in_the_evening_before(a_world: Make):
    """The hours know the deadline: six hours before 04:00 is 22:00; the last open minute before is 20:59."""
    words = f'channel = "platform_chat", {WORDS}'
    world = a_world(quiet(f'name = "hello", action = "contact", lead = "6h", {words}'), live=("contact",))
    world.place(an_order("A", ship_by="Tue 04:00"))
    world.expect_alert()
    world.advance(hours=24)
    world.expect_contact("hello", "A", when="Mon 20:59")


def test_a_message_that_was_held_up_into_the_night_waits_or_is_dropped(a_world: Make):
    """Planned in its hours, tried again outside: the night is not broken by a retry."""
    world = a_world(quiet(tell("hello", "0m")), live=("contact",), start="Mon 20:59")
    world.sink("platform").fail_next(2, Transient("busy"))
    world.place(an_order("A", ship_by="Tue 20:00"), an_order("B", ship_by="Tue 08:00"))
    for _ in "AB":
        world.expect_alert() if world.unexpected() else None
    world.advance(hours=14)
    world.expect_contact("hello", "A", when="Tue 09:00")
    assert "QUIET_HOURS" == world.outcome("hello", "B")


def test_a_text_that_was_changed_after_it_was_planned_is_not_sent(a_world: Make):
    own = '[templates.mine]\nversion = {}\nintent = "delay_notice"\ntext = "order $order_id takes longer"\n'
    step = tell("hello", "0m").replace('template = "delay_notice"', 'template = "mine"')
    world = a_world(
        ladder(step) + own.format(1), live=("contact",), alerts={"ops": {"sink": "adapters.memory:MemorySink"}}
    )
    world.sink("platform").fail_next(1, Transient("busy"))
    world.place(an_order("A", ship_by="Mon 20:00"))
    world.expect_alert()
    world.reload(playbook=ladder(step) + own.format(2))
    world.advance(hours=1)
    assert "TEXT_NOT_APPROVED" == world.outcome("hello", "A")
    assert at("Mon 08:00") == world.action("hello", "A")["at"]
