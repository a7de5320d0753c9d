"""An HTTP peer on the loopback that answers, stalls or hangs up as told, and remembers what it saw."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer as LoopbackServer

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it arrived; `raw_query` as it stood on the wire."""

    method: str
    path: str
    raw_query: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, object]:
        """The body read as a JSON object."""
        return dict(json.loads(self.body))


@dataclass(slots=True)
class Peer:
    """Gives its replies in turn, the last one for ever."""

    replies: list[Reply]
    url: str = ""
    seen: list[Seen] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Remember the request, then do what the next reply says."""
        self.seen.append(
            Seen(
                method=request.method,
                path=request.path,
                raw_query=request.raw_path.partition("?")[2],
                query=dict(request.query),
                headers=request.headers.copy(),
                body=await request.read(),
            )
        )
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return await reply(request)


@asynccontextmanager
async def peer(*replies: Reply) -> AsyncIterator[Peer]:
    """A running peer; `url` is its root, with a path and a query the sinks have to keep."""
    told = Peer(list(replies))
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", told.serve)
    server = LoopbackServer(app)
    await server.start_server(shutdown_timeout=0.1)
    told.url = str(server.make_url("/robot/send?access_token=t0ken"))
    try:
        yield told
    finally:
        await server.close()


def answers(document: object = None, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer with a JSON document."""

    async def reply(_: web.Request) -> web.StreamResponse:
        return web.json_response(document, status=status, headers=headers)

    return reply


def answers_text(text: str, *, content_type: str = "text/html") -> Reply:
    """Answer 200 with a text of some content type."""

    async def reply(_: web.Request) -> web.StreamResponse:
        return web.Response(text=text, content_type=content_type)

    return reply


def redirects(to: str) -> Reply:
    """Answer 302."""

    async def reply(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": to})

    return reply


def hangs_up() -> Reply:
    """Close the connection without an answer."""

    async def reply(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    return reply


def hangs_up_inside_the_body(status: int = 200) -> Reply:
    """Close the connection after some bytes of the answer."""

    async def reply(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"errcode":0')
        assert request.transport is not None
        request.transport.abort()
        return response

    return reply


def stalls(seconds: float = 30.0) -> Reply:
    """Take the request and say nothing."""

    async def reply(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.Response()

    return reply


def floods(size: int) -> Reply:
    """Answer 200 with `size` bytes of JSON text."""

    async def reply(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b'{"errcode":0,"x":"' + b"x" * size + b'"}', content_type="application/json")

    return reply
