"""Physical lines of a file: capped in length, numbered from 1, decoded strictly, in constant memory."""

import codecs
import io
from collections.abc import Iterator

from adapters.files.opening import Source
from adapters.files.refusal import EXPORT_AGAIN, Cut, Refusal

LINE_BYTES = 1 << 20
"""Longest line; a longer one is skipped and refused."""

_CHUNK = 1 << 20
_SURE_CHARS = 8
"""So many good multi-byte UTF-8 characters make a file UTF-8 with damage rather than GB18030."""
_SAVE_UTF8 = "save the file as UTF-8 (in Excel: CSV UTF-8)"

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


def text_lines(source: Source) -> Iterator[Line]:
    """Number and text of each line with its line end; one that cannot be decoded is a Refusal in its place.

    The encoding is told by the byte order mark, else UTF-8 where the whole file is strict UTF-8, else
    GB18030. Nothing is ever replaced: a line with undecodable bytes, or with U+FFFD left by someone
    else's replacing, is refused.
    """
    encoding = encoding_of(source)
    stream = source.stream()
    if encoding == "utf-16":
        yield from _utf16_lines(stream)
        return
    for number, line in byte_lines(stream):
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


def encoding_of(source: Source) -> str:
    """`utf-8`, `utf-16` or `gb18030`: how the file's text is to be decoded. Reads the file once through."""
    stream = source.stream()
    head = stream.peek(4)[:3]
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head == codecs.BOM_UTF8:
        return "utf-8"
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    wide = 0
    try:
        while chunk := stream.read(_CHUNK):
            text = decoder.decode(chunk)
            wide += _wide(text) if wide < _SURE_CHARS else 0
    except UnicodeDecodeError as error:
        wide += _wide(error.object[: error.start].decode("utf-8", "ignore"))
        return "utf-8" if wide >= _SURE_CHARS else "gb18030"
    except Cut:
        return "utf-8"
    return "utf-8"


def _wide(text: str) -> int:
    """About how many characters of `text` are not ASCII: the bytes they take beyond one each, halved."""
    return 0 if text.isascii() else (len(text.encode()) - len(text)) // 2


def _utf16_lines(stream: io.BufferedReader) -> Iterator[Line]:
    reader = io.TextIOWrapper(stream, encoding="utf-16", newline="\n")
    number = 0
    try:
        while text := reader.readline(LINE_BYTES):
            number += 1
            if len(text) < LINE_BYTES or text.endswith("\n"):
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
    return Refusal("the line is neither UTF-8 nor GB18030 (GBK)", _SAVE_UTF8, number)


def _spoilt(number: int) -> Refusal:
    return Refusal(
        "the line holds replacement characters: it was once read in the wrong encoding", EXPORT_AGAIN, number
    )
