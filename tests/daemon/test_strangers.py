"""A shop that left the configuration: nothing is decided, polled or sent for it, and others do not suffer."""

from collections.abc import Callable, MutableMapping
from typing import Any

import pytest

from adapters.base import Page, Transient
from daemon.scheduler import Parts, tick
from daemon.store import strangers
from rules.instant import DAY, HOUR, MINUTE
from tests.daemon import running
from tests.daemon.builders import MORNING, a_line, a_snapshot, row, rows, stock_of
from tests.daemon.running import a_late_order, again, feed, keys, say, sink

Install = Callable[..., Parts]
SOUTH = '[shops.south]\nplatform = "taobao"\nfeed = "memory"\nstale_after = "1h"\n'
BOTH = running.LIVE + SOUTH
NORTH_GONE = BOTH.replace('[shops.north]\nplatform = "taobao"\nfeed = "memory"\n', "")


@pytest.fixture
def parts(installed: Install) -> Parts:
    """Two shops; the one called north has a late order that was told, and then leaves the configuration."""
    both = installed(BOTH)
    say(a_late_order("1"))
    tick(both, MORNING)
    sink().messages.clear()
    return again(both, NORTH_GONE, MORNING + MINUTE)


def test_nothing_is_decided_polled_or_sent_for_a_shop_that_left(parts: Parts) -> None:
    say(a_late_order("2"))
    before: dict[str, Any] = {
        table: rows(parts.database, table, shop="north") for table in ("case", "action", "orders", "evidence")
    }

    for hours in range(1, 80, 7):
        tick(parts, MORNING + hours * HOUR)

    assert before == {table: rows(parts.database, table, shop="north") for table in before}
    assert [] == [key for key in keys(sink()) if key.startswith("north")]


def test_what_was_planned_before_the_shop_left_is_not_sent(installed: Install) -> None:
    both = installed(BOTH)
    say(a_late_order("1"))
    both.poller.poll(MORNING)
    both.engine.decide(MORNING)

    parts = again(both, NORTH_GONE, MORNING + MINUTE)
    for hours in (1, 2):
        tick(parts, MORNING + hours * HOUR)

    assert [] == [key for key in keys(sink()) if key.startswith("north")]
    assert "planned" in {action.outcome for action in rows(parts.database, "action", shop="north", kind="alert")}


def test_a_queued_message_of_a_shop_that_left_waits(installed: Install) -> None:
    both = installed(BOTH)
    sink().faults.fail_next(1, Transient("busy"))
    say(a_late_order("1"))
    tick(both, MORNING)

    tick(again(both, NORTH_GONE, MORNING + MINUTE), MORNING + HOUR)

    assert [] == [key for key in keys(sink()) if key.startswith("north")]
    assert "ready" == row(both.database, "delivery", shop="north").outcome


def test_a_shop_that_comes_back_goes_on_where_it_was(parts: Parts) -> None:
    back = again(parts, BOTH, MORNING + 30 * MINUTE)
    say(a_late_order("2", at=MORNING + 30 * MINUTE))

    for minutes in (31, 60, 90):
        tick(back, MORNING + minutes * MINUTE)

    assert {"1", "2"} == {case.order_id for case in rows(back.database, "case", closed_at=None)}
    told = [message for message in sink().messages if "2" in str(message.data.get("orders"))]
    assert told
    assert [] == [member for member in rows(back.database, "member", order_id="1", left_at=None) if member.left_at]
    assert rows(back.database, "member", order_id="1", left_at=None)


def test_orders_of_a_shop_that_left_use_up_no_stock_of_others(installed: Install) -> None:
    both = installed(BOTH)
    order = {"lines": {"1": a_line("A-1", quantity=3)}}
    say(a_snapshot("1", **order), stock_of("A-1", 3))  # type: ignore[arg-type]
    feed("south").push(Page(records=[a_snapshot("2", shop="south", **order)]))
    tick(both, MORNING)
    assert 1 == row(both.database, "pool").short

    parts = again(both, NORTH_GONE, MORNING + MINUTE)
    tick(parts, MORNING + MINUTE)

    assert 0 == row(parts.database, "pool").short
    assert [] == [
        case.key for case in rows(parts.database, "case", shop="south", violation="stock_out", closed_at=None)
    ]


def test_a_stock_out_that_was_named_after_the_shop_goes_on_under_another(installed: Install) -> None:
    both = installed(BOTH)
    say(stock_of("A-1", 0))  # type: ignore[arg-type]
    feed("south").push(Page(records=[a_snapshot("2", shop="south", lines={"1": a_line("A-1")})]))
    tick(both, MORNING)
    assert "north" == row(both.database, "pool").home

    parts = again(both, NORTH_GONE, MORNING + MINUTE)
    tick(parts, MORNING + MINUTE)

    assert "south" == row(parts.database, "pool").home
    (member,) = [one for one in rows(parts.database, "member", left_at=None) if "/pool:" in one.cause]
    assert ("south/pool:A-1", "2") == (member.cause, member.order_id)


def test_a_start_names_the_shop_that_left_once_with_the_mend(
    parts: Parts, logs: list[MutableMapping[str, Any]]
) -> None:
    again(parts, NORTH_GONE, MORNING + HOUR)

    assert ["north"] == [entry["shop"] for entry in logs if entry["event"] == "shop.not_configured"]
    with parts.database.begin() as tx:
        (left,) = strangers.left(tx, ["south"])
        assert ("north", "taobao", 1, 1) == (left.shop, left.platform, left.orders, left.cases)
        assert left.tasks
        assert [] == strangers.left(tx, ["south", "north"])


def test_records_that_name_a_shop_nobody_configured_are_refused_by_name(parts: Parts) -> None:
    feed("south").push(Page(records=[a_late_order("7", shop="elsewhere"), a_late_order("8", shop="south")]))

    tick(parts, MORNING + HOUR)

    assert {"1", "8"} == {order.order_id for order in rows(parts.database, "orders")}
    assert "1 records name shop elsewhere, which is not configured" in {
        refused.reason for refused in rows(parts.database, "quarantine", shop="south")
    }


def test_the_other_shop_hears_of_its_stale_data_all_the_same(parts: Parts) -> None:
    feed("south").faults.fail_next(1000, Transient("gone"))

    tick(parts, MORNING + DAY)

    assert "FEED_STALE" in [message.data["reason"] for message in sink().messages]


def test_check_and_today_say_what_is_left_of_it_and_what_to_do(
    cli: Callable[..., Any], parts: Parts, tmp_path: Any
) -> None:
    (tmp_path / "forestall.toml").write_text(NORTH_GONE)
    parts.database.close()

    warnings = cli("check --json").document["warnings"]

    said = [text for text in warnings if "shop north is not configured any more: 1 open orders, 1 cases" in text]
    assert said
    assert "forestall shops rename north NEW" in said[0]
    assert "left_over" in cli("today --json").out


def test_times_of_a_shop_that_left_are_shown_in_the_readers_zone(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    shops = parts.installation.shops

    assert "Asia/Shanghai" == shops.get("north").policy.zone.key == shops.get("north", "taobao").policy.zone.key
    assert not shops.knows("north")
