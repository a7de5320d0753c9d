"""What happened to one order, entry by entry, as somebody outside may read it: no buyer's name, no free text."""

from collections.abc import Iterable, Mapping
from typing import Any

from rules.instant import format_utc

Entry = Mapping[str, Any]
Item = dict[str, Any]
UNSHOWN = frozenset({"buyer"})
"""Facts that tell a reader nothing: the buyer is a keyed hash. What people wrote never enters the evidence."""
_LINE = (
    *("key", "case", "cause", "action", "step", "reason", "outcome", "amount_minor", "currency", "template", "channel"),
    *("ship_by", "act_by", "pack", "playbook"),
)


def item(seq: int, entry: Entry) -> Item:
    """One entry of the chain as a line of the timeline. `seq`: the link it stands in."""
    match entry["event"]:
        case "observed":
            said = {"observed_at": format_utc(entry["observed_at"]), "facts": facts(entry["changed"])}
            return {"at": format_utc(entry["at"]), "seq": seq, "event": "observed", **said}
        case "fact":
            said = {"fact": entry["fact"], "happened_at": format_utc(entry["at"])}
            if "points" in entry:
                said["points"] = entry["points"]
            return {"at": format_utc(entry["seen_at"]), "seq": seq, "event": "fact", **said}
        case event:
            said = {name: entry[name] for name in _LINE if entry.get(name) not in (None, "")}
            return {"at": entry["at"], "seq": seq, "event": event, **said}


def facts(changed: Mapping[str, Any]) -> dict[str, Any]:
    """Facts under readable names (`lines.1.sku`), times in UTC, without what is nobody else's business."""
    plain = {}
    for name, value in sorted(changed.items()):
        path = [part for part in name.split("\0") if part]
        if path[-1] not in UNSHOWN and not (path[0] == "lines" and len(path) == 2):
            plain[".".join(path)] = _plain(path[-1], value)
    return plain


def ordered(items: Iterable[Item]) -> list[Item]:
    """By time, then by place in the chain; what one transaction wrote keeps its order."""
    return sorted(items, key=lambda one: (one["at"], one["seq"] or 0))


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_plain("", one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(key, one) for key, one in value.items()}
    is_time = name.endswith(("_at", "_by")) or name == "at"
    return format_utc(value) if is_time and isinstance(value, int) else value
