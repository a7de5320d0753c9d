"""By which playbook and rule pack a shop was decided at any instant: texts kept by digest, uses by their beginning."""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import BigInteger, Connection, Text, bindparam, select

from daemon.shops import Shop, Shops
from daemon.store.journal import Journal
from daemon.store.upsert import replace_all, upsert
from daemon.tables import PolicyText, PolicyUse
from rules import key, packs, playbook
from rules.errors import PolicyError
from rules.instant import format_utc
from rules.packs import Pack
from rules.playbook import Playbook
from rules.policy import Policy

T = PolicyText.__table__  # type: ignore[attr-defined]
U = PolicyUse.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A policy and where it is from.

    source: `kept` as it was in force then; `today` today's, where none was kept for that instant;
    `unreadable` today's, since this version cannot read what was kept. `since`: when it came into force.
    """

    policy: Policy
    pack_digest: str
    source: Literal["kept", "today", "unreadable"]
    since: int | None = None

    def document(self) -> dict[str, Any]:
        """As `why --json` shows it."""
        return {
            "playbook": self.policy.playbook.version,
            "playbook_digest": self.policy.playbook.digest,
            "pack": self.policy.pack.version(None),
            "pack_digest": self.pack_digest,
            "since": format_utc(self.since) if self.since is not None else None,
            "source": self.source,
        }


def remember(connection: Connection, journal: Journal, shops: Shops, now: int) -> None:
    """Keep what the configured shops are decided by from `now` on, where that is new; it becomes evidence too."""
    for name, shop in sorted(shops.known.items()):
        use = _use(shop, now)
        last = connection.execute(_LAST, {"b_shop": name, "b_at": now}).mappings().first()
        if last is not None and all(last[column] == use[column] for column in ("playbook", "pack", "confirmed")):
            continue
        plays, pack = shop.policy.playbook, shop.policy.pack
        kept = ((plays.digest, plays.version, plays.text), (use["pack"], pack.version(None), _pack_text(pack)))
        for digest, title, text in kept:
            connection.execute(_KEEP[connection.dialect.name], {"digest": digest, "name": title, "text": text})
        connection.execute(_USE[connection.dialect.name], use)
        cause = f"{key.part(name)}/policy"
        versions = {"playbook": plays.version, "pack": pack.version(None)}
        digests = {"playbook_digest": plays.digest, "pack_digest": use["pack"]}
        entry = {"event": "policy_changed", "cause": cause, "at": format_utc(now), "shop": name}
        journal.note(name, cause, {**entry, **versions, **digests})


def today(shop: Shop) -> InForce:
    """What the shop is decided by now."""
    return InForce(policy=shop.policy, pack_digest=_digest(_pack_text(shop.policy.pack)), source="today")


def in_force(connection: Connection, shop: Shop, at: int) -> InForce:
    """What the shop's orders were decided by at an instant. Warehouse, zone and maintenance are today's."""
    use = connection.execute(_LAST, {"b_shop": shop.name, "b_at": at}).mappings().first()
    if use is None:
        return today(shop)
    texts = {row.digest: row.text for row in connection.execute(_TEXTS, {"digests": [use["playbook"], use["pack"]]})}
    now = shop.policy
    try:
        policy = replace(
            now,
            playbook=_playbook(texts[use["playbook"]]),
            pack=packs.kept(texts[use["pack"]], now.pack.platform, now.zone.key),
            confirmed=frozenset(json.loads(use["confirmed"])),
        )
    except PolicyError:
        return replace(today(shop), source="unreadable", since=use["since"])
    return InForce(policy=policy, pack_digest=use["pack"], source="kept", since=use["since"])


def uses(connection: Connection, shop: str, until: int) -> list[dict[str, Any]]:
    """Every policy the shop was decided by up to an instant, the oldest first: versions and digests."""
    return [
        {
            "playbook": row.playbook_name,
            "playbook_digest": row.playbook,
            "pack": row.pack_name,
            "pack_digest": row.pack,
            "since": format_utc(row.since),
        }
        for row in connection.execute(_USES, {"b_shop": shop, "b_at": until})
    ]


def _use(shop: Shop, now: int) -> dict[str, Any]:
    return {
        "shop": shop.name,
        "since": now,
        "seller": shop.seller,
        "playbook": shop.policy.playbook.digest,
        "pack": _digest(_pack_text(shop.policy.pack)),
        "confirmed": json.dumps(sorted(shop.policy.confirmed)),
    }


def _pack_text(pack: Pack) -> str:
    return packs.shipped_text(pack.platform)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@lru_cache(maxsize=64)
def _playbook(text: str) -> Playbook:
    return playbook.parse(text, "the playbook of that time")


_shop = bindparam("b_shop", type_=Text)
_LAST = (
    select(U)
    .where(U.c.shop == _shop, U.c.since <= bindparam("b_at", type_=BigInteger))
    .order_by(U.c.since.desc())
    .limit(1)
)
_PLAYS, _PACKS = T.alias("plays"), T.alias("packs")
_USES = (
    select(U, _PLAYS.c.name.label("playbook_name"), _PACKS.c.name.label("pack_name"))
    .join(_PLAYS, _PLAYS.c.digest == U.c.playbook)
    .join(_PACKS, _PACKS.c.digest == U.c.pack)
    .where(U.c.shop == _shop, U.c.since <= bindparam("b_at", type_=BigInteger))
    .order_by(U.c.since)
)
_TEXTS = select(T.c.digest, T.c.text).where(T.c.digest.in_(bindparam("digests", expanding=True)))
_KEEP = {d: upsert(d, T, ("digest",), None) for d in ("sqlite", "postgresql")}
_USE = {d: replace_all(d, U, ("shop", "since"), ("playbook", "pack", "confirmed")) for d in ("sqlite", "postgresql")}
