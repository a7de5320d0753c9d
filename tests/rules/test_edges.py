"""The very instants on which something begins, or stops, to count: one before, on it, one after."""

import pytest

from rules.decide import decide
from rules.delist import UNDO, Touched, left_on_sale
from rules.instant import HOUR
from rules.model import NO_HISTORY, Kind, Violation
from tests.builders import (
    PAID,
    SHIP_BY,
    a_case,
    a_history,
    a_past,
    a_playbook,
    a_policy,
    an_event,
    an_order,
    told,
)  # fmt: skip

FIRST = SHIP_BY - 24 * HOUR
TELL = 'channel = "platform_chat", intent = "delay_notice", template = "delay_notice"'
ASK_AND_TELL = a_playbook(f"""
name = "ask", action = "negotiate", lead = "15h"
name = "tell", action = "contact", lead = "11h", waits_for = "ask", wait = "4h", {TELL}
""")


@pytest.mark.parametrize(("since", "until", "silent"), [(0, 1, True), (1, 2, False), (-1, 0, False), (-1, 1, True)])
def test_maintenance_is_from_its_first_instant_to_the_one_before_its_last(since, until, silent):
    """A case opens silently in it; `since` and `until` count from the moment it opens (µs)."""
    policy = a_policy(maintenance=((FIRST + since, FIRST + until),))
    (case,) = decide(an_order(), policy, NO_HISTORY, FIRST).opened
    assert (FIRST + until if silent else None) == case.snoozed_until


@pytest.mark.parametrize(("offset", "done"), [(-1, []), (0, ["tell"]), (1, ["tell"])])
def test_a_refusal_counts_from_the_instant_of_the_question(offset, done):
    """Seen with the question itself, it is its answer; a microsecond before, it was another's. An hour later:"""
    asked = SHIP_BY - 12 * HOUR
    history = a_history(
        a_case(opened_at=FIRST),
        past=[a_past("ask", asked)],
        events=[an_event("date_refused", asked + offset)],
        decided_at=asked,
        playbook=ASK_AND_TELL.digest,
    )
    assert done == told(decide(an_order(), a_policy(play=ASK_AND_TELL), history, SHIP_BY - 11 * HOUR))


@pytest.mark.parametrize(("offset", "expected"), [(-1, ["tell"]), (0, ["tell: BUYER_REPLIED"])])
def test_an_answer_seen_as_the_case_opens_is_an_answer_to_it(offset, expected):
    policy = a_policy(play=a_playbook(f'name = "tell", action = "contact", lead = "8h", {TELL}'))
    now = SHIP_BY - 8 * HOUR
    history = a_history(
        a_case(opened_at=FIRST),
        events=[an_event("buyer_reply", FIRST + offset)],
        decided_at=now - 1,
        playbook=policy.playbook.digest,
    )
    assert expected == told(decide(an_order(), policy, history, now))


@pytest.mark.parametrize(("offset", "expected"), [(-1, ["ask"]), (0, ["ask"]), (1, ["ask: NO_TIME_LEFT"])])
def test_a_step_is_useful_up_to_and_with_its_last_instant(offset, expected):
    policy = a_policy(play=a_playbook('name = "ask", action = "negotiate", lead = "12h", until = "2h"'))
    assert expected == told(decide(an_order(), policy, NO_HISTORY, SHIP_BY - 2 * HOUR + offset))


@pytest.mark.parametrize(("looked", "expected"), [(-1, ["new"]), (0, ["new: ADDED_TOO_LATE"])])
def test_a_step_whose_instant_was_looked_at_by_another_playbook_was_added_too_late(looked, expected):
    """Due a microsecond after the last look it is not late: that look could not have known of it."""
    due = SHIP_BY - 12 * HOUR
    play = a_playbook('name = "old", action = "task", lead = "20h"\nname = "new", action = "negotiate", lead = "12h"')
    history = a_history(
        a_case(opened_at=FIRST),
        past=[a_past("old", SHIP_BY - 20 * HOUR, Kind.TASK)],
        decided_at=due + looked,
        playbook="another",
    )
    assert expected == told(decide(an_order(), a_policy(play=play), history, due + 1))


@pytest.mark.parametrize(("offset", "episodes"), [(0, 0), (1, 1)])
def test_a_complaint_newer_than_the_solution_is_a_new_case_and_one_seen_with_it_is_not(offset, episodes):
    solved = a_case(
        opened_at=PAID,
        violation=Violation.DISPUTE,
        key="north/1/dispute/1",
        closed_at=PAID + HOUR,
        reason="RESOLVED_BY_PERSON",
        ship_by=PAID + 24 * HOUR,
    )
    history = a_history(solved, events=[an_event("complaint", PAID + HOUR + offset)])
    found = decide(an_order(status="delivered"), a_policy(), history, PAID + 2 * HOUR)
    assert episodes == len([case for case in found.opened if case.violation is Violation.DISPUTE])


@pytest.mark.parametrize(("offset", "stays"), [(-1, False), (0, True), (1, True)])
def test_what_a_person_put_back_counts_from_the_instant_the_shortage_began(offset, stays):
    left = Touched(off=False, asked=False, last=UNDO, last_at=PAID + offset, refused="")
    assert stays == left_on_sale(left, PAID)
