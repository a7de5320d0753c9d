"""What the words of a playbook get wrong is named with file, line, key and mend, before anything runs on it."""

import pytest

from rules import playbook, wording

HEAD = 'name = "x"\nversion = 1\n[alerts]\nleads = ["24h"]\n'


def talk(anchor: str = "lead", template: str = "delay_notice", intent: str = "delay_notice", more: str = "") -> str:
    """A step that writes to the buyer, as one line."""
    channel = "" if "channel" in more else 'channel = "platform_chat", '
    words = f'{channel}intent = "{intent}", template = "{template}"'
    return f'{{ name = "a", action = "contact", {anchor} = "1h", {words}{more} }}'


def problems(steps: str, more: str = "", also: tuple[str, ...] = ()) -> list[str]:
    """What is said about late-shipment steps, each on a line of its own from line 7 on."""
    text = f"{HEAD}[late_shipment]\nsteps = [\n{steps}\n]\n{more}"
    return wording.problems(playbook.parse(text, "mine.toml"), "mine.toml", also)


def own(text: str, intent: str = "delay_notice") -> str:
    return f'[templates.mine]\nversion = 1\nintent = "{intent}"\ntext = "{text}"\n'


def test_the_shipped_playbook_has_no_fault():
    assert [] == wording.problems(playbook.shipped(), "shipped")


def test_a_text_nobody_approved_is_named_with_those_that_are():
    said = problems("{ name = 'one', action = 'task', lead = '2h' },\n" + talk(template="soon"))
    assert 1 == len(said)
    place = "mine.toml:8: late_shipment.steps.a.template: "
    assert said[0].startswith(place + "no approved text 'soon'; known: claim_notice, ")
    assert said[0].endswith("or write [templates.soon]")


def test_a_platform_nobody_knows_is_refused_unless_a_shop_has_it():
    step = "{ name = 'a', action = 'task', lead = '1h', platforms = ['pinduodo'] }"
    assert (
        "mine.toml:7: late_shipment.steps.a.platforms: no platform 'pinduodo'; known: generic, taobao"
        in problems(step)[0]
    )
    assert [] == problems(step, also=("pinduodo",))


def test_a_channel_nobody_knows_is_refused():
    said = problems(talk(more=', channel = "pigeon"'))
    assert ["mine.toml:7: late_shipment.steps.a.channel: no channel 'pigeon'"] == [one.split(";")[0] for one in said]


def test_a_step_means_what_its_text_is_about():
    said = problems(talk(intent="apology"))
    assert "late_shipment.steps.a.intent: the text 'delay_notice' is about 'delay_notice', not 'apology'" in said[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("亲，这款缺货了", "ADMITS_NO_STOCK"),
        ("给您换一款好吗", "ASKS_TO_SWAP"),
        ("请补差价", "SURCHARGE"),
        ("加微信 abc", "OFF_PLATFORM_CONTACT"),
        ("给您返现", "PROMISES_PAYOUT"),
    ],
)
def test_a_text_that_a_platform_punishes_is_refused_with_phrase_and_mend(text, reason):
    said = problems(talk(template="mine"), own(text))
    assert 1 == len(said)
    assert f"({reason}); " in said[0]
    assert "the text 'mine' may not say" in said[0]


def test_a_text_may_say_on_a_shop_of_ones_own_what_a_platform_forbids():
    said = problems(talk(template="mine", more=', platforms = ["generic"]'), own("sorry, out of stock"))
    assert [] == said


def test_a_text_is_judged_only_where_it_would_be_sent():
    """On Pinduoduo nothing about a stock-out reaches the buyer anyway; elsewhere a swap may be offered."""
    steps = f"{HEAD}[stock_out]\nsteps = [\n{talk('delay', 'mine')}\n]\n"
    assert [] == wording.problems(playbook.parse(steps + own("给您换一款好吗"), "mine.toml"), "mine.toml")


def test_a_step_of_its_own_table_is_found_by_its_own_line():
    text = HEAD + "".join(
        f'[[late_shipment.steps]]\nname = "{name}"\naction = "task"\nlead = "1h"\nplatforms = ["{place}"]\n'
        for name, place in (("a", "jd"), ("b", "nowhere"))
    )
    assert wording.problems(playbook.parse(text, "m"), "m")[0].startswith("m:14: late_shipment.steps.b.platforms: ")
