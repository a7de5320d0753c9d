"""Amounts as people write them (1.234,56, 1'234.50, Rp 129.000, ₹1,23,456.00) → plain decimals, exactly or not at all.

`129.000` is a hundred and twenty-nine, or a thousand times as much. `marks` tells which signs can be the decimal
mark; whoever knows the other amounts of the file, or what the shop states, chooses.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Literal, NamedTuple

Mark = Literal[".", ","]
MARKS: tuple[Mark, ...] = (".", ",")

_PLAIN = re.compile(r"\d{1,15}(?:\.\d{1,2})?")
_COINS = re.compile(r"\d{1,3}\.\d{3}")
"""In currencies of three places: all of them are written, nearly always after a point."""
_AMOUNT = re.compile(r"(\D*?)([-+(]?\d(?:[\d.,'’ ]*\d)?[.,]?-?\)?)(\D*)")
_BLANKS = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\u3000"), " ")
_SIGNS = frozenset(
    [
        "rp",
        "rs",
        "rm",
        "kr",
        "zł",
        "zl",
        "kč",
        "kc",
        "ft",
        "lei",
        "лв",
        "руб",
        "р",
        "ден",
        "kn",
        "fr",
        "din",
        "tl",
        "₺",
        "lt",
        "nt",
        "us",
        "au",
        "ca",
        "hk",
        "sg",
        "nz",
        "mx",
        "cn",
        "r",
        "s",
        "c",
        "a",
        "b/",
        "元",
        "圆",
        "円",
        "원",
        "đ",
        "vnđ",
        "人民币",
    ]
)
"""Letters that stand for a currency without being its ISO code."""


class Amount(NamedTuple):
    """An amount taken apart: its number as written, and the ISO code beside it if there is one."""

    number: str
    currency: str | None


def is_plain(text: str) -> bool:
    """Whether a text is an amount that can be read only one way: digits, a point, at most two decimals."""
    return _PLAIN.fullmatch(text) is not None


def apart(text: str) -> Amount | None:
    """The number of an amount and its currency; None for what is no amount."""
    text = unicodedata.normalize("NFKC", text).translate(_BLANKS).strip()
    found = _AMOUNT.fullmatch(text)
    if not found:
        return None
    before, number, after = found[1].strip(" .:"), found[2], found[3].strip(" .:")
    if not (_is_money(before) and _is_money(after)):
        return None
    code = next((one for one in (before, after) if _is_code(one)), None)
    return Amount(number, code)


def marks(number: str, digits: int | None) -> frozenset[Mark]:
    """The signs that can be the number's decimal mark; `digits` are those of its currency (None: not known)."""
    found = {mark: plain(number, mark) for mark in MARKS}
    if digits == 3 and _COINS.fullmatch(number):
        return frozenset({"."})
    whole = digits == 0
    return frozenset(
        mark for mark, one in found.items() if one is not None and not (whole and one.partition(".")[2].strip("0"))
    )


def plain(number: str, mark: Mark) -> str | None:
    """The number with a decimal point and no groups; None when `mark` cannot be its decimal mark."""
    whole, found, decimals = number.partition(mark)
    if found and not decimals.isdigit():
        return None
    group = "," if mark == "." else "."
    for sign in (group, "'", "’", " "):
        if sign in whole:
            return _ungrouped(whole, sign, found, decimals)
    return (f"{whole}.{decimals}" if found else whole) if whole.isdigit() else None


def _ungrouped(whole: str, sign: str, found: str, decimals: str) -> str | None:
    """A whole number without its groups of three (of two before the last three in India); None for other groups."""
    first, *groups = whole.split(sign)
    western = all(len(one) == 3 for one in groups)
    indian = len(groups[-1]) == 3 and len(first) <= 2 and all(len(one) == 2 for one in groups[:-1])
    fits = 0 < len(first) <= 3 and first[0] != "0" and (western or indian)
    digits = "".join((first, *groups))
    if not (fits and digits.isdigit()):
        return None
    return f"{digits}.{decimals}" if found else digits


def mark_of(text: str) -> Mark:
    """The decimal mark a shop states; raises ValueError."""
    known: dict[str, Mark] = {".": ".", ",": ",", "point": ".", "comma": ","}
    if text not in known:
        raise ValueError(f'decimal: {text!r} is no decimal mark; write "." or ","')
    return known[text]


def digits(currency: str | None) -> int | None:
    """How many digits the minor unit of a currency has (yen 0, dollar 2, dinar 3); None for no known currency."""
    return _digits(currency) if currency else None


@lru_cache(maxsize=256)
def _digits(currency: str) -> int | None:
    if currency in ("CNY", "USD", "EUR", "GBP"):
        return 2
    from babel.numbers import get_currency_precision  # only for others: it costs a tenth of a second

    return int(get_currency_precision(currency)) if _is_code(currency) else None


def _is_money(text: str) -> bool:
    """Whether what stands beside a number is a currency: nothing, a sign, its letters, a code."""
    letters = "".join(char for char in text if unicodedata.category(char) != "Sc").strip(" .").casefold()
    return not letters or letters in _SIGNS or _is_code(letters.upper())


@lru_cache(maxsize=256)
def _is_code(text: str) -> bool:
    if len(text) != 3 or not (text.isascii() and text.isupper()):
        return False
    if text in ("CNY", "USD", "EUR", "GBP"):
        return True
    from babel.core import get_global

    return text in get_global("all_currencies")
