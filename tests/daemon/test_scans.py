"""Asking once a day and shop whether the courier has scanned what was marked as shipped."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from daemon import scans
from daemon.scheduler import Parts, tick
from daemon.store import journal
from rules.instant import DAY, HOUR, MINUTE
from tests.daemon import running
from tests.daemon.builders import MORNING, a_snapshot, rows
from tests.daemon.running import say, sink

Install = Callable[..., Parts]
TEN = MORNING + 2 * HOUR
"""10:00 in Shanghai."""
SHIPPED = {"status": "shipped", "shipped_at": MORNING - HOUR, "paid_at": MORNING - DAY}


def shipped(order_id: str, at: int = MORNING, ship_by: int = MORNING + 6 * HOUR, **facts: Any) -> Any:
    """An order marked as shipped by a feed that says nothing of the collection scan."""
    return a_snapshot(order_id, at=at, **{**SHIPPED, "ship_by": ship_by, **facts})


def asked(parts: Parts) -> list[str]:
    """The reminders that were planned, each with the orders it names."""
    return [f"{row.key} {row.members}" for row in rows(parts.database, "action", step="confirm_scan")]


def test_all_parcels_of_a_shop_are_one_reminder_from_ten_on(installed: Install) -> None:
    parts = installed()
    say(shipped("2"), shipped("1"))

    tick(parts, MORNING)
    assert [] == asked(parts)
    tick(parts, TEN - 1)
    assert [] == asked(parts)
    tick(parts, TEN)

    assert ['north/scan/confirm_scan/2026-06-01 ["1","2"]'] == asked(parts)
    (message,) = sink().messages
    assert "[north] 2 orders are marked as shipped: has the courier scanned them?" == message.title
    assert "1, 2" in message.text.splitlines()
    assert ["1", "2"] == message.data["orders"]


def test_an_order_is_asked_about_once_and_later_ones_on_the_next_day(installed: Install) -> None:
    parts = installed()
    say(shipped("1"))
    tick(parts, TEN)
    say(shipped("2", at=TEN + HOUR, ship_by=TEN + 20 * HOUR))
    tick(parts, TEN + 2 * HOUR)
    assert 1 == len(asked(parts))

    for hour in range(3, 72, 3):
        tick(parts, TEN + hour * HOUR)

    assert [
        'north/scan/confirm_scan/2026-06-01 ["1"]',
        'north/scan/confirm_scan/2026-06-02 ["2"]',
    ] == asked(parts)


def test_parcels_that_are_marked_after_ten_are_asked_about_on_the_same_day(installed: Install) -> None:
    parts = installed()
    tick(parts, TEN)
    say(shipped("1", at=TEN + 30 * MINUTE))

    tick(parts, TEN + 30 * MINUTE)
    tick(parts, TEN + HOUR)

    assert ['north/scan/confirm_scan/2026-06-01 ["1"]'] == asked(parts)


@pytest.mark.parametrize(
    "order",
    [
        pytest.param({"collected_at": None, "collection_known": True}, id="a feed that knows of scans"),
        pytest.param({"ship_by": TEN + 2 * DAY}, id="far from its deadline"),
        pytest.param({"status": "delivered"}, id="delivered"),
    ],
)
def test_what_need_not_be_asked_is_not_asked(installed: Install, order: dict[str, Any]) -> None:
    parts = installed()
    say(shipped("1", **order))

    tick(parts, TEN)

    assert [] == asked(parts)


def test_a_platform_without_a_collection_clock_is_never_looked_at(installed: Install) -> None:
    parts = installed(running.LIVE.replace("taobao", "generic"))
    say(shipped("1"))

    tick(parts, TEN)

    assert [] == asked(parts)
    assert [] == rows(parts.database, "timer", kind="scan")


def test_a_parcel_that_arrived_meanwhile_is_not_named_and_a_reminder_about_nothing_is_not_sent(
    installed: Install,
) -> None:
    parts = installed()
    say(shipped("1"))
    parts.poller.poll(MORNING)
    scans.remind(parts.engine, TEN)
    say(shipped("1", at=TEN, status="delivered"))

    tick(parts, TEN + MINUTE)

    (row,) = rows(parts.database, "action", step="confirm_scan")
    assert ("void", "ALL_RESOLVED") == (row.outcome, row.note)
    assert [] == sink().messages


def test_a_reminder_is_evidence(installed: Install) -> None:
    parts = installed()
    say(shipped("1"))
    tick(parts, TEN)

    with parts.database.begin() as tx:
        (entry,) = (one for one in journal.entries_of(tx, "north", "north/scan") if one["event"] == "action")

    assert ("SCAN_UNKNOWN", ["1"], "taobao@2025-09-05") == (entry["reason"], entry["members"], entry["pack"])


def test_in_shadow_it_is_recorded_and_nobody_is_told(installed: Install) -> None:
    parts = installed(running.LIVE.replace('default = "live"', 'default = "shadow"'))
    say(shipped("1"))

    tick(parts, TEN)

    assert ["shadow"] == [row.outcome for row in rows(parts.database, "action", step="confirm_scan")]
    assert [] == sink().messages


def test_a_playbook_that_does_not_want_it_asks_nothing(installed: Install) -> None:
    parts = installed()
    shop = parts.installation.shops.get("north")
    plays = replace(shop.policy.playbook, alerts=replace(shop.policy.playbook.alerts, confirm_scan=False))
    parts.installation.shops.known["north"] = replace(shop, policy=replace(shop.policy, playbook=plays))
    say(shipped("1"))

    tick(parts, TEN)

    assert [] == asked(parts)
