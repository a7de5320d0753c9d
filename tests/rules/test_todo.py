"""The one thing to do about an order: what still helps, and nothing that is too late by construction."""

import pytest

from rules.todo import handover
from tests.builders import at

PICK_UP, SHIP_BY = at("2026-06-03 18:00"), at("2026-06-03 23:59")


@pytest.mark.parametrize(
    ("act_by", "ship_by", "shipped", "now", "todo"),
    [
        (PICK_UP, SHIP_BY, False, PICK_UP - 1, "ship"),
        (PICK_UP, SHIP_BY, False, PICK_UP, "counter"),
        (PICK_UP, SHIP_BY, False, SHIP_BY - 1, "counter"),
        (PICK_UP, SHIP_BY, False, SHIP_BY, "ship_late"),
        (SHIP_BY, SHIP_BY, False, SHIP_BY, "ship_late"),
        (PICK_UP, None, False, SHIP_BY, "counter"),
        (None, None, False, SHIP_BY, "ship"),
        (PICK_UP, SHIP_BY, True, PICK_UP - 1, "chase_scan"),
        (PICK_UP, SHIP_BY, True, SHIP_BY, "chase_scan"),
    ],
)
def test_what_still_helps(act_by: int | None, ship_by: int | None, shipped: bool, now: int, todo: str) -> None:
    assert todo == handover(act_by, ship_by, shipped=shipped, now=now)
