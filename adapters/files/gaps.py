"""What an export leaves out without which nobody can watch its orders: told with the header that may be meant."""

from collections.abc import Iterator

from adapters.base import ShopSettings
from adapters.files import nearest, shopmap, texts
from adapters.files.refusal import Refusal, shown
from adapters.files.shape import Export

_SAME = 0.75
"""So alike are a header and its name with a slip."""
_STARTS = ("paid_at", "group_success_at")


def of(export: Export, own: Export, settings: ShopSettings, header: frozenset[str]) -> Iterator[Refusal]:
    """What the export knows but this file (`own`) does not have: the time of payment, else what a header looks like.

    Without the other columns orders can be watched: files are made with and without them.
    """
    unread = {name for name in header - own.columns - shopmap.names(settings) if name}
    told = {
        one.reason: one for one in (*_needed(export, own, settings, unread), *_added(export, own, settings, unread))
    }
    yield from told.values()


def lineless(export: Export, own: Export, settings: ShopSettings) -> bool:
    """Whether the column is missing by which lines are known: under other ids they would stand beside themselves."""
    return bool(export.line_id) and not own.line_id and "line_id" not in settings.columns


def _needed(export: Export, own: Export, settings: ShopSettings, unread: set[str]) -> Iterator[Refusal]:
    """Time of payment, amount, deadline and refunds."""
    here = own.order.keys() | settings.columns.keys()
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
        yield _nameless(export, export.refunded_amount)


def _added(export: Export, own: Export, settings: ShopSettings, unread: set[str]) -> Iterator[Refusal]:
    """Columns that are there with something added to their names."""
    if lineless(export, own, settings):
        yield _nameless(export, export.line_id[0])
    headers = texts.Headers(frozenset(unread) | own.columns)
    for name, columns in (*export.order.items(), *export.line.items()):
        if name in settings.columns:
            continue
        for column in columns:
            if column not in export.line_id and headers.like(column) is None and (found := _found(column, unread)):
                yield _missing(export, name, {found}, column)
    for column in sorted(export.columns - _fields(export) - {*export.remarks, export.order_id, export.status}):
        if headers.like(column) is None and _found(column, unread):
            yield _nameless(export, column)


def _found(column: str, unread: set[str]) -> str | None:
    """The header that is this column, by any of its names, with something added."""
    return next((one for name in (column, *texts.same(column)) if (one := nearest.added(name, unread))), None)


def _fields(export: Export) -> frozenset[str]:
    return frozenset().union(*export.order.values(), *export.line.values())


def _nameless(export: Export, column: str) -> Refusal:
    """Of a column that no field of a shop's map stands for."""
    reason = f"this {export.title} has no column {shown(column)}: nobody reads what it tells"
    if column in (export.refunded_amount, *export.refund):
        reason = f"this {export.title} has no column {shown(column)}: refunds are not known"
    return Refusal(reason, "export that column too, under its own name", 1)


def _missing(export: Export, name: str, headers: set[str], own: str | None = None) -> Refusal:
    column = own or export.order[name][0]
    near = nearest.header(column, headers) or (min(headers) if name != "paid_at" else None)
    reason = f"this {export.title} has no column {shown(column)}: {name} is not known"
    entry = f'{name} = "{near or "…"}"'
    if name.endswith("_minor"):
        entry = f'{name} = {{ column = "{near or "…"}", unit = "major" }}'
    mend = f"export that column too, or name yours under [shops.….columns]: {entry}"
    return Refusal(reason, mend, 1)
