"""What a person may do to listings of short pools: see what is planned, stop them, put them back on sale.

Nothing is called from here: a stop or resume is an action in the outbox, carried out by dispatch like any other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from daemon.lines import line
from daemon.shops import Shops
from daemon.store import causes, decisions, listings, outbox
from daemon.store.journal import Journal
from daemon.store.listings import Place
from rules import delist, key, packs, presale
from rules.cause import listing_act, moves_of
from rules.delist import Judgement, Move, Sale, Touched
from rules.model import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One listing of a pool that is short, or that we touched.

    `name`: shop/id as causes write it, `title`: as people do. `short`: orders are not covered. `person`: whoever
    stopped it did so by hand, so a person resumes it.
    """

    place: Place
    name: str
    shop: str
    title: str
    short: bool
    sale: Sale
    judgement: Judgement
    left: Touched
    moves: tuple[Move, ...]
    person: bool

    @property
    def may_stop(self) -> bool:
        """Whether stopping it is a good idea by the numbers, and not done yet."""
        return self.short and not self.left.off and self.judgement.verdict == "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """Something wrong with a listing ("SHOP/LISTING"), a code of `rules.presale`; how many orders show it, and one."""

    listing: str
    code: str
    count: int
    order_id: str


def slips(tx: Connection, shops: Shops, now: int) -> list[Slip]:
    """What open orders show to be wrong with presale and customised goods, by listing and code. Reads only."""
    seen: dict[tuple[str, str], list[str]] = {}
    for order in listings.told_ahead(tx):
        for remark in presale.remarks(order, shops.get(order.shop).policy.pack, now):
            seen.setdefault((f"{order.shop}/{remark.listing}", remark.code), []).append(order.order_id)
    return [
        Slip(listing=listing, code=code, count=len(orders), order_id=orders[-1])
        for (listing, code), orders in sorted(seen.items())
    ]


def offers(tx: Connection, shops: Shops, now: int) -> list[Offer]:
    """The listings of every troubled pool, by pool and name."""
    return [offer for place in listings.troubled(tx) for offer in _of_pool(tx, shops, place, now)]


def nameless(tx: Connection, found: Sequence[Offer]) -> list[str]:
    """SKUs of troubled pools of which no listing is known, so that none of them is among the offers `found`."""
    named = {offer.place for offer in found}
    return [place.sku for place in listings.troubled(tx) if place not in named]


def _of_pool(tx: Connection, shops: Shops, place: Place, now: int) -> Iterable[Offer]:
    cause = causes.pool_of(tx, shops, place.cause, place.seller, place.sku, now)
    told = causes.told_of(tx, place.cause)
    short = outbox.has_members(tx, place.cause)
    for name in cause.listings:
        shop, listing_id = map(key.unpart, name.split("/", 1))
        sale = cause.sales.get(name, delist.UNKNOWN)
        stops = [past.kind for past in told if past.step == f"{Kind.DELIST}:{name}"]
        moves = moves_of(told, name)
        yield Offer(
            place=place,
            name=name,
            shop=shop,
            title=f"{shop}/{listing_id}",
            short=short,
            sale=sale,
            judgement=delist.judge(name, sale, shops.get(shop).policy.playbook.pool),
            left=delist.touched(moves),
            moves=moves,
            person=bool(stops) and stops[-1] is Kind.TASK,
        )


def within_share(tx: Connection, shops: Shops, chosen: Sequence[Offer], now: int) -> list[Offer]:
    """Those of the offers that the day's share of their shops allows, the dearest first."""
    left: dict[str, int] = {}
    granted = []
    for offer in sorted(chosen, key=lambda one: (-(one.judgement.cost_minor or 0), one.title)):
        if offer.shop not in left:
            policy = shops.get(offer.shop).policy
            midnight = packs.midnight(packs.local_date(now, policy.zone), policy.zone)
            stopped = listings.stopped_since(tx, offer.shop, midnight)
            total = listings.count_of(tx, offer.shop)
            left[offer.shop] = delist.share_left(policy.playbook.pool, total, stopped)
        if left[offer.shop] > 0:
            left[offer.shop] -= 1
            granted.append(offer)
    return granted


def stop(tx: Connection, journal: Journal, shops: Shops, offer: Offer, now: int, by: str = "") -> str:
    """Put a stop into the outbox, ordered by a person; returns its key."""
    return _order(tx, journal, shops, offer, now, what=Kind.DELIST, kind=Kind.DELIST, reason=delist.BY_PERSON, by=by)


def resume(tx: Connection, journal: Journal, shops: Shops, offer: Offer, now: int, by: str = "") -> str:
    """Put the undoing of a stop into the outbox; returns its key.

    The listing then stays on sale for the rest of this shortage.
    """
    kind = Kind.TASK if offer.person else Kind.RELIST
    return _order(tx, journal, shops, offer, now, what=Kind.RELIST, kind=kind, reason=delist.UNDO, by=by)


def _order(
    tx: Connection, journal: Journal, shops: Shops, offer: Offer, now: int, *, what: Kind, kind: Kind, reason: str,
    by: str,
) -> str:  # fmt: skip
    cause, shop = offer.place.cause, shops.get(offer.place.home)
    act = listing_act(cause, what, offer.name, offer.moves, kind=kind, reason=reason)
    pack = shop.policy.pack.version(now, act.violation)
    decisions.add_actions(tx, [decisions.action_row(shops, shop, act, now, pack, cause=cause)])
    entry = line(
        at=now,
        shop=shop.name,
        case=act.violation,
        event="action",
        key=act.key,
        reason=act.reason,
        cause=cause,
        action=act.kind,
        step=act.step,
        outcome=decisions.planned_outcome(shops, act),
        pack=pack,
        playbook=shop.policy.playbook.version,
    )
    journal.note(shop.name, cause, entry | ({"by": by} if by else {}))
    return act.key
