"""Whether a listing is stopped: what the next sale may cost against what it earns; what a person ordered stays."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import delist, packs
from rules.cause import Cause, Member, Told, decide_cause
from rules.decide import Membership
from rules.delist import Move, Sale
from rules.instant import HOUR
from rules.model import Kind, Outcome
from rules.playbook import PoolRule
from tests.builders import PAID, a_line, a_policy, an_order, at

RULE = PoolRule(delist=True, relist=True, settle=0, margin_percent=20, fails_percent=90)
PERCENT = st.integers(0, 100)
MONEY = st.integers(0, 10_000_000)


def sale(unit: int | None = 5_000, payout: int | None = 500) -> Sale:
    return Sale(unit_minor=unit, payout_minor=payout, currency="CNY")


@pytest.mark.parametrize(
    ("rule", "one", "verdict", "reason"),
    [
        (RULE, sale(), "stop", "STOCK_OUT"),  # 0.9 x 5 yuan against 0.1 x 10 yuan
        (RULE, sale(unit=45_000, payout=1_000), "keep", "WORTH_SELLING"),  # 9 yuan against 9 yuan: even
        (RULE, sale(unit=44_999, payout=1_000), "stop", "STOCK_OUT"),
        (replace(RULE, fails_percent=0), sale(payout=10_000), "keep", "WORTH_SELLING"),
        (replace(RULE, fails_percent=100), sale(payout=1), "stop", "STOCK_OUT"),
        (replace(RULE, fails_percent=100), sale(payout=0), "keep", "WORTH_SELLING"),
        (replace(RULE, margin_percent=0), sale(payout=1), "stop", "STOCK_OUT"),
        (replace(RULE, margin_percent=None), sale(), "ask", "NO_MARGIN"),
        (RULE, sale(unit=None), "ask", "NO_PRICE"),
        (RULE, sale(payout=None), "ask", "NO_RULE"),
        (replace(RULE, protected=frozenset({"north/L9"})), sale(), "keep", "PROTECTED"),
        (replace(RULE, protected=frozenset({"south/L9"})), sale(), "stop", "STOCK_OUT"),
    ],
)
def test_the_next_sale_decides(rule, one, verdict, reason):
    found = delist.judge("north/L9", one, rule)
    assert (verdict, reason) == (found.verdict, found.reason)


def test_both_sides_of_the_sum_are_shown():
    found = delist.judge("north/L9", sale(), RULE)
    assert (450, 100) == (found.cost_minor, found.gain_minor)


def test_a_protected_name_is_read_as_people_write_it():
    rule = replace(RULE, protected=frozenset({"北店/L 9"}))
    assert delist.is_protected("%E5%8C%97%E5%BA%97/L%209", rule)


@given(MONEY, MONEY, PERCENT, PERCENT, st.integers(1, 1_000))
def test_a_dearer_payout_never_speaks_for_selling_on(unit, payout, margin, fails, more):
    rule = replace(RULE, margin_percent=margin, fails_percent=fails)
    before = delist.judge("north/L9", sale(unit, payout), rule).verdict
    after = delist.judge("north/L9", sale(unit, payout + more), rule).verdict
    assert ("stop", "keep") != (before, after)


@given(MONEY, MONEY, st.integers(0, 99), PERCENT)
def test_a_better_margin_never_speaks_for_stopping(unit, payout, margin, fails):
    rule = replace(RULE, margin_percent=margin, fails_percent=fails)
    better = replace(rule, margin_percent=margin + 1)
    verdicts = (delist.judge("a/b", sale(unit, payout), one).verdict for one in (rule, better))
    assert ("keep", "stop") != tuple(verdicts)


@pytest.mark.parametrize(
    ("platform", "when", "unit", "payout"),
    [
        ("pinduoduo", "2026-06-01 10:00", 5_000, 500),
        ("pinduoduo", "2026-06-01 10:00", 43_000, 2_100),
        ("taobao", "2026-06-01 10:00", 5_000, 500),
        ("taobao", "2024-06-01 10:00", 5_000, 1_500),
        ("generic", "2026-06-01 10:00", 5_000, None),
        ("taobao", "2026-06-01 10:00", None, None),
    ],
)
def test_the_next_sale_is_priced_by_the_pack(platform, when, unit, payout):
    order = an_order(platform=platform, paid_minor=99_999, ship_by=None)
    found = delist.next_sale(order, a_line(unit_minor=unit), packs.load(platform), frozenset(), at(when))
    assert (unit, payout) == (found.unit_minor, found.payout_minor)


@pytest.mark.parametrize(
    ("rule", "listings", "stopped", "left"),
    [
        (RULE, 7, 3, 7),
        (replace(RULE, daily_share_percent=10), 100, 9, 1),
        (replace(RULE, daily_share_percent=10), 100, 10, 0),
        (replace(RULE, daily_share_percent=10), 109, 10, 0),
        (replace(RULE, daily_share_percent=10), 5, 0, 1),
        (replace(RULE, daily_share_percent=0), 5, 1, 0),
    ],
)
def test_a_day_has_its_share(rule, listings, stopped, left):
    assert left == delist.share_left(rule, listings, stopped)


# ---- as part of the pool's cause


POOL = Cause(key="north/pool:A-1", kind="pool", listings=("north/L9",), since=PAID, sales={"north/L9": sale()})
STOP, SELL = "delist:north/L9", "relist:north/L9"
NOBODY = dict.fromkeys(("act_by", "ship_by", "stake_minor", "currency", "snoozed_until", "acked_at"))
MEMBERS = (
    Member(shop="north", order_id="a", joined_at=PAID, membership=Membership(case_key="a", sku="A-1", **NOBODY)),
)


def did(step: str, when: int = PAID, kind: Kind | None = None, **facts) -> Told:
    what = Kind(step.partition(":")[0])
    return Told(key=f"{step}{when}", kind=kind or what, step=step, at=when, **facts)


def moves(*history: Told, cause: Cause = POOL, members=MEMBERS, margin: str = "margin_percent = 20") -> list[tuple]:
    """Kind, step and reason of what is done to listings an hour later."""
    play = f'name = "t"\nversion = 1\n[alerts]\nleads = ["24h"]\n[pool]\ndelist = true\nrelist = true\n{margin}'
    decision = decide_cause(cause, members, a_policy(play=play), history, PAID + HOUR)
    return [(act.kind, act.step, act.reason) for act in decision.acts if act.kind is not Kind.ALERT]


RESTOCKED = replace(POOL, restocked=True, sales={})


def test_a_costly_next_sale_stops_the_listing():
    assert [(Kind.DELIST, STOP, "STOCK_OUT")] == moves()


def test_without_a_margin_only_a_person_is_asked():
    assert [(Kind.TASK, STOP, "NO_MARGIN")] == moves(margin="")


def test_a_person_is_asked_once():
    asked = did(STOP, kind=Kind.TASK, outcome=Outcome.NEEDS_HUMAN)
    assert [] == moves(asked, margin="")


def test_a_sale_that_is_worth_it_goes_on():
    assert [] == moves(cause=replace(POOL, sales={"north/L9": sale(unit=45_000, payout=1_000)}))


def test_a_protected_listing_stays():
    assert [] == moves(margin='margin_percent = 20\nprotected = ["north/L9"]')


def test_what_a_person_put_back_stays_on_sale_until_the_shortage_ends():
    history = (did(STOP), did(SELL, PAID + 1, reason="UNDO"))
    assert [] == moves(*history)
    assert [(Kind.DELIST, STOP, "STOCK_OUT")] == moves(*history, cause=replace(POOL, since=PAID + 2))


def test_what_a_person_stopped_comes_back_after_restock():
    assert [(Kind.RELIST, SELL, "RESTOCKED")] == moves(did(STOP, reason="BY_PERSON"), cause=RESTOCKED, members=())


def test_what_a_person_stopped_by_hand_a_person_sells_again():
    by_hand = did(STOP, kind=Kind.TASK, outcome=Outcome.SETTLED)
    assert [(Kind.TASK, SELL, "RESTOCKED")] == moves(by_hand, cause=RESTOCKED, members=())


def test_what_nobody_stopped_is_not_sold_again():
    asked = did(STOP, kind=Kind.TASK, outcome=Outcome.NEEDS_HUMAN)
    assert [] == moves(asked, cause=RESTOCKED, members=())


def test_a_put_back_listing_is_not_put_back_again():
    assert [] == moves(did(STOP), did(SELL, PAID + 1, reason="UNDO"), cause=RESTOCKED, members=())


@pytest.mark.parametrize(
    ("outcome", "off", "asked"),
    [
        (Outcome.SETTLED, True, False),
        (Outcome.SHADOW, True, False),
        (Outcome.NEEDS_HUMAN, False, True),
        (Outcome.PLANNED, False, True),
        (Outcome.REFUSED, False, False),
        (Outcome.VOID, False, False),
    ],
)
def test_a_work_item_stops_a_listing_once_it_is_done(outcome, off, asked):
    left = delist.touched([Move(what="delist", at=PAID, outcome=outcome, reason="NO_MARGIN", by_person=True)])
    assert (off, asked) == (left.off, left.asked)
