"""The task list needs nothing but its row."""

import asyncio

from adapters.base import Message, Receipt
from adapters.task import TaskSink
from rules.model import Kind
from tests.adapters.contract import SinkContract
from tests.adapters.fakes.messages import NOW, settings


class TestTaskListKeepsTheContract(SinkContract):
    """The suite every sink passes."""

    sink_class = TaskSink


def test_a_task_is_confirmed_under_its_key() -> None:
    task = Message(key="north/1/stock_out/1/apply", kind=Kind.TASK, shop="north", title="t", text="x")

    receipt = asyncio.run(TaskSink(settings()).deliver(task, NOW))

    assert Receipt(reference="north/1/stock_out/1/apply", note="task list") == receipt
    assert frozenset({Kind.TASK}) == TaskSink.capabilities.kinds
