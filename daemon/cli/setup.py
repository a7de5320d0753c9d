"""`forestall init` and `forestall check`: a commented configuration, and all that is wrong with it at once."""

import json as plain_json
import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Annotated

import typer

from daemon import caveats, clock, i18n, mistakes, silence
from daemon import config as configuration
from daemon.cli.session import DEFAULT_CONFIG, ConfigOption, JsonOption, out
from daemon.config import Config
from daemon.control import forward, path_of
from daemon.errors import Busy, ConfigError, DaemonError, Usage
from daemon.i18n import gettext as _
from daemon.installation import Installation, build
from daemon.store import strangers
from daemon.store.database import check_schema, open_database, upgrade
from rules import packs
from rules.calendars import coverage
from rules.instant import to_datetime
from rules.model import Kind

PLATFORMS = ("taobao", "tmall", "pinduoduo", "jd", "douyin", "generic")
OURS = ("daemon", "adapters", "rules")

TEMPLATE = """\
# Forestall: configuration. 配置文件
# `forestall check` tells everything that is wrong with it. 用 forestall check 检查。

[database]
url = "sqlite:///forestall.db"

[mode]
default = "shadow"        # decide and record, act on nothing   只判断和记录，不执行
alert = "{alert}"          # "live" once a sink is entered below   填好下面的提醒渠道后改为 "live"
task = "live"             # work items for people stay in here   待办只在本机显示

[shops.{name}]
platform = "{platform}"   # generic | taobao | tmall | pinduoduo | jd | douyin
feed = "files"
path = "inbox/{name}"     # drop your export files here   把后台导出的订单文件放进这个文件夹
timezone = "Asia/Shanghai"
stale_after = "6h"        # tell me when no newer export comes   超过 6 小时没有新导出就提醒

# When the courier comes: alerts and lists run on the last pick-up that still helps.
# 快递揽收时间：所有提醒都按“最后一次来得及的揽收”计算。
#[shops.{name}.warehouse]
#open = "Mon-Sat 09:00-18:00"
#pickups = ["11:00", "18:00"]
#scan_lag = "2h"

# Where you are told. 提醒发到哪里（钉钉、企业微信机器人、邮件或 webhook）
#[alerts.ops]
#sink = "dingtalk"                        # webhook | smtp | dingtalk | wecom
#url = "{url}"
#secret = "file:dingtalk.secret"          # never the secret itself   不要直接写密钥
#hours = "08:00-22:00"
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("init")(init)
    app.command("check")(check)


def init(
    directory: Annotated[Path, typer.Argument(help="Where to set up.")] = Path(),
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
) -> None:
    """Write a commented configuration, a drop folder, a database."""
    file = directory / "forestall.toml"
    if file.exists():
        raise Usage(_("{file} exists already; change it, or name another folder").format(file=file))
    name, platform = "shop1", "taobao"
    if not yes and sys.stdin.isatty():
        name = typer.prompt(_("name of your shop (letters, digits, - and _)"), default=name, value_proc=_shop_name)
        prompt = f"{_('platform')} ({', '.join(PLATFORMS)})"
        platform = typer.prompt(prompt, default=platform, value_proc=_platform)
    folder = directory / "inbox" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(TEMPLATE.format(alert="shadow", name=name, platform=platform, url="https://…"), "utf-8")
    except OSError as error:
        raise Usage(_("{file} cannot be written: {why}").format(file=error.filename, why=error.strerror)) from error
    _make_database(configuration.load(file))
    out().print(_("written: {file}").format(file=file))
    out().print("\n" + _("Next:"))
    out().print("  1. " + _("put an order export of your shop into {folder}").format(folder=folder))
    out().print(f"  2. forestall tick -c {file}")
    out().print(f"  3. forestall today -c {file}")
    out().print(
        "\n"
        + _("Name, platform, pick-ups and where you are told stand in {file}; see: {check}").format(
            file=file, check=f"forestall check -c {file}"
        )
    )


def check(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Tell all that is wrong with configuration and database."""
    with i18n.speaking("en" if json else i18n.language()):
        problems, warnings = _found(config)
    if json:
        out().json({"problems": problems, "warnings": warnings})
    else:
        for problem in problems:
            out().print(f"✗ {mistakes.translated(problem)}")
        for warning in warnings:
            out().print(f"! {warning}")
        if not problems:
            out().print(_("all is well") if not warnings else _("usable; the lines above say what is still missing"))
    if problems:
        raise typer.Exit(78)


def _found(file: Path) -> tuple[list[str], list[str]]:
    """(problems, warnings) of an installation."""
    problems, warnings = _names(), list[str]()
    try:
        settings = configuration.load(file)
        made = build(settings, privacy_key=b"check")
        problems += [f"{file}: {problem}" for problem in made.problems]
        broken, silent = _database(settings)
        problems += broken
        warnings += [*silent, *_warnings(made)]
    except ConfigError as error:
        problems += str(error).splitlines()
    return problems, warnings


def _shop_name(text: str) -> str:
    """A name that can stand in the file and be a folder. Raises what the prompt shows before it asks again."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text.strip()):
        raise typer.BadParameter(_("letters, digits, - and _ only"))
    return text.strip()


def _platform(text: str) -> str:
    if text.strip().lower() not in PLATFORMS:
        raise typer.BadParameter(_("one of {names}").format(names=", ".join(PLATFORMS)))
    return text.strip().lower()


def _make_database(settings: Config) -> None:
    database = open_database(configuration.url_of(settings))
    try:
        upgrade(database)
    finally:
        database.close()


def _names() -> list[str]:
    """Other distributions that own our top-level names would silently replace our modules."""
    owners = _owners()
    return [
        _("package {other} owns the module name {name}: pip uninstall {other}").format(other=other, name=name)
        for name in OURS
        for other in sorted(set(owners.get(name, ())) - {"forestall"})
    ]


@cache
def _owners() -> Mapping[str, list[str]]:
    """Which distributions bring each top-level name: read once in a process, of all that is installed (0.1 s)."""
    return packages_distributions()


def _database(settings: Config) -> tuple[list[str], list[str]]:
    """(what is wrong with the database, warnings: what it holds of shops configured no more, what reached nobody).

    While a daemon holds it, the daemon says what reached nobody.
    """
    try:
        database = open_database(configuration.url_of(settings))
    except Busy:
        return [], _asked(settings)
    except DaemonError as error:
        return [str(error)], []
    try:
        check_schema(database)
        with database.begin() as tx:
            left = [caveats.left_over(one) for one in strangers.left(tx, settings.shops)]
            return [], [*left, *(one.text for one in silence.found(tx, settings.alerts, clock.now()))]
    except DaemonError as error:
        return [str(error)], []
    finally:
        database.close()


def _asked(settings: Config) -> list[str]:
    """What reached nobody, as a running daemon says it."""
    answer = forward(path_of(settings), ["today", "--json"], i18n.language())
    said = plain_json.loads(answer["out"]) if answer is not None and answer["code"] == 0 else {}
    return [one["text"] for one in said.get("caveats", ()) if one["code"] in silence.CODES]


def _warnings(made: Installation) -> list[str]:
    found = []
    told = made.shops.mode(Kind.ALERT) == "live" and made.sinks.for_kind(Kind.ALERT)
    if not told:
        found.append(_('nobody will be told: enter a sink under [alerts] and set [mode] alert = "live"'))
    year = to_datetime(clock.now()).year
    unknown = _("the work calendar of {year} is not known yet: holidays of that year are not considered")
    found += [unknown.format(year=each) for each in (year, year + 1) if not coverage(each)]
    env = _("shops.{name}: env: secrets are for development; use cred: or file:")
    sections = made.config.shops.items()
    found += [env.format(name=name) for name, s in sections if any(v.startswith("env:") for v in s.options.values())]
    unconfirmed = sum(not row.verified for pack in packs.all_packs() for row in pack.rows)
    if unconfirmed:
        text = _("{n} rows of the rule packs are not confirmed by a person: none of them moves money")
        found.append(text.format(n=unconfirmed))
    return found
