"""How people write times and amounts: some ways are sure, others must be stated, proven by the column, or refused."""

import re
from datetime import datetime
from random import Random
from typing import NamedTuple

DIGITS = {"JPY": 0, "KWD": 3}
"""Decimal places of currencies that have not two."""


class Times(NamedTuple):
    """One way to write a time. `sure`: it can be read one way only, whatever the day."""

    pattern: str
    sure: bool = False

    def text(self, moment: datetime | None) -> str:
        """The moment as it is written."""
        return moment.strftime(self.pattern) if moment else ""

    @property
    def seconds(self) -> bool:
        """Whether it tells them."""
        return "%S" in self.pattern

    @property
    def stated(self) -> str:
        """How a shop says it: `dates = …`."""
        words = {"%Y": "YYYY", "%y": "YY", "%m": "MM", "%b": "MMM", "%d": "DD"}
        return re.sub("%.", lambda found: words[found[0]], self.day.pattern)

    @property
    def day(self) -> "Times":
        """The same without the time of day."""
        return self._replace(pattern=re.split(r"[ T]+(?=%[HI])", self.pattern)[0])


SURE_TIMES = tuple(
    Times(pattern, sure=True)
    for pattern in (
        "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y.%m.%d %H:%M:%S",
    )
)  # fmt: skip
ODD_TIMES = tuple(
    Times(pattern)
    for pattern in (
        "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%d.%m.%Y %H:%M", "%b-%d-%y %H:%M:%S", "%d %b %Y %H:%M:%S",
        "%Y年%m月%d日 %H:%M", "%m/%d/%Y %I:%M:%S %p", "%d-%m-%Y %H:%M:%S", "%y-%m-%d %H:%M",
    )
)  # fmt: skip


class Money(NamedTuple):
    """One way to write an amount: the sign between thousands, the one before the smallest coins, what stands around."""

    thousands: str = ""
    decimal: str = "."
    before: str = ""
    after: str = ""
    sure: bool = False

    @property
    def stated(self) -> str:
        """How a shop says it: `decimal = …`."""
        return self.decimal or ("," if self.thousands == "." else ".")

    def text(self, minor: int, digits: int) -> str:
        """An amount in minor units as it is written."""
        whole, coins = divmod(minor, 10**digits)
        grouped = f"{whole:,}".replace(",", self.thousands)
        return (
            f"{self.before}{grouped}{f'{self.decimal}{coins:0{digits}}' if digits and self.decimal else ''}{self.after}"
        )


PLAIN = Money(sure=True)
ODD_MONEY = (
    Money(thousands=","),
    Money(thousands=".", decimal=","),
    Money(decimal=","),
    Money(thousands="'"),
    Money(thousands=" ", decimal=","),
    Money(before="€ ", thousands=",", decimal="."),
    Money(after=" kr", decimal=","),
    Money(before="US$"),
)
WHOLE = (Money(thousands=".", decimal=""), Money(thousands=",", decimal=""), Money(decimal=""))
"""For amounts that are whole: no smaller coins are written."""


def times(rng: Random) -> Times:
    """Mostly a sure way."""
    return rng.choice(SURE_TIMES if rng.random() < 0.7 else ODD_TIMES)


def money(rng: Random, whole: bool, digits: int) -> Money:
    """Mostly the plain way; `whole`: all amounts are. Before three places of coins nobody writes a comma."""
    if whole:
        return rng.choice(WHOLE)
    if digits == 3:
        return PLAIN
    return PLAIN if rng.random() < 0.7 else rng.choice(ODD_MONEY)
