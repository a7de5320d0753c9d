"""How a table is laid out: encodings, separators, titles above the header; guessed, or as the shop states."""

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from adapters.base import ColumnMap, Permanent, Rejected, ShopSettings
from adapters.files import layout
from adapters.files.feed import FilesFeed
from tests.adapters.fixtures.files.making import csv_file, items, only, refused, shop, snapshots, workbook

LANGUAGES: Mapping[str, tuple[str, str, str, str]] = {
    "gb18030": ("Asia/Shanghai", "订单号", "订单状态", "待发货"),
    "big5": ("Asia/Taipei", "訂單編號", "訂單狀態", "待出貨"),
    "cp932": ("Asia/Tokyo", "注文番号", "ステータス", "発送待ち"),
    "euc_jp": ("Asia/Tokyo", "注文番号", "ステータス", "発送待ち"),
    "cp949": ("Asia/Seoul", "주문번호", "주문상태", "결제완료"),
    "cp1252": ("America/Sao_Paulo", "Número do pedido", "Situação", "Aguardando separação"),
    "iso8859-15": ("Europe/Paris", "Numéro de commande", "État", "À expédier"),
    "cp1250": ("Europe/Prague", "Číslo objednávky", "Stav", "Čeká na odeslání"),
    "cp1251": ("Europe/Moscow", "Номер заказа", "Статус", "Ожидает отправки"),
    "cp1253": ("Europe/Athens", "Αριθμός παραγγελίας", "Κατάσταση", "Προς αποστολή"),
    "cp1254": ("Europe/Istanbul", "Sipariş No", "Durum", "Kargoya hazır şimdi"),
    "cp874": ("Asia/Bangkok", "หมายเลขคำสั่งซื้อ", "สถานะ", "รอจัดส่ง"),
    "utf-8": ("Asia/Shanghai", "订单号", "订单状态", "待发货"),
    "utf-8-sig": ("Europe/Paris", "Numéro", "État", "À expédier"),
    "utf-16": ("Asia/Tokyo", "注文番号", "ステータス", "発送待ち"),
    "utf-16-le": ("Asia/Shanghai", "订单号", "订单状态", "待发货"),
    "utf-16-be": ("Europe/Paris", "Numéro de commande", "État", "À expédier"),
    "utf-32": ("Europe/Paris", "Numéro de commande", "État", "À expédier"),
}
PLAIN = {"order_id": ColumnMap(column="Order Number"), "status": ColumnMap(column="State")}
HEADER, ROWS = "Order Number,State,Paid", ["1,paid,2026-11-20 10:00", "2,shipped,2026-11-20 10:00"]


def whose(zone: str | None = None, columns: Mapping[str, ColumnMap] = PLAIN, **options: str) -> ShopSettings:
    return shop("generic", timezone=ZoneInfo(zone) if zone else None, columns=columns, options=options)


def ids(path: Path, settings: ShopSettings) -> list[str]:
    return [one.order_id for one in snapshots(items(path, settings))]


@pytest.mark.parametrize("encoding", LANGUAGES)
@pytest.mark.parametrize("known", ["zone", "nothing", "stated"])
def test_a_file_in_any_language_is_read_by_its_columns(tmp_path: Path, encoding: str, known: str) -> None:
    zone, number, state, paid = LANGUAGES[encoding]
    columns = {"order_id": ColumnMap(column=number), "status": ColumnMap(column=state, values={paid: "paid"})}
    path = csv_file(
        tmp_path / "a.csv",
        f"{number};{state};x",
        f"1;{paid};",
        f"2;{paid};é" if known == "" else f"2;{paid};",
        encoding=encoding,
    )
    settings = whose(
        zone if known == "zone" else None, columns, **({"encoding": encoding} if known == "stated" else {})
    )

    assert ["paid", "paid"] == [one.fields["status"] for one in snapshots(items(path, settings))]


@pytest.mark.parametrize(
    "encoding", ["gb18030", "big5", "cp932", "cp949", "cp1252", "cp1250", "cp1251", "cp1254", "cp874"]
)
def test_under_plain_headers_the_shops_zone_tells_what_is_likely(tmp_path: Path, encoding: str) -> None:
    zone, _, state, paid = LANGUAGES[encoding]
    columns = {**PLAIN, "status": ColumnMap(column="State", values={f"{state} {paid}": "paid"})}
    path = csv_file(tmp_path / "a.csv", "Order Number,State", f"1,{state} {paid}", encoding=encoding)

    assert ["paid"] == [one.fields["status"] for one in snapshots(items(path, whose(zone, columns)))]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize(
    "above",
    [
        [],
        ["sep=@"],
        ['"sep=@"'],
        ["Export of shop TEST@@", "Period 2026-11-01 - 2026-11-28@@"],
        ["Export, made for you; see help | page", "", ""],
        ["Orders@2@"],
        ["sep=@", "Orders of November"],
    ],
)
def test_the_table_is_found_below_whatever_stands_above_it(tmp_path: Path, delimiter: str, above: list[str]) -> None:
    rows = [one.replace(",", delimiter) for one in [HEADER, *ROWS]]
    path = csv_file(tmp_path / "a.csv", *(one.replace("@", delimiter) for one in above), *rows)

    assert ["1", "2"] == ids(path, whose("Europe/Berlin"))


def test_commas_in_numbers_do_not_hide_the_semicolons(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", "Order Number;State", *(f"{n};paid;1,50;2,50;3,50" for n in range(9)))

    assert 9 == len(items(path, whose("Europe/Berlin")))
    assert ["5 cells under 2 headers"] * 9 == [one.reason for one in refused(items(path, whose()))]


def test_titles_stand_above_the_header_in_workbooks_too(tmp_path: Path) -> None:
    rows = [["Ventas de TEST"], [], ["Order Number", "State"], ["1", "paid"]]

    assert ["1"] == ids(workbook(tmp_path / "a.xlsx", {"Ventas": rows}), whose())


def test_a_mac_csv_is_read(tmp_path: Path) -> None:
    assert ["1", "2"] == ids(csv_file(tmp_path / "a.csv", HEADER, *ROWS, end="\r"), whose("Europe/Berlin"))


def test_what_the_shop_states_goes_before_what_is_guessed(tmp_path: Path) -> None:
    rows = ["Order Number:State", "0:paid", "Order Number:State", "1:paid"]
    path = csv_file(tmp_path / "a.csv", *rows)

    assert ["1"] == ids(path, whose(delimiter=":", header_row="3"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"encoding": "latin-9x"}, "encoding: 'latin-9x' is not known"),
        ({"delimiter": ";;"}, "delimiter: ';;' is not one sign"),
        ({"header_row": "first"}, "header_row: 'first' is not a row"),
        ({"header_row": "0"}, "header_row: '0' is not a row"),
        ({"quotes": "single"}, "quotes: 'single' is not known"),
    ],
)
def test_a_wrong_statement_is_refused_when_the_feed_is_made(tmp_path: Path, options: dict[str, str], said: str) -> None:
    with pytest.raises(Permanent, match=said.replace("'", ".")):
        FilesFeed(shop("generic", path=tmp_path, options=options))


@pytest.mark.parametrize(("stated", "used"), [(";", ","), ("tab", ";"), (",", "|"), ("|", "\t")])
def test_a_stated_delimiter_that_cuts_nothing_is_told_beside_the_one_that_does(
    tmp_path: Path, stated: str, used: str
) -> None:
    rows = [line.replace(",", used) for line in ("Order Number,State", '"=""1""",paid', '"=""2""",paid')]
    item = only(csv_file(tmp_path / "a.csv", *rows), whose(delimiter=stated))

    assert isinstance(item, Rejected)
    assert (None, True) == (item.line, "that the shop states" in item.reason)
    assert repr("tab" if used == "\t" else used) in item.mend


def test_every_statement_is_one_that_the_feed_takes() -> None:
    assert layout.OPTIONS <= (FilesFeed.capabilities.options or frozenset())


def test_mapped_columns_that_are_not_there_are_named_with_the_nearest(tmp_path: Path) -> None:
    item = only(csv_file(tmp_path / "a.csv", "Order-Number,Status,Paid", "1,paid,"), whose())

    assert isinstance(item, Rejected)
    assert (
        "columns of the shop's map are not in this file: 'Order Number' (nearest: 'Order-Number'), "
        "'State' (nearest: 'Status')" == item.reason
    )
    assert "utf-8, 3 columns" in item.mend


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_a_file_of_two_byte_characters_is_read_whatever_its_signs_and_line_ends(
    tmp_path: Path, encoding: str, end: str
) -> None:
    """一 and 言 have a zero byte on the side where Latin letters have none."""
    path = tmp_path / "a.csv"
    path.write_bytes(end.join(["order_id,status,title,remark", "1,paid,一言,x", "2,paid,一,y", ""]).encode(encoding))

    assert ["1", "2"] == [one.order_id for one in snapshots(items(path, shop("generic")))]
