"""Hop 1: pages and their cursors, failing and slow feeds, records that cannot be used, pretended moments."""

import asyncio
from collections.abc import Callable, MutableMapping
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from adapters.base import AuthFailed, Page, Permanent, Rejected, Transient
from adapters.memory import Fault
from daemon import poll
from daemon.scheduler import Parts, assemble, tick
from daemon.store import feeds, timers
from rules.instant import DAY, HOUR, MINUTE, SECOND
from tests.daemon import running
from tests.daemon.builders import MORNING, a_snapshot, due, row, rows, said
from tests.daemon.running import a_late_order, feed, say

Install = Callable[..., Parts]
Logs = list[MutableMapping[str, Any]]
TWO = running.LIVE + '[shops.south]\nplatform = "taobao"\nfeed = "memory"\n'
NEXT = MORNING + MINUTE


def known(parts: Parts) -> list[str]:
    return [order.order_id for order in rows(parts.database, "orders")]


def of(parts: Parts, shop: str = "north") -> Any:
    return row(parts.database, "feed", shop=shop)


def named(logs: Logs, *events: str) -> list[str]:
    return [entry["event"] for entry in logs if entry["event"] in events]


# ---- pages


def test_every_page_is_read_in_one_pass(installed: Install) -> None:
    parts = installed()
    for number in range(5):
        say(a_snapshot(str(number)))

    polled = parts.poller.poll(MORNING)

    assert (1, ["0", "1", "2", "3", "4"]) == (polled, known(parts))
    assert ("5", MORNING) == (of(parts).cursor, of(parts).last_success)


def test_a_feed_is_polled_again_after_its_own_time(installed: Install) -> None:
    parts = installed(running.LIVE.replace('feed = "memory"', 'feed = "memory"\npoll_s = 300'))

    polled = [parts.poller.poll(MORNING + minute * MINUTE) for minute in range(7)]

    assert [1, 0, 0, 0, 0, 1, 0] == polled


def test_a_second_page_that_fails_leaves_the_first_one_read(installed: Install) -> None:
    parts = installed()

    class Half:
        capabilities = parts.poller.feeds["north"].capabilities

        async def poll(self, cursor: str | None, now: int) -> Page:
            if cursor is not None:
                raise Transient("reset")
            return Page(records=[a_snapshot("1")], cursor="1", more=True)

    parts.poller.feeds["north"] = Half()  # type: ignore[assignment]
    parts.poller.poll(MORNING)

    assert (["1"], "1", "Transient: reset") == (known(parts), of(parts).cursor, of(parts).error)


@pytest.mark.parametrize("error", [Transient("reset"), Permanent("gone"), AuthFailed("token"), RuntimeError("a bug")])
def test_a_failure_leaves_the_cursor_where_it_was(installed: Install, error: Any) -> None:
    parts = installed()
    say(a_snapshot("1"))
    parts.poller.poll(MORNING)
    say(a_snapshot("2"))
    feed().faults.waiting.append(Fault(error=error))

    parts.poller.poll(NEXT)
    failed = (of(parts).cursor, known(parts), of(parts).failing_since)
    parts.poller.poll(NEXT + 5 * MINUTE)

    assert ("1", ["1"], NEXT) == failed
    assert ("2", ["1", "2"], None) == (of(parts).cursor, known(parts), of(parts).failing_since)


def test_a_page_and_its_cursor_are_kept_together_or_not_at_all(
    installed: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = installed()
    say(a_snapshot("1"))

    def full(*_: object) -> bool:
        raise poll.OperationalError("INSERT", {}, Exception("database or disk is full"))

    monkeypatch.setattr(feeds, "save_page", full)
    parts.poller.poll(MORNING)

    assert ([], None) == (known(parts), of(parts).cursor)
    assert [] == due(parts.database, "order", MORNING + DAY)


def test_the_watermark_never_goes_back(installed: Install) -> None:
    parts = installed()
    for watermark in (MORNING, MORNING - HOUR, None):
        say(a_snapshot(str(watermark)), watermark=watermark)

    parts.poller.poll(MORNING)

    assert MORNING == of(parts).watermark


def test_a_feed_that_runs_in_a_circle_is_stopped(installed: Install) -> None:
    parts = installed()

    class Circle:
        capabilities = parts.poller.feeds["north"].capabilities

        async def poll(self, cursor: str | None, now: int) -> Page:
            return Page(cursor="same", more=True)

    parts.poller.feeds["north"] = Circle()  # type: ignore[assignment]
    parts.poller.poll(MORNING)

    assert "Permanent: the feed says there is more, but its cursor does not move on" == of(parts).error


# ---- failing feeds


def test_a_feed_is_logged_once_when_it_breaks_and_once_when_it_recovers(installed: Install, logs: Logs) -> None:
    parts = installed()
    feed().faults.fail_next(3, Transient("reset"))

    for minute in range(30):
        parts.poller.poll(MORNING + minute * MINUTE)

    assert ["feed.broke", "feed.recovered"] == named(logs, "feed.broke", "feed.recovered")
    assert None is of(parts).error


def test_a_feed_that_was_always_well_never_recovers(installed: Install, logs: Logs) -> None:
    parts = installed()
    say(a_snapshot("1"))

    parts.poller.poll(MORNING)

    assert [] == named(logs, "feed.broke", "feed.recovered")


def test_a_feed_that_gets_no_further_than_its_first_page_has_not_recovered(installed: Install, logs: Logs) -> None:
    parts = installed()
    feed().faults.fail_next(1, Transient("reset"))
    parts.poller.poll(MORNING)

    class Half:
        capabilities = parts.poller.feeds["north"].capabilities

        async def poll(self, cursor: str | None, now: int) -> Page:
            if cursor is not None:
                raise Transient("reset")
            return Page(cursor="1", more=True)

    parts.poller.feeds["north"] = Half()  # type: ignore[assignment]
    parts.poller.poll(MORNING + HOUR)

    assert ["feed.broke"] == named(logs, "feed.broke", "feed.recovered")


def test_credentials_that_are_refused_are_logged_as_such(installed: Install, logs: Logs) -> None:
    parts = installed()
    feed().faults.fail_next(1, AuthFailed("token expired"))

    parts.poller.poll(MORNING)

    (broke,) = [entry for entry in logs if entry["event"] == "feed.broke"]
    assert (True, "AuthFailed: token expired") == (broke["renew_credentials"], broke["error"])


def test_a_failing_feed_is_asked_less_and_less_often(installed: Install) -> None:
    parts = installed()
    feed().faults.fail_next(1000, Transient("reset"))

    asked = [now for now in range(0, 2 * HOUR, 10 * SECOND) if parts.poller.poll(MORNING + now)]
    waits = [after - before for before, after in pairwise(asked)]

    assert 30 * SECOND <= waits[0] <= 40 * SECOND
    assert 15 * MINUTE <= waits[-1] <= 20 * MINUTE
    assert sorted(waits[:5]) == waits[:5]


def test_a_feed_that_says_when_is_asked_exactly_then(installed: Install) -> None:
    parts = installed()
    feed().faults.fail_next(1, Transient("limit", retry_after_s=17))
    parts.poller.poll(MORNING)

    asked = [parts.poller.poll(MORNING + 17 * SECOND - 1), parts.poller.poll(MORNING + 17 * SECOND)]

    assert [0, 1] == asked


def test_a_feed_that_another_worker_took_over_is_not_broken(installed: Install, logs: Logs) -> None:
    parts = installed()

    class Slow:
        capabilities = parts.poller.feeds["north"].capabilities

        async def poll(self, cursor: str | None, now: int) -> Page:
            with parts.database.begin() as tx:
                timers.claim(tx, timers.FEED, now + DAY, 1)
            return Page(records=[a_snapshot("1")], cursor="1")

    parts.poller.feeds["north"] = Slow()  # type: ignore[assignment]
    parts.poller.poll(MORNING)

    assert ([], [], None) == (known(parts), named(logs, "feed.broke"), of(parts).error)


def test_a_shop_that_only_a_newer_configuration_knows_is_left_to_it(installed: Install) -> None:
    """A reload under way, or another machine: the older one must not end what it does not know."""
    older = installed()
    newer = running.again(older, TWO, MORNING)
    say(a_late_order("2", shop="south"), shop="south")

    polled = [older.poller.poll(MORNING), newer.poller.poll(MORNING + timers.STRANGE)]

    assert [1, 2] == polled
    assert ["2"] == known(newer)


# ---- slow feeds


def test_a_feed_that_stalls_does_not_delay_another_shop(installed: Install) -> None:
    parts = installed(TWO)
    feed("north").faults.stall_next()
    say(a_late_order("2", shop="south"), shop="south")

    async def one_pass() -> list[str]:
        await parts.poller.start_due(MORNING)
        await parts.poller.in_flight["south"]
        parts.engine.decide(MORNING)
        return sorted(parts.poller.in_flight)

    still = asyncio.run(one_pass())

    assert ["north"] == still
    assert ["south/2/late_shipment/1"] == [case.key for case in rows(parts.database, "case")]


def test_a_feed_in_hand_is_not_polled_a_second_time(installed: Install) -> None:
    parts = installed(TWO)
    feed("north").faults.stall_next()

    async def passes() -> list[int]:
        started = [await parts.poller.start_due(MORNING)]
        await parts.poller.in_flight["south"]
        started += [await parts.poller.start_due(MORNING + hour * HOUR) for hour in (1, 2)]
        return [len(tasks) for tasks in started]

    assert [2, 1, 0] == asyncio.run(passes())


def test_a_page_that_never_comes_is_given_up(installed: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll, "PAGE_TIMEOUT_S", 0.05)
    parts = installed()
    feed().faults.stall_next()

    parts.poller.poll(MORNING)

    assert "no answer in time" == of(parts).error


def test_a_shop_whose_first_poll_is_over_waits_no_longer(installed: Install) -> None:
    parts = installed(TWO)
    parts.engine.waiting_for_poll = {"north", "south"}
    feed("north").faults.fail_next(1, Transient("reset"))

    parts.poller.poll(MORNING)

    assert set() == parts.engine.waiting_for_poll


# ---- what cannot be used


def test_rows_that_cannot_be_used_are_kept_with_place_and_mend(installed: Install) -> None:
    parts = installed()
    say(rejected=[Rejected(source="a.csv", line=7, reason="no order_id", mend="add it")])

    parts.poller.poll(MORNING)

    kept = row(parts.database, "quarantine")
    assert ("north", "a.csv", 7, "no order_id", "add it") == (kept.shop, kept.source, kept.line, kept.reason, kept.mend)
    assert 1 == of(parts).quarantined


def test_names_of_unknown_keys_are_counted(installed: Install) -> None:
    parts = installed()
    say(unknown_keys={"colour": 2})
    say(unknown_keys={"colour": 1, "size": 5})

    parts.poller.poll(MORNING)

    assert {"size": 5, "colour": 3} == msgspec.json.decode(of(parts).unknown_keys)


@pytest.mark.parametrize(
    "poison",
    [
        pytest.param(a_snapshot("poison", status=17), id="a status that is no text"),
        pytest.param(a_snapshot("poison", paid_at="yesterday"), id="a time that is no instant"),
        pytest.param(a_snapshot("poison", lines={"1": {"quantity": "two"}}), id="a quantity that is no number"),
    ],
)
def test_a_record_that_cannot_be_taken_in_stops_no_other(installed: Install, poison: Any) -> None:
    parts = installed()
    say(a_snapshot("1"), poison, a_snapshot("2"))

    parts.poller.poll(MORNING)

    assert (["1", "2"], "1", None) == (known(parts), of(parts).cursor, of(parts).error)
    assert 1 == of(parts).quarantined
    assert row(parts.database, "quarantine").reason.startswith("Snapshot poison could not be taken in: ")


POISON = a_snapshot("poison", status=17)
AHEAD = a_snapshot("ahead", at=MORNING + DAY)


@pytest.mark.parametrize(
    ("records", "refused", "dated"),
    [
        pytest.param([POISON], 1, 0, id="a record that cannot be taken in"),
        pytest.param([AHEAD], 1, 1, id="a date in the future"),
        pytest.param([a_snapshot("1", shop="nobodys")], 1, 0, id="a shop that nobody configured"),
        pytest.param([AHEAD, POISON, a_snapshot("2", at=MORNING + HOUR)], 2, 2, id="dates beside a bad record"),
        pytest.param([a_snapshot("1")], 0, 0, id="nothing"),
    ],
)
def test_whatever_was_put_aside_is_counted_where_a_pass_tells_it(
    installed: Install, records: list[Any], refused: int, dated: int
) -> None:
    parts = installed()
    say(*records)

    parts.poller.poll(MORNING)

    assert (refused, refused) == (of(parts).quarantined, parts.poller.brought["north"].refused)
    told = [one.reason for one in rows(parts.database, "quarantine") if one.source == "observed_at"]
    assert (f"{dated} records" if dated else "") == "".join(told).partition(" are")[0]
    assert ("up to 2026-06-02T00:00:00Z" in "".join(told)) == bool(dated)


def test_a_poisoned_order_stops_no_other(installed: Install) -> None:
    parts = installed()
    say(a_late_order("1"), a_late_order("2"), a_late_order("3"))
    parts.poller.poll(MORNING)
    with parts.database.begin() as tx:
        tx.exec_driver_sql("UPDATE orders SET facts = '{' WHERE order_id = '2'")

    parts.engine.decide(MORNING)
    timer = row(parts.database, "timer", kind="order", id="2")

    assert ["1", "3"] == [case.order_id for case in rows(parts.database, "case")]
    assert (1, True) == (timer.attempts, timer.due_at > MORNING)
    assert timer.error


def test_a_poisoned_order_that_is_mended_is_decided(installed: Install) -> None:
    parts = installed()
    say(a_late_order("1"))
    parts.poller.poll(MORNING)
    facts = row(parts.database, "orders").facts
    with parts.database.begin() as tx:
        tx.exec_driver_sql("UPDATE orders SET facts = '{'")
    parts.engine.decide(MORNING)
    with parts.database.begin() as tx:
        tx.exec_driver_sql("UPDATE orders SET facts = ?", (facts,))

    parts.engine.decide(MORNING + 10 * MINUTE)

    assert ["1"] == [case.order_id for case in rows(parts.database, "case")]


def test_a_poisoned_order_stops_no_allocation(installed: Install) -> None:
    parts = installed()
    line = {"sku": "A-1", "quantity": 1}
    say(a_snapshot("1", lines={"1": line}), a_snapshot("2", lines={"1": {**line, "stock": 0}}))
    parts.poller.poll(MORNING)
    with parts.database.begin() as tx:
        tx.exec_driver_sql("UPDATE orders SET facts = '{' WHERE order_id = '1'")

    parts.engine.decide(MORNING)

    assert ["north/2/stock_out/1"] == [case.key for case in rows(parts.database, "case", violation="stock_out")]


# ---- pretended moments


def pretending(parts: Parts, now: int) -> Parts:
    """The same installation, as `tick --at` assembles it."""
    return assemble(parts.database, parts.installation, now, pretend=True)


def test_what_was_observed_later_than_a_pretended_moment_waits(installed: Install) -> None:
    parts = pretending(installed(), MORNING)
    say(a_snapshot("1"), a_snapshot("2", at=MORNING + HOUR))

    tick(parts, MORNING)
    first = known(parts)
    tick(parts, MORNING + HOUR)

    assert (["1"], ["1", "2"]) == (first, known(parts))


def test_a_word_that_comes_later_is_not_heard_before_and_not_lost(installed: Install) -> None:
    parts = pretending(installed(), MORNING)
    say(a_snapshot("1"))
    say(said("1", at=MORNING + HOUR, status="shipped"))
    say(a_snapshot("2"))

    tick(parts, MORNING)
    before = {order.order_id: order.status for order in rows(parts.database, "orders")}
    tick(parts, MORNING + HOUR)
    after = {order.order_id: order.status for order in rows(parts.database, "orders")}

    assert ({"1": "paid", "2": "paid"}, {"1": "shipped", "2": "paid"}) == (before, after)


def test_a_page_that_waits_is_read_again_and_its_refused_rows_are_told_once(installed: Install) -> None:
    parts = pretending(installed(), MORNING)
    bad = Rejected(source="a.csv", line=1, reason="bad", mend="mend")
    say(a_snapshot("1"))
    say(a_snapshot("2", at=MORNING + HOUR), rejected=[bad], unknown_keys={"colour": 1})

    tick(parts, MORNING)
    waiting = (of(parts).cursor, of(parts).quarantined)
    tick(parts, MORNING + HOUR)

    assert (("1", 0), ("2", 1)) == (waiting, (of(parts).cursor, of(parts).quarantined))
    assert {"colour": 1} == msgspec.json.decode(of(parts).unknown_keys)


def test_nothing_later_than_a_pretended_moment_counts_as_known(installed: Install) -> None:
    parts = pretending(installed(), MORNING)
    say(a_snapshot("1"), watermark=MORNING + DAY)

    tick(parts, MORNING)

    assert MORNING == of(parts).watermark


def test_this_moment_takes_every_record(installed: Install) -> None:
    parts = installed()
    say(a_snapshot("1", at=MORNING + HOUR))

    parts.poller.poll(MORNING)

    assert ["1"] == known(parts)
