"""The body's verdict, whatever the status says, and texts cut by bytes."""

import json

import pytest

from adapters import http, robot
from adapters.base import Permanent, Transient, Uncertain
from tests.adapters.fakes.messages import settings

TO = http.target(settings(), {"url": "http://127.0.0.1/"})
DIALECT = robot.Dialect(rate_codes=frozenset({45009}), mends={93000: "copy the address again"})


def judge(document: object) -> None:
    """Judge a 200 with this document as body."""
    robot.judge(TO, http.Answer(status=200, body=json.dumps(document).encode()), DIALECT)


@pytest.mark.parametrize("field", ["errcode", "code", "StatusCode"])
@pytest.mark.parametrize("zero", [0, "0"])
def test_zero_is_success_whatever_the_field_is_called(field: str, zero: object) -> None:
    judge({field: zero})


def test_errcode_wins_over_the_other_fields() -> None:
    with pytest.raises(Permanent, match="code 9"):
        judge({"code": 0, "errcode": 9, "StatusCode": 0})


def test_a_rate_code_asks_to_wait_a_minute() -> None:
    with pytest.raises(Transient) as caught:
        judge({"errcode": 45009, "errmsg": "freq limit"})

    assert 60.0 == caught.value.retry_after_s


def test_minus_one_is_a_busy_platform() -> None:
    with pytest.raises(Transient, match="busy"):
        judge({"errcode": -1, "errmsg": "system busy"})


def test_a_code_that_can_be_mended_says_how() -> None:
    with pytest.raises(Permanent, match=r"93000 \(invalid webhook\): copy the address again"):
        judge({"errcode": 93000, "errmsg": "invalid webhook"})


def test_a_long_error_text_is_cut() -> None:
    with pytest.raises(Permanent) as caught:
        judge({"errcode": 7, "errmsg": "x" * 5000})

    assert 400 > len(str(caught.value))


@pytest.mark.parametrize(
    "document", [None, [], "ok", {}, {"errcode": None}, {"errcode": True}, {"errcode": "x"}, {"errcode": 0.5}]
)
def test_a_200_without_a_code_is_uncertain(document: object) -> None:
    with pytest.raises(Uncertain, match="url"):
        judge(document)


@pytest.mark.parametrize("body", [None, b"", b"<html>", b"\xff\xfe", b"[" * 60_000, b'{"errcode":0'])
def test_a_200_with_an_unreadable_body_is_uncertain(body: bytes | None) -> None:
    with pytest.raises(Uncertain):
        robot.judge(TO, http.Answer(status=200, body=body), DIALECT)


@pytest.mark.parametrize(("body", "arrived"), [(b"ok", True), (None, True), (b" <html>log in</html>", False)])
def test_a_relay_may_have_taken_what_a_web_page_has_not(body: bytes | None, arrived: bool) -> None:
    with pytest.raises(Uncertain) as caught:
        robot.judge(TO, http.Answer(status=200, body=body), DIALECT)

    assert arrived == caught.value.arrived


def test_a_status_other_than_200_is_judged_before_the_body() -> None:
    with pytest.raises(Transient):
        robot.judge(TO, http.Answer(status=502, body=b'{"errcode":0}'), DIALECT)
    with pytest.raises(Permanent):
        robot.judge(TO, http.Answer(status=204, body=b'{"errcode":0}'), DIALECT)


def test_a_text_that_fits_is_left_alone() -> None:
    assert "缺货\n延迟" == robot.cut("缺货\n延迟", 13)


def test_a_long_text_ends_at_a_line_and_counts_the_lines_left_out() -> None:
    assert "订单一\n订单二\n… 2 more" == robot.cut("订单一\n订单二\n订单三\n订单四", 33)


def test_a_single_long_line_is_cut_between_characters() -> None:
    assert "缺" * 6 + "\n… 1 more" == robot.cut("缺" * 100, 30)


@pytest.mark.parametrize("limit", [0, 1, 5, 12, 13, 14, 30, 31, 32, 64, 119])
@pytest.mark.parametrize("text", ["缺货" * 30, "订单12\n" * 20, "😀" * 40, "a" * 130, "标题\n" + "货" * 60])
def test_a_cut_text_never_exceeds_the_limit_nor_splits_a_character(text: str, limit: int) -> None:
    short = robot.cut(text, limit)

    assert limit >= len(short.encode())
    assert text.startswith(short.partition("\n…")[0])


def test_what_utf8_cannot_hold_becomes_a_question_mark() -> None:
    assert "a?b" == robot.cut("a\ud800b", 100)
    assert "a?" == robot.cut("a\ud800bc", 2)
