"""How soon a shop speaks to its buyers: from the outbox, by index (C065)."""

from dataclasses import dataclass
from statistics import median_low

from sqlalchemy import Connection, and_, bindparam, func, select, text

from daemon.tables import Action, Case
from rules.instant import DAY

A = Action.__table__  # type: ignore[attr-defined]
C = Case.__table__  # type: ignore[attr-defined]
WINDOW = 30 * DAY
"""Over the cases opened in so many µs: the window of most rates of the platforms."""


@dataclass(frozen=True, slots=True)
class FirstContact:
    """The time from a case's opening to its first message that left, over `cases` of them; `median` in µs."""

    cases: int
    median: int


def first_contact(connection: Connection, shop: str, now: int) -> FirstContact | None:
    """How soon the buyers of cases opened in the last 30 days heard from us; None where no message left."""
    found = connection.execute(_FIRSTS, {"b_shop": shop, "b_since": now - WINDOW, "b_now": now}).all()
    if not found:
        return None
    return FirstContact(len(found), median_low(row.told_at - row.opened_at for row in found))


_FIRSTS = (
    select(C.c.opened_at, func.min(A.c.outcome_at).label("told_at"))
    .join_from(
        A,
        C,
        and_(
            C.c.shop == A.c.shop,
            C.c.order_id == A.c.order_id,
            C.c.violation == A.c.violation,
            C.c.episode == A.c.episode,
        ),
    )
    .where(text("action.kind = 'contact' AND action.outcome = 'settled'"))  # as the index says it, or it is not used
    .where(
        A.c.shop == bindparam("b_shop"), A.c.outcome_at >= bindparam("b_since"), A.c.outcome_at <= bindparam("b_now")
    )
    .where(C.c.opened_at >= bindparam("b_since"))
    .group_by(C.c.key, C.c.opened_at)
)
