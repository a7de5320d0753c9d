"""A small world to tell stories in: shops that speak, sinks that listen, a clock moved from due instant to due instant.

The world drives the shipped daemon through `daemon.scheduler.tick()` under a frozen clock. Whatever is sent in a
story must be expected by it: `silent()` (called when the test ends) fails on every message or task left over.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from freezegun.api import FrozenDateTimeFactory
from sqlalchemy import RowMapping, func, select

import adapters.files.feed
import adapters.task  # noqa: F401 - loaded before any clock is frozen
from adapters import memory
from adapters.base import Message, OrderEvent, Page, Record, Snapshot, StockReport
from adapters.memory import Faults, SinkBox
from daemon import clock, config, housekeeping, scheduler
from daemon.installation import build, usable
from daemon.lines import sort_key
from daemon.scheduler import Parts
from daemon.store import hands, journal, meta, orders, timers
from daemon.store.database import Database, scratch
from daemon.store.journal import Journal
from daemon.tables import Action, Case, Delivery, Timer
from rules.instant import SECOND, format_utc, parse, to_datetime
from rules.model import Order, Outcome

A = Action.__table__  # type: ignore[attr-defined]
C = Case.__table__  # type: ignore[attr-defined]
D = Delivery.__table__  # type: ignore[attr-defined]
T = Timer.__table__  # type: ignore[attr-defined]

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 6, 1)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EFFECTS = ("negotiate", "contact", "compensate", "delist", "relist")
NEXT_DUE = """
SELECT (SELECT min(max(due_at, coalesce(lease_until, due_at))) FROM timer),
       (SELECT min(due) FROM (
            SELECT max(due_at, coalesce(lease_until, due_at)) AS due FROM action
            WHERE outcome IN ('planned', 'ready', 'needs_human')
            UNION ALL SELECT lease_until FROM action WHERE outcome = 'calling'
            UNION ALL SELECT max(due_at, coalesce(lease_until, due_at)) FROM delivery
            WHERE outcome IN ('ready', 'calling')))
"""
"""When the next timer is due, and when the next thing leaves (SQLite)."""
MOST_ROUNDS = 20
"""Passes at one instant after which a world that is still not at rest counts as spinning."""


def at(text: str, zone: ZoneInfo = SHANGHAI) -> int:
    """The instant of a local time: "Mon 10:00" lies in the week of 1 June 2026, or "2026-06-10 18:00"."""
    day, _, time = text.partition(" ")
    if day in DAYS:
        day = (MONDAY + timedelta(days=DAYS.index(day))).isoformat()
    return parse(f"{day} {time}", zone)


def an_order(order_id: str, *lines: Mapping[str, Any], **facts: Any) -> Snapshot:
    """A paid order as its shop tells it; times may be written as text. `shop` and `observed_at` are not facts."""
    shop, observed_at = facts.pop("shop", "north"), facts.pop("observed_at", None)
    ordinary = {"status": "paid", "paid_at": at("Mon 07:00"), "paid_minor": 15000, "currency": "CNY"}
    return _snapshot(order_id, shop, observed_at, ordinary | facts, lines)


def now_says(order_id: str, *lines: Mapping[str, Any], **facts: Any) -> Snapshot:
    """What a shop says about an order it has spoken of before: only what is new."""
    shop, observed_at = facts.pop("shop", "north"), facts.pop("observed_at", None)
    return _snapshot(order_id, shop, observed_at, facts, lines)


def a_line(sku: str = "A-1", quantity: int = 1, **facts: Any) -> dict[str, Any]:
    """A line of an order; give `line_id` where an order has several."""
    return {"line_id": "1", "sku": sku, "quantity": quantity, "unit_minor": 5000, **facts}


HEAD = """
name = "mine"
version = 1
[alerts]
leads = ["24h"]
missed = false
"""


def alerts(leads: str = '"24h"', **settings: str) -> str:
    """A playbook that only tells the seller, with these [alerts] settings as TOML; of what was missed if asked to."""
    table = "".join(f"{name} = {value}\n" for name, value in ({"missed": "false"} | settings).items())
    return f'name = "telling"\nversion = 1\n[alerts]\nleads = [{leads}]\n{table}'


def ladder(*steps: str, violation: str = "late_shipment", head: str = HEAD, **settings: str) -> str:
    """A playbook whose ladder has these steps, each written like 'name = "a", action = "task", delay = "0m"'."""
    table = "".join(f'{name} = "{value}"\n' for name, value in settings.items())
    rungs = "".join(f"[[{violation}.steps]]\n{step.replace(', ', chr(10))}\n" for step in steps)
    return f"{head}[{violation}]\n{table}{rungs}"


def tell(name: str, delay: str) -> str:
    """A step that writes to the buyer."""
    words = 'channel = "platform_chat", intent = "delay_notice", template = "delay_notice"'
    return f'name = "{name}", action = "contact", delay = "{delay}", {words}'


def _snapshot(
    order_id: str, shop: str, observed_at: Any, facts: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]
) -> Snapshot:
    """`observed_at` None (here -1) means the moment it is placed."""
    said = {name: _plain(name, value) for name, value in facts.items()}
    told = {str(one["line_id"]): {k: v for k, v in one.items() if k != "line_id"} for one in lines}
    moment = -1 if observed_at is None else at(observed_at) if isinstance(observed_at, str) else observed_at
    return Snapshot(observed_at=moment, shop=shop, order_id=order_id, fields=said, lines=told)


def _plain(name: str, value: Any) -> Any:
    is_time = name.endswith(("_at", "_by")) and isinstance(value, str)
    return at(value) if is_time else sorted(value) if isinstance(value, set | tuple) else value


@dataclass(frozen=True, slots=True)
class Sent:
    """Something that left: a message in a sink, or a task put before a person (`sink` "tasks")."""

    sink: str
    shop: str
    kind: str
    key: str
    step: str
    reason: str
    order: str | None
    orders: tuple[str, ...]
    at: int
    title: str
    text: str

    def __str__(self) -> str:
        who = self.order or ", ".join(self.orders) or "-"
        return f"{format_utc(self.at)} {self.sink}: {self.kind} {self.step} {self.reason} [{who}] {self.title}"


@dataclass
class World:
    """One installation in one frozen story."""

    folder: Path
    freezer: FrozenDateTimeFactory
    settings: dict[str, Any]
    database: Database = field(default_factory=scratch)
    confirm: frozenset[str] = frozenset()
    parts: Parts = field(init=False)
    _expected: set[tuple[str, str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.start()

    # ---- the world turns -----------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The frozen moment."""
        return clock.now()

    def start(self) -> None:
        """Start the daemon as the service does: assemble, report the time away, wait for the first polls."""
        self._assemble()
        scheduler.begin(self.parts, self.now)

    def edit(self, playbook: str) -> None:
        """Somebody edits the playbook; nobody has told the daemon yet."""
        (self.folder / "playbook.toml").write_text(playbook, "utf-8")

    def reload(self, *, playbook: str | None = None, **sections: Any) -> None:
        """Change the configuration and let the running daemon take it anew."""
        if playbook is not None:
            self.edit(playbook)
        self.settings = _merged(self.settings, sections)
        quiet_until = self.parts.dispatcher.quiet_until
        self._assemble()
        self.parts.dispatcher.quiet_until = quiet_until
        self.tick()

    def _assemble(self) -> None:
        made = config.parse(self.settings, self.folder / "forestall.toml")
        with self.database.begin() as tx:
            key = meta.privacy_key(tx)
        installation = usable(build(made, privacy_key=key, confirmed=self.confirm))
        self.parts = scheduler.assemble(self.database, installation, self.now)

    def tick(self) -> None:
        """Pass after pass at this moment until nothing is due at it any more."""
        for _ in range(MOST_ROUNDS):
            scheduler.tick(self.parts, self.now)
            due = self.next_due()
            if due is None or due > self.now:
                return
        raise AssertionError(f"the world spins at {format_utc(self.now)}: something stays due")

    def advance(self, **span: float) -> None:
        """Let time pass, stopping at every due instant on the way."""
        self.until(self.now + round(timedelta(**span).total_seconds() * SECOND))

    def until(self, end: int | str) -> None:
        """Let time pass until then ("Tue 10:00"), stopping at every due instant on the way."""
        end = at(end) if isinstance(end, str) else end
        while (due := self.next_due()) is not None and due <= end:
            self._move(max(due, self.now))
            self.tick()
        if self.now < end:
            self._move(end)
            self.tick()

    def down(self, **span: float) -> None:
        """The machine is off for a while; then the daemon starts again on what it left."""
        self._move(self.now + round(timedelta(**span).total_seconds() * SECOND))
        self.start()
        self.tick()

    def housekeeping(self) -> None:
        """The hourly clean-up."""
        housekeeping.prune(self.database, self.now - self.parts.installation.config.daemon.keep_closed)

    def next_due(self) -> int | None:
        """The next stored instant at which anything is due (a leased row: when its lease is over)."""
        with self.database.begin() as tx:
            timer, leaving = tx.exec_driver_sql(NEXT_DUE).one()
        dues = (timer, None if leaving is None else max(leaving, self.parts.dispatcher.quiet_until))
        return min((due for due in dues if due is not None), default=None)

    def _move(self, moment: int) -> None:
        assert moment >= self.now, "the world does not turn back"
        self.freezer.move_to(to_datetime(moment))

    # ---- shops speak ---------------------------------------------------------------------------------

    def place(self, *records: Snapshot | StockReport | OrderEvent) -> None:
        """Something arrives in the shops' feeds, and the daemon looks at once."""
        pages: dict[str, list[Record]] = {}
        for record in records:
            told = replace(record, observed_at=self.now) if record.observed_at == -1 else record
            pages.setdefault(told.shop, []).append(told)
            if isinstance(told, Snapshot):
                self._stands(told)
        for shop, page in pages.items():
            memory.feed_box(shop).push(Page(records=page, watermark=self.now))
            self.poll(shop)
        self.tick()

    def _stands(self, told: Snapshot) -> None:
        """How the order stands on the platform, for a fresh read."""
        orders = memory.feed_box(told.shop).orders
        before = orders.get(told.order_id)
        if before is not None and before.observed_at <= told.observed_at:
            lines = {name: {**before.lines.get(name, {}), **line} for name, line in told.lines.items()}
            told = replace(told, fields={**before.fields, **told.fields}, lines={**before.lines, **lines})
        orders[told.order_id] = told if before is None or before.observed_at <= told.observed_at else before

    def meanwhile(self, *records: Snapshot | StockReport | OrderEvent) -> None:
        """A shop has said something that the daemon has not heard yet."""
        memory.feed_box(records[0].shop).push(Page(records=records))

    def silently(self, told: Snapshot) -> None:
        """The platform knows it, but the feed has not said so yet: only a fresh read shows it."""
        self._stands(replace(told, observed_at=self.now))

    def poll(self, *shops: str) -> None:
        """Make feeds due at this moment."""
        with self.database.begin() as tx:
            seller = {name: self.parts.installation.shops.get(name).seller for name in shops}
            timers.wake(tx, timers.FEED, [(name, "feed", seller[name], self.now) for name in shops])

    def stock(self, sku: str, units: int | None, shop: str = "north", listing: str | None = None) -> None:
        """The shop reports what is on hand."""
        self.place(StockReport(observed_at=-1, shop=shop, sku=sku, listing_id=listing, stock=units))

    def event(self, name: str, order_id: str, shop: str = "north", points: int = 0) -> None:
        """Something happens about an order: buyer_reply, date_agreed, ack, …"""
        told = OrderEvent(observed_at=self.now, shop=shop, order_id=order_id, event=name, at=self.now, points=points)
        self.place(told)

    def drop_file(self, name: str, text: str, shop: str = "north", age_s: float = 60) -> Path:
        """Put a file into a shop's drop folder, last written `age_s` ago by the disk's clock."""
        path = self.folder / "inbox" / shop / name
        path.write_text(text, "utf-8")
        self.rest(path, age_s)
        self.poll(shop)
        return path

    def rest(self, path: Path, age_s: float = 60) -> None:
        """Nobody has written to the file for a while."""
        written = _disk_time() - age_s
        os.utime(path, (written, written))

    def feed(self, shop: str = "north") -> Faults:
        """What a shop's feed does wrong next."""
        return memory.feed_box(shop).faults

    def sink(self, name: str = "ops") -> Faults:
        """What a sink does wrong next."""
        return memory.sink_box(name).faults

    def box(self, name: str = "ops") -> SinkBox:
        """What a sink received."""
        return memory.sink_box(name)

    # ---- people act ----------------------------------------------------------------------------------

    def snooze(self, order_id: str, until: str | int) -> None:
        """A person silences an order until then."""
        moment = at(until) if isinstance(until, str) else until
        self._hand(order_id, lambda tx, log, case: hands.snooze(tx, log, case, moment, self.now))

    def wake(self, order_id: str) -> None:
        """A person takes the silence back."""
        self._hand(order_id, lambda tx, log, case: hands.snooze(tx, log, case, self.now, self.now))

    def ack(self, order_id: str) -> None:
        """A person says "I have it"."""
        self._hand(order_id, lambda tx, log, case: hands.acknowledge(tx, log, case, self.now))

    def take_over(self, order_id: str) -> None:
        """A person says "leave it to me"."""
        self._hand(order_id, lambda tx, log, case: hands.take_over(tx, log, case, self.now))

    def task_done(self, step: str, order_id: str) -> None:
        """A person has done a work item."""
        task = self.action(step, order_id)["key"]
        with self.database.begin() as tx:
            log = Journal()
            hands.finish_task(tx, log, task, Outcome.SETTLED, "", self.now)
            log.write(tx, self.now)
        self.tick()

    def _hand(self, order_id: str, act: Callable[[Any, Journal, RowMapping], None]) -> None:
        with self.database.begin() as tx:
            log = Journal()
            for case in tx.execute(select(C).where(C.c.order_id == order_id, C.c.closed_at.is_(None))).mappings():
                act(tx, log, case)
            log.write(tx, self.now)
        self.tick()

    # ---- what became of it ---------------------------------------------------------------------------

    def expect(
        self,
        kind: str,
        *,
        step: str | None = None,
        reason: str | None = None,
        orders: Iterable[str] | None = None,
        order: str | None = None,
        when: str | int | None = None,
        sink: str | None = None,
        shop: str | None = None,
        says: str | None = None,
    ) -> Sent:
        """The first thing sent that nobody expected yet and that looks like this; fails when there is none."""
        wanted = {"kind": kind, "step": step, "reason": reason, "order": order, "sink": sink, "shop": shop}
        if orders is not None:
            wanted["orders"] = tuple(sorted(orders))  # type: ignore[assignment]
        if when is not None:
            wanted["at"] = at(when) if isinstance(when, str) else when  # type: ignore[assignment]
        wanted = {name: value for name, value in wanted.items() if value is not None}
        left = self.unexpected()
        for sent in left:
            if all(getattr(sent, name) == value for name, value in wanted.items()) and (says or "") in (
                sent.title + "\n" + sent.text
            ):
                self._expected.add((sent.sink, sent.key, sent.at))
                return sent
        listed = "\n  ".join(map(str, left)) or "nothing"
        shown = wanted | ({"at": format_utc(wanted["at"])} if "at" in wanted else {})  # type: ignore[arg-type]
        raise AssertionError(
            f"expected {shown}{f' saying {says!r}' if says else ''}; sent and not expected:\n  {listed}"
        )

    def expect_alert(self, **what: Any) -> Sent:
        """The seller is told."""
        return self.expect("alert", **what)

    def expect_task(self, step: str, order: str, **what: Any) -> Sent:
        """A work item stands before a person."""
        return self.expect("task", step=step, order=order, sink="tasks", **what)

    def expect_contact(self, step: str, order: str, **what: Any) -> Sent:
        """The buyer is told."""
        return self.expect("contact", step=step, order=order, **what)

    def expect_nothing(self) -> None:
        """Nothing has been sent but what was expected."""
        left = self.unexpected()
        assert not left, "sent and not expected:\n  " + "\n  ".join(map(str, left))

    def unexpected(self) -> list[Sent]:
        """What was sent and nobody has expected yet, in order."""
        return [sent for sent in self.sent() if (sent.sink, sent.key, sent.at) not in self._expected]

    def sent(self) -> list[Sent]:
        """All that was sent: messages in the sinks, tasks before people."""
        with self.database.begin() as tx:
            rows = {row["key"]: row for row in tx.execute(select(A)).mappings()}
            found = [self._as_task(row) for row in rows.values() if (row["request"] or "").startswith("{")]
        for name in self.parts.installation.config.alerts:
            box = memory.sink_box(name)
            found += [self._as_message(name, message, box.at[message.key], rows) for message in box.messages]
        return sorted(found, key=lambda sent: (sent.at, sent.sink, sent.key))

    def _as_message(self, sink: str, message: Message, moment: int, rows: Mapping[str, RowMapping]) -> Sent:
        row = rows.get(message.key)
        return Sent(
            sink=sink,
            shop=message.shop,
            kind=message.kind.value,
            key=message.key,
            step=row["step"] if row else "digest",
            reason=str(message.data.get("reason", "")),
            order=message.data.get("order_id"),  # type: ignore[arg-type]
            orders=_named(message.data),
            at=moment,
            title=message.title,
            text=message.text,
        )

    def _as_task(self, row: RowMapping) -> Sent:
        request = msgspec.json.decode(row["request"])
        return Sent(
            sink="tasks",
            shop=row["shop"],
            kind="task",
            key=row["key"],
            step=row["step"],
            reason=row["reason"],
            order=row["order_id"],
            orders=(),
            at=parse(request["made_at"]),
            title=request["title"],
            text=request["text"],
        )

    def action(self, step: str, order_id: str | None = None) -> RowMapping:
        """The newest row of a step in the outbox."""
        with self.database.begin() as tx:
            query = select(A).where(A.c.step == step).order_by(A.c.at.desc(), A.c.key.desc())
            if order_id is not None:
                query = query.where(A.c.order_id == order_id)
            row = tx.execute(query).mappings().first()
        assert row is not None, f"no action {step!r} of {order_id!r}"
        return row

    def outcome(self, step: str, order_id: str | None = None) -> str:
        """What became of a step: its outcome, or for one that was dropped or voided the reason."""
        row = self.action(step, order_id)
        if row["dropped"]:
            return str(row["reason"])
        return str(row["note"]) if row["outcome"] == Outcome.VOID else str(row["outcome"])

    def deliveries(self) -> dict[str, tuple[str, str]]:
        """Outcome and note of every delivery by "sink step"."""
        with self.database.begin() as tx:
            rows = tx.execute(select(D, A.c.step).join(A, A.c.key == D.c.action_key).order_by(D.c.created_at))
            return {f"{row.sink} {row.step}": (row.outcome, row.note) for row in rows}

    def cases(self, order_id: str | None = None) -> list[str]:
        """Cases in short: "A late_shipment 1 open", "A stock_out 1 IN_STOCK" (why it closed)."""
        with self.database.begin() as tx:
            rows = tx.execute(select(C).order_by(C.c.order_id, C.c.opened_at, C.c.key)).mappings().all()
        return [
            " ".join(
                (
                    row["order_id"],
                    row["violation"],
                    str(row["episode"]),
                    "open" if row["closed_at"] is None else row["reason"],
                )
            )
            for row in rows
            if order_id in (None, row["order_id"])
        ]

    def voided(self) -> list[str]:
        """Why actions were voided, in order."""
        with self.database.begin() as tx:
            return list(tx.execute(select(A.c.note).where(A.c.outcome == Outcome.VOID).order_by(A.c.at)).scalars())

    def order(self, order_id: str, shop: str = "north") -> Order:
        """What is known about an order."""
        with self.database.begin() as tx:
            return orders.load(tx, {(shop, order_id)})[(shop, order_id)].order

    def opened_at(self, order_id: str) -> int:
        """When the order's first case was opened."""
        with self.database.begin() as tx:
            return int(tx.execute(select(func.min(C.c.opened_at)).where(C.c.order_id == order_id)).scalar_one())

    def lines(self, event: str | None = None) -> list[Mapping[str, Any]]:
        """The decision lines so far, as the contract orders them."""
        with self.database.begin() as tx:
            found = sorted(journal.lines(tx), key=sort_key)
        return [line for line in found if event in (None, line["event"])]


def _named(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The orders an alert names, or all those of a digest."""
    parts = data.get("alerts", (data,))
    return tuple(sorted({order for part in parts for order in part.get("orders", ())}))


def _disk_time() -> float:
    """The disk's clock, which no test freezes."""
    return time.clock_gettime(time.CLOCK_REALTIME)


def _merged(settings: Mapping[str, Any], sections: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with some tables changed; a table that is None goes away."""
    made = dict(settings)
    for name, value in sections.items():
        before = made.get(name)
        made[name] = _merged(before, value) if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    return {name: value for name, value in made.items() if value is not None}
