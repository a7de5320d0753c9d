"""WeCom (企业微信) group robots: markdown messages of at most 4,096 bytes."""

from dataclasses import replace

from adapters import http, options, robot
from adapters.base import Message, Receipt, SinkSettings

TEXT_BYTES = 4096
"""WeCom counts bytes of UTF-8, about 1,365 Chinese characters, and refuses longer ones with 40058."""
MARKUP = 40
"""Bytes kept for the heading's marks."""
DIALECT = robot.Dialect(
    rate_codes=frozenset({45009}),
    mends={
        40058: "the message is too long for WeCom: report this to Forestall's developers",
        93000: "the key in url is not a robot's: copy the robot's webhook address again",
    },
)


class WeComSink:
    """Shows messages in a WeCom group. Options: url, timeout_s (10)."""

    capabilities = replace(robot.CAPABILITIES, text_bytes=TEXT_BYTES - MARKUP)

    def __init__(self, settings: SinkSettings) -> None:
        taken = options.read(settings, required=("url",), optional=("timeout_s",))
        self._target = http.target(settings, taken)

    async def deliver(self, message: Message, now: int) -> Receipt:
        """Show the message in the group, cut to what WeCom takes."""
        text = robot.cut(f"### {message.title}\n{message.text}", TEXT_BYTES)
        body = http.encode({"msgtype": "markdown", "markdown": {"content": text}})
        robot.judge(self._target, await http.post(self._target, body, now), DIALECT)
        return Receipt(note="shown in the WeCom group")

    async def close(self) -> None:
        """Nothing stays open between deliveries."""
