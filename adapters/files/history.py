"""One row that holds an order's whole life → one snapshot per instant, each showing only what was known by then.

Instants are sorted, so a hand-over before its approval does no harm: the status only ever rises (once
shipped, an order stays shipped; a later payment adds `paid_at`). Promises such as `ship_by` are known from
the first snapshot on; what only the end tells (end state, flags, refunds, money received) appears last.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from adapters.base import Json, Snapshot
from adapters.files.refusal import Refusal
from rules.instant import SECOND
from rules.model import STATUSES

STAGES: Mapping[str, str] = {
    "placed": "unpaid",
    "paid": "paid",
    "shipped": "shipped",
    "collected": "shipped",
    "delivered": "delivered",
    "completed": "completed",
    "cancelled": "cancelled",
    "refunded": "refunded",
}
"""Keys of `[shops.….history]` and the status an order has from that instant on."""

_RANK = {status: min(rank, STATUSES.index("cancelled")) for rank, status in enumerate(STATUSES)}
_FIELD = {"placed": "placed_at", "paid": "paid_at", "shipped": "shipped_at", "collected": "collected_at"}
_GROUPED = "group_success_at"
_LATE = frozenset({"status", "flags", "received_minor"})
_LATE_OF_LINE = frozenset({"shipped_quantity", "refunded_quantity", "refund_status"})


def life(whole: Snapshot, stages: Mapping[str, int | None]) -> Iterator[Snapshot]:
    """The snapshots of one row in the order of time.

    `whole` holds all the row says; `stages` the instant of each stage the shop's `[history]` names (None = it
    did not happen). Times in `whole` that `stages` does not name count as stages too. An end state
    or flag without an instant of its own comes last, one second after all else. Raises Refusal for a row
    without any instant.
    """
    moments = check(whole, stages)
    last = max(moments.values())
    status = ""
    for at in sorted(set(moments.values())):
        shown = _shown(whole, {stage: then for stage, then in moments.items() if then <= at}, at)
        if "collected" in stages:
            shown = _with(shown, {"collected_at": shown.fields.get("collected_at"), "collection_known": True})
        status = str(shown.fields["status"])
        yield shown
    if end := _end(whole, shown, status):
        yield replace(end, observed_at=last + SECOND)


def check(whole: Snapshot, stages: Mapping[str, int | None]) -> dict[str, int]:
    """The instants of a row by stage; raises Refusal for a row without any."""
    moments = _moments(whole, stages)
    if not moments:
        raise Refusal("no time in any column of [history]", "correct the columns, or leave the row out")
    return moments


def _moments(whole: Snapshot, stages: Mapping[str, int | None]) -> dict[str, int]:
    own = {stage: whole.fields.get(field) for stage, field in _FIELD.items() if stage not in stages}
    own[_GROUPED] = whole.fields.get(_GROUPED)
    return {stage: at for stage, at in {**own, **stages}.items() if isinstance(at, int)}


def _shown(whole: Snapshot, known: Mapping[str, int], at: int) -> Snapshot:
    """The order as it looked at `at`, when `known` was all that had happened."""
    hidden = _LATE | set(_FIELD.values()) | {_GROUPED, "collection_known"}
    facts: dict[str, Json] = {name: value for name, value in whole.fields.items() if name not in hidden}
    facts["status"] = max((STAGES.get(stage, "unpaid") for stage in known), key=lambda status: _RANK[status])
    facts |= {_FIELD.get(stage, stage): then for stage, then in known.items() if stage in _FIELD or stage == _GROUPED}
    lines = {
        line_id: {name: value for name, value in line.items() if name not in _LATE_OF_LINE}
        for line_id, line in whole.lines.items()
    }
    return replace(whole, observed_at=at, fields=facts, lines=lines)


def _end(whole: Snapshot, shown: Snapshot, status: str) -> Snapshot | None:
    """What the row says beyond its last instant: a higher state, flags, refunds; None when nothing."""
    late = {name: value for name, value in whole.fields.items() if name in _LATE and name != "status"}
    end = whole.fields.get("status")
    if isinstance(end, str) and _RANK[end] > _RANK[status]:
        late["status"] = end
    if not late and not any(_LATE_OF_LINE & line.keys() for line in whole.lines.values()):
        return None
    return replace(_with(shown, late), lines=whole.lines)


def _with(shown: Snapshot, facts: Mapping[str, Json]) -> Snapshot:
    return replace(shown, fields={**shown.fields, **facts})
