"""`forestall policy test`: what a seller expects of a playbook, played through the engine and judged."""

from collections.abc import Callable
from pathlib import Path

import pytest

from daemon import scenario
from daemon.rehearsal import Result, rehearse
from rules import playbook
from tests.daemon.commands import Said
from tests.project import ROOT

Cli = Callable[..., Said]
EXAMPLE = ROOT / "docs" / "examples" / "scenarios.toml"
PLAYS = """
name = "mine"
version = 1
[alerts]
leads = ["24h"]
[late_shipment]
[[late_shipment.steps]]
name = "ship"
action = "task"
lead = "24h"
[[late_shipment.steps]]
name = "agree_new_date"
action = "negotiate"
lead = "12h"
until = "2h"
[[late_shipment.steps]]
name = "tell_buyer"
action = "contact"
lead = "8h"
until = "30m"
channel = "platform_chat"
intent = "delay_notice"
template = "delay_notice"
[[late_shipment.steps]]
name = "make_good"
action = "compensate"
after = "0m"
until = "48h"
"""
LATE = """
playbook = "plays.toml"
platform = "taobao"
[[scenario]]
name = "late"
after = "{after}"
order = {{ ship_by = "+48h"{facts} }}
then = [{then}]
{more}
[scenario.expect]
{expect}
"""


def a_file(folder: Path, expect: str, after: str = "25h", facts: str = "", then: str = "", more: str = "") -> Path:
    """A scenario file of one order of Taobao that must be shipped 48 h after the start."""
    path = folder / "scenarios.toml"
    (folder / "plays.toml").write_text(PLAYS)
    path.write_text(LATE.format(after=after, facts=facts, then=then, more=more, expect=expect))
    return path


def played(*paths: Path) -> list[Result]:
    return rehearse(scenario.load(paths), playbook.shipped())


def misses(folder: Path, expect: str, **scene: str) -> list[tuple[str, str, str]]:
    """(what, expected, actual) of all that did not come true; the rest of a list of steps left off."""
    (result,) = played(a_file(folder, expect, **scene))
    return [(miss.what, miss.expected, miss.actual.split(" (")[0]) for miss in result.misses]


@pytest.mark.parametrize(
    ("right", "wrong", "miss"),
    [
        ("case.late_shipment = 'open'", "case.late_shipment = 'none'", ("case late_shipment", "none", "open")),
        ('case = { stock_out = "none" }', 'case = { stock_out = "closed" }', ("case stock_out", "closed", "none")),
        ('did = ["ship"]', 'did = ["ship", "agree_new_date"]', ("did", "ship, agree_new_date", "ship")),
        ('did = ["task"]\nonly = true', "did = []\nonly = true", ("did", "nothing", "ship")),
        ('not = ["contact"]', 'not = ["ship"]', ("not ship", "nothing of the kind", "ship")),
        ('not = ["negotiate"]', 'not = ["alert"]', ("not alert", "nothing of the kind", "ship")),
        ("pays = 0", "pays = 1", ("pays", "1", "0")),
        ("alerts = 1", "alerts = 0", ("alerts", "0", "1")),
        ('ship_by = "+48h"', 'ship_by = "+47h"', ("ship_by", "2026-06-02T23:00:00Z", "2026-06-03T00:00:00Z")),
        ('act_by = "+48h"', 'act_by = "+1h"', ("act_by", "2026-06-01T01:00:00Z", "2026-06-03T00:00:00Z")),
    ],
)  # fmt: skip
def test_an_expectation_is_met_or_missed(tmp_path: Path, right: str, wrong: str, miss: tuple[str, str, str]) -> None:
    assert [] == misses(tmp_path, right)
    assert [miss] == misses(tmp_path, wrong)


def test_a_moment_counts_to_the_second(tmp_path: Path) -> None:
    never = 'did = []\nonly = true\ncase = { late_shipment = "none" }'
    assert [] == misses(tmp_path, never, after="23h59m59s")
    assert ["case late_shipment", "did"] == [what for what, _, _ in misses(tmp_path, never, after="24h")]


def test_steps_are_expected_in_their_order(tmp_path: Path) -> None:
    assert [] == misses(tmp_path, 'did = ["ship", "agree_new_date"]', after="40h")
    assert ["did"] == [what for what, _, _ in misses(tmp_path, 'did = ["agree_new_date", "ship"]', after="40h")]


def test_a_text_to_a_buyer_is_read(tmp_path: Path) -> None:
    assert [] == misses(tmp_path, 'texts = { tell_buyer = "加急" }', after="41h")
    (miss,) = misses(tmp_path, 'texts = { tell_buyer = "缺货" }', after="41h")
    assert ("text of tell_buyer", "… 缺货 …") == miss[:2]


def test_a_step_is_dropped_for_the_reason_expected(tmp_path: Path) -> None:
    event = '{ at = "+30h", event = "opt_out" }'
    (miss,) = misses(tmp_path, 'dropped = { tell_buyer = "NO_TIME_LEFT" }', after="47h", then=event)
    assert ("dropped tell_buyer", "NO_TIME_LEFT", "OPTED_OUT") == miss


def test_what_a_shop_says_later_counts_from_then_on(tmp_path: Path) -> None:
    shipped = '{ at = "+30h", status = "shipped", shipped_at = "+30h" }'
    assert [] == misses(tmp_path, 'case = { late_shipment = "open" }', after="29h", then=shipped)
    assert [] == misses(tmp_path, 'case = { late_shipment = "closed" }', after="30h", then=shipped)


def test_a_courier_moves_the_moment_to_hand_over(tmp_path: Path) -> None:
    courier = '[scenario.warehouse]\nopen = "Mon-Sun 08:00-20:00"\npickups = ["18:00"]'
    assert [] == misses(tmp_path, 'act_by = "2026-06-02T18:00:00+08:00"', more=courier)


def test_rules_pay_only_where_they_are_confirmed(tmp_path: Path) -> None:
    scene = {"after": "60h", "facts": ", paid_minor = 10000, promise_hours = 48"}
    (unconfirmed,) = played(a_file(tmp_path, "pays = 0", **scene))
    assert [] == unconfirmed.misses
    (miss,) = misses(tmp_path, "pays = -1", more="confirmed = true", **scene)
    assert "pays" == miss[0]


def test_no_scenario_sees_another(tmp_path: Path) -> None:
    order = 'order = { ship_by = "+48h", lines = [{ sku = "A", quantity = 2, stock = 3 }] }'
    one = f'[[scenario]]\nname = "n"\nafter = "1h"\n{order}\n[scenario.expect]\ncase = {{ stock_out = "none" }}\n'
    path = tmp_path / "two.toml"
    path.write_text('platform = "taobao"\n' + one + one)
    assert [[], []] == [result.misses for result in played(path)]


def test_a_hundred_scenarios_in_one_file_are_each_judged(tmp_path: Path) -> None:
    """What they cost is measured by benchmarks/bench_scenarios.py."""
    head, *parts = EXAMPLE.read_text().split("[[scenario]]")
    path = tmp_path / "many.toml"
    path.write_text(head + "".join(f"[[scenario]]{part}" for _ in range(15) for part in parts))
    assert [[]] * 105 == [result.misses for result in played(path)]


# ---- files that cannot be used


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('expect = { did = ["shipp"] }', "no step 'shipp'; known: agree_new_date"),
        ("expect = { dit = [] }", "dit"),
        ('expect = { order = "9" }', "no order '9'; known: 1"),
        ("", "expect"),
        ('order = { shipby = "+48h" }\nexpect = {}', "no fact 'shipby'; did you mean 'ship_by'?"),
        ('order = { lines = [{ skuu = "A" }] }\nexpect = {}', "did you mean 'sku'?"),
        ('order = { status = "lost" }\nexpect = {}', "status"),
        ('order = { ship_by = "+48 parsecs" }\nexpect = {}', "no duration"),
        ('then = [{ status = "shipped" }]\nexpect = {}', "say when"),
        ('then = [{ at = "+1h", event = "buyer_replied" }]\nexpect = {}', "known: buyer_reply"),
        ('at = "2026-06-01T00:00:00Z"\nexpect = {}', "give one of at"),
        ("orders = [{}]\nexpect = {}", "give one of [scenario.order]"),
        ("= 1", "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_place(cli: Cli, tmp_path: Path, text: str, told: str) -> None:
    order = "" if text.startswith("order =") else "order = {}\n"
    (tmp_path / "s.toml").write_text(f'[[scenario]]\nname = "mine"\nafter = "1h"\n{order}{text}\n')
    said = cli("policy test s.toml")
    assert (78, "", True) == (said.code, said.out, told in said.err), said.err
    assert "s.toml: " in said.err


def test_folders_hold_scenario_files_and_other_files_are_not_read(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "all" / "deep").mkdir(parents=True)
    (tmp_path / "all" / "notes.md").write_text("no")
    (tmp_path / "all" / "deep" / "a.toml").write_text(EXAMPLE.read_text())
    assert 7 == cli("policy test all --json").document["scenarios"]
    assert (65, 65) == (cli("policy test nowhere").code, cli("policy test {empty}", empty=_empty(tmp_path)).code)


def _empty(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


# ---- the command


def test_the_example_for_sellers_holds(cli: Cli) -> None:
    said = cli("policy test {example}", example=EXAMPLE)
    assert (0, True) == (said.code, said.out.startswith("7 scenarios, 0 missed"))


def test_a_miss_is_exit_1_and_shows_both_sides(cli: Cli, tmp_path: Path) -> None:
    a_file(tmp_path, 'did = ["make_good"]')
    said = cli("policy test scenarios.toml")
    assert 1 == said.code
    assert ["✗ scenarios.toml: late" in said.out, "- expected: make_good" in said.out, "+ actual:   ship" in said.out]
    told = cli("policy test scenarios.toml --json").document
    assert (1, 1, False, ["did"]) == (
        told["scenarios"], told["missed"], told["results"][0]["ok"], [m["what"] for m in told["results"][0]["misses"]]
    )  # fmt: skip


def test_another_playbook_is_tested_by_option_or_by_the_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "quiet.toml").write_text('name = "quiet"\nversion = 1\n[alerts]\nleads = ["1h"]\n')
    path = a_file(tmp_path, 'case = { late_shipment = "none" }\nalerts = 0')
    usual = path.read_text().replace('playbook = "plays.toml"', "")
    path.write_text(usual)
    assert (1, 0) == tuple(cli(f"policy test scenarios.toml{more}").code for more in ("", " --playbook quiet.toml"))
    path.write_text('playbook = "quiet.toml"\n' + usual)
    assert 0 == cli("policy test scenarios.toml").code
