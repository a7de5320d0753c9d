"""One platform, many names."""

import pytest

from rules import platforms


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("拼多多", "pinduoduo"),
        ("pdd", "pinduoduo"),
        (" PDD ", "pinduoduo"),
        ("天猫", "tmall"),
        ("抖店", "douyin"),
        ("JD", "jd"),
    ],
)
def test_a_platform_is_known_by_the_names_people_give_it(said: str, meant: str) -> None:
    assert meant == platforms.named(said)


@pytest.mark.parametrize(
    ("said", "near"), [("taobaoo", "taobao"), ("pinduo", "pinduoduo"), ("淘宝店", "taobao"), ("zzz", None)]
)
def test_an_unknown_name_stands_for_itself_and_may_be_near_a_known_one(said: str, near: str | None) -> None:
    assert (said, near) == (platforms.named(said), platforms.nearest(said))
