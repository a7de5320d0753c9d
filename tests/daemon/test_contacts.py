"""How soon buyers hear from a shop, as the outbox knows it."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text

from daemon import clock
from daemon.store import contacts
from daemon.store.contacts import FirstContact
from daemon.store.database import Database, open_database
from rules.instant import DAY, MINUTE
from tests import databases
from tests.daemon.builders import MORNING, TABLE
from tests.daemon.commands import Said

NOW = MORNING + 30 * DAY


def a_case(db: Database, order_id: str, opened_at: int = NOW - DAY, **told: int) -> None:
    """A case, and messages of it by name with the minutes after which each left."""
    own = {"seller": "default", "shop": "north", "order_id": order_id, "violation": "late_shipment", "episode": 1}
    with db.begin() as tx:
        tx.execute(insert(TABLE["case"]), [{**own, "key": order_id, "opened_at": opened_at}])
    for step, minutes in told.items():
        an_action(db, f"{order_id}/{step}", **own, outcome_at=opened_at + minutes * MINUTE)


def an_action(db: Database, key: str, **facts: Any) -> None:
    usual = {"key": key, "step": key, "kind": "contact", "at": NOW - DAY, "reason": "", "outcome": "settled"}
    with db.begin() as tx:
        tx.execute(insert(TABLE["action"]), [usual | facts])


def soon(db: Database, shop: str = "north", now: int = NOW) -> FirstContact | None:
    with db.begin() as tx:
        return contacts.first_contact(tx, shop, now)


def test_the_first_message_of_a_case_counts(db: Database) -> None:
    a_case(db, "1", call=90, write=10)
    assert FirstContact(1, 10 * MINUTE) == soon(db)


@pytest.mark.parametrize(("minutes", "median"), [((5, 50, 7), 7), ((5, 50), 5)])
def test_the_median_of_two_is_the_lower(db: Database, minutes: tuple[int, ...], median: int) -> None:
    for number, after in enumerate(minutes):
        a_case(db, str(number), write=after)
    assert FirstContact(len(minutes), median * MINUTE) == soon(db)


@pytest.mark.parametrize("facts", [{"outcome": "shadow"}, {"outcome": "needs_human"}, {"kind": "alert"}])
def test_what_did_not_leave_or_was_for_no_buyer_counts_for_nothing(db: Database, facts: dict[str, str]) -> None:
    a_case(db, "1")
    own = {"seller": "default", "shop": "north", "order_id": "1", "violation": "late_shipment", "episode": 1}
    an_action(db, "a", **own, outcome_at=NOW, **facts)
    assert None is soon(db)


@pytest.mark.parametrize(("opened_at", "counts"), [(MORNING - 1, False), (MORNING, True)])
def test_a_case_opened_thirty_days_ago_is_the_last_that_counts(db: Database, opened_at: int, counts: bool) -> None:
    a_case(db, "1", opened_at, write=10)
    assert counts == (soon(db) is not None)


def test_what_leaves_later_and_other_shops_are_not_counted(db: Database) -> None:
    a_case(db, "1", NOW - 10 * MINUTE, write=10)
    assert (None, None) == (soon(db, now=NOW - 1), soon(db, "south"))
    assert FirstContact(1, 10 * MINUTE) == soon(db)


def test_it_is_read_by_index(db: Database) -> None:
    """The plan of the statement itself: at a million orders a scan of all actions would take seconds."""
    own = {"seller": "default", "shop": "north", "violation": "late_shipment", "episode": 1, "outcome": "shadow"}
    usual = {**own, "step": "write", "kind": "contact", "at": NOW, "reason": "", "outcome_at": NOW}
    statement = contacts._FIRSTS.params(b_shop="north", b_since=0, b_now=1)
    with db.begin() as tx:
        tx.execute(insert(TABLE["action"]), [{**usual, "key": str(n), "order_id": str(n)} for n in range(2_000)])
        tx.execute(text("ANALYZE"))
        query = statement.compile(tx.engine, compile_kwargs={"literal_binds": True})
        plan = str(tx.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' if db.is_sqlite else ''}{query}").all())
    assert ["ix_action_told"] == [name for name in ("ix_action_told", "SCAN", "Seq Scan on action") if name in plan], (
        plan
    )


def test_the_command_says_it_only_of_shops_that_spoke(cli: Callable[..., Said], tmp_path: Path, boxes: None) -> None:
    (tmp_path / "forestall.toml").write_text(
        "".join(f'[shops.{name}]\nplatform = "taobao"\nfeed = "memory"\n' for name in ("north", "south"))
    )
    databases.put(tmp_path / "forestall.db")
    with closing(open_database(f"sqlite:///{tmp_path}/forestall.db")) as db:
        a_case(db, "1", clock.now() - 20 * MINUTE, write=12)
    assert [{"shop": "north", "cases": 1, "median_minutes": 12}] == cli("health --json").document["first_contact"]
    assert "[north] first message to the buyer: 12 min after a case opened" in " ".join(cli("health").out.split())
