"""Which causes the open cases of orders stand in. Kept up to date; a cause that changed is woken."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from daemon.shops import Shop
from daemon.store import pairs, stock, timers
from daemon.store.timers import Claimed
from daemon.store.upsert import many, replace_all
from daemon.tables import Member
from rules import key, timing
from rules.decide import Membership
from rules.packs import local_date

M = Member.__table__  # type: ignore[attr-defined]
Place = tuple[str, str]
"""(cause, case key): where a case stands."""


class Stay(NamedTuple):
    """An order decided at `at` and the causes its open cases belong to from then on."""

    shop: Shop
    claim: Claimed
    members: tuple[Membership, ...]
    at: int


def bring_up(connection: Connection, stays: Sequence[Stay]) -> None:
    """Bring memberships up to date and wake every cause that gained, lost or changed a member."""
    if not stays:
        return
    standing: dict[tuple[str, str], dict[Place, Any]] = {}
    for found in pairs.read(connection, _STANDING, {(one.claim.shop, one.claim.id) for one in stays}):
        standing.setdefault((found.shop, found.order_id), {})[(found.cause, found.case_key)] = found
    joined: list[dict[str, Any]] = []
    left: list[dict[str, Any]] = []
    wakes = _Wakes()
    for one in stays:
        before = standing.get((one.claim.shop, one.claim.id), {})
        after = dict(_wanted(connection, one))
        for place in before.keys() - after.keys():
            left.append({"b_cause": place[0], "b_case": place[1], "b_left": one.at})
            wakes.changed(one, place[0])
        for place, row in after.items():
            known = before.get(place)
            if known is not None:
                if _same(known, row):
                    continue
                if (known.act_by, known.ship_by) == (row["act_by"], row["ship_by"]) and not row["anew"]:
                    row["joined_at"] = known.joined_at
                elif known.joined_at != one.at:
                    left.append({"b_cause": place[0], "b_case": place[1], "b_left": one.at})
            joined.append(row)
            wakes.changed(one, place[0])
            wakes.urgent(one, place[0], row["act_by"], row["ship_by"])
    many(connection, _LEAVE, left)
    many(connection, _JOIN[connection.dialect.name], joined)
    wakes.write(connection)


class _Wakes:
    """When causes are to be looked at, by how much sooner than their quiet time ends.

    Only the earliest of each is kept: it decides, and a replay has one for every member.
    """

    def __init__(self) -> None:
        self._at: dict[int, dict[tuple[str, str, str], int]] = {}

    def changed(self, one: Stay, cause: str) -> None:
        """The cause gained, lost or changed a member."""
        self._add(0, one, cause, one.at)

    def urgent(self, one: Stay, cause: str, act_by: int | None, ship_by: int | None) -> None:
        """A newcomer that is near its end does not wait for the quiet time to end."""
        for at, slack in timing.wakes(one.shop.policy.playbook.alerts, act_by, ship_by, one.at):
            self._add(slack, one, cause, at)

    def write(self, connection: Connection) -> None:
        """Wake them."""
        for slack, causes in self._at.items():
            subjects = [(*subject, at) for subject, at in causes.items()]
            timers.wake(connection, timers.CAUSE, subjects, slack=slack)

    def _add(self, slack: int, one: Stay, cause: str, at: int) -> None:
        causes = self._at.setdefault(slack, {})
        subject = (key.unpart(cause.partition("/")[0]), cause, one.claim.seller)
        known = causes.get(subject)
        if known is None or at < known:
            causes[subject] = at


def _wanted(connection: Connection, one: Stay) -> Iterator[tuple[Place, dict[str, Any]]]:
    for member in one.members:
        cause = _cause_of(connection, one.shop, member)
        if cause is not None:
            yield (cause, member.case_key), _row(one, member, cause)


def _cause_of(connection: Connection, shop: Shop, member: Membership) -> str | None:
    if member.sku is not None:
        return key.pool(stock.home(connection, shop.seller, member.sku, shop.name), member.sku)
    if member.seen_at is not None:
        day = local_date(member.seen_at, shop.policy.zone).isoformat()
        return key.overdue_day(shop.name, day) if member.overdue else key.aftersale_day(shop.name, day)
    if member.act_by is None:
        return None
    if shop.policy.warehouse is not None:
        return key.pickup(shop.name, member.act_by)
    return key.pickup_day(shop.name, local_date(member.act_by, shop.policy.zone).isoformat())


def _row(one: Stay, member: Membership, cause: str) -> dict[str, Any]:
    return {
        "cause": cause,
        "case_key": member.case_key,
        "seller": one.shop.seller,
        "shop": one.shop.name,
        "order_id": one.claim.id,
        "joined_at": one.at,
        "left_at": None,
        "act_by": member.act_by,
        "ship_by": member.ship_by,
        "stake_minor": member.stake_minor,
        "currency": member.currency,
        "snoozed_until": member.snoozed_until,
        "acked_at": member.acked_at,
        "confirmed": member.confirmed,
        "anew": member.anew,
    }


_COMPARED = ("act_by", "ship_by", "stake_minor", "currency", "snoozed_until", "acked_at", "confirmed")


def _same(before: Any, after: Mapping[str, Any]) -> bool:
    return all(getattr(before, name) == after[name] for name in _COMPARED)


_STANDING = pairs.among(select(M).where(M.c.left_at.is_(None)), M.c.shop, M.c.order_id)
_LEAVE = (
    update(M)
    .where(M.c.cause == bindparam("b_cause"), M.c.case_key == bindparam("b_case"), M.c.left_at.is_(None))
    .values(left_at=bindparam("b_left"))
)
_JOIN = {
    dialect: replace_all(dialect, M, ("cause", "case_key", "joined_at"), ("left_at", *_COMPARED))
    for dialect in ("sqlite", "postgresql")
}
