"""Times, amounts and ids as people write them: read one way, by the whole column or as stated, else refused.

The property behind all: whatever the notation, what is read is what was meant, or the row is refused by name.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.base import ColumnMap, Permanent, Rejected, ShopSettings
from adapters.files import amounts, cells, dates, fields
from adapters.files.feed import FilesFeed
from adapters.files.refusal import Refusal, culprit
from rules import instant
from tests.adapters.fixtures.files.making import csv_file, items, only, refused, shop, snapshots, workbook

BERLIN = ZoneInfo("Europe/Berlin")
QUICK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
MAP = {
    "order_id": ColumnMap(column="id"),
    "paid_at": ColumnMap(column="paid"),
    "ship_by": ColumnMap(column="limit"),
    "paid_minor": ColumnMap(column="total", unit="major"),
}
HEADER = "id\tpaid\tlimit\ttotal"


def whose(zone: ZoneInfo = BERLIN, **options: str) -> ShopSettings:
    return shop("generic", timezone=zone, columns=MAP, options={"currency": "EUR", **options})


def table(
    path: Path, rows: Sequence[Sequence[str]], settings: ShopSettings
) -> tuple[dict[str, dict[str, object]], list[Rejected]]:
    """The fields of each order, and what was refused."""
    found = items(csv_file(path / "a.txt", HEADER, *map("\t".join, rows)), settings)
    return {one.order_id: dict(one.fields) for one in snapshots(found)}, refused(found)


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)).map(lambda one: one.replace(microsecond=0))  # noqa: DTZ001
WRITTEN: dict[str, tuple[dates.Order, Callable[[datetime], str]]] = {
    "DD/MM/YYYY HH:mm:ss": ("DMY", lambda at: at.strftime("%d/%m/%Y %H:%M:%S")),
    "D.M.YYYY H:mm:ss": ("DMY", lambda at: f"{at.day}.{at.month}.{at.year} {at.hour}:{at:%M:%S}"),
    "DD-MM-YYYY HH:mm:ss": ("DMY", lambda at: at.strftime("%d-%m-%Y %H:%M:%S\t".strip())),
    "M/D/YYYY hh:mm:ss a": ("MDY", lambda at: f"{at.month}/{at.day}/{at.year} {at:%I:%M:%S %p}"),
    "MM/DD/YYYY HH:mm:ss": ("MDY", lambda at: at.strftime("%m/%d/%Y, %H:%M:%S")),
    "DD/MM/YY HH:mm:ss": ("DMY", lambda at: at.strftime("%d/%m/%y %H:%M:%S")),
    "YY/MM/DD HH:mm:ss": ("YMD", lambda at: at.strftime("%y/%m/%d %H:%M:%S")),
    "MM-DD-YY HH:mm:ss": ("MDY", lambda at: at.strftime("%m-%d-%y %H:%M:%S")),
    "YYYY/MM/DD HH:mm:ss": ("YMD", lambda at: at.strftime("%Y/%m/%d %H:%M:%S")),
}
NAMED: dict[str, Callable[[datetime], str]] = {
    "MMM-DD-YY": lambda at: at.strftime("%b-%d-%y %H:%M:%S"),
    "DD MMM YYYY": lambda at: at.strftime("%d %B %Y %H:%M:%S"),
    "MMM D, YYYY": lambda at: at.strftime("%b %d, %Y %I:%M:%S %p"),
    "ddd, DD MMM YYYY": lambda at: at.strftime("%a, %d %b %Y %H:%M:%S"),
}
LISTS = st.lists(st.tuples(MOMENTS, MOMENTS), min_size=1, max_size=6)


def meant(at: datetime) -> int:
    return instant.parse(at.isoformat(), BERLIN)


@pytest.mark.parametrize("pattern", WRITTEN)
@QUICK
@given(LISTS)
@example([(datetime(2026, 5, 11), datetime(2026, 12, 1))])  # noqa: DTZ001 no day above twelve
@example([(datetime(2026, 5, 11), datetime(2026, 12, 13))])  # noqa: DTZ001 one, in the other column
@example([(datetime(2026, 11, 28), datetime(2026, 11, 26)), (datetime(2026, 10, 9), datetime(2026, 9, 10))])  # noqa: DTZ001
def test_dates_are_read_as_meant_or_refused(
    tmp_path: Path, pattern: str, moments: list[tuple[datetime, datetime]]
) -> None:
    _, write = WRITTEN[pattern]
    rows = [(str(n), write(paid), write(limit), "1") for n, (paid, limit) in enumerate(moments)]
    read, bad = table(tmp_path, rows, whose())

    for key, facts in read.items():
        paid, limit = moments[int(key)]
        assert (meant(paid), meant(limit)) == (facts["paid_at"], facts["ship_by"])
    assert len(rows) == len(read) + len(bad)
    assert all("dates =" in one.mend for one in bad)


@pytest.mark.parametrize("pattern", WRITTEN)
@QUICK
@given(LISTS)
def test_dates_in_a_stated_order_are_all_read(
    tmp_path: Path, pattern: str, moments: list[tuple[datetime, datetime]]
) -> None:
    order, write = WRITTEN[pattern]
    rows = [(str(n), write(paid), write(limit), "1") for n, (paid, limit) in enumerate(moments)]
    read, bad = table(tmp_path, rows, whose(dates=pattern))

    assert order == dates.order_of(pattern)
    assert [] == bad
    assert [(meant(paid), meant(limit)) for paid, limit in moments] == [
        (one["paid_at"], one["ship_by"]) for one in read.values()
    ]


@pytest.mark.parametrize("pattern", NAMED)
@QUICK
@given(LISTS)
def test_months_in_words_need_no_statement(
    tmp_path: Path, pattern: str, moments: list[tuple[datetime, datetime]]
) -> None:
    write = NAMED[pattern]
    read, bad = table(tmp_path, [("1", write(paid), write(limit), "1") for paid, limit in moments[:1]], whose())

    assert ([], meant(moments[0][0])) == (bad, read["1"]["paid_at"])


@pytest.mark.parametrize(
    "text",
    [
        "28 de noviembre de 2026 10:00 hs.",
        "28 nov. 2026 10:00",
        "28. November 2026 10:00 Uhr",
        "28 novembre 2026 10:00",
        "28 Kasım 2026 10:00",
        "28 de novembro de 2026, 10:00",
        "28 листопада 2026 10:00",
        "Sat, 28 Nov 2026 10:00:00 +0100",
        "10:00 28-11-2026",
        "Tue, 28 Nov 2026 10:00",
        "mar 28 nov 2026 10:00",
        "2026/11/28T10:00",
        "28.11.2026 10.00",
        "Nov 28, 2026 10:00:00 AM CET",
        "11/28/2026 10:00 AM",
        "20261128100000",
        "28/11/2026 09:00 UTC",
    ],
)
def test_a_date_in_any_usual_dress_is_read(tmp_path: Path, text: str) -> None:
    read, bad = table(tmp_path, [("1", text, text, "1")], whose())

    assert ([], instant.parse("2026-11-28T10:00:00+01:00")) == (bad, read["1"]["paid_at"])


@pytest.mark.parametrize("text", ["31/02/2026", "28/13/2026", "13812345678", "28/11", "Foo-28-26", "28/11/2026 25:00"])
def test_what_is_no_date_is_refused(tmp_path: Path, text: str) -> None:
    read, bad = table(tmp_path, [("1", text, "", "1")], whose())

    assert ({}, 1) == (read, len(bad))


def test_a_zone_that_is_not_the_shops_is_not_taken_for_it(tmp_path: Path) -> None:
    assert "is not a time" in table(tmp_path, [("1", "Nov 28, 2026 10:00:00 AM PST", "", "1")], whose())[1][0].reason


def test_a_column_that_is_all_in_doubt_is_refused_with_what_to_state(tmp_path: Path) -> None:
    _, (bad,) = table(tmp_path, [("1", "05/11/2026 10:00", "2026-12-01", "1")], whose())

    assert "'paid' '05/11/2026 10:00' can be two days" == bad.reason
    assert 'dates = "DD/MM/YYYY"' in bad.mend


def test_a_month_and_a_day_that_are_alike_are_no_doubt(tmp_path: Path) -> None:
    assert [] == table(tmp_path, [("1", "11/11/2026 10:00", "", "1")], whose())[1]


@given(st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.sampled_from([BERLIN, ZoneInfo("America/Sao_Paulo")]))
@QUICK
def test_a_bare_deadline_in_any_notation_ends_its_day(tmp_path: Path, day: date, zone: ZoneInfo) -> None:
    read, _ = table(tmp_path, [("1", "", f"{day:%b-%d-%y}", "1")], whose(zone))
    at = read["1"]["ship_by"]
    assert isinstance(at, int)

    assert day == instant.to_datetime(at, zone).date() != instant.to_datetime(at + instant.SECOND, zone).date()


def grouped(whole: str, sign: str, indian: bool = False) -> str:
    head, tail = whole[:-3], whole[-3:]
    size = 2 if indian else 3
    parts = [tail]
    while head:
        parts.insert(0, head[-size:])
        head = head[:-size]
    return sign.join(parts)


STYLES = {
    "1,234.50": (".", ",", False),
    "1.234,50": (",", ".", False),
    "1 234,50": (",", " ", False),
    "1\u202f234,50": (",", "\u202f", False),
    "1'234.50": (".", "'", False),
    "1,23,456.50": (".", ",", True),
    "1234,50": (",", "", False),
    "1234.50": (".", "", False),
}
SIGNS = ["", "€", "Rp ", "R$ ", "US$", "₹", "NT$", "kr. ", "¥"]
CURRENCIES = {"EUR": 2, "JPY": 0, "KWD": 3, "IDR": 2, "CLP": 0, "VND": 0, "COP": 2, "KRW": 0, "TND": 3, "INR": 2}


def written(minor: int, digits: int, style: str, decimals: bool) -> str:
    mark, group, indian = STYLES[style]
    whole, rest = divmod(minor, 10**digits)
    text = grouped(str(whole), group, indian) if group else str(whole)
    return f"{text}{mark}{rest:0{digits}}" if digits and (decimals or rest) else text


@pytest.mark.parametrize("style", STYLES)
@QUICK
@given(
    st.sampled_from(sorted(CURRENCIES)),
    st.lists(st.tuples(st.integers(0, 10**9), st.booleans()), min_size=1, max_size=5),
    st.sampled_from(SIGNS),
    st.booleans(),
)
@example("IDR", [(12_900_000, False)], "Rp ", False)
@example("KWD", [(12_345, True)], "", False)
@example("JPY", [(1_234, False), (5, False)], "¥", False)
def test_amounts_are_read_as_meant_or_refused_and_all_read_as_stated(
    tmp_path: Path, style: str, currency: str, amounts_: list[tuple[int, bool]], sign: str, stated: bool
) -> None:
    digits = CURRENCIES[currency]
    amounts_ = [(minor, decimals or digits == 3) for minor, decimals in amounts_]  # three places are always written
    minors = [minor - (minor % 10**digits if not decimals else 0) for minor, decimals in amounts_]
    rows = [
        (str(n), "", "", sign + written(minor, digits, style, decimals))
        for n, (minor, (_, decimals)) in enumerate(zip(minors, amounts_, strict=True))
    ]
    said = {"decimal": STYLES[style][0]} if stated else {}
    read, bad = table(tmp_path, rows, whose(currency=currency, **said))

    assert {str(n): minor for n, minor in enumerate(minors) if str(n) in read} == {
        key: one["paid_minor"] for key, one in read.items()
    }
    assert len(rows) == len(read) + len(bad)
    assert not (stated and bad)
    assert all("decimal =" in one.mend for one in bad)


@pytest.mark.parametrize(
    ("texts", "minors"),
    [
        (["129.000", "1.500.000", "28.850"], [12_900_000, 150_000_000, 2_885_000]),
        (["129.000", "28,50"], [12_900_000, 2_850]),
        (["129.000", "28.50"], [12_900, 2_850]),
        (["1,234", "0.99"], [123_400, 99]),
    ],
)
def test_the_other_amounts_of_a_file_decide(tmp_path: Path, texts: list[str], minors: list[int]) -> None:
    read, bad = table(tmp_path, [(str(n), "", "", text) for n, text in enumerate(texts)], whose())

    assert ([], minors) == (bad, [one["paid_minor"] for one in read.values()])


def test_amounts_that_contradict_each_other_decide_nothing(tmp_path: Path) -> None:
    read, bad = table(tmp_path, [(str(n), "", "", text) for n, text in enumerate(["1.50", "1,50", "1.500"])], whose())

    assert ([150, 150], ["'total' '1.500' can be two amounts"]) == (
        [one["paid_minor"] for one in read.values()],
        [one.reason for one in bad],
    )


@pytest.mark.parametrize("text", ["-5", "(5.00)", "12 pcs", "1.2.3", "12,34,5", "1e3", "12.50 USD"])
def test_what_is_no_amount_of_the_shop_is_refused(tmp_path: Path, text: str) -> None:
    assert ({}, 1) == (lambda read, bad: (read, len(bad)))(*table(tmp_path, [("1", "", "", text)], whose()))


def test_minor_units_are_those_of_iso_4217() -> None:
    assert CURRENCIES == {code: amounts.digits(code) for code in CURRENCIES}
    assert [1234, 1234, 1234] == [
        cells.minor(text, "paid_minor", code) for text, code in (("12.34", "EUR"), ("1.234", "KWD"), ("1234", "JPY"))
    ]


def ids(path: Path, texts: Sequence[str]) -> tuple[list[str], list[Rejected]]:
    read, bad = table(path, [(text, "", "", "1") for text in texts], whose())
    return list(read), bad


@given(
    st.lists(st.integers(10**18, 9 * 10**18), min_size=1, max_size=8, unique=True), st.sampled_from([16, 17, 18, 19])
)
@QUICK
def test_ids_that_a_spreadsheet_rounded_are_refused(tmp_path: Path, numbers: list[int], length: int) -> None:
    rounded = sorted({str(number)[:15] + "0" * (length - 15) for number in numbers})
    taken, bad = ids(tmp_path, rounded)

    if len(rounded) * (length - 15) >= 3:
        assert ([], len(rounded)) == (taken, len(bad))
        assert "has lost its last digits" in bad[0].reason


def test_three_orders_that_a_spreadsheet_made_one_are_refused(tmp_path: Path) -> None:
    assert ([], 3) == (lambda taken, bad: (taken, len(bad)))(*ids(tmp_path, ["2970000000000000000"] * 3))


@pytest.mark.parametrize(
    "texts", [["2970000000000010"], ["5119111586217093520", "5119111586217093521"], ["100000000000000"]]
)
def test_an_id_may_end_in_zero_by_chance(tmp_path: Path, texts: list[str]) -> None:
    assert (texts, []) == ids(tmp_path, texts)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("28/11/2026 10:00:00", True),
        ("Nov-28-26", True),
        ("1.500.000", True),
        ("129,00", True),
        ("2970000000000000000", True),
        ("13812345678", False),
        ("138-1234-5678", False),
        ("123-45-6789", False),
        ("+86 138 1234 5678", False),
        ("浙江省杭州市西湖区文三路12号", False),
        ("buyer@marketplace.example", False),
    ],
)
def test_a_message_shows_the_culprit_and_hides_a_person(text: str, quoted: bool) -> None:
    assert quoted == (repr(text) == culprit(text))


def test_a_time_that_is_none_is_shown() -> None:
    with pytest.raises(Refusal, match="32/11/2026 10:00:00"):
        fields.moment("32/11/2026 10:00:00", "paid_at", fields.Reading(zone=BERLIN))


def test_a_row_of_descriptions_under_the_header_is_no_order(tmp_path: Path) -> None:
    rows = [
        ("Platform unique order ID.", "Order paid time.", "", "It includes tax."),
        ("1", "2026-11-28 10:00", "", "5"),
    ]

    assert (["1"], []) == (lambda read, bad: (list(read), bad))(*table(tmp_path, rows, whose()))


@pytest.mark.parametrize(("option", "value"), [("dates", "DD/MM"), ("dates", "day first"), ("decimal", "dot")])
def test_a_wrong_statement_is_refused_when_the_feed_is_made(tmp_path: Path, option: str, value: str) -> None:
    with pytest.raises(Permanent, match=f"{option}: '{value}'"):
        FilesFeed(shop("generic", path=tmp_path, options={option: value}))


def test_a_number_or_time_of_a_workbook_needs_no_notation(tmp_path: Path) -> None:
    day = datetime(2026, 11, 5, 10)  # noqa: DTZ001
    path = workbook(
        tmp_path / "a.xlsx", {"a": [["id", "paid", "limit", "total"], [1, day, day + timedelta(days=1), 1234.5]]}
    )
    item = only(path, whose(dates="MM/DD/YYYY", decimal=","))

    assert not isinstance(item, Rejected)
    assert (meant(day), 123450) == (item.fields["paid_at"], item.fields["paid_minor"])  # type: ignore[union-attr]
