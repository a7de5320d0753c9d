"""From configuration to running parts: shops with their policies, feeds, sinks. The only place that wires."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from adapters.base import AdapterError, ColumnMap, Feed, ShopSettings, SinkSettings
from daemon import adapter, secret
from daemon.adapter import Outlet, Sinks
from daemon.config import AlertSection, Column, Config, ShopSection, strays
from daemon.errors import ConfigError, DaemonError
from daemon.shops import CHINESE, Shop, Shops, zone_of
from rules import packs, playbook, wording
from rules.calendars import warehouse
from rules.errors import PolicyError
from rules.hours import Hours
from rules.instant import SECOND, parse
from rules.model import Kind, Mode
from rules.playbook import Playbook
from rules.policy import Policy

UNRESOLVED = "https://unresolved.invalid/"
"""Stands for a secret that could not be read, while the rest of its table is looked at; nothing of it is used."""


@dataclass(slots=True)
class Installation:
    """What one configuration file describes. `problems`: what keeps parts of it from being used."""

    config: Config
    shops: Shops
    feeds: dict[str, Feed] = field(default_factory=dict)
    sinks: Sinks = field(default_factory=Sinks)
    problems: list[str] = field(default_factory=list)


def build(
    settings: Config, *, privacy_key: bytes = b"", confirmed: frozenset[str] = frozenset(), adapters: bool = True
) -> Installation:
    """Everything the file describes; problems are collected, each with its place, never raised one by one.

    `adapters` False leaves feeds and sinks out (replay and read-only commands need none).
    """
    problems: list[str] = []
    plays = _playbook(settings, problems)
    shops = Shops(default_mode=settings.mode.default, modes=modes(settings), playbook=plays, confirmed=confirmed)
    shops.on_sight = False
    made = Installation(config=settings, shops=shops, problems=problems)
    for name, section in sorted(settings.shops.items()):
        with _collecting(problems, f"shops.{name}"):
            shops.known[name] = _shop(name, section, plays, confirmed, _receivers(settings))
        if not adapters:
            continue
        with _collecting(problems, f"shops.{name}"):
            problems += _strays(name, section)
            made.feeds[name] = _feed(name, section, settings, privacy_key, problems)
        if name in shops.known and name in made.feeds:
            shops.known[name] = _with_fresh_read(shops.known[name], made.feeds[name])
    for name, alert in sorted(settings.alerts.items() if adapters else ()):
        with _collecting(problems, f"alerts.{name}"):
            made.sinks.outlets[name] = _outlet(name, alert, settings, privacy_key, problems)
    return made


@contextmanager
def _collecting(problems: list[str], place: str) -> Iterator[None]:
    """What is wrong within the block becomes a problem of that place, and the rest goes on."""
    try:
        yield
    except (PolicyError, ValueError, AdapterError, DaemonError) as error:
        problems.append(f"{place}: {error}")


def usable(made: Installation) -> Installation:
    """The installation, or ConfigError with all its problems."""
    if made.problems:
        raise ConfigError("\n".join(made.problems))
    return made


def modes(settings: Config) -> Mapping[Kind, Mode]:
    """The mode of each kind that the file names."""
    named = settings.mode.model_dump(exclude={"default"}, exclude_none=True)
    return {Kind(kind): mode for kind, mode in named.items()}


def _feed(name: str, section: ShopSection, settings: Config, privacy_key: bytes, problems: list[str]) -> Feed:
    options = _options(section.options, settings, problems, f"shops.{name}")
    return adapter.feed(section.feed, shop_settings(name, section, settings, privacy_key, options))


def _options(said: Mapping[str, str], settings: Config, problems: list[str], place: str) -> dict[str, str]:
    """The options with their secrets resolved. One that cannot be is told, and a word stands in: it hides no other."""
    options = dict(said)
    for key, value in said.items():
        if secret.is_reference(value):
            with _collecting(problems, place):
                options[key] = UNRESOLVED
                options[key] = secret.resolve(value, settings.base)
    return options


def shop_settings(
    name: str, section: ShopSection, settings: Config, privacy_key: bytes, options: Mapping[str, str] | None = None
) -> ShopSettings:
    """What a shop's feed is told, with paths made absolute. `options`: with secrets resolved; None = as written."""
    return ShopSettings(
        name=name,
        platform=section.platform,
        timezone=section.timezone or (ZoneInfo("Asia/Shanghai") if section.platform in CHINESE else None),
        path=settings.base / section.path if section.path is not None else None,
        columns={key: _column(value) for key, value in section.columns.items()},
        history=section.history,
        keep=section.keep,
        privacy_key=privacy_key,
        options=section.options if options is None else options,
    )


def _column(said: Column) -> ColumnMap:
    also = tuple(_column(one) for one in said.also)
    return ColumnMap(column=said.column, unit=said.unit, values=said.values, per=said.per, also=also)


def _playbook(settings: Config, problems: list[str]) -> Playbook:
    if settings.playbook.path is None:
        return playbook.shipped()
    also = {section.platform for section in settings.shops.values()}
    return read_playbook(settings.base / settings.playbook.path, problems, sorted(also))


def read_playbook(file: Path, problems: list[str], also: Iterable[str] = ()) -> Playbook:
    """The playbook of a file; what is wrong with it goes to `problems`, and the shipped one stands in.

    `also`: platforms of shops for which no pack is shipped.
    """
    try:
        plays = playbook.load(file)
    except PolicyError as error:
        problems.append(str(error))
        return playbook.shipped()
    problems += wording.problems(plays, str(file), also)
    return plays


def _receivers(settings: Config) -> tuple[Hours, ...]:
    """The hours of those who are told of alerts; () when one of them always can be."""
    hours = [section.hours for section in settings.alerts.values() if Kind.ALERT in section.kinds]
    return () if None in hours else tuple(one for one in hours if one is not None)


def _shop(
    name: str, section: ShopSection, plays: Playbook, confirmed: frozenset[str], receivers: tuple[Hours, ...]
) -> Shop:
    zone = section.timezone or zone_of(section.platform)
    store = section.warehouse
    policy = Policy(
        playbook=plays,
        pack=packs.load(section.platform, zone.key),
        zone=zone,
        warehouse=warehouse(store.open, store.pickups, store.scan_lag, zone, section.country) if store else None,
        confirmed=confirmed,
        patience=section.poll_s * SECOND,
        receivers=receivers,
        maintenance=tuple((parse(window.since, zone), parse(window.until, zone)) for window in section.maintenance),
    )
    return Shop(
        name=name,
        seller=section.seller,
        platform=section.platform,
        policy=policy,
        poll_every=section.poll_s * SECOND,
        stale_after=section.stale_after,
        points_line=section.points_line,
    )


def _strays(name: str, section: ShopSection) -> list[str]:
    taken = adapter.options(section.feed)
    return [] if taken is None else strays(name, section, taken)


def _with_fresh_read(shop: Shop, feed: Feed) -> Shop:
    return replace(shop, fresh_read=feed.capabilities.fresh_read)


def _outlet(name: str, section: AlertSection, settings: Config, key: bytes, problems: list[str]) -> Outlet:
    options = _options(section.options, settings, problems, f"alerts.{name}")
    _in_time(options, settings.daemon.call_timeout)
    sink = adapter.sink(section.sink, SinkSettings(name=name, options=options))
    kinds = frozenset(map(Kind, section.kinds))
    unable = kinds - sink.capabilities.kinds
    if unable:
        raise ValueError(f"{section.sink} cannot carry out {', '.join(sorted(unable))}; remove them from kinds")
    return Outlet(name=name, sink=sink, kinds=kinds, hours=section.hours, settings=_digest(section.sink, options, key))


def _in_time(options: Mapping[str, str], limit: int) -> None:
    """Raises ValueError for a sink that would wait longer for an answer than the daemon lets any call take."""
    try:
        wanted = float(options.get("timeout_s", 0))
    except ValueError:
        return  # the sink itself says what is wrong with it
    if wanted * SECOND > limit:
        raise ValueError(
            f"timeout_s = {wanted:g} is longer than the daemon waits for any call ({limit / SECOND:g} s); "
            "lower it, or raise [daemon] call_timeout"
        )


def _digest(sink: str, options: Mapping[str, str], key: bytes) -> str:
    """What a sink was set up with, as a keyed hash: options may hold secrets."""
    text = json.dumps([sink, sorted(options.items())])
    return hashlib.blake2b(text.encode("utf-8", "replace"), key=key[:64], digest_size=16).hexdigest()
