"""DingTalk: the signature on the wire, markdown, verdicts."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import pytest
from aiohttp import web

from adapters.base import Permanent, Receipt, Transient, Uncertain
from adapters.dingtalk import TEXT_BYTES, DingTalkSink, signature
from tests.adapters.contract import SinkContract
from tests.adapters.fakes.background import background
from tests.adapters.fakes.messages import NOW, alert, settings
from tests.adapters.fakes.peer import (
    Peer,
    Reply,
    answers,
    answers_text,
    floods,
    hangs_up,
    hangs_up_inside_the_body,
    peer,
    stalls,
)

OK = {"errcode": 0, "errmsg": "ok"}
SECRET = "SEC5f7e"


def dingtalk(secret: str) -> Reply:
    """DingTalk's own check: computes the signature of the time-stamp it was sent and compares."""

    async def reply(request: web.Request) -> web.StreamResponse:
        timestamp = request.query.get("timestamp", "")
        mac = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256)
        if request.query.get("sign") == base64.b64encode(mac.digest()).decode():
            return web.json_response(OK)
        return web.json_response({"errcode": 310000, "errmsg": "sign not match"})

    return reply


def deliver(*replies: Reply, now: int = NOW, text: str = "", **options: str) -> tuple[Receipt, Peer]:
    """Deliver one alert to a robot with these replies."""

    async def run() -> tuple[Receipt, Peer]:
        async with peer(*replies) as told:
            sink = DingTalkSink(settings(url=told.url, **options))
            try:
                return await sink.deliver(alert(text=text), now), told
            finally:
                await sink.close()

    return asyncio.run(run())


class TestDingTalkKeepsTheContract(SinkContract):
    """The suite every sink passes."""

    sink_class = DingTalkSink
    options: ClassVar = {"url": "http://127.0.0.1:9/robot/send?access_token=t"}

    @contextmanager
    def serving(self) -> Iterator[dict[str, str]]:
        with background(peer(answers(OK))) as told:
            yield {"url": told.url}


def test_the_message_arrives_as_markdown_under_its_title() -> None:
    _, told = deliver(answers(OK))

    text = "### 3 orders late  \n  \n1 order before 11:00  \n2 orders before 18:00"
    assert {"msgtype": "markdown", "markdown": {"title": "3 orders late", "text": text}} == told.seen[0].document
    assert {"access_token": "t0ken"} == told.seen[0].query


def test_a_signed_robot_accepts_the_signature() -> None:
    receipt, told = deliver(dingtalk(SECRET), secret=SECRET)

    assert "shown in the DingTalk group" == receipt.note
    assert "1780362000000" == told.seen[0].query["timestamp"]
    assert "t0ken" == told.seen[0].query["access_token"]


def test_every_character_of_base64_survives_the_query() -> None:
    signs = [signature(SECRET, NOW + n * 1000)["sign"] for n in range(200)]
    chosen = next(n for n, sign in enumerate(signs) if "+" in sign and "/" in sign)

    _, told = deliver(dingtalk(SECRET), secret=SECRET, now=NOW + chosen * 1000)

    assert "%25" not in told.seen[0].raw_query


def test_a_wrong_secret_is_refused_and_says_how_to_mend_it() -> None:
    with pytest.raises(Permanent, match=r"sign not match.*as secret"):
        deliver(dingtalk(SECRET), secret="another")


@pytest.mark.parametrize("code", [130101, 660026])
def test_too_many_messages_wait_a_minute(code: int) -> None:
    with pytest.raises(Transient) as caught:
        deliver(answers({"errcode": code, "errmsg": "send too fast"}))

    assert 60.0 == caught.value.retry_after_s


def test_429_waits_as_long_as_it_is_told() -> None:
    with pytest.raises(Transient) as caught:
        deliver(answers(status=429, headers={"Retry-After": "7"}))

    assert 7.0 == caught.value.retry_after_s


def test_a_broken_gateway_is_tried_again() -> None:
    with pytest.raises(Transient):
        deliver(answers(status=502))


def test_json_labelled_as_text_is_read() -> None:
    assert (
        Receipt(note="shown in the DingTalk group")
        == deliver(answers_text('{"errcode":0}', content_type="text/plain"))[0]
    )


@pytest.mark.parametrize("reply", [hangs_up(), hangs_up_inside_the_body(), floods(70_000), answers_text("<html>")])
def test_a_message_without_a_verdict_is_uncertain(reply: Reply) -> None:
    with pytest.raises(Uncertain):
        deliver(reply)


def test_a_stall_is_uncertain() -> None:
    with pytest.raises(Uncertain):
        deliver(stalls(), timeout_s="1")


def test_a_long_text_is_cut() -> None:
    _, told = deliver(answers(OK), text="缺货\n" * 5000)

    assert TEXT_BYTES >= len(told.seen[0].document["markdown"]["text"].encode())  # type: ignore[index]
    assert 20_000 > len(told.seen[0].body)
