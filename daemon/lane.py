"""A lane: an event loop in a thread of its own, in which calls go on while their hop looks for more to do."""

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Lane:
    """Runs coroutines for threads that have better things to do than to wait for them."""

    name: str
    _loop: asyncio.AbstractEventLoop = field(init=False)
    _thread: threading.Thread = field(init=False)

    def start(self) -> None:
        """Begin to run."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=self.name, daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, object]) -> None:
        """Run `work` in the loop and wait for it (not for what it starts there)."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)

    def stop(self, patience_s: float) -> None:
        """Give what is under way that long to end, then cancel it."""
        asyncio.run_coroutine_threadsafe(self._end(patience_s), self._loop).result(timeout=patience_s + 30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    async def _end(self, patience_s: float) -> None:
        under_way = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
        if under_way and patience_s:
            _, under_way = await asyncio.wait(under_way, timeout=patience_s)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._loop.shutdown_default_executor()
