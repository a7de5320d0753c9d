"""The lines of the lead's screen: open cases that share a moment and the one thing to do about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from daemon.tables import Case, Member, Order
from rules import payout
from rules.todo import handover

O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741
C = Case.__table__  # type: ignore[attr-defined]
M = Member.__table__  # type: ignore[attr-defined]
LATE = "ship_late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Orders of one shop with one thing to do (`words.TODO`) by one moment. `kind`: pickup, pool or aftersale.

    `due_at`, `ship_by`: the earliest last useful moment and the earliest platform deadline among them.
    `stake_minor`: None where it is known of none.
    `times`: the last useful moment and the platform's deadline of each order.
    `acked`, `snoozed`, `taken`: how many of their cases a person has already said something to.
    """

    shop: str
    kind: str
    todo: str
    due_at: int | None
    ship_by: int | None
    count: int
    stake_minor: int | None
    currency: str | None
    oldest: str
    order_ids: tuple[str, ...]
    times: tuple[tuple[int | None, int | None], ...] = ()
    acked: int = 0
    snoozed: int = 0
    taken: int = 0

    @property
    def urgent_at(self) -> int | None:
        """By when it must be done: a missed pick-up still has the platform's own deadline before it."""
        return self.ship_by if self.todo in ("counter", "chase_scan", LATE) else self.due_at


def today(connection: Connection, now: int, until: int) -> Sequence[Bucket]:
    """Open cases due before `until` (stock-outs always): what can still be saved first, the most urgent of it on top.

    What can be saved and what is late is never one line; all that is late in a shop is one.
    """
    groups: dict[tuple[str, ...], list[Any]] = {}
    for row in connection.execute(_MEMBERS):
        kind = row.cause.split("/", 1)[1].split(":", 1)[0].replace("overdue", "pickup")
        todo = _todo(kind, row, now)
        place = row.shop if todo == LATE else row.cause
        groups.setdefault((kind, todo, place), []).append(row)
    buckets = [_bucket(kind, todo, rows, now) for (kind, todo, _), rows in groups.items()]
    due = [bucket for bucket in buckets if bucket.kind == "pool" or (bucket.due_at or 0) <= until]
    return sorted(due, key=lambda one: _urgency(one, now))


def _todo(kind: str, row: Any, now: int) -> str:
    """The one thing to do about an order in a cause."""
    if kind != "pickup":
        return "check_stock" if kind == "pool" else "answer"
    return handover(row.act_by, row.ship_by, shipped=row.status == "shipped", now=now)


def _urgency(one: Bucket, now: int) -> tuple[bool, bool, int, str, str]:
    past = one.kind == "pickup" and one.ship_by is not None and one.ship_by <= now
    return past, one.urgent_at is None, one.urgent_at or 0, one.shop, one.kind


def _bucket(kind: str, todo: str, rows: list[Any], now: int) -> Bucket:
    times = {row.order_id: (row.act_by, row.ship_by) for row in reversed(rows)}
    return Bucket(
        shop=rows[0].shop,
        kind=kind,
        todo=todo,
        due_at=None if kind == "pool" else rows[0].act_by,
        ship_by=None if kind != "pickup" else min((r.ship_by for r in rows if r.ship_by is not None), default=None),
        count=len({(row.shop, row.order_id) for row in rows}),
        stake_minor=payout.in_all(row.stake_minor for row in rows),
        currency=next((row.currency for row in rows if row.currency), None),
        oldest=rows[0].order_id,
        order_ids=tuple(sorted(times)),
        times=tuple(times[order_id] for order_id in sorted(times)),
        acked=sum(row.acked_at is not None for row in rows),
        snoozed=sum(row.snoozed_until is not None and row.snoozed_until > now for row in rows),
        taken=sum(bool(row.taken_over) for row in rows),
    )


_MEMBERS = (
    select(
        M.c.cause, M.c.shop, M.c.order_id, M.c.act_by, M.c.ship_by, M.c.stake_minor, M.c.currency,
        M.c.acked_at, M.c.snoozed_until, C.c.taken_over, O.c.status, O.c.paid_at,
    )
    .join(O, (O.c.shop == M.c.shop) & (O.c.order_id == M.c.order_id))
    .join(C, C.c.key == M.c.case_key)
    .where(M.c.left_at.is_(None))
    .order_by(M.c.act_by.is_(None), M.c.act_by, O.c.paid_at, M.c.order_id)
)  # fmt: skip
