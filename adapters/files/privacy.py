"""What leaves the parsers of a buyer: a keyed hash of who, and texts without numbers and addresses.

Masked in texts: runs of 7 or more digits, also with blanks, dashes, dots or brackets between them (phones,
identity and account numbers; a plain date stays); e-mail addresses; Chinese addresses (two
administrative levels in a row such as 浙江省杭州市…, a road with a house number, a building with a room);
street lines in the style of "12 High Street" and "Rua X, 12". Patterns are bounded: no input makes them slow.
"""

import hashlib
import re
from functools import lru_cache

MASK = "***"

_TEXT_CHARS = 2_000
_NUMBER = re.compile(r"(?<!\d)\d(?:[ \t\-–.()/]{0,3}\d){6,40}")
_DATE = re.compile(r"(?:19|20)\d\d[-/.]\d\d?[-/.]\d\d?(?: \d\d?)?")
_ADDRESS = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"
    r"|[一-龥]{2,8}?(?:省|自治区|市)\s?[一-龥]{1,8}?(?:市|区|县|旗|镇|乡)[一-龥\w\-]{0,60}"
    r"|[一-龥]{1,8}(?:路|街|道|巷|弄|胡同|村)\s?[\d一二三四五六七八九十]{1,6}\s?(?:号|弄|栋|幢)[\w\-]{0,40}"
    r"|\d{1,4}\s?(?:号楼|栋|幢|单元)\s?\d{0,4}\s?(?:单元)?\s?\d{0,5}\s?(?:室|号|层|楼)?"
    r"|\b\d{1,6}[a-z]?,?\s(?:[a-z.']{1,20}\s){1,4}(?:street|st|road|rd|avenue|ave|lane|drive|boulevard|blvd)\b\.?"
    r"|\b(?:rua|avenida|calle|via|rue)\s(?:[\w.']{1,20}\s?){1,5},?\s?\d{1,6}\b",
    re.IGNORECASE,
)


def buyer_hash(buyer: str, key: bytes) -> str:
    """The buyer as a keyed hash (BLAKE2b, 16 bytes as hex): same buyer and key, same text."""
    if len(key) > hashlib.blake2b.MAX_KEY_SIZE:
        key = hashlib.blake2b(key).digest()
    return hashlib.blake2b(buyer.encode(), key=key, digest_size=16).hexdigest()


@lru_cache(maxsize=4_096)
def mask(text: str) -> str:
    """`text` without numbers of 7 or more digits and without addresses, cut after 2,000 characters."""
    text = text[:_TEXT_CHARS]
    return _NUMBER.sub(_masked_number, _ADDRESS.sub(MASK, text))


def _masked_number(found: re.Match[str]) -> str:
    return found[0] if _DATE.fullmatch(found[0]) else MASK
