"""What a person should know of a policy: seasons nobody knows the dates of, rows that would pay unconfirmed."""

from datetime import date

import pytest

from rules import lint, packs, playbook
from rules.instant import parse
from tests.builders import a_playbook

NOW = parse("2026-06-01T00:00:00+08:00")


@pytest.mark.parametrize(
    ("platform", "today", "expected"),
    [
        ("taobao", "2026-10-15", ()),  # 91 days before 14 January
        ("taobao", "2026-10-16", (("spring_festival", 2027),)),
        ("taobao", "2027-03-01", (("spring_festival", 2027),)),
        ("taobao", "2027-03-05", (("spring_festival", 2027), ("618", 2027))),
        ("taobao", "2027-03-06", (("618", 2027),)),
        ("taobao", "2020-01-20", ()),  # that year's window is known
        ("taobao", "2023-06-01", ()),  # the weak text of 2021 does not count, that of 2023 does
        ("pinduoduo", "2026-08-10", (("double_11", 2026),)),
        ("douyin", "2026-01-10", ()),
        ("tmall", "2026-01-10", (("spring_festival", 2026),)),  # its New Year goods window of 2026 is known
        ("jd", "2026-12-31", ()),  # never had one
        ("generic", "2026-12-31", ()),
    ],
)
def test_a_season_whose_dates_nobody_has_told_is_named_from_ninety_days_before(platform, today, expected):
    assert expected == lint.missing_windows(packs.load(platform), date.fromisoformat(today))


@pytest.mark.parametrize(
    ("platform", "at", "expected"),
    [
        ("tmall", NOW, ["TM-S2"]),
        ("taobao", NOW, []),  # TB-L6 is paid by itself, who starts TB-S3 is not known
        ("taobao", parse("2024-06-01T00:00:00+08:00"), ["TB-L4", "TB-S2"]),
        ("pinduoduo", NOW, []),  # it pays by itself
        ("jd", NOW, ["JD-S1"]),
    ],
)
def test_the_rows_that_would_pay_are_named(platform, at, expected):
    found = lint.would_pay(packs.load(platform), playbook.shipped(), at, frozenset())
    assert expected == [row.id for row in found]


def test_a_confirmed_row_is_named_no_more():
    pack = packs.load("tmall")
    digests = frozenset(row.digest for row in pack.rows)
    assert () == lint.would_pay(pack, playbook.shipped(), NOW, digests)


def test_a_playbook_that_pays_nothing_needs_no_confirmation():
    quiet = a_playbook('name = "ship", action = "task", lead = "24h"')
    assert () == lint.would_pay(packs.load("tmall"), quiet, NOW, frozenset())


@pytest.mark.parametrize(
    ("platform", "row", "expected"),
    [
        ("tmall", "TM-S1", True),
        ("taobao", "TB-W1", True),
        ("taobao", "TB-S3-P10", True),
        ("jd", "JD-L3", True),
        ("pinduoduo", "PD-Q1", False),
        ("pinduoduo", "PD-S2", False),
        ("jd", "JD-W1", False),
    ],
)
def test_only_what_sets_an_amount_for_an_order_can_be_confirmed(platform, row, expected):
    found = packs.load(platform).row(row)
    assert found is not None
    assert expected is lint.priced(found)
