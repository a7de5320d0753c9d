"""What is wrong with settings and command lines is said in the reader's language; in logs and JSON it is English."""

import re

import pytest

from daemon import mistakes
from tests.mistakes import said

REFUSALS = dict(said())


@pytest.mark.parametrize("place", REFUSALS)
def test_every_refusal_of_settings_can_be_said_in_chinese(place: str) -> None:
    text = REFUSALS[place].replace("{}", "x").replace("{{", "{").replace("}}", "}")
    chinese = mistakes.translated(text, "zh")
    assert set() == small_words(chinese), chinese


def small_words(text: str) -> set[str]:
    """The words in it that only an English sentence has."""
    return {"is", "are", "no", "it", "and", "or", "must", "needs", "with", "this", "a", "an"} & set(
        re.findall(r"[a-z]+", text.lower())
    )


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            'f.toml: shops.north.platfrom: no such setting; remove it or correct its name (did you mean "platform"?)',
            'f.toml: shops.north.platfrom: 没有这个设置；请删除或改正名称（是否想写 "platform"？）',
        ),
        (
            "f.toml: shops.a: warehouse: '25:00' is no time of day (mend: write \"18:00\")",
            "f.toml: shops.a: warehouse: '25:00' 不是一天中的时间（改法：请写成 \"18:00\"）",
        ),
        (
            "f.toml: not valid TOML: Invalid value (at line 3, column 8)",
            "f.toml：不是有效的 TOML：值无效（第 3 行第 8 列）",
        ),
        (
            "/x/pdd.secret: No such file or directory; create it with mode 0600",
            "/x/pdd.secret：没有这个文件或文件夹；请以 0600 权限创建它",
        ),
        (
            "nothing usable in 1 files; the first problem: a.csv: the file is empty → save it as CSV",
            "1 个文件里没有可用的数据；第一个问题：a.csv：文件是空的 → 请另存为 CSV",
        ),
        ("a sentence: of somebody else", "a sentence: of somebody else"),
    ],
)
def test_a_mistake_is_said_with_its_place_and_its_mend(english: str, chinese: str) -> None:
    assert (english, chinese) == (mistakes.translated(english, "en"), mistakes.translated(english, "zh"))


def test_each_of_several_mistakes_has_its_line() -> None:
    assert "a: 缺少此项；请补上\nb: 缺少此项；请补上" == mistakes.translated(
        "a: is missing; add it\nb: is missing; add it", "zh"
    )
