"""`forestall policy`: findings with place and mend, what a platform charges at a date, a person's word for a row."""

import getpass
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import freezegun
import pytest

from daemon import cli as commands
from daemon.cli.session import Holder, run_for_client
from daemon.control import Request
from daemon.shops import Shops
from daemon.store import confirmations, meta
from daemon.store.confirmations import Confirmation
from daemon.store.database import Database, open_database
from daemon.store.journal import entries_of
from rules import packs
from rules.errors import PolicyError
from rules.instant import parse
from rules.packdata import Row
from tests import databases
from tests.daemon import builders
from tests.daemon.commands import Said
from tests.daemon.running import install

Cli = Callable[..., Said]
TEXT = """
[shops.west]
platform = "tmall"
feed = "memory"
[shops.east]
platform = "tmall"
feed = "memory"
[shops.north]
platform = "taobao"
feed = "memory"
"""
NOW = parse("2026-11-24T12:00:00+08:00")


@pytest.fixture
def folder(tmp_path: Path, cli: Cli, boxes: None) -> Iterator[Path]:
    """Three shops with an empty database, late in November 2026."""
    (tmp_path / "forestall.toml").write_text(TEXT)
    with freezegun.freeze_time("2026-11-24T12:00:00+08:00"):
        databases.put(tmp_path / "forestall.db")
        yield tmp_path


def row(name: str, platform: str = "tmall") -> Row:
    found = packs.load(platform).row(name)
    assert found is not None
    return found


# ---- lint


def test_a_sound_policy_is_done_and_tells_what_is_still_missing(cli: Cli, folder: Path) -> None:
    said = cli("policy lint --json")

    assert (0, []) == (said.code, said.document["problems"])
    assert "default@1" == said.document["playbook"]
    warnings = said.document["warnings"]
    assert any("calendar of 2027" in warning for warning in warnings)
    assert "tmall: no dates are known for Spring Festival 2027; its orders run on the ordinary promise" in warnings
    assert any("TM-S2 would pay" in warning for warning in warnings)


def test_only_platforms_in_use_are_spoken_of(cli: Cli, folder: Path) -> None:
    assert not [one for one in cli("policy lint --json").document["warnings"] if "pinduoduo" in one]


def test_a_mistake_in_a_playbook_is_named_with_file_and_line_before_it_is_used(cli: Cli, folder: Path) -> None:
    (folder / "mine.toml").write_text('name = "mine"\nversion = 2\n[alerts]\nleads = ["24"]\n')

    said = cli("policy lint mine.toml --json")

    (problem,) = said.document["problems"]
    assert 78 == said.code
    assert "mine.toml:4: alerts.leads" in problem


def test_a_text_nobody_has_approved_is_a_mistake(cli: Cli, folder: Path) -> None:
    step = 'name = "talk"\naction = "contact"\nlead = "1h"\nchannel = "sms"\nintent = "apology"\ntemplate = "sorry"\n'
    head = 'name = "mine"\nversion = 2\n[alerts]\nleads = ["24h"]\n[[late_shipment.steps]]\n'
    (folder / "mine.toml").write_text(head + step)

    said = cli("policy lint mine.toml")

    assert 78 == said.code
    assert "'sorry'" in said.out


def test_lint_works_before_there_is_a_database(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "forestall.toml").write_text(TEXT)

    said = cli("policy lint --json")

    assert 0 == said.code
    assert any(warning.startswith("confirmations cannot be read") for warning in said.document["warnings"])


def test_a_row_that_changed_since_it_was_confirmed_is_named(cli: Cli, folder: Path) -> None:
    cli("policy confirm TM-S2 --source page --by Ann")
    database = open_database("sqlite:///forestall.db")
    with database.begin() as tx:
        (word,) = json.loads(meta.get(tx, "confirmed") or "").values()
        meta.put(tx, "confirmed", json.dumps({"0" * 32: word}))
    database.close()

    warnings = cli("policy lint --json").document["warnings"]

    assert "TM-S2 has changed since Ann confirmed it: read it and confirm it again" in warnings
    assert any("TM-S2 would pay" in warning for warning in warnings)


# ---- show


def shown(said: Said) -> dict[str, Any]:
    (platform,) = said.document["platforms"]
    return {one["id"]: one for one in platform["rows"]}


@pytest.mark.parametrize(
    ("line", "name", "amount"),
    [
        ("policy show taobao --at 2014-06-18 --paid 150 --json", "TB-L1", 750),
        ("policy show taobao --at 2014-06-18 --paid 12.34 --json", "TB-L1", 100),
        ("policy show pinduoduo --at 2026-01-01 --paid 430 --json", "PD-S1", 2_100),
        ("policy show tmall --at 2020-09-17T00:00:00+08:00 --paid 150 --json", "TM-L2", 750),
    ],
)
def test_an_order_costs_what_the_platform_charged_on_that_day(
    cli: Cli, folder: Path, line: str, name: str, amount: int
) -> None:
    found = shown(cli(line))[name]

    assert (amount, amount) == (found["low_minor"], found["high_minor"])


def test_a_platform_can_be_looked_at_before_there_is_a_shop(cli: Cli, tmp_path: Path) -> None:
    found = shown(cli("policy show pinduoduo --at 2026-01-01 --paid 430 --json"))["PD-S1"]

    assert (2_100, None) == (found["low_minor"], found["confirmed"])
    assert 78 == cli("policy show").code


@pytest.mark.parametrize(
    ("at", "expected"), [("2020-09-16", "TM-L1"), ("2020-09-17", "TM-L2"), ("2020-09-16T23:59:59+08:00", "TM-L1")]
)
def test_a_day_is_that_of_the_platform(cli: Cli, folder: Path, at: str, expected: str) -> None:
    late = [id for id in shown(cli(f"policy show tmall --at {at} --json")) if id.startswith("TM-L")]

    assert [expected] == late


def test_without_a_name_the_platforms_of_the_shops_are_shown(cli: Cli, folder: Path) -> None:
    document = cli("policy show --json").document

    assert ["taobao", "tmall"] == [one["platform"] for one in document["platforms"]]


def test_records_are_shown_when_everything_is_asked_for(cli: Cli, folder: Path) -> None:
    assert "TB-S4" not in shown(cli("policy show taobao --json"))
    assert {"TB-S4", "TB-L1"} <= set(shown(cli("policy show taobao --all --json")))


def test_festivals_and_limits_of_that_day_are_shown(cli: Cli, folder: Path) -> None:
    (one,) = cli("policy show pinduoduo --at 2023-01-14 --json").document["platforms"]

    assert ["PD-2023-spring"] == [window["id"] for window in one["windows"]]
    assert "2023-01-14" == one["windows"][0]["from"]
    assert {"first_sorting", "fake_scan"} <= {limit["id"] for limit in one["limits"]}


@pytest.mark.parametrize(("lang", "part"), [("en", "5% [1, 30]"), ("zh", "延迟发货")])
def test_people_read_a_table(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, lang: str, part: str) -> None:
    monkeypatch.setenv("FORESTALL_LANG", lang)

    said = cli("policy show taobao --at 2014-06-18 --paid 150")

    assert 0 == said.code
    assert part in said.out
    assert "¥7.50" in said.out


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("policy show amazon", "pinduoduo"),
        ("policy show tmall --at yesterday", "--at"),
        ("policy show tmall --paid much", "--paid"),
        ("policy show tmall --paid -1", "--paid"),
        ("policy show tmall --paid 1.005", "--paid"),
        ("policy show tmall --paid NaN", "--paid"),
        ("policy confirm TM-S9 --source page", "TM-S2"),
        ("policy confirm XX --source page", "--all"),
        ("policy confirm TM-S2", "--source"),
        ("policy confirm TM-S2 --source ' '", "--source"),
        ("policy confirm PD-S2 --source page", "nothing to confirm"),
        ("policy confirm TM-S2 --withdraw", "not confirmed"),
    ],
)
def test_a_mistake_names_what_would_be_right(cli: Cli, folder: Path, line: str, part: str) -> None:
    said = cli(line)

    assert (2, "") == (said.code, said.out)
    assert part in said.err


def test_tools_and_lines_of_disputes_are_shown_to_scripts(cli: Cli, folder: Path) -> None:
    (one,) = cli("policy show douyin --json").document["platforms"]
    (pay,) = [tool for tool in one["tools"] if tool["tool"] == "small_payment"]
    (shops,) = cli("policy show taobao --json").document["platforms"]

    assert [2_001, 50_001, None] == [tier["base_below_minor"] for tier in pay["per_order_cap"]]
    assert {"DM-1", "DM-5", "DM-8"} <= {metric["id"] for metric in shops["metrics"]}


# ---- confirm


def test_a_confirmation_is_bound_to_the_row_as_it_is_and_to_the_person(cli: Cli, folder: Path) -> None:
    said = cli("policy confirm TM-S2 --source 'rule centre, 2026-11-20' --by Ann --json")

    word = {"by": "Ann", "user": getpass.getuser(), "at": "2026-11-24T04:00:00Z", "source": "rule centre, 2026-11-20"}
    assert {"row": "TM-S2", "digest": row("TM-S2").digest, "confirmed": word} == said.document
    assert word == shown(cli("policy show tmall --json"))["TM-S2"]["confirmed"]


def test_the_user_vouches_when_nobody_is_named(cli: Cli, folder: Path) -> None:
    assert getpass.getuser() == cli("policy confirm TM-S2 --source page --json").document["confirmed"]["by"]


def test_a_confirmed_row_is_no_warning_any_more(cli: Cli, folder: Path) -> None:
    cli("policy confirm TM-S2 --source page")

    assert not [one for one in cli("policy lint --json").document["warnings"] if "TM-S2" in one]


def test_a_confirmation_can_be_taken_back(cli: Cli, folder: Path) -> None:
    cli("policy confirm TM-S2 --source page")

    assert 0 == cli("policy confirm TM-S2 --withdraw").code
    assert shown(cli("policy show tmall --json"))["TM-S2"]["confirmed"] is None


@pytest.mark.parametrize(
    ("name", "part"),
    [("TB-L5", "weak"), ("TM-L4", "no money is paid first"), ("TB-S3-P10", "in place of TB-S3")],
)
def test_a_person_is_told_what_a_confirmation_does_not_do(cli: Cli, folder: Path, name: str, part: str) -> None:
    assert part in cli(f"policy confirm {name} --source page").out


def test_a_running_daemon_relies_on_it_at_once_and_knows_who_asked(
    tmp_path: Path, boxes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = install(tmp_path, TEXT)
    argv = ["policy", "confirm", "TM-S2", "--source", "page"]
    request = Request(argv=argv, lang="en", cwd=tmp_path, user="ann")

    answer = run_for_client(commands.app, Holder(parts.database, parts.installation), request)

    shops = parts.installation.shops
    confirmed = [shops.get(name).policy.confirmed for name in ("west", "east", "north")]
    with parts.database.begin() as tx:
        (word,) = confirmations.load(tx).values()
    parts.database.close()
    assert (0, "ann", "ann") == (answer["code"], word.by, word.user)
    assert [frozenset({row("TM-S2").digest})] * 3 == confirmed


# ---- the store


def a_word(name: str = "TM-S2", by: str = "Ann") -> Confirmation:
    return Confirmation(row=name, by=by, user="ann", at=NOW, source="page")


def test_what_is_confirmed_is_what_may_move_money(db: Database) -> None:
    with db.begin() as tx:
        confirmations.confirm(tx, row("TM-S2"), a_word(), ["west"])
        confirmations.confirm(tx, row("TM-L4"), a_word("TM-L4"), ["west"])
    with db.begin() as tx:
        assert {row("TM-S2").digest, row("TM-L4").digest} == meta.confirmed(tx)
        assert a_word() == confirmations.load(tx)[row("TM-S2").digest]


def test_a_new_word_replaces_the_old_one_of_the_same_row(db: Database) -> None:
    with db.begin() as tx:
        confirmations.confirm(tx, row("TM-S2"), a_word(by="Ann"), ["west"])
        confirmations.confirm(tx, row("TM-S2"), a_word(by="Bob"), ["west"])
        assert ["Bob"] == [word.by for word in confirmations.load(tx).values()]


def test_every_word_is_in_the_chain_of_each_shop(db: Database) -> None:
    with db.begin() as tx:
        confirmations.confirm(tx, row("TM-S2"), a_word(), ["east", "west"])
        confirmations.withdraw(tx, a_word(by="Bob"), ["east", "west"])
    with db.begin() as tx:
        for shop in ("east", "west"):
            entries = list(entries_of(tx, shop, f"{shop}/rule:TM-S2"))
            assert [("rule_confirmed", "Ann"), ("rule_withdrawn", "Bob")] == [(e["event"], e["by"]) for e in entries]
            assert {row("TM-S2").digest} == {entry["digest"] for entry in entries}


def test_nothing_to_withdraw_leaves_nothing(db: Database) -> None:
    with db.begin() as tx:
        assert confirmations.withdraw(tx, a_word(), ["west"]) is None
        assert [] == list(entries_of(tx, "west", "west/rule:TM-S2"))


def test_shops_made_later_know_what_is_confirmed() -> None:
    shops: Shops = builders.shops("west", platform="tmall")
    shops.confirm(frozenset({"x"}))
    assert {frozenset({"x"})} == {shops.get(name, "tmall").policy.confirmed for name in ("west", "new")}


def test_a_file_is_linted_without_a_configuration(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "plays.toml").write_text("name = 1\n")

    said = cli("policy lint plays.toml --json")

    assert 78 == said.code
    assert any("plays.toml" in problem for problem in said.document["problems"])


@pytest.mark.parametrize(
    ("slip", "part"),
    [
        ("from = 2025-02-13", "from = 3"),
        ('initiation = "auto"', 'initiation = "somehow"'),
        ('violation = "late_shipment"', 'violation = "lateness"'),
        ("percent_bp = ", "percent = "),
    ],
)
def test_a_slip_in_a_row_is_a_named_mistake(cli: Cli, tmp_path: Path, slip: str, part: str) -> None:
    (tmp_path / "pack.toml").write_text(packs.shipped_text("taobao").replace(slip, part))

    said = cli("policy lint pack.toml")

    assert 78 == said.code
    assert "pack.toml: row TB-" in said.out
    assert "Traceback" not in said.out + said.err


def test_a_slip_in_an_installed_pack_is_said_by_every_command_and_by_check(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(platform: str, zone: str | None = None) -> None:
        raise PolicyError("key from: no date", where=f"{platform}.toml: row X-1", mend="see docs/rule-packs.md")

    monkeypatch.setattr(packs, "load", broken)

    checked, shown = cli("check"), cli("policy show taobao")

    assert (78, 78) == (checked.code, shown.code)
    assert "row X-1: key from: no date" in checked.out
    assert "row X-1: key from: no date" in shown.err


def test_one_row_is_shown_by_its_id(cli: Cli, tmp_path: Path) -> None:
    (platform,) = cli("policy show tm-s1 --json").document["platforms"]

    assert ("tmall", ["TM-S1"]) == (platform["platform"], [row["id"] for row in platform["rows"]])
    assert "TM-S1" in cli("policy show TM-S1").out


def test_a_name_that_is_neither_platform_nor_row_tells_the_nearest(cli: Cli, tmp_path: Path) -> None:
    said = cli("policy show TM-S")

    assert 2 == said.code
    assert "TM-S1" in said.err
    assert 0 == cli("policy show 拼多多").code
