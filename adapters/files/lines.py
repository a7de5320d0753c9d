"""Physical lines of a file: capped in length, numbered from 1, decoded strictly, in constant memory."""

import io
from collections.abc import Iterator

from adapters.files.opening import Source
from adapters.files.refusal import EXPORT_AGAIN, Refusal

LINE_BYTES = 1 << 20
"""Longest line; a longer one is skipped and refused."""

RETURNS_BYTES = 4 << 20
"""Most bytes that are held of a line whose end is a carriage return."""

_CHUNK = 1 << 20
_HEAD = 1 << 16
_SAVE_UTF8 = "save the file as UTF-8 (in Excel: CSV UTF-8), or state the shop's encoding"

Line = tuple[int, str | Refusal]


def byte_lines(stream: io.BufferedReader) -> Iterator[tuple[int, bytes | None]]:
    """Number and bytes of each line with its line end; None for a line of more than `LINE_BYTES`."""
    number = 0
    readline = stream.readline
    while line := readline(LINE_BYTES):
        number += 1
        if len(line) < LINE_BYTES or line.endswith(b"\n"):
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = readline(LINE_BYTES)
        yield number, None


def too_long(number: int) -> Refusal:
    """What is said of a line over the cap."""
    return Refusal(
        f"the line is longer than {LINE_BYTES >> 20} MB", "write one order per line, with line breaks", number
    )


def text_lines(source: Source, encoding: str) -> Iterator[Line]:
    """Number and text of each line with its line end; one that cannot be decoded is a Refusal in its place.

    Nothing is ever replaced: a line with undecodable bytes, or with U+FFFD left by someone else's
    replacing, is refused.
    """
    stream = source.stream()
    if encoding.startswith(("utf-16", "utf-32")):
        yield from _wide_lines(stream, encoding)
        return
    pieces = mac_lines(stream) if _ends_with_returns(stream) else byte_lines(stream)
    for number, line in pieces:
        if line is None:
            yield number, too_long(number)
            continue
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            yield number, _undecodable(encoding, number)
            continue
        if number == 1:
            text = text.removeprefix("\ufeff")
        yield number, _spoilt(number) if "\ufffd" in text else text


def _ends_with_returns(stream: io.BufferedReader) -> bool:
    """Whether lines end with a carriage return alone, as in "CSV (Macintosh)"."""
    head = stream.peek(_HEAD)
    return b"\r" in head[:-1] and b"\n" not in head


def mac_lines(stream: io.BufferedReader) -> Iterator[tuple[int, bytes | None]]:
    """The same as `byte_lines` for lines that end with a carriage return; each comes with a line feed instead."""
    number, rest = 0, b""
    while chunk := stream.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\r")
        for line in whole:
            number += 1
            yield number, line + b"\n" if len(line) < LINE_BYTES else None
        if len(rest) > RETURNS_BYTES:
            raise Refusal("a line without an end", EXPORT_AGAIN, number + 1)
    if rest:
        yield number + 1, rest


def _wide_lines(stream: io.BufferedReader, encoding: str) -> Iterator[Line]:
    head = stream.peek(_HEAD)[:_HEAD].decode(encoding, "ignore")
    returns = "\r" in head[:-1] and "\n" not in head
    reader = io.TextIOWrapper(stream, encoding=encoding, newline=None if returns else "\n")
    number = 0
    try:
        while text := reader.readline(LINE_BYTES):
            number += 1
            if len(text) < LINE_BYTES or text.endswith("\n"):
                text = text.removeprefix("\ufeff") if number == 1 else text
                yield number, _spoilt(number) if "\ufffd" in text else text
                continue
            while text and not text.endswith("\n"):
                text = reader.readline(LINE_BYTES)
            yield number, too_long(number)
    except UnicodeDecodeError as error:
        raise Refusal("the UTF-16 text is cut or damaged from here on", EXPORT_AGAIN, number + 1) from error
    finally:
        reader.detach()


def _undecodable(encoding: str, number: int) -> Refusal:
    if encoding == "utf-8":
        return Refusal("the line is not valid UTF-8, as the rest of the file is", EXPORT_AGAIN, number)
    return Refusal(f"the line is not text in {encoding}, as the rest of the file is", _SAVE_UTF8, number)


def _spoilt(number: int) -> Refusal:
    return Refusal(
        "the line holds replacement characters: it was once read in the wrong encoding", EXPORT_AGAIN, number
    )
