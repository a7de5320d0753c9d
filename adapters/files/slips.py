"""Slips of the pen in a shop's map, `[shops.….columns]` and `[shops.….history]`: told before any file is read."""

import difflib
from collections.abc import Iterable

from adapters.base import ColumnMap, ShopSettings
from adapters.files import fields, history
from adapters.files.shopmap import ENDS, FLAG, of
from rules.model import FLAGS, STATUSES

_FIELDS = (*fields.ORDER, *fields.LINE, *ENDS, "order_id", "line_id", "observed_at", "event", "at", "points")


def check(settings: ShopSettings) -> None:
    """Raises ValueError for a field, a stage or a status that does not exist, with the nearest one that does."""
    for name, entry in settings.columns.items():
        if name not in _FIELDS and name not in settings.keep:
            raise ValueError(
                f'columns.{name}: there is no such field; write "{_nearest(name, _FIELDS)}", or keep the column'
            )
        if name == "status":
            _states(entry)
    for stage in settings.history:
        if stage not in history.STAGES:
            raise ValueError(f'history.{stage}: there is no such stage; write "{_nearest(stage, history.STAGES)}"')


def _states(entry: ColumnMap) -> None:
    for one in (entry, *entry.also):
        for text, meant in (one.values or {}).items():
            if meant not in STATUSES and meant.removeprefix(FLAG) not in FLAGS:
                near = _nearest(meant.removeprefix(FLAG), (*STATUSES, *FLAGS))
                raise ValueError(f'columns.status: {text!r} means "{meant}", which is no status; write "{near}"')
            if meant in FLAGS:
                raise ValueError(f'columns.status: "{meant}" is a flag; write "flag:{meant}"')
    if len(set(of(entry))) < len(of(entry)):
        raise ValueError("columns.status: one column is named twice; put all its values into one entry")


def _nearest(name: str, known: Iterable[str]) -> str:
    """The known word most like `name`, whatever it is like: a mend needs one."""
    return max(known, key=lambda one: difflib.SequenceMatcher(None, name, one).ratio())
