"""Clean files of orders, an export and a table of a shop's own map, against the plainest exact reading.

Both sides read the same file from the disk. Ours finds out encoding, layout and notation, judges each row and brings
the rows of an order together; the plainest takes all that for granted: csv.DictReader, a date and an exact amount.
"""

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from adapters.base import ColumnMap, ShopSettings
from adapters.files import read
from benchmarks import stores
from benchmarks.rounds import HEADER, Goal, Sample, Stopwatch, arguments, finish, interleave, show
from rules import instant

ZONE = ZoneInfo("Asia/Shanghai")
BEGIN = datetime(2026, 11, 1, 8, tzinfo=UTC)
EXPORT = ShopSettings(name="north", platform="pinduoduo", privacy_key=b"key")
MAPPED = ShopSettings(
    name="south",
    platform="generic",
    timezone=ZONE,
    privacy_key=b"key",
    options={"currency": "EUR"},
    columns={
        "order_id": ColumnMap(column="Order"),
        "status": ColumnMap(column="State", values={"waiting": "paid", "sent": "shipped"}),
        "placed_at": ColumnMap(column="Bought"),
        "paid_at": ColumnMap(column="Paid"),
        "ship_by": ColumnMap(column="Ship until"),
        "sku": ColumnMap(column="Code"),
        "quantity": ColumnMap(column="Qty"),
        "paid_minor": ColumnMap(column="Amount", unit="major"),
        "buyer": ColumnMap(column="Buyer"),
    },
)


def main() -> None:
    """Measure and print."""
    chosen = arguments(__doc__, 7, rows=(20_000, 300, "rows of a file"))
    with stores.folder() as place:
        export, mapped = place / "export.csv", place / "mapped.csv"
        _write(export, _export(chosen.rows))
        _write(mapped, _mapped(chosen.rows))
        sides = {
            "export": partial(_ours, export, EXPORT, chosen.rows),
            "export, plainest": partial(_plainest, export, chosen.rows),
            "map": partial(_ours, mapped, MAPPED, chosen.rows),
            "map, plainest": partial(_plainest, mapped, chosen.rows),
        }
        results = interleave(sides, chosen.rounds)
    print(f"{chosen.rows:,} rows a file, an order each")
    show(HEADER, results.table())
    ratios = {name: results.ratio(f"{name}, plainest", name) for name in ("export", "map")}
    for name, ratio in ratios.items():
        print(f"{name}: the plainest reading is {ratio} times as fast")
    goals = [Goal(f"{name}: plainest / ours, by CPU", ratio.cpu, 3.5, most=True) for name, ratio in ratios.items()]
    finish("files", chosen, goals, sides=results.plain(), ratios=ratios)


def _ours(path: Path, settings: ShopSettings, rows: int, _: int) -> Sample:
    watch = Stopwatch()
    with watch:
        found = sum(1 for _ in read.read(path, lambda *_: settings, instant.parse("2026-11-29T00:00:00Z")))
    assert rows == found
    return watch.sample(rows)


def _plainest(path: Path, rows: int, _: int) -> Sample:
    watch = Stopwatch()
    with watch, path.open(encoding="utf-8", newline="") as lines:
        found = [{name: _value(text) for name, text in row.items()} for row in csv.DictReader(lines)]
    assert rows == len(found)
    return watch.sample(rows)


def _value(text: str) -> str | int | float:
    """Times as seconds, amounts in the smallest coin, all else as it is."""
    if text[4:5] == "-" and text[13:14] == ":":
        return datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()
    return int(Decimal(text) * 100) if text[-3:-2] == "." else text


def _write(path: Path, rows: Iterator[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def _export(rows: int) -> Iterator[list[str]]:
    yield [
        *("商品", "订单号", "订单状态", "商品总价(元)", "邮费(元)", "用户实付金额(元)", "商家实收金额(元)"),
        *("商品数量(件)", "收货人", "支付时间", "拼单成功时间", "承诺发货时间", "商家编码-SKU维度", "商品id", "样式ID"),
        *("售后状态", "买家留言", "商家备注", "是否审核中"),
    ]
    for number, time in _times(rows):
        yield [
            *(f"短袖上衣 款{number % 500}", f"261101-{100_000_000_000_000 + number * 7919}", "待发货", "59.80", "0.00"),
            *("59.80", "58.00", "2", "某", time(0), time(3), time(2880), f"SKU-{number % 900}"),
            *(f"{5_000_000 + number % 700}", f"{900_000 + number % 999}", "无售后或售后取消", "", "", "否"),
        ]


def _mapped(rows: int) -> Iterator[list[str]]:
    yield ["Order", "State", "Bought", "Paid", "Ship until", "Code", "Qty", "Amount", "Buyer", "Note"]
    for number, time in _times(rows):
        yield [
            *(f"A-{100_000 + number}", ("waiting", "sent")[number % 2], time(0), time(3), time(2880)),
            *(f"SKU-{number % 900}", f"{1 + number % 3}", f"{10 + number % 90}.50", f"b{number % 7000}", "x"),
        ]


def _times(rows: int) -> Iterator[tuple[int, Callable[[int], str]]]:
    """The number of each row, and what gives its times, so many minutes after its order came."""
    for number in range(rows):
        came = BEGIN + timedelta(seconds=97 * number)
        yield number, partial(_time, came)


def _time(came: datetime, minutes: int) -> str:
    return f"{came + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S}"


if __name__ == "__main__":
    main()
