"""Decision lines (contract §5): one JSON object per thing decided, keys in the contract's order."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from rules.instant import format_utc

_ORDER = {"case_opened": 0, "action": 1, "dropped": 2, "voided": 3, "case_closed": 4}
_encode = msgspec.json.Encoder().encode


def line(
    *,
    at: int,
    shop: str,
    case: str,
    event: str,
    key: str,
    reason: str,
    order_id: str | None = None,
    cause: str | None = None,
    members: Sequence[str] | None = None,
    action: str | None = None,
    step: str | None = None,
    ship_by: int | None = None,
    act_by: int | None = None,
    amount_minor: int | None = None,
    currency: str | None = None,
    template: str | None = None,
    channel: str | None = None,
    outcome: str | None = None,
    pack: str = "",
    playbook: str = "",
) -> dict[str, Any]:
    """One decision line; instants become RFC 3339 UTC, whole seconds."""
    return {
        "at": format_utc(at),
        "shop": shop,
        "order_id": order_id,
        "cause": cause,
        "members": list(members) if members is not None else None,
        "case": case,
        "event": event,
        "action": action,
        "step": step,
        "key": key,
        "reason": reason,
        "ship_by": format_utc(ship_by) if ship_by is not None else None,
        "act_by": format_utc(act_by) if act_by is not None else None,
        "amount_minor": amount_minor,
        "currency": currency,
        "template": template,
        "channel": channel,
        "outcome": outcome,
        "pack": pack,
        "playbook": playbook,
    }


def sort_key(entry: Mapping[str, Any]) -> tuple[str, str, str, str, str, int, str]:
    """The contract's order: at, shop, order_id, cause, case, event, key; null sorts as empty."""
    return (
        entry["at"],
        entry["shop"],
        entry["order_id"] or "",
        entry["cause"] or "",
        entry["case"],
        _ORDER[entry["event"]],
        entry["key"],
    )


def encode(entries: Iterable[Mapping[str, Any]]) -> Iterable[bytes]:
    """Sorted lines as compact UTF-8, LF at the end of each."""
    for entry in sorted(entries, key=sort_key):
        yield _encode(entry) + b"\n"
