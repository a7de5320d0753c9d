"""`why`: every order is explained, now and as it was known at any earlier moment."""

from typing import Any

import pytest

from adapters.base import OrderEvent, Record, Snapshot, StockReport
from daemon.explanation import why
from daemon.replay import Simulation
from daemon.shops import Shops
from daemon.store import hands, timers
from daemon.store.journal import Journal
from rules.instant import DAY, HOUR, MINUTE, SECOND, format_utc, parse

MORNING = parse("2026-06-01T08:00:00+08:00")
SHIP_BY = MORNING + 2 * DAY
ASKED = parse("2026-06-02T16:59:00+08:00")
"""When a new date is asked for: four hours before the last minute in which the buyer may be written to."""
KEYS = ["order", "ship_by", "act_by", "candidates", "rules", "steps", "choices", "policy"]


def said(at: int, **fields: Any) -> Snapshot:
    lines = fields.pop("lines", {})
    return Snapshot(observed_at=at, shop="north", order_id="1", platform="taobao", fields=fields, lines=lines)


PAID = said(
    MORNING,
    status="paid",
    paid_at=MORNING,
    ship_by=SHIP_BY,
    paid_minor=15000,
    currency="CNY",
    lines={"1": {"sku": "A-1", "quantity": 2}},
)


def lived(*records: Record, until: int) -> Simulation:
    """What the records lead to by `until`."""
    simulation = Simulation(Shops())
    simulation.run(records, MORNING, HOUR, lambda: until)
    return simulation


def told(simulation: Simulation, at: int | None = None, now: int = MORNING, order: str = "1") -> dict[str, Any] | None:
    with simulation.database.begin() as tx:
        return why(tx, simulation.shops, "north", order, at, now)


def rule(document: dict[str, Any] | None, name: str = "late_shipment") -> tuple[bool, str]:
    assert document is not None
    found = next(entry for entry in document["rules"] if entry["id"] == name)
    return found["fired"], found["reason"]


def steps(document: dict[str, Any] | None) -> list[tuple[str, str]]:
    assert document is not None
    return [(step["key"].rsplit("/", 1)[1], step["outcome"]) for step in document["steps"]]


PLANNED = [("ship", "planned"), ("agree_new_date", "planned"), ("tell_buyer", "planned"), ("make_good", "void")]


def test_an_order_nothing_happened_to_is_explained_with_what_is_to_come():
    document = told(lived(PAID, until=MORNING + HOUR), now=MORNING + HOUR)
    assert document is not None
    assert KEYS == list(document)
    assert (False, "NOT_DUE_YET") == rule(document)
    assert PLANNED == steps(document)
    assert format_utc(SHIP_BY - DAY) == document["steps"][0]["due_at"]
    assert {
        "source": "platform",
        "ship_by": format_utc(SHIP_BY),
        "observed_at": format_utc(MORNING),
        "effective": True,
    } == document["candidates"][0]


def test_steps_that_were_taken_stand_before_those_to_come():
    document = told(lived(PAID, until=SHIP_BY - 13 * HOUR), now=SHIP_BY - 13 * HOUR)
    assert (True, "SHIP_BY_NEAR") == rule(document)
    assert [("ship", "shadow"), ("agree_new_date", "shadow"), *PLANNED[2:]] == steps(document)


@pytest.mark.parametrize("hours", [1, 25, 34, 38, 49])
def test_looking_back_tells_what_was_told_then(hours):
    then = MORNING + hours * HOUR
    at_the_time = told(lived(PAID, until=then), now=then)
    later = lived(PAID, said(SHIP_BY + DAY, status="shipped", shipped_at=SHIP_BY + DAY), until=SHIP_BY + 9 * DAY)
    assert at_the_time == told(later, then, now=SHIP_BY + 9 * DAY)


def test_an_order_is_unknown_before_it_was_first_seen_and_without_it():
    simulation = lived(PAID, until=SHIP_BY)
    assert None is told(simulation, MORNING - 1)
    assert None is told(simulation, order="2")
    assert None is told(simulation, SHIP_BY, order="2")


def test_a_date_that_moved_later_is_not_known_before():
    simulation = lived(PAID, said(MORNING + 3 * HOUR, ship_by=SHIP_BY + DAY), until=SHIP_BY)
    dates = [told(simulation, MORNING + hours * HOUR) for hours in (2, 3)]
    assert [format_utc(SHIP_BY), format_utc(SHIP_BY + DAY)] == [document and document["ship_by"] for document in dates]


def test_a_closed_case_was_open_before():
    shipped = said(SHIP_BY - HOUR, status="shipped", shipped_at=SHIP_BY - HOUR)
    simulation = lived(PAID, shipped, until=SHIP_BY)
    assert (True, "SHIP_BY_NEAR") == rule(told(simulation, SHIP_BY - HOUR - 1))
    assert (False, "SHIPPED") == rule(told(simulation, SHIP_BY - HOUR))
    assert (False, "SHIPPED") == rule(told(simulation, now=SHIP_BY))
    assert "planned" not in dict(steps(told(simulation, now=SHIP_BY))).values()


def test_a_case_that_came_back_was_closed_in_between():
    flagged, cleared = {"flags": ["out_of_stock"]}, {"flags": []}
    marks = [(1, flagged), (2, cleared), (3, flagged)]
    simulation = lived(PAID, *(said(MORNING + hour * HOUR, **fields) for hour, fields in marks), until=MORNING + DAY)
    seen = [rule(told(simulation, MORNING + hour * HOUR + MINUTE), "stock_out") for hour, _ in marks]
    assert [(True, "OUT_OF_STOCK_FLAG"), (False, "IN_STOCK"), (True, "OUT_OF_STOCK_FLAG")] == seen


def test_a_shortage_is_known_at_the_time_it_lasted():
    none_left = StockReport(observed_at=MORNING + HOUR, shop="north", sku="A-1", stock=0)
    restocked = StockReport(observed_at=MORNING + 2 * HOUR, shop="north", sku="A-1", stock=9)
    simulation = lived(PAID, none_left, restocked, until=MORNING + DAY)
    seen = [rule(told(simulation, MORNING + minutes * MINUTE), "stock_out") for minutes in (30, 90, 150)]
    assert [(False, "IN_STOCK"), (True, "STOCK_SHORT"), (False, "IN_STOCK")] == seen


def test_an_answer_of_the_buyer_is_known_from_when_it_was_seen():
    agreed = ASKED + HOUR
    reply = OrderEvent(observed_at=agreed, shop="north", order_id="1", event="date_agreed", at=agreed)
    simulation = lived(PAID, reply, until=SHIP_BY + DAY)
    before, after = told(simulation, agreed - 1), told(simulation, agreed)
    assert before is not None
    assert after is not None
    assert ["agree_new_date", "tell_buyer"] == [name for name, _ in steps(before)[1:3]]
    assert ["SHIP_BY_NEAR", "DATE_AGREED"] == [document["steps"][2]["reason"] for document in (before, after)]


def test_what_a_person_did_is_known_from_when_it_was_done():
    simulation = lived(PAID, until=SHIP_BY - 20 * HOUR)
    now = SHIP_BY - 20 * HOUR + SECOND // 2
    with simulation.database.begin() as tx:
        journal = Journal()
        hands.resolve(tx, journal, hands.find_case(tx, "north/1/late_shipment/1"), now)
        journal.write(tx, now)
    assert (True, "SHIP_BY_NEAR") == rule(told(simulation, now - 1))
    assert (False, "RESOLVED_BY_PERSON") == rule(told(simulation, now))
    assert (False, "RESOLVED_BY_PERSON") == rule(told(simulation, now=now))


def test_an_order_whose_timer_nobody_served_tells_what_its_next_decision_will_say():
    simulation = lived(PAID, until=SHIP_BY - 20 * HOUR)
    late = told(simulation, now=SHIP_BY - HOUR)
    assert late is not None
    assert "MISSED_WHILE_DOWN" in [step["reason"] for step in late["steps"]]
    with simulation.database.begin() as tx:
        assert {("north", "1"): ASKED} == timers.due_of(tx, timers.ORDER, [("north", "1")])
