"""A look into a drop folder: which files are ready, what their content hashes are, what is odd about others.

Nothing is moved, renamed or locked. Hashes are kept in memory by the file's identity, so that an unchanged
file is hashed once per process.
"""

import hashlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from adapters.base import Rejected
from adapters.files import opening, read
from adapters.files.refusal import Refusal

READY_S = 10.0
"""A file is ready when nothing was written to it for so long."""

Identity = tuple[int, int, int, int, int]

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A ready file: path, content hash, and the identity both belong to."""

    path: Path
    hash: str
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look found, in name order. `odd` maps a mark to what is said once about something unreadable.

    `settling`: the files written to so short a time ago that they may not be whole, with the seconds they still need.
    """

    files: tuple[Found, ...]
    odd: dict[str, Rejected]
    settling: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Folder:
    """One drop folder; remembers hashes between looks."""

    root: Path
    _hashes: dict[Path, tuple[Identity, str]] = field(default_factory=dict)

    def look(self) -> Look:
        """The ready files and the oddities of this moment. Raises OSError when the folder cannot be read."""
        next(self.root.iterdir(), None)
        found: list[Found] = []
        odd: dict[str, Rejected] = {}
        settling: dict[str, float] = {}
        for path in sorted(read.files_below(self.root)):
            try:
                if (rest := self._unsettled_s(path)) > 0:
                    settling[self.name(path)] = rest
                    continue
                one = self._found(path)
            except Refusal as refusal:
                if not (path.is_symlink() or path.exists()):
                    continue  # gone since it was listed
                name = self.name(path)
                odd[_mark(name, refusal.reason)] = refusal.rejected(name)
                continue
            if one:
                found.append(one)
        kept = {one.path for one in found}
        self._hashes = {path: known for path, known in self._hashes.items() if path in kept}
        return Look(files=tuple(found), odd=odd, settling=settling)

    def name(self, path: Path) -> str:
        """What messages call a file: its path below the folder."""
        return str(path.relative_to(self.root))

    def _unsettled_s(self, path: Path) -> float:
        """Seconds until a file has rested long enough; 0 when it has, or has been read so."""
        try:
            seen = path.lstat()
        except FileNotFoundError:
            return 0.0
        known = self._hashes.get(path)
        return 0.0 if known and known[0] == identity(seen) else max(READY_S - mtime_age_s(seen), 0.0)

    def _found(self, path: Path) -> Found | None:
        """The file, hashed; None when it is written to just now or has gone away."""
        try:
            seen = path.lstat()
        except FileNotFoundError:
            return None
        known = self._hashes.get(path)
        if known and known[0] == identity(seen):
            return Found(path=path, hash=known[1], identity=known[0])
        fd = opening.open_regular(path, self.root)
        try:
            before = identity(os.fstat(fd))
            content = _hash(fd) if before[0] else _mark(self.name(path), "empty")
            if identity(os.fstat(fd)) != before:
                return None
        finally:
            os.close(fd)
        self._hashes[path] = (before, content)
        return Found(path=path, hash=content, identity=before)


def mtime_age_s(stat: os.stat_result) -> float:
    """Seconds since the file was last written, by the system clock even where a test freezes time.

    This is about the disk, not about the shop: simulated time must not make a half-written file ready.
    A modification time in the future (copied from a machine whose clock is ahead) falls back to the inode's. Where that
    is ahead as well, and by more than a file rests, the clock was set back since: what is written now is not dated so.
    """
    now = time.clock_gettime_ns(time.CLOCK_REALTIME)
    written = stat.st_mtime_ns if stat.st_mtime_ns <= now else stat.st_ctime_ns
    return abs(now - written) / 1e9 if abs(now - written) >= READY_S * 1e9 else max(now - written, 0) / 1e9


def identity(stat: os.stat_result) -> Identity:
    """What changes whenever the content may have changed."""
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev


def _hash(fd: int) -> str:
    digest = hashlib.blake2b(digest_size=16)
    while chunk := os.read(fd, _CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _mark(name: str, what: str) -> str:
    return hashlib.blake2b(f"{what}:{name}".encode(), digest_size=16).hexdigest()
