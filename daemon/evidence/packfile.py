"""An appeal pack as files: written whole or not at all, read back from any of its forms, and checked.

FILE.html and FILE.json beside one another, or both in one FILE.zip.
"""

import json
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon import mistakes
from daemon.errors import Usage
from daemon.evidence import appeal, page
from daemon.evidence.anchors import Recorded
from daemon.evidence.chain import Checked, check
from daemon.i18n import gettext as _
from daemon.store.journal import body_hash, entry_hash
from daemon.store.links import Link

SUFFIXES = (".html", ".json", ".zip")
_WRITTEN = (1980, 1, 1, 0, 0, 0)
"""The time in a zip's directory: none, so that the same pack gives the same bytes."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that was read. `html` is None where only the document is there."""

    name: str
    document: Mapping[str, Any]
    html: str | None


def write(document: Mapping[str, Any], out: Path) -> list[Path]:
    """Write a pack to `out` (.zip; else .html and .json of that name). Returns the files. Raises OSError."""
    texts = {".html": page.render(document), ".json": json.dumps(document, ensure_ascii=False, indent=1) + "\n"}
    if out.suffix == ".zip":
        half = out.with_name(out.name + ".part")
        with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as archive:
            for suffix, text in texts.items():
                archive.writestr(zipfile.ZipInfo(out.stem + suffix, _WRITTEN), text, zipfile.ZIP_DEFLATED)
        half.replace(out)
        return [out]
    written = []
    for suffix, text in texts.items():
        path = _sibling(out, suffix)
        half = path.with_name(path.name + ".part")
        half.write_text(text, "utf-8")
        half.replace(path)
        written.append(path)
    return written


def read(path: Path) -> Pack:
    """A pack from any of its files. Raises Usage when it is none, or cannot be read."""
    try:
        if path.suffix == ".zip":
            return _unzipped(path)
        html = _sibling(path, ".html")
        text = _sibling(path, ".json").read_text("utf-8")
        return Pack(path.name, _document(text), html.read_text("utf-8") if html.exists() else None)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        reason = mistakes.translated(error.strerror or "") if isinstance(error, OSError) else str(error)
        raise Usage(_("{file}: no appeal pack ({reason})").format(file=path, reason=reason)) from error


def examine(pack: Pack, recorded: Recorded) -> tuple[Checked, list[str]]:
    """What is wrong with a pack: its chain, against its own head and against anchors; then its other parts by name."""
    try:
        return _followed(pack.document, recorded), _unproven(pack)
    except (KeyError, TypeError, ValueError, AttributeError):
        return Checked(str(pack.document["shop"])), ["document"]


def claimed_head(document: Mapping[str, Any]) -> tuple[int, bytes] | None:
    """The head of the chain (place, hash) that a pack says it was made at."""
    return _head(document["chain"])


def _head(chain: Mapping[str, Any]) -> tuple[int, bytes] | None:
    head = chain["head"]
    return None if head is None else (int(head["seq"]), bytes.fromhex(head["hash"]))


def _followed(document: Mapping[str, Any], recorded: Recorded) -> Checked:
    """Follow a pack's chain, and those of the names that its shop had before. What is wrong with any is its damage."""
    found = _follow(document["chain"], str(document["shop"]), recorded)
    for chain in document.get("earlier", ()):
        for damage in _follow(chain, str(chain["shop"]), recorded).damage:
            found.add(damage)
    return found


def _follow(chain: Mapping[str, Any], shop: str, recorded: Recorded) -> Checked:
    """Follow one chain from the link before its first one. Anchors later than the pack say nothing of it."""
    start = min((link["seq"] for link in chain["links"]), default=1) - 1
    head = _head(chain)
    end = head[0] if head is not None else 0
    known = {seq: set(hashes) for seq, hashes in recorded.of.get(shop, {}).items() if start < seq <= end}
    if head is not None:
        known.setdefault(head[0], set()).add(head[1])
    return check(shop, map(_link, chain["links"]), known, (start, bytes.fromhex(chain["before"])))


def _unproven(pack: Pack) -> list[str]:
    """Parts of a pack that do not say what its proof says."""
    document = pack.document
    wrong = []
    if appeal.digest(document) != document["digest"]:
        wrong.append("document")
    if _claimed(document) != _proven(document):
        wrong.append("timeline")
    if pack.html is not None and pack.html != page.render(document):
        wrong.append("page")
    return wrong


def _claimed(document: Mapping[str, Any]) -> Counter[str]:
    """The lines of the timeline that are said to be proven."""
    return Counter(json.dumps(one, sort_keys=True) for one in document["timeline"] if not one.get("withheld"))


def _proven(document: Mapping[str, Any]) -> Counter[str]:
    """The lines of the timeline that the shown entries make."""
    return Counter(
        json.dumps(item, sort_keys=True)
        for chain in (document["chain"], *document.get("earlier", ()))
        for link in chain["links"]
        for item in appeal.items(
            link["seq"],
            [one["entry"].encode() for one in link.get("entries", ()) if "entry" in one],
            document["order_id"],
        )
    )


def _link(link: Mapping[str, Any]) -> Link:
    digest = bytes.fromhex(link["hash"])
    if "entries" not in link:
        return Link(link["seq"], link["at"], bytes.fromhex(link["body"]) if link["body"] else None, digest)
    hashes = (
        entry_hash(one["entry"].encode()) if "entry" in one else bytes.fromhex(one["hash"]) for one in link["entries"]
    )
    return Link(link["seq"], link["at"], body_hash(hashes), digest)


def _unzipped(path: Path) -> Pack:
    with zipfile.ZipFile(path) as archive:
        names = {Path(name).suffix: name for name in archive.namelist()}
        html = archive.read(names[".html"]).decode() if ".html" in names else None
        return Pack(path.name, _document(archive.read(names[".json"]).decode()), html)


def _document(text: str) -> dict[str, Any]:
    document = json.loads(text)
    if not isinstance(document, dict) or document.get("evidence") != appeal.FORMAT:
        raise ValueError(_("made by another program or version"))
    missing = {"shop", "order_id", "language", "timezone", "timeline", "chain", "digest"} - document.keys()
    if missing:
        raise ValueError(_("{names} missing").format(names=", ".join(sorted(missing))))
    return document


def _sibling(path: Path, suffix: str) -> Path:
    return path.with_suffix(suffix) if path.suffix in SUFFIXES else path.with_name(path.name + suffix)
