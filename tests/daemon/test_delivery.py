"""Alerts on their way: told at least once, each sink for itself, folded where a robot may only speak so often."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from adapters.base import AuthFailed, Message, Permanent, Transient, Uncertain
from adapters.memory import Fault
from daemon import delivery, digest
from daemon.scheduler import Parts, tick
from daemon.store import hands, journal, outbox
from daemon.store.journal import Journal
from rules.instant import HOUR, MINUTE, SECOND, parse
from rules.model import Kind, Outcome
from tests.daemon import running, sinks
from tests.daemon.builders import MORNING, row, rows
from tests.daemon.running import action, keys, plan_alerts, sink, told

Install = Callable[..., Parts]
TWO = running.LIVE + '[alerts.lead]\nsink = "memory"\n'
ROBOT = running.LIVE.replace('sink = "memory"', 'sink = "tests.daemon.sinks:Robot"')
NIGHT = parse("2026-06-01T23:00:00+08:00")


def outcomes(parts: Parts, key: str) -> dict[str, str]:
    """What became of an alert, by sink."""
    return {delivery["sink"]: delivery["outcome"] for delivery in rows(parts.database, "delivery", action_key=key)}


def entries_of(parts: Parts, subject: str, event: str) -> list[dict[str, Any]]:
    """What the evidence says of a subject."""
    with parts.database.begin() as tx:
        return [dict(entry) for entry in journal.entries_of(tx, "north", subject) if entry["event"] == event]


def through(parts: Parts, start: int, end: int, step: int) -> None:
    """Dispatch again and again, as the daemon does."""
    for now in range(start, end, step):
        parts.dispatcher.dispatch(now)


def through_ticks(parts: Parts, start: int, end: int) -> None:
    """Pass after pass of all hops."""
    for now in range(start, end, MINUTE):
        tick(parts, now)


# ---- to whom


def test_an_alert_goes_to_every_sink(installed: Install) -> None:
    parts = installed(TWO)
    (key,) = plan_alerts(parts, 1)

    parts.dispatcher.dispatch(MORNING)

    assert ([key], [key]) == (keys(sink("ops")), keys(sink("lead")))
    assert "settled" == action(parts, key).outcome


def test_an_alert_without_a_receiver_says_so_and_waits_for_one(installed: Install) -> None:
    parts = installed(running.LIVE.partition("[alerts")[0])
    (key,) = plan_alerts(parts, 1)

    parts.dispatcher.dispatch(MORNING)

    assert "ready" == action(parts, key).outcome
    assert ["NO_SINK"] == [entry["reason"] for entry in entries_of(parts, "north/pool:S-000", "outcome")]


def test_a_sink_for_other_kinds_is_not_told_alerts(installed: Install) -> None:
    parts = installed(TWO + 'kinds = ["task"]\n')
    plan_alerts(parts, 1)

    parts.dispatcher.dispatch(MORNING)

    assert [] == keys(sink("lead"))


def test_an_alert_is_told_once(installed: Install) -> None:
    parts = installed()
    (key,) = plan_alerts(parts, 1)

    through(parts, MORNING, MORNING + HOUR, 10 * MINUTE)

    assert [key] == keys(sink())
    assert 0 == sink().repeats[key]


def test_what_waits_for_a_receiver_that_is_gone_goes_to_those_that_are_there(installed: Install) -> None:
    parts = installed()
    (key,) = plan_alerts(parts, 1)
    sink().faults.fail_next(1, Transient("not now"))
    parts.dispatcher.dispatch(MORNING)
    other = running.again(parts, TWO.replace("alerts.ops", "alerts.night"), MORNING)

    other.dispatcher.dispatch(MORNING + HOUR)

    assert ([], [key], [key]) == (keys(sink("ops")), keys(sink("night")), keys(sink("lead")))
    assert "settled" == action(parts, key).outcome


def test_a_work_item_that_waits_for_a_receiver_that_is_gone_goes_on_to_one_for_tasks(installed: Install) -> None:
    parts = installed(TWO + 'kinds = ["task"]\n')
    sink("lead").faults.fail_next(1, Transient("not now"))
    running.say(running.a_late_order())
    tick(parts, MORNING)
    other = running.again(parts, TWO.replace("alerts.lead", "alerts.boss") + 'kinds = ["task"]\n', MORNING)

    other.dispatcher.dispatch(MORNING + HOUR)

    assert 2 == len(told(sink("boss")))
    assert {Kind.ALERT} == {message.kind for message in sink("ops").messages}


# ---- when


def test_a_sink_is_silent_outside_its_hours_and_told_at_their_beginning(installed: Install) -> None:
    parts = installed(running.LIVE + 'hours = "08:00-22:00"\n', NIGHT)
    (key,) = plan_alerts(parts, 1, NIGHT)

    through(parts, NIGHT, NIGHT + 9 * HOUR, HOUR)
    before = keys(sink())
    parts.dispatcher.dispatch(NIGHT + 9 * HOUR)

    assert ([], [key]) == (before, keys(sink()))


def test_a_retry_keeps_to_the_hours_too(installed: Install) -> None:
    evening = parse("2026-06-01T21:59:50+08:00")
    parts = installed(running.LIVE + 'hours = "08:00-22:00"\n', evening)
    (key,) = plan_alerts(parts, 1, evening)
    sink().faults.fail_next(1, Transient("not now"))

    through(parts, evening, evening + 10 * HOUR, 30 * MINUTE)
    before = keys(sink())
    parts.dispatcher.dispatch(parse("2026-06-02T08:00:00+08:00"))

    assert ([], [key]) == (before, keys(sink()))


def test_an_alert_that_is_no_longer_true_when_its_hour_comes_is_not_told(installed: Install) -> None:
    parts = installed(running.LIVE + 'hours = "09:00-22:00"\n')
    running.say(running.a_late_order())
    tick(parts, MORNING)
    running.say(running.a_late_order(at=MORNING + MINUTE, status="delivered", shipped_at=MORNING))
    tick(parts, MORNING + 2 * HOUR)

    (alert,) = rows(parts.database, "action", kind="alert")

    assert [] == keys(sink())
    assert ("void", "ALL_RESOLVED") == (alert.outcome, alert.note)


def test_an_alert_that_found_nothing_to_tell_is_none_when_the_trouble_comes_back(installed: Install) -> None:
    parts = installed(running.LIVE + 'hours = "09:00-22:00"\n')
    running.say(running.a_late_order())
    tick(parts, MORNING)
    running.say(running.a_late_order(at=MORNING + MINUTE, status="delivered", shipped_at=MORNING))
    tick(parts, MORNING + HOUR)
    running.say(running.a_late_order(at=MORNING + 2 * HOUR, status="paid", shipped_at=None))

    through_ticks(parts, MORNING + 2 * HOUR, MORNING + 3 * HOUR)

    assert ["north/pickup:2026-06-01/late_shipment/alert/2"] == told(sink())


def test_a_work_item_that_is_done_by_then_is_sent_no_more(installed: Install) -> None:
    parts = installed(TWO + 'kinds = ["task"]\n')
    sink("lead").faults.fail_next(1, Transient("not now"))
    running.say(running.a_late_order())
    tick(parts, MORNING)
    with parts.database.begin() as tx:
        hands.finish_task(tx, Journal(), "north/1/late_shipment/1/ship", Outcome.SETTLED, "sent", MORNING)

    through_ticks(parts, MORNING, MORNING + HOUR)

    assert ["north/1/late_shipment/1/agree_new_date"] == told(sink("lead"))


@pytest.mark.parametrize(
    ("older", "newer", "told_of"),
    [
        ("alert", "alert", ["newer"]),
        ("alert", "resolved", ["newer"]),
        ("stale", "stale", ["newer"]),
        ("stale", "unwatched", ["newer", "older"]),
        ("unwatched", "stale", ["newer", "older"]),
        ("refused", "unwatched", ["newer", "older"]),
        ("boot", "clock", ["newer", "older"]),
    ],
)
def test_only_what_says_all_of_it_takes_the_place_of_an_older_alert(
    installed: Install, older: str, newer: str, told_of: list[str]
) -> None:
    parts = installed()
    for name, step, at in (("older", older, MORNING), ("newer", newer, MORNING + SECOND)):
        (key,) = plan_alerts(parts, 1, at)
        with parts.database.begin() as tx:
            change = "UPDATE action SET key = ?, step = ?, cause = 'north/feed' WHERE key = ?"
            tx.exec_driver_sql(change, (name, step, key))
            row = parts.dispatcher.texts.action(tx, name)
            delivery.queue(tx, parts.installation.sinks, parts.installation.shops, row, Kind.ALERT, at)

    queued = rows(parts.database, "delivery")
    with parts.database.begin() as tx:
        said = parts.dispatcher.texts.action
        left = [one.action_key for one in queued if not outbox.is_superseded(tx, one, said(tx, one.action_key))]

    assert told_of == sorted(left)


# ---- what a sink answers


FAILURES = [
    Transient("busy"),
    Transient("busy", retry_after_s=0),
    Uncertain("cut"),
    Permanent("no such robot"),
    AuthFailed("wrong key"),
    RuntimeError("a bug"),
    OSError("no route"),
]


@pytest.mark.parametrize("error", FAILURES)
def test_what_was_not_taken_is_told_again(installed: Install, error: Any) -> None:
    parts = installed()
    (key,) = plan_alerts(parts, 1)
    sink().faults.waiting.append(Fault(error=error))

    parts.dispatcher.dispatch(MORNING)
    failed = outcomes(parts, key)
    through(parts, MORNING, MORNING + MINUTE, 5 * SECOND)

    assert {"ops": "ready"} == failed
    assert ([key], {"ops": "settled"}) == (keys(sink()), outcomes(parts, key))


def test_a_lost_answer_is_told_again_under_the_same_key(installed: Install) -> None:
    parts = installed()
    (key,) = plan_alerts(parts, 1)
    sink().faults.fail_next(1, Uncertain("cut"), done=True)

    through(parts, MORNING, MORNING + MINUTE, 5 * SECOND)

    assert 1 == sink().repeats[key]


def test_a_refusal_is_kept_in_the_words_of_the_other_side(installed: Install) -> None:
    parts = installed()
    (key,) = plan_alerts(parts, 1)
    sink().faults.fail_next(1, Permanent("no such robot: copy its address again"))

    parts.dispatcher.dispatch(MORNING)

    assert "no such robot: copy its address again" == row(parts.database, "delivery", action_key=key).note
    assert "ready" == action(parts, key).outcome


def test_a_sink_that_says_when_is_asked_again_exactly_then(installed: Install) -> None:
    parts = installed()
    (key,) = plan_alerts(parts, 1)
    sink().faults.fail_next(1, Transient("slow down", retry_after_s=90))
    parts.dispatcher.dispatch(MORNING)

    parts.dispatcher.dispatch(MORNING + 90 * SECOND - 1)
    before = keys(sink())
    parts.dispatcher.dispatch(MORNING + 90 * SECOND)

    assert ([], [key]) == (before, keys(sink()))


def test_a_sink_that_says_wait_is_not_asked_for_other_alerts_meanwhile(installed: Install) -> None:
    parts = installed()
    plan_alerts(parts, 1)
    sink().faults.fail_next(1, Transient("slow down", retry_after_s=90))
    parts.dispatcher.dispatch(MORNING)
    plan_alerts(parts, 2, MORNING + SECOND)

    parts.dispatcher.dispatch(MORNING + SECOND)
    before = keys(sink())
    parts.dispatcher.dispatch(MORNING + 90 * SECOND)

    assert ([], 2) == (before, len(keys(sink())))


def test_however_soon_a_receiver_wants_to_be_asked_it_is_left_alone_for_a_while(installed: Install) -> None:
    parts = installed()
    plan_alerts(parts, 3)
    sink().faults.fail_next(1000, Transient("slow down", retry_after_s=0))

    through(parts, MORNING, MORNING + 10 * MINUTE, SECOND)

    assert 5 == 1000 - len(sink().faults.waiting), "at 0, 15 s, 75 s, and then every 4 min"


def test_one_message_a_receiver_never_takes_stands_before_no_other(installed: Install) -> None:
    parts = installed(running.LIVE.replace('sink = "memory"', 'sink = "tests.daemon.sinks:Watched"'))
    poison, *sound = plan_alerts(parts, 9)
    calls: list[str] = []

    def refuse(message: Message) -> None:
        calls.append(message.key)
        if poison in (message.key, *(alert["key"] for alert in message.data.get("alerts", ()))):  # type: ignore
            raise Permanent("answered 400: too long")

    with running.looking(refuse):
        through(parts, MORNING, MORNING + 5 * MINUTE, 15 * SECOND)
        first, so_far = told(sink()), len(calls)
        through(parts, MORNING + 5 * MINUTE, MORNING + 3 * HOUR, MINUTE)

    assert sound == first
    assert "ready" == action(parts, poison).outcome
    assert len(calls) - so_far <= 3 * 15


def test_a_call_without_an_answer_has_a_hard_end(installed: Install) -> None:
    parts = installed()
    parts.dispatcher.call_timeout_s = 0.05
    (key,) = plan_alerts(parts, 1)
    sink().faults.stall_next()

    parts.dispatcher.dispatch(MORNING)

    assert row(parts.database, "delivery", action_key=key).note.startswith("sink 'ops': no answer in 0.05 s")
    assert {"ops": "ready"} == outcomes(parts, key)


def test_one_sink_that_fails_does_not_hold_the_other(installed: Install) -> None:
    parts = installed(TWO)
    parts.dispatcher.call_timeout_s = 0.05
    known = plan_alerts(parts, 3)
    sink("ops").faults.stall_next(3)

    parts.dispatcher.dispatch(MORNING)

    assert known == told(sink("lead"))
    assert {"ops": "ready", "lead": "settled"} == outcomes(parts, known[0])
    assert "settled" == action(parts, known[0]).outcome, "one receiver that has it is enough"


def test_one_sink_that_took_it_is_enough_to_have_told(installed: Install) -> None:
    parts = installed(TWO)
    (key,) = plan_alerts(parts, 1)
    sink("ops").faults.fail_next(1, Permanent("gone"))

    parts.dispatcher.dispatch(MORNING)

    assert "settled" == action(parts, key).outcome


def test_while_one_sink_stalls_new_alerts_reach_the_other(installed: Install) -> None:
    parts = installed(TWO)
    sink("ops").faults.stall_next()

    async def two_passes() -> list[object]:
        plan_alerts(parts, 1)
        await parts.dispatcher.start_due(MORNING)
        plan_alerts(parts, 2)
        while len(told(sink("lead"))) < 2:
            await parts.dispatcher.start_due(MORNING + SECOND)
            await asyncio.sleep(0.01)
        return ["sink ops" in parts.dispatcher.in_flight, *told(sink("ops"))]

    held = asyncio.run(two_passes())

    assert [True] == held


# ---- crashes


def test_a_caller_lost_in_the_call_is_told_again_after_its_lease(installed: Install) -> None:
    parts = installed()
    (key,) = plan_alerts(parts, 1)
    sink().faults.stall_next()

    async def lost() -> None:
        await parts.dispatcher.start_due(MORNING)
        while sink().faults.waiting:
            await asyncio.sleep(0.01)
        parts.dispatcher.in_flight["sink ops"].cancel()

    asyncio.run(lost())
    parts.dispatcher.in_flight.clear()
    parts.dispatcher.dispatch(MORNING + outbox.LEASE - 1)
    before = keys(sink())
    parts.dispatcher.dispatch(MORNING + outbox.LEASE)

    assert ([], [key]) == (before, keys(sink()))


def test_the_intent_is_on_disk_before_the_call(installed: Install) -> None:
    parts = installed(running.LIVE.replace('sink = "memory"', 'sink = "tests.daemon.sinks:Watched"'))
    (key,) = plan_alerts(parts, 1)
    seen: list[str] = []

    with running.looking(lambda message: seen.extend(outcomes(parts, key).values())):
        parts.dispatcher.dispatch(MORNING)

    assert ["calling"] == seen


def test_an_alert_that_cannot_be_put_into_words_stops_no_other(
    installed: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = installed()
    poison, sound = plan_alerts(parts, 2)
    with parts.database.begin() as tx:
        tx.exec_driver_sql("UPDATE action SET cause = 'no slash' WHERE key = ?", (poison,))

    parts.dispatcher.dispatch(MORNING)

    assert [sound] == keys(sink())
    assert "IndexError" in row(parts.database, "delivery", action_key=poison).note


# ---- limits


def test_a_few_at_once_are_told_one_by_one(installed: Install) -> None:
    parts = installed(ROBOT)
    known = plan_alerts(parts, delivery.AT_ONCE)

    parts.dispatcher.dispatch(MORNING)

    assert known == sorted(keys(sink()))


def test_more_at_once_are_folded_into_a_digest(installed: Install) -> None:
    parts = installed(ROBOT)
    known = plan_alerts(parts, 21)

    parts.dispatcher.dispatch(MORNING)

    (message,) = sink().messages
    assert known == told(sink())
    assert "[north] 21 notices" == message.title


def test_a_webhook_gets_each_message_as_it_is(installed: Install) -> None:
    """Machines read one document each: its own kind, shop and key."""
    parts = installed(running.LIVE.replace('sink = "memory"', 'sink = "tests.daemon.sinks:Machine"'))
    known = plan_alerts(parts, 60)

    parts.dispatcher.dispatch(MORNING)

    assert known == sorted(keys(sink()))


def test_what_a_robot_cannot_show_goes_in_further_messages_within_its_limit(installed: Install) -> None:
    parts = installed(running.LIVE.replace('sink = "memory"', 'sink = "tests.daemon.sinks:Terse"'))
    known = plan_alerts(parts, 12)

    parts.dispatcher.dispatch(MORNING)

    sizes = [digest.size(message) for message in sink().messages]
    assert known == told(sink())
    assert 1 < len(sizes) <= digest.MOST
    assert max(sizes) <= sinks.Terse.capabilities.text_bytes


def test_what_was_only_counted_is_put_down_as_counted(installed: Install) -> None:
    parts = installed(running.LIVE.replace('sink = "memory"', 'sink = "tests.daemon.sinks:Terse"'))
    known = plan_alerts(parts, 100)

    parts.dispatcher.dispatch(MORNING)

    notes = [row["note"] for row in rows(parts.database, "delivery")]
    named = [note for note in notes if note.startswith("named in a digest: ")]
    counted = [note for note in notes if note.startswith("counted in a digest: ")]
    assert len(known) == len(named) + len(counted)
    assert len(named) == sum(message.text.count("solved: ") for message in sink().messages) // 2
    assert f"not named here: 0 orders in {len(counted)} more messages" in sink().messages[-1].text


def test_after_a_message_of_a_digest_that_failed_the_others_are_not_tried(installed: Install) -> None:
    parts = installed(running.LIVE.replace('sink = "memory"', 'sink = "tests.daemon.sinks:Terse"'))
    known = plan_alerts(parts, 12)
    sink().faults.fail_next(1, Transient("busy"))

    parts.dispatcher.dispatch(MORNING)
    first = list(sink().messages)
    through(parts, MORNING + MINUTE, MORNING + 10 * MINUTE, 10 * SECOND)

    assert [] == first
    assert known == told(sink())


@pytest.mark.slow
def test_a_robot_is_never_called_more_often_than_it_may_and_all_is_told(installed: Install) -> None:
    parts = installed(ROBOT)
    known: set[str] = set()
    calls: list[int] = []
    for second in range(150):
        now = MORNING + second * SECOND
        before = len(sink().messages)
        known |= set(plan_alerts(parts, 2 * (1 + second), now))
        parts.dispatcher.dispatch(now)
        calls += [now] * (len(sink().messages) - before)
    through(parts, MORNING + 150 * SECOND, MORNING + 300 * SECOND, 5 * SECOND)

    busiest = max(sum(start <= call < start + MINUTE for call in calls) for start in calls)

    assert 20 == busiest
    assert (300, sorted(known)) == (len(known), told(sink()))


@pytest.mark.slow
def test_a_digest_has_a_key_of_its_own(installed: Install) -> None:
    parts = installed(ROBOT)
    sink().faults.fail_next(1, Uncertain("cut"), done=True)
    plan_alerts(parts, 20)
    parts.dispatcher.dispatch(MORNING)
    plan_alerts(parts, 60)

    through(parts, MORNING + MINUTE, MORNING + 5 * MINUTE, 10 * SECOND)

    assert {f"north/pool:S-{n:03}/stock_out/resolved/1" for n in range(60)} == set(told(sink()))


@pytest.mark.slow
def test_three_hundred_alerts_at_once_are_told_in_one_call(installed: Install) -> None:
    parts = installed(ROBOT)
    known = plan_alerts(parts, 300)

    parts.dispatcher.dispatch(MORNING)

    assert known == told(sink())
    assert 1 == len(sink().messages)


# ---- tasks


def test_a_work_item_is_sent_to_the_sinks_that_are_for_tasks(installed: Install) -> None:
    parts = installed(TWO + 'kinds = ["task"]\n')
    running.say(running.a_late_order())
    tick(parts, MORNING)

    tasks = [message.key for message in sink("lead").messages]

    assert {"north/1/late_shipment/1/ship", "north/1/late_shipment/1/agree_new_date"} == set(tasks)
    assert {Kind.ALERT} == {message.kind for message in sink("ops").messages}


def test_one_by_one_too_what_can_still_be_saved_comes_first(installed: Install) -> None:
    parts = installed(running.LIVE.replace('sink = "memory"', 'sink = "tests.daemon.sinks:Machine"'))
    plan_alerts(parts, 2)
    running.say(running.a_late_order())

    tick(parts, MORNING)

    assert "north/pickup:2026-06-01/late_shipment/alert/1" == sink().messages[0].key
