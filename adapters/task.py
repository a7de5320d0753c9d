"""The task list: in Forestall a task is a row in the daemon's own database, which people read and close.

The row exists before any sink is called (no effect without a committed row), so this sink has nothing
left to do. It exists so that tasks take the same path as every other action and get a receipt.
"""

from adapters import options
from adapters.base import Message, Receipt, SinkCapabilities, SinkSettings
from rules.model import Kind


class TaskSink:
    """Puts a task on the list. It takes no options and cannot fail; the same key is the same row."""

    capabilities = SinkCapabilities(kinds=frozenset({Kind.TASK}), idempotent=True)

    def __init__(self, settings: SinkSettings) -> None:
        options.read(settings)

    async def deliver(self, message: Message, now: int) -> Receipt:
        """Confirm that the task stands on the list under its key."""
        return Receipt(reference=message.key, note="task list")

    async def close(self) -> None:
        """Nothing to close."""
