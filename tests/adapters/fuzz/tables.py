"""Tables of any shop, with the map that its configuration has: their words, times, money and rows."""

from collections.abc import Callable, Mapping
from random import Random
from zoneinfo import ZoneInfo

from adapters.base import ColumnMap
from tests.adapters.fuzz import notation
from tests.adapters.fuzz.layouts import expected
from tests.adapters.fuzz.orders import Item, Told, as_before, orders, to_day_ends, to_minutes, to_whole
from tests.adapters.fuzz.sheet import Cells, Row, Sheet
from tests.adapters.fuzz.words import PLACES


def table(rng: Random) -> Sheet:
    """A mapped table: a row an order, or a row a line with the line's own state and amount."""
    words, place, currencies = rng.choice(PLACES)
    zone, currency = ZoneInfo(place), rng.choice(currencies)
    digits = notation.DIGITS.get(currency, 2)
    whole = digits == 2 and rng.random() < (0.5 if currency == "IDR" else 0.05)
    told = orders(rng, rng.randint(1, 8), rng.choice((1, 1, 3)), True)
    told = to_whole(told, digits) if whole else told
    written, amount = notation.times(rng), notation.money(rng, whole, digits)
    told = told if written.seconds else to_minutes(told)
    bare = rng.random() < 0.15
    told = to_day_ends(told) if bare else told
    by_line = any(len(one.items) > 1 for one in told)
    left_out = [name for name in ("placed_at", "shipped_at", "title", "line_id") if rng.random() < 0.3]
    if rng.random() < 0.5 or currency == "CNY":
        left_out.append("currency")
    options = {"currency": currency} if "currency" in left_out else {}
    if says := rng.random() < 0.25:
        options |= {"dates": written.stated, "decimal": amount.stated}

    def cells(one: Told, item: Item) -> Cells:
        values = {
            "order_id": one.order_id, "placed_at": written.text(one.placed_at),
            "paid_at": written.text(one.paid_at),
            "ship_by": (written.day if bare else written).text(one.ship_by),
            "shipped_at": written.text(one.shipped_at) if item.status in ("shipped", "completed") else "",
            "status": words.states[item.status], "currency": currency,
            "paid_minor": amount.text(item.paid_minor, digits),
            "sku": item.sku, "quantity": str(item.quantity), "title": item.title, "line_id": item.line_id,
        }  # fmt: skip
        return {words.names[name]: value for name, value in values.items() if name not in left_out}

    rows, before = (
        [Row(cells=cells(one, item), owner=one.order_id) for one in some for item in one.items]
        for some in (told, as_before(told))
    )
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
        before=before,
        header=list(rows[0].cells),
        rows=rows,
        expected={one.order_id: expected(one, zone, without) for one in told},
        columns=columns,
        line_ids="line_id" in columns,
        plain=says or (written.sure and amount.sure),
        done=["whole_amounts"] if whole else [],
        options=options,
    )


def _same_prices(told: tuple[Told, ...]) -> bool:
    """Whether amounts of an order's rows could be its total repeated."""
    return any(len({item.paid_minor for item in one.items}) == 1 < len(one.items) for one in told)


TABLES: Mapping[str, Callable[[Random], Sheet]] = {"table": table}
