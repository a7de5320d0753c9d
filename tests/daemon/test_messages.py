"""What people read: money at stake, time left, the one thing to do, and how old the data is."""

from collections.abc import Callable

import pytest

from adapters.base import Message
from daemon.messages import Texts
from daemon.scheduler import Parts, tick
from daemon.store import hands
from daemon.store.journal import Journal
from rules import templates
from rules.instant import HOUR, MINUTE
from rules.model import Kind
from tests.daemon import running
from tests.daemon.builders import MORNING, a_line, stock_of
from tests.daemon.running import a_late_order, action, plan, say, sink

Install = Callable[..., Parts]
EFFECTS = f'{running.LIVE}[alerts.hands]\nsink = "memory"\n{running.EVERY_EFFECT}\n'


def alert(parts: Parts, now: int = MORNING) -> Message:
    """The one alert that is told at this moment."""
    sink().messages.clear()
    tick(parts, now)
    (message,) = sink().messages
    return message


def test_an_alert_says_how_many_what_is_at_stake_until_when_and_what_to_do(installed: Install) -> None:
    parts = installed()
    say(a_late_order("1"), a_late_order("2"))

    message = alert(parts)

    assert "2 orders" in message.title
    assert "at stake: ¥6.00" in message.text
    assert "hand over by today 11:00 (3 h 0 min)" in message.text
    assert "to do: pack and hand over" in message.text
    assert "data as of today 08:00 (0 min old)" in message.text


def test_what_only_lacks_a_scan_is_counted_apart_and_its_time_comes_second(installed: Install) -> None:
    parts = installed()
    shipped = {"status": "shipped", "collected_at": None, "collection_known": True, "ship_by": MORNING + HOUR}
    say(a_late_order("1"), a_late_order("2"), a_late_order("3", **shipped))

    message = alert(parts)

    assert (
        "[north] 2 orders must be handed over, the first by today 11:00; 1 shipped order has no scan" == message.title
    )
    assert "hand over by today 11:00 (3 h 0 min)" in message.text


@pytest.mark.parametrize(
    ("confirmed", "said"),
    [(False, "可能被扣：¥3.00（规则待核实）"), (True, "可能被扣：¥3.00")],
    ids=["a guess", "confirmed"],
)
def test_a_stake_nobody_has_confirmed_is_marked(
    installed: Install, monkeypatch: pytest.MonkeyPatch, confirmed: bool, said: str
) -> None:
    monkeypatch.setenv("FORESTALL_LANG", "zh")
    parts = installed()
    pack = parts.installation.shops.get("north").policy.pack
    if confirmed:
        parts.installation.shops.confirm(frozenset(row.digest for row in pack.rows))
    say(a_late_order("1"))

    message = alert(parts)

    assert said in message.text.splitlines()
    assert confirmed == message.data["stake_confirmed"]


def test_machines_read_the_same_in_utc_and_minor_units(installed: Install) -> None:
    parts = installed()
    say(a_late_order("1"), a_late_order("2"))

    data = alert(parts).data

    assert (["1", "2"], 600, "CNY", "2026-06-01T03:00:00Z") == tuple(
        data[name] for name in ("orders", "stake_minor", "currency", "act_by")
    )


def test_a_crowd_is_a_few_names_and_a_count(installed: Install) -> None:
    parts = installed()
    say(*(a_late_order(f"n{number:02}") for number in range(25)))

    message = alert(parts)

    assert "n09" in message.text
    assert "n10" not in message.text
    assert "and 15 more: `forestall cases list --shop north`" in message.text


def test_an_order_that_was_acknowledged_is_not_named_again(installed: Install) -> None:
    parts = installed()
    say(a_late_order("1"), a_late_order("2"))
    alert(parts)
    with parts.database.begin() as tx:
        journal = Journal()
        hands.acknowledge(tx, journal, hands.find_case(tx, "north/1/late_shipment/1"), MORNING + MINUTE)
    later = MORNING + 40 * MINUTE
    say(a_late_order("3", at=later))

    message = alert(parts, later)

    assert ["2", "3"] == message.data["orders"]


def test_a_shortage_names_the_item_and_never_says_to_tell_the_buyer(installed: Install) -> None:
    parts = installed()
    say(a_late_order("1", ship_by=MORNING + 60 * HOUR, lines={"1": a_line()}), stock_of("A-1", 0))  # type: ignore[arg-type]

    message = alert(parts)

    assert "1 order is not covered by stock: A-1" in message.title
    assert "buyer" not in message.text


@pytest.mark.parametrize(("language", "said"), [("zh", "¥3.00"), ("en", "at stake: ¥3.00")])
def test_texts_are_in_the_sellers_language(installed: Install, language: str, said: str) -> None:
    parts = installed(f'{running.LIVE}[daemon]\nlanguage = "{language}"\n')
    say(a_late_order())

    message = alert(parts)

    assert said in message.text
    assert ("at stake" in message.text) == (language == "en")


def test_a_text_to_a_buyer_is_the_approved_one_with_the_order_filled_in(installed: Install) -> None:
    parts = installed(EFFECTS)
    say(order := a_late_order("240601-1"))
    running.feed().orders["240601-1"] = order
    tick(parts, MORNING)
    key = plan(parts, Kind.CONTACT, "tell_buyer", template="delay_notice")
    row = dict(action(parts, key)) | {"order_id": "240601-1"}

    with parts.database.begin() as tx:
        message = Texts("en").effect(tx, parts.installation.shops, row, MORNING)  # type: ignore[arg-type]

    assert templates.shipped()["delay_notice"].filled("240601-1") == message.text


@pytest.mark.parametrize(
    ("platform", "channel", "said"),
    [("taobao", "sms", True), ("taobao", "phone", True), ("taobao", "platform_chat", False), ("generic", "sms", False)],
)
def test_who_texts_or_calls_a_buyer_is_told_that_the_number_is_masked(
    installed: Install, platform: str, channel: str, said: bool
) -> None:
    """X13, C014: the extension, and for how long the number lives; the buyer's own text says nothing of it."""
    parts = installed(EFFECTS.replace("taobao", platform))
    key = plan(parts, Kind.CONTACT, "text_buyer", template="delay_sms", channel=channel)

    row = action(parts, key)
    with parts.database.begin() as tx:
        work = Texts("en").task(tx, parts.installation.shops, row, MORNING)
        sent = Texts("en").effect(tx, parts.installation.shops, row, MORNING)

    assert said == ("dial its extension too; it dies 15 days after the order ends" in work)
    assert "extension" not in sent.text
