"""Rule packs: what a platform does, as dated facts (rules/data/packs/*.toml, docs/rule-packs.md).

A pack is chosen by platform, a row by the instant of payment (Pinduoduo: group success), never by
today. Superseded rows stay for audit. Only rows a person confirmed, bound to `digest(row)`, may move
money; confirmations are kept by the daemon and handed in as a set of digests.
"""

import tomllib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from rules import platforms
from rules.confirmation import fingerprint
from rules.errors import PolicyError
from rules.instant import DAY, from_datetime, offset_on, to_datetime
from rules.model import Order, Violation
from rules.packdata import (
    ContactRules,
    Customised,
    Document,
    Limit,
    Metric,
    Presale,
    Promise,
    Raw,
    Row,
    Scope,
    Tool,
    Window,
)

PLATFORMS = platforms.PLATFORMS
"""The shipped packs. Any other platform gets the generic pack under its own name."""

NEVER_PRICED: frozenset[Scope] = frozenset({"alternative", "record"})
"""Rows that price nothing by themselves: they change no version and cut no regime of those that do."""

_DOCUMENT = TypeAdapter(Document)


class Dated(Protocol):
    """Something in force from `first` to `last`, inclusive days in the pack's zone; None = open."""

    @property
    def first(self) -> date | None: ...
    @property
    def last(self) -> date | None: ...


D = TypeVar("D", bound=Dated)


@dataclass(frozen=True, slots=True)
class Regimes(Generic[D]):
    """Dated things cut at every boundary: `at[i]` is in force from `starts[i-1]` (µs) up to `starts[i]`."""

    starts: tuple[int, ...]
    at: tuple[tuple[D, ...], ...]

    def __call__(self, instant: int | None) -> tuple[D, ...]:
        """What is in force at an instant; None means the newest."""
        return self.at[-1 if instant is None else bisect_right(self.starts, instant)]


@dataclass(frozen=True, slots=True)
class Span:
    """A window with its instants (µs): orders that start in [start, end) are moved to `by`, or by hours."""

    start: int
    end: int
    by: int | None
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One platform's dated facts. `edition` counts corrections of undated facts."""

    platform: str
    zone: ZoneInfo
    currency: str
    edition: int
    rows: tuple[Row, ...]
    tools: tuple[Tool, ...]
    metrics: tuple[Metric, ...]
    promises: tuple[Promise, ...]
    windows: tuple[Window, ...]
    limits: tuple[Limit, ...]
    contact: ContactRules
    spans: tuple[Span, ...]
    group_starts: bool
    promise_at: Regimes[Promise]
    limit_at: Regimes[Limit]
    presale_at: Regimes[Presale]
    customised_at: Regimes[Customised]
    orders: dict[Violation, Regimes[Row]]
    others: dict[tuple[Violation, Scope], Regimes[Row]]
    any_row: Regimes[Row]

    def starts_at(self, order: Order) -> int | None:
        """When the platform's clock starts for an order: payment, or group success where that counts.

        A group order without its group time falls back to payment: too early is safe, too late is not.
        """
        if self.group_starts and order.group_success_at is not None:
            return order.group_success_at
        return order.paid_at

    def rows_at(self, violation: Violation, instant: int | None, scope: Scope = "order") -> tuple[Row, ...]:
        """The rows in force for orders whose clock started at `instant`; None = the newest."""
        if scope == "order":
            return self.orders[violation](instant)
        return self.others[violation, scope](instant)

    def row(self, id: str) -> Row | None:
        """The row of that id, whatever its dates."""
        return next((row for row in self.rows if row.id == id), None)

    def promise(self, instant: int | None, tags: Iterable[str] = ()) -> Promise | None:
        """The platform's own promise for a start instant; marked goods (bonded, direct_mail) first."""
        for promise in self.promise_at(instant):
            if promise.tag is None or promise.tag in tags:
                return promise
        return None

    def limit(self, id: str, instant: int | None, tags: Iterable[str] = ()) -> Limit | None:
        """The time the platform gives for `id` at an instant; that of marked goods (remote) before the plain one."""
        found = [one for one in self.limit_at(instant) if one.id == id and (one.tag is None or one.tag in tags)]
        return next((one for one in found if one.tag is not None), found[0] if found else None)

    def version(self, instant: int | None, violation: Violation | None = None) -> str:
        """Platform @ the newest rule boundary at or before `instant`, e.g. "taobao@2025-02-13".

        With a violation only that violation's rows count. Before the first boundary, or without any,
        the edition: "generic@1".
        """
        regimes = self.any_row if violation is None else self.orders[violation]
        starts = regimes.starts
        index = len(starts) if instant is None else bisect_right(starts, instant)
        return self._names()[starts[index - 1]] if index else f"{self.platform}@{self.edition}"

    def _names(self) -> dict[int, str]:
        return _boundary_names(self.platform, self.zone, self.any_row.starts)


@lru_cache(maxsize=256)
def _boundary_names(platform: str, zone: ZoneInfo, starts: tuple[int, ...]) -> dict[int, str]:
    return {start: f"{platform}@{local_date(start, zone)}" for start in starts}


def local_date(instant: int, zone: ZoneInfo) -> date:
    """The local day of an instant."""
    offset = offset_on(instant // DAY, zone)
    if offset is None:
        return to_datetime(instant, zone).date()
    return date.fromordinal(_EPOCH + (instant + offset) // DAY)


_EPOCH = date(1970, 1, 1).toordinal()


@lru_cache(maxsize=4096)
def midnight(day: date, zone: ZoneInfo) -> int:
    """The first instant of a local day; where the clock skips midnight, the instant of the skip."""
    return from_datetime(datetime.combine(day, time(), tzinfo=zone))


def end_of_day(day: date, zone: ZoneInfo) -> int:
    """23:59:59 of a local day, the second one where the clock shows it twice (platform-rules §1.3)."""
    return from_datetime(datetime.combine(day, time(23, 59, 59), tzinfo=zone).replace(fold=1))


def digest(row: Row) -> str:
    """BLAKE2b of the row's canonical content: what a person's confirmation is bound to."""
    return row.digest


@lru_cache(maxsize=256)
def load(platform: str, zone: str | None = None) -> Pack:
    """The pack of a platform; an unknown one gets the generic pack under its name.

    `zone` (IANA) replaces the zone of the generic pack only: a platform's rules run on its own clock.
    Raises PolicyError when the shipped file, or `zone`, cannot be used.
    """
    known = platform if platform in PLATFORMS else "generic"
    return _named(_shipped(known), platform, zone)


@lru_cache(maxsize=64)
def kept(text: str, platform: str, zone: str | None = None) -> Pack:
    """What `load` gave when the platform's file held `text`. Raises PolicyError: a later version may not read it."""
    return _named(parse(text, f"the {platform} pack of that time"), platform, zone)


def shipped_text(platform: str) -> str:
    """The file that `load` reads for a platform."""
    name = f"{platform if platform in PLATFORMS else 'generic'}.toml"
    return files("rules").joinpath("data", "packs", name).read_text(encoding="utf-8")


def _named(pack: Pack, platform: str, zone: str | None) -> Pack:
    if pack.platform == "generic" and (platform != pack.platform or zone):
        return replace(pack, platform=platform, zone=_zone(zone, "zone") if zone else pack.zone)
    return pack


def all_packs() -> tuple[Pack, ...]:
    """Every shipped pack, generic first."""
    return tuple(load(platform) for platform in PLATFORMS)


@lru_cache(maxsize=len(PLATFORMS))
def _shipped(platform: str) -> Pack:
    return parse(shipped_text(platform), f"{platform}.toml")


def parse(text: str, source: str) -> Pack:
    """A pack from TOML text; `source` names the file in errors.

    Raises PolicyError naming file, row, key and mend, for all problems found at once.
    """
    try:
        raw: Raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"not valid TOML: {error}", where=source, mend="correct the line named") from error
    try:
        document = _DOCUMENT.validate_python(raw)
    except ValidationError as error:
        raise PolicyError("\n".join(_problems(error, raw, source))) from error
    return _compile(document, source)


def _problems(error: ValidationError, raw: Raw, source: str) -> list[str]:
    lines = []
    for problem in error.errors(include_url=False):
        table, *rest = problem["loc"]
        if rest and isinstance(rest[0], int):
            entry = raw[str(table)][rest[0]]
            name = entry.get("id") or entry.get("tool") if isinstance(entry, dict) else None
            table, rest = f"{table} {name or rest[0] + 1}", rest[1:]
        key = ".".join(str(part) for part in rest)
        lines.append(f"{source}: {table}: key {key or '-'}: {problem['msg']} (mend: see docs/rule-packs.md)")
    return lines


def _zone(name: str, source: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        mend = 'write an IANA name such as "Asia/Shanghai"'
        raise PolicyError(f"unknown zone {name!r}", where=source, mend=mend) from error


def _compile(document: Document, source: str) -> Pack:
    zone = _zone(document.zone, source)
    rows = tuple(_finish(row, document.platform) for row in document.row)
    _check_rows(rows, source)
    order_rows = [row for row in rows if row.scope == "order"]
    return Pack(
        platform=document.platform,
        zone=zone,
        currency=document.currency,
        edition=document.edition,
        rows=rows,
        tools=document.tool,
        metrics=document.metric,
        promises=document.promise,
        windows=document.window,
        limits=document.limit,
        contact=document.contact,
        spans=tuple(_span(window, zone) for window in document.window if window.applies),
        group_starts=any(promise.start == "group_success" for promise in document.promise),
        promise_at=_regimes(document.promise, zone),
        limit_at=_regimes(document.limit, zone),
        presale_at=_regimes(document.presale, zone),
        customised_at=_regimes(document.customised, zone),
        orders={v: _regimes([row for row in order_rows if v in row.violations], zone) for v in Violation},
        others={
            (v, scope): _regimes([r for r in rows if r.scope == scope and v in r.violations], zone)
            for v in Violation
            for scope in ("shop", "escalation", "alternative", "record")
        },
        any_row=_regimes([row for row in rows if row.scope not in NEVER_PRICED], zone),
    )


def _finish(row: Row, platform: str) -> Row:
    every = [*row.tiers, *(tier for variant in row.variants for tier in variant.tiers)]
    timed = any(t.promise_hours_max is not None or t.promise_hours_over is not None for t in every)
    return replace(row, digest=fingerprint(platform, row), by_promise=timed)


def _check_rows(rows: tuple[Row, ...], source: str) -> None:
    seen: set[str] = set()
    for row in rows:
        where = f"{source}: row {row.id}"
        if row.id in seen:
            raise PolicyError("the id occurs twice", where=where, mend="give each row its own id")
        if row.first and row.last and row.last < row.first:
            raise PolicyError("key to: ends before it begins", where=where, mend="swap from and to")
        if (row.scope == "alternative") != (row.instead_of is not None):
            raise PolicyError("key instead_of: for alternatives, and them only", where=where, mend="name the row")
        if row.tiers and row.base is None:
            raise PolicyError("key base: missing", where=where, mend="name what the percentage is taken of")
        seen.add(row.id)
    for row in rows:
        where = f"{source}: row {row.id}"
        if row.instead_of is not None and row.instead_of not in seen:
            raise PolicyError(f"key instead_of: no row {row.instead_of}", where=where, mend="name a row of this pack")
        like = [other for other in rows if other.priced_like is not None and row.priced_like in other.violations]
        if row.priced_like is not None and (row.tiers or like):
            mend = "name a violation whose rows have tiers of their own, and give none here"
            raise PolicyError("key priced_like: leads to no tiers", where=where, mend=mend)


def _regimes(things: Iterable[D], zone: ZoneInfo) -> Regimes[D]:
    things = tuple(things)
    firsts = {thing.first for thing in things if thing.first}
    ends = {thing.last + timedelta(days=1) for thing in things if thing.last and thing.last < date.max}
    days = sorted(firsts | ends)
    eras = [date.min, *days]
    in_force = tuple(
        tuple(t for t in things if (t.first or date.min) <= day and day <= (t.last or date.max)) for day in eras
    )
    return Regimes(tuple(midnight(day, zone) for day in days), in_force)


def _span(window: Window, zone: ZoneInfo) -> Span:
    by = end_of_day(window.by, zone) if window.by else None
    return Span(_moment(window.first, zone, 0), _moment(window.last, zone, 1), by, window)


def _moment(edge: date | datetime, zone: ZoneInfo, days_after: int) -> int:
    if isinstance(edge, datetime):
        return from_datetime(edge.replace(tzinfo=zone))
    return midnight(edge + timedelta(days=days_after), zone)
