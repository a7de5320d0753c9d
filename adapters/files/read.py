"""One file → its records, whatever its format: what `forestall replay` reads and the drop folder reuses."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from adapters.base import Record, Rejected, ShopSettings
from adapters.files import (
    canonical,
    columns,
    exports,
    formats,
    known,
    layout,
    naming,
    nearest,
    notation,
    opening,
    sheet,
    strangers,
)
from adapters.files.context import Context, SettingsFor
from adapters.files.layout import Layout
from adapters.files.opening import Source
from adapters.files.refusal import EXPORT_AGAIN, Refusal, shown

SUFFIXES = (".jsonl", ".csv", ".xlsx", ".xls")
"""What a folder is searched for in replay, each also with `.gz` (`.xls` only to be refused clearly)."""


_KNOWN = canonical.NAMES.union(*(one.columns for one in formats.EXPORTS))
"""Names of columns that somebody here reads, whatever the shop maps."""
_NAMED = 5
"""So many columns are named in a refusal."""


def read(
    path: Path,
    settings_for: SettingsFor,
    observed_at: int | None = None,
    unknown: Counter[str] | None = None,
) -> Iterator[Record | Rejected]:
    """The records of one file in file order, each bad row as a Rejected; never raises for content.

    `settings_for(platform, header, shop)` finds the shop and raises ValueError when none fits. Rows without
    an `observed_at` take the export time in the file name, else `observed_at`; the file's mtime is never
    used. `unknown` counts the names of dropped keys.
    """

    def exported(settings: ShopSettings) -> int | None:
        named = naming.export_instant(path.name, settings)
        return observed_at if named is None else named

    counter: Counter[str] = Counter() if unknown is None else unknown
    try:
        with opening.opened(path) as source:
            yield from parse(source, settings_for, exported, counter)
    except Refusal as refusal:
        yield refusal.rejected(path.name)


def paths(roots: Iterable[Path]) -> Iterator[Path]:
    """The files to replay: each root that is a file, and below folders all of `SUFFIXES`, in name order.

    Links below a root are not followed. Raises FileNotFoundError for a root that does not exist.
    """
    for root in roots:
        real = root.resolve(strict=True) if root.is_symlink() else root
        if real.is_dir():
            yield from sorted(path for path in files_below(real) if _replayable(path.name))
        elif real.exists():
            yield real
        else:
            raise FileNotFoundError(f"{root}: no such file or folder")


def files_below(root: Path) -> Iterator[Path]:
    """All below `root` that is not a folder, links and oddities too; hidden and half-written names not."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [name for name in folders if Path(folder, name).is_symlink()]
        yield from (Path(folder, name) for name in [*names, *links] if not _skipped(name))


def parse(
    source: Source,
    settings_for: SettingsFor,
    observed_at: Callable[[ShopSettings], int | None],
    unknown: Counter[str],
) -> Iterator[Record | Rejected]:
    """The records of an open file. `observed_at` tells a shop's time for rows that have none of their own."""
    context = Context(source=source.name, settings_for=settings_for, observed_at=observed_at, unknown=unknown)
    try:
        match source.kind():
            case "empty":
                raise Refusal("the file is empty", EXPORT_AGAIN)
            case "json":
                yield from canonical.json_lines(source, context)
            case _:
                yield from _tables(source, context)
    except Refusal as refusal:
        yield refusal.rejected(source.name)


def _tables(source: Source, context: Context) -> Iterator[Record | Rejected]:
    """The records of every table that is understood; a file without one is refused."""
    strange: list[sheet.Table] = []
    understood = 0
    stated = _stated(context)
    for table in sheet.tables(source, stated, _KNOWN | stated.names):
        records = _table(table, context)
        if records is None:
            strange.append(table)
            continue
        understood += 1
        yield from records
    if not understood:
        raise _strange(strange, stated)
    for table in strange:
        context.count_unknown(f"(worksheet {table.name})")


def _stated(context: Context) -> Layout:
    """What the shop whose file this is says of its files; nothing where only the header will tell the shop."""
    try:
        settings = context.settings(None, frozenset(), None)
    except Refusal:
        return Layout()
    zone = naming.zone(settings)
    try:
        notation.stated(settings)
        return layout.of(settings, zone.key if zone else None)
    except ValueError as error:
        raise Refusal(
            f"a setting of shop {settings.name} is wrong: {error}", "correct it in the configuration"
        ) from error


def _table(table: sheet.Table, context: Context) -> Iterator[Record | Rejected] | None:
    """The records of one table, by the first that knows it: the shop's own map, an export, the canonical names.

    A canonical table with times and a shop column finds its shops row by row. None when nobody knows the columns.
    """
    header = frozenset(table.header)
    own_names = canonical.is_canonical(header)
    if own_names and {"observed_at", "shop"} <= header:
        return canonical.csv_rows(table, context)
    export, stranger = known.recognise(header), strangers.refusal(header)
    try:
        settings = context.settings(export.platforms[0] if export else None, header, None)
    except Refusal as homeless:
        if not own_names:
            raise stranger or homeless from homeless
        return canonical.csv_rows(table, context)
    export = export or known.recognise(header, settings)
    built_in = export is not None and settings.platform in export.platforms and not settings.history
    if columns.fits(settings, header) and not built_in:
        return columns.rows(table, settings, context)
    if stranger and not own_names:
        return iter((stranger.rejected(context.source),))
    if export:
        return exports.rows(table, export, settings, context)
    if own_names:
        return canonical.csv_rows(table, context, settings)
    lacking = known.lacking(header, settings)
    return iter((lacking.rejected(context.source),)) if lacking else None


def _strange(tables: list[sheet.Table], stated: Layout) -> Refusal:
    """Why no table of a file is understood: of a shop with a map, which of its columns are not there."""
    if not tables:
        return Refusal("the file holds no rows", EXPORT_AGAIN)
    table = max(tables, key=lambda one: len(stated.names.intersection(one.header)))
    missing = sorted(stated.names.difference(table.header))
    if missing:
        near = ", ".join(f"{shown(name)} ({_nearest(name, table.header)})" for name in missing[:_NAMED])
        return Refusal(
            f"columns of the shop's map are not in this file: {near}",
            f"correct [columns], or state how the file is to be read (header_row, delimiter, encoding): {_as(table)}",
            1,
        )
    return Refusal(
        f"the columns of this file are not known ({len(table.header)} columns)",
        "map them under [shops.….columns] (order_id at least), or export with the platform's own headers",
        1,
    )


def _nearest(name: str, header: tuple[str, ...]) -> str:
    near = nearest.header(name, header)
    return f"nearest: {shown(near)}" if near else "nothing like it"


def _as(table: sheet.Table) -> str:
    """How a table was read, for a person who looks for the mistake."""
    first = ", ".join(shown(one) for one in table.header[:_NAMED] if one)
    return f"{table.encoding or 'XLSX'}, {len(table.header)} columns, the first {first}"


def _replayable(name: str) -> bool:
    return name.lower().removesuffix(".gz").endswith(SUFFIXES)


def _skipped(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower().endswith((".part", ".tmp"))
