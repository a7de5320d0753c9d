"""WeCom: markdown in 4,096 bytes, verdicts."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import pytest

from adapters.base import Permanent, Receipt, Transient, Uncertain
from adapters.wecom import WeComSink
from tests.adapters.contract import SinkContract
from tests.adapters.fakes.background import background
from tests.adapters.fakes.messages import NOW, alert, settings
from tests.adapters.fakes.peer import Peer, Reply, answers, hangs_up, peer, stalls

OK = {"errcode": 0, "errmsg": "ok"}


def deliver(*replies: Reply, text: str = "", **options: str) -> tuple[Receipt, Peer]:
    """Deliver one alert to a robot with these replies."""

    async def run() -> tuple[Receipt, Peer]:
        async with peer(*replies) as told:
            sink = WeComSink(settings(url=told.url, **options))
            try:
                return await sink.deliver(alert(text=text), NOW), told
            finally:
                await sink.close()

    return asyncio.run(run())


class TestWeComKeepsTheContract(SinkContract):
    """The suite every sink passes."""

    sink_class = WeComSink
    options: ClassVar = {"url": "http://127.0.0.1:9/cgi-bin/webhook/send?key=k"}

    @contextmanager
    def serving(self) -> Iterator[dict[str, str]]:
        with background(peer(answers(OK))) as told:
            yield {"url": told.url}


def test_the_message_arrives_as_markdown_under_its_title() -> None:
    receipt, told = deliver(answers(OK))

    content = "### 3 orders late\n1 order before 11:00\n2 orders before 18:00"
    assert {"msgtype": "markdown", "markdown": {"content": content}} == told.seen[0].document
    assert Receipt(note="shown in the WeCom group") == receipt


def test_a_long_chinese_text_is_cut_to_the_bytes_wecom_takes_and_says_how_much_is_missing() -> None:
    _, told = deliver(answers(OK), text="\n".join(f"订单240601-{n} 缺货" for n in range(300)))

    content = told.seen[0].document["markdown"]["content"]  # type: ignore[index]
    shown = content.count("缺货")
    assert 4096 >= len(content.encode()) > 4000
    assert content.endswith(f"缺货\n… {300 - shown} more")


def test_the_rate_code_waits_a_minute() -> None:
    with pytest.raises(Transient) as caught:
        deliver(answers({"errcode": 45009, "errmsg": "api freq out of limit"}))

    assert 60.0 == caught.value.retry_after_s


def test_dingtalks_rate_code_means_nothing_here() -> None:
    with pytest.raises(Permanent):
        deliver(answers({"errcode": 130101}))


def test_a_wrong_key_says_how_to_mend_it() -> None:
    with pytest.raises(Permanent, match="copy the robot's webhook address again"):
        deliver(answers({"errcode": 93000, "errmsg": "invalid webhook url"}))


def test_a_cut_or_a_stall_is_uncertain() -> None:
    with pytest.raises(Uncertain):
        deliver(hangs_up())
    with pytest.raises(Uncertain):
        deliver(stalls(), timeout_s="1")


def test_a_robot_of_wecom_has_no_secret() -> None:
    with pytest.raises(ValueError, match="unknown option 'secret'; it takes url, timeout_s"):
        WeComSink(settings(url="http://127.0.0.1/", secret="s"))
