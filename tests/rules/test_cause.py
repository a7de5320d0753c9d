"""Causes: one folded alert for many orders, told again only on change; listings stopped and started."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rules.cause import Cause, Member, Told, decide_cause
from rules.decide import Membership
from rules.instant import HOUR, MINUTE
from rules.model import Kind, Outcome
from tests.builders import PAID, SHIP_BY, a_playbook, a_policy

POLICY = a_policy()
PICKUP = Cause(key="north/pickup:x", kind="pickup", act_by=SHIP_BY)
A_DAY = Cause(key="north/pickup:2026-06-03", kind="pickup")
POOL = Cause(key="north/pool:A-1", kind="pool", listings=("north/L9",), since=PAID)
DAY_BEFORE, HOURS_BEFORE = SHIP_BY - 24 * HOUR, SHIP_BY - 4 * HOUR


def a_member(name: str, joined_at: int = PAID, **facts) -> Member:
    place = {"sku": None, "act_by": SHIP_BY, "ship_by": SHIP_BY, "stake_minor": 500, "currency": "CNY"}
    membership = Membership(**{"case_key": name, "snoozed_until": None, "acked_at": None, **place, **facts})
    return Member(shop="north", order_id=name, joined_at=joined_at, membership=membership)


def an_alert(at: int, *named: str, step: str = "alert") -> Told:
    return Told(key=f"k{at}", kind=Kind.ALERT, step=step, at=at, members=frozenset(named))


def a_listing(kind: Kind, at: int, listing: str = "north/L9") -> Told:
    return Told(key=f"{kind}{at}", kind=kind, step=f"{kind}:{listing}", at=at)


def replace_reason(told: Told, reason: str) -> Told:
    return told._replace(reason=reason)


def alerting(alerts: str):
    return a_policy(play=a_playbook(alerts=alerts))


def said(decision) -> list[str]:
    return [act.reason for act in decision.acts]


# ---- alerts ------------------------------------------------------------------------------------------


def test_all_orders_of_a_pick_up_are_told_in_one_alert_when_the_first_lead_begins():
    crowd = (a_member("a"), a_member("b"))
    decision = decide_cause(PICKUP, crowd, POLICY, (), DAY_BEFORE)
    assert ["FIRST_NOTICE"] == said(decision)
    assert crowd == decision.members
    assert "north/pickup:x/late_shipment/alert/1" == decision.acts[0].key
    assert HOURS_BEFORE == decision.wake_at


def test_a_quiet_pick_up_is_looked_at_again_when_its_first_lead_begins():
    assert DAY_BEFORE == decide_cause(PICKUP, (a_member("a"),), POLICY, (), PAID).wake_at


def test_a_second_lead_tells_again():
    told = (an_alert(DAY_BEFORE, "a"),)
    assert [] == said(decide_cause(PICKUP, (a_member("a"),), POLICY, told, HOURS_BEFORE - 1))
    decision = decide_cause(PICKUP, (a_member("a"),), POLICY, told, HOURS_BEFORE)
    assert ["TIME_RUNNING_OUT"] == said(decision)
    assert SHIP_BY == decision.wake_at, "its passing is told too"


def test_two_leads_passed_while_nobody_looked_make_one_alert():
    told = (an_alert(DAY_BEFORE - HOUR, "a"),)
    assert ["TIME_RUNNING_OUT"] == said(decide_cause(PICKUP, (a_member("a"),), POLICY, told, SHIP_BY - 1))


def test_the_first_alert_waits_for_more_orders_when_told_to():
    policy = alerting('leads = ["99h"]\ngroup_wait = "10m"')
    crowd = (a_member("a", PAID), a_member("b", PAID + MINUTE))
    waiting = decide_cause(PICKUP, crowd, policy, (), PAID + MINUTE)
    assert ([], PAID + 10 * MINUTE) == (said(waiting), waiting.wake_at)
    assert ["FIRST_NOTICE"] == said(decide_cause(PICKUP, crowd, policy, (), PAID + 10 * MINUTE))


def test_a_new_order_joins_at_the_next_interval():
    told = (an_alert(DAY_BEFORE, "a"),)
    crowd = (a_member("a"), a_member("b", DAY_BEFORE + MINUTE))
    early = decide_cause(PICKUP, crowd, POLICY, told, DAY_BEFORE + MINUTE)
    assert ([], DAY_BEFORE + 6 * HOUR) == (said(early), early.wake_at)
    assert ["NEW_ORDERS"] == said(decide_cause(PICKUP, crowd, POLICY, told, DAY_BEFORE + 6 * HOUR))


def test_a_new_order_within_the_shortest_lead_does_not_wait_for_the_interval():
    told = (an_alert(HOURS_BEFORE, "a"),)
    crowd = (a_member("a"), a_member("b", HOURS_BEFORE + MINUTE))
    early = decide_cause(PICKUP, crowd, POLICY, told, HOURS_BEFORE + MINUTE)
    assert ([], HOURS_BEFORE + 30 * MINUTE) == (said(early), early.wake_at)
    assert ["NEW_ORDERS"] == said(decide_cause(PICKUP, crowd, POLICY, told, HOURS_BEFORE + 30 * MINUTE))


# ---- in time, whatever the leads ------------------------------------------------------------------------

LEADS = st.lists(st.sampled_from(["30h", "24h", "4h", "1h", "10m", "0m"]), min_size=1, max_size=4, unique=True)
SPANS = st.sampled_from(["0m", "10m", "1h", "6h", "48h"])


@given(
    leads=LEADS,
    wait=SPANS,
    interval=SPANS,
    told=st.booleans(),
    last=st.integers(-30 * 60, 0),
    joins=st.integers(0, 10 * 60),
    pick_up=st.none() | st.integers(1, 10 * 60),
    ends=st.integers(1, 12 * 60),
)
def test_an_urgent_newcomer_is_told_in_time_for_its_own_end(leads, wait, interval, told, last, joins, pick_up, ends):
    """Minutes from now. Only a first alert may wait for a lead: the seller has asked not to hear of it before."""
    policy = alerting(f'leads = {leads}\ngroup_wait = "{wait}"\ngroup_interval = "{interval}"'.replace("'", '"'))
    own = (PAID + (joins + (pick_up or 0)) * MINUTE, PAID + (joins + ends) * MINUTE)
    end = min(at for at in own if at > PAID + joins * MINUTE)
    late = a_member("late", PAID + joins * MINUTE, act_by=own[0], ship_by=own[1])
    crowd = (a_member("a", PAID - 31 * HOUR, act_by=end, ship_by=end), late)
    cause = replace(PICKUP, act_by=end + 90 * MINUTE if pick_up is None else own[0])
    history = (an_alert(PAID + last * MINUTE, "a"),) if told else ()
    at = late.joined_at
    for _ in range(9):
        decision = decide_cause(cause, crowd, policy, history, at)
        if decision.acts or decision.wake_at is None:
            break
        at = decision.wake_at
    opens_at = cause.act_by - policy.playbook.alerts.leads[0]
    assert decision.acts
    assert at < end or (not history and at == opens_at)


def test_a_lead_of_nothing_does_not_hold_back_a_new_order():
    policy = alerting('leads = ["24h", "4h", "0m"]\ngroup_interval = "6h"')
    told = (an_alert(HOURS_BEFORE, "a"),)
    crowd = (a_member("a"), a_member("b", HOURS_BEFORE + HOUR))
    assert ["NEW_ORDERS"] == said(decide_cause(PICKUP, crowd, policy, told, HOURS_BEFORE + HOUR))


def test_newcomers_in_the_last_hour_are_told_together_every_few_minutes():
    told = (an_alert(SHIP_BY - 40 * MINUTE, "a"),)
    crowd = (a_member("a"), *(a_member(f"b{n}", SHIP_BY - (39 - n) * MINUTE) for n in range(4)))
    early = decide_cause(PICKUP, crowd, POLICY, told, SHIP_BY - 36 * MINUTE)
    assert ([], SHIP_BY - 35 * MINUTE) == (said(early), early.wake_at)


@given(leads=LEADS, interval=SPANS, last=st.integers(-20 * 60, -1), ends=st.integers(1, 20 * 60))
def test_an_order_with_a_time_of_its_own_is_told_again_while_it_helps(leads, interval, last, ends):
    """Minutes from now: told of at `last`, its end at `ends`. What comes after the shortest lead's begin is enough."""
    policy = alerting(f'leads = {leads}\ngroup_interval = "{interval}"'.replace("'", '"'))
    end = PAID + ends * MINUTE
    told = an_alert(PAID + last * MINUTE, "a")
    decision = decide_cause(
        A_DAY, (a_member("a", PAID - 48 * HOUR, act_by=end, ship_by=end),), policy, (told,), told.at
    )
    leads_left = [end - lead for lead in policy.playbook.alerts.leads if lead][-1:]
    if leads_left and leads_left[0] > told.at:
        assert decision.wake_at < end or decision.wake_at - told.at <= 5 * MINUTE


# ---- what was missed --------------------------------------------------------------------------------------


def missed(cause: Cause, crowd: tuple[Member, ...], *told: Told, now: int, policy=POLICY):
    decision = decide_cause(cause, crowd, policy, told, now)
    return said(decision), decision.wake_at


def test_a_missed_pick_up_and_a_missed_ship_by_are_told_once_each():
    crowd = (a_member("a", ship_by=SHIP_BY + 2 * HOUR),)
    told = (an_alert(HOURS_BEFORE, "a"),)
    assert ([], SHIP_BY) == missed(PICKUP, crowd, *told, now=SHIP_BY - 1)
    assert (["PICKUP_PASSED"], SHIP_BY + 2 * HOUR) == missed(PICKUP, crowd, *told, now=SHIP_BY)
    told = (*told, replace_reason(an_alert(SHIP_BY, "a"), "PICKUP_PASSED"))
    assert (["SHIP_BY_PASSED"], None) == missed(PICKUP, crowd, *told, now=SHIP_BY + 2 * HOUR)
    told = (*told, replace_reason(an_alert(SHIP_BY + 2 * HOUR, "a"), "SHIP_BY_PASSED"))
    assert ([], None) == missed(PICKUP, crowd, *told, now=SHIP_BY + 99 * HOUR)


def test_what_passes_soon_after_is_told_together():
    crowd = tuple(a_member(f"m{n}", act_by=SHIP_BY + n * MINUTE, ship_by=SHIP_BY + n * MINUTE) for n in range(50))
    names = [member.order_id for member in crowd]
    told = (replace_reason(an_alert(SHIP_BY, *names), "SHIP_BY_PASSED"),)
    assert ([], SHIP_BY + 6 * HOUR) == missed(A_DAY, crowd, *told, now=SHIP_BY + HOUR)


def test_what_was_shipped_acknowledged_or_short_is_not_told_as_missed():
    told = (an_alert(HOURS_BEFORE, "a"),)
    assert ([], None) == missed(PICKUP, (), *told, now=SHIP_BY)
    assert ([], None) == missed(PICKUP, (a_member("a", acked_at=HOURS_BEFORE),), *told, now=SHIP_BY)
    assert [] == missed(POOL, (a_member("a"),), *told, now=SHIP_BY, policy=alerting('leads = ["24h"]'))[0]


def test_a_seller_who_does_not_want_to_hear_of_misses_does_not():
    quiet = alerting('leads = ["24h"]\nmissed = false')
    assert ([], None) == missed(PICKUP, (a_member("a"),), an_alert(DAY_BEFORE, "a"), now=SHIP_BY, policy=quiet)


# ---- a day's orders of a shop whose pick-up times are not known ----------------------------------------


def test_orders_of_a_day_are_told_as_soon_as_the_first_case_opens():
    crowd = (a_member("a", act_by=SHIP_BY), a_member("b", act_by=SHIP_BY - HOUR))
    decision = decide_cause(A_DAY, crowd, POLICY, (), PAID)
    assert (["FIRST_NOTICE"], SHIP_BY - 5 * HOUR) == (said(decision), decision.wake_at)


def test_orders_of_a_day_are_told_again_in_their_last_hours_but_not_one_by_one():
    crowd = (a_member("a", act_by=SHIP_BY), a_member("b", act_by=SHIP_BY - HOUR))
    told = (an_alert(DAY_BEFORE, "a", "b"),)
    assert ["TIME_RUNNING_OUT"] == said(decide_cause(A_DAY, crowd, POLICY, told, SHIP_BY - 5 * HOUR))
    soon = decide_cause(A_DAY, crowd, POLICY, (*told, an_alert(SHIP_BY - 5 * HOUR, "a", "b")), HOURS_BEFORE)
    assert ([], SHIP_BY - HOUR) == (said(soon), soon.wake_at), "while it still helps"


def test_an_order_that_leaves_is_no_reason_to_tell_again():
    assert [] == said(
        decide_cause(PICKUP, (a_member("a"),), POLICY, (an_alert(DAY_BEFORE, "a", "b"),), SHIP_BY - 9 * HOUR)
    )


def test_an_unchanged_cause_is_repeated_only_when_the_playbook_says_so():
    told = (an_alert(DAY_BEFORE, "a"),)
    policy = alerting('leads = ["24h"]\nrepeat = "2h"')
    early = decide_cause(PICKUP, (a_member("a"),), policy, told, DAY_BEFORE + HOUR)
    assert ([], DAY_BEFORE + 2 * HOUR) == (said(early), early.wake_at)
    assert ["STILL_OPEN"] == said(decide_cause(PICKUP, (a_member("a"),), policy, told, DAY_BEFORE + 2 * HOUR))


def test_acknowledged_and_snoozed_orders_are_not_named_and_a_snooze_ends():
    crowd = (a_member("a", acked_at=PAID), a_member("b", snoozed_until=SHIP_BY - 20 * HOUR))
    quiet = decide_cause(PICKUP, crowd, POLICY, (), DAY_BEFORE)
    assert ([], SHIP_BY - 20 * HOUR) == (said(quiet), quiet.wake_at)
    loud = decide_cause(PICKUP, crowd, POLICY, (), SHIP_BY - 20 * HOUR)
    assert (["FIRST_NOTICE"], ["b"]) == (said(loud), [member.order_id for member in loud.members])


def test_the_end_of_a_cause_is_told_once_and_only_when_wanted():
    told = (an_alert(DAY_BEFORE, "a"),)
    policy = alerting('leads = ["24h"]\nresolved = true')
    assert [] == said(decide_cause(PICKUP, (), POLICY, told, SHIP_BY))
    assert ["ALL_RESOLVED"] == said(decide_cause(PICKUP, (), policy, told, SHIP_BY))
    assert [] == said(decide_cause(PICKUP, (), policy, (*told, an_alert(SHIP_BY, step="resolved")), SHIP_BY + 1))
    assert [] == said(decide_cause(PICKUP, (), policy, (), SHIP_BY))


def test_a_cause_that_comes_back_after_its_end_was_told_is_told_again():
    told = (an_alert(DAY_BEFORE, "a"), an_alert(DAY_BEFORE + HOUR, step="resolved"))
    policy = alerting('leads = ["24h"]\nresolved = true')
    assert ["NEW_ORDERS"] == said(decide_cause(PICKUP, (a_member("a"),), policy, told, DAY_BEFORE + 3 * HOUR))


def test_a_pool_is_told_at_once():
    decision = decide_cause(POOL, (a_member("a"),), POLICY, (), PAID)
    assert "north/pool:A-1/stock_out/alert/1" == decision.acts[0].key


# ---- listings ----------------------------------------------------------------------------------------


def listed(cause: Cause, crowd: tuple[Member, ...], *history: Told, now: int, policy=POLICY):
    """Listing acts only, and when to look again; the seller has been told."""
    decision = decide_cause(cause, crowd, policy, (an_alert(PAID, "a"), *history), now)
    return [act.step for act in decision.acts if ":" in act.step], decision.wake_at


def test_a_shortage_that_lasts_stops_the_listing():
    crowd = (a_member("a"),)
    assert ([], PAID + 30 * MINUTE) == listed(POOL, crowd, now=PAID)
    assert ["delist:north/L9"] == listed(POOL, crowd, now=PAID + 30 * MINUTE)[0]


def test_a_flag_on_an_order_must_last_as_long_as_a_shortage():
    never_short = replace(POOL, since=0)
    assert ([], PAID + 30 * MINUTE) == listed(never_short, (a_member("a", PAID),), now=PAID)


def test_a_listing_is_stopped_once():
    assert [] == listed(POOL, (a_member("a"),), a_listing(Kind.DELIST, PAID), now=PAID + 9 * HOUR)[0]


def test_restock_that_lasts_sells_again_what_we_stopped():
    cause = replace(POOL, restocked=True, since=PAID + HOUR)
    ours = a_listing(Kind.DELIST, PAID)
    assert ([], PAID + 90 * MINUTE) == listed(cause, (), ours, now=PAID + HOUR)
    assert ["relist:north/L9"] == listed(cause, (), ours, now=PAID + 90 * MINUTE)[0]


def test_a_listing_somebody_else_stopped_stays_stopped():
    assert [] == listed(replace(POOL, restocked=True), (), now=PAID + 9 * HOUR)[0]


def test_without_restock_nothing_is_sold_again():
    assert [] == listed(POOL, (), a_listing(Kind.DELIST, PAID), now=PAID + 9 * HOUR)[0]


def test_each_round_has_keys_of_its_own():
    rounds = (a_listing(Kind.DELIST, PAID), a_listing(Kind.RELIST, PAID + HOUR))
    decision = decide_cause(POOL, (a_member("a"),), POLICY, (an_alert(PAID, "a"), *rounds), PAID + 9 * HOUR)
    assert ["north/pool:A-1/stock_out/2/delist/north/L9"] == [act.key for act in decision.acts if ":" in act.step]


def test_a_seller_who_stops_listings_by_hand_keeps_them():
    by_hand = alerting('leads = ["24h"]\n[pool]\ndelist = false')
    assert [] == listed(POOL, (a_member("a"),), now=PAID + 9 * HOUR, policy=by_hand)[0]


def test_a_pick_up_never_touches_a_listing():
    cause = replace(PICKUP, listings=("north/L9",))
    assert [] == listed(cause, (a_member("a"),), now=SHIP_BY)[0]


def test_listings_whose_names_end_alike_are_told_apart():
    cause = replace(POOL, listings=("north/L9", "north/L19"))
    assert ["delist:north/L9"] == listed(
        cause, (a_member("a"),), a_listing(Kind.DELIST, PAID, "north/L19"), now=PAID + HOUR
    )[0]


# ---- notices -----------------------------------------------------------------------------------------


def posted(cause: Cause, crowd: tuple[Member, ...], *history: Told, now: int = PAID + HOUR, policy=POLICY) -> list[str]:
    """Keys of what a person is to post or take down; the seller has been told."""
    decision = decide_cause(cause, crowd, policy, (an_alert(PAID, "a"), *history), now)
    return [act.key for act in decision.acts if act.step.endswith("_notice") and act.kind is Kind.TASK]


def a_notice(step: str, at: int, outcome: Outcome = Outcome.SETTLED) -> Told:
    return Told(key=f"{step}{at}", kind=Kind.TASK, step=step, at=at, outcome=outcome)


BACK = replace(POOL, restocked=True, since=PAID + HOUR)
POSTED = a_notice("post_notice", PAID + 30 * MINUTE)


def test_a_shortage_that_lasts_is_posted_once_in_the_shop():
    crowd = (a_member("a"), a_member("b"))
    assert [] == posted(POOL, crowd, now=PAID)
    assert ["north/pool:A-1/stock_out/1/post_notice"] == posted(POOL, crowd)
    assert [] == posted(POOL, crowd, POSTED)


def test_a_notice_comes_down_after_a_restock_that_lasts():
    assert [] == posted(BACK, (), POSTED)
    assert ["north/pool:A-1/stock_out/1/remove_notice"] == posted(BACK, (), POSTED, now=PAID + 2 * HOUR)
    assert [] == posted(BACK, (), POSTED, a_notice("remove_notice", PAID + 2 * HOUR), now=PAID + 3 * HOUR)


def test_a_notice_nobody_put_up_need_not_come_down():
    never = a_notice("post_notice", PAID + 30 * MINUTE, Outcome.VOID)
    assert [] == posted(BACK, (), never, now=PAID + 2 * HOUR)


def test_a_notice_a_person_cancelled_is_asked_for_again_only_in_the_next_shortage():
    cancelled = a_notice("post_notice", PAID + 30 * MINUTE, Outcome.VOID)
    assert [] == posted(POOL, (a_member("a"),), cancelled)
    again = replace(POOL, since=PAID + HOUR)
    late = (a_member("a", PAID + HOUR),)
    assert ["north/pool:A-1/stock_out/2/post_notice"] == posted(again, late, cancelled, now=PAID + 2 * HOUR)


def test_on_pinduoduo_no_notice_speaks_of_a_delay():
    assert [] == posted(POOL, (a_member("a"),), policy=a_policy("pinduoduo"))


def test_a_seller_who_wants_no_notices_gets_none():
    assert [] == posted(POOL, (a_member("a"),), policy=alerting('leads = ["24h"]\n[pool]\ndelist = true'))
