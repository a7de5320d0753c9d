"""Checking all chains of a database, or one appeal pack, against what was recorded elsewhere."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from daemon import mistakes
from daemon.errors import Usage
from daemon.evidence import anchors, packfile
from daemon.evidence.anchors import Recorded
from daemon.evidence.chain import Checked, Damage, check
from daemon.evidence.packfile import Pack
from daemon.i18n import gettext as _
from daemon.store import links
from daemon.store.database import Database


def recorded(files: Iterable[Path], own: Path | None) -> Recorded:
    """The anchors in files (anchor files and appeal packs), and the daemon's own where there are any.

    Raises Usage for a file that cannot be read.
    """
    made = Recorded()
    for path in [*files, *([own] if own is not None and own.exists() else [])]:
        if path.suffix in packfile.SUFFIXES:
            document = packfile.read(path).document
            head = packfile.claimed_head(document)
            if head is not None:
                made.add(str(document["shop"]), *head)
            continue
        try:
            anchors.read(path, made)
        except OSError as error:
            raise Usage(
                _("{file}: cannot be read ({reason})").format(
                    file=path, reason=mistakes.translated(error.strerror or "")
                )
            ) from error
    return made


def every_chain(database: Database, known: Recorded) -> Iterator[Checked]:
    """Check the chain of every shop that has one, or of which an anchor says that it had."""
    with database.begin() as tx:
        names = {*links.shops(tx), *known.of}
    for shop in sorted(names):
        yield check(shop, links.links(database, shop), known.of.get(shop, {}))


def with_database(database: Database, pack: Pack, known: Recorded) -> Damage | None:
    """Let the database's own chain bear witness for a pack; returns how much of it the database has lost."""
    shop = str(pack.document["shop"])
    head = packfile.claimed_head(pack.document)
    places = {int(link["seq"]) for link in pack.document["chain"]["links"] if "entries" in link}
    with database.begin() as tx:
        newest = links.head(tx, shop)
        for seq in sorted(places | ({head[0]} if head is not None else set())):
            stored = links.hash_at(tx, shop, seq)
            if stored is not None:
                known.add(shop, seq, stored)
    if newest is None or head is None or head[0] <= newest.seq:
        return None
    return Damage("cut", newest.seq + 1, head[0])
