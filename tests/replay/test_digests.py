"""After an absence or a first import: the group hears first what can still be saved, and nothing is lost in a cut."""

import re

from rules.playbook import shipped_text
from tests.replay.conftest import Make
from tests.replay.world import Sent, World, alerts, an_order, now_says

GROUP = {"ops": {"sink": "tests.daemon.sinks:Group"}}
SHOP = {"warehouse": {"open": "Mon-Sun 09:00-18:00", "pickups": ["11:00", "18:00"], "scan_lag": "2h"}}
LEFT = re.compile(r"and (\d+) more: `forestall|not named here: (\d+) orders")


def heard(world: World) -> list[Sent]:
    """What the group was told, in order; the story has expected all of it."""
    return [world.expect("alert", sink="ops") for _ in world.unexpected() if _.sink == "ops"]


def accounted(messages: list[Sent]) -> int:
    """Orders the messages name, and those they count with a command that lists them."""
    text = "\n".join(f"{message.title}\n{message.text}" for message in messages)
    counted = sum(int(n or m) for n, m in LEFT.findall(text))
    return len(set(re.findall(r"\b[ns]\d+-\d+\b", text))) + counted


def test_back_after_three_days_the_group_hears_first_what_is_due_tonight(a_world: Make):
    world = a_world(alerts('"24h", "4h"'), shops={"north": SHOP, "south": SHOP}, alerts=GROUP)
    world.meanwhile(*(an_order(f"n{day}-{n}", ship_by=f"{day} 20:30") for day in ("Tue", "Wed") for n in range(9)))
    world.down(days=3, hours=7, minutes=5)
    dead = [
        an_order(f"{shop[0]}{day}-{n}", shop=shop, paid_at="Mon 07:00", ship_by=f"2026-06-0{day} {hour}:30")
        for shop in ("north", "south")
        for day in (2, 3)
        for hour in (13, 20)
        for n in range(hour, hour + 2)
    ]
    tonight = [an_order(f"n9-{n}", ship_by="Thu 20:30") for n in range(51)]
    world.place(*dead, *tonight)
    messages = heard(world)

    assert any("51 orders out by today 18:00" in message.title for message in messages)
    first = next(message for message in messages if "n9-" in message.text)
    assert "n9-0, " in first.text
    assert accounted(messages) >= len(dead) + len(tonight)


def test_a_first_import_begins_with_one_notice_of_the_past_and_names_what_is_due_tonight(a_world: Make):
    """1,200 old open orders and 20 for tonight: no alert and no task for each of the dead."""
    world = a_world(playbook=shipped_text(), shops={"north": SHOP}, alerts=GROUP, start="Sat 15:00")
    old = [an_order(f"n1-{n}", paid_at="2026-05-12 07:00", ship_by=f"2026-05-{14 + n % 14} 20:30") for n in range(300)]
    new = [an_order(f"n2-{n}", paid_at="Fri 07:00", ship_by="Sat 20:30") for n in range(20)]
    world.place(*old, *new)
    messages = [world.expect("alert") for one in world.unexpected() if one.kind == "alert"]
    tasks = [world.expect("task") for one in world.unexpected()]

    assert ["300 orders were long overdue", "20 orders must be on the pick-up"] == [
        re.search(r"\d+ orders \w+ (?:long overdue|be on the pick-up)", one.title)[0]
        for one in sorted(messages, key=lambda one: one.title, reverse=True)
    ]
    assert {f"n2-{n}" for n in range(20)} == {one.order for one in tasks}
    assert 320 == accounted(messages)
    assert 320 == len(world.cases()), "they stay on the lists"
    world.place(*(now_says(f"n1-{n}", status="shipped") for n in range(300)))
    world.place(*(now_says(f"n2-{n}", status="shipped") for n in range(20)))
