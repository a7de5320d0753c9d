"""Hop 3, before anything leaves: mode, kill switch, windows; a poisoned row stops no other."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, RowMapping
from sqlalchemy.exc import OperationalError

from adapters.base import Transient
from daemon import kill
from daemon.dispatch import Dispatcher
from daemon.scheduler import Parts, tick
from rules.instant import HOUR, MINUTE
from rules.model import Kind
from tests.daemon import running
from tests.daemon.builders import MORNING, due, row, rows
from tests.daemon.running import EVERY_EFFECT, a_late_order, action, again, keys, plan, plan_alerts, say, sink

Install = Callable[..., Parts]
SHADOW = running.LIVE.replace("live", "shadow")
EFFECTS = running.LIVE + f'[alerts.hands]\nsink = "memory"\n{EVERY_EFFECT}\n'
FILES = running.LIVE.replace('feed = "memory"', 'feed = "files"\npath = "inbox"')
LATER = MORNING + MINUTE


def with_a_case(installed: Install, text: str = EFFECTS) -> Parts:
    """An installation that knows order 1, whose case is open; what it tells of it has been told."""
    parts = installed(text)
    order = a_late_order()
    say(order)
    running.feed().orders["1"] = order
    tick(parts, MORNING)
    for name in ("ops", "hands"):
        sink(name).messages.clear()
    return parts


def flag_of(parts: Parts) -> Path:
    flag = parts.dispatcher.flag
    assert flag is not None
    return flag


# ---- modes


def test_a_shadow_action_never_leaves(installed: Install) -> None:
    parts = installed(SHADOW)
    say(a_late_order())

    tick(parts, MORNING)

    assert {"shadow"} == {action.outcome for action in rows(parts.database, "action")}
    assert [] == keys(sink())


def test_nothing_planned_in_shadow_fires_after_a_switch_to_live(installed: Install) -> None:
    parts = installed(SHADOW)
    say(a_late_order())
    tick(parts, MORNING)

    tick(again(parts, running.LIVE, LATER), LATER)

    assert {"shadow"} == {action.outcome for action in rows(parts.database, "action") if action.mode == "shadow"}
    assert {"north/pickup:2026-06-01/late_shipment/alert/2"} == set(keys(sink())), "what is open is told afresh"
    assert {"alert"} == {action.kind for action in rows(parts.database, "action") if action.mode == "live"}


def test_what_is_planned_after_a_switch_to_live_fires(installed: Install) -> None:
    parts = installed(SHADOW)
    say(a_late_order("1"))
    tick(parts, MORNING)
    say(a_late_order("2", at=MORNING + HOUR))

    tick(again(parts, running.LIVE, MORNING + HOUR), MORNING + HOUR)

    assert "needs_human" == action(parts, "north/2/late_shipment/1/ship").outcome


@pytest.mark.parametrize("kind", [Kind.ALERT, Kind.COMPENSATE, Kind.TASK])
def test_a_switch_to_shadow_voids_what_is_planned(installed: Install, kind: Kind) -> None:
    parts = with_a_case(installed)
    key = plan(parts, kind, f"late_{kind}")

    again(parts, SHADOW, LATER).dispatcher.dispatch(LATER)

    assert ("void", "MODE_SHADOW") == (action(parts, key).outcome, action(parts, key).note)


def test_a_switch_to_shadow_voids_an_effect_that_is_ready(installed: Install) -> None:
    parts = with_a_case(installed)
    key = plan(parts, Kind.COMPENSATE)
    running.feed().faults.fail_next(1, Transient("the platform is down"))
    parts.dispatcher.dispatch(MORNING)
    ready = action(parts, key).outcome

    again(parts, SHADOW, LATER).dispatcher.dispatch(MORNING + HOUR)

    assert ("ready", "void") == (ready, action(parts, key).outcome)
    assert [] == keys(sink("hands"))


def test_a_switch_to_shadow_voids_an_alert_on_its_way(installed: Install) -> None:
    parts = installed()
    (key,) = plan_alerts(parts, 1)
    sink().faults.fail_next(1, Transient("down"))
    parts.dispatcher.dispatch(MORNING)

    again(parts, SHADOW, LATER).dispatcher.dispatch(MORNING + HOUR)

    assert ("void", "MODE_SHADOW") == (action(parts, key).outcome, row(parts.database, "delivery").note)
    assert [] == keys(sink())


def test_one_kind_may_be_live_alone(installed: Install) -> None:
    parts = installed(SHADOW.replace('default = "shadow"', 'default = "shadow"\nalert = "live"'))
    say(a_late_order())

    tick(parts, MORNING)

    outcomes = {action.kind: action.outcome for action in rows(parts.database, "action")}
    assert {"alert": "settled", "task": "shadow", "negotiate": "shadow"} == outcomes


# ---- the kill switch


def test_the_kill_switch_stops_every_call(installed: Install) -> None:
    parts = installed()
    (key,) = plan_alerts(parts, 1)
    kill.switch(parts.database, flag_of(parts), True, "", 0)

    parts.dispatcher.dispatch(MORNING)

    assert ([], "planned") == (keys(sink()), action(parts, key).outcome)


def test_the_flag_file_alone_stops_every_call(installed: Install) -> None:
    parts = installed()
    plan_alerts(parts, 1)
    flag_of(parts).touch()

    parts.dispatcher.dispatch(MORNING)

    assert [] == keys(sink())


def test_calls_go_on_once_the_switch_is_off(installed: Install) -> None:
    parts = installed()
    (key,) = plan_alerts(parts, 1)
    kill.switch(parts.database, flag_of(parts), True, "", 0)
    parts.dispatcher.dispatch(MORNING)
    kill.switch(parts.database, flag_of(parts), False, "", 0)

    parts.dispatcher.dispatch(LATER)

    assert [key] == keys(sink())


def test_with_the_database_gone_nothing_leaves(installed: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = installed()
    plan_alerts(parts, 1)

    def gone(*_: object) -> None:
        raise OperationalError("BEGIN", {}, Exception("disk I/O error"))

    monkeypatch.setattr(type(parts.database), "begin", gone)

    assert kill.is_on(parts.database, parts.dispatcher.flag)
    assert 0 == parts.dispatcher.dispatch(MORNING)
    assert [] == keys(sink())


def test_the_switch_stops_a_pass_that_is_under_way(installed: Install) -> None:
    parts = with_a_case(
        installed, EFFECTS.replace('sink = "memory"\nkinds', 'sink = "tests.daemon.sinks:Watched"\nkinds')
    )
    plan(parts, Kind.COMPENSATE, "first")
    second = plan(parts, Kind.COMPENSATE, "second")
    flag = flag_of(parts)

    with running.looking(lambda message: flag.touch()):
        parts.dispatcher.dispatch(MORNING)

    assert ["north/1/late_shipment/1/first"] == keys(sink("hands"))
    assert "ready" == action(parts, second).outcome


def test_nothing_leaves_before_the_start_delay_is_over(installed: Install) -> None:
    parts = installed()
    (key,) = plan_alerts(parts, 1)
    parts.dispatcher.quiet_until = LATER

    parts.dispatcher.dispatch(LATER - 1)
    before = keys(sink())
    parts.dispatcher.dispatch(LATER)

    assert ([], [key]) == (before, keys(sink()))


# ---- windows


def test_what_comes_too_late_is_void_and_its_order_is_decided_again(installed: Install) -> None:
    parts = with_a_case(installed)
    key = plan(parts, Kind.COMPENSATE, not_after=MORNING + HOUR)

    parts.dispatcher.dispatch(MORNING + HOUR + 1)

    assert ("void", "MISSED_WINDOW") == (action(parts, key).outcome, action(parts, key).note)
    assert ["1"] == due(parts.database, "order", MORNING + HOUR + 1)


def test_the_last_instant_of_a_window_is_in_it(installed: Install) -> None:
    parts = with_a_case(installed)
    plan(parts, Kind.COMPENSATE, not_after=MORNING + HOUR)

    parts.dispatcher.dispatch(MORNING + HOUR)

    assert ["north/1/late_shipment/1/make_good"] == keys(sink("hands"))


def test_what_belongs_to_a_case_that_is_closed_is_void(installed: Install) -> None:
    parts = with_a_case(installed)
    key = plan(parts, Kind.TASK, "late_task")
    say(a_late_order(at=LATER, status="shipped", shipped_at=LATER))
    parts.poller.poll(LATER)
    parts.engine.decide(LATER)

    parts.dispatcher.dispatch(LATER)

    assert ("void", "CASE_CLOSED") == (action(parts, key).outcome, action(parts, key).note)


# ---- files: nothing can be read afresh


@pytest.mark.parametrize("kind", [Kind.NEGOTIATE, Kind.CONTACT, Kind.COMPENSATE])
def test_without_a_fresh_read_an_effect_becomes_a_work_item_that_says_as_of_when(
    installed: Install, kind: Kind
) -> None:
    parts = with_a_case(installed)
    parts.installation.shops.known["north"] = replace(parts.installation.shops.get("north"), fresh_read="none")
    key = plan(parts, kind, amount_minor=500, currency="CNY")

    parts.dispatcher.dispatch(MORNING)

    item = action(parts, key)
    assert ("needs_human", []) == (item.outcome, keys(sink("hands")))
    assert "as of 06-01 08:00; check the order first" in item.request
    assert "¥150.00" in item.request


def test_a_drop_folder_makes_work_items_of_every_effect(installed: Install) -> None:
    parts = installed(FILES)

    assert "none" == parts.installation.shops.get("north").fresh_read


def test_an_effect_no_sink_can_carry_out_becomes_a_work_item(installed: Install) -> None:
    parts = with_a_case(installed, running.LIVE)
    key = plan(parts, Kind.COMPENSATE)

    parts.dispatcher.dispatch(MORNING)

    assert "needs_human" == action(parts, key).outcome


def test_a_work_item_for_money_says_how_much(installed: Install) -> None:
    parts = with_a_case(installed, running.LIVE)
    key = plan(parts, Kind.COMPENSATE, amount_minor=750, currency="CNY")

    parts.dispatcher.dispatch(MORNING)

    assert "¥7.50" in action(parts, key).request


# ---- poison


def test_a_row_that_cannot_be_handled_is_put_off_and_stops_no_other(installed: Install) -> None:
    parts = with_a_case(installed)
    poison = plan(parts, Kind.TASK, "poison", template="nobody_wrote_this")
    sound = plan(parts, Kind.TASK, "sound")

    parts.dispatcher.dispatch(MORNING)

    assert ("planned", "needs_human") == (action(parts, poison).outcome, action(parts, sound).outcome)
    assert "KeyError" in action(parts, poison).note
    assert action(parts, poison).due_at > MORNING + 30 * 1_000_000


# ---- open work items


def test_a_work_item_that_cannot_be_judged_stays_and_stops_no_other(
    installed: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = installed()
    for order_id in ("1", "2"):
        say(a_late_order(order_id))
    tick(parts, MORNING)
    poison = "north/1/late_shipment/1/ship"
    sound = Dispatcher._needless

    def needless(self: Dispatcher, tx: Connection, row: RowMapping, now: int) -> str | None:
        if row["key"] == poison:
            raise KeyError("a case that is gone")
        return sound(self, tx, row, now)

    monkeypatch.setattr(Dispatcher, "_needless", needless)
    for order_id in ("1", "2"):
        say(a_late_order(order_id, at=LATER, status="shipped"))
    tick(parts, LATER)
    tick(parts, LATER + MINUTE)

    assert ("needs_human", "") == (action(parts, poison).outcome, action(parts, poison).note)
    assert action(parts, poison).due_at > LATER + MINUTE
    assert "CASE_CLOSED" == action(parts, "north/2/late_shipment/1/ship").note
