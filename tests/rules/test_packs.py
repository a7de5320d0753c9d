"""The rule packs hold every sourced row, choose it by the local day of payment, and load only what is sound."""

from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path

import freezegun
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import packs
from rules.confirmation import fingerprint
from rules.errors import PolicyError
from rules.instant import SECOND, parse
from rules.model import Order, Violation
from tests import handbook

LATE, OUT, FAKE = Violation.LATE_SHIPMENT, Violation.STOCK_OUT, Violation.FAKE_SHIPMENT
SHORT, WRONG, STALLED = Violation.SHORT_SHIPMENT, Violation.WRONG_ITEM, Violation.TRACK_STALLED

# id, platform, violations, from, to, confidence: the 32 rows of the draft with the names of the domain.
DRAFT = [
    ("TB-L1", "taobao", (LATE,), None, "2015-10-28", "A"),
    ("TB-L2", "taobao", (LATE,), "2015-10-29", "2019-08-25", "A"),
    ("TB-L3", "taobao", (LATE,), "2019-08-26", "2022-07-17", "A"),
    ("TB-L4", "taobao", (LATE,), "2022-07-18", "2025-02-12", "A"),
    ("TB-L5", "taobao", (LATE,), "2025-02-13", "2025-09-04", "C"),
    ("TB-S0", "taobao", (OUT,), "2019-08-26", "2022-07-17", "A"),
    ("TB-S2", "taobao", (OUT,), "2022-07-18", "2025-02-12", "A"),
    ("TB-S3", "taobao", (OUT,), "2025-02-13", None, "A"),
    ("TB-F1", "taobao", (FAKE,), "2022-07-18", "2023-12-31", "A"),
    ("TB-F2", "taobao", (FAKE,), "2024-01-01", "2025-09-04", "B"),
    ("TB-T1", "taobao", (STALLED,), "2025-09-05", None, "A"),
    ("TM-L1", "tmall", (LATE,), None, "2020-09-16", "A"),
    ("TM-L2", "tmall", (LATE,), "2020-09-17", "2025-03-06", "A"),
    ("TM-S1", "tmall", (OUT,), "2020-09-24", "2025-03-06", "A"),
    ("TM-F1", "tmall", (FAKE,), "2020-09-24", "2025-03-06", "A"),
    ("TM-W1", "tmall", (SHORT, WRONG), None, None, "S"),
    ("PD-L1", "pinduoduo", (LATE,), None, "2022-10-25", "A"),
    ("PD-L2", "pinduoduo", (LATE,), "2022-10-26", "2025-05-14", "B"),
    ("PD-L3", "pinduoduo", (LATE,), "2025-05-15", None, "B"),
    ("PD-S1", "pinduoduo", (OUT,), None, None, "A"),
    ("PD-S2", "pinduoduo", (OUT,), "2025-05-15", None, "B"),
    ("PD-F1", "pinduoduo", (FAKE,), None, "2022-12-31", "B"),
    ("PD-F2", "pinduoduo", (FAKE,), "2023-01-01", "2025-05-14", "A"),
    ("PD-F3", "pinduoduo", (FAKE,), "2025-05-15", None, "A"),
    ("PD-Q1", "pinduoduo", (SHORT,), "2025-05-15", None, "A"),
    ("JD-L1", "jd", (LATE,), None, "2022-12-15", "A"),
    ("JD-L2", "jd", (LATE,), "2022-12-16", None, "A"),
    ("JD-L3", "jd", (LATE,), None, None, "B"),
    ("JD-S1", "jd", (OUT,), "2022-12-16", None, "A"),
    ("DY-L2", "douyin", (LATE,), "2022-01-07", "2026-03-31", "A"),
    ("DY-S1", "douyin", (OUT,), "2023-11-26", "2025-06-04", "B"),
    ("DY-S2", "douyin", (OUT,), "2025-06-05", "2026-03-31", "B"),
]
# By the official texts of 2026, read 2026-11-29.
IN_FORCE = [
    ("TB-L6", "taobao", (LATE,), "2025-09-05", None, "A"),
    ("TB-F3", "taobao", (FAKE,), "2025-09-05", None, "A"),
    ("TM-L4", "tmall", (LATE,), "2025-03-07", None, "A"),
    ("TM-S2", "tmall", (OUT,), "2025-03-07", None, "A"),
    ("TM-F2", "tmall", (FAKE,), "2025-03-07", None, "A"),
    ("DY-L3", "douyin", (LATE,), "2026-04-01", None, "A"),
    ("DY-S3", "douyin", (OUT,), "2026-04-01", None, "A"),
]
# What the research names beyond the draft: id, platform, violations, from, to, confidence, scope or row it contradicts.
BEYOND = [
    ("TB-W1", "taobao", (WRONG,), "2019-06-25", None, "B", "order"),
    ("TB-S1", "taobao", (OUT,), None, "2022-07-17", "S", "TB-S0"),
    ("TB-S3-P10", "taobao", (OUT,), "2025-02-13", "2025-09-04", "B", "TB-S3"),
    ("TB-S3-P09", "taobao", (OUT,), "2025-02-13", "2025-09-04", "C", "TB-S3"),
    ("TB-S4", "taobao", (OUT,), "2025-08-26", None, "A", "record"),
    ("TB-F4", "taobao", (FAKE,), "2025-09-05", None, "A", "record"),
    ("TB-W2", "taobao", (SHORT,), None, None, "B", "record"),
    ("TB-W3", "taobao", (SHORT,), None, None, "B", "record"),
    ("TB-R1", "taobao", (OUT,), None, None, "C", "record"),
    ("TM-L3-P19A", "tmall", (LATE,), "2025-03-07", "2026-04-01", "C", "TM-L4"),
    ("TM-L3", "tmall", (LATE,), "2025-03-07", "2026-04-01", "C", "record"),
    ("TM-P1", "tmall", (LATE,), None, None, "C", "record"),
    ("TM-X1", "tmall", (LATE,), None, None, "C", "record"),
    ("TM-F0", "tmall", (FAKE,), "2020-11-08", None, "A", "record"),
    ("TM-F3", "tmall", (FAKE,), "2025-03-07", None, "A", "record"),
    ("TM-T1", "tmall", (STALLED,), "2025-08-26", None, "A", "record"),
    ("PD-Q0", "pinduoduo", (SHORT,), None, "2025-05-14", "A", "shop"),
    ("PD-F1-P27", "pinduoduo", (FAKE,), None, "2022-12-31", "B", "PD-F1"),
    ("PD-S1-LIUSMY", "pinduoduo", (OUT,), None, None, "C", "PD-S1"),
    ("PD-S1-XIAODUO", "pinduoduo", (OUT,), None, None, "C", "PD-S1"),
    ("PD-S3", "pinduoduo", (OUT,), None, None, "A", "record"),
    ("PD-S4", "pinduoduo", (OUT,), None, None, "B", "record"),
    ("PD-S5", "pinduoduo", (OUT,), None, None, "C", "record"),
    ("PD-W1", "pinduoduo", (WRONG,), None, None, "B", "record"),
    ("PD-W2", "pinduoduo", (SHORT,), None, None, "C", "record"),
    ("JD-S0", "jd", (OUT,), None, "2022-12-15", "A", "order"),
    ("JD-H1", "jd", (LATE,), "2018-01-01", "2018-12-31", "A", "JD-L1"),
    ("JD-H1-DELAYED", "jd", (LATE,), "2018-01-01", "2018-12-31", "A", "JD-L1"),
    ("JD-L2-P52", "jd", (LATE,), "2022-12-16", None, "C", "JD-L2"),
    ("JD-D1", "jd", (LATE,), "2024-02-27", None, "C", "record"),
    ("JD-W1", "jd", (SHORT,), None, "2023-03-31", "B", "record"),
    ("JD-0", "jd", (LATE,), "2023-04-01", None, "A", "record"),
    ("DY-L1", "douyin", (LATE,), "2022-06-02", "2022-06-30", "A", "DY-L2"),
    ("DY-F1", "douyin", (FAKE,), None, None, "C", "record"),
]
TOOLS = [
    ("taobao", "agree_ship_date"),
    ("tmall", "agree_ship_date"),
    ("douyin", "agree_ship_date"),
    ("pinduoduo", "delay_ship"),
    ("taobao", "small_payment"),
    ("tmall", "small_payment"),
    ("pinduoduo", "small_payment"),
    ("douyin", "small_payment"),
    ("taobao", "report"),
    ("tmall", "report"),
    ("jd", "report"),
    ("douyin", "report"),
    ("taobao", "small_collection"),
    ("pinduoduo", "small_collection"),
    ("taobao", "pay_in_complaint"),
]
METRICS = [
    *(("taobao", id) for id in ("DM-1", "DM-2", "DM-3", "DM-5", "DM-5-furniture", "DM-6", "DM-7", "DM-8")),
    *(("tmall", id) for id in ("DM-4", "DM-7", "DM-8")),
    ("pinduoduo", "DM-9"),
]


def day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


@pytest.mark.parametrize(("id", "platform", "violations", "first", "last", "confidence"), [*DRAFT, *IN_FORCE])
def test_every_row_of_the_draft_and_in_force_is_in_its_pack(id, platform, violations, first, last, confidence):
    row = packs.load(platform).row(id)
    assert row is not None
    assert (violations, day(first), day(last), confidence, False) == (
        row.violations,
        row.first,
        row.last,
        row.confidence,
        row.verified,
    )
    assert row.source


@pytest.mark.parametrize(("id", "platform", "violations", "first", "last", "confidence", "place"), BEYOND)
def test_every_other_dated_rule_and_conflict_is_in_its_pack(id, platform, violations, first, last, confidence, place):
    row = packs.load(platform).row(id)
    assert row is not None
    assert (violations, day(first), day(last), confidence, place) == (
        row.violations,
        row.first,
        row.last,
        row.confidence,
        row.instead_of or row.scope,
    )
    assert row.source


def test_no_row_is_shipped_that_the_research_does_not_name():
    named = {id for id, *_ in (*DRAFT, *IN_FORCE, *BEYOND)}
    assert named == {row.id for pack in packs.all_packs() for row in pack.rows}


@pytest.mark.parametrize(("platform", "tool"), TOOLS)
def test_every_tool_of_the_research_is_in_its_pack(platform, tool):
    assert tool in {found.tool for found in packs.load(platform).tools}


@pytest.mark.parametrize(("platform", "metric"), METRICS)
def test_every_metric_of_the_research_is_in_its_pack(platform, metric):
    assert metric in {found.id for found in packs.load(platform).metrics}


@pytest.mark.parametrize(
    ("platform", "violation", "paid", "expected"),
    [
        ("taobao", LATE, "2015-10-28T23:59:59+08:00", "TB-L1"),
        ("taobao", LATE, "2015-10-29T00:00:00+08:00", "TB-L2"),
        ("taobao", LATE, "2025-02-12T15:59:59Z", "TB-L4"),
        ("taobao", LATE, "2025-02-12T16:00:00Z", "TB-L5"),
        ("taobao", LATE, "2025-09-04T23:59:59+08:00", "TB-L5"),
        ("taobao", LATE, "2025-09-05T00:00:00+08:00", "TB-L6"),
        ("taobao", FAKE, "2025-09-04T23:59:59+08:00", "TB-F2"),
        ("taobao", FAKE, "2025-09-05T00:00:00+08:00", "TB-F3"),
        ("tmall", LATE, "2020-09-16T23:59:59+08:00", "TM-L1"),
        ("tmall", LATE, "2020-09-17T00:00:00+08:00", "TM-L2"),
        ("tmall", LATE, "2025-03-06T23:59:59+08:00", "TM-L2"),
        ("tmall", LATE, "2025-03-07T00:00:00+08:00", "TM-L4"),
        ("tmall", OUT, "2025-03-06T23:59:59+08:00", "TM-S1"),
        ("tmall", OUT, "2025-03-07T00:00:00+08:00", "TM-S2"),
        ("tmall", FAKE, "2025-03-07T00:00:00+08:00", "TM-F2"),
        ("pinduoduo", FAKE, "2022-12-31T23:59:59+08:00", "PD-F1"),
        ("pinduoduo", FAKE, "2023-01-01T00:00:00+08:00", "PD-F2"),
        ("pinduoduo", FAKE, "2025-05-15T00:00:00+08:00", "PD-F3"),
        ("jd", LATE, "2022-12-16T00:00:00+08:00", "JD-L2"),
        ("douyin", OUT, "2025-06-04T23:59:59+08:00", "DY-S1"),
        ("douyin", OUT, "2025-06-05T00:00:00+08:00", "DY-S2"),
        ("douyin", OUT, "2026-03-31T23:59:59+08:00", "DY-S2"),
        ("douyin", OUT, "2026-04-01T00:00:00+08:00", "DY-S3"),
        ("douyin", LATE, "2026-03-31T23:59:59+08:00", "DY-L2"),
        ("douyin", LATE, "2026-04-01T00:00:00+08:00", "DY-L3"),
    ],
)
def test_a_regime_changes_at_local_midnight(platform, violation, paid, expected):
    assert [expected] == [row.id for row in packs.load(platform).rows_at(violation, parse(paid))]


def test_an_unknown_instant_means_the_newest_regime():
    assert ["TB-S3"] == [row.id for row in packs.load("taobao").rows_at(OUT, None)]


def test_before_the_first_sourced_text_no_row_is_guessed():
    assert () == packs.load("douyin").rows_at(LATE, parse("2022-01-06T23:59:59+08:00"))


@pytest.mark.parametrize(
    ("platform", "violation", "scope", "expected"),
    [
        ("pinduoduo", OUT, "shop", ["PD-S2"]),
        ("pinduoduo", SHORT, "shop", ["PD-Q1"]),
        ("jd", LATE, "escalation", ["JD-L3"]),
        ("taobao", LATE, "shop", []),
    ],
)
def test_shop_lines_and_later_costs_are_kept_apart_from_what_an_order_costs(platform, violation, scope, expected):
    assert expected == [row.id for row in packs.load(platform).rows_at(violation, None, scope)]


@pytest.mark.parametrize(
    ("platform", "at", "violation", "expected"),
    [
        ("taobao", "2026-06-01T07:58:00+08:00", LATE, "taobao@2025-09-05"),
        ("taobao", "2025-09-04T07:58:00+08:00", LATE, "taobao@2025-02-13"),
        ("taobao", "2025-02-12T23:59:59+08:00", LATE, "taobao@2022-07-18"),
        ("taobao", "2026-06-01T07:58:00+08:00", None, "taobao@2025-09-05"),
        ("taobao", "2014-06-01T07:58:00+08:00", LATE, "taobao@1"),
        ("tmall", "2026-06-01T07:58:00+08:00", LATE, "tmall@2025-03-07"),
        ("pinduoduo", None, LATE, "pinduoduo@2025-05-15"),
        ("jd", None, None, "jd@2022-12-16"),
        ("generic", None, LATE, "generic@1"),
        ("olist", "2018-06-01T07:58:00Z", LATE, "olist@1"),
    ],
)
def test_the_version_names_the_newest_boundary_before_the_payment(platform, at, violation, expected):
    instant = None if at is None else parse(at)
    assert expected == packs.load(platform).version(instant, violation)


def test_an_unknown_platform_gets_the_generic_pack_under_its_name():
    pack = packs.load("olist", zone="America/Sao_Paulo")
    assert ("olist", "America/Sao_Paulo", ()) == (pack.platform, pack.zone.key, pack.rows)


def test_a_platform_keeps_its_own_zone():
    assert "Asia/Shanghai" == packs.load("taobao", zone="Europe/Riga").zone.key


def test_loading_twice_gives_the_same_pack():
    assert packs.load("jd") is packs.load("jd")


@pytest.mark.parametrize(
    ("platform", "id", "at", "tags", "hours"),
    [
        ("pinduoduo", "fake_scan", "2022-11-10T23:59:59+08:00", (), 24),
        ("pinduoduo", "fake_scan", "2022-11-11T00:00:00+08:00", (), 48),
        ("pinduoduo", "fake_scan", "2022-11-15T23:59:59+08:00", ("direct_mail",), 72),
        ("pinduoduo", "fake_scan", "2022-11-16T00:00:00+08:00", (), 24),
        ("pinduoduo", "fake_scan", "2023-01-20T00:00:00+08:00", (), 72),
        ("pinduoduo", "fake_scan", "2026-06-01T00:00:00+08:00", ("bonded",), 72),
        ("pinduoduo", "first_sorting", "2023-01-13T23:59:59+08:00", ("remote",), 72),
        ("pinduoduo", "first_sorting", "2023-01-14T00:00:00+08:00", ("remote",), 96),
        ("pinduoduo", "first_sorting", "2026-06-01T00:00:00+08:00", ("very_remote",), 120),
        ("pinduoduo", "first_sorting", "2026-06-01T00:00:00+08:00", (), 48),
        ("taobao", "refund_answer", "2026-01-26T23:59:59+08:00", (), 48),
        ("taobao", "refund_answer", "2026-01-27T00:00:00+08:00", (), 24),
        ("taobao", "refund_answer_shipped", "2026-01-26T23:59:59+08:00", ("virtual",), 72),
        ("taobao", "refund_answer_shipped", "2026-01-26T23:59:59+08:00", (), 120),
        ("taobao", "refund_answer_shipped", "2026-01-27T00:00:00+08:00", (), 36),
        ("taobao", "refund_answer_shipped", "2026-06-01T00:00:00+08:00", ("virtual",), 36),
        ("tmall", "refund_answer", "2026-06-01T00:00:00+08:00", (), 24),
        ("tmall", "refund_answer_shipped", "2026-06-01T00:00:00+08:00", (), 36),
        ("taobao", "fake_scan", "2022-07-17T23:59:59+08:00", (), None),
        ("jd", "return_address", "2026-06-01T00:00:00+08:00", (), 48),
        ("douyin", "unshipped_close", "2026-06-01T00:00:00+08:00", (), 150 * 24),
    ],
)
def test_a_limit_is_chosen_by_day_and_mark(platform, id, at, tags, hours):
    found = packs.load(platform).limit(id, parse(at), tags)
    assert hours == (found.hours if found else None)


def test_a_record_changes_neither_a_version_nor_a_price():
    pack = packs.load("jd")
    assert "jd@2022-12-16" == pack.version(None)
    assert ["JD-L2"] == [row.id for row in pack.rows_at(LATE, parse("2023-04-01T00:00:00+08:00"))]
    assert ["JD-0"] == [row.id for row in pack.rows_at(LATE, parse("2023-04-01T00:00:00+08:00"), "record")]


@given(st.integers(min_value=0, max_value=2**51))
def test_at_every_instant_at_most_one_row_prices_a_violation(instant):
    for pack in packs.all_packs():
        for violation in Violation:
            assert len(pack.rows_at(violation, instant)) <= 1


@given(st.integers(min_value=0, max_value=2**51))
def test_a_row_in_force_covers_the_local_day_of_the_instant(instant):
    for pack in packs.all_packs():
        today = packs.local_date(instant, pack.zone)
        for violation in Violation:
            for row in pack.rows_at(violation, instant):
                assert (row.first or date.min) <= today <= (row.last or date.max)


def order(**facts) -> Order:
    return Order(**{"shop": "n", "platform": "x", "order_id": "1", "status": "paid", **facts})


def test_pinduoduo_starts_its_clock_at_group_success_and_falls_back_to_payment():
    pack = packs.load("pinduoduo")
    assert 7 == pack.starts_at(order(paid_at=5, group_success_at=7))
    assert 5 == pack.starts_at(order(paid_at=5))


def test_other_platforms_start_their_clock_at_payment():
    assert 5 == packs.load("taobao").starts_at(order(paid_at=5, group_success_at=7))


@pytest.mark.parametrize(
    ("platform", "at", "tags", "hours", "stop"),
    [
        ("taobao", "2019-06-24T23:59:59+08:00", (), 72, "collection_scan"),
        ("taobao", "2019-06-25T00:00:00+08:00", (), 48, "collection_scan"),
        ("tmall", "2020-09-16T12:00:00+08:00", (), 48, "tracking_uploaded"),
        ("pinduoduo", "2025-05-14T23:59:59+08:00", (), 48, "tracking_uploaded"),
        ("pinduoduo", "2025-05-15T00:00:00+08:00", (), 48, "shipped_and_collected"),
        ("pinduoduo", "2025-05-15T00:00:00+08:00", ("direct_mail",), 120, "shipped_and_collected"),
        ("pinduoduo", "2025-05-15T00:00:00+08:00", ("fast_shipping",), 24, "shipped_and_collected"),
        ("douyin", "2026-06-01T00:00:00+08:00", (), 48, "shipped_and_collected"),
    ],
)
def test_the_promise_is_dated_too(platform, at, tags, hours, stop):
    promise = packs.load(platform).promise(parse(at), tags)
    assert promise is not None
    assert (hours, stop) == (promise.hours, promise.stop)


def test_the_generic_pack_promises_nothing():
    assert packs.load("generic").promise(parse("2026-06-01T00:00:00Z")) is None


def test_digests_differ_between_rows_and_change_with_any_content():
    rows = [row for pack in packs.all_packs() for row in pack.rows]
    assert len(rows) == len({packs.digest(row) for row in rows})
    row = rows[0]
    again = fingerprint("taobao", row)
    assert again == packs.digest(row)
    assert again != fingerprint("taobao", replace(row, points=4))
    assert again != fingerprint("tmall", row)


def test_a_digest_never_changes_by_accident():
    row = packs.load("pinduoduo").row("PD-S1")
    assert row is not None
    assert "26ec34e5ab94b8fa61d66fc54b1d1351" == packs.digest(row)


HEAD = 'platform = "x"\nzone = "UTC"\ncurrency = "CNY"\n[contact]\nadmits_no_stock = "allowed"\n'
ROW = '[[row]]\nid = "A"\nviolation = "late_shipment"\ninitiation = "auto"\nsource = ["P1"]\nconfidence = "A"\n'


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("platform = ", ["x.toml", "not valid TOML"]),
        (HEAD + ROW.replace("late_shipment", "late"), ["x.toml", "row A", "violation", "late_shipment"]),
        (HEAD + ROW + "tiers = [{ percent_bp = 5.5 }]", ["row A", "tiers.0.percent_bp", "integer"]),
        (HEAD + ROW + "tiers = [{ flat_minor = -1 }]", ["row A", "tiers.0.flat_minor"]),
        (HEAD + ROW + "tiers = [{ min_minor = 1 }]", ["row A", "percent_bp or flat_minor"]),
        (HEAD + ROW + "tiers = [{ percent_bp = 1, min_minor = 2, max_minor = 1 }]", ["row A", "below"]),
        (HEAD + ROW + "tiers = [{ percent_bp = 1 }]", ["row A", "base", "missing"]),
        (HEAD + ROW + "colour = 1", ["row A", "colour"]),
        (HEAD + ROW + "verified = true", ["row A", "verified"]),
        (HEAD + ROW + ROW, ["row A", "twice"]),
        (HEAD + ROW + "from = 2026-02-01\nto = 2026-01-01", ["row A", "to", "swap"]),
        (HEAD + ROW + 'scope = "alternative"', ["row A", "instead_of", "name the row"]),
        (HEAD + ROW + 'instead_of = "B"', ["row A", "instead_of"]),
        (HEAD + ROW + 'scope = "alternative"\ninstead_of = "B"', ["row A", "instead_of", "no row B"]),
        (HEAD + ROW + 'priced_like = "late_shipment"', ["row A", "priced_like", "tiers"]),
        (HEAD.replace("UTC", "Asia/Shangai"), ["x.toml", "Asia/Shangai", "IANA"]),
        (HEAD.replace("currency", "money"), ["x.toml", "currency"]),
    ],
)
def test_a_pack_that_cannot_be_used_is_refused_with_place_and_mend(text, named):
    with pytest.raises(PolicyError) as caught:
        packs.parse(text, "x.toml")
    for part in [*named, "mend"]:
        assert part in str(caught.value)


def test_all_problems_of_a_pack_are_told_at_once():
    text = HEAD + ROW.replace("late_shipment", "late") + ROW.replace('"A"\nv', '"B"\nv').replace("auto", "soon")
    with pytest.raises(PolicyError) as caught:
        packs.parse(text, "x.toml")
    assert 2 == len(str(caught.value).splitlines())


@pytest.mark.parametrize(
    ("zone", "day", "first", "last"),
    [
        ("Asia/Shanghai", "2026-06-05", "2026-06-04T16:00:00Z", "2026-06-05T15:59:59Z"),
        ("Europe/Riga", "2026-10-25", "2026-10-24T21:00:00Z", "2026-10-25T21:59:59Z"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", "2018-11-05T01:59:59Z"),
        ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00Z", "2018-02-18T02:59:59Z"),
    ],
)
def test_a_local_day_begins_and_ends_where_its_clock_says(zone, day, first, last):
    tz = packs.ZoneInfo(zone)
    local = date.fromisoformat(day)
    assert parse(first) == packs.midnight(local, tz)
    assert parse(last) == packs.end_of_day(local, tz)
    assert local == packs.local_date(parse(last), tz)
    assert local < packs.local_date(parse(last) + SECOND, tz)


def test_the_handbook_names_every_row_window_and_source():
    text = (Path(__file__).parents[2] / "docs" / "rule-packs.md").read_text(encoding="utf-8")
    named = set()
    for pack in packs.all_packs():
        for fact in (*pack.rows, *pack.windows):
            named |= {fact.id, *fact.source}
        for fact in (*pack.tools, *pack.promises, *pack.metrics, *pack.limits):
            named |= set(fact.source)
    assert set() == {name for name in named if not name.startswith("S0") and f"| {name} |" not in text}


def test_the_tables_of_the_handbook_are_those_of_the_packs():
    text = handbook.PAGE.read_text("utf-8")
    assert handbook.written(text) == text, "out of date: python -m tests.handbook"


@pytest.mark.parametrize("platform", packs.PLATFORMS)
def test_a_pack_read_under_a_frozen_clock_is_the_same_pack(platform):
    text = files("rules").joinpath("data", "packs", f"{platform}.toml").read_text(encoding="utf-8")
    with freezegun.freeze_time("2026-06-01"):
        frozen = packs.parse(text, platform)
    calm = packs.load(platform)
    assert [row.digest for row in calm.rows] == [row.digest for row in frozen.rows]
    assert calm.spans == frozen.spans
    assert calm.version(None) == frozen.version(None)
