"""A webhook of the seller's own: one JSON document per message, with its key and, if asked for, a signature.

The body is `{"key", "kind", "shop", "title", "text", "data"}`. `Idempotency-Key` repeats the key: a receiver
that remembers keys does nothing twice. `X-Forestall-Signature: sha256=<hex>` is the HMAC-SHA256 of the exact
body bytes under `secret`; the key inside the body makes a replayed request recognisable.
"""

import hashlib
import hmac
import json
from urllib.parse import quote

from adapters import http, options
from adapters.base import Message, Permanent, Receipt, SinkCapabilities, SinkSettings
from rules.model import Kind

SIGNATURE = "X-Forestall-Signature"
CODES = ("errcode", "StatusCode")
"""Fields that are 0 where a robot took a message."""
VERDICTS = ("ok", "success")
"""Fields that are false where a receiver did not take it."""


class WebhookSink:
    """Posts messages to a URL; any 2xx is success. Options: url, secret (signature), timeout_s (10)."""

    # Not idempotent: whether the receiver heeds the key is its own affair and cannot be seen from here.
    capabilities = SinkCapabilities(kinds=frozenset({Kind.ALERT, Kind.TASK}), folds=False)

    def __init__(self, settings: SinkSettings) -> None:
        taken = options.read(settings, required=("url",), optional=("secret", "timeout_s"))
        self._target = http.target(settings, taken)
        self._secret = taken.get("secret")

    async def deliver(self, message: Message, now: int) -> Receipt:
        """Post the message; a 2xx is success unless its body says plainly that it was refused (some robots do)."""
        body = http.encode(
            {
                "key": message.key,
                "kind": message.kind.value,
                "shop": message.shop,
                "title": message.title,
                "text": message.text,
                "data": message.data,
            }
        )
        headers = {"Idempotency-Key": header_key(message.key)}
        if self._secret:
            headers[SIGNATURE] = signature(self._secret, body)
        answer = await http.post(self._target, body, now, headers=headers)
        http.judge_status(self._target, answer, accepted=range(200, 300))
        _refuse(self._target, answer)
        return Receipt(note=f"answered {answer.status}")

    async def close(self) -> None:
        """Nothing stays open between deliveries."""


def _refuse(to: http.Target, answer: http.Answer) -> None:
    """Raise Permanent when a JSON answer says in a way that has one meaning only that the message was not taken."""
    try:
        document = json.loads((answer.body or b"").decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return
    if not isinstance(document, dict):
        return
    failed = [name for name in CODES if type(document.get(name)) is int and document[name] != 0]
    failed += [name for name in VERDICTS if document.get(name) is False]
    if failed:
        raise Permanent(
            f"{to}: answered {answer.status}, but refused it{http.quote(to, answer)}: "
            "mend what it names; for a group robot use its own sink (dingtalk, wecom)"
        )


def signature(secret: str, body: bytes) -> str:
    """The header's value: `sha256=` and the hex HMAC-SHA256 of `body`."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def header_key(key: str) -> str:
    """The key as a header can carry it: natural keys pass unchanged, the rest is percent-encoded."""
    return quote(key, safe="!#$%&'()*+,/:;=?@[]^`{|}")
