"""Opening one file safely: no links, pipes or devices, gzip unpacked under a guard, its kind seen by content.

A `Source` gives fresh streams of the same open file, so that a file replaced meanwhile changes nothing.
Memory is constant; every stream raises `Refusal` where a gzip file is damaged, cut or a bomb.
"""

import gzip
import io
import os
import stat as stats
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from adapters.files.refusal import EXPORT_AGAIN, SAVE_AGAIN, Cut, Refusal

Kind = Literal["json", "text", "xlsx", "empty"]

GZIP_BYTES = 4 << 30
"""Most bytes one gzip file may unpack to."""
GZIP_RATIO = 100
"""Most bytes out per byte in, once more than `GZIP_FREE` came out (real exports reach about 10)."""
GZIP_FREE = 16 << 20

_HEAD_BYTES = 4_096
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_GZIP = b"\x1f\x8b"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
DEVICE = "a device"
ODD = {stats.S_ISDIR: "a folder", stats.S_ISFIFO: "a pipe", stats.S_ISSOCK: "a socket"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An open regular file. `name` is what messages call it; `packed` tells gzip; `stat` is as opened."""

    fd: int
    name: str
    stat: os.stat_result
    packed: bool

    def stream(self) -> io.BufferedReader:
        """The content from its first byte, unpacked. Each stream has a place of its own in the file."""
        raw = _Plain(self.fd)
        return io.BufferedReader(_Unpacked(raw), 1 << 16) if self.packed else io.BufferedReader(raw, 1 << 18)

    def kind(self) -> Kind:
        """What the first bytes say the content is, whatever the name; Refusal for what cannot be read."""
        head = self.stream().read(_HEAD_BYTES)
        if head.startswith(_OLE):
            raise _ole_refusal(self.stream().read(1 << 20))
        if head.startswith(_GZIP):
            raise Refusal("a gzip file inside a gzip file", "unpack it once and put the inner file here")
        if head.startswith(b"PK"):
            return "xlsx"
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
        if text.startswith((b"<html", b"<table", b"<!doctype", b"<?xml", b"<meta")):
            raise Refusal("a web page or XML under the name of a table", SAVE_AGAIN)
        if text.startswith(b"[") and text[1:].lstrip()[:1] in b'{"[]':
            raise Refusal("one JSON array instead of JSON Lines", "write one JSON object per line")
        if not text:
            return "text" if len(head) == _HEAD_BYTES else "empty"
        return "json" if _is_json_lines(text, self.name.lower().removesuffix(".gz")) else "text"


def _is_json_lines(head: bytes, name: str) -> bool:
    """Whether lines of JSON begin in `head`: one that is broken, be it the first, must not lose the others."""
    if head.startswith(b"{") or name.endswith(".jsonl"):
        return True
    return not name.endswith(".csv") and any(line.startswith(b"{") for line in head.splitlines())


@contextmanager
def opened(path: Path, name: str | None = None, root: Path | None = None) -> Iterator[Source]:
    """The regular file at `path`, open for reading. With `root` no part of the way below it may be a link.

    Raises Refusal for links, folders, pipes, devices and files that may not be read.
    """
    fd = open_regular(path, root)
    try:
        yield source(fd, name or path.name)
    finally:
        os.close(fd)


def source(fd: int, name: str) -> Source:
    """The source over an open regular file; the caller closes `fd`."""
    return Source(fd=fd, name=name, stat=os.fstat(fd), packed=os.pread(fd, 2, 0) == _GZIP)


def open_regular(path: Path, root: Path | None = None) -> int:
    """A descriptor of the regular file at `path`; no link is followed below `root`, no pipe waited for."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        fd = _open_below(root, path.relative_to(root).parts, flags) if root else os.open(path, flags)
    except OSError as error:
        raise _open_refusal(path, error) from error
    mode = os.fstat(fd).st_mode
    if stats.S_ISREG(mode):
        return fd
    os.close(fd)
    what = next((name for test, name in ODD.items() if test(mode)), DEVICE)
    raise Refusal(f"{what}, not a regular file", "put the file itself here")


def _open_below(root: Path, parts: tuple[str, ...], flags: int) -> int:
    """Walk from `root` to the file one folder at a time, so that no folder on the way can be a link."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(parts[-1], flags, dir_fd=folder)
    finally:
        os.close(folder)


def _open_refusal(path: Path, error: OSError) -> Refusal:
    if path.is_symlink():
        return Refusal("a symbolic link, which is never followed", "put the file itself here")
    return Refusal(f"cannot be opened: {error.strerror}", "let this user read the file")


def _ole_refusal(content: bytes) -> Refusal:
    if _ENCRYPTED in content:
        return Refusal("an encrypted workbook", "open it with its password and save it as .xlsx or CSV without one")
    return Refusal("an old Excel workbook (.xls)", "open it and save as .xlsx or CSV")


class _Plain(io.RawIOBase):
    """The bytes of an open file from its beginning, whoever else reads it; the descriptor stays open."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: os.fstat(self._fd).st_size}[whence]
        self._at = max(start + offset, 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        count = os.preadv(self._fd, [buffer], self._at)
        self._at += count
        return count


class _Unpacked(io.RawIOBase):
    """The bytes inside a gzip file; raises Refusal when it is cut, damaged or unpacks to far too much."""

    def __init__(self, raw: _Plain) -> None:
        self._raw = raw
        self._gzip = gzip.GzipFile(fileobj=io.BufferedReader(raw, 1 << 16), mode="rb")
        self._out = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        try:
            chunk = self._gzip.read1(len(buffer))
        except EOFError as error:
            raise Cut("the gzip file ends too early: the last row is missing", EXPORT_AGAIN) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise Cut("the gzip file is damaged from here on", EXPORT_AGAIN) from error
        self._out += len(chunk)
        if self._out > GZIP_BYTES or (self._out > GZIP_FREE and self._out > GZIP_RATIO * self._raw.tell()):
            raise Refusal(
                f"the gzip file unpacks to far too much (more than {GZIP_RATIO}:1 or {GZIP_BYTES >> 30} GB)",
                "unpack it and put the plain file here, if it is what you expect",
            )
        buffer[: len(chunk)] = chunk
        return len(chunk)
