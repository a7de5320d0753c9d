"""What a playbook would have been worth over a recording, judged by what became of each order in it.

docs/policy-tests.md defines the words: helped, wasted, missed, unchanged, and what is not judged.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from adapters.base import Snapshot
from daemon import whatif
from daemon.recording import Recording
from daemon.replay import Simulation
from daemon.shops import Shops
from daemon.store import orders
from daemon.store.orders import Stored
from rules import payout
from rules.finding import handed_over
from rules.instant import format_utc, parse
from rules.model import OWED, Kind, Order, Violation
from rules.policy import Policy

Word = Literal["helped", "wasted", "missed", "unchanged"]
WORDS: tuple[Word, ...] = ("helped", "wasted", "missed", "unchanged")
REACHES_OUT = frozenset({Kind.NEGOTIATE, Kind.CONTACT, Kind.COMPENSATE})
"""Plays the buyer notices: on an order that came in time anyway they were for nothing."""
Why = Literal["no_deadline", "never_owed", "closed_unshipped", "recording_ends", "time_unknown"]


@dataclass(slots=True)
class Life:
    """When (µs) the recording last showed an order as owed, and first as no longer owed."""

    owed: int | None = None
    gone: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judged order. `told`: the seller was alerted or given work before the deadline. Money in minor units.

    `stake_minor`: what the platform would have charged at most; `cost_minor`: what the playbook would have paid.
    """

    word: Word
    shop: str
    order_id: str
    ship_by: int
    handed_at: int | None
    steps: tuple[str, ...]
    told: bool
    stake_minor: int
    cost_minor: int
    currency: str | None

    @property
    def money_minor(self) -> int:
        """What the order counts for in its word: saved, spent, or lost."""
        match self.word:
            case "helped":
                return self.stake_minor - self.cost_minor
            case "wasted":
                return self.cost_minor
            case "missed":
                return self.stake_minor
        return 0


@dataclass(slots=True)
class Backtest:
    """All verdicts, and how many orders could not be judged for which reason."""

    verdicts: list[Verdict] = field(default_factory=list)
    not_judged: dict[Why, int] = field(default_factory=dict)

    def of(self, word: Word) -> list[Verdict]:
        """The orders of one word, most money first."""
        found = [one for one in self.verdicts if one.word == word]
        return sorted(found, key=lambda one: (-one.money_minor, one.shop, one.order_id))


def backtest(recording: Recording, shops: Shops) -> Backtest:
    """Live through the recording in shadow, then judge every order by its later life."""
    simulation = Simulation(shops)
    whatif.live(simulation, recording)
    lives, last = _lives(recording)
    told = _told(simulation)
    steps = whatif.steps(whatif.lines(simulation))
    made = Backtest()
    for stored in _stored(simulation, sorted(recording.orders)):
        name = (stored.order.shop, stored.order.order_id)
        late, why = _fate(stored, lives.get(name, Life()), last.get(stored.order.shop, 0))
        if late is None or stored.ship_by is None:
            made.not_judged[why] = made.not_judged.get(why, 0) + 1
            continue
        policy = shops.get(*name[:1], stored.order.platform).policy
        made.verdicts.append(_verdict(stored, stored.ship_by, late, steps.get(name, {}), told.get(name), policy))
    return made


def _verdict(
    stored: Stored, ship_by: int, late: bool, steps: whatif.Steps, told: int | None, policy: Policy
) -> Verdict:
    order = stored.order
    done = {name: step for (_, name), step in steps.items() if step.done}
    in_time = {name: step for name, step in done.items() if parse(step.at) < ship_by}
    warned = told is not None and told < ship_by
    reached = any(step.action in REACHES_OUT for step in done.values())
    stake = payout.stake(order, policy.pack, Violation.LATE_SHIPMENT, policy.confirmed)
    helped: Word = "helped" if in_time or warned else "missed"
    wasted: Word = "wasted" if reached else "unchanged"
    return Verdict(
        word=helped if late else wasted,
        shop=order.shop,
        order_id=order.order_id,
        ship_by=ship_by,
        handed_at=_handed_at(order),
        steps=tuple(done),
        told=warned or any(step.action == Kind.TASK for step in in_time.values()),
        stake_minor=stake.high_minor if stake is not None else 0,
        cost_minor=sum(step.amount_minor or 0 for step in done.values()),
        currency=order.currency or (stake.currency if stake is not None else None),
    )


def _fate(stored: Stored, life: Life, last: int) -> tuple[bool | None, Why]:
    """Whether the order missed its deadline in reality; None and why when the recording does not tell."""
    order, ship_by = stored.order, stored.ship_by
    if life.owed is None:
        return None, "never_owed"
    if ship_by is None:
        return None, "no_deadline"
    handed = _handed_at(order)
    if handed is not None:
        return handed > ship_by, "time_unknown"
    if life.owed > ship_by:
        return True, "time_unknown"
    if handed_over(order):
        return (False, "time_unknown") if life.gone is not None and life.gone <= ship_by else (None, "time_unknown")
    if order.status not in OWED and order.status != "shipped":
        return None, "closed_unshipped"
    return (True, "time_unknown") if last > ship_by else (None, "recording_ends")


def _handed_at(order: Order) -> int | None:
    """When the seller's part was done: the scan where the feed knows it, else the shipment."""
    return order.collected_at if order.collection_known else order.shipped_at


def _lives(recording: Recording) -> tuple[dict[tuple[str, str], Life], Mapping[str, int]]:
    """When each order was seen as owed and as no longer owed; and each shop's last fact."""
    lives: dict[tuple[str, str], Life] = {}
    last: dict[str, int] = {}
    for record in recording.tape.play():
        last[record.shop] = record.observed_at
        if not isinstance(record, Snapshot) or "status" not in record.fields:
            continue
        life = lives.setdefault((record.shop, record.order_id), Life())
        if record.fields["status"] in OWED:
            life.owed = record.observed_at
        elif life.owed is not None and life.gone is None:
            life.gone = record.observed_at
    return lives, last


def _told(simulation: Simulation) -> dict[tuple[str, str], int]:
    """When an alert first named each order."""
    told: dict[tuple[str, str], int] = {}
    for line in whatif.lines(simulation):
        if line["action"] == Kind.ALERT and line["event"] == "action":
            for member in line["members"] or ():
                shop, _, order = member.rpartition("/") if "/" in member else (line["shop"], "", member)
                at = parse(line["at"])
                told[shop, order] = min(at, told.get((shop, order), at))
    return told


def _stored(simulation: Simulation, names: list[tuple[str, str]]) -> Iterator[Stored]:
    """The orders as the recording left them, some hundred at a time."""
    for part in orders.chunks(names):
        with simulation.database.begin() as tx:
            yield from (stored for _, stored in sorted(orders.load(tx, set(part)).items()))


def shown(verdict: Verdict) -> dict[str, object]:
    """A verdict for scripts."""
    return {
        "shop": verdict.shop,
        "order_id": verdict.order_id,
        "ship_by": format_utc(verdict.ship_by),
        "handed_at": format_utc(verdict.handed_at) if verdict.handed_at is not None else None,
        "steps": list(verdict.steps),
        "told": verdict.told,
        "stake_minor": verdict.stake_minor,
        "cost_minor": verdict.cost_minor,
        "money_minor": verdict.money_minor,
        "currency": verdict.currency,
    }
