"""Orders marked as shipped whose collection scan a feed cannot know, and those the seller was asked about.

The cause's actions carry order ids as their members: no case is open for them.
"""

from collections.abc import Iterable, Set

import msgspec
from sqlalchemy import Connection, RowMapping, bindparam, select

from daemon.shops import Shop
from daemon.store import orders
from daemon.tables import Action, Order
from rules import scan
from rules.instant import DAY
from rules.model import Outcome

A = Action.__table__  # type: ignore[attr-defined]
O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741
STEP = "confirm_scan"
"""The step of a reminder."""
EARLIER = 9 * DAY
"""How far back the last useful pick-up is looked for: a festival may lie before the ship-by time (µs)."""


def unknown(connection: Connection, shop: Shop, now: int) -> list[str]:
    """Ids of the shop's orders to ask about at `now`, in order; found by index, never by a scan of all orders."""
    near = {"b_shop": shop.name, "b_since": now - scan.NEAR, "b_until": now + scan.NEAR, "b_early": now - EARLIER}
    return still(connection, shop, connection.execute(_NEAR, near).scalars(), now)


def still(connection: Connection, shop: Shop, names: Iterable[str], now: int) -> list[str]:
    """Which of the orders are worth asking about, by the newest stored state."""
    found = orders.load(connection, {(shop.name, name) for name in names})
    return sorted(
        stored.order.order_id
        for stored in found.values()
        if scan.is_unknown(stored.order, shop.policy.pack, stored.ship_by, now)
    )


def left(connection: Connection, shop: Shop, reminder: RowMapping, now: int) -> list[str]:
    """Those of a reminder's orders that are still worth asking about."""
    return still(connection, shop, msgspec.json.decode(reminder["members"]), now)


def asked(connection: Connection, cause: str, since: int, untold: Iterable[Outcome]) -> Set[str]:
    """Orders that reminders of a cause have named since an instant; those with an outcome of `untold` named none."""
    told = connection.execute(_ASKED, {"b_cause": cause, "b_since": since, "untold": list(untold)}).scalars()
    return {name for members in told for name in msgspec.json.decode(members)}


_NEAR = select(O.c.order_id).where(
    O.c.is_open.is_(True),
    O.c.shop == bindparam("b_shop"),
    O.c.act_by > bindparam("b_early"),
    O.c.act_by <= bindparam("b_until"),
    O.c.ship_by > bindparam("b_since"),
    O.c.ship_by <= bindparam("b_until"),
    O.c.status == "shipped",
)
_ASKED = select(A.c.members).where(
    A.c.cause == bindparam("b_cause"),
    A.c.at >= bindparam("b_since"),
    A.c.members.is_not(None),
    A.c.outcome.not_in(bindparam("untold", expanding=True)),
)
