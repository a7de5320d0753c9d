"""The shops of a configuration beside those of the database: other names and other sellers of the same shops."""

import hashlib
import json
from collections import Counter

import structlog
from sqlalchemy import Connection

from daemon.config import Config, ShopSection
from daemon.store import feeds, meta, renames, sellers

log = structlog.get_logger()
_MARKS = "shop_marks"


def take_on(connection: Connection, settings: Config, now: int) -> None:
    """Rename shops whose section has another name and the same folder or access as before; remember each one's.
    Give those to their seller that belong to another one now.

    Only where no other can be meant. Calls that are under way end first: until then such a shop rests.
    """
    marks: dict[str, str] = json.loads(meta.get(connection, _MARKS) or "{}")
    found = {name: mark for name, section in settings.shops.items() if (mark := _mark(section, settings)) is not None}
    shared = Counter([*found.values(), *(mark for name, mark in marks.items() if name not in settings.shops)])
    gone = {row["shop"] for row in feeds.statuses(connection)} - settings.shops.keys()
    for old in sorted(gone & marks.keys()):
        new = [name for name, mark in found.items() if mark == marks[old]]
        if shared[marks[old]] != 2 or len(new) != 1 or feeds.get(connection, new[0]) is not None:
            continue
        if renames.under_way(connection, old):
            log.warning("shop.rename_waits", old=old, new=new[0])
            continue
        renames.rename(connection, old, new[0], now, "forestall")
        log.warning("shop.renamed", old=old, new=new[0])
        del marks[old]
    meta.put(connection, _MARKS, json.dumps(marks | found, sort_keys=True))
    for name, section in sorted(settings.shops.items()):
        row = feeds.get(connection, name)
        if row is not None and row["seller"] != section.seller:
            log.warning("shop.sold", shop=name, before=row["seller"], seller=section.seller)
            sellers.move(connection, name, section.seller, now)


def _mark(section: ShopSection, settings: Config) -> str | None:
    """What a shop's data comes from, as a hash; None where nothing tells it from another's."""
    if section.path is None and not section.options:
        return None
    path = str((settings.base / section.path).resolve()) if section.path is not None else ""
    said = [section.platform, section.seller, section.feed, path, sorted(section.options.items())]
    return hashlib.blake2b(json.dumps(said).encode(), digest_size=12).hexdigest()
