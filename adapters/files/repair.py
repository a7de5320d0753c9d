"""A workbook that the library stumbles over, copied without what is not needed to read its cells.

Excel opens such files: Strict Open XML under other namespaces, styles with empty or unknown fills, broken names
and properties. Of the styles only the number formats stay, since they tell times from numbers.
"""

import re
import zipfile
from typing import IO
from xml.sax.saxutils import quoteattr

from defusedxml.ElementTree import fromstring

_NAMESPACES = (
    (b"http://purl.oclc.org/ooxml/spreadsheetml/main", b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"),
    (
        b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    ),
)
_NAMES = re.compile(rb"<(?:\w+:)?definedNames\b.*?</(?:\w+:)?definedNames>", re.DOTALL)
_HEAD = 1 << 16
"""Namespaces are declared at the beginning of a part."""
_CHUNK = 1 << 20
_STYLES = 4_096
"""So many plain styles stand in where a workbook's own cannot be read: its times are then bare numbers."""
_STYLES_BYTES = 16 << 20


def copy(content: IO[bytes], target: IO[bytes]) -> None:
    """Write a workbook's cells to `target` as an ordinary .xlsx. Raises what zipfile raises for damaged archives."""
    content.seek(0)
    with (
        zipfile.ZipFile(content) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made,
    ):
        for entry in source.infolist():
            name = entry.filename.lower()
            if name.startswith(("docprops/", "customxml/", "xl/drawings/", "xl/media/", "xl/externallinks/")):
                continue
            with source.open(entry) as part, made.open(entry.filename, "w") as copied:
                if name == "xl/styles.xml":
                    copied.write(_styles(part.read(_STYLES_BYTES)))
                    continue
                head = part.read(_CHUNK if name.endswith(".rels") or name == "xl/workbook.xml" else _HEAD)
                for strict, usual in _NAMESPACES:
                    head = head.replace(strict, usual)
                copied.write(_NAMES.sub(b"", head) if name == "xl/workbook.xml" else head)
                while chunk := part.read(_CHUNK):
                    copied.write(chunk)


def _styles(content: bytes) -> bytes:
    """The number formats of a workbook and which style has which, and nothing else."""
    formats: list[tuple[str, str]] = []
    styles: list[str] = []
    try:
        for element in fromstring(content):
            kind = element.tag.rpartition("}")[2]
            if kind == "numFmts":
                formats = [(one.get("numFmtId", "0"), one.get("formatCode", "General")) for one in element]
            elif kind == "cellXfs":
                styles = [one.get("numFmtId", "0") for one in element]
    except (SyntaxError, ValueError):
        styles = ["0"] * _STYLES
    known = "".join(f"<numFmt numFmtId={quoteattr(key)} formatCode={quoteattr(code)}/>" for key, code in formats)
    used = "".join(f'<xf numFmtId={quoteattr(one)} fontId="0" fillId="0" borderId="0" xfId="0"/>' for one in styles)
    return (
        '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<numFmts count="{len(formats)}">{known}</numFmts><fonts count="1"><font/></fonts>'
        '<fills count="1"><fill><patternFill/></fill></fills><borders count="1"><border/></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f'<cellXfs count="{len(styles)}">{used}</cellXfs></styleSheet>'
    ).encode()
