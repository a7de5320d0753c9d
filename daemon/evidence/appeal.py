"""The appeal pack of one order: what happened, what was said and promised, by which rules, and the proof.

The document holds the order's own entries of the shop's hash chain word for word, and of everything else only
hashes: whoever gets it can follow the chain from the order's first entry to its head without seeing another order.
"""

import hashlib
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, select

from daemon.evidence import timeline
from daemon.evidence.timeline import Item
from daemon.explanation import why
from daemon.i18n import language
from daemon.shops import Shops
from daemon.store import links, names, policies, views
from daemon.store.database import Database
from daemon.store.journal import entry_hash
from daemon.store.links import Link
from daemon.tables import Action, Member
from rules.instant import format_utc
from rules.model import Kind
from rules.playbook import Playbook

A = Action.__table__  # type: ignore[attr-defined]
M = Member.__table__  # type: ignore[attr-defined]
FORMAT = 1
ALGORITHM = "blake2b-256"
_SAID = frozenset({Kind.CONTACT, Kind.NEGOTIATE, Kind.COMPENSATE, Kind.TASK})
_canonical = msgspec.json.Encoder(order="sorted").encode
_load = msgspec.json.decode


def build(database: Database, shops: Shops, shop: str, order_id: str, now: int) -> dict[str, Any]:
    """The document of a known order, as of `now`, in the language of this process."""
    with database.begin() as tx:
        document = _told(tx, shops, shop, order_id, now)
        called = [*names.before(tx, shop), (shop, 1 << 62)]
        owns = [_until(end, links.about(tx, name, order_id)) for name, end in called]
        alerts = [alert for name, end in called for alert in _alerts(tx, shop, order_id, name, end)]
        newest = [links.head(tx, name, end) for name, end in called]
    shown = [item for own in owns for seq, pieces in own.items() for item in items(seq, pieces, order_id)]
    document["timeline"] = timeline.ordered([*shown, *alerts])
    document["receipts"] = [
        {name: item.get(name) for name in ("at", "key", "outcome", "reason", "seq")}
        for item in document["timeline"]
        if item["event"] in ("outcome", "delivery")
    ]
    chains = [
        {"shop": name} | _chain(database, name, order_id, own, head)
        for (name, _), own, head in zip(called, owns, newest, strict=True)
    ]
    document["chain"] = chains[-1]
    if chains[:-1]:  # the chains of the names that the shop had before
        document["earlier"] = chains[:-1]
    document["digest"] = digest(document)
    return document


def digest(document: Mapping[str, Any]) -> str:
    """The hash of all of a document but its digest."""
    content = {name: value for name, value in document.items() if name != "digest"}
    return hashlib.blake2b(_canonical(content), digest_size=32).hexdigest()


def items(seq: int, pieces: list[bytes], order_id: str) -> Iterator[Item]:
    """The lines of the timeline that the shown entries of a link are."""
    for piece in pieces:
        entry = _load(piece)
        if entry.get("order_id") == order_id:
            yield timeline.item(seq, entry)


def _told(tx: Connection, shops: Shops, shop: str, order_id: str, now: int) -> dict[str, Any]:
    """What people read first: the order, its deadline and who says so, rules, cases, messages."""
    explained = why(tx, shops, shop, order_id, None, now) or {}
    (row,) = views.order_rows(tx, shop=shop, order_id=order_id)
    policy = shops.get(shop, row["platform"]).policy
    facts = views.order_of(tx, shop, order_id)
    start = policy.pack.starts_at(facts) if facts is not None else row["paid_at"]
    return {
        "evidence": FORMAT,
        "made_by": f"forestall {version('forestall')}",
        "made_at": format_utc(now),
        "language": language(),
        "timezone": policy.zone.key,
        "shop": shop,
        "platform": row["platform"],
        "order_id": order_id,
        "order": views.order_json(row),
        "ship_by": explained.get("ship_by"),
        "act_by": explained.get("act_by"),
        "candidates": explained.get("candidates", []),
        "rules": explained.get("rules", []),
        "pack": policy.pack.version(start),
        "policies": policies.uses(tx, shop, now) or [policies.today(shops.get(shop)).document()],
        "cases": [views.case_json(case) for case in views.case_rows(tx, shop=shop, order_id=order_id, open_only=False)],
        "messages": [
            _message(row, policy.playbook)
            for row in tx.execute(_actions(shop, order_id)).mappings()
            if row["kind"] in _SAID
        ],
    }


def _message(row: RowMapping, playbook: Playbook) -> dict[str, Any]:
    """What was said, or put before a person to say. `matches`: the text is the one whose hash the call left."""
    request = row["request"]
    text, matches = None, None
    template = playbook.approved(row["template"]) if row["template"] is not None else None
    if template is not None:
        text = template.filled(row["order_id"])
    if request is not None and request.startswith("{"):
        task = _load(request)
        text = f"{task['title']}\n{task['text']}"
    elif request is not None and text is not None:
        matches = hashlib.blake2b(f"{row['key']}\0{text}".encode(), digest_size=16).hexdigest() == request
    return {
        **{name: row[name] for name in ("key", "kind", "step", "channel", "template", "reason", "outcome", "mode")},
        "at": format_utc(row["at"]),
        "outcome_at": format_utc(row["outcome_at"]) if row["outcome_at"] is not None else None,
        "attempts": row["attempts"],
        "amount_minor": row["amount_minor"],
        "currency": row["currency"],
        "text": text,
        "matches": matches,
        "receipt": row["note"] or None,
    }


def _until(end: int, own: dict[int, list[bytes]]) -> dict[int, list[bytes]]:
    return {seq: pieces for seq, pieces in own.items() if seq <= end}


def _alerts(tx: Connection, shop: str, order_id: str, called: str, end: int) -> Iterator[Item]:
    """Alerts that named the order, in the chain of the name `called` up to link `end`.

    They name others too, so their entries stay in the house: only hashes leave it.
    """
    causes = select(M.c.cause).where(M.c.shop == shop, M.c.order_id == order_id).distinct().order_by(M.c.cause)
    for cause in map(names.Move(shop, called).text, tx.execute(causes).scalars().all()):
        told: set[str] = set()
        for seq, pieces in _until(end, links.about(tx, called, cause)).items():
            for entry in map(_load, pieces):
                if entry.get("cause") != cause:
                    continue
                if order_id in (entry.get("members") or ()):
                    told.add(entry["key"])
                if entry.get("key") in told:
                    yield timeline.item(seq, entry) | {"withheld": True}


def _chain(
    database: Database, shop: str, order_id: str, own: Mapping[int, list[bytes]], newest: links.Head | None
) -> dict[str, Any]:
    """The chain from the order's first link to its head: own entries as they are stored, all others as hashes."""
    first, end = min(own, default=1), newest.seq if newest is not None else 0
    with database.begin() as tx:
        before = links.hash_at(tx, shop, first - 1) or b""
    return {
        "algorithm": ALGORITHM,
        "before": before.hex(),
        "links": [_link(link, own.get(link.seq), order_id) for link in links.links(database, shop, first - 1, end)],
        "head": {"seq": newest.seq, "hash": newest.hash.hex(), "at": format_utc(newest.at)} if newest else None,
    }


def _link(link: Link, pieces: list[bytes] | None, order_id: str) -> dict[str, Any]:
    place = {"seq": link.seq, "at": link.at, "hash": link.hash.hex()}
    if pieces is None:
        return place | {"body": link.body.hex() if link.body is not None else None}
    return place | {"entries": [_piece(piece, order_id) for piece in pieces]}


def _piece(piece: bytes, order_id: str) -> dict[str, str]:
    if _load(piece).get("order_id") == order_id:
        return {"entry": piece.decode()}
    return {"hash": entry_hash(piece).hex()}


def _actions(shop: str, order_id: str) -> Any:
    where = (A.c.shop == shop, A.c.order_id == order_id, A.c.dropped.is_(False))
    return select(A).where(*where).order_by(A.c.at, A.c.key)
