"""Cases and tasks as people name them: by key, by order, by kind."""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, Select, and_, select

from daemon.store import views
from daemon.tables import Action, Case, Order
from rules.model import Kind

A = Action.__table__  # type: ignore[attr-defined]
C = Case.__table__  # type: ignore[attr-defined]
O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741
Thing = Literal["case", "task"]


def by_key(connection: Connection, thing: Thing, key: str) -> Sequence[RowMapping]:
    """The one with this key, if there is one."""
    return connection.execute(_query(thing).where((C if thing == "case" else A).c.key == key)).mappings().all()


def of_order(connection: Connection, thing: Thing, shop: str, order_id: str) -> Sequence[RowMapping]:
    """All of an order, ended ones too, by episode."""
    table = C if thing == "case" else A
    query = _query(thing).where(table.c.shop == shop, table.c.order_id == order_id)
    return connection.execute(query.order_by(table.c.episode, table.c.key)).mappings().all()


def listed(connection: Connection, thing: Thing, shop: str | None, now: int) -> Sequence[RowMapping]:
    """All that the list of cases or tasks shows at `now`."""
    return views.case_rows(connection, shop=shop) if thing == "case" else views.task_rows(connection, now, shop=shop)


def kinds(connection: Connection, thing: Thing) -> list[str]:
    """The kinds there are: of cases the violation; of tasks the action, the step or the violation."""
    if thing == "case":
        return sorted(connection.execute(select(C.c.violation).distinct()).scalars())
    rows = connection.execute(select(A.c.kind, A.c.step, A.c.violation).where(_IS_WORK).distinct())
    return sorted({name.partition(":")[0] for row in rows for name in row})


def is_of(row: RowMapping, kind: str | None) -> bool:
    """Whether a case or task is of this kind."""
    return kind is None or kind in (row["violation"], row.get("kind"), row.get("step", "").partition(":")[0])


def _query(thing: Thing) -> Select[Any]:
    if thing == "task":
        return select(A).where(_IS_WORK)
    return select(C, O.c.act_by).join(O, (O.c.shop == C.c.shop) & (O.c.order_id == C.c.order_id))


_IS_WORK = and_(A.c.request.startswith("{"), A.c.kind != Kind.ALERT)
"""Whether an action is or was a person's work."""
