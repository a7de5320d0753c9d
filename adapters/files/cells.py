"""Texts of cells → exact values: money without floats, counts, ids that a spreadsheet did not spoil."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from adapters.files import amounts
from adapters.files.refusal import Refusal, culprit

MISSING = frozenset({"", "-", "--", "null", "NULL", "None"})
"""What exports write where they have nothing to say."""

Kind = Literal["time", "amount", "id", "currency"]
"""What a column holds whose texts can be written in several ways."""

MOST_MINOR = 10**14
MOST_COUNT = 10**9
ID_CHARS = 200

_EXPONENT = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE]\+?\d{1,3}")
_INTEGER = re.compile(r"\d{1,18}")
_PLAIN = re.compile(r"(\d{1,12})(?:\.(\d\d))?")
_DECIMAL = re.compile(r"\d{1,15}(?:\.\d{1,12})?")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3}){1,4}(?:\.\d{1,12})?")
_TIME = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]+(\d{1,2}):(\d{2})(.*))?")
_NO_DATE = ("0000-", "0001-", "1970-01-01")
_CURRENCY_SIGNS = re.compile(r"^(?:[¥￥$€£]|R\$|CN¥)\s?|\s?[元圆€]$")


def present(cells: dict[str, str], column: str) -> str | None:
    """The text under `column`, or None when the column or its text is missing."""
    text = cells.get(column, "")
    return None if text in MISSING else text


def identifier(text: str, name: str) -> str:
    """An id as it stands; raises Refusal if it is empty, overlong, unprintable, or spreadsheet-rounded."""
    if not text or len(text) > ID_CHARS or not text.isprintable():
        raise Refusal(f"{name} is empty, unprintable or longer than {ID_CHARS} characters", "give each order its id")
    if text[-1].isdigit() and ("E" in text or "e" in text) and lossy(text):
        raise Refusal(
            f"{name} {text} is in scientific notation: a spreadsheet has rounded it, its digits are lost",
            "export again and do not save the file in a spreadsheet, or format the column as text first",
        )
    return text


def lossy(text: str) -> bool:
    """Whether a spreadsheet turned this id into a number such as 1.23E+18 and dropped its last digits.

    `12E3` may be a real code; a fraction, a plus sign or an exponent of two digits gives it away.
    """
    return bool(_EXPONENT.fullmatch(text)) and ("+" in text or "." in text or "," in text)


def integer(text: str, name: str, most: int = MOST_COUNT) -> int:
    """A whole number from 0 to `most`; `2.0` is one too (spreadsheets write it so)."""
    digits = text.removesuffix(".00").removesuffix(".0")
    if not _INTEGER.fullmatch(digits) or int(digits) > most:
        raise Refusal(f"{name} {culprit(text)} is not a whole number from 0 to {most}", f"give {name} in whole units")
    return int(digits)


def minor(text: str, name: str, currency: str | None = None) -> int:
    """A decimal amount of a currency (`129.80`, `1,234.5`, `0.00元`) in minor units, exactly.

    Raises Refusal for negative amounts, exponents, and amounts finer than the currency's smallest coin.
    """
    usual = _PLAIN.fullmatch(text)
    digits = _digits(currency)
    if usual and digits == 2:  # nearly every amount
        return int(usual[1]) * 100 + (int(usual[2]) if usual[2] else 0)
    plain = _CURRENCY_SIGNS.sub("", text.strip())
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _DECIMAL.fullmatch(plain):
        raise Refusal(f"{name} {culprit(text)} is not an amount such as 129.80", f"write {name} with a decimal point")
    amount = Decimal(plain).scaleb(digits)
    if amount != amount.to_integral_value() or amount > MOST_MINOR:
        raise Refusal(f"{name} {culprit(text)} is finer than the smallest coin, or absurd", f"correct {name}")
    return int(amount)


@lru_cache(maxsize=256)
def _digits(currency: str | None) -> int:
    digits = amounts.digits(currency)
    return 2 if digits is None else digits


def local_time(text: str) -> str | None:
    """A time as exports and spreadsheets write it (`2026/6/1 8:05`), as ISO text; None for "no time".

    Year first only: 1/6/2026 could be two days. Zero dates (0001, 1970) are how platforms say none.
    """
    if text.startswith(_NO_DATE):
        return None
    if text[4:5] == text[7:8] == "-" and text[13:14] == text[16:17] == ":":
        return text  # ISO already
    found = _TIME.fullmatch(text)
    if not found:
        return text
    year, month, day, hour, minute, rest = found.groups()
    date = f"{year}-{month:0>2}-{day:0>2}"
    return f"{date}T{hour:0>2}:{minute}{rest}" if hour else date
