"""Tables of any shop, with the map that its configuration has: their words, times, money and rows."""

from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

from adapters.base import ColumnMap
from tests.adapters.fuzz.layouts import expected
from tests.adapters.fuzz.orders import Item, Told, orders, to_minutes
from tests.adapters.fuzz.sheet import Cells, Row, Sheet
from tests.adapters.fuzz.words import PLACES

DIGITS = {"JPY": 0, "KWD": 3}
SURE_TIMES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y.%m.%d %H:%M:%S")


def money(minor: int, currency: str) -> str:
    """A plain amount of a currency, with a decimal point where it has smaller coins."""
    digits = DIGITS.get(currency, 2)
    if not digits:
        return str(minor)
    return f"{minor // 10**digits}.{minor % 10**digits:0{digits}}"


def table(rng: Random) -> Sheet:
    """A mapped table: a row an order, or a row a line with the line's own state and amount."""
    words, place, currencies = rng.choice(PLACES)
    zone, currency = ZoneInfo(place), rng.choice(currencies)
    notation = rng.choice(SURE_TIMES)
    told = orders(rng, rng.randint(1, 8), rng.choice((1, 1, 3)), True)
    if "%S" not in notation:
        told = to_minutes(told)
    by_line = any(len(one.items) > 1 for one in told)
    left_out = [name for name in ("placed_at", "shipped_at", "title", "line_id") if rng.random() < 0.3]
    if rng.random() < 0.5 or currency == "CNY":
        left_out.append("currency")
    options = {"currency": currency} if "currency" in left_out else {}

    def when(moment: datetime | None) -> str:
        return moment.strftime(notation) if moment else ""

    def cells(one: Told, item: Item) -> Cells:
        values = {
            "order_id": one.order_id, "placed_at": when(one.placed_at), "paid_at": when(one.paid_at),
            "ship_by": when(one.ship_by),
            "shipped_at": when(one.shipped_at) if item.status in ("shipped", "completed") else "",
            "status": words.states[item.status], "currency": currency,
            "paid_minor": money(item.paid_minor, currency),
            "sku": item.sku, "quantity": str(item.quantity), "title": item.title, "line_id": item.line_id,
        }  # fmt: skip
        return {words.names[name]: value for name, value in values.items() if name not in left_out}

    rows = [Row(cells=cells(one, item), owner=one.order_id) for one in told for item in one.items]
    own = {value: name for name, value in words.states.items()}
    columns = {
        name: ColumnMap(
            column=words.names[name],
            unit="major" if name == "paid_minor" else "minor",
            values=own if name == "status" else None,
        )
        for name in words.names
        if name not in left_out
    }
    without = [*left_out, *(["paid_minor"] if by_line and _same_prices(told) else [])]
    return Sheet(
        platform="generic",
        zone=zone,
        header=list(rows[0].cells),
        rows=rows,
        expected={one.order_id: expected(one, zone, without) for one in told},
        columns=columns,
        line_ids="line_id" in columns,
        options=options,
    )


def _same_prices(told: tuple[Told, ...]) -> bool:
    """Whether amounts of an order's rows could be its total repeated."""
    return any(len({item.paid_minor for item in one.items}) == 1 < len(one.items) for one in told)


TABLES: Mapping[str, Callable[[Random], Sheet]] = {"table": table}
