"""No word that a platform punishes reaches a buyer; harmless ones do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import linter, packs
from rules.contact import ALLOWED, Verdict, gate, negotiation
from rules.linter import lint
from rules.model import Violation

LATE, OUT = Violation.LATE_SHIPMENT, Violation.STOCK_OUT
CHINESE = ("taobao", "tmall", "pinduoduo", "jd", "douyin")
CHANNELS = ("platform_chat", "in_site", "sms", "email", "phone", "task", "fax")
INTENTS = sorted(
    {
        intent
        for pack in packs.all_packs()
        for table in (pack.contact.intents, pack.contact.tasks)
        for intents in table.values()
        for intent in intents
    }
)


@pytest.mark.parametrize(
    ("platform", "violation", "channel", "intent", "reason"),
    [
        ("taobao", LATE, "platform_chat", "delay_notice", "ALLOWED"),
        ("taobao", OUT, "platform_chat", "delay_notice", "ALLOWED"),
        ("taobao", OUT, "platform_chat", "offer_swap", "INTENT_NOT_ALLOWED"),
        ("taobao", LATE, "fax", "delay_notice", "CHANNEL_NOT_ALLOWED"),
        ("tmall", OUT, "sms", "offer_refund", "INTENT_NOT_ALLOWED"),
        ("jd", LATE, "phone", "delay_notice", "ALLOWED"),
        ("jd", LATE, "platform_chat", "agree_new_date", "INTENT_NOT_ALLOWED"),
        ("douyin", LATE, "email", "delay_notice", "CHANNEL_NOT_ALLOWED"),
        ("pinduoduo", LATE, "platform_chat", "delay_notice", "ALLOWED"),
        ("pinduoduo", LATE, "sms", "delay_notice", "CHANNEL_NOT_ALLOWED"),
        ("pinduoduo", LATE, "email", "delay_notice", "CHANNEL_NOT_ALLOWED"),
        ("pinduoduo", LATE, "platform_chat", "agree_new_date", "INTENT_NOT_ALLOWED"),
        ("pinduoduo", LATE, "task", "agree_new_date", "ALLOWED"),
        ("pinduoduo", OUT, "task", "apply_to_platform", "ALLOWED"),
        ("pinduoduo", OUT, "task", "agree_new_date", "ADMITS_NO_STOCK"),
        ("pinduoduo", OUT, "platform_chat", "delay_notice", "ADMITS_NO_STOCK"),
        ("generic", OUT, "email", "offer_swap", "ALLOWED"),
        ("olist", OUT, "email", "delay_notice", "ALLOWED"),
    ],
)
def test_channel_and_intent_pass_the_gate_of_their_platform(platform, violation, channel, intent, reason):
    assert reason == gate(packs.load(platform), violation, channel, intent).reason


@given(st.sampled_from(CHANNELS), st.sampled_from(INTENTS), st.none() | st.text(max_size=40))
def test_on_pinduoduo_nothing_about_a_stock_out_reaches_the_buyer(channel, intent, text):
    verdict = gate(packs.load("pinduoduo"), OUT, channel, intent, text, enabled=frozenset(CHANNELS))
    assert verdict.allowed == ((channel, intent) == ("task", "apply_to_platform"))


def test_a_seller_may_switch_on_a_channel_that_is_off_by_default_but_no_other():
    pack = packs.load("pinduoduo")
    assert ALLOWED == gate(pack, LATE, "sms", "delay_notice", enabled=frozenset({"sms"}))
    assert Verdict(False, "CHANNEL_NOT_ALLOWED") == gate(pack, LATE, "fax", "delay_notice", enabled=frozenset({"fax"}))


@pytest.mark.parametrize("platform", CHINESE)
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("亲，这款缺货了", "ADMITS_NO_STOCK"),
        ("亲，这款缺 货了", "ADMITS_NO_STOCK"),
        ("亲，这款缺\u200b货了", "ADMITS_NO_STOCK"),
        ("库存不足，发不了货", "ADMITS_NO_STOCK"),
        ("Sorry, it is OUT of stock.", "ADMITS_NO_STOCK"),
        ("Ｓｏｌｄ　ｏｕｔ", "ADMITS_NO_STOCK"),
        ("we can't ship it", "ADMITS_NO_STOCK"),
        ("加我微信聊", "OFF_PLATFORM_CONTACT"),
        ("my QQ is 12345", "OFF_PLATFORM_CONTACT"),
        ("电话13812345678", "OFF_PLATFORM_CONTACT"),
        ("电话 138-1234-5678", "OFF_PLATFORM_CONTACT"),
        ("电话 +86 138 1234 5678", "OFF_PLATFORM_CONTACT"),
        ("电话一三八一二三四五六七八", "OFF_PLATFORM_CONTACT"),
        ("@ me: shop@example.com", "OFF_PLATFORM_CONTACT"),
        ("see https://example.com", "OFF_PLATFORM_CONTACT"),
        ("请补差价后发货", "SURCHARGE"),
        ("please pay extra for carriage", "SURCHARGE"),
        ("麻烦您申请退款", "ASKS_TO_CANCEL"),
        ("please cancel your order", "ASKS_TO_CANCEL"),
        ("我们会赔付您", "PROMISES_PAYOUT"),
        ("we will compensate you", "PROMISES_PAYOUT"),
    ],
)
def test_the_linter_refuses_what_the_platform_punishes(platform, text, reason):
    assert Verdict(False, reason) == gate(packs.load(platform), LATE, "platform_chat", "delay_notice", text)


@pytest.mark.parametrize("text", ["可以给您换一款吗", "换个颜色可以吗", "May we send another style?"])
def test_on_pinduoduo_asking_for_a_swap_is_refused_too(text):
    verdict = gate(packs.load("pinduoduo"), LATE, "platform_chat", "delay_notice", text)
    assert Verdict(False, "ASKS_TO_SWAP") == verdict


@pytest.mark.parametrize("platform", CHINESE)
@pytest.mark.parametrize(
    "text",
    [
        "亲，您的订单240601-1预计6月5日18:00前发出，给您添麻烦了，请见谅。",
        "您好，快递单号 YT1234567890123，预计明天有揽收记录。",
        "Your order 2026060512345678 will leave on 2026-06-05 at 18:00. Sorry for the wait!",
        "Dear buyer, we will ship by 5 June. Thank you for your patience.",
        "Sizes S @ 38, M @ 40.",
        "",
    ],
)
def test_harmless_words_pass(platform, text):
    assert ALLOWED == gate(packs.load(platform), LATE, "platform_chat", "delay_notice", text)


def test_a_short_latin_word_is_not_found_inside_another():
    pack = packs.load("taobao")
    assert () == lint(pack, "the Iraqq desk; chevxy; awww")
    assert ("OFF_PLATFORM_CONTACT",) == lint(pack, "add vx abc")
    assert ("OFF_PLATFORM_CONTACT",) == lint(pack, "我的vx")


def test_a_goodwill_message_may_speak_of_money_and_nothing_else():
    pack = packs.load("taobao")
    assert ALLOWED == gate(pack, LATE, "platform_chat", "goodwill", "为表歉意补偿您5元")
    assert "ADMITS_NO_STOCK" == gate(pack, LATE, "platform_chat", "goodwill", "缺货，补偿您5元").reason


@pytest.mark.parametrize("platform", packs.PLATFORMS)
@pytest.mark.parametrize("channel", ["sms", "email"])
def test_goodwill_is_never_offered_outside_the_platform(platform, channel):
    """N11: no coupon by SMS or e-mail, since nobody tells of a consent; switched on or not."""
    pack = packs.load(platform)
    for violation in Violation:
        assert not gate(pack, violation, channel, "goodwill", enabled=frozenset(CHANNELS)).allowed
    assert ALLOWED == gate(packs.load("taobao"), LATE, "platform_chat", "goodwill")


def test_the_platform_is_told_plainly():
    assert ALLOWED == gate(packs.load("pinduoduo"), OUT, "task", "apply_to_platform", "申请缺货：A-1 无货")


def test_a_task_that_speaks_to_the_buyer_is_linted():
    verdict = gate(packs.load("pinduoduo"), LATE, "task", "agree_new_date", "缺货，延后发货可以吗")
    assert Verdict(False, "ADMITS_NO_STOCK") == verdict


def test_on_a_shop_of_ones_own_missing_stock_may_be_told():
    assert ALLOWED == gate(packs.load("generic"), OUT, "email", "delay_notice", "Sorry, it is out of stock.")


def test_the_linter_names_everything_it_found():
    text = "缺货，加微信 13812345678 退款吧"
    assert ("ADMITS_NO_STOCK", "OFF_PLATFORM_CONTACT", "ASKS_TO_CANCEL") == lint(packs.load("taobao"), text)


@pytest.mark.parametrize("name", linter.EXCUSED)
def test_every_lint_has_phrases(name):
    assert linter.shared_phrases(name)


@given(st.text(max_size=30), st.sampled_from(["缺货", "sold out", "微信", "补差价"]), st.text(max_size=30))
def test_a_forbidden_phrase_is_found_wherever_it_stands(before, phrase, after):
    assert lint(packs.load("pinduoduo"), f"{before} {phrase} {after}")


@given(st.sampled_from(packs.PLATFORMS), st.sampled_from(list(Violation)), st.text(), st.text(), st.text())
def test_the_gate_is_total(platform, violation, channel, intent, text):
    verdict = gate(packs.load(platform), violation, channel, intent, text)
    assert verdict.allowed == (verdict.reason == "ALLOWED")


@pytest.mark.parametrize(
    ("platform", "violation", "expected"),
    [
        ("taobao", LATE, ("agree_ship_date", True, 3, 24, False)),
        ("taobao", OUT, ("agree_ship_date", True, 3, 24, False)),
        ("tmall", LATE, ("agree_ship_date", True, 3, 24, False)),
        ("douyin", LATE, ("agree_ship_date", True, None, None, False)),
        ("pinduoduo", LATE, ("delay_ship", True, 1, None, True)),
    ],
)
def test_negotiation_uses_the_tool_of_the_platform(platform, violation, expected):
    tool = negotiation(packs.load(platform), violation)
    assert tool is not None
    assert expected == (
        tool.tool,
        tool.before_deadline_only,
        tool.max_attempts,
        tool.confirm_hours,
        tool.task_only,
    )


@pytest.mark.parametrize(
    ("platform", "violation"),
    [("pinduoduo", OUT), ("jd", LATE), ("generic", LATE), ("taobao", Violation.WRONG_ITEM)],
)
def test_where_there_is_no_tool_nothing_is_negotiated(platform, violation):
    assert negotiation(packs.load(platform), violation) is None
