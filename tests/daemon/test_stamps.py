"""Records dated in the future are taken for what they are: said now. What they froze thaws with the next right word."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import BigInteger
from sqlmodel import SQLModel

from adapters.base import Page, Transient
from daemon.scheduler import Parts, tick
from daemon.store import ingest, refusals, stamps, timers
from daemon.store.database import Database
from rules.instant import DAY, HOUR, MINUTE, SECOND, parse
from tests.daemon import running
from tests.daemon.builders import MORNING, a_line, a_snapshot, count, row, rows, said, shops, stock_of, take_in
from tests.daemon.running import feed, sink

FAR = parse("2039-01-01T00:00:00Z")
AHEAD = [ingest.SLACK + SECOND, 3 * HOUR, 40 * DAY, FAR - MORNING]


@pytest.mark.parametrize("ahead", AHEAD)
def test_a_record_dated_in_the_future_counts_as_said_now(db: Database, ahead: int) -> None:
    taken = take_in(db, shops("north"), a_snapshot(at=MORNING + ahead), now=MORNING)

    assert (1, MORNING + ahead) == (taken.ahead, taken.latest)
    assert MORNING == row(db, "orders").observed_at == row(db, "seen").observed_at


@pytest.mark.parametrize("ahead", AHEAD)
def test_the_next_right_export_wins_over_one_dated_in_the_future(db: Database, ahead: int) -> None:
    take_in(db, shops("north"), a_snapshot(at=MORNING + ahead), stock_of("B-1", 3, MORNING + ahead), now=MORNING)

    take_in(
        db, shops("north"), said(at=MORNING + 1, status="shipped"), stock_of("B-1", 9, MORNING + 1), now=MORNING + 1
    )

    assert "shipped" == row(db, "orders").status
    assert 9 == row(db, "pool").on_hand


@pytest.mark.parametrize("ahead", AHEAD)
def test_what_was_stored_in_the_future_yields_to_the_next_right_export(db: Database, ahead: int) -> None:
    """As an earlier version stored it, or a clock that was ahead."""
    frozen = a_snapshot(at=MORNING + ahead, lines={"1": a_line("A-1", stock=5)}, promise_hours=24)
    take_in(db, shops("north"), frozen, stock_of("B-1", 3, MORNING + ahead))
    thawed = said(at=MORNING - HOUR, status="shipped", lines={"1": a_line("A-1", stock=2)})

    take_in(db, shops("north"), thawed, stock_of("B-1", 9, MORNING - HOUR), now=MORNING)
    take_in(db, shops("north"), said(at=MORNING - 2 * HOUR, status="paid"), now=MORNING)

    order = row(db, "orders")
    assert ("shipped", MORNING - HOUR) == (order.status, order.observed_at)
    assert MORNING - HOUR == row(db, "seen").observed_at
    assert {"A-1": 5, "B-1": 9} == {pool.sku: pool.on_hand for pool in rows(db, "pool")}  # shipped: owes no line


def test_an_unchanged_word_thaws_too(db: Database) -> None:
    take_in(db, shops("north"), a_snapshot(at=FAR))

    take_in(db, shops("north"), a_snapshot(at=MORNING), now=MORNING)
    take_in(db, shops("north"), said(at=MORNING + MINUTE, status="shipped"), now=MORNING + MINUTE)

    assert "shipped" == row(db, "orders").status


def test_of_two_future_dates_the_later_one_is_the_last_word(db: Database) -> None:
    late, later = said(at=FAR + 1, status="shipped"), a_snapshot(at=FAR)

    take_in(db, shops("north"), late, later, now=MORNING)

    assert "shipped" == row(db, "orders").status


def test_a_date_within_the_slack_is_believed(db: Database) -> None:
    taken = take_in(db, shops("north"), a_snapshot(at=MORNING + ingest.SLACK), now=MORNING)

    assert 0 == taken.ahead
    assert MORNING + ingest.SLACK == row(db, "orders").observed_at


def test_replay_believes_every_date(db: Database) -> None:
    take_in(db, shops("north"), a_snapshot(at=FAR))

    assert FAR == row(db, "orders").observed_at


def test_dates_in_the_future_are_counted_and_named_with_the_mend(installed: Callable[..., Parts]) -> None:
    parts = installed()
    feed().push(Page(records=[running.a_late_order("1", at=FAR), running.a_late_order("2", at=FAR - DAY)]))

    tick(parts, MORNING)

    refused = row(parts.database, "quarantine")
    assert "2 records are dated later than now, up to 2039-01-01T00:00:00Z; now was taken instead" == refused.reason
    assert 1 == row(parts.database, "feed").quarantined
    with parts.database.begin() as tx:
        assert {"north": refusals.Refused(files=0, rows=0, dates=1)} == refusals.unseen(tx)
    assert 2 == count(parts.database, "case")


def test_data_dated_in_the_future_becomes_stale_like_any_other(installed: Callable[..., Parts]) -> None:
    parts = installed(running.LIVE.replace("[alerts", 'stale_after = "2h"\n[alerts'))
    feed().push(Page(records=[running.a_late_order("1", at=FAR)], watermark=FAR))
    tick(parts, MORNING)
    assert MORNING == row(parts.database, "feed").watermark
    feed().faults.fail_next(1000, Transient("gone"))

    tick(parts, MORNING + 2 * HOUR)

    assert "FEED_STALE" in [message.data["reason"] for message in sink().messages]


# ---- the clock itself was ahead


LATER = MORNING + 3 * HOUR


def test_what_happened_later_than_now_happened_now(db: Database) -> None:
    take_in(db, shops("north"), a_snapshot(at=LATER), now=LATER)
    with db.begin() as tx:
        timers.settle(tx, [timers.Result(claim, LATER + DAY, LATER) for claim in timers.take(tx, "order", LATER, 9)])

        stamps.bring_back(tx, MORNING, LATER)

    timer = row(db, "timer", kind="order")
    assert (MORNING, MORNING) == (timer.due_at, timer.decided_at)
    assert MORNING == row(db, "orders").observed_at == row(db, "seen").observed_at


def test_what_the_wrong_clock_did_not_touch_stays_as_it_is(db: Database) -> None:
    take_in(db, shops("north"), a_snapshot(at=MORNING), now=MORNING)
    with db.begin() as tx:
        claims = timers.take(tx, "order", MORNING, 9)
        timers.settle(tx, [timers.Result(claim, LATER + DAY, MORNING) for claim in claims])
    before: dict[str, Any] = {table: rows(db, table) for table in ("timer", "orders", "seen", "case", "action")}

    with db.begin() as tx:
        stamps.bring_back(tx, MORNING, LATER)

    assert before == {table: rows(db, table) for table in before}


DUE = {
    ("timer", "due_at"), ("timer", "quiet_until"), ("timer", "lease_until"),
    ("action", "due_at"), ("action", "lease_until"), ("delivery", "due_at"), ("delivery", "lease_until"),
    ("receiver", "next_at"), ("member", "joined_at"), ("policy_use", "since"),
}  # fmt: skip
"""What waits for an instant of ours, or is part of a key: `bring_back` treats each in its own way."""
STATED = {
    ("orders", "paid_at"), ("orders", "ship_by"), ("orders", "act_by"), ("open_line", "act_by"), ("case", "ship_by"),
    ("member", "act_by"), ("member", "ship_by"), ("action", "not_after"), ("event", "at"), ("incident", "at"),
    ("case", "snoozed_until"), ("member", "snoozed_until"), ("evidence", "at"),
}  # fmt: skip
"""Facts of platforms and people, and evidence, which is never changed."""
NUMBERS = {
    ("orders", "paid_minor"), ("open_line", "quantity"), ("open_line", "loss_minor"), ("pool", "on_hand"),
    ("pool", "sellable"), ("pool", "needed"), ("member", "stake_minor"), ("action", "amount_minor"),
    ("evidence", "seq"), ("evidence_of", "seq"), ("timer", "fence"), ("action", "fence"), ("delivery", "fence"),
}  # fmt: skip


def test_every_instant_of_the_database_is_known_to_the_healing_of_clocks() -> None:
    """A new column must be put into one of the lists: what is forgotten here waits for years."""
    happened = {(table.name, name) for table, names in stamps.HAPPENED.items() for name in names}
    columns = {
        (table.name, column.name)
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, BigInteger)
    }

    assert columns == happened | DUE | STATED | NUMBERS
    assert not happened & (DUE | STATED | NUMBERS)
