"""What makes a feed's record canonical (contract §4): the names, the units, the words."""

import json
from collections.abc import Mapping
from dataclasses import fields

from adapters.base import Json, OrderEvent, Record, Snapshot, StockReport
from rules.model import EVENTS, FLAGS, STATUSES, Line, Order

ORDER_FIELDS = {each.name for each in fields(Order)} - {
    "shop",
    "platform",
    "order_id",
    "lines",
    "collection_known",
}
LINE_FIELDS = {each.name for each in fields(Line)} - {"line_id"}


def problems(record: Record, shop: str, now: int) -> list[str]:
    """What is not canonical about a record (contract §4); empty when all is well."""
    found = [] if record.shop == shop else [f"{record}: belongs to another shop"]
    if not 0 < record.observed_at <= now:
        found.append(f"{record}: observed_at is no instant in microseconds up to now")
    match record:
        case Snapshot():
            found += _odd_fields(record.fields, ORDER_FIELDS)
            for line in record.lines.values():
                found += _odd_fields(line, LINE_FIELDS)
        case StockReport():
            if not record.sku:
                found.append(f"{record}: a stock report without a SKU")
        case OrderEvent():
            if record.event not in EVENTS:
                found.append(f"{record}: unknown event")
    return found


def _odd_fields(said: Mapping[str, Json], known: set[str]) -> list[str]:
    """Unknown names, statuses and flags; fractions, where integers belong; values that JSON cannot hold."""
    found = [f"unknown field {name!r}" for name in said if name not in known]
    found += [f"{name} is a float" for name, value in said.items() if isinstance(value, float)]
    whole = [name for name in said if name.endswith(("_at", "_by", "_minor"))]
    found += [f"{name} is not an integer" for name in whole if not isinstance(said[name], int | None)]
    if said.get("status", "paid") not in STATUSES:
        found.append(f"unknown status {said['status']!r}")
    flags = said.get("flags") or []
    if not isinstance(flags, list) or sorted(flags, key=str) != flags or not set(FLAGS).issuperset(flags):
        found.append(f"flags {flags!r} are not a sorted list of known flags")
    json.dumps(said)
    return found
