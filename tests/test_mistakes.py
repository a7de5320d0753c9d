"""What is wrong with settings and command lines is said in the reader's language; in logs and JSON it is English."""

import ast
import errno
import inspect
import os
import re
import tomllib
from tomllib import _parser

import pytest
from pydantic_core._pydantic_core import list_all_errors

from daemon import mistakes
from tests.mistakes import said
from tests.refusals import template

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
            'f.toml：shops.north.platfrom：没有这个设置；请删除或改正名称（是否想写 "platform"？）',
        ),
        (
            "f.toml: shops.a: warehouse: '25:00' is no time of day (mend: write \"18:00\")",
            "f.toml：shops.a：warehouse：'25:00' 不是一天中的时间（改法：请写成 \"18:00\"）",
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
    assert "a：缺少此项；请补上\nb：缺少此项；请补上" == mistakes.translated(
        "a: is missing; add it\nb: is missing; add it", "zh"
    )


# What a library says of wrong settings is read off the library: a new version with new texts is red.

PYTHON_ONLY = re.compile(
    "^(assertion|bytes|value_error|callable|complex|counter|dataclass_exact|decimal|default_factory|deque|ellipsis|fraction|frozen_(dict|field|inst)"
    "|get_attribute|is_subclass|iteration|json|mapping|missing_(argument|keyword|positional|sentinel)|multiple_argument"
    "|needs_python|no_such_attribute|ordered_dict|recursion_loop|set_item|unexpected|arguments_type|uuid|url_(syntax|too|scheme)"
    "|date_(past|future)|datetime_(past|future|object)|timezone_offset)"
)
"""Kinds of mistakes that no value of a TOML file can make in our models."""
TOML_ONLY_IN_CODE = {"parse_float must not return dicts or lists"}


def of_pydantic() -> list[str]:
    """The text of each kind of mistake, for one and for several; `{}` for values."""
    found = [
        error["message_template_python"].replace("{expected_plural}", plural)
        for error in list_all_errors()
        for plural in ("", "s")
        if not PYTHON_ONLY.match(error["type"])
    ]
    return [re.sub(r"\{[a-z_]+\}", "{}", text) for text in dict.fromkeys(found)]


def of_tomllib() -> list[str]:
    """The texts in the source of the standard library's reader."""
    names = {"suffixed_err", "TOMLDecodeError", "ValueError"}
    calls = (node for node in ast.walk(ast.parse(inspect.getsource(_parser))) if isinstance(node, ast.Call))
    literals = [value for call in calls if getattr(call.func, "id", "") in names for value in call.args]
    texts = {text for text in map(template, literals) if text and text.strip("{} (at)")}
    return sorted(texts - TOML_ONLY_IN_CODE)


def of_the_system() -> list[str]:
    """What the system says of files and connections a person may have named."""
    return [f"[Errno {number}] {os.strerror(number)}: 'x'" for number in SYSTEM]


SYSTEM = (
    *(errno.ENOENT, errno.EACCES, errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.EROFS, errno.ENOSPC, errno.EPERM),
    *(errno.EIO, errno.EMFILE, errno.ENAMETOOLONG, errno.EBUSY, errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.ELOOP),
    *(errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ECONNRESET, errno.ETIMEDOUT, errno.EDQUOT),
)


@pytest.mark.parametrize("text", [*of_pydantic(), *of_tomllib(), *of_the_system()])
def test_what_libraries_say_can_be_said_in_chinese(text: str) -> None:
    said_in_english = text.replace("{}", "7")
    chinese = mistakes.translated(said_in_english, "zh")
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese), chinese
    assert not re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", chinese), chinese


@pytest.mark.parametrize(
    ("line", "mend"), [("[shops.拼多多小店]", "中文名要加引号"), ('path = "C:\\订单"', "Windows 路径请用 / 或单引号")]
)
def test_what_chinese_sellers_mistype_in_toml_says_how_to_mend_it(line: str, mend: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as error:
        tomllib.loads(line)
    assert mend in mistakes.translated(f"f.toml: not valid TOML: {error.value}", "zh")
