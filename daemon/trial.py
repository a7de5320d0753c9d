"""A test message: sent to a receiver now, whatever mode alerts are in, and what it answered."""

import asyncio

from adapters.base import Message, Receipt, Uncertain
from daemon import verdict
from daemon.adapter import Outlet
from daemon.i18n import gettext
from daemon.store import deliveries, receivers
from daemon.store.database import Database
from daemon.verdict import Answer
from rules.instant import format_utc
from rules.model import Kind

CARRIED = frozenset({Kind.ALERT, Kind.TASK})
"""What a person reads; whatever else a sink does is done to buyers, money or listings, and never for a test."""


def can_be_tried(outlet: Outlet) -> bool:
    """Whether a test message may go there."""
    return outlet.kinds <= CARRIED


def message(outlet: Outlet, shop: str, now: int, lang: str | None) -> Message:
    """A message that says that it is a test, in the seller's language."""
    return Message(
        key=f"test/{outlet.name}/{format_utc(now)}",
        kind=Kind.ALERT if Kind.ALERT in outlet.kinds else Kind.TASK,
        shop=shop,
        title=gettext("Test message from Forestall", lang),
        text=gettext("Nothing is to be done: this only shows that alerts reach you here ({name}).", lang).format(
            name=outlet.name
        ),
        data={"key": f"test/{outlet.name}/{format_utc(now)}", "test": True},
    )


def send(outlet: Outlet, what: Message, now: int, limit_s: float) -> Answer:
    """One call with a hard end; whatever goes wrong comes back as a value."""
    return asyncio.run(call(outlet, what, now, limit_s))


async def call(outlet: Outlet, what: Message, now: int, limit_s: float) -> Answer:
    """The same inside a loop."""
    try:
        async with asyncio.timeout(limit_s):
            return await outlet.sink.deliver(what, now)
    except TimeoutError:
        text = f"sink {outlet.name!r}: no answer in {limit_s:g} s; the message may have arrived"
        return Uncertain(text, arrived=True)
    except Exception as error:
        return error


def remember(database: Database, outlet: Outlet, answer: Answer, now: int) -> None:
    """Let what waits for a receiver go at once if it is well, or say that it is not. A test puts no probe off."""
    with database.begin() as tx:
        before = receivers.get(tx, outlet.name)
        if isinstance(answer, Receipt):
            receivers.put(tx, before.took(now))
            deliveries.hasten(tx, outlet.name, now)
        elif before.since is None:
            receivers.put(tx, before.failed(verdict.words(answer), now))
