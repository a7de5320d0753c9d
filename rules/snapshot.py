"""Merging what a shop said over time: the newest `observed_at` wins per fact, whatever arrives when.

Pure and independent of arrival order. An absent key keeps its value, None clears it, lines merge by id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_LINES = "lines"
_PLACE = f"{_LINES}\0"
"""What the name of every line's fact begins with."""
_COPIES = "copies"
"""A fact of a line without an id of its own: how many such lines the order has, so that `A-1#3` is none of two."""


@dataclass(slots=True)
class Known:
    """All that is known of an order: flat facts, and when those older than `observed_at` were said.

    Facts of a line are keyed ("lines", line_id, name) joined by a NUL, so that one rule merges all.
    """

    observed_at: int
    facts: dict[str, Any] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)

    def merge(
        self,
        fields: Mapping[str, Any],
        lines: Mapping[str, Mapping[str, Any]],
        observed_at: int,
        *,
        counted: bool = False,
    ) -> None:
        """Take in one snapshot that was true at `observed_at`; at equal times the later arrival wins.

        `counted`: the lines are numbered, and these are all there are of each.
        """
        said = flatten(fields, lines)
        if counted:
            said |= _copies(lines)
        if observed_at < self.observed_at:
            self._fill(said, observed_at)
            return
        if observed_at > self.observed_at:
            for name in self.facts.keys() - said.keys():
                self.times.setdefault(name, self.observed_at)
            self.observed_at = observed_at
        self.facts.update(said)
        if self.times:
            for name in said:
                self.times.pop(name, None)

    def doubt(self, limit: int, observed_at: int) -> None:
        """What was dated later than `limit` cannot be so: from now on it is no newer than `observed_at`."""
        if self.observed_at > limit:
            self.observed_at = observed_at
            self.times = {name: min(at, observed_at) for name, at in self.times.items()}

    def _fill(self, said: Mapping[str, Any], observed_at: int) -> None:
        """An older snapshot: it speaks only where nothing newer was said."""
        for name, value in said.items():
            known_at = self.times.get(name, self.observed_at) if name in self.facts else None
            if known_at is None or known_at <= observed_at:
                self.facts[name] = value
                self.times[name] = observed_at


def flatten(fields: Mapping[str, Any], lines: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Order and line facts as one flat mapping."""
    flat = dict(fields)
    for line_id, line in lines.items():
        place = f"{_PLACE}{line_id}\0"
        flat[place] = True
        for name, value in line.items():
            flat[place + name] = value
    return flat


def nest(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Flat facts as the nested mapping `rules.model.Order` decodes from; lines in order of their ids."""
    order: dict[str, Any] = {}
    lines: dict[str, dict[str, Any]] = {}
    for name, value in facts.items():
        if name[: len(_PLACE)] != _PLACE:
            order[name] = value
            continue
        line_id, _, key = name[len(_PLACE) :].partition("\0")
        line = lines.get(line_id)
        if line is None:
            line = lines[line_id] = {"line_id": line_id}
        if key:
            line[key] = value
    order[_LINES] = [lines[line_id] for line_id in sorted(lines) if not _beyond(line_id, lines)]
    return order


def _copies(lines: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """How often each line without an id of its own stands in these lines, as facts of the first of them."""
    count: dict[str, int] = {}
    for line_id in lines:
        first, _, number = line_id.rpartition("#")
        name = first if number.isdecimal() and first in lines else line_id
        count[name] = count.get(name, 0) + 1
    return {f"{_PLACE}{line_id}\0{_COPIES}": copies for line_id, copies in count.items()}


def _beyond(line_id: str, lines: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether this is a numbered line beyond those the order was last said to have."""
    first, _, number = line_id.rpartition("#")
    copies = lines[first].get(_COPIES) if first in lines else None
    return copies is not None and number.isdecimal() and int(number) > copies


def unnest(order: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `nest`."""
    fields = dict(order)
    lines = {}
    for line in fields.pop(_LINES, ()):
        line_id = line["line_id"]
        lines[line_id] = {key: value for key, value in line.items() if key != "line_id"}
    return flatten(fields, lines)
