"""The effective deadline: every claim is kept, one is effective, and the last useful moment follows from it."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import packs
from rules.calendars import warehouse
from rules.deadline import NO_DEADLINE, Candidate, act_by, deadline, effective
from rules.instant import DAY, HOUR, format_utc, parse
from rules.model import Line, Order

SHANGHAI = ZoneInfo("Asia/Shanghai")
PAID = parse("2026-06-01T07:58:00+08:00")
FIELD = parse("2026-06-03T08:30:00+08:00")
SEEN = parse("2026-06-01T08:00:00+08:00")


def order(platform: str = "taobao", **facts) -> Order:
    return Order(**{"shop": "n", "platform": platform, "order_id": "1", "status": "paid", "paid_at": PAID, **facts})


def claims(found) -> list[tuple[str, int]]:
    return [(claim.source, claim.ship_by) for claim in found.candidates]


def due(platform: str, **facts) -> str | None:
    found = deadline(order(platform, **facts), packs.load(platform))
    return None if found.ship_by is None else format_utc(found.ship_by)


def test_all_claims_are_kept_in_order_of_precedence_and_the_first_is_effective():
    full = order(
        "douyin",
        paid_at=parse("2026-02-17T10:00:00+08:00"),
        ship_by=3 * DAY,
        negotiated_ship_by=2 * DAY,
        presale_ship_by=4 * DAY + 1,
    )
    found = deadline(full, packs.load("douyin"), override=DAY, observed_at=SEEN)
    assert ["override", "negotiated", "platform", "presale", "calendar", "pack"] == [
        claim.source for claim in found.candidates
    ]
    assert [True, False, False, False, False, False] == [claim.effective for claim in found.candidates]
    assert [None, SEEN, SEEN, SEEN, None, None] == [claim.observed_at for claim in found.candidates]
    assert DAY == found.ship_by


@pytest.mark.parametrize(
    ("facts", "override", "source", "expected"),
    [
        ({}, None, "pack", PAID + 48 * HOUR),
        ({"promise_hours": 24}, None, "pack", PAID + 24 * HOUR),
        ({"ship_by": FIELD}, None, "platform", FIELD),
        ({"ship_by": FIELD, "promise_hours": 24}, None, "platform", FIELD),
        ({"ship_by": FIELD, "presale_ship_by": FIELD + DAY}, None, "platform", FIELD),
        ({"presale_ship_by": FIELD, "flags": ("presale",)}, None, "presale", FIELD),
        ({"ship_by": FIELD, "negotiated_ship_by": FIELD + DAY}, None, "negotiated", FIELD + DAY),
        ({"ship_by": FIELD, "negotiated_ship_by": FIELD - DAY}, None, "negotiated", FIELD - DAY),
        ({"ship_by": FIELD, "negotiated_ship_by": FIELD + DAY}, FIELD - HOUR, "override", FIELD - HOUR),
        ({"ship_by": FIELD, "report_ship_by": FIELD + DAY}, None, "report", FIELD + DAY),
        (
            {"ship_by": FIELD, "report_ship_by": FIELD + DAY, "negotiated_ship_by": FIELD + HOUR},
            None,
            "negotiated",
            FIELD + HOUR,
        ),
    ],
)
def test_precedence(facts, override, source, expected):
    found = deadline(order(**facts), packs.load("taobao"), override=override)
    effective = [claim for claim in found.candidates if claim.effective]
    assert [(source, expected)] == [(claim.source, claim.ship_by) for claim in effective]
    assert (expected, expected) == (found.ship_by, found.act_by)


def line(id: str, ship_by: int | None, shipped: int | None = None, quantity: int = 1) -> Line:
    return Line(line_id=id, quantity=quantity, shipped_quantity=shipped, ship_by=ship_by)


@pytest.mark.parametrize(
    ("field", "lines", "expected"),
    [
        (None, (line("1", 50), line("2", 40)), [("line", 40)]),
        (None, (line("1", 50), line("2", 40, shipped=1)), [("line", 50)]),
        (None, (line("1", 50, shipped=1), line("2", 40, shipped=1)), []),
        (60, (line("1", 50), line("2", None)), [("line", 50), ("platform", 60)]),
        (30, (line("1", 50), line("2", None)), [("platform", 30), ("line", 50)]),
        (30, (line("1", 50), line("2", 60)), [("platform", 30), ("line", 50)]),
        (30, (line("1", 30, shipped=1), line("2", 60)), [("line", 60), ("platform", 30)]),
        (30, (line("1", 30, shipped=1, quantity=2), line("2", 60)), [("line", 30), ("platform", 30)]),
        (30, (line("1", 20, shipped=1), line("2", None)), [("platform", 30)]),
        (30, (), [("platform", 30)]),
    ],
)
def test_the_order_is_due_with_its_earliest_unshipped_line(field, lines, expected):
    found = deadline(order("generic", ship_by=field, lines=lines), packs.load("generic"))
    assert expected == claims(found)
    assert (expected[0][1] if expected else None) == found.ship_by


def test_without_payment_or_a_platform_field_there_is_no_deadline():
    assert NO_DEADLINE == deadline(order(paid_at=None, status="unpaid"), packs.load("taobao"))


def test_the_generic_pack_invents_no_promise():
    assert NO_DEADLINE == deadline(order("generic"), packs.load("generic"))


def test_an_unpaid_order_with_a_platform_field_has_that_deadline():
    found = deadline(order(paid_at=None, ship_by=FIELD), packs.load("taobao"), observed_at=SEEN)
    assert (Candidate("platform", FIELD, SEEN, True),) == found.candidates


@pytest.mark.parametrize(
    ("platform", "facts", "expected"),
    [
        ("taobao", {}, "2026-06-02T23:58:00Z"),
        ("taobao", {"paid_at": parse("2019-06-24T23:59:59+08:00")}, "2019-06-27T15:59:59Z"),
        ("taobao", {"paid_at": parse("2019-06-25T00:00:00+08:00")}, "2019-06-26T16:00:00Z"),
        ("pinduoduo", {"group_success_at": PAID + HOUR}, "2026-06-03T00:58:00Z"),
        ("pinduoduo", {"tags": ("direct_mail",)}, "2026-06-05T23:58:00Z"),
        ("pinduoduo", {"tags": ("virtual",)}, None),
        ("jd", {"group_success_at": PAID + HOUR}, "2026-06-02T23:58:00Z"),
        ("taobao", {"flags": ("presale",)}, None),
        ("taobao", {"flags": ("customised",)}, None),
        ("pinduoduo", {"flags": ("presale",), "promise_hours": 72}, "2026-06-03T23:58:00Z"),
        ("olist", {"promise_hours": 72}, "2026-06-03T23:58:00Z"),
    ],
)
def test_the_pack_supplies_a_missing_platform_field(platform, facts, expected):
    assert expected == due(platform, **facts)


@pytest.mark.parametrize(
    ("platform", "facts", "expected"),
    [
        ("pinduoduo", {"promise_hours": 23}, "2026-06-01T23:58:00Z"),  # a day at least
        ("pinduoduo", {"promise_hours": 24}, "2026-06-01T23:58:00Z"),
        ("pinduoduo", {"promise_hours": 240}, "2026-06-10T23:58:00Z"),
        ("pinduoduo", {"promise_hours": 720}, "2026-06-30T23:58:00Z"),
        ("pinduoduo", {"promise_hours": 744}, "2026-06-30T23:58:00Z"),  # thirty days at most
        ("pinduoduo", {"promise_hours": 240, "group_success_at": PAID + 2 * HOUR}, "2026-06-11T01:58:00Z"),
        ("taobao", {"promise_hours": 1080}, "2026-07-15T23:58:00Z"),  # no bound is known
    ],
)
def test_a_presale_counts_its_days_from_the_clocks_start_within_the_platforms_bounds(platform, facts, expected):
    assert expected == due(platform, flags=("presale",), **facts)


def test_ordinary_goods_are_not_bound_by_the_presales_days():
    assert "2026-07-01T23:58:00Z" == due("pinduoduo", promise_hours=744)


@pytest.mark.parametrize(
    ("platform", "facts", "expected"),
    [
        ("taobao", {"promise_hours": 360}, "2026-06-15T23:58:00Z"),
        ("taobao", {"promise_hours": 360, "urged_at": PAID + HOUR}, "2026-06-15T23:58:00Z"),
        ("taobao", {"urged_at": PAID + 100 * HOUR}, "2026-06-07T03:58:00Z"),
        ("tmall", {"urged_at": PAID + 100 * HOUR}, "2026-06-07T03:58:00Z"),
        ("taobao", {"urged_at": FIELD, "paid_at": parse("2022-11-30T23:59:59+08:00")}, "2026-06-06T00:30:00Z"),
        ("taobao", {"urged_at": FIELD, "paid_at": parse("2022-12-01T00:00:00+08:00")}, "2026-06-05T00:30:00Z"),
        ("taobao", {}, None),
        ("pinduoduo", {"urged_at": PAID + 100 * HOUR}, None),
    ],
)
def test_customised_goods_run_on_the_agreed_time_else_on_the_first_request(platform, facts, expected):
    assert expected == due(platform, flags=("customised",), **facts)


def test_a_request_says_nothing_about_ordinary_goods():
    assert "2026-06-02T23:58:00Z" == due("taobao", urged_at=PAID + 100 * HOUR)


@pytest.mark.parametrize(
    ("zone", "written", "expected"),
    [
        ("Asia/Shanghai", "2026-06-05T00:00:00+08:00", "2026-06-05T15:59:59Z"),
        ("Asia/Shanghai", "2026-06-05T00:00:01+08:00", "2026-06-04T16:00:01Z"),
        ("Asia/Shanghai", "2026-06-05T18:00:00+08:00", "2026-06-05T10:00:00Z"),
        ("Asia/Shanghai", "2026-06-05T00:00:00Z", "2026-06-05T00:00:00Z"),
        ("Europe/Riga", "2026-10-25T00:00:00+03:00", "2026-10-25T21:59:59Z"),
        ("America/Sao_Paulo", "2018-02-17T00:00:00-02:00", "2018-02-18T02:59:59Z"),
    ],
)
def test_a_presale_date_means_the_end_of_its_local_day(zone, written, expected):
    pack = packs.load("generic", zone=zone) if zone != "Asia/Shanghai" else packs.load("pinduoduo")
    found = deadline(order(paid_at=None, presale_ship_by=parse(written)), pack)
    assert [("presale", parse(expected))] == claims(found)


@pytest.mark.parametrize(
    ("platform", "paid", "facts", "expected"),
    [
        ("taobao", "2020-01-16T23:59:59+08:00", {}, "2020-01-18T15:59:59Z"),
        ("taobao", "2020-01-17T00:00:00+08:00", {}, "2020-02-04T15:59:59Z"),
        ("taobao", "2020-02-02T23:59:59+08:00", {}, "2020-02-04T15:59:59Z"),
        ("taobao", "2020-02-03T00:00:00+08:00", {}, "2020-02-04T16:00:00Z"),
        ("taobao", "2020-01-17T00:00:00+08:00", {"category": "家具"}, "2020-02-05T16:00:00Z"),
        ("taobao", "2020-01-20T00:00:00+08:00", {"flags": ("customised",)}, None),
        ("taobao", "2023-01-20T00:00:00+08:00", {}, "2023-02-05T15:59:59Z"),
        ("taobao", "2023-01-20T00:00:00+08:00", {"promise_hours": 48}, "2023-01-21T16:00:00Z"),
        ("taobao", "2023-05-31T20:00:00+08:00", {}, "2023-06-02T12:00:00Z"),
        ("tmall", "2026-01-17T23:59:59+08:00", {}, "2026-01-20T15:59:59Z"),
        ("tmall", "2026-01-13T00:00:00+08:00", {"tags": ("bonded",)}, "2026-01-16T16:00:00Z"),
        ("tmall", "2026-01-18T00:00:00+08:00", {}, "2026-01-19T16:00:00Z"),
        ("tmall", "2022-02-01T12:00:00+08:00", {}, "2022-02-10T15:59:59Z"),
        ("tmall", "2022-02-01T12:00:00+08:00", {"tags": ("open_through_festival",)}, "2022-02-03T04:00:00Z"),
        ("pinduoduo", "2021-02-10T12:00:00+08:00", {}, "2021-02-22T15:59:59Z"),
        ("pinduoduo", "2021-02-10T12:00:00+08:00", {"tags": ("bonded",)}, "2021-02-14T04:00:00Z"),
        ("pinduoduo", "2021-02-10T12:00:00+08:00", {"flags": ("presale",)}, None),
        ("pinduoduo", "2022-11-11T12:00:00+08:00", {}, "2022-11-14T04:00:00Z"),
        ("pinduoduo", "2022-11-14T00:00:00+08:00", {}, "2022-11-15T16:00:00Z"),
        ("douyin", "2026-02-16T00:00:00+08:00", {}, "2026-02-24T15:59:59Z"),
        ("douyin", "2026-02-21T00:00:00+08:00", {}, "2026-02-23T16:00:00Z"),
        ("douyin", "2026-02-14T00:00:00+08:00", {"tags": ("campaign",)}, "2026-02-25T15:59:59Z"),
        ("douyin", "2026-02-14T00:00:00+08:00", {}, "2026-02-15T16:00:00Z"),
        ("jd", "2024-03-01T00:00:00+08:00", {}, "2024-03-02T16:00:00Z"),
    ],
)
def test_a_festival_window_moves_the_default_and_only_inside_its_days(platform, paid, facts, expected):
    assert expected == due(platform, paid_at=parse(paid), **facts)


def test_a_weak_window_is_recorded_but_never_applied():
    ids = {window.id: window.applies for window in packs.load("taobao").windows}
    assert {"TB-2021-618": False, "TB-2023-618": True} == {id: ids[id] for id in ("TB-2021-618", "TB-2023-618")}


HOUSE = warehouse("Mon-Sat 09:00-18:00", ["11:00", "18:00"], "2h", SHANGHAI)


@pytest.mark.parametrize(
    ("ship_by", "expected"),
    [
        ("2026-06-03T07:58:00+08:00", "2026-06-02T10:00:00Z"),
        ("2026-06-02T20:00:00+08:00", "2026-06-02T10:00:00Z"),
        ("2026-06-02T19:59:59+08:00", "2026-06-02T03:00:00Z"),
        ("2026-06-08T09:00:00+08:00", "2026-06-06T10:00:00Z"),
    ],
)
def test_act_by_is_the_last_pickup_whose_scan_still_makes_it(ship_by, expected):
    found = deadline(order(ship_by=parse(ship_by)), packs.load("taobao"), HOUSE)
    assert (parse(ship_by), expected) == (found.ship_by, format_utc(found.act_by or 0))


def test_without_a_pickup_in_reach_only_the_scan_lag_is_left():
    closed = warehouse("Mon 09:00-18:00", ["11:00"], "2h", SHANGHAI)
    shut = type(closed)(closed.open, closed.pickups, closed.scan_lag_us, closed.zone, None, ((),) * 7)
    assert FIELD - 2 * HOUR == act_by(FIELD, shut)


INSTANTS = st.integers(min_value=0, max_value=2**51)
MAYBE = st.none() | INSTANTS


ANY_ORDER = st.builds(
    Order,
    shop=st.just("n"),
    platform=st.just("x"),
    order_id=st.just("1"),
    status=st.sampled_from(("paid", "unpaid", "partly_shipped")),
    paid_at=MAYBE,
    group_success_at=MAYBE,
    ship_by=MAYBE,
    presale_ship_by=MAYBE,
    negotiated_ship_by=MAYBE,
    promise_hours=st.none() | st.integers(min_value=1, max_value=999),
    flags=st.none() | st.lists(st.sampled_from(("presale", "customised", "urged"))).map(tuple),
    lines=st.lists(
        st.builds(Line, line_id=st.text(max_size=2), ship_by=MAYBE, shipped_quantity=st.integers(0, 2)),
        max_size=3,
    ).map(tuple),
)


@given(st.sampled_from(packs.PLATFORMS), ANY_ORDER, st.sampled_from((None, HOUSE)))
def test_the_winner_alone_is_the_same_as_the_first_of_all_claims(platform, any_order, house):
    pack = packs.load(platform)
    assert deadline(any_order, pack, house)._replace(candidates=()) == effective(any_order, pack, house)


@given(st.sampled_from(packs.PLATFORMS), ANY_ORDER, MAYBE, st.sampled_from((None, HOUSE)))
def test_the_deadline_is_total_and_act_by_never_comes_after_it(platform, any_order, override, house):
    found = deadline(any_order, packs.load(platform), house, override)
    assert (found.ship_by is None) == (found.act_by is None) == (not found.candidates)
    assert [claim.ship_by for claim in found.candidates][:1] == [
        claim.ship_by for claim in found.candidates if claim.effective
    ]
    if found.ship_by is not None and found.act_by is not None:
        assert found.candidates[0].ship_by == found.ship_by
        assert found.act_by <= found.ship_by
