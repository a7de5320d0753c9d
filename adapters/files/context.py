"""What the parsers of one file share: its name, how shops are found, the file's own time, unknown keys."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from adapters.base import Json, ShopSettings
from adapters.files import fields, naming
from adapters.files.refusal import Refusal, shown
from rules import platforms

SettingsFor = Callable[[str | None, frozenset[str], str | None], ShopSettings]
"""Platform (None = not said), header (empty for JSON) and shop name (None = not said) → the shop.

Raises ValueError with a reason when no shop fits.
"""

KEPT_CHARS = 500
NAMES = 1_000
"""Most different unknown names (and shops) that are remembered."""

_NAME_CHARS = 60
_NO_TIME = "no observed_at, and none in the file name"
_GIVE_TIME = "add observed_at to the rows, or say when the file was exported: --observed-at"


class Shop(NamedTuple):
    """The shop of a record, and how its values are read."""

    settings: ShopSettings
    reading: fields.Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One file being read. `observed_at` tells a shop's time for rows that have none of their own."""

    source: str
    settings_for: SettingsFor
    observed_at: Callable[[ShopSettings], int | None]
    unknown: Counter[str]
    shops: dict[tuple[str | None, str | None], Shop] = field(default_factory=dict)
    times: dict[str, int | None] = field(default_factory=dict)

    def shop(self, platform: str | None, shop: str | None) -> Shop:
        """The shop a canonical record belongs to, remembered.

        Raises Refusal when there is none, or it is on another platform than the record says.
        """
        known = self.shops.get((platform, shop))
        if known is not None:
            return known
        on = None if platform is None else platforms.named(platform)
        settings = self.settings(on, frozenset(), shop)
        if on is not None and on != settings.platform:
            said = f"the line says platform {shown(platform)}"
            raise Refusal(
                f"{said}, but shop {settings.name} is on {settings.platform}",
                "correct the line, or put the file into the folder of the right shop",
            )
        found = Shop(settings, fields.Reading(zone=settings.timezone, privacy_key=settings.privacy_key))
        if len(self.shops) < NAMES:
            self.shops[platform, shop] = found
        return found

    def local(self, settings: ShopSettings) -> Shop:
        """The shop as its own tables are read: their times are local, on a Chinese platform Shanghai's."""
        return Shop(settings, fields.Reading(zone=naming.zone(settings), privacy_key=settings.privacy_key))

    def settings(self, platform: str | None, header: frozenset[str], shop: str | None) -> ShopSettings:
        """What `settings_for` answers; raises Refusal where it finds no shop."""
        try:
            return self.settings_for(platform, header, shop)
        except ValueError as error:
            raise Refusal(str(error), "put the file where it belongs, or correct the shop") from error

    def exported_at(self, settings: ShopSettings) -> int:
        """The time of rows without one of their own; raises Refusal when nothing tells it."""
        if settings.name not in self.times:
            self.times[settings.name] = self.observed_at(settings)
        at = self.times[settings.name]
        if at is None:
            raise Refusal(_NO_TIME, _GIVE_TIME)
        return at

    def count_unknown(self, name: str, times: int = 1) -> None:
        """Count a key whose value is dropped; very many different names are counted as one."""
        name = name[:_NAME_CHARS]
        if name not in self.unknown and len(self.unknown) >= NAMES:
            name = "…"
        self.unknown[name] += times

    def unknown_key(self, name: str, value: object, kept: dict[str, Json], settings: ShopSettings) -> None:
        """Put the value of a key nobody knows into `kept` if the shop keeps it and it is simple; else count it."""
        if name in settings.keep and (value is None or isinstance(value, bool | int | float)):
            kept[name] = value
        elif name in settings.keep and isinstance(value, str):
            kept[name] = value[:KEPT_CHARS]
        else:
            self.count_unknown(name)
