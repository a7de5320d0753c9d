"""The one thing to do about an order that must reach the courier. One answer for alerts and screens."""

from typing import Literal

Todo = Literal["pack", "counter", "chase", "late"]


def handover(act_by: int | None, ship_by: int | None, *, shipped: bool, now: int) -> Todo:
    """What still helps at `now`. `shipped`: marked as shipped, and the courier has not scanned it.

    pack: the pick-up is still ahead. counter: it has passed (the next one comes too late by construction), but the
    platform's own deadline has not. late: that has passed too.
    """
    if shipped:
        return "chase"
    if act_by is not None and now < act_by:
        return "pack"
    if ship_by is not None and now >= ship_by:
        return "late"
    return "pack" if act_by is None else "counter"
