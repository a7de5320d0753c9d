"""A whole installation for the tests of the process: feeds and sinks in memory, hops by hand, waiting with an end."""

import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from adapters import memory
from adapters.base import Message, Page, Snapshot
from adapters.memory import FeedBox, SinkBox
from daemon import clock, config
from daemon.installation import build, usable
from daemon.scheduler import Parts, assemble
from daemon.store import decisions
from rules.decide import Act
from rules.instant import HOUR
from rules.model import Kind, Violation
from tests import databases
from tests.daemon.builders import MORNING, a_snapshot, rows
from tests.daemon.sinks import Watched

LIVE = """
[mode]
default = "live"
[shops.north]
platform = "taobao"
feed = "memory"
[alerts.ops]
sink = "memory"
"""
"""One shop with a feed in memory, everything live, alerts to a sink in memory."""
EVERY_EFFECT = 'kinds = ["negotiate", "contact", "compensate", "delist", "relist"]'
PATIENCE_S = 20.0


def install(folder: Path, text: str = LIVE, now: int = MORNING) -> Parts:
    """The parts of an installation in `folder`, on a real SQLite file with the current schema."""
    settings = config.parse(tomllib.loads(text), folder / "forestall.toml")
    database = databases.opened(folder / "forestall.db")
    return assemble(database, usable(build(settings, privacy_key=b"k")), now)


def again(parts: Parts, text: str, now: int) -> Parts:
    """The same database under another configuration, as after a reload."""
    settings = config.parse(tomllib.loads(text), parts.installation.config.base / "forestall.toml")
    return assemble(parts.database, usable(build(settings, privacy_key=b"k")), now)


def a_late_order(order_id: str = "1", shop: str = "north", at: int = MORNING, **facts: Any) -> Snapshot:
    """A paid order that must be shipped within three hours: a case and an alert at once."""
    return a_snapshot(order_id, at=at, shop=shop, **{"ship_by": MORNING + 3 * HOUR, **facts})


def say(*records: Snapshot, shop: str = "north", **more: Any) -> None:
    """Let a shop's feed in memory say these records in one page."""
    feed(shop).push(Page(records=records, **more))


def feed(shop: str = "north") -> FeedBox:
    return memory.feed_box(shop)


def sink(name: str = "ops") -> SinkBox:
    return memory.sink_box(name)


def plan(parts: Parts, kind: Kind, step: str = "make_good", now: int = MORNING, **facts: Any) -> str:
    """Put an action for order 1 of shop north into the outbox, planned for `now`; returns its key."""
    if kind is Kind.CONTACT:
        facts = {"template": "delay_notice", "channel": "platform_chat", **facts}
    act = Act(
        key=facts.pop("key", f"north/1/late_shipment/1/{step}"),
        kind=kind,
        step=step,
        violation=Violation.LATE_SHIPMENT,
        episode=1,
        reason="TEST",
        **facts,
    )
    shops = parts.installation.shops
    with parts.database.begin() as tx:
        row = decisions.action_row(shops, shops.get("north"), act, now, "pack@1", order_id="1")
        decisions.add_actions(tx, [row])
    return act.key


def action(parts: Parts, key: str) -> Any:
    """The outbox row of an action."""
    (only,) = rows(parts.database, "action", key=key)
    return only


def keys(box: SinkBox) -> list[str]:
    return [message.key for message in box.messages]


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE_S) -> Any:
    """Ask again and again until the condition holds; what it returned. Fails after `seconds`."""
    end, pause = clock.monotonic() + seconds, Event()
    while not (found := condition()):
        assert clock.monotonic() < end, f"waited {seconds} s in vain: {what}"
        pause.wait(0.02)
    return found


def plan_alerts(parts: Parts, count: int, now: int = MORNING) -> list[str]:
    """Plan alerts about causes that have nothing to do with one another; their keys."""
    shops = parts.installation.shops
    acts = [
        Act(
            key=f"north/pool:S-{number:03}/stock_out/resolved/1",
            kind=Kind.ALERT,
            step="resolved",
            violation=Violation.STOCK_OUT,
            episode=1,
            reason="ALL_RESOLVED",
        )
        for number in range(count)
    ]
    with parts.database.begin() as tx:
        made = [
            decisions.action_row(shops, shops.get("north"), act, now, "pack@1", cause=act.key.partition("/stock")[0])
            for act in acts
        ]
        decisions.add_actions(tx, made)
    return [act.key for act in acts]


def told(box: SinkBox) -> list[str]:
    """The keys of all alerts a sink was told, one by one or in digests."""
    found: list[str] = []
    for message in box.messages:
        alerts: Any = message.data.get("alerts", [message.data])
        found += [alert["key"] for alert in alerts]
    return sorted(found)


@contextmanager
def looking(look: Callable[[Message], object]) -> Iterator[None]:
    """Let the sinks of kind Watched look around from inside their calls."""
    before = Watched.look
    Watched.look = staticmethod(look)
    try:
        yield
    finally:
        Watched.look = before
