"""Which encoding a file's text is in: its byte order mark, strict UTF-8, what the shop says, else a detector's word.

A maintained detector (charset-normalizer) judges what is not Unicode, but short texts fit many encodings. Names of
columns that are known decide first; among readings that are nearly as likely the one wins that spreadsheets
use on computers where the shop is.
"""

import codecs
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from adapters.files.opening import Source
from adapters.files.refusal import Cut

UTF8 = "utf-8"
GB18030 = "gb18030"
LEGACY = (
    *(GB18030, "cp1252", "big5", "cp932", "euc_jp", "cp949", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255"),
    *("cp1256", "cp1257", "cp1258", "cp874", "koi8_r", "mac_roman", "cp850"),
)
"""Encodings that are not Unicode and that a file may be in, likely ones first."""

_BY_ZONE = {
    "cp932": "Asia/Tokyo",
    "cp949": "Asia/Seoul",
    "big5": "Asia/Taipei Asia/Hong_Kong Asia/Macau",
    GB18030: "Asia/Shanghai Asia/Urumqi",
    "cp874": "Asia/Bangkok",
    "cp1258": "Asia/Ho_Chi_Minh Asia/Saigon",
    "cp1250": "Europe/Warsaw Europe/Prague Europe/Budapest Europe/Bratislava Europe/Bucharest Europe/Zagreb "
    "Europe/Ljubljana Europe/Belgrade",
    "cp1251": "Europe/Moscow Europe/Kyiv Europe/Kiev Europe/Sofia Europe/Minsk Asia/Almaty",
    "cp1253": "Europe/Athens",
    "cp1254": "Europe/Istanbul",
    "cp1257": "Europe/Riga Europe/Vilnius Europe/Tallinn",
}
_ZONES = {zone: encoding for encoding, zones in _BY_ZONE.items() for zone in zones.split()}

_CHUNK = 1 << 20
_SAMPLE = 1 << 16
_HEAD_LINES = 30
_SURE_CHARS = 8
"""So many good multi-byte UTF-8 characters make a file UTF-8 with damage rather than anything else."""
_NEARLY = 0.1
"""How much more disorder (0 to 1, charset-normalizer's) a likely encoding may show than the tidiest one."""
_MARKS = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CELLS = re.compile(r"[,;\t|\r\n]")


class Hints(NamedTuple):
    """What is known of a file beforehand: names of columns, the encoding the shop states, its zone."""

    names: frozenset[str] = frozenset()
    stated: str | None = None
    zone: str | None = None


def of(source: Source, hints: Hints) -> str:
    """The encoding of a file's text. Reads the file once through where nothing in its head tells."""
    head = source.stream().read(4_096)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None) or _wide(head)
    if marked:
        return marked
    many = _utf8_chars(source)
    if many is None or many >= _SURE_CHARS:
        return UTF8
    return hints.stated or _legacy(source, hints) or UTF8


def normal(name: str) -> str:
    """A text encoding by the name people give it; raises LookupError."""
    info = codecs.lookup(name.strip())
    text = getattr(info, "_is_text_encoding", True)
    if not text or info.name in ("idna", "punycode", "raw_unicode_escape", "unicode_escape", "utf-7"):
        raise LookupError(name)
    return {"gbk": GB18030, "gb2312": GB18030, "iso8859-1": "cp1252", "ascii": UTF8}.get(info.name, info.name)


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: separators, digits and line ends have a zero byte on one side, few (一) on the other."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    least = len(head) // 20
    if odd > least and even * 10 <= odd:
        return "utf-16-le"
    return "utf-16-be" if even > least and odd * 10 <= even else None


def _utf8_chars(source: Source) -> int | None:
    """About how many good characters beyond ASCII stand before the first that is not UTF-8; None: all is UTF-8."""
    decoder = codecs.getincrementaldecoder(UTF8)("strict")
    stream = source.stream()
    many = 0
    try:
        while chunk := stream.read(_CHUNK):
            text = decoder.decode(chunk)
            many += _beyond_ascii(text) if many < _SURE_CHARS else 0
    except UnicodeDecodeError as error:
        return many + _beyond_ascii(error.object[: error.start].decode(UTF8, "ignore"))
    except Cut:
        return None
    return None


def _beyond_ascii(text: str) -> int:
    """About how many characters of `text` are not ASCII: the bytes they take beyond one each, halved."""
    return 0 if text.isascii() else (len(text.encode()) - len(text)) // 2


def _legacy(source: Source, hints: Hints) -> str | None:
    """The encoding of a file that is not Unicode; None when none fits."""
    head, odd = _sample(source)
    fitting = [one for one in LEGACY if _decodable(odd, one)]
    found = {one: _hits(head, one, hints.names) for one in fitting}
    best = max(found.values(), default=0)
    fitting = [one for one in fitting if found[one] == best]
    usual = _ZONES.get(hints.zone, "cp1252") if hints.zone else GB18030
    likely = [one for one in (usual, GB18030, "cp1252") if one in fitting]
    if len(fitting) <= 1 or (best and likely):
        return next(iter([*likely, *fitting]), None)
    return _detected(b"".join(odd), fitting, likely) or next(iter([*likely, *fitting]), None)


def _sample(source: Source) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """The first lines, and lines that are not plain ASCII."""
    stream = source.stream()
    head = list(islice(iter(lambda: stream.readline(_SAMPLE), b""), _HEAD_LINES))
    odd = [line for line in head if not line.isascii()]
    size = sum(map(len, odd))
    try:
        while size < _SAMPLE and (line := stream.readline(_SAMPLE)):
            if not line.isascii():
                odd.append(line)
                size += len(line)
    except Cut:
        pass  # what was read before it decides; the reader itself comes to the same place and names it
    return head, odd


def _decodable(odd: Iterable[bytes], encoding: str) -> bool:
    """Whether nearly all lines are text of that encoding: one damaged line does not decide over a file."""
    good = bad = 0
    for line in odd:
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            bad += 1
        else:
            good, bad = (good + 1, bad) if _printable(text) else (good, bad + 1)
    return good > 9 * bad


def _printable(text: str) -> bool:
    return text.isprintable() or all(char.isprintable() or char in "\t\r\n\x0b\x0c\u3000\xa0" for char in text)


def _hits(head: Iterable[bytes], encoding: str, names: frozenset[str]) -> int:
    """How many known names of columns the line of the first ones that holds most of them has."""
    lines = (_CELLS.split(line.decode(encoding, "replace")) for line in head)
    return max((len({cell.strip(" \"'") for cell in cells} & names) for cells in lines), default=0)


def _detected(text: bytes, fitting: Sequence[str], likely: Sequence[str]) -> str | None:
    """The detector's choice among `fitting`, or the first of `likely` that is nearly as tidy."""
    from charset_normalizer import from_bytes  # only here: most files never need it

    matches = from_bytes(text, cp_isolation=list(fitting), enable_fallback=False)
    disorder = {name: one.chaos for one in reversed(list(matches)) for name in one.could_be_from_charset}
    least = min(disorder.values(), default=0.0)
    near = [one for one in likely if disorder.get(one, 1.0) <= least + _NEARLY]
    best = matches.best()
    return next(iter(near), best.encoding if best else None)
