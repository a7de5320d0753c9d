"""The one thing to do about an order that must reach the courier. One answer for alerts and screens."""

from typing import Literal

Todo = Literal["ship", "counter", "chase_scan", "ship_late"]


def handover(act_by: int | None, ship_by: int | None, *, shipped: bool, now: int) -> Todo:
    """What still helps at `now`. `shipped`: marked as shipped, and the courier has not scanned it.

    ship: the pick-up is still ahead. counter: it has passed (the next one comes too late by construction), but the
    platform's own deadline has not. ship_late: that has passed too.
    """
    if shipped:
        return "chase_scan"
    if act_by is not None and now < act_by:
        return "ship"
    if ship_by is not None and now >= ship_by:
        return "ship_late"
    return "ship" if act_by is None else "counter"
