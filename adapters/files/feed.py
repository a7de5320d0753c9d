"""The drop folder as a feed: put any export there, it is read once, a page at a time."""

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from adapters.base import FeedCapabilities, Page, Permanent, Record, Rejected, ShopSettings, Snapshot, Transient
from adapters.files import cursor as cursors
from adapters.files import folder, layout, naming, notation, opening, read, slips
from adapters.files.cursor import Cursor, Place
from adapters.files.folder import Folder, Found, Look
from adapters.files.refusal import Refusal

PAGE = 5_000
"""Most records and refusals in one page."""

_INTERRUPTED = Rejected(
    source="drop folder",
    line=None,
    reason="a file was changed or removed before its last row was read",
    mend="put the whole file back; it is read again from its first row",
)


class FilesFeed:
    """Watches `settings.path` (contract §3, Drop folder). Cannot read an order afresh: effects become tasks.

    A file is read to its end before the next begins; between polls it stays open, so that a page never
    starts over, and its content stays the one that was hashed. A fresh process resumes by skipping what
    the cursor says is behind it.
    """

    capabilities = FeedCapabilities(
        fresh_read="none", options=frozenset({"currency"}) | layout.OPTIONS | notation.OPTIONS
    )

    def __init__(self, settings: ShopSettings) -> None:
        if settings.path is None:
            raise Permanent(f"shop {settings.name}: a files feed needs path, the folder to watch")
        try:
            layout.of(settings, None)
            notation.stated(settings)
            slips.check(settings)
        except ValueError as error:
            raise Permanent(str(error)) from error
        self._settings = settings
        self._folder = Folder(settings.path)
        self._reading: _Reading | None = None
        self._made: tuple[str | None, Page] | None = None
        self._lock = threading.Lock()

    async def poll(self, cursor: str | None, now: int) -> Page:
        """The next page: up to `PAGE` records of the ready files, in name order; `more` while there is more.

        Whether a file is ready is a matter of the disk's clock; `now` only tells which times in names lie ahead.
        Raises Transient when the folder cannot be looked into, Permanent for a cursor that is not this feed's.
        """
        return await asyncio.to_thread(self._poll, cursor, now)

    async def fresh(self, order_id: str, now: int) -> Snapshot | None:
        """Never: a folder cannot be asked about one order."""
        raise Permanent("a files feed cannot read an order afresh")

    async def close(self) -> None:
        """Let go of a file in hand."""
        with self._lock:
            self._drop()
            self._made = None

    def _poll(self, text: str | None, now: int) -> Page:
        """The page after a cursor. One that was made and never stored (the caller's patience ended) is kept."""
        with self._lock:
            if self._made and self._made[0] == text:
                return self._made[1]
            page = self._next(text, now)
            self._made = (text, page) if page.cursor != text and (page.records or page.rejected) else None
            return page

    def _next(self, text: str | None, now: int) -> Page:
        try:
            cursor = cursors.decode(text)
            look = self._folder.look()
        except (FileNotFoundError, NotADirectoryError) as error:
            name, root = self._settings.name, self._folder.root
            reason = f"shop {name}: there is no folder {root}; create it, or correct path"
            raise Transient(reason) from error
        except OSError as error:
            reason = f"shop {self._settings.name}: cannot look into the drop folder: {error}"
            raise Transient(f"{reason}; create it, or correct path") from error
        except ValueError as error:
            raise Permanent(f"shop {self._settings.name}: the stored cursor is not a files cursor") from error
        present = frozenset(one.hash for one in look.files)
        return self._page(look, cursor.pruned(present, frozenset(look.odd)), now)

    def _page(self, look: Look, cursor: Cursor, now: int) -> Page:
        """Fill one page: oddities first, then file after file until it is full or nothing is left."""
        page = _Filling(now=now, rejected=[said for mark, said in look.odd.items() if mark not in cursor.told])
        for mark in look.odd:
            cursor = cursor if mark in cursor.told else cursor.told_of(mark)
        if cursor.place and not any(one.hash == cursor.place.hash for one in look.files):
            page.rejected.append(_INTERRUPTED)
            cursor = replace(cursor, place=None)
        waiting = self._waiting(look, cursor)
        while waiting and page.room > 0:
            cursor = self._read(waiting[0], cursor, page)
            if cursor.place is None:
                waiting.pop(0)
        return Page(
            records=page.records,
            rejected=page.rejected,
            cursor=cursor.encode(),
            watermark=cursor.watermark,
            more=bool(waiting),
            unknown_keys=dict(page.unknown),
            sources=tuple(page.sources),
            settling=tuple(look.settling),
            settled_in_s=max(look.settling.values(), default=0.0),
        )

    def _waiting(self, look: Look, cursor: Cursor) -> list[Found]:
        """The unread files in name order, each content once; the one being read first."""
        finished = set(cursor.finished)
        unread: dict[str, Found] = {}
        for one in look.files:
            if one.hash not in finished:
                unread.setdefault(one.hash, one)
        if cursor.place and (open_one := unread.pop(cursor.place.hash, None)):
            return [open_one, *unread.values()]
        return list(unread.values())

    def _read(self, found: Found, cursor: Cursor, page: "_Filling") -> Cursor:
        """Take what fits of one file into the page. The place in the cursor is None once nothing is left of it."""
        done = cursor.place.done if cursor.place and cursor.place.hash == found.hash else 0
        reading = self._resume(found, done, page)
        if reading is None:
            return replace(cursor, place=None)
        taken = page.take(reading.items)
        page.unknown.update(reading.unknown)
        reading.unknown.clear()
        reading.done += taken
        if folder.identity(os.fstat(reading.fd)) != found.identity:
            self._drop()  # written to meanwhile: it is another file now, read again once it rests
            return replace(cursor, place=None)
        if page.room <= 0:
            return replace(cursor, place=Place(hash=found.hash, done=reading.done))
        newest = reading.newest
        page.sources.append(self._folder.name(found.path))
        self._drop()
        known = [at for at in (cursor.watermark, newest) if at is not None]
        return replace(cursor.finish(found.hash), watermark=max(known, default=None))

    def _resume(self, found: Found, done: int, page: "_Filling") -> "_Reading | None":
        """The open file at item `done`; None when it has changed since it was hashed."""
        if self._reading and (self._reading.hash, self._reading.done) == (found.hash, done):
            return self._reading
        self._drop()
        try:
            fd = opening.open_regular(found.path, self._folder.root)
        except Refusal:
            return None
        if folder.identity(os.fstat(fd)) != found.identity:
            os.close(fd)
            return None
        self._reading = reading = _Reading(fd=fd, hash=found.hash, done=done)
        reading.items = reading.watched(self._items(found, reading, page, told=done > 0))
        for _ in islice(reading.items, done):
            pass
        reading.unknown.clear()
        return reading

    def _items(self, found: Found, reading: "_Reading", page: "_Filling", told: bool) -> Iterator[Record | Rejected]:
        source = opening.source(reading.fd, self._folder.name(found.path))
        written = source.stat.st_mtime_ns // 1_000
        named = naming.export_instant(found.path.name, self._settings)
        if named is not None and named > max(page.now, written) + naming.SLACK:
            page.rejected += [] if told else [naming.ahead(source.name, named)]
            named = None
        at = written if named is None else named
        return read.parse(source, self._settings_for, lambda _: at, reading.unknown)

    def _settings_for(self, platform: str | None, header: frozenset[str], shop: str | None) -> ShopSettings:
        if shop is not None and shop != self._settings.name:
            raise ValueError(f"the line names another shop than this folder's, which is {self._settings.name}")
        return self._settings

    def _drop(self) -> None:
        if self._reading:
            self._reading.items = iter(())
            os.close(self._reading.fd)
            self._reading = None


@dataclass(slots=True)
class _Reading:
    """A file in hand: the open descriptor, what is left of its items, how many are behind, the newest time seen."""

    fd: int
    hash: str
    done: int
    items: Iterator[Record | Rejected] = field(default_factory=lambda: iter(()))
    unknown: Counter[str] = field(default_factory=Counter)
    newest: int | None = None

    def watched(self, items: Iterator[Record | Rejected]) -> Iterator[Record | Rejected]:
        """The items, remembering the newest `observed_at` among them."""
        for item in items:
            if not isinstance(item, Rejected) and (self.newest is None or item.observed_at > self.newest):
                self.newest = item.observed_at
            yield item


@dataclass(slots=True)
class _Filling:
    """A page being filled, at `now`."""

    now: int
    records: list[Record] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    sources: list[str] = field(default_factory=list)

    @property
    def room(self) -> int:
        return PAGE - len(self.records) - len(self.rejected)

    def take(self, items: Iterator[Record | Rejected]) -> int:
        """Move items into the page until it is full or they end; how many it took."""
        before = self.room
        for item in islice(items, max(before, 0)):
            if isinstance(item, Rejected):
                self.rejected.append(item)
            else:
                self.records.append(item)
        return before - self.room
