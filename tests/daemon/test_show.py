"""Money as people see it: what is shown is what the file said, in every currency."""

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from adapters.files import cells
from daemon import show

CURRENCIES = sorted(get_global("all_currencies"))


@given(st.integers(0, 10**9), st.sampled_from(CURRENCIES))
def test_an_amount_is_shown_as_it_was_read(minor: int, currency: str) -> None:
    text = show.money(minor, currency)

    assert minor == cells.minor("".join(char for char in text if char.isdigit() or char == "."), "paid_minor", currency)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (123450, "CNY", "¥1,234.50"),
        (123450, None, "¥1,234.50"),
        (1234, "JPY", "JP¥1,234"),
        (1234, "KWD", "KWD 1.234"),
        (-5, "EUR", "-€0.05"),
        (-1234, "JPY", "-JP¥1,234"),
        (None, "EUR", "–"),
    ],
)
def test_money_is_short_and_has_the_coins_of_its_currency(minor: int | None, currency: str | None, text: str) -> None:
    assert text == show.money(minor, currency)
