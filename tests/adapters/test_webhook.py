"""The webhook: body, key, signature, and what the status means."""

import asyncio
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import pytest
from aiohttp import web

from adapters.base import AuthFailed, Permanent, Receipt, Transient, Uncertain
from adapters.webhook import WebhookSink, header_key
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
    redirects,
    stalls,
)


def checks_signature(secret: str) -> Reply:
    """A receiver that computes the signature of the bytes it got and compares."""

    async def reply(request: web.Request) -> web.StreamResponse:
        expected = "sha256=" + hmac.new(secret.encode(), await request.read(), hashlib.sha256).hexdigest()
        return web.Response(status=204 if request.headers.get("X-Forestall-Signature") == expected else 403)

    return reply


def deliver(*replies: Reply, key: str = "north/pool:A-1", **options: str) -> tuple[Receipt, Peer]:
    """Deliver one alert to a receiver with these replies."""

    async def run() -> tuple[Receipt, Peer]:
        async with peer(*replies) as told:
            sink = WebhookSink(settings(url=told.url, **options))
            try:
                return await sink.deliver(alert(key, title="3 单将超时"), NOW), told
            finally:
                await sink.close()

    return asyncio.run(run())


class TestWebhookKeepsTheContract(SinkContract):
    """The suite every sink passes."""

    sink_class = WebhookSink
    options: ClassVar = {"url": "http://127.0.0.1:9/hook"}

    @contextmanager
    def serving(self) -> Iterator[dict[str, str]]:
        with background(peer(answers())) as told:
            yield {"url": told.url}


def test_the_receiver_gets_the_whole_message_and_its_key() -> None:
    receipt, told = deliver(answers(status=202))

    assert {
        "key": "north/pool:A-1",
        "kind": "alert",
        "shop": "north",
        "title": "3 单将超时",
        "text": "1 order before 11:00\n2 orders before 18:00",
        "data": {"count": 3},
    } == told.seen[0].document
    assert "north/pool:A-1" == told.seen[0].headers["Idempotency-Key"]
    assert "application/json; charset=utf-8" == told.seen[0].headers["Content-Type"]
    assert "X-Forestall-Signature" not in told.seen[0].headers
    assert Receipt(note="answered 202") == receipt


def test_the_signature_matches_the_bytes_that_arrive() -> None:
    assert Receipt(note="answered 204") == deliver(checks_signature("s3cret"), secret="s3cret")[0]


def test_a_signature_with_another_secret_is_not_accepted() -> None:
    with pytest.raises(AuthFailed):
        deliver(checks_signature("s3cret"), secret="other")


def test_the_same_message_leaves_as_the_same_bytes() -> None:
    bodies = [deliver(answers())[1].seen[0].body for _ in range(2)]

    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("reply", [answers_text("thanks"), floods(70_000), hangs_up_inside_the_body()])
def test_the_body_of_a_success_does_not_matter(reply: Reply) -> None:
    assert "answered 200" == deliver(reply)[0].note


@pytest.mark.parametrize(
    "document",
    [{"errcode": 93000, "errmsg": "invalid webhook url"}, {"ok": False}, {"success": False}, {"StatusCode": 9}],
)
def test_a_success_whose_body_says_plainly_no_is_a_refusal(document: object) -> None:
    with pytest.raises(Permanent, match="answered 200, but refused it"):
        deliver(answers(document))


@pytest.mark.parametrize(
    "document", [{"errcode": 0}, {"ok": True}, {"code": 200}, {"code": 1}, {"errcode": None}, [], "ok"]
)
def test_whatever_else_a_success_says_is_a_success(document: object) -> None:
    assert "answered 200" == deliver(answers(document))[0].note


def test_a_redirect_is_a_mistake_in_the_url() -> None:
    with pytest.raises(Permanent, match="final address"):
        deliver(redirects("/new"))


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (answers(status=404), Permanent),
        (answers(status=500), Transient),
        (hangs_up_inside_the_body(503), Transient),
        (hangs_up(), Uncertain),
    ],
)
def test_every_other_answer_is_judged(reply: Reply, error: type[Exception]) -> None:
    with pytest.raises(error):
        deliver(reply)


def test_a_stall_is_uncertain() -> None:
    with pytest.raises(Uncertain):
        deliver(stalls(), timeout_s="1")


def test_natural_keys_pass_a_header_unchanged_and_others_are_encoded() -> None:
    assert "north/240601-1/late_shipment/1/a%20b" == header_key("north/240601-1/late_shipment/1/a%20b")
    assert "a%0D%0Ab%E5%BA%97" == header_key("a\r\nb店")


def test_a_key_no_header_can_carry_still_arrives() -> None:
    _, told = deliver(answers(), key="north\r\nX: 1")

    assert "north%0D%0AX:%201" == told.seen[0].headers["Idempotency-Key"]
