"""Everything `decide` may know besides the order and its past: playbook, rule pack, warehouse, zone."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from rules.calendars import Warehouse
from rules.health import Budget
from rules.hours import Hours
from rules.packs import Pack
from rules.playbook import Playbook

REOPEN_WITHIN = 6 * 3600 * 1_000_000
"""A flag that flaps within 6 h reopens the same episode (design §8), in µs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One shop's policy at one moment.

    `confirmed`: digests of pack rows a person has confirmed; only those may move money. `patience`: a step
    found later than this (µs; one poll interval of the shop) counts as missed while we were down.
    `maintenance`: (from, until) instants in which cases open silently. `budget`: what the shop can still afford
    before a line of the platform; None = it is near none. `receivers`: the hours of those who are told of alerts;
    () = somebody always can be.
    """

    playbook: Playbook
    pack: Pack
    zone: ZoneInfo
    warehouse: Warehouse | None = None
    confirmed: frozenset[str] = frozenset()
    patience: int = 15 * 60 * 1_000_000
    maintenance: tuple[tuple[int, int], ...] = ()
    budget: Budget | None = None
    receivers: tuple[Hours, ...] = ()

    def reached_by(self, instant: int) -> int:
        """The latest instant at or before this one at which somebody can be told."""
        if not self.receivers or any(hours.is_open(instant, self.zone) for hours in self.receivers):
            return instant
        return max(hours.last_open(instant, self.zone) for hours in self.receivers)
