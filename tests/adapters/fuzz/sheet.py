"""A table before it is written: rows by column name, whose each is, and what a right reader makes of each order."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from adapters.base import ColumnMap, ShopSettings

Cells = dict[str, str]


@dataclass(slots=True, kw_only=True)
class Row:
    """One row. `owner`: its order (None: nobody's). `broken_at`: a line break stands unquoted before that cell.

    `ends_at`: nothing is written from that cell on.
    """

    cells: Cells
    owner: str | None
    broken_at: int | None = None
    ends_at: int | None = None


@dataclass(slots=True, kw_only=True)
class Sheet:
    """A table with the truth beside it.

    `expected`: per order the canonical values it must have; a name that is absent is not judged. `plain`: nothing in
    the file is a reason to refuse anything. `book`: it becomes a workbook,
    `json`: JSON Lines. `line_ids`: its rows tell sub-orders apart.
    `done`: what was done to it. `before`: the same orders as an earlier file told them, under the same header.
    """

    platform: str
    zone: ZoneInfo
    header: list[str]
    rows: list[Row]
    expected: dict[str, dict[str, object]]
    columns: Mapping[str, ColumnMap] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    plain: bool = True
    book: bool = False
    json: bool = False
    line_ids: bool = True
    done: list[str] = field(default_factory=list)
    before: list[Row] = field(default_factory=list)

    def settings(self) -> ShopSettings:
        """The shop whose file it is."""
        return ShopSettings(
            name="north", platform=self.platform, timezone=self.zone, columns=self.columns, options=self.options
        )

    def earlier(self) -> "Sheet":
        """The earlier file as a sheet of its own, before anything is done to this one."""
        return replace(self, header=list(self.header), rows=self.before, done=[])

    def owned(self) -> list[Row]:
        """The rows that are an order's."""
        return [row for row in self.rows if row.owner is not None]
