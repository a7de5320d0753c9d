"""Help, misuse and refusals in Chinese under a Chinese locale; English otherwise, and always in JSON."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from daemon.cli import app, speech
from tests.catalogue import helps
from tests.daemon.commands import Said

Cli = Callable[..., Said]
COMMANDS = ["", "today", "replay", "kill", "policy", "policy show", "db backup", "evidence verify"]


@pytest.fixture
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    """The surroundings of a Chinese user."""
    for name in ("FORESTALL_LANG", "LC_ALL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_chinese(cli: Cli, command: str) -> None:
    said = cli(f"{command} --help")
    page = said.out
    assert 0 == said.code
    assert page.startswith("用法：forestall")
    assert "选项：" in page
    assert "显示本说明。" in page
    assert [] == [text for text, _command in helps() if text in page]


@pytest.mark.usefixtures("chinese")
def test_lines_of_chinese_help_fit_the_screen(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = cli("policy --help").out.splitlines()
    assert max(map(cell_len, lines)) <= 60
    assert ["diff      指出在记录的订单上，从预案 A 换到 B", "会改变什么，逐单并合计金额。"] == [
        line.strip() for line in lines if "从预案" in line or "逐单并" in line
    ]


@pytest.mark.usefixtures("chinese")
def test_what_is_to_be_written_where_is_named_in_chinese(cli: Cli) -> None:
    for line in every_command():
        page = cli(f"{line} --help").out
        usage, rest = page.split("\n", 1)
        places = re.findall(r"\b[A-Z]{2,}\b", usage)
        types = [name for name in re.findall(r"<([^>]*)>", rest) if "|" not in name]
        assert ([], []) == (places, [name for name in types if name.isascii()]), line


def every_command() -> Iterator[str]:
    root = speech.spoken(app)
    for group in speech.tree(root):
        for name, one in getattr(group, "commands", {}).items():
            yield name if group is root else f"{group.name} {name}"
            assert one is not group


def test_help_is_english_elsewhere(cli: Cli) -> None:
    page = cli("today --help").out
    assert "Usage: forestall today [OPTIONS]" in page
    assert "How far to look ahead." in page


def test_one_client_is_answered_in_chinese_and_the_next_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORESTALL_LANG", "zh")
    assert "盯住各店铺的订单，在错过发货截止时间之前采取行动。" == speech.spoken(app).help
    monkeypatch.setenv("FORESTALL_LANG", "en")
    assert "Watches your shops' orders and acts before a ship-by deadline is missed." == speech.spoken(app).help


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("relay", "没有命令 'relay'。是否想写 'replay'？\n用法：forestall --help"),
        ("today --hour 3", "没有选项 --hour（是否想写 --hours？）\n用法：forestall today --help"),
        ("today --hours x", "'--hours' 的值无效：应为整数，无法解析所写的文本\n用法：forestall today --help"),
        ("replay", "缺少参数 'PATH…'。\n用法：forestall replay --help"),
        ("kill maybe", "'state' 的值无效：'maybe' 不在可选之列：'on', 'off', 'status'\n用法：forestall kill --help"),
        ("kill on off", "多余的参数（off）\n用法：forestall kill --help"),
        ("replay a --step 5", '--step：\'5\' 不是时长（改法：请写成 "48h"、"30m"、"2d" 或 "PT4H"）'),
    ],
)
def test_misuse_is_told_in_chinese(cli: Cli, line: str, wanted: str) -> None:
    said = cli(line)
    assert (2, wanted) == (said.code, said.err.strip())


BROKEN = """
[mode]
default = "lve"
[shops.north]
platfrom = "taobao"
warehouse = { open = "Mon-Sat 09:00-18:00", pickups = ["25:00"] }
[alerts.ops]
sink = "dingtalk"
secret = "abc"
"""


@pytest.mark.usefixtures("chinese")
def test_a_broken_configuration_is_told_in_chinese(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "forestall.toml").write_text(BROKEN)
    said = cli("today")
    assert 78 == said.code
    file = "forestall.toml"
    assert [
        f"{file}：alerts.ops.secret：写了密钥本身；请改写成 cred:NAME、file:PATH 或 env:NAME",
        f"{file}：mode.default：应为 'shadow' 或 'live'",
        f"{file}：shops.north.platform：缺少此项；请补上",
        f"{file}：shops.north.warehouse：warehouse：'25:00' 不是一天中的时间（改法：请写成 \"18:00\"）",
    ] == said.err.splitlines()


@pytest.mark.usefixtures("chinese")
def test_check_speaks_chinese_to_people_and_english_in_json(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "forestall.toml").write_text('[shops.north]\nplatform = "jd"\n')
    problem = "shop north: a files feed needs path, the folder to watch"
    assert "店铺 north：files 数据源需要 path，即要监视的文件夹" in cli("check").out
    document = cli("check --json").document
    assert problem in document["problems"][0]
    assert all(text.isascii() for text in document["warnings"])


@pytest.mark.usefixtures("chinese")
def test_a_database_without_tables_is_told_in_chinese(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "forestall.toml").write_text("")
    said = cli("today")
    assert 78 == said.code
    assert said.err.startswith("数据库是空的，本版本需要 ")
