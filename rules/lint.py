"""What a person should know about a policy before relying on it: rows that would pay unconfirmed, missing years."""

from dataclasses import dataclass
from datetime import date, timedelta

from rules.model import Kind
from rules.packdata import Row
from rules.packs import Pack
from rules.playbook import Playbook

AHEAD = timedelta(days=90)
"""A festival's window is missed from this long before its season: platforms publish it some weeks ahead."""


@dataclass(frozen=True, slots=True)
class Season:
    """When in a year an occasion falls: (month, day) of the earliest begin and the latest end in the sources."""

    begin: tuple[int, int]
    end: tuple[int, int]


SEASONS = {
    "new_year_goods": Season((1, 1), (1, 31)),
    "spring_festival": Season((1, 14), (3, 5)),
    "618": Season((5, 31), (6, 20)),
    "double_11": Season((11, 1), (11, 15)),
}


def missing_windows(pack: Pack, today: date) -> tuple[tuple[str, int], ...]:
    """(occasion, year) of every season under way or near for which the pack had windows before and has none now.

    Orders then run on the ordinary promise; nothing is guessed. Windows that are never applied do not count.
    """
    found = []
    for occasion, season in SEASONS.items():
        years = {window.first.year for window in pack.windows if window.occasion == occasion and window.applies}
        for year in (today.year, today.year + 1):
            near = date(year, *season.begin) - AHEAD <= today <= date(year, *season.end)
            if years and near and year not in years:
                found.append((occasion, year))
    return tuple(found)


def would_pay(pack: Pack, playbook: Playbook, instant: int, confirmed: frozenset[str]) -> tuple[Row, ...]:
    """The rows in force at an instant by which a playbook would pay first, were they confirmed."""
    ladders = [one for one in playbook.ladders if any(step.kind is Kind.COMPENSATE for step in one.steps)]
    rows = (row for ladder in ladders for row in pack.rows_at(ladder.violation, instant))
    return tuple(row for row in rows if pays_first(row) and row.digest not in confirmed)


def pays_first(row: Row) -> bool:
    """Whether paying before a complaint helps by this row, from a source that may pick a play (not C)."""
    return row.initiation == "complaint" and row.confidence != "C" and priced(row)


def priced(row: Row) -> bool:
    """Whether the row sets an amount for an order, so that a person can confirm it."""
    return row.scope in ("order", "escalation", "alternative") and bool(row.tiers or row.priced_like)
