"""Forgetting what is long over, and nothing that still keeps a step from being done twice."""

from collections.abc import Callable

from adapters.base import Page, Rejected
from daemon import housekeeping
from daemon.scheduler import Parts, tick
from rules.instant import DAY, HOUR, MINUTE
from tests.daemon import running
from tests.daemon.builders import MORNING, broken_links, count, rows
from tests.daemon.running import a_late_order, feed, say

Install = Callable[..., Parts]
MUCH_LATER = MORNING + 500 * DAY


def over(parts: Parts, *order_ids: str, status: str = "completed") -> None:
    """Orders that were at risk, were shipped, and are over."""
    say(*(a_late_order(order_id) for order_id in order_ids))
    tick(parts, MORNING)
    later = MORNING + HOUR
    say(*(a_late_order(i, at=later, status=status, shipped_at=later) for i in order_ids))
    tick(parts, later)


def test_what_is_long_over_is_forgotten(installed: Install) -> None:
    parts = installed()
    over(parts, "1", "2")

    pruned = housekeeping.prune(parts.database, MUCH_LATER)

    assert 2 == pruned
    assert [] == rows(parts.database, "case")
    assert [] == [action.key for action in rows(parts.database, "action") if action.order_id]
    assert 0 == count(parts.database, "member")


def test_what_is_over_but_young_stays(installed: Install) -> None:
    parts = installed()
    over(parts, "1")

    pruned = housekeeping.prune(parts.database, MORNING + HOUR)

    assert (0, 1) == (pruned, count(parts.database, "case"))


def test_keys_of_an_order_that_is_open_stay(installed: Install) -> None:
    parts = installed()
    over(parts, "1", status="shipped")
    before = [action.key for action in rows(parts.database, "action")]

    pruned = housekeeping.prune(parts.database, MUCH_LATER)

    assert 0 == pruned
    assert before == [action.key for action in rows(parts.database, "action")]


def test_an_open_case_stays(installed: Install) -> None:
    parts = installed()
    say(a_late_order("1"))
    tick(parts, MORNING)

    assert 0 == housekeeping.prune(parts.database, MUCH_LATER)


def test_evidence_stays_and_its_chain_holds(installed: Install) -> None:
    parts = installed()
    over(parts, "1")
    before = count(parts.database, "evidence")

    housekeeping.prune(parts.database, MUCH_LATER)

    with parts.database.begin() as tx:
        assert [] == broken_links(tx)
    assert before == count(parts.database, "evidence")


def test_a_forgotten_order_that_comes_again_is_decided_without_its_past(installed: Install) -> None:
    parts = installed()
    over(parts, "1")
    housekeeping.prune(parts.database, MUCH_LATER)
    say(a_late_order("1", at=MORNING + 2 * HOUR, status="completed", remark="thanks"))

    tick(parts, MORNING + 2 * HOUR)

    assert [] == rows(parts.database, "case")


def test_refused_rows_are_forgotten_in_time(installed: Install) -> None:
    parts = installed()
    refused = [Rejected(source="a.csv", line=1, reason="bad", mend="mend")]
    feed().push(Page(rejected=refused))
    parts.poller.poll(MORNING)
    feed().push(Page(rejected=refused))
    parts.poller.poll(MORNING + DAY)

    housekeeping.prune(parts.database, MORNING + MINUTE)

    assert [MORNING + DAY] == [row.seen_at for row in rows(parts.database, "quarantine")]
    assert 2 == running.rows(parts.database, "feed")[0].quarantined
