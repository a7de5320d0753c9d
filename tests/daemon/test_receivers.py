"""Receivers that refuse, stall or hang up: what is open is told soon after they are well, and they are rarely called.

The property over all behaviours, absences and changes of configuration: every alert whose cause is still open is told
within 5 minutes after the receiver is well again, with at most 20 calls in any hour before.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle, product
from typing import Protocol

import pytest

from adapters.base import AdapterError, AuthFailed, Message, Permanent, Transient, Uncertain
from daemon.scheduler import Parts, begin, tick
from daemon.store import receivers
from rules.instant import DAY, HOUR, MINUTE
from tests.adapters.fakes.background import background
from tests.adapters.fakes.peer import Peer, Reply, answers, answers_text, hangs_up, peer, stalls
from tests.daemon import running
from tests.daemon.builders import MORNING, a_line, rows, stock_of
from tests.daemon.running import a_late_order, say

Install = Callable[..., Parts]
AFTER = 5 * MINUTE
BUSIEST = 20


def refuses(status: int, wait: str | None = None) -> Reply:
    return answers({"message": "no"}, status=status, headers={"Retry-After": wait} if wait is not None else None)


def says(sink: str, code: int) -> tuple[str, Reply, Reply]:
    return sink, answers({"errcode": code, "errmsg": "no"}), answers({"errcode": 0})


def http(reply: Reply) -> tuple[str, Reply, Reply]:
    return "webhook", reply, answers()


BEHAVIOURS = {
    "404": http(refuses(404)),
    "401": http(refuses(401)),
    "429": http(refuses(429)),
    "429 at once": http(refuses(429, "0")),
    "429 in 30 s": http(refuses(429, "30")),
    "429 at a time long past": http(refuses(429, "Wed, 21 Oct 2015 07:28:00 GMT")),
    "429 at a time far ahead": http(refuses(429, "Wed, 21 Oct 2099 07:28:00 GMT")),
    "429 in centuries": http(refuses(429, "9" * 30)),
    "503": http(refuses(503)),
    "503 in an hour": http(refuses(503, "3600")),
    "slow": http(stalls(0.5)),
    "dropped": http(hangs_up()),
    "200 with a webhook's refusal": http(answers({"errcode": 93000, "errmsg": "no"})),
    "200 with WeCom's refusal": says("wecom", 93000),
    "200 with WeCom's limit": says("wecom", 45009),
    "200 with DingTalk's refusal": says("dingtalk", 310000),
    "200 with DingTalk busy": says("dingtalk", -1),
    "200 with a log-in page": ("wecom", answers_text("<html>log in</html>"), answers({"errcode": 0})),
}
ERRORS: dict[str, AdapterError | RuntimeError] = {
    "refused": Permanent("answered 404"),
    "not let in": AuthFailed("answered 401"),
    "busy": Transient("answered 503"),
    "busy, says at once": Transient("answered 429", 0.0),
    "busy, says in 30 s": Transient("answered 429", 30.0),
    "busy, says in a day": Transient("answered 429", 86_400.0),
    "cut off": Uncertain("no answer"),
    "unheard": Uncertain("no answer in 10 s", arrived=True),
    "a bug": RuntimeError("a bug"),
}
"""What the behaviours come down to; unheard messages arrived all the same."""
ABSENCES = {"short": 5 * MINUTE, "hours": 3 * HOUR, "days": 26 * HOUR}
CHANGES = ("none", "restart", "reload", "rename")
QUICK = [
    ("refused", "hours", "rename"),
    ("busy, says at once", "short", "reload"),
    ("busy, says in a day", "hours", "restart"),
    ("cut off", "hours", "none"),
    ("unheard", "short", "restart"),
]
DAYS = [(how, "days", change) for how, change in zip(ERRORS, cycle(CHANGES), strict=False)]
"""Days are long to walk through: each error goes through one of the changes then."""
TABLE = [
    pytest.param(*row, marks=() if row in QUICK else pytest.mark.slow)
    for row in (*product(ERRORS, ("short", "hours"), CHANGES), *DAYS)
]
WIRE = [
    pytest.param(how, absence, change, marks=() if absence == "short" else pytest.mark.slow)
    for (how, change), absence in product(zip(BEHAVIOURS, cycle(CHANGES), strict=False), ("short", "hours"))
]
"""On the wire each behaviour goes through one of the changes."""


class Party(Protocol):
    """The other side of a story. `seen`: what arrived so far, as text."""

    @property
    def seen(self) -> list[str]: ...
    def settings(self) -> str: ...
    def be_well(self) -> None: ...


@dataclass(slots=True)
class OnTheWire:
    """A receiver on the loopback that behaves as named until it is well."""

    peer: Peer
    how: str
    path: str = ""

    @property
    def seen(self) -> list[str]:
        return [one.body.decode() for one in self.peer.seen]

    def settings(self) -> str:
        return f'sink = "{BEHAVIOURS[self.how][0]}"\nurl = "{self.peer.url}{self.path}"\ntimeout_s = 0.1\n'

    def be_well(self) -> None:
        self.peer.replies[:] = [BEHAVIOURS[self.how][2]]


@dataclass(slots=True)
class InMemory:
    """A receiver whose calls end in an error until it is well."""

    error: Exception | None
    seen: list[str] = field(default_factory=list)

    def settings(self) -> str:
        return 'sink = "tests.daemon.sinks:Watched"\n'

    def be_well(self) -> None:
        self.error = None

    def look(self, message: Message) -> None:
        self.seen.append(f"{message.title}\n{message.text}")
        if self.error is not None:
            raise self.error


@dataclass(slots=True)
class Story:
    """One installation and its receiver; `calls`: when it was called, by simulated time."""

    parts: Parts
    party: Party
    name: str = "ops"
    now: int = MORNING
    calls: list[int] = field(default_factory=list)

    def begin(self) -> None:
        """A late order and a stock-out have to be told."""
        self.parts = running.again(self.parts, self.settings(), MORNING)
        short = a_late_order("1002", ship_by=MORNING + 20 * DAY, lines={"1": a_line("SKU-7", 3)})
        say(a_late_order("1001"), short, stock_of("SKU-7", 0))  # type: ignore[arg-type]
        tick(self.parts, MORNING)
        self.calls += [MORNING] * len(self.party.seen)

    def settings(self) -> str:
        return running.LIVE.partition("[alerts")[0] + f"[alerts.{self.name}]\n" + self.party.settings()

    def change(self, what: str) -> None:
        """A restart, a reload, or the receiver under another name, as the daemon goes through them."""
        if what == "none":
            return
        self.name = "team" if what == "rename" else self.name
        self.parts = running.again(self.parts, self.settings(), self.now)
        if what == "restart":
            begin(self.parts, self.now)

    def until(self, end: int) -> None:
        """A pass a minute, as from cron; where nothing is due there is nothing to do."""
        while self.now < end:
            self.now += MINUTE
            seen = len(self.party.seen)
            if self.now % HOUR == 0:
                tick(self.parts, self.now)
            elif not self.parts.dispatcher.is_idle(self.now):
                self.parts.dispatcher.dispatch(self.now)
            self.calls += [self.now] * (len(self.party.seen) - seen)

    def through(self, absence: int, change: str, *, heard: bool) -> None:
        """What has to hold of every receiver that is away for a while. `heard`: what arrives meanwhile is told."""
        self.until(MORNING + absence // 2)
        self.change(change)
        self.until(MORNING + absence)
        calls, before = list(self.calls), len(self.party.seen)
        self.party.be_well()
        self.until(MORNING + absence + AFTER)

        assert 2 == len(self.open_causes())
        assert set(self.open_causes()) == self.told(self.party.seen[0 if heard else before :])
        assert busiest(calls) <= BUSIEST

    def told(self, seen: list[str]) -> set[str]:
        """The open causes that these messages told of."""
        texts = "\n".join(seen)
        return {cause for cause, name in self.open_causes().items() if name in texts}

    def open_causes(self) -> dict[str, str]:
        """Cause → what a message about it surely names."""
        members = rows(self.parts.database, "member", left_at=None)
        return {one.cause: one.cause.rpartition(":")[2] if "pool" in one.cause else one.order_id for one in members}


def busiest(calls: list[int]) -> int:
    """The most calls in any hour."""
    return max(sum(start <= call < start + HOUR for call in calls) for start in calls)


@pytest.fixture
def on_the_wire(installed: Install) -> Iterator[Callable[[str], Story]]:
    """Makes a story whose receiver, on the loopback, behaves as named from the beginning."""
    with ExitStack() as ends:

        def make(how: str) -> Story:
            told = ends.enter_context(background(peer(BEHAVIOURS[how][1])))
            story = Story(installed("[shops]\n"), OnTheWire(told, how))
            story.begin()
            return story

        yield make


@pytest.mark.parametrize(("how", "absence", "change"), TABLE)
def test_what_is_open_is_told_within_five_minutes_after_its_receiver_is_well(
    installed: Install, how: str, absence: str, change: str
) -> None:
    party = InMemory(ERRORS[how])
    with running.looking(party.look):
        story = Story(installed("[shops]\n"), party)
        story.begin()
        story.through(ABSENCES[absence], change, heard=how == "unheard")


@pytest.mark.parametrize(("how", "absence", "change"), WIRE)
def test_it_holds_for_what_receivers_say_on_the_wire(
    on_the_wire: Callable[[str], Story], how: str, absence: str, change: str
) -> None:
    on_the_wire(how).through(ABSENCES[absence], change, heard=how == "slow")


def test_a_receiver_that_takes_messages_and_answers_too_late_hears_each_a_few_times_a_day(installed: Install) -> None:
    party = InMemory(ERRORS["unheard"])
    with running.looking(party.look):
        story = Story(installed("[shops]\n"), party)
        story.begin()
        story.until(MORNING + DAY)

    times = [sum(name in text for text in party.seen) for name in ("1001", "SKU-7")]
    assert all(3 <= count <= 15 for count in times), times


def test_what_is_perhaps_told_is_sent_once_more_as_soon_as_the_receiver_takes_anything(installed: Install) -> None:
    party = InMemory(ERRORS["unheard"])
    with running.looking(party.look):
        story = Story(installed("[shops]\n"), party)
        story.begin()
        story.until(MORNING + HOUR)
        party.be_well()
        before = len(party.seen)
        say(a_late_order("1003", at=story.now, shop="north", ship_by=MORNING + 9 * DAY, lines={"1": a_line("SKU-9")}))
        say(stock_of("SKU-9", 0, at=story.now))  # type: ignore[arg-type]
        tick(story.parts, story.now + MINUTE)
        story.until(story.now + AFTER)

    assert set(story.open_causes()) == story.told(party.seen[before:])


def test_a_receiver_is_asked_at_once_when_its_settings_are_corrected(on_the_wire: Callable[[str], Story]) -> None:
    story = on_the_wire("404")
    story.until(MORNING + HOUR)
    story.party.be_well()
    before = len(story.party.seen)
    story.party.path = "&corrected=1"  # type: ignore[attr-defined]

    story.change("reload")
    tick(story.parts, story.now)

    assert set(story.open_causes()) == story.told(story.party.seen[before:])


def test_a_receiver_that_is_renamed_keeps_what_is_known_of_it(on_the_wire: Callable[[str], Story]) -> None:
    story = on_the_wire("404")
    story.until(MORNING + HOUR)

    with story.parts.database.begin() as tx:
        (before,) = receivers.every(tx)
    story.change("rename")
    with story.parts.database.begin() as tx:
        (after,) = receivers.every(tx)

    assert ("ops", "team", before.since, before.next_at) == (before.name, after.name, after.since, after.next_at)


def test_what_nobody_could_be_told_goes_to_the_first_receiver_that_is_entered(installed: Install) -> None:
    parts = installed(running.LIVE.partition("[alerts")[0])
    say(a_late_order())
    tick(parts, MORNING)

    tick(running.again(parts, running.LIVE, MORNING + HOUR), MORNING + HOUR)

    assert ["north/pickup:2026-06-01/late_shipment/alert/1"] == running.told(running.sink())


def test_a_receiver_taken_out_and_entered_again_is_told_what_is_open(installed: Install) -> None:
    parts = installed(running.LIVE)
    running.sink().faults.fail_next(1, OSError("no route"))  # type: ignore[arg-type]
    say(a_late_order())
    tick(parts, MORNING)
    tick(running.again(parts, running.LIVE.partition("[alerts")[0], MORNING + MINUTE), MORNING + MINUTE)

    tick(running.again(parts, running.LIVE, MORNING + 2 * MINUTE), MORNING + 2 * MINUTE)

    assert ["north/pickup:2026-06-01/late_shipment/alert/1"] == running.told(running.sink())


@pytest.mark.parametrize("step", [MINUTE, HOUR])
def test_shadow_first_then_live_tells_each_open_trouble_once_and_does_no_step(installed: Install, step: int) -> None:
    shadow = running.LIVE.replace('default = "live"', 'default = "shadow"')
    parts = installed(shadow)
    say(
        a_late_order("1001"),
        a_late_order("1002", ship_by=MORNING - HOUR),
        a_late_order("1003", ship_by=MORNING + 20 * DAY, lines={"1": a_line("SKU-7", 3)}),
        stock_of("SKU-7", 0),  # type: ignore[arg-type]
    )
    tick(parts, MORNING)
    running.sink().messages.clear()
    live = running.again(parts, shadow.replace("[shops", 'alert = "live"\n[shops', 1), MORNING + step)

    for now in range(MORNING + step, MORNING + step + 10 * MINUTE, MINUTE):
        tick(live, now)

    texts = [f"{one.title}\n{one.text}" for one in running.sink().messages]
    assert all(1 == sum(name in text for text in texts) for name in ("1001", "1002", "SKU-7")), texts
    assert {"shadow"} == {one.outcome for one in rows(live.database, "action", dropped=False) if one.kind != "alert"}


# ---- one that is silent is news for the others

TWO = running.LIVE + '[alerts.lead]\nsink = "memory"\n'


def silent(installed: Install, hours: int, text: str = TWO) -> Parts:
    """A receiver that is down for so long, while something has to be told."""
    parts = installed(text)
    running.sink("ops").faults.fail_next(1000, Transient("answered 503, not taken for now"))
    say(a_late_order())
    for now in range(MORNING, MORNING + hours * HOUR, MINUTE):
        tick(parts, now)
    return parts


def news(name: str) -> list[str]:
    """What a receiver was told of others that are silent."""
    return [message.title for message in running.sink(name).messages if "do not reach" in message.title]


def test_after_an_hour_the_others_hear_once_of_a_receiver_that_takes_nothing(installed: Install) -> None:
    silent(installed, 4)

    assert ["alerts do not reach [ops] since today 08:00"] == news("lead")
    (told,) = [message for message in running.sink("lead").messages if "do not reach" in message.title]
    assert told.text.startswith("answered 503, not taken for now\n")


def test_a_short_silence_is_no_news(installed: Install) -> None:
    silent(installed, 1)

    assert [] == news("lead")


def test_where_there_is_no_other_receiver_nobody_is_told_and_nothing_waits(installed: Install) -> None:
    parts = silent(installed, 3, running.LIVE)

    assert [] == rows(parts.database, "action", step="receiver")


def test_a_receiver_is_not_told_of_its_own_silence(installed: Install) -> None:
    parts = silent(installed, 3)
    running.sink("ops").faults.waiting.clear()

    for now in range(MORNING + 3 * HOUR, MORNING + 4 * HOUR, MINUTE):
        tick(parts, now)

    assert [] == news("ops")
    assert ["lead"] == [one.sink for one in rows(parts.database, "delivery") if "/receiver:" in one.action_key]
