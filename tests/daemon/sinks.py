"""Sinks of a kind that ships with nothing: they promise less than a MemorySink, or look around while they are called.

A configuration names them: `sink = "tests.daemon.sinks:Robot"`. Their boxes are those of MemorySink.
"""

from collections.abc import Callable
from dataclasses import replace

from adapters.base import Message, Receipt
from adapters.memory import MemorySink
from adapters.robot import cut
from adapters.wecom import TEXT_BYTES, WeComSink

ALL = MemorySink.capabilities


class Robot(MemorySink):
    """May speak 20 times in any minute."""

    capabilities = replace(ALL, per_minute=20)


class Terse(MemorySink):
    """Takes short messages only, and 20 a minute."""

    capabilities = replace(ALL, per_minute=20, text_bytes=600)


class Group(MemorySink):
    """A WeCom group: 20 messages a minute, and nothing that is too long."""

    capabilities = WeComSink.capabilities

    async def deliver(self, message: Message, now: int) -> Receipt:
        """Collect what the group would show whole."""
        text = f"### {message.title}\n{message.text}"
        assert cut(text, TEXT_BYTES) == text, "the robot would cut it"
        return await super().deliver(message, now)


class Machine(MemorySink):
    """Reads each message by itself."""

    capabilities = replace(ALL, folds=False)


class Plain(MemorySink):
    """Keeps no keys: what it is told twice it does twice."""

    capabilities = replace(ALL, idempotent=False)


class Watched(MemorySink):
    """Lets a test look around (or interfere) from inside each call."""

    look: Callable[[Message], object] = staticmethod(lambda message: None)

    async def deliver(self, message: Message, now: int) -> Receipt:
        """Look, then collect."""
        type(self).look(message)
        return await super().deliver(message, now)
