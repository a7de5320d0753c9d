"""Scenarios played through the production engine, all of them on one scratch database, and judged.

Each scenario has a shop and a seller of its own, so that none sees another. Nothing is performed.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import delete

from adapters.base import Record, Snapshot, StockReport
from daemon.errors import ConfigError
from daemon.explanation import why
from daemon.replay import LEAST_WINDOW, Simulation
from daemon.scenario import Expect, Scenario, moment
from daemon.shops import Shop, Shops, zone_of
from daemon.store import journal
from daemon.tables import Timer
from rules import packs, playbook
from rules.calendars import warehouse
from rules.errors import PolicyError
from rules.instant import format_utc, parse
from rules.model import Kind
from rules.playbook import Playbook
from rules.policy import Policy

T = Timer.__table__  # type: ignore[attr-defined]
Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Miss:
    """One expectation that did not come true: what of which order, as the file says it and as it was."""

    order: str
    what: str
    expected: str
    actual: str


@dataclass(slots=True)
class Result:
    """A scenario and what did not come true of it."""

    scenario: Scenario
    misses: list[Miss] = field(default_factory=list)


def rehearse(scenarios: Sequence[Scenario], usual: Playbook) -> list[Result]:
    """Play all scenarios and judge them, in their order. `usual`: for files that name no playbook. Raises ConfigError.

    Those with stock are played apart: there every instant is looked at, which the others need not pay for.
    """
    plays = {path: usual if path is None else _playbook(path) for path in {one.playbook for one in scenarios}}
    problems = [problem for one in scenarios for problem in _unknown(one, plays[one.playbook])]
    if problems:
        raise ConfigError("\n".join(problems))
    results: dict[str, Result] = {}
    for group in (
        [one for one in scenarios if not any(map(_has_stock, one.records))],
        [one for one in scenarios if any(map(_has_stock, one.records))],
    ):
        if group:
            results |= {result.scenario.shop: result for result in _played(group, plays)}
    return [results[one.shop] for one in scenarios]


def _played(scenarios: Sequence[Scenario], plays: Mapping[Path | None, Playbook]) -> Iterator[Result]:
    shops = Shops(known={one.shop: _shop(one, plays[one.playbook]) for one in scenarios})
    simulation = Simulation(shops)
    records = sorted(
        (record for one in scenarios for record in one.records if record.observed_at <= one.at),
        key=lambda record: record.observed_at,
    )
    start = min(record.observed_at for record in records) if records else 0
    over = deque(sorted(scenarios, key=lambda one: one.at))

    def forget(mark: int) -> None:
        """A scenario whose moment has passed is not played on."""
        done = [over.popleft().shop for _ in range(sum(one.at <= mark for one in over))]
        if done:
            with simulation.database.begin() as tx:
                tx.execute(delete(T).where(T.c.seller.in_(done)))

    simulation.run(records, start, LEAST_WINDOW, lambda: max(one.at for one in scenarios), forget)
    told: dict[str, list[Line]] = {}
    with simulation.database.begin() as tx:
        for line in journal.lines(tx):
            told.setdefault(line["shop"], []).append(line)
        for one in scenarios:
            said = [line for line in told.get(one.shop, ()) if parse(line["at"]) <= one.at]
            result = Result(one)
            for expect in one.expect:
                order = expect.order or one.order_id
                known = why(tx, shops, one.shop, order, one.at, one.at) if expect.ship_by or expect.act_by else None
                book = shops.get(one.shop).policy.playbook
                result.misses += judge(one, expect, order, said, known or {}, book)
            yield result


def judge(
    one: Scenario, expect: Expect, order: str, said: Sequence[Line], known: Mapping[str, Any], book: Playbook
) -> Iterator[Miss]:
    """What of an expectation did not come true. `said`: the shop's decision lines up to the moment."""
    own = sorted((line for line in said if line["order_id"] == order), key=lambda line: line["at"])
    acts = [line for line in own if line["event"] == "action"]
    causes = [line for line in said if line["event"] == "action" and order in (line["members"] or ())]
    did = [str(line["step"]) for line in acts]
    kinds = {str(line["action"]) for line in (*acts, *causes)}
    told = _told(acts)
    for violation, wanted in expect.case.items():
        state = _state(own, violation)
        if wanted != state:
            yield Miss(order, f"case {violation}", wanted, state)
    if expect.did is not None and not _came(expect.did, acts, expect.only):
        yield Miss(order, "did", ", ".join(expect.did) or "nothing", told)
    for name in expect.not_:
        if name in did or name in kinds:
            yield Miss(order, f"not {name}", "nothing of the kind", told)
    yield from _dropped(expect, order, own, told)
    yield from _texts(expect, order, acts, book)
    pays = sum(line["amount_minor"] or 0 for line in acts if line["action"] == Kind.COMPENSATE)
    if expect.pays is not None and expect.pays != pays:
        yield Miss(order, "pays", str(expect.pays), str(pays))
    alerts = sum(line["action"] == Kind.ALERT for line in causes)
    if expect.alerts is not None and expect.alerts != alerts:
        yield Miss(order, "alerts", str(expect.alerts), str(alerts))
    for name, text in (("ship_by", expect.ship_by), ("act_by", expect.act_by)):
        if text is not None and _utc(text, one.start) != known.get(name):
            yield Miss(order, name, _utc(text, one.start), str(known.get(name) or "unknown"))


def _came(wanted: Iterable[str], acts: Sequence[Line], only: bool) -> bool:
    """Whether the steps came in that order; others may lie between them unless `only`. A kind stands for any step."""
    done = [(str(line["step"]), str(line["action"])) for line in acts]
    names = list(wanted)
    if only and len(names) != len(done):
        return False
    rest = iter(done)
    return all(any(name in one for one in rest) for name in names)


def _dropped(expect: Expect, order: str, own: Sequence[Line], told: str) -> Iterator[Miss]:
    dropped = {str(line["step"]): str(line["reason"]) for line in own if line["event"] == "dropped"}
    for step, reason in expect.dropped.items():
        if dropped.get(step) != reason:
            yield Miss(order, f"dropped {step}", reason, dropped.get(step, f"not dropped; did {told}"))


def _texts(expect: Expect, order: str, acts: Sequence[Line], book: Playbook) -> Iterator[Miss]:
    texts = {
        str(line["step"]): template.filled(order)
        for line in acts
        if line["template"] is not None and (template := book.approved(line["template"])) is not None
    }
    for step, part in expect.texts.items():
        if part not in texts.get(step, ""):
            yield Miss(order, f"text of {step}", f"… {part} …", texts.get(step, "no message"))


def _state(own: Sequence[Line], violation: str) -> str:
    """open, closed or none: what the last line about the violation's case says."""
    events = [
        line["event"] for line in own if line["case"] == violation and line["event"] in ("case_opened", "case_closed")
    ]
    return "none" if not events else "open" if events[-1] == "case_opened" else "closed"


def _told(acts: Sequence[Line]) -> str:
    return ", ".join(f"{line['step']} ({line['at']}, {line['reason']})" for line in acts) or "nothing"


def _utc(text: str, start: int) -> str:
    return format_utc(parse(moment(text, start)))


def _shop(one: Scenario, plays: Playbook) -> Shop:
    zone = zone_of(one.platform)
    pack = packs.load(one.platform, zone.key)
    rows = {row.digest for row in pack.rows if one.confirmed is True or (one.confirmed and row.id in one.confirmed)}
    store = one.warehouse
    policy = Policy(
        playbook=plays,
        pack=pack,
        zone=zone,
        warehouse=warehouse(store.open, store.pickups, store.scan_lag, zone) if store else None,
        confirmed=frozenset(rows),
    )
    return Shop(name=one.shop, seller=one.shop, platform=one.platform, policy=policy)


def _unknown(one: Scenario, plays: Playbook) -> Iterator[str]:
    """Names in expectations that nothing can ever have: a step of no ladder, an order that is not there."""
    steps = {step.name for ladder in plays.ladders for step in ladder.steps}
    names = steps | set(Kind)
    orders = {record.order_id for record in one.records if isinstance(record, Snapshot)}
    for expect in one.expect:
        for name in (*(expect.did or ()), *expect.not_, *expect.dropped, *expect.texts):
            if name not in names:
                known = ", ".join(sorted(steps))
                yield f"{one.file}: {one.name!r}: the playbook has no step {name!r}; known: {known}"
        if (expect.order or one.order_id) not in orders:
            yield f"{one.file}: {one.name!r}: no order {expect.order!r}; known: {', '.join(sorted(orders))}"


def _playbook(path: Path) -> Playbook:
    try:
        return playbook.load(path)
    except PolicyError as error:
        raise ConfigError(str(error)) from error


def _has_stock(record: Record) -> bool:
    if isinstance(record, StockReport):
        return True
    return isinstance(record, Snapshot) and any(line.get("stock") is not None for line in record.lines.values())
