"""The example of docs/adapters.md works: it is run from the page."""

import re
from pathlib import Path

from tests.adapters.contract import SinkContract

PAGE = Path(__file__).parents[2] / "docs" / "adapters.md"


def example() -> type[SinkContract]:
    """The test class that the page's Python blocks define when run one after another."""
    names: dict[str, object] = {"__name__": "example"}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    found = names["TestPager"]
    assert isinstance(found, type)
    assert issubclass(found, SinkContract)
    return found


class TestTheExampleKeepsTheContract(example()):  # type: ignore[misc]
    """The suite every sink passes, run over the page's sink."""


def test_the_page_lists_every_option_a_sink_takes() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|", PAGE.read_text("utf-8"), re.MULTILINE))

    assert {"webhook", "smtp", "dingtalk", "wecom", "task", "memory"} <= rows.keys()
    assert ["host", "port", "from", "to", "username", "password", "starttls", "timeout_s"] == re.findall(
        r"`(\w+)`", rows["smtp"]
    )
