"""Reading the rows of a list of (shop, id) pairs: one statement for a whole batch, however many shops it spans.

SQLite answers `(shop, id) IN (…pairs…)` by scanning the table. So the list becomes a table of its own that is gone
through first (CROSS JOIN binds SQLite to that order); each of its rows then finds its own by an index.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import msgspec
from sqlalchemy import ColumnClause, Connection, Select, Text, and_, bindparam, column, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import ARRAY

from daemon.store import driver

Reader = Mapping[str, Select[Any]]
"""One statement for each dialect."""
_encode = msgspec.json.Encoder().encode


def among(statement: Select[Any], shop: ColumnClause[str], name: ColumnClause[str]) -> Reader:
    """`statement` for both dialects, held to the rows whose (shop, name) is one of the pairs `read` binds."""
    return {
        dialect: statement.select_from(named.join(shop.table, and_(shop == named.c.shop, name == named.c.id)))
        for dialect, named in NAMED.items()
    }


def read(connection: Connection, reader: Reader, pairs: Iterable[tuple[str, str]], **values: object) -> Sequence[Any]:
    """The rows of the pairs, as named tuples. On SQLite they hold what the driver gives: integers, text, bytes."""
    wanted = list(pairs)
    if not wanted:
        return ()
    if connection.dialect.name != "sqlite":
        lists = {"b_shops": [shop for shop, _ in wanted], "b_ids": [name for _, name in wanted]}
        return connection.execute(reader["postgresql"], {**lists, **values}).all()
    by_shop: dict[str, list[str]] = {}
    for shop, name in wanted:
        by_shop.setdefault(shop, []).append(name)
    text, places, named = _compiled(reader["sqlite"])
    bound = {"b_pairs": _encode(by_shop).decode(), **values}
    return list(map(named, driver.rows(connection, text, tuple([bound[place] for place in places]))))


def listed(connection: Connection, names: Iterable[str]) -> dict[str, object]:
    """The ids as a statement over `LISTED` binds them."""
    ids = sorted(names)
    return {"b_ids": _encode(ids).decode() if connection.dialect.name == "sqlite" else ids}


@cache
def _compiled(statement: Select[Any]) -> tuple[str, tuple[str, ...], Callable[[tuple[Any, ...]], Any]]:
    """SQL text, its parameters in order, and what names a row's values. Statements live as long as modules."""
    compiled = statement.compile(dialect=sqlite.dialect())
    text = str(compiled).replace("FROM named JOIN", "FROM named CROSS JOIN")
    row = namedtuple("Row", statement.selected_columns.keys())  # type: ignore[misc]
    return text, tuple(compiled.positiontup or ()), partial(tuple.__new__, row)


def _unpacked() -> Any:
    """{shop: [id, …]} as rows of a table of its own."""
    shops = func.json_each(bindparam("b_pairs")).table_valued("key", "value", name="shops")
    names = func.json_each(shops.c.value).table_valued("value", name="names")
    rows = select(shops.c.key.label("shop"), names.c.value.label("id")).select_from(shops, names)
    return rows.cte("named").prefix_with("MATERIALIZED")


def _unnested() -> Any:
    lists = func.unnest(bindparam("b_shops", type_=ARRAY(Text)), bindparam("b_ids", type_=ARRAY(Text)))
    return lists.table_valued(column("shop", Text), column("id", Text), name="named").render_derived()


NAMED: Mapping[str, Any] = {"sqlite": _unpacked(), "postgresql": _unnested()}
"""The list of pairs (`shop`, `id`) as each dialect's statements may join it."""
LISTED: Mapping[str, Any] = {
    "sqlite": select(func.json_each(bindparam("b_ids")).table_valued("value").c.value),
    "postgresql": select(func.unnest(bindparam("b_ids", type_=ARRAY(Text)))),
}
"""The ids of one shop as `in_` takes them, however many there are."""
