"""What came due while nobody looked: the boot report, told once per downtime."""

from dataclasses import dataclass

import msgspec
import structlog
from sqlalchemy import Connection, Select, func, select

from daemon.engine import Engine
from daemon.store import alerts, decisions, meta, timers
from daemon.store.journal import Journal
from daemon.tables import Case, Order, Timer
from rules import key
from rules.instant import format_utc

log = structlog.get_logger()
T = Timer.__table__  # type: ignore[attr-defined]
C = Case.__table__  # type: ignore[attr-defined]
O = Order.__table__  # type: ignore[attr-defined]  # noqa: E741
_ALIVE = "alive_at"
_PRETENDED = "pretended_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Downtime (instants) and what came due meanwhile: timers by kind, deadlines that passed on open orders."""

    since: int
    until: int
    due: dict[str, int]
    deadlines_passed: int


def alive(connection: Connection, now: int, *, pretend: bool = False) -> None:
    """Leave a sign of life. `pretend`: of a run that was only told it is that moment (`tick --at`)."""
    meta.put(connection, _PRETENDED if pretend else _ALIVE, str(now))
    if not pretend:
        meta.put(connection, _PRETENDED, "")


def last_runs(connection: Connection) -> list[tuple[int, bool]]:
    """When the last run was, and the last pretended one since; and whether it was by a real clock."""
    said = ((meta.get(connection, name), name == _ALIVE) for name in (_ALIVE, _PRETENDED))
    return [(int(at), real) for at, real in said if at]


def report(engine: Engine, now: int, tell_after: int) -> Report | None:
    """The report for the time since the last sign of life; the seller is told when it was longer than `tell_after` µs.

    None at the very first start.
    """
    with engine.database.begin() as tx:
        last = meta.get(tx, _ALIVE)
        alive(tx, now)
        if last is None:
            return None
        found = _since(tx, int(last), now)
        if now - found.since >= tell_after:
            _tell(engine, tx, found, now)
    log.info("daemon.booted", down_s=(now - found.since) // 1_000_000, due=found.due, passed=found.deadlines_passed)
    return found


def _since(tx: Connection, last: int, now: int) -> Report:
    due = tx.execute(_due_between(last, now))
    passed = tx.execute(
        select(func.count()).where(O.c.is_open.is_(True), O.c.act_by > last, O.c.act_by <= now)
    ).scalar_one()
    return Report(since=last, until=now, due={row.kind: row.subjects for row in due}, deadlines_passed=passed)


def _due_between(last: int, now: int) -> Select[tuple[str, int]]:
    counted = select(T.c.kind, func.count().label("subjects"))
    return counted.where(T.c.due_at > last, T.c.due_at <= now).group_by(T.c.kind)


def _tell(engine: Engine, tx: Connection, found: Report, now: int) -> None:
    shop = engine.shops.first()
    if shop is None:
        return
    cause = key.boot(shop.name)
    act = alerts.notice(cause, format_utc(found.since), "boot", "WAS_DOWN")
    row = decisions.action_row(engine.shops, shop, act, now, "", cause=cause)
    counts = {"since": found.since, "until": found.until, "orders": found.due.get(timers.ORDER, 0)}
    row["note"] = msgspec.json.encode({**counts, "passed": found.deadlines_passed}).decode()
    decisions.add_actions(tx, [row])
    journal = Journal()
    journal.note(shop.name, cause, {"event": "booted", "cause": cause, "at": format_utc(now), **counts})
    journal.write(tx, now)
