"""What is told of one kind of platform export: which header tells it, which column holds what."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from adapters.files import fields
from adapters.files.cells import Kind
from adapters.files.texts import Headers
from rules.model import Platform

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One kind of export file.

    `needs` and one of `any_of` in a header tell it. `order` and `line` map canonical fields to columns.
    `rows_are` says whether a row is an order or a line of it. `own_ids`: a row is known by its ids, so that the same
    ids a second time are the same row again; without (no sub-order ids), equal rows are two lines unless the price
    of all `goods` says otherwise.
    `amounts`: whether order amounts in the rows of one order are its lines' own (`lines`, to be added up) or
    the order's, repeated (`order`). `more_paid` is a second part of what was paid, `total` the price of a line
    in all. `more_states`: further columns that tell of the order's state; `ends`: columns whose time is an end;
    `line_state`: the column of a line's own state. `marks`: status texts may carry (删除) = the order is gone,
    (锁定) = the buyer wants to cancel. `currency`: the columns that name it; none = yuan.
    """

    title: str
    platforms: tuple[Platform, ...]
    needs: frozenset[str]
    any_of: frozenset[str]
    order_id: str
    statuses: Mapping[str, str]
    status: str = "订单状态"
    order: Mapping[str, Names] = field(default_factory=dict)
    line: Mapping[str, Names] = field(default_factory=dict)
    line_id: Names = ()
    rows_are: Literal["orders", "lines"] = "orders"
    own_ids: bool = True
    amounts: Literal["lines", "order"] = "lines"
    goods: str = ""
    remarks: Names = ()
    refund: Names = ()
    refunded_amount: str = ""
    more_paid: str = ""
    total: str = ""
    presale: Names = ()
    risk: str = ""
    marks: bool = False
    more_states: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    ends: Mapping[str, str] = field(default_factory=dict)
    line_state: str = ""
    currency: Names = ()

    @property
    def columns(self) -> frozenset[str]:
        """All columns that are read."""
        mapped = [*self.order.values(), *self.line.values(), self.line_id, self.remarks, self.refund, self.presale]
        mapped += [self.currency, tuple(self.more_states), tuple(self.ends)]
        single = {self.order_id, self.status, self.refunded_amount, self.more_paid, self.total, self.risk, self.goods}
        return frozenset({self.line_state, *single}.union(*mapped) - {""})

    @property
    def kinds(self) -> dict[str, Kind]:
        """What the columns hold whose texts can be written in several ways; amounts have points as exported."""
        columns = [(name, one) for name, names in (*self.order.items(), *self.line.items()) for one in names]
        ids = dict.fromkeys((self.order_id, *self.line_id, *(one for name, one in columns if name in fields.IDS)), "id")
        times = dict.fromkeys((*(one for name, one in columns if name in fields.TIMES), *self.ends), "time")
        return {**ids, **times}  # type: ignore[dict-item]

    @property
    def essential(self) -> frozenset[str]:
        """The columns without which a row is half a row."""
        told = [*self.order.items(), *self.line.items()]
        needed = [names for name, names in told if name in fields.SUBSTANCE]
        return frozenset({self.order_id, self.status, self.refunded_amount, *self.refund}.union(*needed) - {""})

    def within(self, headers: Headers) -> "Export":
        """The same with only the columns a file has, under the names they have there."""

        def there(names: Names) -> Names:
            return tuple(dict.fromkeys(found for name in names if (found := headers.like(name)) is not None))

        def one(name: str) -> str:
            return headers.named(name) or "" if name else ""

        return replace(
            self,
            order_id=headers.like(self.order_id) or self.order_id,
            status=headers.like(self.status) or self.status,
            order={name: found for name, names in self.order.items() if (found := there(names))},
            line={name: found for name, names in self.line.items() if (found := there(names))},
            line_id=there(self.line_id),
            remarks=there(self.remarks),
            refund=there(self.refund),
            presale=there(self.presale),
            refunded_amount=one(self.refunded_amount),
            more_paid=one(self.more_paid),
            total=one(self.total),
            risk=one(self.risk),
            goods=one(self.goods),
        )
