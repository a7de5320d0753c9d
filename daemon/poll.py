"""Hop 1: ask due feeds what changed; commit each page with its cursor, wake what it touches.

Feeds run side by side: a slow or failing one never delays another shop.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from adapters.base import AdapterError, AuthFailed, Feed, Page, Permanent, Record, Rejected, Transient
from daemon import clock, gaps
from daemon.engine import Engine
from daemon.errors import LeaseLost
from daemon.shops import Shop, Shops
from daemon.store import backlog, feeds, refusals, timers
from daemon.store.database import retrying
from daemon.store.ingest import Ingested, ingest
from daemon.store.journal import Journal
from rules.instant import SECOND, format_utc

log = structlog.get_logger()
PAGE_TIMEOUT_S = 60.0
LEASE = 3 * 60 * SECOND
AT_ONCE = 64


@dataclass(slots=True)
class Polled:
    """What the last poll of a shop brought: records, orders that changed, what was put aside, files read to their end.

    `settling`: files still being written, to be read in `settled_in_s` seconds. `error`: why it failed.
    """

    records: int = 0
    changed: int = 0
    refused: int = 0
    sources: list[str] = field(default_factory=list)
    settling: tuple[str, ...] = ()
    settled_in_s: float = 0.0
    error: str | None = None


@dataclass(slots=True)
class Poller:
    """Polls the feeds of an engine's shops. `in_flight`: shops being polled at this moment. `brought`: by shop.

    `pretend`: `now` is not this moment. Records later than it wait: they are not taken in, and the stored cursor
    stays before the first page that has one, so that a later poll reads that page again.
    """

    engine: Engine
    feeds: dict[str, Feed]
    pretend: bool = False
    in_flight: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    brought: dict[str, Polled] = field(default_factory=dict)

    def poll(self, now: int) -> int:
        """One pass: poll every due feed to its end, so many at once; returns how many were due."""
        done = 0
        while claims := self._claim(now):
            asyncio.run(self._all(claims, now))
            done += len(claims)
        return done

    def is_due(self, now: int) -> bool:
        """Whether a feed is to be polled."""
        with self.engine.database.begin() as tx:
            return bool(backlog.due_kinds(tx, now, timers.FEED))

    async def start_due(self, now: int) -> list["asyncio.Task[None]"]:
        """Claim due feeds and start polling each; returns the tasks without waiting for them."""
        return self._start(await asyncio.to_thread(self._claim, now), now)

    async def _all(self, claims: list[timers.Claimed], now: int) -> None:
        await asyncio.gather(*self._start(claims, now))

    def _start(self, claims: list[timers.Claimed], now: int) -> list["asyncio.Task[None]"]:
        started = []
        for claim in claims:
            task = asyncio.create_task(self._feed(claim, now))
            self.in_flight[claim.shop] = task
            task.add_done_callback(lambda _, shop=claim.shop: self.in_flight.pop(shop, None))  # type: ignore[misc]
            started.append(task)
        return started

    def _claim(self, now: int) -> list[timers.Claimed]:
        """Due feeds that this configuration knows; empty only when none is left."""
        while True:
            known, strange = self._claim_some(now)
            if known or not strange:
                return known

    def _claim_some(self, now: int) -> tuple[list[timers.Claimed], int]:
        """Some due feeds, and how many others nobody here knows: they are put off."""
        busy = sorted(self.in_flight)
        with self.engine.database.begin() as tx:
            claims = timers.claim(tx, timers.FEED, now, AT_ONCE, lease=LEASE, shards=self.engine.shards, not_shops=busy)
            strange = [claim for claim in claims if claim.shop not in self.feeds]
            timers.settle(tx, [timers.Result(claim, now + timers.STRANGE, now) for claim in strange])
        return [claim for claim in claims if claim.shop in self.feeds], len(strange)

    async def _feed(self, claim: timers.Claimed, now: int) -> None:
        """1. Ask page by page. 2. Commit each. 3. Settle: next poll, or backoff with the error shown."""
        shop = self.engine.shops.get(claim.shop)
        brought = self.brought[claim.shop] = Polled()
        error: Exception | None = None
        try:
            await self._pages(claim, shop, now)
        except LeaseLost:
            return
        except Exception as problem:
            error = problem
            brought.error = _note(problem)
        await asyncio.to_thread(self._settle, claim, shop, error, now)
        self.engine.waiting_for_poll.discard(shop.name)

    async def _pages(self, claim: timers.Claimed, shop: Shop, now: int) -> None:
        feed = self.feeds[shop.name]
        cursor = stored = await asyncio.to_thread(self._cursor, shop)
        waits = False
        while True:
            async with asyncio.timeout(PAGE_TIMEOUT_S):
                page = await feed.poll(cursor, now)
            if page.more and page.cursor == cursor:
                raise Permanent("the feed says there is more, but its cursor does not move on")
            cursor = page.cursor
            waits = waits or (self.pretend and any(record.observed_at > now for record in page.records))
            page = _so_far(page, now, stored if waits else cursor, waits) if self.pretend else page
            stored = page.cursor
            taken, aside = await asyncio.to_thread(self._commit, claim, shop, page, now)
            _add(self.brought[shop.name], page, taken, aside)
            if taken.records or aside:
                did = {"records": taken.records, "changed": taken.changed, "rejected": aside}
                log.info("feed.polled", shop=shop.name, **did)
            if not page.more:
                return

    def _cursor(self, shop: Shop) -> str | None:
        with self.engine.database.begin() as tx:
            row = feeds.get(tx, shop.name)
        return row["cursor"] if row else None

    def _commit(self, claim: timers.Claimed, shop: Shop, page: Page, now: int) -> tuple[Ingested, int]:
        """One page, one transaction; a record that cannot be taken in is put into quarantine, the others are kept.

        Returns also how much was put aside.
        """
        try:
            return retrying(partial(self._take, claim, shop, page, now, ingest))
        except (LeaseLost, OperationalError):
            raise
        except Exception:
            log.exception("page.failed", shop=shop.name)
            refused: list[Rejected] = []
            return retrying(partial(self._take, claim, shop, page, now, partial(_each, refused), refused))

    def _take(
        self,
        claim: timers.Claimed,
        shop: Shop,
        page: Page,
        now: int,
        take_in: Callable[..., Ingested],
        refused: Sequence[Rejected] = (),
    ) -> tuple[Ingested, int]:
        """Changed orders and stock, wake-ups, cursor, what could not be used."""
        with self.engine.database.begin() as tx:
            if not timers.hold(tx, claim, clock.now() + LEASE):
                raise LeaseLost(f"{shop.name} is being polled by another worker")
            journal = Journal()
            records, foreign = _own(self.engine.shops, page.records)
            taken = take_in(tx, journal, self.engine.shops, records, now, final=not page.more)
            told = [*page.rejected, *foreign, *refused, *_ahead(shop, taken)]
            recovered = feeds.save_page(tx, shop, replace(page, rejected=told), now)
            if not page.more:
                timers.publish(tx, shop.name, now)
            if page.records or told:
                gaps.wake(tx, shop, now)
            journal.write(tx, now)
        if recovered:
            log.info("feed.recovered", shop=shop.name)
        return taken, len(told)

    def _settle(self, claim: timers.Claimed, shop: Shop, error: Exception | None, now: int) -> None:
        with self.engine.database.begin() as tx:
            if error is None:
                timers.settle(tx, [timers.Result(claim, now + shop.poll_every, now)])
                return
            wait = timers.backoff(claim.attempts, shop.name, first_s=30, most_s=900)
            if isinstance(error, Transient) and error.retry_after_s is not None:
                wait = min(int(error.retry_after_s * SECOND), feeds.LONGEST_WAIT)
            note = _note(error)
            timers.fail(tx, claim, now + wait, note)
            if feeds.save_error(tx, shop.name, note, now):
                bug = None if isinstance(error, AdapterError | TimeoutError) else error
                renew = isinstance(error, AuthFailed)
                log.warning("feed.broke", shop=shop.name, error=note, renew_credentials=renew, exc_info=bug)


def _own(shops: Shops, records: Sequence[Record]) -> tuple[Sequence[Record], list[Rejected]]:
    """The records of configured shops, and what is said about all others."""
    foreign = Counter(record.shop for record in records if not shops.knows(record.shop))
    if not foreign:
        return records, []
    told = [
        Rejected(
            source=name,
            line=None,
            reason=f"{count} records name shop {name}, which is not configured",
            mend="enter the shop under [shops], or correct its name in the data",
        )
        for name, count in sorted(foreign.items())
    ]
    return [record for record in records if record.shop not in foreign], told


def _ahead(shop: Shop, taken: Ingested) -> list[Rejected]:
    """What is said about records that were dated in the future."""
    if taken.latest is None:
        return []
    reason = f"{taken.ahead} records are dated later than now, up to {format_utc(taken.latest)}; now was taken instead"
    mend = "set the clock of the computer that exports, or correct the column or file name that says when it was"
    log.warning("feed.ahead", shop=shop.name, records=taken.ahead, latest=format_utc(taken.latest))
    return [Rejected(source=refusals.DATES, line=None, reason=reason, mend=mend)]


def _add(brought: Polled, page: Page, taken: Ingested, aside: int) -> None:
    brought.records += taken.records
    brought.changed += taken.changed
    brought.refused += aside
    brought.sources += page.sources
    brought.settling, brought.settled_in_s = page.settling, page.settled_in_s


def _so_far(page: Page, now: int, cursor: str | None, waits: bool) -> Page:
    """What of a page is known at `now`. Of one that waits, refused rows are told when it is read to its end."""
    records = [record for record in page.records if record.observed_at <= now]
    watermark = min(page.watermark, now) if page.watermark is not None else None
    made = replace(page, records=records, watermark=watermark, cursor=cursor)
    return replace(made, rejected=(), unknown_keys={}) if waits else made


def _each(
    refused: list[Rejected],
    tx: Connection,
    journal: Journal,
    shops: Shops,
    records: Sequence[Record],
    now: int,
    *,
    final: bool,
) -> Ingested:
    """Take in record by record; those that cannot be are `refused`."""
    refused.clear()
    taken = Ingested(records=0, changed=0)
    for record in records:
        try:
            with tx.begin_nested():
                own = Journal()
                one = ingest(tx, own, shops, [record], now, final=final)
                own.write(tx, now)
        except OperationalError:
            raise
        except Exception as error:
            what = getattr(record, "order_id", None) or getattr(record, "sku", "")
            reason = f"{type(record).__name__} {what} could not be taken in: {type(error).__name__}"
            mend = "look for page.failed in the log; correct the record or its adapter"
            refused.append(Rejected(source=record.shop, line=None, reason=reason, mend=mend))
        else:
            taken += one
    return taken


def _note(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else _plain(error)


def _plain(error: Exception) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
