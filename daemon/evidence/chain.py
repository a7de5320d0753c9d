"""Is a hash chain whole? Tells apart what was altered, what is missing, what was cut off, and what was rewritten.

Pure, one link at a time: a chain of any length is checked in constant memory. The chain alone shows altered and
missing links. Whoever may write the database can also shorten a chain or compute it anew; only an anchor, a head
recorded elsewhere, shows that.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Literal

from daemon.store.journal import link_hash
from daemon.store.links import Link

Harm = Literal["altered", "missing", "cut", "rewritten"]
Anchors = Mapping[int, Set[bytes]]
"""Place in the chain → the hashes that were recorded for it elsewhere (one, where nobody lies)."""
MOST_DAMAGE = 100
"""Findings kept for one chain; beyond that their number says enough."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Something is wrong with the links `first` to `last`.

    altered: a link does not follow from the one before it. missing: links in the middle (or the first ones) are
    gone. cut: the chain ends before a recorded head. rewritten: the chain may be whole, but is not the one whose
    heads were recorded; it differs from some link in the range on.
    """

    kind: Harm
    first: int
    last: int


@dataclass(slots=True)
class Checked:
    """What was found of one chain. `at`: the newest link's instant; `anchored`: the newest place an anchor confirms."""

    shop: str
    links: int = 0
    seq: int = 0
    hash: bytes = b""
    at: int | None = None
    anchors: int = 0
    anchored: int = 0
    damage: list[Damage] = field(default_factory=list)
    unlisted: int = 0

    def add(self, damage: Damage) -> None:
        """Put damage down; neighbours of the same kind become one."""
        last = self.damage[-1] if self.damage else None
        if last is not None and last.kind == damage.kind and last.last + 1 == damage.first:
            self.damage[-1] = Damage(damage.kind, last.first, damage.last)
        elif len(self.damage) < MOST_DAMAGE:
            self.damage.append(damage)
        else:
            self.unlisted += 1


def check(shop: str, links: Iterable[Link], anchors: Anchors, start: tuple[int, bytes] = (0, b"")) -> Checked:
    """Follow a chain from the link after `start` (its place and hash) to its end."""
    found = Checked(shop, seq=start[0], hash=start[1], anchors=len(anchors), anchored=start[0])
    wrong: list[int] = []
    linked = True
    for link in links:
        if link.seq != found.seq + 1:
            found.add(Damage("missing", found.seq + 1, link.seq - 1))
            linked = False
        if linked and not _follows(shop, found.hash, link):
            found.add(Damage("altered", link.seq, link.seq))
        linked = True
        known = anchors.get(link.seq)
        if known is not None and known != {link.hash}:
            wrong.append(link.seq)
        elif known is not None and not wrong:
            found.anchored = link.seq
        found.links += 1
        found.seq, found.hash, found.at = link.seq, link.hash, link.at
    if wrong:
        found.add(Damage("rewritten", found.anchored + 1, wrong[-1]))
    beyond = max((seq for seq in anchors if seq > found.seq), default=None)
    if beyond is not None:
        found.add(Damage("cut", found.seq + 1, beyond))
    return found


def _follows(shop: str, before: bytes, link: Link) -> bool:
    return link.body is not None and link_hash(before, shop, link.seq, link.at, link.body) == link.hash
