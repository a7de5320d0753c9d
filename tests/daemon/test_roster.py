"""Who is told, as the store keeps it, on both databases: receivers, what waits for them, what reached nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import SinkSettings
from adapters.memory import MemorySink
from daemon import delivery, roster
from daemon.adapter import Outlet, Sinks
from daemon.shops import Shops
from daemon.store import decisions, deliveries, outbox, receivers
from daemon.store.database import Database
from daemon.store.receivers import PROBE, WAITS, Receiver
from rules.decide import Act
from rules.instant import HOUR, MINUTE, SECOND
from rules.model import Kind, Outcome, Violation
from tests.daemon.builders import MORNING, rows, shops

LIVE = "live"
KEY = "north/feed/stale/never"


def sinks(*names: str, settings: str = "s", kinds: frozenset[Kind] = frozenset({Kind.ALERT})) -> Sinks:
    made = (
        Outlet(name=name, sink=MemorySink(SinkSettings(name=name)), kinds=kinds, settings=settings) for name in names
    )
    return Sinks({outlet.name: outlet for outlet in made})


def live() -> Shops:
    made = shops("north")
    made.default_mode = "live"
    return made


def an_alert(db: Database, known: Shops, *, to: Sinks | None = None) -> None:
    """An alert on its way to these receivers, or to nobody."""
    act = Act(KEY, Kind.ALERT, "stale", Violation.LATE_SHIPMENT, 1, "FEED_STALE")
    with db.begin() as tx:
        row = decisions.action_row(known, known.get("north"), act, MORNING, "", cause="north/feed")
        decisions.add_actions(tx, [row | {"outcome": Outcome.READY}])
        if to is not None:
            delivery.queue(tx, to, known, row, Kind.ALERT, MORNING)  # type: ignore[arg-type]


def taken_on(db: Database, receivers_now: Sinks, known: Shops, now: int = MORNING) -> None:
    with db.begin() as tx:
        roster.taken_on(tx, receivers_now, known, now)


def queue(db: Database) -> dict[str, int | None]:
    return {one.sink: one.due_at for one in rows(db, "delivery")}


def known_of(db: Database) -> dict[str, Receiver]:
    with db.begin() as tx:
        return {one.name: one for one in receivers.every(tx)}


def unwell(db: Database, name: str) -> None:
    with db.begin() as tx:
        receivers.put(tx, receivers.get(tx, name).failed("down", MORNING))


def test_what_waits_for_one_that_is_gone_goes_to_those_that_are_there(db: Database) -> None:
    known = live()
    an_alert(db, known, to=sinks("ops"))

    taken_on(db, sinks("team", "lead"), known)

    assert {"team": MORNING, "lead": MORNING} == queue(db)


def test_what_nobody_has_goes_to_one_that_is_added_and_stays_with_the_others(db: Database) -> None:
    known = live()
    an_alert(db, known, to=sinks("ops"))

    taken_on(db, sinks("ops", "lead"), known, MORNING + HOUR)

    assert {"ops": MORNING, "lead": MORNING + HOUR} == queue(db)


def test_what_is_told_goes_to_nobody_else(db: Database) -> None:
    known = live()
    an_alert(db, known, to=sinks("ops"))
    with db.begin() as tx:
        (row,) = outbox.claim_deliveries(tx, "ops", MORNING, 10)
        outbox.set_delivery(tx, row, Outcome.SETTLED, MORNING)
        outbox.finish_alert(tx, KEY, MORNING)

    taken_on(db, sinks("lead"), known)

    assert ["ops"] == list(queue(db))


def test_a_receiver_that_is_no_longer_for_alerts_hands_them_on(db: Database) -> None:
    known = live()
    an_alert(db, known, to=sinks("ops"))
    both = sinks("ops", kinds=frozenset({Kind.TASK})).outlets | sinks("lead").outlets

    taken_on(db, Sinks(both), known)

    assert ["lead"] == list(queue(db))


@pytest.mark.parametrize(
    ("name", "settings", "next_at"),
    [("ops", "s", MORNING + 15 * SECOND), ("team", "s", MORNING + 15 * SECOND), ("ops", "t", 0)],
)
def test_a_receiver_keeps_its_rhythm_unless_its_settings_change(
    db: Database, name: str, settings: str, next_at: int
) -> None:
    known = live()
    taken_on(db, sinks("ops"), known)
    unwell(db, "ops")

    taken_on(db, sinks(name, settings=settings), known)

    assert {name: (MORNING, next_at)} == {one.name: (one.since, one.next_at) for one in known_of(db).values()}


def test_what_is_on_its_way_to_a_well_receiver_has_not_reached_nobody(db: Database) -> None:
    known = live()
    an_alert(db, known, to=sinks("ops"))

    with db.begin() as tx:
        assert [] == deliveries.undelivered(tx, MORNING)
    unwell(db, "ops")
    with db.begin() as tx:
        (one,) = deliveries.undelivered(tx, MORNING)

    assert (KEY, "ops", "down", False) == (one.key, one.receiver, one.words, one.perhaps)


def test_without_a_receiver_it_waits_and_says_so(db: Database) -> None:
    known = live()
    an_alert(db, known, to=sinks("ops"))

    taken_on(db, sinks(), known)

    with db.begin() as tx:
        (one,) = deliveries.undelivered(tx, MORNING)
    assert (None, "NO_SINK") == (one.receiver, one.words)


# ---- the rhythm


Asked = st.one_of(st.none(), st.integers(0, 10**18))


@given(st.lists(Asked, min_size=1, max_size=60), st.sampled_from([0, SECOND, MINUTE]))
def test_whatever_a_receiver_asks_for_it_is_called_at_most_20_times_an_hour_and_within_4_minutes(
    wishes: list[int | None], late: int
) -> None:
    receiver, now, calls = Receiver(name="ops"), MORNING, []
    for asked in wishes:
        calls.append(now)
        receiver = receiver.failed("no", now, asked)
        assert now + WAITS[0] <= receiver.next_at <= now + PROBE
        now = receiver.next_at + late

    busiest = max(sum(start <= call < start + HOUR for call in calls) for start in calls)
    assert busiest <= 20


def test_one_that_takes_something_is_well_and_forgets_what_it_said() -> None:
    receiver = Receiver(name="ops", settings="s").failed("no", MORNING).took(MORNING + HOUR)

    assert Receiver(name="ops", settings="s", took_at=MORNING + HOUR) == receiver
