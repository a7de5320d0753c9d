"""One POST and its answer: the transport every HTTP sink shares, and what an HTTP status means.

Only POST: aiohttp silently repeats GET, PUT and DELETE when a peer closes without an answer, and an
effect must leave at most once per call. `tests/adapters/test_http.py` pins that behaviour.

A session lives for one call. The daemon runs each hop in an event loop of its own, and a session is
bound to its loop; a session per call needs no bookkeeping and cannot leak. It also never reuses a
kept-alive connection that the peer is just closing, which would turn an alert nobody saw into
"perhaps delivered". Sinks are called some 20 times a minute, so a new connection costs nothing.

Nothing is retried here, not even a refused connection: the daemon's rows know when to try again, and
a second attempt in the same millisecond meets the same refusal.
"""

import errno
import json
import os
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import aiohttp
from yarl import URL

from adapters import options as option
from adapters.base import AuthFailed, Json, Permanent, SinkSettings, Transient, Uncertain
from rules.instant import SECOND, from_datetime

TOTAL_S = 10.0
CONNECT_S = 3.0
BODY_CAP = 64 * 1024
"""Bytes of an answer that are read; every answer we know is below one kilobyte."""
LONGEST_RETRY_AFTER_S = 3600.0
"""A peer may not silence alerts for longer than this, whatever it asks for."""
QUOTED = 120
"""Characters of an answer that an error repeats."""
SHORTEST_SECRET = 8
"""Parts of a url with fewer characters hide nothing."""
TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a sink posts to. `timeout_s` bounds the whole call, connecting and reading included."""

    sink: str
    url: URL
    timeout_s: float

    def __str__(self) -> str:
        """For error texts: never the path or query, a robot's URL is its password."""
        return f"sink {self.sink!r} ({self.url.host})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `body` is None when it was cut, stalled, or is longer than BODY_CAP."""

    status: int
    body: bytes | None
    retry_after_s: float | None = None


def target(settings: SinkSettings, options: Mapping[str, str]) -> Target:
    """The target named by the options `url` and `timeout_s`; ValueError names what is wrong with them."""
    name, text = settings.name, options["url"]
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"sink {name!r}: option 'url' holds blanks or non-ASCII characters: percent-encode them")
    try:
        url = URL(text, encoded=True)
        usable = url.scheme in ("http", "https") and bool(url.host) and url.port is not None
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f"sink {name!r}: option 'url' must be a whole http:// or https:// address with a host")
    return Target(sink=name, url=url, timeout_s=option.seconds(name, options, "timeout_s", TOTAL_S))


def encode(document: Mapping[str, Json]) -> bytes:
    """Compact UTF-8 JSON. A lone surrogate, which UTF-8 cannot hold, becomes a question mark."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


async def post(
    to: Target,
    body: bytes,
    now: int,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> Answer:
    """Post `body` once and return the answer, whatever its status; redirects are not followed.

    `params` are added to the URL's own query and percent-encoded here, so they must not be quoted before.
    Raises Transient when the request surely never left, Uncertain when it may have arrived. Errors drop
    their cause on purpose: aiohttp's texts hold the URL.
    """
    everything = {"Content-Type": JSON_TYPE, **(headers or {})}
    try:
        async with (
            _session(to.timeout_s) as session,
            session.post(to.url, data=body, headers=everything, params=params, allow_redirects=False) as response,
        ):
            wait = retry_after(response.headers.get("Retry-After"), now)
            return Answer(status=response.status, body=await _read(response), retry_after_s=wait)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise Transient(f"{to}: no connection ({_why(error)}): check host, port and network") from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        text = f"{to}: no answer ({_why(error)}) in {to.timeout_s:g} s; the message may have arrived"
        raise Uncertain(text, arrived=isinstance(error, TimeoutError)) from None


def _why(error: Exception) -> str:
    """What went wrong on the way, in the system's words, which hold neither address nor key."""
    if isinstance(error, TimeoutError):
        return os.strerror(errno.ETIMEDOUT)
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError):
        return "its certificate or its TLS is not accepted"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the name of the host is not known"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return "the connection was closed"


def judge_status(to: Target, answer: Answer, accepted: Container[int]) -> None:
    """Return when the status is accepted; else raise Transient (429, 5xx), AuthFailed or Permanent."""
    status = answer.status
    if status in accepted:
        return
    told = f"{to}: answered {status}{quote(to, answer)}"
    if status == 429 or status >= 500:
        raise Transient(f"{told}, not taken for now", answer.retry_after_s)
    if status in (401, 403):
        raise AuthFailed(f"{told}: renew the credentials in its url or secret")
    if 300 <= status < 400:
        raise Permanent(f"{told}, redirects are not followed: enter the final address as url")
    raise Permanent(f"{told}: check its url")


def quote(to: Target, answer: Answer) -> str:
    """The beginning of what the other side said, in brackets; "" when it said nothing. Never a part of our url."""
    text = TAGS.sub(" ", (answer.body or b"").decode("utf-8", "replace"))
    raw = re.split("[/?&=]", to.url.raw_path_qs)
    for part in sorted({*raw, *to.url.parts, *to.url.query.values()}, key=len, reverse=True):
        if len(part) >= SHORTEST_SECRET:
            text = text.replace(part, "…")
    said = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return f" ({said[:QUOTED]})" if said else ""


def retry_after(header: str | None, now: int) -> float | None:
    """Seconds named by a Retry-After header (a number or an HTTP date), 0 to 3600; None when unreadable."""
    if header is None:
        return None
    text = header.strip()
    try:
        wait = float(text) if text.isdecimal() else (from_datetime(parsedate_to_datetime(text)) - now) / SECOND
    except ValueError:
        return None
    return min(max(wait, 0.0), LONGEST_RETRY_AFTER_S)


def _session(timeout_s: float) -> aiohttp.ClientSession:
    """A session that keeps no cookie, takes no proxy from the environment, and reuses no connection."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=1, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=timeout_s, connect=min(CONNECT_S, timeout_s / 2)),
        trust_env=False,
    )


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    """The whole body; None when it is cut, does not end in time, or is longer than BODY_CAP."""
    body = bytearray()
    try:
        while chunk := await response.content.read(BODY_CAP):
            body += chunk
            if len(body) > BODY_CAP:
                return None
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None
    return bytes(body)
