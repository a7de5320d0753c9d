"""`forestall init`: what it asks, what it takes for an answer, and that all it writes can be used at once."""

import io
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import config
from daemon.cli import begin
from daemon.cli.begin import Robot, Shop
from rules.packs import PLATFORMS
from tests.adapters.fakes.background import background
from tests.adapters.fakes.peer import answers, peer
from tests.daemon.commands import Said

Cli = Callable[..., Said]
Answer = Callable[..., Said]


class Typed(io.StringIO):
    """What a person types at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def answer(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """`forestall init shop` with these answers, one a line."""

    def run(*answers: str, line: str = "init shop") -> Said:
        monkeypatch.setattr("sys.stdin", Typed("".join(f"{one}\n" for one in answers)))
        return cli(line)

    return run


def made(folder: Path) -> config.Config:
    return config.load(folder / "shop" / "forestall.toml")


def test_several_shops_with_chinese_names_are_written_and_their_folders_made(answer: Answer, tmp_path: Path) -> None:
    said = answer("拼多多小店", "", "旗舰店", "天猫", "Shop 3", "抖店", "", "")

    shops = {name: (shop.platform, str(shop.path)) for name, shop in made(tmp_path).shops.items()}
    assert {
        "拼多多小店": ("pinduoduo", "inbox/拼多多小店"),
        "旗舰店": ("tmall", "inbox/旗舰店"),
        "Shop 3": ("douyin", "inbox/Shop 3"),
    } == shops
    assert (0, True) == (said.code, all((tmp_path / "shop" / path).is_dir() for _platform, path in shops.values()))
    assert "put an order export of 旗舰店 into shop/inbox/旗舰店" in said.out
    assert "forestall tick -c shop/forestall.toml" in said.out


@pytest.mark.parametrize(
    ("said", "platform"),
    [
        *(("拼多多", "pinduoduo"), ("淘宝", "taobao"), ("天猫", "tmall"), ("京东", "jd"), ("抖店", "douyin")),
        *(("PDD", "pinduoduo"), ("其他", "generic")),
        *((name, name) for name in PLATFORMS),
    ],
)
def test_platforms_are_taken_by_what_people_call_them(answer: Answer, tmp_path: Path, said: str, platform: str) -> None:
    answer("north", said, "", "")

    assert platform == made(tmp_path).shops["north"].platform


def test_what_cannot_be_is_said_and_asked_again(answer: Answer, tmp_path: Path) -> None:
    said = answer("a/b", "..", "north", "taobaoo", "taobao", "North", "south", "jd", "", "carrier pigeon", "")

    assert {"north", "south"} == set(made(tmp_path).shops)
    assert ["a name may hold", "a name may hold", "one of ", "North is entered already", "one of "] == [
        next(part for part in ("a name may hold", "one of ", "North is entered already") if line.startswith(part))
        for line in said.err.splitlines()
    ]
    assert "(did you mean taobao?)" in said.err


def test_what_cannot_be_is_said_in_chinese(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORESTALL_LANG", "zh")
    said = answer("a/b", "north", "淘保", "淘宝", "", "钉钉", "nowhere", "https://oapi.example/robot", "", "n")

    assert 0 == said.code
    assert not {"Error", "the ", "one of"} & {
        word for word in ("Error", "the ", "one of") if word in said.out + said.err
    }


def test_a_sink_that_is_entered_is_live_and_its_secret_stands_in_a_file_of_its_own(
    answer: Answer, cli: Cli, tmp_path: Path
) -> None:
    said = answer("north", "jd", "", "钉钉", "https://oapi.example/robot?x=1", "SEC-hush", "n")

    settings = made(tmp_path)
    assert ("live", "dingtalk") == (settings.mode.alert, settings.alerts["ops"].sink)
    secret = tmp_path / "shop" / "dingtalk.secret"
    assert ("SEC-hush\n", 0o600) == (secret.read_text(), secret.stat().st_mode & 0o777)
    assert "hush" not in (tmp_path / "shop" / "forestall.toml").read_text()
    assert "alerts test -c shop/forestall.toml" in said.out
    assert 0 == cli("check -c shop/forestall.toml").code
    assert "nobody will be told" not in cli("check -c shop/forestall.toml").out


def test_the_sink_that_was_entered_gets_a_test_message_at_once(answer: Answer) -> None:
    with background(peer(answers(status=200))) as told:
        said = answer("north", "jd", "", "webhook", f"{told.url}/hook", "", "")

    assert 0 == said.code, said.err
    assert 1 == len(told.seen)


def test_a_test_message_that_does_not_arrive_is_said_and_leaves_the_installation(answer: Answer, cli: Cli) -> None:
    with background(peer(answers(status=404))) as told:
        said = answer("north", "jd", "", "webhook", f"{told.url}/hook", "", "")

    assert "404" in said.out + said.err
    assert 0 == cli("check -c shop/forestall.toml").code


def test_without_a_sink_alerts_stay_in_shadow(answer: Answer, tmp_path: Path) -> None:
    answer("north", "jd", "", "")

    assert "shadow" == made(tmp_path).mode.alert


def test_nothing_is_asked_where_nobody_can_answer(cli: Cli, tmp_path: Path) -> None:
    said = cli("init shop")

    assert (0, ["shop1"]) == (said.code, list(made(tmp_path).shops))


def test_an_end_of_the_answers_writes_nothing(answer: Answer, tmp_path: Path) -> None:
    assert 130 == answer("north").code
    assert [] == list(tmp_path.iterdir())


def test_the_next_commands_can_be_copied_where_the_folder_has_blanks(cli: Cli) -> None:
    said = cli("init 'my shop' --yes")

    (line,) = [line for line in said.out.splitlines() if "forestall tick" in line]
    assert ["forestall", "tick", "-c", "my shop/forestall.toml"] == shlex.split(line)[1:]


@given(
    names=st.lists(st.text(min_size=1, max_size=20).map(str.strip), min_size=1, max_size=4, unique_by=str.casefold),
    url=st.text(max_size=30),
)
def test_every_name_that_is_taken_can_be_read_back(names: list[str], url: str) -> None:
    shops: list[Shop] = []
    for name in names:
        try:
            taken = begin._name(name, shops)
        except ValueError:
            continue
        if taken:
            shops.append(Shop(taken, "jd"))

    read = tomllib.loads(begin.text(shops, Robot("webhook", url, "s")))

    assert [shop.name for shop in shops] == list(read.get("shops", {}))
    assert url == read["alerts"]["ops"]["url"]
    assert all(f"inbox/{name}" == table["path"] for name, table in read.get("shops", {}).items())
