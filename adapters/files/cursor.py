"""What a drop folder has read so far, as the small JSON text the daemon stores with each page."""

from dataclasses import dataclass, replace

import msgspec

KEPT = 2_000
"""Finished hashes of files that are gone are remembered up to this many in all, against files that come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file being read: its content hash and how many of its items are behind us."""

    hash: str
    done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """`finished` content hashes, oldest first; `told` marks of oddities already reported; the place within a file."""

    finished: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    place: Place | None = None
    watermark: int | None = None

    def encode(self) -> str:
        """As stored text."""
        return msgspec.json.encode(self).decode()

    def finish(self, content: str) -> "Cursor":
        """The same with one file wholly read."""
        finished = self.finished if content in self.finished else (*self.finished, content)
        return replace(self, finished=finished, place=None)

    def told_of(self, mark: str) -> "Cursor":
        """The same with one oddity reported."""
        return replace(self, told=(*self.told, mark))

    def pruned(self, present: frozenset[str], odd: frozenset[str]) -> "Cursor":
        """The same without what no file stands for any more, the newest `KEPT` hashes aside."""
        spare = max(KEPT - len(present), 0)
        gone = [content for content in self.finished if content not in present]
        dropped = frozenset(gone[: max(len(gone) - spare, 0)])
        return replace(
            self,
            finished=tuple(content for content in self.finished if content not in dropped),
            told=tuple(mark for mark in self.told if mark in odd),
        )


def decode(text: str | None) -> Cursor:
    """The stored cursor, or the beginning. Raises ValueError (msgspec) for text that is none."""
    return msgspec.json.decode(text, type=Cursor) if text else Cursor()
