"""`forestall init`: a commented configuration for one shop or several, their folders and the database."""

import json
import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from daemon.cli.session import out, translated
from daemon.errors import Usage
from daemon.i18n import gettext as _

HEAD = """\
# Forestall: configuration. 配置文件
# `forestall check` tells everything that is wrong with it. 用 forestall check 检查。

[database]
url = "sqlite:///forestall.db"

[mode]
default = "shadow"        # decide and record, act on nothing   只判断和记录，不执行
alert = "{alert}"          # "live" once a sink is entered below   填好下面的提醒渠道后改为 "live"
task = "live"             # work items for people stay in here   待办只在本机显示
"""
SHOP = """
[shops.{key}]
platform = "{platform}"   # generic | taobao | tmall | pinduoduo | jd | douyin
feed = "files"
path = {path}     # drop your export files here   把后台导出的订单文件放进这个文件夹
timezone = "{zone}"
stale_after = "6h"        # tell me when no newer export comes   超过 6 小时没有新导出就提醒

# When the courier comes: alerts and lists run on the last pick-up that still helps.
# 快递揽收时间：所有提醒都按“最后一次来得及的揽收”计算。
#[shops.{key}.warehouse]
#open = "Mon-Sat 09:00-18:00"
#pickups = ["11:00", "18:00"]
#scan_lag = "2h"
"""
NO_SINK = """
# Where you are told. 提醒发到哪里（钉钉、企业微信机器人、邮件或 webhook）
#[alerts.ops]
#sink = "dingtalk"                        # webhook | smtp | dingtalk | wecom
#url = "https://…"
#secret = "file:dingtalk.secret"          # never the secret itself   不要直接写密钥
#hours = "08:00-22:00"
"""
SINK = """
# Where you are told. 提醒发到哪里（钉钉、企业微信机器人、邮件或 webhook）
[alerts.ops]
sink = "{sink}"
url = {url}
#hours = "08:00-22:00"
"""
NO = frozenset({"", "n", "no", "无", "没有", "没有了", "不", "不用", "不要", "否"})
"""Answers that mean: nothing (more)."""
SINKS = {
    "dingtalk": "dingtalk",
    "钉钉": "dingtalk",
    "wecom": "wecom",
    "企业微信": "wecom",
    "企微": "wecom",
    "webhook": "webhook",
}
KEPT_IN = "{sink}.secret"
_FORBIDDEN = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]|^\.|^$|\.$')
"""What cannot be the name of a folder on every system."""
_BARE = re.compile(r"[A-Za-z0-9_-]+")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop as it was answered; `platform` by its id."""

    name: str
    platform: str


@dataclass(frozen=True, slots=True)
class Robot:
    """Where alerts go; `secret` of its signature, "" without."""

    sink: str
    url: str
    secret: str = ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(init)


def init(
    directory: Annotated[Path, typer.Argument(help="Where to set up.")] = Path(),
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
) -> None:
    """Write a commented configuration, a drop folder, a database."""
    file = directory / "forestall.toml"
    if file.exists():
        raise Usage(_("{file} exists already; change it, or name another folder").format(file=file))
    asks = not yes and sys.stdin.isatty()
    shops = _shops() if asks else [Shop("shop1", "taobao")]
    robot = _robot() if asks else None
    try:
        _write(file, shops, robot)
    except OSError as error:
        said = translated(error.strerror or "")
        raise Usage(_("{file} cannot be written: {why}").format(file=error.filename, why=said)) from error
    _make_database(file)
    _say_next(file, shops)
    if robot is not None:
        _offer_test(file)


def _write(file: Path, shops: list[Shop], robot: Robot | None) -> None:
    for shop in shops:
        (file.parent / "inbox" / shop.name).mkdir(parents=True, exist_ok=True)
    if robot is not None and robot.secret:
        secret = file.parent / KEPT_IN.format(sink=robot.sink)
        secret.touch(mode=0o600)
        secret.write_text(robot.secret + "\n", "utf-8")
    file.write_text(text(shops, robot), "utf-8")


def text(shops: list[Shop], robot: Robot | None) -> str:
    """The configuration of these shops, alerts live where somebody is told."""
    from daemon import clock
    from daemon.shops import CHINESE

    parts = [HEAD.format(alert="shadow" if robot is None else "live")]
    for shop in shops:
        zone = "Asia/Shanghai" if shop.platform in CHINESE else clock.zone().key
        key = shop.name if _BARE.fullmatch(shop.name) else _quoted(shop.name)
        parts.append(SHOP.format(key=key, platform=shop.platform, path=_quoted(f"inbox/{shop.name}"), zone=zone))
    if robot is None:
        return "".join([*parts, NO_SINK])
    sink = SINK.format(sink=robot.sink, url=_quoted(robot.url))
    if robot.secret:
        sink += f'secret = "file:{KEPT_IN.format(sink=robot.sink)}"\n'
    return "".join([*parts, sink])


def _quoted(value: str) -> str:
    """A TOML string: what JSON escapes, TOML reads; one character more is none that may stand there."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _shops() -> list[Shop]:
    """Ask for one shop after another, until a name is left out."""
    shops: list[Shop] = []
    while True:
        more = _("another shop? its name (Enter: no more)")
        question = more if shops else _("name of your shop, such as shop1 or 拼多多小店")
        name = _ask(question, "" if shops else "shop1", lambda said: _name(said, shops))
        if not name:
            return shops
        platform = _ask(_("platform: 淘宝 taobao, 天猫 tmall, 拼多多 pinduoduo, 京东 jd, 抖店 douyin, 其他 generic"),
                        _guess(name), _platform)  # fmt: skip
        shops.append(Shop(name, platform))


def _name(said: str, shops: list[Shop]) -> str:
    """A name that can be a folder and is not taken; "" or a no ends the list. Raises ValueError."""
    if shops and said.lower() in NO:
        return ""
    if _FORBIDDEN.search(said) or len(said) > 60:
        raise ValueError(
            _('a name may hold letters of any script, digits, blanks, - and _, but none of / \\ : * ? " < > |')
        )
    if said.casefold() in {shop.name.casefold() for shop in shops}:
        raise ValueError(_("{name} is entered already").format(name=said))
    return said


def _guess(name: str) -> str:
    """The platform that a shop's name speaks of, else Taobao."""
    from rules.platforms import NAMES

    near = [known for known in sorted(NAMES, key=len, reverse=True) if known in name.lower()]
    return NAMES[near[0]] if near else "taobao"


def _platform(said: str) -> str:
    from rules.packs import PLATFORMS
    from rules.platforms import named, nearest

    platform = named(said)
    if platform in PLATFORMS:
        return platform
    near = nearest(said)
    hint = _(" (did you mean {name}?)").format(name=near) if near else ""
    raise ValueError(_("one of {names}").format(names=", ".join(PLATFORMS)) + hint)


def _robot() -> Robot | None:
    """Ask where alerts go; None for later."""
    sink = _ask(_("where shall alerts go? 钉钉 dingtalk, 企业微信 wecom, webhook (Enter: later)"), "", _sink)
    if not sink:
        return None
    url = _ask(_("its address (of a robot: the webhook address, copied whole)"), "", lambda said: _url(sink, said))
    if sink == "wecom":
        return Robot(sink, url)
    return Robot(sink, url, _ask(_("its secret for signatures (Enter: none)"), "", str))


def _sink(said: str) -> str:
    if said.lower() in NO:
        return ""
    if said.lower() not in SINKS:
        raise ValueError(_("one of {names}").format(names=", ".join(SINKS)))
    return SINKS[said.lower()]


def _url(sink: str, said: str) -> str:
    from adapters.base import SinkSettings
    from daemon import adapter, mistakes

    try:
        adapter.sink(sink, SinkSettings(name="ops", options={"url": said}))
    except ValueError as error:
        raise ValueError(mistakes.translated(str(error))) from error
    return said


def _ask(question: str, default: str, read: Callable[[str], T]) -> T:
    """Ask until the answer can be read."""
    while True:
        try:
            said = input(f"{question} [{default}]: " if default else f"{question}: ")
        except EOFError as error:
            raise typer.Abort from error
        try:
            return read(said.strip() or default)
        except ValueError as error:
            out().say(str(error))


def _make_database(file: Path) -> None:
    from daemon import config
    from daemon.store.database import open_database, upgrade

    database = open_database(config.url_of(config.load(file)))
    try:
        upgrade(database)
    finally:
        database.close()


def _say_next(file: Path, shops: list[Shop]) -> None:
    named = shlex.quote(str(file))
    out().print(_("written: {file}").format(file=file))
    out().print("\n" + _("Next:"))
    for shop in shops:
        folder = file.parent / "inbox" / shop.name
        put = _("put an order export of your shop into {folder}") if len(shops) == 1 else _(
            "put an order export of {shop} into {folder}"
        )  # fmt: skip
        out().print("  1. " + put.format(folder=folder, shop=shop.name))
    out().print(f"  2. forestall tick -c {named}")
    out().print(f"  3. forestall today -c {named}")
    text = _("Name, platform, pick-ups and where you are told stand in {file}; see: {check}")
    out().print("\n" + text.format(file=file, check=f"forestall check -c {named}"))


def _offer_test(file: Path) -> None:
    """Send a test message now, if that is wanted: nobody should find out by a missed alert that nothing arrives."""
    from daemon import cli
    from daemon.cli.commands import COMMANDS
    from daemon.cli.session import run

    words = ["alerts", "test", "-c", str(file)]
    if "alerts" in COMMANDS and _ask(_("alerts are live: send a test message now? (Y/n)"), "y", str.lower) not in NO:
        run(cli.app, words)
    else:
        out().print(_("to try it: {command}").format(command=shlex.join(["forestall", *words])))
