"""DingTalk group robots: markdown messages, signed in the query when the robot has a secret."""

import base64
import hashlib
import hmac
from dataclasses import replace

from adapters import http, options, robot
from adapters.base import Message, Receipt, SinkSettings

MILLISECOND = 1_000
"""Microseconds in one; DingTalk signs a time-stamp in milliseconds."""
TEXT_BYTES = 15_000
"""DingTalk refuses bodies near 20,000 bytes; this leaves room for title and JSON quoting."""
MARKUP = 40
"""Bytes kept for the heading's marks."""
DIALECT = robot.Dialect(
    rate_codes=frozenset({130101, 660026}),
    mends={
        310000: "the robot's security check failed. Signature: enter the robot's SEC… value as secret, and "
        "set this machine's clock. Keyword: switch the robot to signature. Address list: allow this machine",
    },
)


class DingTalkSink:
    """Shows messages in a DingTalk group. Options: url, secret (signature), timeout_s (10)."""

    capabilities = replace(robot.CAPABILITIES, text_bytes=TEXT_BYTES - MARKUP)

    def __init__(self, settings: SinkSettings) -> None:
        taken = options.read(settings, required=("url",), optional=("secret", "timeout_s"))
        self._target = http.target(settings, taken)
        self._secret = taken.get("secret")

    async def deliver(self, message: Message, now: int) -> Receipt:
        """Show the message in the group; the time-stamp that is signed is `now`."""
        # DingTalk's markdown joins lines unless two blanks precede the line feed.
        text = robot.cut(f"### {message.title}\n\n{message.text}".replace("\n", "  \n"), TEXT_BYTES)
        body = http.encode({"msgtype": "markdown", "markdown": {"title": message.title, "text": text}})
        params = signature(self._secret, now) if self._secret else None
        robot.judge(self._target, await http.post(self._target, body, now, params=params), DIALECT)
        return Receipt(note="shown in the DingTalk group")

    async def close(self) -> None:
        """Nothing stays open between deliveries."""


def signature(secret: str, now: int) -> dict[str, str]:
    """Query parameters that sign the instant `now`, unquoted: the HTTP client quotes them, exactly once."""
    timestamp = str(now // MILLISECOND)
    digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}
