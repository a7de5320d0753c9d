"""Which export a table is: by its headers, by what the shop's map names, or nearly so."""

from dataclasses import replace

from adapters.base import ColumnMap, ShopSettings
from adapters.files import nearest
from adapters.files.formats import EXPORTS
from adapters.files.refusal import Refusal, shown
from adapters.files.shape import Export
from adapters.files.texts import Headers

_ENOUGH = 5
"""So many columns of an export make a table nearly that export."""


def recognise(header: frozenset[str], settings: ShopSettings | None = None) -> Export | None:
    """The export whose distinctive columns are in the header, the likest of several; None for any other table.

    The shop's own map may name the column that tells it.
    """
    headers = Headers(header)
    known = [one for one in EXPORTS if not _needs(one, headers, settings) and any(map(headers.named, one.any_of))]
    return max(known, key=lambda one: _alike(one, headers), default=None)


def lacking(header: frozenset[str], settings: ShopSettings) -> Refusal | None:
    """Why a table that is nearly an export of the shop's platform is none: the column that tells it, and a like one."""
    headers = Headers(header)
    own = [one for one in EXPORTS if settings.platform in one.platforms and any(map(headers.named, one.any_of))]
    near = max(own, key=lambda one: _alike(one, headers), default=None)
    if near is None or _alike(near, headers) < _ENOUGH or len(needs := _needs(near, headers, settings)) > 1:
        return None
    (need,) = needs
    field = {near.order_id: "order_id", near.status: "status"}.get(need, "line_id")
    like = nearest.header(need, header - near.within(headers).columns) or "…"
    entry = f'{field} = "{like}"'
    return Refusal(
        f"this looks like a {near.title}, but it has no column {shown(need)}",
        f"export that column too, or name yours under [shops.….columns]: {entry}",
        1,
    )


def _alike(export: Export, headers: Headers) -> int:
    return sum(map(bool, map(headers.named, export.columns)))


def _needs(export: Export, headers: Headers, settings: ShopSettings | None) -> list[str]:
    """The columns by which an export is told that are not there, under no name and not by the shop's map."""
    mapped = settings.columns if settings is not None and settings.platform in export.platforms else {}
    by_map = {export.order_id: "order_id", export.status: "status"}
    missing = [need for need in sorted(export.needs) if not headers.like(need)]
    return [need for need in missing if not _mapped(mapped.get(by_map.get(need, "line_id")), headers)]


def _mapped(entry: ColumnMap | None, headers: Headers) -> str | None:
    return headers.named(entry.column) if entry is not None else None


def within(export: Export, header: frozenset[str], settings: ShopSettings) -> Export:
    """The export as this file has it; what tells it may have the name that the shop's map gives."""
    headers = Headers(header)
    own = export.within(headers)
    order_id = headers.like(export.order_id) or _mapped(settings.columns.get("order_id"), headers) or own.order_id
    return replace(
        own,
        order_id=order_id,
        status=headers.like(export.status) or _mapped(settings.columns.get("status"), headers) or own.status,
        line_id=(order_id,) if export.order_id in export.line_id else own.line_id,
    )
