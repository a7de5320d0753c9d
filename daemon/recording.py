"""Reading recorded files onto a tape: which shop a file belongs to, what could not be used."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from adapters.base import Rejected, ShopSettings, Snapshot
from daemon import adapter
from daemon.config import Config
from daemon.errors import NoInput
from daemon.installation import shop_settings
from daemon.replay import Tape
from daemon.shops import CHINESE, zone_of

REPLAY_KEY = b"replay"
"""Personal data is hashed in a replay too; the scratch database is gone afterwards."""

UNSAID = "generic"
"""The platform of a shop of which nothing says where it is."""
Resolver = Callable[[str | None, frozenset[str], str | None], ShopSettings]
"""Platform, header and shop as far as they are said → the shop. Raises ValueError when none fits."""


@dataclass(slots=True)
class Recording:
    """What was read: the tape, rows that could not be used, orders and platforms seen."""

    tape: Tape = field(default_factory=Tape)
    rejected: list[Rejected] = field(default_factory=list)
    orders: set[tuple[str, str]] = field(default_factory=set)
    platforms: dict[str, str] = field(default_factory=dict)
    snapshots: int = 0
    files: int = 0

    def noting(self, resolve: Resolver) -> Resolver:
        """The resolver, which notes on the way what platform each shop is on: a line or the headers of an export say
        so, be it in a later line only."""

        def settings_for(platform: str | None, header: frozenset[str], shop: str | None) -> ShopSettings:
            found = resolve(platform, header, shop)
            if self.platforms.get(found.name, UNSAID) == UNSAID:
                self.platforms[found.name] = found.platform
            return found

        return settings_for


def record(
    roots: Iterable[Path],
    settings: Config | None,
    observed_at: int | None = None,
    progress: Callable[[Path], None] = lambda _: None,
) -> Recording:
    """Read all files below `roots`. Raises NoInput when nothing usable is in them."""
    reader = adapter.reader()
    made = Recording()
    try:
        paths = list(reader.paths(roots))
    except FileNotFoundError as error:
        raise NoInput(str(error)) from error
    for path in paths:
        progress(path)
        made.files += 1
        for one in reader.read(path, made.noting(_resolver(path, settings)), observed_at):
            if isinstance(one, Rejected):
                made.rejected.append(one)
                continue
            made.tape.add(one)
            if isinstance(one, Snapshot):
                made.snapshots += 1
                made.orders.add((one.shop, one.order_id))
    if made.tape.first is None:
        first = made.rejected[0] if made.rejected else None
        why = f"; the first problem: {place_of(first)}: {first.reason} → {first.mend}" if first else ""
        raise NoInput(f"nothing usable in {len(paths)} files{why}")
    return made


def place_of(rejected: Rejected) -> str:
    """Where a row stands that could not be used: file and line."""
    return f"{rejected.source}:{rejected.line}" if rejected.line is not None else rejected.source


def _resolver(path: Path, settings: Config | None) -> Resolver:
    """Which shop a file's rows belong to: named in the row, by the shop's folder, by its columns, by its platform."""
    known = _configured(settings) if settings is not None else {}

    def settings_for(platform: str | None, header: frozenset[str], shop: str | None) -> ShopSettings:
        if shop is not None:
            return known.get(shop) or _unknown(shop, platform or UNSAID)
        owner = next((s for s in known.values() if s.path is not None and path.resolve().is_relative_to(s.path)), None)
        if owner is not None:
            return owner
        mapped = [s for s in known.values() if s.columns and {c.column for c in s.columns.values()} <= header]
        if platform is None and len(mapped) == 1:
            return mapped[0]
        if platform is None:
            raise ValueError("no shop's [columns] fit this file" if known else "its columns are not known")
        same = [s for s in known.values() if s.platform == platform]
        return same[0] if len(same) == 1 else _unknown(platform, platform)

    return settings_for


def _configured(settings: Config) -> dict[str, ShopSettings]:
    return {
        name: shop_settings(name, section, settings, REPLAY_KEY)
        for name, section in settings.shops.items()
        if section.feed == "files"
    } | {
        name: ShopSettings(name=name, platform=section.platform, timezone=section.timezone or zone_of(section.platform))
        for name, section in settings.shops.items()
        if section.feed != "files"
    }


def _unknown(name: str, platform: str) -> ShopSettings:
    """A shop nobody configured: its records' platform, and that platform's zone where local times are usual."""
    zone = ZoneInfo("Asia/Shanghai") if platform in CHINESE else None
    return ShopSettings(name=name, platform=platform, timezone=zone, privacy_key=REPLAY_KEY)
