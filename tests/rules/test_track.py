"""Parcels watched on their way: no scan after the upload, no movement after the collection."""

import pytest

from rules import finding
from rules.decide import decide
from rules.instant import DAY, HOUR, parse
from rules.look import Finding
from rules.model import NO_HISTORY, Track, Violation
from tests.builders import PAID, SHANGHAI, a_look, a_policy, an_order, ladder, lived, told

FAKE, STALLED = Violation.FAKE_SHIPMENT, Violation.TRACK_STALLED
POLICY = a_policy()
SENT = PAID + 10 * HOUR


def sent(**facts):
    return an_order(**{"status": "shipped", "shipped_at": SENT, **facts})


def found(order, violation: Violation, now: int, policy=POLICY) -> Finding:
    return finding.find(a_look(order, policy, now=now), ladder(policy, violation))


def moves(*hours: int, event: str = "到达转运中心") -> tuple[Track, ...]:
    return tuple(Track(at=SENT + hour * HOUR, event=event) for hour in hours)


def test_a_parcel_known_not_to_be_scanned_threatens_six_hours_before_its_day_is_over():
    order = sent(collection_known=True)
    due = SENT + 24 * HOUR
    assert Finding(FAKE, False, "NOT_DUE_YET", due - 6 * HOUR) == found(order, FAKE, due - 6 * HOUR - 1)
    assert Finding(FAKE, True, "SCAN_MISSING", due + 30 * DAY, due) == found(order, FAKE, due - 6 * HOUR)
    assert "SCAN_OVERDUE" == found(order, FAKE, due).reason
    assert "TOO_OLD" == found(order, FAKE, due + 30 * DAY).reason


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({}, "NO_TRACKING"),
        ({"collection_known": True, "shipped_at": None}, "NO_TRACKING"),
        ({"collection_known": True, "collected_at": SENT}, "COLLECTED"),
        ({"tracking": moves(1)}, "COLLECTED"),
        ({"status": "delivered", "collection_known": True}, "DELIVERED"),
        ({"status": "completed", "collection_known": True}, "DELIVERED"),
        ({"status": "paid", "collection_known": True}, "NOT_SHIPPED"),
        ({"status": "partly_shipped", "collection_known": True}, "NOT_SHIPPED"),
        ({"status": "refunded", "collection_known": True}, "ORDER_CLOSED"),
    ],
)
def test_no_fake_shipment_is_seen_where_the_feed_cannot_know_or_the_parcel_is_on_its_way(facts, reason):
    assert Finding(FAKE, False, reason) == found(sent(**facts), FAKE, SENT + 3 * DAY)


def test_an_event_that_only_says_the_waybill_exists_is_no_scan():
    assert "SCAN_OVERDUE" == found(sent(tracking=moves(1, event="电子面单已打印，待揽收")), FAKE, SENT + DAY).reason
    assert "SCAN_OVERDUE" == found(sent(tracking=()), FAKE, SENT + DAY).reason


def test_the_packs_own_clock_comes_before_the_playbooks():
    """PD-F1 measures 24 h from the upload; a playbook of 2 h does not change that."""
    text = 'name = "x"\nversion = 1\n[alerts]\nleads = ["24h"]\n[fake_shipment]\nwithin = "2h"\n'
    old = sent(platform="pinduoduo", paid_at=parse("2022-05-01 08:00", SHANGHAI), collection_known=True)
    assert SENT + 24 * HOUR == found(old, FAKE, SENT + 25 * HOUR, a_policy("pinduoduo", text)).due
    assert (
        SENT + 2 * HOUR
        == found(sent(platform="jd", collection_known=True), FAKE, SENT + 25 * HOUR, a_policy("jd", text)).due
    )


def test_a_collected_parcel_must_move_within_a_day_and_later_within_five():
    still = sent(collected_at=SENT, tracking=moves(0))
    assert SENT + 24 * HOUR == found(still, STALLED, SENT + 20 * HOUR).due
    moved = sent(collected_at=SENT, tracking=moves(0, 5, 3))
    due = SENT + 5 * HOUR + 5 * DAY
    assert Finding(STALLED, False, "NOT_DUE_YET", due - 6 * HOUR) == found(moved, STALLED, SENT + 20 * HOUR)
    assert Finding(STALLED, True, "TRACK_STANDS", due + 30 * DAY, due) == found(moved, STALLED, due - 6 * HOUR)
    assert "TRACK_OVERDUE" == found(moved, STALLED, due).reason


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"collected_at": SENT}, "NO_TRACKING"),
        ({"tracking": ()}, "NOT_COLLECTED"),
        ({"tracking": moves(1), "status": "delivered"}, "DELIVERED"),
        ({"tracking": moves(1), "status": "cancelled"}, "ORDER_CLOSED"),
    ],
)
def test_no_parcel_stands_still_where_nobody_tells_of_its_track_or_it_has_arrived(facts, reason):
    assert Finding(STALLED, False, reason) == found(sent(**facts), STALLED, SENT + 30 * DAY)


def test_a_parcel_that_moves_again_closes_its_case_and_a_new_stop_is_a_new_one():
    history, said = NO_HISTORY, []
    for hours, events in ((18, (0,)), (25, (0, 25)), (25 + 114, (0, 25))):
        now = SENT + hours * HOUR
        decision = decide(sent(collected_at=SENT, tracking=moves(*events)), POLICY, history, now)
        history = lived(history, decision, POLICY, now)
        said.append((told(decision), [case.key for case in decision.opened], [c.reason for c in decision.closed]))
    assert [
        (["ask_courier"], ["north/1/track_stalled/1"], []),
        ([], [], ["MOVES_AGAIN"]),
        (["ask_courier"], ["north/1/track_stalled/2"], []),
    ] == said


def test_a_missing_scan_is_chased_and_then_proved():
    history, said = NO_HISTORY, []
    for hours in (18, 24):
        now = SENT + hours * HOUR
        decision = decide(sent(collection_known=True), POLICY, history, now)
        history = lived(history, decision, POLICY, now)
        said.append([act.step for act in decision.acts if act.violation is FAKE])
    assert [["find_parcel"], ["prove_handover"]] == said
