"""Why: an answer for every order, with the rules that fired and those that did not, and the steps to come."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import packs
from rules.decide import decide
from rules.instant import DAY, HOUR, format_utc
from rules.model import NO_HISTORY, Kind, Outcome
from rules.why import Explanation, Rule, explain, to_json
from tests.builders import (
    LATE,
    PAID,
    SHIP_BY,
    STOCK_OUT,
    a_case,
    a_history,
    a_look,
    a_past,
    a_playbook,
    a_policy,
    an_event,
    an_order,
    at,
)  # fmt: skip

POLICY = a_policy()
FIRST = SHIP_BY - 24 * HOUR
WEAK = at("2025-06-01 08:00")
"""Paid under TB-L5, which a weak source tells of."""


def rule(found: Explanation, name: str) -> Rule:
    return next(rule for rule in found.rules if rule.id == name)


def said(found: Explanation, name: str) -> tuple[bool, str]:
    entry = rule(found, name)
    return entry.fired, entry.reason


def steps(found: Explanation) -> list[tuple[str, str]]:
    return [(step.key.rsplit("/", 1)[1], step.outcome) for step in found.steps]


# ---- rules -------------------------------------------------------------------------------------------


def test_an_order_nothing_happened_to_says_why_not():
    found = explain(an_order(), POLICY, NO_HISTORY, PAID)
    assert (False, "NOT_DUE_YET") == said(found, "late_shipment")
    assert (False, "IN_STOCK") == said(found, "stock_out")


@pytest.mark.parametrize("status", ["unpaid", "delivered", "completed", "cancelled", "refunded"])
def test_also_a_closed_order_is_explained(status):
    found = explain(an_order(status=status), POLICY, NO_HISTORY, SHIP_BY)
    assert not rule(found, "late_shipment").fired
    assert () == found.steps


def test_a_threat_says_what_it_would_cost():
    found = explain(an_order(platform="pinduoduo"), a_policy("pinduoduo"), NO_HISTORY, FIRST)
    late = rule(found, "late_shipment")
    assert (True, "SHIP_BY_NEAR", False) == (late.fired, late.reason, late.confirmed)
    assert late.amount_minor == rule(found, "PD-L3").amount_minor > 0


def test_a_threat_a_person_resolved_does_not_fire():
    case = a_case(opened_at=FIRST, closed_at=FIRST + HOUR, reason="RESOLVED_BY_PERSON")
    found = explain(an_order(), POLICY, a_history(case), SHIP_BY - HOUR)
    assert (False, "RESOLVED_BY_PERSON") == said(found, "late_shipment")


def test_every_row_in_force_for_the_order_is_named_once():
    for platform in packs.PLATFORMS:
        pack = packs.load(platform)
        names = [entry.id for entry in explain(an_order(platform=platform), a_policy(platform), NO_HISTORY, PAID).rules]
        assert sorted(set(names)) == sorted(names)
        assert {row.id for row in pack.rows_at(LATE, PAID)} <= set(names)
        assert {row.id for row in pack.rows_at(STOCK_OUT, PAID, "escalation")} <= set(names)


def test_a_row_of_another_time_is_not_named():
    found = explain(an_order(), POLICY, NO_HISTORY, PAID)
    assert "TB-L4" not in [entry.id for entry in found.rules]
    old = explain(an_order(paid_at=at("2024-06-01 08:00")), POLICY, NO_HISTORY, PAID)
    assert "TB-L4" in [entry.id for entry in old.rules]


def test_a_row_about_lateness_applies_from_the_deadline_on():
    order, policy = an_order(platform="pinduoduo"), a_policy("pinduoduo")
    seen = [said(explain(order, policy, NO_HISTORY, now), "PD-L3") for now in (PAID, FIRST, SHIP_BY - 1, SHIP_BY)]
    assert [(False, "NOT_DUE_YET"), (False, "NOT_LATE_YET"), (False, "NOT_LATE_YET"), (True, "ALREADY_LATE")] == seen


def test_a_row_about_missing_stock_applies_once_the_shop_says_so():
    order = an_order(platform="pinduoduo", flags=("out_of_stock",))
    assert (True, "OUT_OF_STOCK_FLAG") == said(explain(order, a_policy("pinduoduo"), NO_HISTORY, PAID), "PD-S1")


def test_a_weak_row_is_shown_as_a_range_and_unconfirmed():
    row = rule(explain(an_order(paid_at=WEAK), POLICY, NO_HISTORY, SHIP_BY), "TB-L5")
    assert row.reason.startswith("ALREADY_LATE, UNCONFIRMED ")
    low, high = map(int, row.reason.rsplit(" ", 1)[1].split(".."))
    assert (low, high) == (min(low, high), row.amount_minor)
    assert not row.confirmed


def test_a_row_a_person_confirmed_says_so():
    digests = frozenset(row.digest for row in packs.load("taobao").rows if row.id == "TB-L5")
    row = rule(explain(an_order(paid_at=WEAK), a_policy(confirmed=digests), NO_HISTORY, SHIP_BY), "TB-L5")
    assert (True, "ALREADY_LATE") == (row.confirmed, row.reason)


def test_a_row_without_a_price_to_count_from_says_so():
    order = an_order(platform="pinduoduo", paid_minor=None)
    row = rule(explain(order, a_policy("pinduoduo"), NO_HISTORY, SHIP_BY), "PD-L3")
    assert (None, True, "ALREADY_LATE, NO_PRICE") == (row.amount_minor, row.fired, row.reason)


@pytest.mark.parametrize(
    ("flag", "violation"),
    [("short_claimed", "short_shipment"), ("wrong_claimed", "wrong_item"), ("intervention_requested", "dispute")],
)
def test_rows_about_what_the_buyer_claims_apply_by_its_flag(flag, violation):
    for platform in packs.PLATFORMS:
        pack = packs.load(platform)
        claimed = explain(an_order(platform=platform, flags=(flag,)), a_policy(platform), NO_HISTORY, PAID)
        quiet = explain(an_order(platform=platform), a_policy(platform), NO_HISTORY, PAID)
        for row in pack.rows:
            if row.violation == violation and row.id in [entry.id for entry in claimed.rules]:
                assert rule(claimed, row.id).reason.split(",")[0] in (flag.upper(), "EXEMPT")
                assert rule(quiet, row.id).reason.split(",")[0] == "NOT_SEEN"


# ---- steps -------------------------------------------------------------------------------------------


def test_a_case_that_is_not_open_yet_shows_the_steps_it_will_take_and_when():
    found = explain(an_order(), POLICY, NO_HISTORY, PAID)
    assert [("ship", "planned"), ("agree_new_date", "planned"), ("tell_buyer", "planned")] == steps(found)[:3]
    assert [FIRST, SHIP_BY - 12 * HOUR, SHIP_BY - 8 * HOUR, SHIP_BY] == [step.due_at for step in found.steps]


def test_a_step_that_would_be_dropped_as_things_stand_says_why():
    found = explain(an_order(), POLICY, NO_HISTORY, PAID)
    assert ("make_good", "PLATFORM_PAYS_ITSELF") == (found.steps[-1].key.rsplit("/", 1)[1], found.steps[-1].reason)


def test_past_steps_show_their_outcome_and_reason_dropped_ones_too():
    past = [
        a_past("ship", FIRST, Kind.TASK, outcome=Outcome.NEEDS_HUMAN, reason="SHIP_BY_NEAR"),
        a_past("agree_new_date", SHIP_BY - HOUR, dropped=True, outcome=Outcome.VOID, reason="NO_TIME_LEFT"),
    ]
    history = a_history(a_case(opened_at=FIRST), past=past, decided_at=SHIP_BY - HOUR)
    found = explain(an_order(), POLICY, history, SHIP_BY - HOUR)
    assert [("task", "needs_human", "SHIP_BY_NEAR"), ("negotiate", "void", "NO_TIME_LEFT")] == [
        (step.action, step.outcome, step.reason) for step in found.steps[:2]
    ]


def test_an_answer_changes_what_is_to_come():
    past = [a_past("ship", FIRST, Kind.TASK), a_past("agree_new_date", SHIP_BY - 12 * HOUR)]
    history = a_history(
        a_case(opened_at=FIRST), past=past, events=[an_event("date_agreed", SHIP_BY - 11 * HOUR)], decided_at=PAID
    )
    found = explain(an_order(), POLICY, history, SHIP_BY - 10 * HOUR)
    assert {"DATE_AGREED"} == {step.reason for step in found.steps if step.outcome == "void"}
    assert [] == [step for step in found.steps if step.outcome == "planned"]


def test_looking_ahead_ends_even_for_a_playbook_of_many_steps():
    play = a_playbook("\n".join(f'name = "s{n}", action = "task", after = "{n}h"' for n in range(300)))
    found = explain(an_order(), a_policy(play=play), NO_HISTORY, PAID)
    assert 190 < len(found.steps) < 300


def test_looking_ahead_repeats_no_key():
    order = an_order(platform="pinduoduo", flags=("out_of_stock",))
    keys = [step.key for step in explain(order, a_policy("pinduoduo"), NO_HISTORY, PAID).steps]
    assert sorted(set(keys)) == sorted(keys)


# ---- the document ------------------------------------------------------------------------------------


def test_the_document_has_the_contracts_keys_in_order_and_times_in_utc():
    found = explain(an_order(), POLICY, NO_HISTORY, PAID, observed_at=PAID)
    document = to_json(found)
    assert ["order", "ship_by", "act_by", "candidates", "rules", "steps", "choices"] == list(document)
    assert ["source", "ship_by", "observed_at", "effective"] == list(document["candidates"][0])
    assert ["id", "fired", "reason", "amount_minor", "confirmed"] == list(document["rules"][0])
    assert ["key", "action", "due_at", "outcome", "reason"] == list(document["steps"][0])
    assert ("1", format_utc(SHIP_BY), format_utc(SHIP_BY)) == (
        document["order"], document["ship_by"], document["act_by"]
    )  # fmt: skip
    assert document == json.loads(json.dumps(document))


def test_all_claims_to_the_deadline_are_shown_and_one_counts():
    order = an_order(negotiated_ship_by=SHIP_BY + DAY)
    candidates = to_json(explain(order, POLICY, NO_HISTORY, PAID, observed_at=PAID))["candidates"]
    assert [("negotiated", True), ("platform", False), ("pack", False)] == [
        (claim["source"], claim["effective"]) for claim in candidates
    ]
    assert [format_utc(PAID), format_utc(PAID), None] == [claim["observed_at"] for claim in candidates]


def test_an_order_without_any_date_has_a_document_too():
    document = to_json(explain(an_order(ship_by=None, paid_at=None), POLICY, NO_HISTORY, PAID))
    assert (None, None, []) == (document["ship_by"], document["act_by"], document["candidates"])


@given(st.sampled_from(["paid", "shipped"]), st.integers(-3, 60), st.sampled_from(["taobao", "pinduoduo"]))
def test_no_step_is_called_planned_that_will_not_be_done(status: str, hours: int, platform: str) -> None:
    order, policy = an_order(platform=platform, status=status), a_policy(platform)

    explained = explain(order, policy, NO_HISTORY, SHIP_BY - hours * HOUR)

    look = a_look(order, policy, now=SHIP_BY - hours * HOUR)
    dropped = {act.key for act in decide(order, policy, NO_HISTORY, look.now).acts if act.dropped}
    planned = {step.key for step in explained.steps if step.outcome == "planned"}
    assert set() == planned & dropped
    assert dropped <= {step.key for step in explained.steps if step.outcome == "void"}
