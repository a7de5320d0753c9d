"""The shared POST: what leaves, what the answer means, and what aiohttp must not do behind our back."""

import asyncio
import socket

import aiohttp
import pytest
from freezegun import freeze_time

from adapters import http
from adapters.base import AuthFailed, Permanent, Transient, Uncertain
from tests.adapters.fakes.messages import NOW, settings
from tests.adapters.fakes.peer import (
    Peer,
    Reply,
    answers,
    floods,
    hangs_up,
    hangs_up_inside_the_body,
    peer,
    redirects,
    stalls,
)


def exchange(*replies: Reply, timeout_s: str = "5") -> tuple[http.Answer, Peer]:
    """Post `{}` once to a peer with these replies."""

    async def run() -> tuple[http.Answer, Peer]:
        async with peer(*replies) as told:
            to = http.target(settings(), {"url": told.url, "timeout_s": timeout_s})
            return await http.post(to, b"{}", NOW), told

    return asyncio.run(run())


def test_an_answer_is_returned_with_status_and_body() -> None:
    answer, told = exchange(answers({"a": 1}, status=201))

    assert http.Answer(status=201, body=b'{"a": 1}') == answer
    assert ["POST"] == [seen.method for seen in told.seen]


def test_a_refused_connection_is_surely_not_done() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        to = http.target(settings(), {"url": f"http://127.0.0.1:{port}/hook?access_token=t0ken"})

        with pytest.raises(Transient) as caught:
            asyncio.run(http.post(to, b"{}", NOW))

    assert "t0ken" not in str(caught.value)


def test_a_cut_connection_is_uncertain_and_the_post_is_not_repeated() -> None:
    told: Peer | None = None

    async def run() -> None:
        nonlocal told
        async with peer(hangs_up()) as told:
            await http.post(http.target(settings(), {"url": told.url}), b"{}", NOW)

    with pytest.raises(Uncertain) as caught:
        asyncio.run(run())

    assert told is not None
    assert 1 == len(told.seen)
    assert "t0ken" not in str(caught.value)


@pytest.mark.parametrize(("method", "arrivals"), [("PUT", 2), ("DELETE", 2), ("GET", 2), ("POST", 1), ("PATCH", 1)])
def test_aiohttp_repeats_cut_requests_unless_they_are_post_or_patch(method: str, arrivals: int) -> None:
    async def run() -> int:
        async with peer(hangs_up()) as told, aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await session.request(method, told.url)
            return len(told.seen)

    assert arrivals == asyncio.run(run())


def test_a_stall_beyond_the_time_out_is_uncertain() -> None:
    with pytest.raises(Uncertain, match=r"in 1 s"):
        exchange(stalls(), timeout_s="1")


def test_the_time_out_also_fires_under_a_frozen_clock() -> None:
    with freeze_time("2026-06-02", real_asyncio=True), pytest.raises(Uncertain):
        exchange(stalls(), timeout_s="1")


def test_a_body_cut_half_way_leaves_the_status_and_no_body() -> None:
    answer, _ = exchange(hangs_up_inside_the_body())

    assert (200, None) == (answer.status, answer.body)


def test_a_body_up_to_the_cap_is_read_and_a_longer_one_is_not() -> None:
    small, _ = exchange(floods(http.BODY_CAP - 20))
    large, _ = exchange(floods(http.BODY_CAP))

    assert http.BODY_CAP == len(small.body or b"")
    assert (200, None) == (large.status, large.body)


def test_a_redirect_is_not_followed() -> None:
    answer, told = exchange(redirects("/elsewhere"), answers())

    assert 302 == answer.status
    assert ["/robot/send"] == [seen.path for seen in told.seen]


def test_cookies_are_not_kept_between_calls() -> None:
    async def run() -> Peer:
        async with peer(answers(headers={"Set-Cookie": "a=b; Domain=localhost"}), answers()) as told:
            to = http.target(settings(), {"url": told.url.replace("127.0.0.1", "localhost")})
            await http.post(to, b"{}", NOW)
            await http.post(to, b"{}", NOW)
            return told

    assert [False, False] == ["Cookie" in seen.headers for seen in asyncio.run(run()).seen]


def test_a_proxy_named_by_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert 200 == exchange(answers())[0].status


def test_the_url_leaves_exactly_as_it_was_entered() -> None:
    async def run() -> str:
        async with peer(answers()) as told:
            url = told.url.partition("?")[0] + "?sig=a%2Fb%2Bc%3D"
            await http.post(http.target(settings(), {"url": url}), b"{}", NOW)
            return told.seen[0].raw_query

    assert "sig=a%2Fb%2Bc%3D" == asyncio.run(run())


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, Transient),
        (500, Transient),
        (503, Transient),
        (401, AuthFailed),
        (403, AuthFailed),
        (302, Permanent),
        (400, Permanent),
        (404, Permanent),
    ],
)
def test_a_status_that_is_not_accepted_is_judged(status: int, error: type[Exception]) -> None:
    to = http.target(settings(), {"url": "http://127.0.0.1/"})

    with pytest.raises(error, match=str(status)):
        http.judge_status(to, http.Answer(status=status, body=b""), accepted=(200,))


def test_retry_after_of_a_refusal_reaches_the_caller() -> None:
    answer, _ = exchange(answers(status=429, headers={"Retry-After": "7"}))

    with pytest.raises(Transient) as caught:
        http.judge_status(http.target(settings(), {"url": "http://127.0.0.1/"}), answer, accepted=(200,))

    assert 7.0 == caught.value.retry_after_s


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("Tue, 02 Jun 2026 01:01:30 GMT", 90.0),
        ("Tue, 02 Jun 2026 00:59:00 GMT", 0.0),
        ("9" * 5000, http.LONGEST_RETRY_AFTER_S),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_number_or_date_and_bounded(header: str | None, seconds: float | None) -> None:
    assert seconds == http.retry_after(header, NOW)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "oapi.dingtalk.com/robot",
        "ftp://host/x",
        "http://",
        "http://host:99999/",
        "http://host/a b",
        "http://host/店",
    ],
)
def test_a_url_that_cannot_work_is_refused_by_name(url: str) -> None:
    with pytest.raises(ValueError, match="sink 'ops': option 'url'"):
        http.target(settings(), {"url": url})


@pytest.mark.parametrize("text", ["0", "-1", "61", "nan", "inf", "ten"])
def test_a_time_out_out_of_bounds_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="sink 'ops': option 'timeout_s'"):
        http.target(settings(), {"url": "http://host/", "timeout_s": text})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"message":"no such robot"}', ' ({"message":"no such robot"})'),
        ("<html><script>x<y</script><h1>机器人\n不存在</h1></html>".encode(), " (机器人 不存在)"),
        (b"Cannot POST /robot/send?access_token=t0ken-x%2F1", " (Cannot POST /robot/send?…=…)"),
        (b"token t0ken-x/1 is unknown", " (token … is unknown)"),
        (b"x" * 500, f" ({'x' * 120})"),
        (b" \x00\n", ""),
        (None, ""),
    ],
)
def test_what_the_other_side_said_is_quoted_without_our_url(body: bytes | None, said: str) -> None:
    to = http.target(settings(), {"url": "http://127.0.0.1/robot/send?access_token=t0ken-x%2F1"})

    assert said == http.quote(to, http.Answer(status=404, body=body))


def test_only_an_answer_that_is_late_leaves_no_doubt_that_the_request_arrived() -> None:
    with pytest.raises(Uncertain) as late:
        exchange(stalls(), timeout_s="1")
    with pytest.raises(Uncertain) as cut:
        exchange(hangs_up())

    assert (True, False) == (late.value.arrived, cut.value.arrived)
