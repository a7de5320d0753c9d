"""Which rows belong to a list of (shop, id) pairs, shop by shop.

SQLite answers `(shop, id) IN (…pairs…)` by scanning the table, whether the pairs are VALUES or unpacked from JSON;
`shop = … AND id IN (…)` it searches. So a batch over many shops costs a statement per shop, never a scan.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from sqlalchemy import ColumnElement, and_, bindparam

CHUNK = 500
"""Parameters in one IN list; SQLite allows 32,766, PostgreSQL 65,535."""


def is_named(shop: ColumnElement[str], name: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that a row belongs to one of the pairs that `named` binds."""
    return and_(shop == bindparam("b_shop"), name.in_(bindparam("ids", expanding=True)))


def named(pairs: Iterable[tuple[str, str]]) -> Iterator[dict[str, object]]:
    """(shop, id) pairs as what `is_named` binds: sorted, one shop at a time, in parts of `CHUNK`."""
    for shop, group in groupby(sorted(pairs), key=itemgetter(0)):
        ids = [name for _, name in group]
        for start in range(0, len(ids), CHUNK):
            yield {"b_shop": shop, "ids": ids[start : start + CHUNK]}
