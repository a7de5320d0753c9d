"""Rows that wait in memory, and rows that wait on the disk: nobody can tell which."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Record, Rejected, Snapshot
from adapters.files import cells, merge, waiting
from adapters.files.footer import Ids
from adapters.files.refusal import Refusal

BAD = Rejected(source="a.csv", line=3, reason="bad", mend="mend it")
AMOUNTS = st.none() | st.integers(0, 3)
HOWS = st.builds(
    merge.Rows,
    own_ids=st.booleans(),
    amounts=st.dictionaries(st.sampled_from(merge.MONEY), st.sampled_from(["lines", "order"])),
    likely=st.dictionaries(st.sampled_from(merge.MONEY), st.sampled_from(["lines", "order"])),
)


def row(order_id: str, at: int, sku: str, status: str, **amounts: int | None) -> Snapshot:
    facts = {"status": status, "flags": ["presale"], **{name: one for name, one in amounts.items() if one is not None}}
    lines = {sku: {"sku": sku, "quantity": 1, "title": "羊毛围巾 \N{SMILING FACE WITH OPEN MOUTH}"}}
    return Snapshot(observed_at=at, shop="north", order_id=order_id, fields=facts, lines=lines)


ROWS = st.builds(
    row,
    st.sampled_from(["A", "B", "C 1"]),
    st.sampled_from([1, 2]),
    st.sampled_from(["S", "T"]),
    st.sampled_from(["paid", "shipped", "cancelled"]),
    **dict.fromkeys((*merge.MONEY, merge.GOODS), AMOUNTS),
)


@given(st.lists(ROWS | st.just(BAD), max_size=12), HOWS, st.integers(0, 12))
def test_what_becomes_of_rows_is_the_same_wherever_they_wait(
    parts: Sequence[Record | Rejected], how: merge.Rows, held: int
) -> None:
    in_memory = list(merge.by_order(parts, how, "a.csv", held=len(parts)))
    assert in_memory == list(merge.by_order(parts, how, "a.csv", held=held))


@pytest.mark.parametrize("held", [0, 2, 100])
def test_of_an_order_with_very_many_rows_one_more_comes_than_are_taken(held: int) -> None:
    rows = waiting.Waiting(merge.MONEY, 3, held)
    for place in range(10):
        rows.add(row("A", 1, f"S{place}", "paid"))
    assert [4] == [len(order) for order in rows.orders()]
    rows.close()


@pytest.mark.parametrize("held", [0, 100])
def test_numbered_lines_stay_so_while_they_wait(held: int) -> None:
    rows = waiting.Waiting(merge.MONEY, 3, held)
    rows.add(replace(row("A", 1, "S", "paid"), counted=True))
    assert [True] == [one.counted for order in rows.orders() for one in order]
    rows.close()


@given(st.lists(st.text("A0-字 é", min_size=1, max_size=5), max_size=5), st.text("A0-字 é:", min_size=1, max_size=5))
def test_ids_are_known_by_all_their_stuff_however_often_somebody_asks(own: Sequence[str], other: str) -> None:
    seldom, often = Ids(), Ids()
    for one in own:
        seldom.add(one)
        often.add(one)
        often.strange(other)
    assert often.strange(other) == seldom.strange(other)
    assert often.known == seldom.known == {sign for one in own for sign in _stuff(one)}


def _stuff(text: str) -> set[str]:
    ids = Ids()
    ids.add(text)
    return ids.known


@given(st.integers(0, 10**12 - 1), st.none() | st.integers(0, 99), st.sampled_from(["", "CNY", "EUR", "JPY", "KWD"]))
def test_an_amount_in_plain_digits_is_worth_what_it_is_with_a_sign(
    whole: int, decimals: int | None, currency: str
) -> None:
    plain = f"{whole}" if decimals is None else f"{whole}.{decimals:02}"
    assert _minor(plain, currency) == _minor(f"¥{plain}", currency)


def _minor(text: str, currency: str) -> int | None:
    try:
        return cells.minor(text, "paid_minor", currency)
    except Refusal:
        return None
