"""Platforms by the names people give them: `拼多多`, `pdd` and `Pinduoduo` are one."""

import difflib

PLATFORMS = ("generic", "taobao", "tmall", "pinduoduo", "jd", "douyin")
"""Those of which rules are known."""
NAMES = {
    **{name: name for name in PLATFORMS},
    "pdd": "pinduoduo",
    "拼多多": "pinduoduo",
    "淘宝": "taobao",
    "淘宝网": "taobao",
    "taobao.com": "taobao",
    "天猫": "tmall",
    "天猫商城": "tmall",
    "tmall.com": "tmall",
    "京东": "jd",
    "京东商城": "jd",
    "jingdong": "jd",
    "jd.com": "jd",
    "抖音": "douyin",
    "抖店": "douyin",
    "抖音小店": "douyin",
    "抖音电商": "douyin",
    "其他": "generic",
    "其它": "generic",
    "other": "generic",
}
"""Every known name, in lower case, and the platform it means."""


def named(text: str) -> str:
    """The platform that `text` means; a name nobody knows stands for itself, without blanks around it."""
    return NAMES.get(text.strip().lower(), text.strip())


def nearest(text: str) -> str | None:
    """The known platform whose name is most like an unknown one; None when none is."""
    near = difflib.get_close_matches(text.strip().lower(), NAMES, 1)
    return NAMES[near[0]] if near else None
