"""Runs an async peer in a thread with an event loop of its own, so that sinks may come and go around it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

T = TypeVar("T")
PATIENCE_S = 10.0


@contextmanager
def background(running: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """What `running` yields, kept running in another thread until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        value = asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result(PATIENCE_S)
        try:
            yield value
        finally:
            asyncio.run_coroutine_threadsafe(running.__aexit__(None, None, None), loop).result(PATIENCE_S)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_S)
        loop.close()
