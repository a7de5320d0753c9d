"""Chinese and English: every text the code looks up has its Chinese, with the same places to fill in."""

import gettext
import re
import string
from collections import Counter
from dataclasses import fields

import pytest

from adapters.files import formats, opening
from daemon import foreign, i18n, reasons, show, words
from rules.instant import DAY, HOUR, MINUTE
from rules.model import FLAGS, STATUSES, UNKNOWN, Kind, Line, Order, Outcome, Track, Violation
from tests import catalogue, refusals

SAME_IN_BOTH = {
    " ({left})",
    " ({moment})",
    " ({who}, {moment})",
    "; ",
    ", ",
    "{todo} ({marks})",
    "{heading}:",
    "{subject}: {reason}",
    "{name} {doubt}: {words}",
}


# A test reads the whole catalogue: one for each of its thousand texts would cost a second for every hundred.


@pytest.fixture(scope="module")
def used() -> dict[str, str]:
    """Every text the code looks up → where it first stands."""
    return catalogue.used()


@pytest.fixture(scope="module")
def chinese() -> dict[str, str]:
    """Text → Chinese."""
    return catalogue.translations()


def test_every_text_has_its_chinese(used: dict[str, str], chinese: dict[str, str]) -> None:
    missing = {text: place for text, place in used.items() if not chinese.get(text)}
    assert {} == missing, f"add them to {catalogue.PO.name}, then python -m tests.catalogue"


def test_the_catalogue_holds_nothing_that_is_not_used(used: dict[str, str], chinese: dict[str, str]) -> None:
    assert set() == chinese.keys() - used.keys()


def test_the_places_to_fill_in_are_the_same(chinese: dict[str, str]) -> None:
    assert {} == {text: said for text, said in chinese.items() if places(text) != places(said)}


def test_the_chinese_is_chinese(chinese: dict[str, str]) -> None:
    english = {text for text, said in chinese.items() if not any("\u4e00" <= letter <= "\u9fff" for letter in said)}
    assert SAME_IN_BOTH == english


def test_the_compiled_catalogue_is_that_of_the_po_file() -> None:
    with catalogue.MO.open("rb") as stream:
        compiled = gettext.GNUTranslations(stream)
    said = {
        message.id: compiled.ngettext(*message.id, 1) if message.pluralizable else compiled.gettext(message.id)
        for message in catalogue.catalogue()
        if message.id
    }
    wanted = {
        message.id: message.string[0] if message.pluralizable else message.string
        for message in catalogue.catalogue()
        if message.id
    }
    assert wanted == said, "out of date: python -m tests.catalogue"


@pytest.mark.parametrize(
    ("codes", "table"),
    [
        ((*STATUSES, UNKNOWN), words.STATUSES),
        (FLAGS, words.FLAGS),
        (Kind, words.KINDS),
        (Outcome, words.OUTCOMES),
        (Violation, words.VIOLATIONS),
    ],
)
def test_every_word_of_the_domain_can_be_said(codes: tuple[str, ...], table: dict[str, str]) -> None:
    assert {str(code) for code in codes} == table.keys()


def test_everything_adapters_say_of_files_can_be_said_in_chinese() -> None:
    assert refusals.said() == set(foreign.TEXTS)


def test_everything_sinks_answer_can_be_said_in_chinese() -> None:
    texts = {re.sub(r"^\{\}(?=[,;])", "answered 7", text).removeprefix("{}") for text in refusals.of_sinks()}
    parts = {part.replace("{}", "7") for text in texts for part in re.split(": ?", text) if re.search("[a-z]", part)}
    assert set() == {part for part in parts if part == foreign.answered(part, "zh")}, "add them to foreign.ANSWERS"


@pytest.mark.parametrize("fact", [one.name for model in (Order, Line, Track) for one in fields(model)])
def test_every_fact_of_an_order_has_a_name_for_the_appeal_pack(fact: str) -> None:
    assert fact in foreign.FIELDS or fact in NO_FACTS


NO_FACTS = {"shop", "platform", "buyer", "collection_known", "line_id"}
"""Names of the order, what nobody outside sees, and what is no word of the shop's."""


def test_everything_a_file_may_be_can_be_said_in_chinese() -> None:
    things = {export.title for export in formats.EXPORTS} | set(opening.ODD.values()) | {opening.DEVICE}
    assert things == set(foreign.THINGS)


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("paid_minor '5O.80' is not an amount such as 129.80", "实付金额 '5O.80' 不是金额（例如 129.80）"),
        ("status '待处理' is not known", "无法识别订单状态 '待处理'"),
        ("a pipe, not a regular file", "这是管道，不是普通文件"),
        (
            "this is a Pinduoduo order export, but shop north is on jd",
            "这是拼多多订单导出，但店铺 north 属于 jd",
        ),
        ("placed_at '上周' is not a time", "下单时间 '上周' 不是时间"),
        ('write lines as [{"line_id": …}]', 'lines 请写成 [{"line_id": …}]'),
        ("a sentence of somebody else", "a sentence of somebody else"),
    ],
)
def test_what_an_adapter_says_is_said_in_chinese(english: str, chinese: str) -> None:
    assert (english, chinese) == (foreign.translated(english, "en"), foreign.translated(english, "zh"))


def test_a_reason_is_said_with_its_code_and_its_money() -> None:
    assert "NOT_LATE_YET, UNCONFIRMED: it is not late yet; from a source nobody has confirmed (¥3.00–¥5.00)" == (
        reasons.full("NOT_LATE_YET, UNCONFIRMED 300..500", "en")
    )
    assert "还没有超时；来源未经确认 (¥3.00–¥5.00)" == reasons.sentence("NOT_LATE_YET, UNCONFIRMED 300..500", "zh")


@pytest.mark.parametrize(
    ("said", "chinese"),
    [
        ("ops: told", "ops：已送达"),
        ("ops: named in a digest: shown in the WeCom group", "ops：在汇总里点名：已送达企业微信群"),
        (
            "Transient: sink 'ops' (127.0.0.1:9): answered 503 (busy, come back), not taken for now",
            "暂时失败：渠道 'ops'（127.0.0.1:9）：对方回应 503 (busy, come back)，暂时不收",
        ),
    ],
)
def test_what_a_sink_answered_is_said_in_chinese(said: str, chinese: str) -> None:
    assert (chinese, said) == (reasons.sentence(said, "zh"), reasons.sentence(said, "en"))


def test_a_reason_nobody_knows_stands_for_itself() -> None:
    assert "SOMETHING_NEW" == reasons.full("SOMETHING_NEW")
    assert "–" == reasons.full(None)


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8", "FORESTALL_LANG": "zh"}, "zh"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "zh_CN:en"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en"}, "en"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "zh_CN"}, "en"),
        ({"LANGUAGE": "zh_CN"}, "en"),
    ],
)
def test_the_language_follows_the_surroundings(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], wanted: str
) -> None:
    for name in ("FORESTALL_LANG", "LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert wanted == i18n.language()


@pytest.mark.parametrize(
    ("span", "english", "chinese"),
    [
        (3 * HOUR + 58 * MINUTE, "3 h 58 min", "3 小时 58 分"),
        (-2 * DAY - 4 * HOUR, "late by 2 d 4 h", "已超 2 天 4 小时"),
        (59_000_000, "0 min", "0 分钟"),
    ],
)
def test_time_left_is_said_in_both_languages(span: int, english: str, chinese: str) -> None:
    assert (english, chinese) == (show.left(span, "en"), show.left(span, "zh"))


def places(text: str) -> Counter[str]:
    return Counter(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)
