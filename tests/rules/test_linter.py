"""The linter says what is wrong, in which words, where, and how to mend it."""

import pytest

from rules import packs, templates
from rules.linter import MENDS, Fault, faults, lint
from rules.packdata import Reason

CHINESE = ("taobao", "tmall", "pinduoduo", "jd", "douyin")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("您好\n这款缺货了", Fault("ADMITS_NO_STOCK", "缺货", 2)),
        ("加微信聊", Fault("OFF_PLATFORM_CONTACT", "微信", 1)),
        ("电话 138 1234 5678", Fault("OFF_PLATFORM_CONTACT", "a telephone number", 1)),
        ("mail a@b.cn", Fault("OFF_PLATFORM_CONTACT", "an e-mail address", 1)),
        ("请补差价后发货", Fault("SURCHARGE", "补差价", 1)),
        ("请您申请退款", Fault("ASKS_TO_CANCEL", "申请退款", 1)),
        ("收货后返现5元", Fault("PROMISES_PAYOUT", "返现", 1)),
    ],
)
def test_a_fault_names_its_reason_its_words_and_its_line(text, fault):
    assert (fault,) == faults(packs.load("taobao"), text)
    assert MENDS[fault.reason] == fault.mend


@pytest.mark.parametrize("platform", CHINESE)
@pytest.mark.parametrize("text", ["这款没货了", "加我微信", "需要补差价", "麻烦您取消订单"])
def test_what_every_chinese_platform_punishes_is_refused_on_each(platform, text):
    """Section 0.3, N8-N11."""
    assert faults(packs.load(platform), text)


@pytest.mark.parametrize("platform", CHINESE)
@pytest.mark.parametrize("intent", ["delay_notice", "goodwill", "offer_refund", "offer_reship"])
@pytest.mark.parametrize(
    "text", ["退款原因请选七天无理由", "原因选 7天 无理由", "麻烦选“拍错”", "就说不想要了", "say you changed your mind"]
)
def test_no_text_may_name_a_false_reason_for_a_refund(platform, intent, text):
    """N1: not even one that may speak of a refund."""
    assert ("FALSE_REASON",) == lint(packs.load(platform), text, intent)


def test_a_swap_is_a_violation_on_pinduoduo_and_an_offer_elsewhere():
    """N9: even with the buyer's consent."""
    assert ("ASKS_TO_SWAP",) == lint(packs.load("pinduoduo"), "给您换一款可以吗")
    assert () == lint(packs.load("taobao"), "给您换一款可以吗")


def test_money_may_be_spoken_of_only_once_it_is_paid():
    text, pack = "为表歉意已赔付您5元", packs.load("taobao")
    assert () == lint(pack, text, "goodwill", settled=True)
    assert ("PROMISES_PAYOUT",) == lint(pack, text, "goodwill", settled=False)
    assert ("PROMISES_PAYOUT",) == lint(pack, text, "delay_notice", settled=True)


def test_every_reason_has_a_mend():
    assert set(Reason.__args__) == MENDS.keys()


@pytest.mark.parametrize("platform", packs.PLATFORMS)
@pytest.mark.parametrize("name", sorted(templates.shipped()))
def test_every_approved_text_passes_on_every_platform(platform, name):
    template = templates.shipped()[name]
    assert () == faults(packs.load(platform), template.plain(), template.intent, settled=False)


@pytest.mark.parametrize("text", ["hello $buyer", "costs 5 $", "$"])
def test_a_text_may_name_known_fields_only(text):
    with pytest.raises(ValueError, match=r"unknown field \$buyer; known: order_id|write \$\$"):
        templates.Template(version=1, intent="apology", text=text)


def test_a_text_is_named_with_its_edition_and_filled_with_the_order():
    template = templates.Template(version=3, intent="apology", text="order $order_id")
    assert ("sorry@3", "order 7") == (templates.edition("sorry", template), template.filled("7"))
