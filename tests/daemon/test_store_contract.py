"""What the store promises, on SQLite and on PostgreSQL alike. Time is an argument; nothing here is frozen."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise, permutations
from threading import Lock
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from adapters.base import Record, Snapshot
from daemon import lines
from daemon.engine import Engine
from daemon.replay import Simulation
from daemon.shops import Shops
from daemon.store import backlog, decisions, journal, orders, stock, timers
from daemon.store.database import Database, scratch
from daemon.store.journal import Journal
from daemon.store.timers import CAUSE, LEASE, ORDER, POOL, Claimed, Result
from rules import playbook
from rules.decide import decide
from rules.instant import DAY, HOUR, MINUTE, SECOND
from rules.model import NO_HISTORY
from tests.daemon.builders import (
    MORNING,
    TABLE,
    a_line,
    a_snapshot,
    an_event,
    at_once,
    broken_links,
    count,
    due,
    row,
    rows,
    said,
    shops,
    stock_of,
    take_in,
    writes,
)

NOON = MORNING + 4 * HOUR


def wake(db: Database, *names: str, at: int = MORNING, kind: str = ORDER, shop: str = "north", **how: bool) -> None:
    with db.begin() as tx:
        timers.wake(tx, kind, [(shop, name, "default", at) for name in names], **how)


def claim(db: Database, now: int, limit: int = 100, kind: str = ORDER, **filters: Any) -> list[Claimed]:
    with db.begin() as tx:
        return timers.claim(tx, kind, now, limit, **filters)


def settle(db: Database, claimed: Sequence[Claimed], due_at: int | None, at: int = NOON) -> int:
    with db.begin() as tx:
        return timers.settle(tx, [Result(claim, due_at, at, "playbook@1") for claim in claimed])


def fail(db: Database, claimed: Claimed, due_at: int, error: str = "ValueError: bad") -> None:
    with db.begin() as tx:
        timers.fail(tx, claimed, due_at, error)


# --- timers -----------------------------------------------------------------------------------------------------------


def test_what_is_due_is_claimed_in_due_order_and_no_more_than_asked_for(db: Database) -> None:
    for minutes in (30, 10, 20, 90):
        wake(db, f"due+{minutes}", at=MORNING + minutes * MINUTE)
    now = MORNING + HOUR
    assert ["due+10", "due+20"] == [claimed.id for claimed in claim(db, now, limit=2)]
    assert ["due+30"] == [claimed.id for claimed in claim(db, now)]
    assert [] == claim(db, now)


def test_subjects_due_together_are_claimed_in_name_order(db: Database) -> None:
    wake(db, "b", "a", "c", shop="south")
    wake(db, "z", shop="north")
    assert ["z", "a", "b"] == [claimed.id for claimed in claim(db, MORNING, limit=3)]


def test_a_claim_tells_what_the_last_decision_left(db: Database) -> None:
    wake(db, "1")
    settle(db, claim(db, MORNING), MORNING + HOUR, at=MORNING)
    wake(db, "1", at=NOON, past=True)
    expected = Claimed(ORDER, "north", "1", "default", MORNING + HOUR, 2, 0, MORNING, "playbook@1", 1)
    assert [expected] == claim(db, NOON)


def test_only_the_kind_asked_for_is_claimed(db: Database) -> None:
    wake(db, "an order")
    wake(db, "a cause", kind=CAUSE)
    assert ["a cause"] == [claimed.id for claimed in claim(db, MORNING, kind=CAUSE)]


def test_threads_claim_disjoint_subjects_and_none_is_left(db: Database) -> None:
    wake(db, *(f"{number:04}" for number in range(2000)))
    taken: list[str] = []
    guard = Lock()

    def worker(_: int) -> None:
        while claimed := claim(db, NOON, limit=50):
            assert len(claimed) == settle(db, claimed, None)
            with guard:
                taken.extend(claim.id for claim in claimed)

    at_once(worker, 8)
    assert [f"{number:04}" for number in range(2000)] == sorted(taken)
    assert {(None, None, 1)} == {(timer["due_at"], timer["lease_until"], timer["fence"]) for timer in rows(db, "timer")}


def test_a_claim_that_is_never_settled_comes_back_when_its_lease_is_over(db: Database) -> None:
    wake(db, "1")
    (lost,) = claim(db, MORNING)
    assert [] == claim(db, MORNING + LEASE - 1)
    (again,) = claim(db, MORNING + LEASE)
    assert (lost.id, lost.due_at, lost.fence + 1) == (again.id, again.due_at, again.fence)


def test_a_lease_can_be_shorter(db: Database) -> None:
    wake(db, "1")
    claim(db, MORNING, lease=SECOND)
    assert ["1"] == [claimed.id for claimed in claim(db, MORNING + SECOND)]


def take(db: Database, now: int, limit: int = 100) -> list[Claimed]:
    """Take up what is due and settle it, in one transaction."""
    with db.begin() as tx:
        taken = timers.take(tx, ORDER, now, limit)
        assert len(taken) == timers.settle(tx, [Result(one, None, NOON) for one in taken])
    return taken


def test_what_ends_in_its_transaction_is_taken_up_in_the_same_order_and_leaves_no_lease(db: Database) -> None:
    for minutes in (30, 10, 20, 90):
        wake(db, f"due+{minutes}", at=MORNING + minutes * MINUTE)
    now = MORNING + HOUR
    assert ["due+10", "due+20"] == [taken.id for taken in take(db, now, limit=2)]
    assert ["due+30"] == [taken.id for taken in take(db, now)]
    assert [] == take(db, now)
    assert {(None, 0)} == {(timer["lease_until"], timer["fence"]) for timer in rows(db, "timer")}


def test_what_was_taken_up_and_not_settled_is_due_again_at_once(db: Database) -> None:
    wake(db, "1")
    with db.begin() as tx:
        assert 1 == len(timers.take(tx, ORDER, NOON, 10))
    assert ["1"] == [taken.id for taken in take(db, NOON)]


def test_what_is_under_a_lease_is_not_taken_up(db: Database) -> None:
    wake(db, "1")
    claim(db, MORNING)
    assert [] == take(db, MORNING + LEASE - 1)
    assert ["1"] == [taken.id for taken in take(db, MORNING + LEASE)]


def test_threads_take_up_disjoint_subjects_and_none_is_left(db: Database) -> None:
    wake(db, *(f"{number:04}" for number in range(600)))
    found: list[str] = []
    guard = Lock()

    def worker(_: int) -> None:
        while taken := take(db, NOON, limit=25):
            with guard:
                found.extend(one.id for one in taken)

    at_once(worker, 8)
    assert [f"{number:04}" for number in range(600)] == sorted(found)


def test_under_an_old_fence_nothing_is_written(db: Database) -> None:
    wake(db, "1")
    stale = claim(db, MORNING)
    claim(db, MORNING + LEASE)
    before = rows(db, "timer")
    assert 0 == settle(db, stale, NOON)
    fail(db, stale[0], NOON)
    assert before == rows(db, "timer")


def test_settling_says_how_many_claims_still_held(db: Database) -> None:
    wake(db, "1", "2", "3")
    stale = claim(db, MORNING, limit=1)
    claim(db, MORNING + LEASE, limit=1)
    assert 2 == settle(db, stale + claim(db, MORNING + LEASE), NOON)


def test_settling_stores_the_next_look_and_forgets_the_trouble(db: Database) -> None:
    wake(db, "1")
    fail(db, claim(db, MORNING)[0], MORNING + MINUTE)
    settle(db, claim(db, NOON), NOON + HOUR, at=NOON)
    timer = row(db, "timer")
    assert (NOON + HOUR, None, 0, None) == tuple(timer[name] for name in ("due_at", "lease_until", "attempts", "error"))
    assert (NOON, "playbook@1") == (timer["decided_at"], timer["playbook"])


@pytest.mark.parametrize("woken_at", [MORNING - HOUR, MORNING, MORNING + MINUTE])
def test_a_wake_up_that_comes_during_a_claim_is_not_lost(db: Database, woken_at: int) -> None:
    wake(db, "1", at=MORNING)
    claimed = claim(db, MORNING)
    wake(db, "1", at=woken_at)
    assert [] == claim(db, MORNING + 2 * MINUTE)
    settle(db, claimed, None)
    assert ["1"] == [again.id for again in claim(db, MORNING + 2 * MINUTE)]


def test_several_wake_ups_during_a_claim_are_not_lost_either(db: Database) -> None:
    wake(db, "1", at=MORNING)
    claimed = claim(db, MORNING)
    for _ in range(3):
        wake(db, "1", at=MORNING)
    settle(db, claimed, NOON)
    assert ["1"] == [again.id for again in claim(db, MORNING + MINUTE)]


def test_a_later_wake_up_during_a_claim_does_not_hide_an_earlier_next_look(db: Database) -> None:
    wake(db, "1", at=MORNING)
    claimed = claim(db, MORNING)
    wake(db, "1", at=NOON)
    settle(db, claimed, MORNING + HOUR)
    assert ["1"] == [again.id for again in claim(db, MORNING + HOUR)]


def test_a_wake_up_during_a_claim_survives_its_failure(db: Database) -> None:
    wake(db, "1", at=MORNING)
    (claimed,) = claim(db, MORNING)
    wake(db, "1", at=MORNING + SECOND)
    fail(db, claimed, NOON)
    assert ["1"] == [again.id for again in claim(db, MORNING + MINUTE)]


def test_a_past_that_begins_during_a_claim_is_read_back_next_time(db: Database) -> None:
    wake(db, "1")
    claimed = claim(db, MORNING)
    wake(db, "1", at=MORNING + SECOND, past=True)
    settle(db, claimed, None)
    assert 1 == claim(db, NOON)[0].past


def test_the_earliest_wake_up_wins(db: Database) -> None:
    for at in (NOON, MORNING, NOON + HOUR):
        wake(db, "1", at=at)
    assert [MORNING] == [timer["due_at"] for timer in rows(db, "timer")]


def test_a_settled_subject_can_be_woken_again(db: Database) -> None:
    wake(db, "1")
    settle(db, claim(db, MORNING), None)
    assert [] == claim(db, NOON + DAY)
    wake(db, "1", at=NOON)
    assert ["1"] == [claimed.id for claimed in claim(db, NOON)]


def test_waking_one_subject_at_several_instants_at_once_means_the_earliest(db: Database) -> None:
    with db.begin() as tx:
        timers.wake(tx, ORDER, [("north", "1", "default", NOON), ("north", "1", "default", MORNING)])
    assert MORNING == row(db, "timer")["due_at"]


def test_a_failure_puts_off_one_subject_and_leaves_the_others(db: Database) -> None:
    wake(db, "1", "2", "3")
    claimed = claim(db, MORNING)
    fail(db, claimed[1], NOON, "ValueError: " + "x" * 1000)
    settle(db, [claimed[0], claimed[2]], None)
    assert [] == claim(db, NOON - 1)
    assert [("2", 1)] == [(again.id, again.attempts) for again in claim(db, NOON)]
    timer = row(db, "timer", id="2")
    assert ("ValueError: xxx", 500) == (timer["error"][:15], len(timer["error"]))


def test_shops_can_be_left_for_later(db: Database) -> None:
    for shop in ("north", "south", "east"):
        wake(db, "1", shop=shop)
    assert ["south"] == [claimed.shop for claimed in claim(db, MORNING, not_shops=["north", "east"])]


def test_a_worker_gets_only_its_shards(db: Database) -> None:
    sellers = [f"seller-{number}" for number in range(40)]
    with db.begin() as tx:
        timers.wake(tx, ORDER, [(seller, "1", seller, MORNING) for seller in sellers])
    mine = sorted({timers.shard_of(seller) for seller in sellers})[:5]
    got = {claimed.seller for claimed in claim(db, MORNING, shards=mine)}
    assert {seller for seller in sellers if timers.shard_of(seller) in mine} == got
    assert [] == claim(db, MORNING, shards=[])
    left = claim(db, MORNING, shards=range(timers.SHARDS), not_shops=[sellers[0]])
    assert set(sellers) - got - {sellers[0]} == {claimed.seller for claimed in left}


def test_the_next_instant_and_the_backlog_can_be_asked_for(db: Database) -> None:
    wake(db, "1", "2", at=MORNING)
    wake(db, "1", at=NOON, kind=CAUSE)
    with db.begin() as tx:
        assert {ORDER: MORNING, CAUSE: NOON} == backlog.next_due_by_kind(tx)
        assert {ORDER: 2} == backlog.due_count(tx, MORNING)
        assert {("north", "1"): MORNING} == timers.due_of(tx, ORDER, [("north", "1"), ("north", "9")])


@given(attempts=st.integers(0, 10_000), key=st.text(), first=st.integers(1, 600), most=st.integers(600, 86_400))
def test_backoff_is_bounded_and_always_the_same(attempts: int, key: str, first: int, most: int) -> None:
    wait = timers.backoff(attempts, key, first, most)
    assert wait == timers.backoff(attempts, key, first, most)
    assert min(first * 2 ** min(attempts, 16), most) * SECOND <= wait <= most * 5 // 4 * SECOND + SECOND


def test_backoff_grows_and_spreads() -> None:
    waits = [timers.backoff(attempts, "north/1") for attempts in range(5)]
    assert sorted(waits) == waits
    assert 90 < len({timers.backoff(3, f"north/{number}") for number in range(100)})


# --- ingest -----------------------------------------------------------------------------------------------------------


def facts(db: Database, order_id: str = "1") -> dict[str, Any]:
    told: dict[str, Any] = msgspec.json.decode(row(db, "orders", order_id=order_id)["facts"])
    return told


def test_an_unchanged_snapshot_touches_no_row_but_when_it_was_last_seen(db: Database) -> None:
    here = shops("north")
    again: list[Snapshot] = [a_snapshot(str(number), lines={"1": a_line(stock=3)}) for number in range(3)]
    take_in(db, here, *again)
    before = {table: rows(db, table) for table in TABLE if table not in ("seen", "alembic_version")}
    with writes(db) as written:
        taken = take_in(db, here, *(replace(snap, observed_at=NOON) for snap in again), now=NOON)
    assert (3, 0) == (taken.records, taken.changed)
    assert before == {table: rows(db, table) for table in before}
    assert {NOON} == {seen["observed_at"] for seen in rows(db, "seen")}
    assert [] == [statement for statement in written if "seen" not in statement]


def test_what_a_change_leaves_as_it_was_is_not_written_again(db: Database) -> None:
    here = shops("north")
    take_in(db, here, a_snapshot("1", lines={"1": a_line(), "2": a_line(sku="B-1")}))
    lines = rows(db, "open_line")
    with writes(db) as written:
        take_in(db, here, a_snapshot("1", at=NOON, remark="hurry", lines={"1": a_line(quantity=3)}), now=NOON)
    assert [{**lines[0], "quantity": 3}, dict(lines[1])] == [dict(line) for line in rows(db, "open_line")]
    assert 2 == sum("open_line" in statement for statement in written if not statement.startswith("WITH"))
    assert [] == [statement for statement in written if statement.startswith("INSERT INTO orders")]
    assert "hurry" == facts(db)["remark"]


@pytest.mark.parametrize(
    "change", [{"status": "delivered"}, {"paid_at": MORNING - HOUR}, {"ship_by": MORNING + 9 * HOUR}]
)
def test_a_change_of_what_an_index_holds_is_found_by_it(db: Database, change: dict[str, Any]) -> None:
    here = shops("north")
    take_in(db, here, a_snapshot("1"))
    before = row(db, "orders", order_id="1")
    take_in(db, here, a_snapshot("1", at=NOON, **change), now=NOON)
    after = row(db, "orders", order_id="1")
    columns = ("is_open", "paid_at", "act_by")
    assert [before[name] for name in columns] != [after[name] for name in columns]
    assert all(after[name] == value for name, value in change.items())


def test_the_same_page_twice_writes_nothing_at_all(db: Database) -> None:
    here = shops("north")
    page: list[Record] = [a_snapshot(lines={"1": a_line()}), an_event("buyer_reply"), stock_of("A-1", 4)]
    take_in(db, here, *page)
    evidence = count(db, "evidence")
    taken = take_in(db, here, *page, now=NOON)
    assert 0 == taken.changed
    assert evidence == count(db, "evidence")


def test_a_changed_order_wakes_its_timer_when_it_was_seen(db: Database) -> None:
    here = shops("north")
    take_in(db, here, a_snapshot("1"), a_snapshot("2"))
    settle(db, claim(db, MORNING), None)
    take_in(db, here, a_snapshot("1", at=MORNING + HOUR), a_snapshot("2", at=MORNING + HOUR, remark="hurry"), now=NOON)
    assert [] == due(db, ORDER, NOON - 1)
    assert ["2"] == due(db, ORDER, NOON)


def test_an_absent_field_keeps_its_value_and_null_clears_it(db: Database) -> None:
    here = shops("north")
    take_in(db, here, a_snapshot(remark="blue", category="shoes"))
    take_in(db, here, said(at=NOON, category=None, status="paid"))
    assert ("blue", None) == (facts(db)["remark"], facts(db)["category"])


def test_lines_merge_by_their_ids(db: Database) -> None:
    here = shops("north")
    take_in(db, here, a_snapshot(lines={"1": a_line("A-1", 2), "2": a_line("B-1")}))
    take_in(db, here, said(at=NOON, lines={"2": {"shipped_quantity": 1}, "3": a_line("C-1")}))
    told = {line["line_id"]: line for line in facts(db)["lines"]}
    assert {"1", "2", "3"} == set(told)
    assert a_line("A-1", 2) == {name: value for name, value in told["1"].items() if name != "line_id"}
    assert ("B-1", 1) == (told["2"]["sku"], told["2"]["shipped_quantity"])


def test_rows_of_one_order_in_one_page_are_one_snapshot(db: Database) -> None:
    here = shops("north")
    take_in(db, here, a_snapshot(lines={"1": a_line("A-1")}), a_snapshot(lines={"2": a_line("B-1")}))
    assert ["A-1", "B-1"] == [line["sku"] for line in facts(db)["lines"]]
    assert 1 == count(db, "orders")


TOLD: tuple[dict[str, Any], ...] = (
    {"at": MORNING, "status": "paid", "remark": "first", "category": "shoes", "lines": {"1": a_line("A-1", 2)}},
    {"at": MORNING + 1 * HOUR, "status": "paid", "lines": {"1": {"refunded_quantity": 1}}},
    {"at": MORNING + 2 * HOUR, "status": "partly_shipped", "remark": "second", "category": None},
    {"at": MORNING + 3 * HOUR, "status": "paid", "lines": {"1": {"refunded_quantity": 1}}},
)
AT_LAST = {
    "status": "paid",
    "remark": "second",
    "category": None,
    "lines": [{"line_id": "1", **a_line("A-1", 2), "refunded_quantity": 1}],
}


@pytest.mark.parametrize("pages", ["one page", "a page each", "two pages"])
def test_the_newest_word_wins_whatever_arrives_when(db: Database, pages: str) -> None:
    here = shops("north")
    orderings = list(permutations(TOLD))
    told = [[said(str(number), **parts) for parts in ordering] for number, ordering in enumerate(orderings)]
    cuts = {"one page": (0, 4), "a page each": (0, 1, 2, 3, 4), "two pages": (0, 2, 4)}[pages]
    for start, end in pairwise(cuts):
        take_in(db, here, *(snap for snaps in told for snap in snaps[start:end]), now=NOON)
    for number, ordering in enumerate(orderings):
        kept = {name: value for name, value in facts(db, str(number)).items() if name in AT_LAST}
        assert AT_LAST == kept, [parts["at"] for parts in ordering]


def test_a_fact_left_out_by_the_newest_snapshot_is_as_old_as_it_is(db: Database) -> None:
    here = shops("north")
    take_in(db, here, said(remark="first", status="paid"))
    take_in(db, here, said(at=MORNING + 2 * HOUR, status="paid"))
    take_in(db, here, said(at=MORNING + HOUR, remark="second"))
    assert "second" == facts(db)["remark"]


def test_an_old_snapshot_that_says_nothing_new_changes_nothing(db: Database) -> None:
    here = shops("north")
    take_in(db, here, a_snapshot(at=NOON, status="shipped"))
    settle(db, claim(db, NOON), None)
    assert 0 == take_in(db, here, a_snapshot(at=MORNING, status="paid"), now=NOON + HOUR).changed
    assert "shipped" == row(db, "orders")["status"]
    assert [] == due(db, ORDER, NOON + DAY)


def test_an_order_that_no_longer_appears_stays_open(db: Database) -> None:
    here = shops("north")
    take_in(db, here, a_snapshot("1"), a_snapshot("2"))
    take_in(db, here, a_snapshot("2", at=NOON, remark="still here"), now=NOON)
    assert [("1", "paid", True), ("2", "paid", True)] == [
        (order["order_id"], order["status"], order["is_open"]) for order in rows(db, "orders")
    ]


def test_a_file_under_way_wakes_its_orders_and_pools_when_it_is_published(db: Database) -> None:
    here = shops("north")
    with db.begin() as tx:
        tx.execute(
            TABLE["feed"].insert(), {"shop": "north", "seller": "default", "quarantined": 0, "unknown_keys": "{}"}
        )
    take_in(db, here, a_snapshot("1", lines={"1": a_line(stock=0)}), now=MORNING, final=False)
    assert ([], []) == (due(db, ORDER, MORNING + MINUTE), due(db, POOL, MORNING + MINUTE))
    take_in(db, here, a_snapshot("2"), now=MORNING + MINUTE, final=True)
    assert ["2"] == due(db, ORDER, MORNING + MINUTE)
    with db.begin() as tx:
        timers.publish(tx, "north", MORNING + MINUTE)
    assert ["1", "2"] == due(db, ORDER, MORNING + MINUTE)
    assert ["A-1"] == due(db, POOL, MORNING + MINUTE)


def test_publishing_leaves_other_shops_alone(db: Database) -> None:
    here = shops("north", "south")
    take_in(db, here, a_snapshot("n"), a_snapshot("s", shop="south"), now=MORNING, final=False)
    with db.begin() as tx:
        timers.publish(tx, "north", MORNING)
    assert ["n"] == due(db, ORDER, MORNING)


def test_a_file_that_is_never_read_to_its_end_wakes_its_orders_all_the_same(db: Database) -> None:
    take_in(db, shops("north"), a_snapshot("1"), now=MORNING, final=False)
    assert ["1"] == due(db, ORDER, MORNING + LEASE)


def test_an_event_is_put_down_once_and_wakes_its_order(db: Database) -> None:
    here = shops("north")
    take_in(db, here, a_snapshot("1"))
    settle(db, claim(db, MORNING), None)
    for now in (NOON, NOON + HOUR):
        take_in(db, here, an_event("buyer_reply"), an_event("buyer_reply"), now=now)
    assert [("buyer_reply", MORNING, NOON)] == [(e["event"], e["at"], e["seen_at"]) for e in rows(db, "event")]
    assert ["1"] == due(db, ORDER, NOON)
    with db.begin() as tx:
        assert 1 == sum(entry["event"] == "fact" for entry in journal.entries_of(tx, "north", "1"))


# --- journal ----------------------------------------------------------------------------------------------------------


def note(db: Database, *names: str, at: int = MORNING) -> None:
    with db.begin() as tx:
        book = Journal()
        for shop, order_id in (name.split("/") for name in names):
            book.note(shop, order_id, {"event": "fact", "order_id": order_id, "at": at})
        book.write(tx, at)


def test_each_shop_gets_one_link_for_each_transaction(db: Database) -> None:
    note(db, "north/1", "south/1", "north/2", "north/1")
    note(db, "north/3")
    assert [("north", 1, 3), ("north", 2, 1), ("south", 1, 1)] == [
        (link["shop"], link["seq"], len(msgspec.json.decode(link["entries"]))) for link in rows(db, "evidence")
    ]
    assert [("1", 1), ("2", 1), ("3", 2)] == [
        (of["subject"], of["seq"]) for of in rows(db, "evidence_of", shop="north")
    ]


def test_what_is_written_is_not_written_again_by_the_next_page(db: Database) -> None:
    book = Journal()
    for order_id in ("1", "2"):
        with db.begin() as tx:
            book.note("north", order_id, {"event": "fact", "order_id": order_id})
            book.write(tx, MORNING)
    assert [1, 1] == [len(msgspec.json.decode(link["entries"])) for link in rows(db, "evidence")]


def test_links_follow_from_one_another_and_a_changed_one_shows(db: Database) -> None:
    for hour in range(5):
        note(db, "north/1", "south/1", at=MORNING + hour * HOUR)
    links = TABLE["evidence"]
    with db.begin() as tx:
        assert [] == broken_links(tx)
        tx.execute(links.update().where(links.c.shop == "north", links.c.seq == 3).values(at=NOON + 1))
        assert [("north", 3)] == broken_links(tx)


def test_a_transaction_that_fails_leaves_no_link(db: Database) -> None:
    def fail_late() -> None:
        with db.begin() as tx:
            book = Journal()
            book.note("north", "2", {"event": "fact", "order_id": "2"})
            book.write(tx, MORNING)
            raise RuntimeError("power")

    note(db, "north/1")
    with pytest.raises(RuntimeError, match="power"):
        fail_late()
    note(db, "north/3")
    with db.begin() as tx:
        assert [] == broken_links(tx)
    assert [1, 2] == [link["seq"] for link in rows(db, "evidence")]


def test_writers_at_the_same_time_never_fork_a_chain(db: Database) -> None:
    def writer(number: int) -> None:
        for turn in range(10):
            note(db, "north/1", *(["south/1"] if turn % 2 else ["east/1"]), at=MORNING + number)

    at_once(writer, 8)
    with db.begin() as tx:
        assert [] == broken_links(tx)
    links = rows(db, "evidence")
    assert {"north": 80, "south": 40, "east": 40} == {
        shop: sum(link["shop"] == shop for link in links) for shop in ("north", "south", "east")
    }


def test_the_entries_of_one_order_are_read_back_oldest_first(db: Database) -> None:
    note(db, "north/1", "north/2", at=MORNING)
    note(db, "north/1", at=NOON)
    with db.begin() as tx:
        assert [MORNING, NOON] == [entry["at"] for entry in journal.entries_of(tx, "north", "1")]


# --- decisions --------------------------------------------------------------------------------------------------------


def decided(db: Database, here: Shops, claimed: Claimed, at: int) -> decisions.Decided:
    name = (claimed.shop, claimed.id)
    with db.begin() as tx:
        found = orders.load(tx, {name})[name]
    return decisions.Decided(
        claimed, found, NO_HISTORY, decide(found.order, here.get(claimed.shop).policy, NO_HISTORY, at), at
    )


def write(db: Database, here: Shops, *one: decisions.Decided) -> None:
    with db.begin() as tx:
        book = Journal()
        decisions.write(tx, book, here, one)
        book.write(tx, NOON)


def test_a_decision_is_stored_whole(db: Database) -> None:
    here = shops("north")
    soon = MORNING + 2 * DAY - HOUR
    take_in(db, here, a_snapshot("1"))
    one = decided(db, here, claim(db, soon)[0], soon)
    assert one.decision.opened
    assert one.decision.acts
    write(db, here, one)
    assert {case.key for case in one.decision.opened} == {case["key"] for case in rows(db, "case")}
    assert {act.key for act in one.decision.acts} == {action["key"] for action in rows(db, "action")}
    assert {case.key for case in one.decision.opened} == {member["case_key"] for member in rows(db, "member")}
    assert (one.decision.wake_at, 1) == (row(db, "timer", kind=ORDER)["due_at"], row(db, "timer", kind=ORDER)["past"])
    with db.begin() as tx:
        assert [] == broken_links(tx)


def test_a_key_is_written_once_and_a_second_time_changes_nothing(db: Database) -> None:
    here = shops("north")
    soon = MORNING + 2 * DAY - HOUR
    take_in(db, here, a_snapshot("1"))
    one = decided(db, here, claim(db, soon)[0], soon)
    write(db, here, one)
    before = {table: rows(db, table) for table in ("action", "member")}
    acts = tuple(act._replace(amount_minor=1, reason="OTHER", step="other") for act in one.decision.acts)
    write(db, here, one._replace(decision=one.decision._replace(acts=acts), at=soon + MINUTE))
    assert before == {table: rows(db, table) for table in before}


def test_what_was_decided_is_read_back_as_history(db: Database) -> None:
    here = shops("north")
    take_in(db, here, a_snapshot("1"), an_event("buyer_reply"))
    Engine(database=db, shops=here, own_time=True).decide_orders(MORNING + DAY + 20 * HOUR)
    with db.begin() as tx:
        (history,) = orders.histories(tx, {("north", "1")}).values()
    assert {case["key"] for case in rows(db, "case")} == {case.key for case in history.cases}
    assert {action["key"] for action in rows(db, "action", order_id="1")} == {past.key for past in history.past}
    assert ["buyer_reply"] == [event.event for event in history.events]


# --- stock ------------------------------------------------------------------------------------------------------------


def reallocate(db: Database, sku: str = "A-1", now: int = NOON) -> list[tuple[str, str]]:
    with db.begin() as tx:
        return stock.reallocate(tx, Shops(), "default", sku, now)


def short(db: Database) -> list[tuple[str, str]]:
    return [(order["order_id"], order["short"]) for order in rows(db, "orders") if order["short"]]


def test_a_pool_covers_over_all_shops_the_lines_whose_miss_costs_most(db: Database) -> None:
    here = shops("north", "south")
    take_in(
        db,
        here,
        a_snapshot("cheap", paid_minor=1000, lines={"1": a_line(quantity=2)}),
        a_snapshot("dear", shop="south", paid_minor=90_000, lines={"7": a_line(quantity=2)}),
        stock_of("A-1", 3, shop="south"),
    )
    assert [("north", "cheap")] == reallocate(db)
    assert [("cheap", '["1"]')] == short(db)
    pool = row(db, "pool")
    assert (3, 4, 1, NOON) == tuple(pool[name] for name in ("on_hand", "needed", "short", "changed_at"))
    assert [] == reallocate(db, now=NOON + HOUR)
    assert NOON == row(db, "pool")["changed_at"]


def test_new_stock_covers_the_lines_again(db: Database) -> None:
    here = shops("north")
    take_in(db, here, a_snapshot("1", lines={"1": a_line(stock=0)}))
    reallocate(db)
    take_in(db, here, stock_of("A-1", 5, at=NOON), now=NOON)
    assert ["A-1"] == due(db, POOL, NOON)
    assert [("north", "1")] == reallocate(db, now=NOON)
    assert ([], 0) == (short(db), row(db, "pool")["short"])


def test_older_news_of_a_pool_is_ignored(db: Database) -> None:
    here = shops("north")
    take_in(db, here, stock_of("A-1", 5, at=NOON))
    take_in(db, here, stock_of("A-1", 0, at=MORNING))
    assert 5 == row(db, "pool")["on_hand"]


def test_unknown_stock_makes_nothing_short(db: Database) -> None:
    here = shops("north")
    take_in(db, here, a_snapshot("1", lines={"1": a_line()}), stock_of("A-1", None))
    reallocate(db)
    assert [] == short(db)


def test_the_home_of_a_pool_stays_where_it_was_first_seen(db: Database) -> None:
    here = shops("north", "south")
    take_in(db, here, stock_of("A-1", 5, shop="south", listing_id="L1"))
    take_in(db, here, stock_of("A-1", 6, shop="north", listing_id="L2", at=NOON))
    assert "south" == row(db, "pool")["home"]
    assert [("north", "L2"), ("south", "L1")] == [(one["shop"], one["listing_id"]) for one in rows(db, "listing")]


@pytest.mark.parametrize(
    "change",
    [{"refunded_quantity": 1}, {"shipped_quantity": 1}, {"sku": "B-2"}],
    ids=["refunded", "shipped", "another SKU"],
)
def test_a_line_that_left_its_pool_is_not_short_any_more(db: Database, change: dict[str, Any]) -> None:
    here = shops("north")
    take_in(db, here, a_snapshot("1", lines={"1": a_line(stock=0), "2": a_line("C-3")}))
    reallocate(db)
    assert [("1", '["1"]')] == short(db)
    take_in(db, here, said("1", at=NOON, lines={"1": change}), now=NOON)
    assert [] == short(db)


@pytest.mark.parametrize(("status", "left"), [("paid", 1), ("shipped", 0)])
def test_a_line_that_stood_twice_by_mistake_asks_for_no_stock_after_a_clean_file(
    db: Database, status: str, left: int
) -> None:
    here = shops("north")
    twice = a_snapshot("1", lines={"A-1": a_line(stock=1), "A-1#2": a_line(stock=1)})
    take_in(db, here, replace(twice, counted=True))
    reallocate(db)
    assert [("1", '["A-1#2"]')] == short(db)
    clean = said("1", at=NOON, status=status, lines={"A-1": {}})
    take_in(db, here, replace(clean, counted=True), now=NOON)
    reallocate(db)
    assert ["A-1"] == [line["line_id"] for line in facts(db)["lines"]]
    assert ([], left) == (short(db), row(db, "pool")["on_hand"])


def test_stock_told_by_a_shipped_line_is_news_for_the_others(db: Database) -> None:
    here = shops("north")
    take_in(db, here, a_snapshot("1", lines={"1": a_line()}), stock_of("A-1", 1))
    reallocate(db)
    with db.begin() as tx:
        timers.settle(tx, [Result(one, None, NOON) for one in timers.claim(tx, POOL, NOON, 10)])
    told = {"1": a_line(shipped_quantity=1, stock=0), "2": a_line("B-2")}
    take_in(db, here, a_snapshot("2", at=NOON, lines=told), now=NOON)
    assert ["A-1"] == due(db, POOL, NOON)


# --- the whole of it --------------------------------------------------------------------------------------------------


def a_week() -> list[Record]:
    """Three shops of a seller: stock that runs out and comes back, replies, shipments, late and partial news."""
    told: list[Record] = []
    for number in range(30):
        shop = ("north", "south", "北店")[number % 3]
        paid = MORNING + number * 37 * MINUTE
        told.append(
            a_snapshot(
                f"{shop}-{number}",
                at=paid + MINUTE,
                shop=shop,
                paid_at=paid,
                ship_by=paid + 2 * DAY if number % 4 else None,
                paid_minor=1000 + 977 * number,
                flags=["urged"] if number % 7 == 0 else [],
                lines={"1": a_line(f"SKU {number % 4}/ä", 1 + number % 3, listing_id=f"L{number % 4}")},
            )
        )
        if number % 5 == 0:
            told.append(said(f"{shop}-{number}", at=paid + 30 * HOUR, shop=shop, status="shipped", shipped_at=paid))
        if number % 6 == 1:
            told.append(an_event("buyer_reply", f"{shop}-{number}", at=paid + 40 * HOUR, shop=shop))
        if number % 11 == 2:
            told.append(said(f"{shop}-{number}", at=paid + 20 * HOUR, shop=shop, status="cancelled"))
    for hours, units in ((3, 9), (20, 2), (31, 40), (50, 0)):
        told += [stock_of(f"SKU {sku}/ä", units + sku, at=MORNING + hours * HOUR, shop="北店") for sku in range(3)]
    return sorted(told, key=lambda record: record.observed_at)


def decision_lines(db: Database, step: int = HOUR) -> bytes:
    with_margin = f"{playbook.shipped_text()}\nmargin_percent = 20\n"
    three = shops("north", "south", "北店", play=playbook.parse(with_margin, "test"))
    simulation = Simulation(three, database=db)
    simulation.run(a_week(), MORNING, step, lambda: MORNING + 5 * DAY)
    with db.begin() as tx:
        assert [] == broken_links(tx)
        return b"".join(lines.encode(journal.lines(tx)))


@cache
def decided_in_memory() -> bytes:
    in_memory = scratch()
    decided = decision_lines(in_memory)
    in_memory.close()
    return decided


@pytest.mark.slow
def test_a_replay_decides_the_same_on_every_database(db: Database) -> None:
    assert decided_in_memory() == decision_lines(db, step=6 * HOUR)
    kinds = {kind for (kind,) in _distinct(db, "action", "kind")}
    assert {"alert", "negotiate", "delist", "relist"} <= kinds
    assert {"late_shipment", "stock_out"} == {violation for (violation,) in _distinct(db, "case", "violation")}


def _distinct(db: Database, table: str, column: str) -> Sequence[Any]:
    with db.begin() as tx:
        return tx.execute(select(TABLE[table].c[column]).distinct()).all()
