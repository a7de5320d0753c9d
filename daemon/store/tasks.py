"""Open work items of people: which must be looked at again, because their order or cause was decided anew."""

from collections.abc import Iterable
from typing import Literal

from sqlalchemy import Connection, bindparam, update

from daemon.tables import Action
from rules.cause import Told
from rules.model import Outcome, Past

A = Action.__table__  # type: ignore[attr-defined]


def is_open(past: Iterable[Past | Told]) -> bool:
    """Whether a person has something to do about it still."""
    return any(one.outcome is Outcome.NEEDS_HUMAN for one in past)


def review(connection: Connection, of: Literal["order_id", "cause"], shop: str, name: str, at: int) -> None:
    """Let dispatch look at the open work items of an order or a cause, at `at`: are they needed any more?

    One with a note is no plain work item but a call that may have been made: whatever happens to its order, a person
    has to find out.
    """
    connection.execute(_REVIEW[of], {"b_shop": shop, "b_name": name, "b_at": at})


_REVIEW = {
    column: update(A)
    .where(A.c.shop == bindparam("b_shop"), A.c[column] == bindparam("b_name"))
    .where(A.c.outcome == Outcome.NEEDS_HUMAN, A.c.note == "")
    .values(due_at=bindparam("b_at"))
    for column in ("order_id", "cause")
}
