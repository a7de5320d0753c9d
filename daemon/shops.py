"""The shops of this installation: who owns them, which policy holds, what a feed can do.

Built from the configuration once and replaced as a whole on reload. Nothing is decided, polled or sent for a shop that
nobody configured. Only replay takes such shops on: by their records' platform, its zone, the shipped pack and playbook.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from zoneinfo import ZoneInfo

from daemon import clock
from rules import packs, platforms, playbook
from rules.model import Kind, Mode
from rules.playbook import Playbook
from rules.policy import Policy

CHINESE = frozenset({"taobao", "tmall", "pinduoduo", "jd", "douyin"})
MINUTE = 60 * 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """One shop. `poll_every` and `stale_after` in µs; `fresh_read` is what its feed declares.

    `points_line`: as many penalty points in a calendar year are over the seller's own line; None = none stated.
    """

    name: str
    seller: str
    platform: str
    policy: Policy
    fresh_read: Literal["live", "none"] = "none"
    poll_every: int = MINUTE
    stale_after: int | None = None
    points_line: int | None = None


@dataclass(slots=True)
class Shops:
    """All shops by name, the modes, and how an unknown shop is made. `on_sight`: that is taken on (replay)."""

    known: dict[str, Shop] = field(default_factory=dict)
    default_mode: Mode = "shadow"
    modes: Mapping[Kind, Mode] = field(default_factory=dict)
    playbook: Playbook = field(default_factory=playbook.shipped)
    confirmed: frozenset[str] = frozenset()
    on_sight: bool = True

    def knows(self, name: str) -> bool:
        """Whether anything may be decided, polled or sent for the shop."""
        return self.on_sight or name in self.known

    def get(self, name: str, platform: str | None = None) -> Shop:
        """The shop. One nobody configured is made for `platform`: to be taken on in replay, only to be shown else.

        What is only shown is so in the reader's own zone, where not even the platform is known.
        """
        shop = self.known.get(name)
        if shop is not None:
            return shop
        zone = None if self.on_sight or platform is not None else clock.zone()
        shop = self.made(name, platform or "generic", zone=zone)
        if self.on_sight:
            self.known[name] = shop
        return shop

    def confirm(self, digests: frozenset[str]) -> None:
        """Let these be the confirmed rows from now on, in every shop; a running daemon needs no reload for it."""
        self.confirmed = digests
        for name, shop in list(self.known.items()):
            self.known[name] = replace(shop, policy=replace(shop.policy, confirmed=digests))

    def first(self) -> Shop | None:
        """The first shop by name: where news about the whole installation is put."""
        return self.known[min(self.known)] if self.known else None

    def made(self, name: str, platform: str, seller: str = "default", zone: ZoneInfo | None = None) -> Shop:
        """A shop with the shipped pack of its platform and this installation's playbook."""
        platform = platforms.named(platform)
        policy = Policy(
            playbook=self.playbook,
            pack=packs.load(platform, zone.key if zone else None),
            zone=zone or zone_of(platform),
            confirmed=self.confirmed,
        )
        return Shop(name=name, seller=seller, platform=platform, policy=policy)

    def mode(self, kind: Kind) -> Mode:
        """The mode in which an action of this kind is planned."""
        return self.modes.get(kind, self.default_mode)


def zone_of(platform: str) -> ZoneInfo:
    """The zone a platform's local times are in: Chinese platforms Asia/Shanghai, else UTC (contract §2)."""
    return ZoneInfo("Asia/Shanghai" if platform in CHINESE else "UTC")
