"""What an export leaves out without which nobody can watch its orders: told with the header that may be meant."""

from collections.abc import Iterator

from adapters.base import ShopSettings
from adapters.files import nearest, texts
from adapters.files.formats import Export
from adapters.files.refusal import Refusal, shown

_SAME = 0.75
"""So alike are a header and its name with a slip."""
_STARTS = ("paid_at", "group_success_at")


def of(export: Export, own: Export, settings: ShopSettings, header: frozenset[str]) -> Iterator[Refusal]:
    """Time of payment, amount and deadline that the export knows but this file (`own`) does not have.

    Without an amount or deadline orders can be watched: that is told only where another header looks like it.
    """
    unread = {name for name in header - own.columns if name}
    mapped = settings.columns.keys()
    here = own.order.keys() | mapped
    if export.order and here.isdisjoint(_STARTS):
        yield _missing(export, "paid_at", unread)
    for name, looks in (("ship_by", texts.DEADLINE), ("paid_minor", texts.MONEY)):
        if name not in export.order or name in here:
            continue
        like = {one for one in unread if looks.search(one) and not texts.NO_DEADLINE.search(one)}
        like |= {near} if (near := nearest.header(export.order[name][0], unread, _SAME)) else set()
        if like:
            yield _missing(export, name, like)
    if export.refunded_amount and not own.refunded_amount and any("退款" in one and "金额" in one for one in unread):
        reason = f"this {export.title} has no column {shown(export.refunded_amount)}: refunds are not known"
        yield Refusal(reason, "export that column too, under its own name", 1)


def _missing(export: Export, name: str, headers: set[str]) -> Refusal:
    column = export.order[name][0]
    near = nearest.header(column, headers) or (min(headers) if name != "paid_at" else None)
    reason = f"this {export.title} has no column {shown(column)}: {name} is not known"
    entry = f'{name} = "{near or "…"}"'
    if name.endswith("_minor"):
        entry = f'{name} = {{ column = "{near or "…"}", unit = "major" }}'
    mend = f"export that column too, or name yours under [shops.….columns]: {entry}"
    return Refusal(reason, mend, 1)
