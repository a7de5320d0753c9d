"""The documents say what the code does: every command, option, setting, feed, sink, reason and link."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel

from daemon import cli, config, reasons
from tests.project import PYPROJECT, ROOT, tracked_files

COMMANDS = (ROOT / "docs" / "commands.md").read_text()
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
REASONS = (ROOT / "docs" / "reasons.md").read_text()
EVERYWHERE = {"--help", "--config", "--json", "--install-completion", "--show-completion"}
MODELS: dict[str, type[BaseModel]] = {
    "[database]": config.DatabaseSection,
    "[mode]": config.ModeSection,
    "[shops.NAME]": config.ShopSection,
    "[shops.NAME.warehouse]": config.WarehouseSection,
    "[[shops.NAME.maintenance]]": config.Window,
    "[shops.NAME.columns]": config.Column,
    "[alerts.NAME]": config.AlertSection,
    "[playbook]": config.PlaybookSection,
    "[daemon]": config.DaemonSection,
}
TABLES_OF_A_SHOP = {"warehouse", "columns", "history"}


def commands(group: Any, words: tuple[str, ...] = ("forestall",)) -> Iterator[tuple[str, Any]]:
    """(what is typed, command) of every command below a group."""
    for name, later in group.commands.items():
        command = getattr(later, "loaded", later)
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


ALL = dict(commands(typer.main.get_command(cli.app)))


def section_of(page: str, heading: str) -> str:
    """The text below a heading that begins so, up to the next one."""
    found = re.search(rf"^#+ {heading}[^\n]*\n(?P<text>.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"no heading {heading!r}"
    return found["text"]


def documented(page: str, place: str) -> set[str]:
    """The keys in the first table below the heading of a part of the configuration."""
    (table, *_) = re.findall(r"(?:^\|.*\n)+", section_of(page, re.escape(place) + r"$"), re.MULTILINE)
    return set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE))


@pytest.mark.parametrize("typed", ALL)
def test_a_command_has_its_part(typed: str) -> None:
    text = section_of(COMMANDS, f"`{re.escape(typed)}( [A-Z\\[][^`\n]*)?`")
    options = {option for parameter in ALL[typed].params for option in [*parameter.opts, *parameter.secondary_opts]}
    wanted = {option for option in options if option.startswith("--")} - EVERYWHERE
    assert set() == {option for option in wanted if f"`{option}" not in text}


def test_no_command_is_described_that_is_not_there() -> None:
    described = re.findall(r"^### `(forestall [a-z ]+?)(?: [A-Z\[].*)?`", COMMANDS, re.MULTILINE)
    assert set(described) == set(ALL)


@pytest.mark.parametrize("typed", ALL)
def test_a_command_says_what_it_does_in_one_line(typed: str) -> None:
    (first, *_) = (ALL[typed].help or "").splitlines()
    assert first.endswith(".")
    assert len(first) < 100


@pytest.mark.parametrize("typed", ALL)
def test_every_option_has_its_help(typed: str) -> None:
    assert [] == [parameter.name for parameter in ALL[typed].params if not getattr(parameter, "help", None)]


@pytest.mark.parametrize("place", MODELS)
def test_every_setting_is_described(place: str) -> None:
    assert set(MODELS[place].model_fields) - TABLES_OF_A_SHOP == documented(CONFIGURATION, place)


def test_every_section_is_described() -> None:
    assert set(config.Config.model_fields) - {"base"} == {re.split(r"[\[\].]+", place)[1] for place in MODELS}
    for table in TABLES_OF_A_SHOP:
        assert f"\n### [shops.NAME.{table}]\n" in CONFIGURATION


@pytest.mark.parametrize("group", ["forestall.feeds", "forestall.sinks"])
def test_every_feed_and_sink_is_named(group: str) -> None:
    assert [] == [name for name in PYPROJECT["project"]["entry-points"][group] if f"`{name}`" not in CONFIGURATION]


def test_every_reason_is_explained() -> None:
    explained = set(re.findall(r"^\| `([A-Z_]+)` \|", REASONS, re.MULTILINE))
    assert set(reasons.REASONS) == explained


@pytest.mark.parametrize("page", [path for path in tracked_files() if path.suffix == ".md"], ids=lambda path: path.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL))
    assert [] == [link for link in links if "://" not in link and not (page.parent / link).exists()]
