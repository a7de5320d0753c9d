"""Claims and parcels: what buyers complain about and what parcels show, each with its own clock."""

import pytest

from rules import playbook
from rules.model import Track
from tests.replay.conftest import Make
from tests.replay.world import World, a_line, an_order, at, now_says

SHIPPED = playbook.shipped_text()
DELIVERED = {"status": "delivered", "shipped_at": "Mon 07:30"}


def a_shop(a_world: Make, platform: str = "taobao") -> World:
    """One shop with the shipped playbook."""
    return a_world(SHIPPED, shops={"north": {"platform": platform}})


def track(*moments: str) -> list[Track]:
    return [Track(at=at(moment), event="到达") for moment in moments]


@pytest.mark.slow
def test_cheap_missing_goods_are_made_good_at_once_and_the_case_closes_with_the_claim(a_world: Make):
    world = a_shop(a_world)
    world.place(an_order("A", a_line(unit_minor=3000), flags=("short_claimed",), **DELIVERED))
    world.expect_alert(reason="FIRST_NOTICE", orders=["A"], says="1 claim or parcel needs an answer by")
    world.expect_task("reship_or_refund", "A", when="Mon 08:00", says="30.00")
    world.advance(hours=1)
    world.place(now_says("A", flags=()))
    assert ["A short_shipment 1 CLAIM_GONE"] == world.cases()
    world.advance(hours=72)


@pytest.mark.slow
def test_dear_missing_goods_are_checked_before_anybody_approves_a_remedy(a_world: Make):
    world = a_shop(a_world)
    world.place(an_order("A", a_line(unit_minor=3001), flags=("short_claimed",), **DELIVERED))
    world.expect_alert(orders=["A"])
    world.expect_task("verify_packing", "A", when="Mon 08:00", says="check pack list, weight and waybill")
    world.advance(hours=12)
    world.expect_task("approve_remedy", "A", when="Mon 20:00")
    world.advance(hours=48)
    world.expect_task("answer_now", "A", when="Wed 02:00")
    world.expect_alert(reason="TIME_RUNNING_OUT", orders=["A"], when="Wed 04:00")


def test_wrong_goods_are_exchanged_on_the_sellers_freight(a_world: Make):
    world = a_shop(a_world)
    world.place(an_order("A", a_line(unit_minor=1000), flags=("wrong_claimed",), **DELIVERED))
    world.expect_alert(orders=["A"])
    world.expect_task("exchange_or_refund", "A", says="both freights are yours")
    world.place(now_says("A", status="refunded"))
    assert ["A wrong_item 1 ORDER_CLOSED"] == world.cases()


def test_the_claims_of_a_day_are_one_alert(a_world: Make):
    """Scenario 21, 47: what comes later joins at the next interval."""
    world = a_shop(a_world)
    cheap = a_line(unit_minor=1000)
    world.place(*(an_order(name, cheap, flags=("short_claimed",), **DELIVERED) for name in "ABC"))
    world.expect_alert(orders=["A", "B", "C"], when="Mon 08:00")
    world.advance(hours=1)
    world.place(an_order("D", cheap, flags=("refund_requested",), **DELIVERED))
    world.advance(hours=6)
    world.expect_alert(reason="NEW_ORDERS", orders=["A", "B", "C", "D"], when="Mon 14:00")
    for name in "ABC":
        world.expect_task("reship_or_refund", name)
    world.expect_task("answer_refund", "D", when="Mon 09:00")
    assert {"north/aftersale:2026-06-01"} == {line["cause"] for line in world.lines("action")} - {None}


@pytest.mark.slow
def test_a_refund_is_answered_within_24_hours_and_never_refused_by_itself(a_world: Make):
    """N6: what is planned against a refund request are work items for a person, nothing else."""
    world = a_shop(a_world, "jd")
    world.place(an_order("A", flags=("refund_requested",), **DELIVERED))
    world.expect_alert(orders=["A"])
    world.expect_task("answer_refund", "A", says="never refuse one that names missing stock")
    world.expect_task("give_return_address", "A")
    world.advance(hours=72)
    world.expect_task("answer_now", "A", when="Tue 02:00")
    world.expect_alert(reason="TIME_RUNNING_OUT")
    assert {"task", "alert"} == {line["action"] for line in world.lines("action")}


def test_a_refund_of_an_unshipped_order_is_answered_within_24_hours(a_world: Make):
    """X9: the clock of a paid order that was never sent is the refund's, however far its ship-by time is."""
    world = a_shop(a_world)
    world.place(an_order("A", ship_by="2026-06-20 18:00", flags=("refund_requested",)))
    world.expect_alert(orders=["A"], when="Mon 08:00", says="needs an answer by tomorrow 08:00")
    world.expect_task("answer_refund", "A", when="Mon 08:00")
    world.until("Tue 08:00")
    world.expect_task("answer_now", "A", when="Tue 02:00")
    world.expect_alert(reason="TIME_RUNNING_OUT", orders=["A"], when="Tue 04:00")
    world.place(now_says("A", status="refunded"))
    assert ["A dispute 1 ORDER_CLOSED"] == world.cases()


@pytest.mark.slow
def test_a_complaint_has_24_hours_to_be_settled_and_72_for_the_evidence(a_world: Make):
    world = a_shop(a_world)
    world.place(an_order("A", **DELIVERED))
    world.advance(hours=2)
    world.event("complaint", "A")
    world.expect_alert(orders=["A"], when="Mon 10:00")
    world.expect_task("settle_complaint", "A", when="Mon 10:00")
    world.advance(hours=72)
    world.expect_task("answer_now", "A", when="Tue 04:00")
    world.expect_alert(reason="TIME_RUNNING_OUT", when="Tue 06:00")
    world.expect_task("submit_evidence", "A", when="Tue 10:00")
    assert ["A dispute 1 open"] == world.cases()


def test_a_refund_that_becomes_an_intervention_starts_the_shorter_clock(a_world: Make):
    world = a_shop(a_world)
    world.place(an_order("A", flags=("refund_requested",), **DELIVERED))
    world.expect_alert(orders=["A"])
    world.expect_task("answer_refund", "A")
    world.advance(hours=6)
    world.place(now_says("A", flags=("refund_requested", "intervention_requested")))
    world.expect_task("settle_complaint", "A", when="Mon 14:00")
    world.expect_alert(reason="NEW_ORDERS", when="Mon 14:00")
    assert ["A dispute 1 ESCALATED", "A dispute 2 open"] == world.cases()


@pytest.mark.slow
def test_a_parcel_without_a_scan_is_looked_for_before_its_day_is_over(a_world: Make):
    """X3: fake shipping is 24 h from the upload without a scan."""
    world = a_shop(a_world)
    world.place(an_order("A", status="shipped", shipped_at="Mon 08:00", collected_at=None, collection_known=True))
    world.until("Tue 01:59")
    assert [] == [line for line in world.lines() if line["case"] == "fake_shipment"]
    world.until("Tue 03:00")
    world.expect_alert(reason="FIRST_NOTICE", when="Tue 02:00", says="1 claim or parcel needs an answer by")
    world.expect_task("find_parcel", "A", when="Tue 02:00")
    world.place(now_says("A", collected_at="Tue 02:30"))
    world.advance(hours=48)
    assert ["A fake_shipment 1 COLLECTED"] == [case for case in world.cases() if "fake" in case]


@pytest.mark.slow
def test_a_parcel_that_stands_still_is_asked_about_until_it_moves(a_world: Make):
    """X4: a day after the collection, then days after any event."""
    world = a_shop(a_world)
    sent = {"status": "shipped", "shipped_at": "Mon 07:30", "collected_at": "Mon 08:00", "collection_known": True}
    world.place(an_order("A", tracking=track("Mon 08:00"), **sent))
    world.until("Tue 02:00")
    world.expect_alert(orders=["A"], when="Tue 02:00")
    world.expect_task("ask_courier", "A", when="Tue 02:00")
    world.place(now_says("A", tracking=track("Mon 08:00", "Tue 01:00")))
    assert ["A track_stalled 1 MOVES_AGAIN"] == world.cases()
    world.until("Sat 19:00")
    world.expect_alert(orders=["A"], when="Sat 19:00")
    world.expect_task("ask_courier", "A", when="Sat 19:00")
    world.place(now_says("A", status="delivered"))
    world.advance(hours=48)
    assert ["A track_stalled 1 MOVES_AGAIN", "A track_stalled 2 DELIVERED"] == world.cases()


@pytest.mark.slow
def test_a_collected_parcel_without_tracks_raises_no_parcel_case(a_world: Make):
    world = a_shop(a_world)
    world.place(
        an_order("A", status="shipped", shipped_at="Mon 08:00", collected_at="Mon 09:00", collection_known=True)
    )
    world.advance(hours=24 * 6)
    assert [] == world.cases()


@pytest.mark.slow
def test_where_nobody_can_know_the_scan_the_seller_is_asked_once_and_no_case_is_opened(a_world: Make):
    """Design §6: from ten o'clock on, within a day of the ship-by time (X3)."""
    world = a_shop(a_world)
    world.place(an_order("A", status="shipped", shipped_at="Mon 08:00", ship_by="Wed 08:00"))
    world.advance(hours=24 * 6)
    world.expect_alert(step="confirm_scan", reason="SCAN_UNKNOWN", orders=["A"], when="Tue 10:00")
    assert [] == world.cases()


def test_an_urging_buyer_moves_the_ladder_half_a_day_forward(a_world: Make):
    world = a_shop(a_world)
    calm, urged = an_order("A", ship_by="Wed 20:00"), an_order("B", ship_by="Wed 20:00", flags=("urged",))
    world.place(calm, urged)
    world.until("Tue 20:00")
    world.expect_alert(orders=["B"], when="Tue 08:00")
    world.expect_task("ship", "B", when="Tue 08:00")
    world.expect_task("ship", "A", when="Tue 20:00")
    world.expect_alert(reason="NEW_ORDERS", orders=["A", "B"], when="Tue 20:00")


def test_paid_without_stock_and_without_a_refund_is_a_work_item_and_no_cancellation(a_world: Make):
    """C087, C088, N7: the order ends only through the buyer's own refund."""
    world = a_shop(a_world, "pinduoduo")
    world.place(an_order("A", a_line(stock=0), ship_by="Mon 20:00"))
    world.until("Tue 20:00")
    done = [(sent.step, sent.at) for sent in world.unexpected() if sent.step == "guide_refund"]
    assert [("guide_refund", at("Tue 20:00"))] == done
    world.expect_task("guide_refund", "A", says="never cancel")
    for _ in world.unexpected():
        world.expect(world.unexpected()[0].kind)
