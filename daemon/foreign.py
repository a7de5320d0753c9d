"""What adapters say about inputs they cannot use, in the reader's language.

Adapters know no languages: they say it in English with values in it, and so it is stored and logged. A text is
recognised by its shape; one that is not known here stays as it is. A test holds the list against the adapters' source.
"""

import re
from collections.abc import Mapping
from functools import cache

from daemon.i18n import gettext, language

FIELDS: Mapping[str, str] = {
    "order_id": "order id",
    "status": "order status",
    "placed_at": "time of the order",
    "paid_at": "time of payment",
    "group_success_at": "time the group was complete",
    "shipped_at": "time of shipment",
    "collected_at": "time of collection",
    "ship_by": "ship-by time",
    "paid_minor": "amount paid",
    "shipping_minor": "postage",
    "received_minor": "amount received",
    "unit_minor": "price",
    "quantity": "quantity",
    "stock": "stock on hand",
    "sellable": "stock on sale",
    "sku": "SKU",
    "currency": "currency",
    "observed_at": "time of the export",
}
"""Names of fields as a seller says them."""

TEXTS = (
    "a cell of more than {} characters",
    "a file was changed or removed before its last row was read",
    "a gzip file inside a gzip file",
    "a symbolic link, which is never followed",
    "a web page or XML under the name of a table",
    "a zip archive, not a workbook",
    "add observed_at to the rows, or say when the file was exported: --observed-at",
    "add order_id, or sku for stock",
    "an encrypted workbook",
    "an old Excel workbook (.xls)",
    "cannot be opened: {}",
    "correct [columns], or export that column too",
    "correct the columns, or leave the row out",
    "correct the line, or put the file into the folder of the right shop",
    "correct {}",
    "event {} is not known",
    "export again and do not save the file in a spreadsheet, or format the column as text first",
    "export fewer columns",
    "export fewer orders at once, or as CSV",
    "export the file again and put the whole file here",
    "flag {} is not known",
    "give each line of an order its own line_id",
    "give each order its id",
    "give {} in whole units",
    "let this user read the file",
    "line_id {} occurs twice",
    "lines must be a list of at most {}",
    "lines must hold objects",
    "map order_id to the column that holds it",
    "map them under [shops.….columns] (order_id at least), or export with the platform's own headers",
    "more than {} MB of texts in one workbook",
    "more than {} columns",
    "more than {} rows in one worksheet",
    "neither order_id nor sku: it is unclear what the line is about",
    "no observed_at, and none in the file name",
    "no order id",
    "no time in any column of [history]",
    "not JSON: {}",
    "not a JSON object",
    "not a whole XLSX workbook: it is cut or damaged",
    "one JSON array instead of JSON Lines",
    "open it and save as .xlsx or CSV",
    "open it and save it again as .xlsx or as CSV (UTF-8)",
    "open it with its password and save it as .xlsx or CSV without one",
    "put it into the folder of a shop on {}",
    "put the file itself here",
    "put the file where it belongs, or correct the shop",
    "put the whole file back; it is read again from its first row",
    "quote cells that hold the separator",
    "report the text, or map it under [shops.….columns]",
    "save it as CSV",
    "save the file as UTF-8 (in Excel: CSV UTF-8)",
    "status {} is not known",
    "status {} is not mapped",
    "the UTF-16 text is cut or damaged from here on",
    "the columns of this file are not known ({} columns)",
    "the file ends in the middle of this line",
    "the file ends in the middle of this row",
    "the file holds no rows",
    "the file is empty",
    "the gzip file ends too early: the last row is missing",
    "the gzip file is damaged from here on",
    "the gzip file unpacks to far too much (more than {}:1 or {} GB)",
    "the line holds replacement characters: it was once read in the wrong encoding",
    "the line is longer than {} MB",
    "the line is neither UTF-8 nor GB18030 (GBK)",
    "the line is not valid UTF-8, as the rest of the file is",
    "the workbook cannot be read: it is damaged or not XLSX",
    "the workbook is packed more than {}:1, like a zip bomb",
    "the workbook unpacks to far too much (more than {} MB or {} parts)",
    "the worksheet is damaged from here on",
    "this is a {}, but shop {} is on {}",
    "unpack it and put the files inside here",
    "unpack it and put the plain file here, if it is what you expect",
    "unpack it once and put the inner file here",
    "use one of {}",
    "use the ISO code, such as CNY",
    "use {}; other words belong in tags",
    'write it as JSON: [{{"at": "…", "event": "…"}}]',
    'write lines as [{{"line_id": …}}]',
    "write one JSON object per line",
    "write one JSON object per line, in UTF-8",
    "write one order per line, with line breaks",
    "write {} as RFC 3339 text with an offset",
    'write {} as ["…"]',
    'write {} as [{{"at": …, "event": …}}]',
    'write {} as text: "{}": "…"',
    "write {} in quotes",
    'write {} in quotes: "{}": "…"',
    "write {} with a decimal point",
    "{} cells under {} headers",
    "{} is empty, unprintable or longer than {} characters",
    "{} is not a list",
    "{} must be a list",
    "{} must be a list of words",
    "{} must be a name",
    "{} must be text",
    "{} must be text, not {}",
    "{} must hold objects",
    "{} {} has no offset",
    "{} {} is finer than the smallest coin, or absurd",
    "{} {} is in scientific notation: a spreadsheet has rounded it, its digits are lost",
    "{} {} is not a currency",
    "{} {} is not a time",
    "{} {} is not a time between 1980 and 2200",
    "{} {} is not a whole number from 0 to {}",
    "{} {} is not an amount such as 129.80",
    "{} {} is not known",
    "{}, but shop {} is on {}",
    "{}, not a regular file",
)
"""Texts of the file adapters; `{}` stands for a value."""


def translated(text: str, lang: str | None = None) -> str:
    """The text in the given or the process's language; values stay, names of fields are said as a seller says them."""
    lang = lang or language()
    if lang == "en":
        return text
    for shape, known in _shapes():
        found = shape.fullmatch(text)
        if found:
            return gettext(known, lang).format(*(gettext(FIELDS.get(value, value), lang) for value in found.groups()))
    return text


@cache
def _shapes() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The texts as patterns, those with most letters of their own first."""
    longest = sorted(TEXTS, key=lambda text: (-len(text.replace("{}", "")), text))
    return tuple((re.compile(_pattern(text), re.DOTALL), text) for text in longest)


def _pattern(text: str) -> str:
    parts = text.split("{}")
    return "(.+?)".join(re.escape(part.replace("{{", "{").replace("}}", "}")) for part in parts)
