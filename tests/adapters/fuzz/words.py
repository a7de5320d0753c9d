"""How shops in several languages name their columns and states, and where they are."""

from collections.abc import Mapping
from typing import NamedTuple

FIELDS = (
    "order_id", "placed_at", "paid_at", "ship_by", "shipped_at", "status", "currency", "paid_minor", "sku", "quantity",
    "title", "line_id",
)  # fmt: skip
STATES = ("unpaid", "paid", "shipped", "completed", "cancelled", "refunded")


class Words(NamedTuple):
    """Column by canonical field, and text by canonical state."""

    names: Mapping[str, str]
    states: Mapping[str, str]


def _words(names: str, states: str) -> Words:
    return Words(dict(zip(FIELDS, names.split("|"), strict=True)), dict(zip(STATES, states.split("|"), strict=True)))


ENGLISH = _words(
    "order-id|purchase-date|payments-date|latest-ship-date|ship-date|item-status|currency|item-price|sku"
    "|quantity-purchased|product-name|order-item-id",
    "Pending|Unshipped|Shipped|Completed|Cancelled|Refunded",
)
GERMAN = _words(
    "Bestellnummer|Bestelldatum|Zahlung erhalten|Versand spätestens|Versanddatum|Status|Währung|Betrag|Artikelnr."
    "|Stückzahl|Artikel|Position",
    "offen|bezahlt|versandt|abgeschlossen|storniert|erstattet",
)
JAPANESE = _words(
    "注文番号|注文日時|入金日時|出荷期限|発送日|ステータス|通貨|金額|商品管理番号|個数|商品名|明細番号",
    "入金待ち|発送待ち|発送済み|完了|キャンセル|返金済み",
)
CHINESE = _words(
    "单号|下单|付款|最晚发货|发出|状态|币种|金额|货号|件数|品名|明细",
    "未付|待发|已发|完成|取消|已退",
)
INDONESIAN = _words(
    "No. Pesanan|Waktu Pesanan Dibuat|Waktu Pembayaran Dilakukan|Pesanan Harus Dikirimkan Sebelum|Waktu Pengiriman"
    "|Status Pesanan|Mata Uang|Total Harga Produk|Nomor Referensi SKU|Jumlah|Nama Produk|ID Item",
    "Belum Bayar|Perlu Dikirim|Dikirim|Selesai|Batal|Dikembalikan",
)
PLACES = (
    (ENGLISH, "America/Los_Angeles", ("USD", "CAD")),
    (ENGLISH, "Europe/London", ("GBP", "EUR")),
    (ENGLISH, "Asia/Kolkata", ("INR",)),
    (ENGLISH, "Asia/Kuwait", ("KWD",)),
    (GERMAN, "Europe/Berlin", ("EUR", "CHF")),
    (JAPANESE, "Asia/Tokyo", ("JPY",)),
    (CHINESE, "Asia/Shanghai", ("CNY",)),
    (INDONESIAN, "Asia/Jakarta", ("IDR",)),
)
"""Words, zone and currencies of a shop."""
