"""What group-chat robots share: they answer 200 whatever happens and put the verdict into the body.

Only code 0 is success. A text is cut by bytes, because the platforms count bytes and refuse the rest.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters import http
from adapters.base import Permanent, SinkCapabilities, Transient, Uncertain
from rules.model import Kind

CAPABILITIES = SinkCapabilities(kinds=frozenset({Kind.ALERT, Kind.TASK}), per_minute=20)
"""20 messages a minute; DingTalk then blocks the robot for ten minutes. No key: a repeat shows twice."""
RATE_WAIT_S = 60.0
CODE_FIELDS = ("errcode", "code", "StatusCode")
TEXT_FIELDS = ("errmsg", "msg", "StatusMessage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One platform's error codes: which mean "too fast", and how to mend those a person can mend."""

    rate_codes: frozenset[int]
    mends: Mapping[int, str] = field(default_factory=dict)


def judge(to: http.Target, answer: http.Answer, dialect: Dialect) -> None:
    """Return when the robot took the message; else raise what the status and the body's code mean.

    An accepted status with an unreadable body is Uncertain: something answered, perhaps not the robot (a web page
    surely was not it).
    """
    http.judge_status(to, answer, accepted=(200,))
    code, text = _verdict(answer.body)
    if code is None:
        text = f"{to}: answered 200{http.quote(to, answer)} without a readable error code: "
        page = (answer.body or b"").lstrip().startswith(b"<")
        raise Uncertain(f"{text}check that url is the robot's own", arrived=not page)
    if code == 0:
        return
    told = f"{to}: refused with code {code} ({text})"
    if code in dialect.rate_codes:
        raise Transient(f"{told}: too many messages", RATE_WAIT_S)
    if code == -1:
        raise Transient(f"{told}: the platform is busy", answer.retry_after_s)
    raise Permanent(f"{told}: {dialect.mends.get(code, 'look the code up at the platform')}")


def cut(text: str, limit: int) -> str:
    """`text` in at most `limit` bytes of UTF-8, never inside a character.

    A text that is too long ends at a line's end where that keeps at least half of the room (half an
    order number or amount misleads), else inside a line, and then says "… n more": lines not wholly shown.
    """
    raw = text.encode("utf-8", "replace")
    if len(raw) <= limit:
        return raw.decode()
    lines = text.split("\n")
    room = limit - len(_hint(len(lines)).encode())
    if room <= 0:
        return raw[:limit].decode(errors="ignore")
    head = raw[:room].decode(errors="ignore")
    at_line_end = head.rpartition("\n")[0]
    if len(at_line_end.encode()) * 2 >= room:
        head = at_line_end
        return head + _hint(len(lines) - head.count("\n") - 1)
    return head + _hint(len(lines) - head.count("\n"))


def _hint(count: int) -> str:
    return f"\n… {count} more"


def _verdict(body: bytes | None) -> tuple[int | None, str]:
    """The error code and text in a robot's answer, whatever its content type; (None, "") without one."""
    try:
        document = json.loads((body or b"").decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None, ""
    if not isinstance(document, dict):
        return None, ""
    code = next((document[name] for name in CODE_FIELDS if name in document), None)
    text = next((str(document[name]) for name in TEXT_FIELDS if name in document), "no reason given")
    return _integer(code), text[:200]


def _integer(code: object) -> int | None:
    """A code as integer; some gateways write it as text."""
    if isinstance(code, str) and code.removeprefix("-").isdecimal() and len(code) < 12:
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None
