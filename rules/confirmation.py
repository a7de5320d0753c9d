"""What a person's confirmation of a pack row is bound to: a digest of the row's content."""

import json
from dataclasses import fields
from datetime import date
from hashlib import blake2b
from typing import Any

from rules.packdata import Row


def fingerprint(platform: str, row: Row) -> str:
    """BLAKE2b-128 over the row's canonical content: JSON, sorted keys, only what differs from the defaults.

    So a confirmation survives new optional keys, and nothing else.
    """
    content = {"platform": platform, **_content(row)}
    content.pop("digest", None)
    content.pop("by_promise", None)
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _content(value: Any) -> dict[str, Any]:
    return {f.name: given for f in fields(value) if (given := getattr(value, f.name)) != f.default}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else _content(value)
