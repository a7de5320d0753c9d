"""Orders that nothing can watch are found by one query, wherever they came from, in both databases."""

from typing import Any

import pytest
from sqlalchemy import insert, text

from daemon.store import unwatched
from daemon.store.database import Database
from daemon.tables import Order
from rules.instant import HOUR
from tests.daemon.builders import MORNING, a_snapshot, row, said, shops, take_in

NOTHING: dict[str, Any] = {"paid_at": None, "ship_by": None}


def test_orders_without_what_a_deadline_needs_are_found_with_what_they_lack(db: Database) -> None:
    known = shops("north", "south")
    take_in(
        db,
        known,
        a_snapshot("watched"),
        a_snapshot("no-time", **NOTHING),
        said("no-state", paid_at=MORNING),
        said("no-state", shop="south", sku="A"),
        a_snapshot("odd", status="unpaid"),
        a_snapshot("waits", status="unpaid", **NOTHING),
        a_snapshot("gone", status="shipped", **NOTHING),
    )
    with db.begin() as tx:
        found = unwatched.found(tx)
        north = unwatched.found(tx, "north")

    lacking = {(one.shop, one.order_id): one.gap for one in found}
    assert {
        ("north", "no-time"): "NO_PAYMENT_TIME",
        ("north", "no-state"): "NO_STATUS",
        ("south", "no-state"): "NO_STATUS",
        ("north", "odd"): "STATUS_UNPAID",
    } == lacking
    assert north == [one for one in found if one.shop == "north"]
    assert {"north": 3, "south": 1} == {shop: len(those) for shop, those in unwatched.by_shop(found).items()}


@pytest.mark.parametrize("late", [False, True])
def test_an_order_is_watched_as_soon_as_its_state_is_said_also_by_an_older_export(db: Database, late: bool) -> None:
    """No state was said: so none is newer than the one that an older file brings."""
    known = shops("north")
    take_in(db, known, said("1", paid_at=MORNING, at=MORNING + HOUR))
    take_in(db, known, said("1", status="paid", at=MORNING if late else MORNING + 2 * HOUR))

    with db.begin() as tx:
        assert [] == unwatched.found(tx)
    assert "paid" == row(db, "orders", order_id="1")["status"]


def test_a_shop_is_looked_through_by_what_may_be_lacking_not_by_what_it_has(db: Database) -> None:
    """The plan of the statement itself: it runs whenever a feed has brought something."""
    own = {"shop": "north", "seller": "default", "platform": "taobao", "facts": "{}", "times": "", "short": ""}
    usual = {**own, "status": "paid", "is_open": True, "observed_at": MORNING, "act_by": MORNING}
    query = unwatched._MAYBE.where(unwatched.O.c.shop == "north")
    with db.begin() as tx:
        tx.execute(insert(Order), [{**usual, "order_id": str(n)} for n in range(2_000)])
        tx.execute(text("ANALYZE"))
        said = query.compile(tx.engine, compile_kwargs={"literal_binds": True})
        plan = str(tx.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' if db.is_sqlite else ''}{said}").all())
    assert "ix_orders_blind" in plan, plan
