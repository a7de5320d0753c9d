"""The command line as people and scripts meet it: the demo, screens in both languages, exit codes, mistakes."""

import json
import os
import re
import shlex
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rich.cells import cell_len

from daemon import cli
from daemon.cli import output, session
from rules.instant import parse

LATE = "2970000000000000101"


class Said(NamedTuple):
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's folder after its run."""
    folder = tmp_path_factory.mktemp("shops")
    assert 0 == session.run(cli.app, ["demo", str(folder / "demo")])
    return folder / "demo"


@pytest.fixture
def forestall(shops: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command line in the demo's folder."""
    monkeypatch.chdir(shops)

    def run(line: str, lang: str = "en") -> Said:
        monkeypatch.setenv("FORESTALL_LANG", lang)
        capsys.readouterr()
        return Said(session.run(cli.app, shlex.split(line)), *capsys.readouterr())

    return run


def document(said: Said) -> Any:
    assert 0 == said.code, said.err
    return json.loads(said.out)


@pytest.mark.slow
def test_the_demo_shows_what_it_did_and_leaves_only_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert 0 == session.run(cli.app, ["demo"])
    assert 0 == session.run(cli.app, ["demo"])  # made anew each time
    said = capsys.readouterr().out
    assert [tmp_path / ".demo"] == list(tmp_path.iterdir())
    for part in (
        "'5O.80' is not an amount",
        "missed the pick-up of",
        "not covered by stock: LAMP-01-WHITE",
        "time left",
    ):
        assert part in said


def test_the_demo_never_removes_another_folder(forestall: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    said = forestall(f"demo {tmp_path}")
    assert 2 == said.code
    assert "is not a demo folder" in said.err
    assert (tmp_path / "mine.txt").exists()


@pytest.mark.slow
def test_the_demo_is_not_made_live_by_the_environment(
    forestall: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FORESTALL_MODE__DEFAULT", "live")
    monkeypatch.setenv("FORESTALL_DATABASE__URL", f"sqlite:///{tmp_path}/theirs.db")
    said = forestall(f"demo {tmp_path / 'demo'}")
    assert 0 == said.code
    assert "FORESTALL_MODE__DEFAULT is left out" in said.err
    assert not (tmp_path / "theirs.db").exists()
    assert "FORESTALL_MODE__DEFAULT" not in os.environ


def test_orders_as_scripts_read_them(forestall: Any) -> None:
    orders = document(forestall("orders list --json"))["orders"]
    assert 23 == len(orders)
    wanted = ["shop", "order_id", "status", "paid_minor", "currency", "paid_at", "ship_by", "act_by", "at_risk"]
    assert all(wanted == list(order) for order in orders)
    risky = document(forestall("orders list --at-risk --json"))["orders"]
    assert [order for order in orders if order["at_risk"]] == risky
    shown = document(forestall(f"orders show {LATE} --json"))
    assert shown["order_id"] == LATE
    assert {"lines", "candidates", "cases", "flags", "platform"} <= shown.keys()


def test_the_day_as_scripts_read_it(forestall: Any, tmp_path: Path) -> None:
    screen = document(forestall("today --json"))
    cases = document(forestall("cases list --json"))["cases"]
    assert len(cases) == sum(pickup["orders"] for pickup in screen["pickups"])
    assert ["check_stock"] == [pickup["todo"] for pickup in screen["pickups"] if pickup["kind"] == "pool"]
    assert 0 == forestall(f"today --csv {tmp_path / 'day.csv'}").code
    assert f"\t{LATE}" in (tmp_path / "day.csv").read_text("utf-8-sig")


def test_why_as_scripts_read_it(forestall: Any) -> None:
    told = document(forestall(f"why {LATE} --json"))
    assert [
        "order",
        "ship_by",
        "act_by",
        "candidates",
        "rules",
        "steps",
        "choices",
        "policy",
        "alerts",
        "people",
    ] == list(told)
    assert parse(told["act_by"]) <= parse(told["ship_by"])
    (late,) = [rule for rule in told["rules"] if rule["id"] == "late_shipment"]
    assert (True, "ALREADY_LATE") == (late["fired"], late["reason"])


def test_a_case_is_acknowledged_and_a_task_is_done(forestall: Any) -> None:
    case = f"taobao-home/{LATE}/late_shipment/1"
    assert 0 == forestall(f"cases ack {case}").code
    assert "acknowledged" in forestall(f"cases show {case}").out
    assert 0 == forestall(f"tasks done {case}/ship --note sent").code
    tasks = document(forestall("tasks list --all --json"))["tasks"]
    assert ["settled"] == [task["outcome"] for task in tasks if task["key"] == f"{case}/ship"]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("line", ["today", "orders list", "cases list", "tasks list", "feeds status"])
def test_a_list_is_straight_in_both_languages(forestall: Any, line: str, lang: str) -> None:
    rows = [row for row in forestall(line, lang).out.splitlines() if row]
    (rule,) = [row for row in rows if set(row) == {"─"}]
    start = rows.index(rule)
    assert cell_len(rows[start - 1]) == cell_len(rule)
    assert cell_len(rows[start + 1]) == cell_len(rule) <= output.WIDTH


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_order_ids_stay_in_one_piece(forestall: Any, lang: str) -> None:
    rows = document(forestall("today --json"))["pickups"]
    said = forestall("today", lang)

    assert {LATE} < {row["oldest"] for row in rows} <= set(said.out.split())


@pytest.mark.parametrize(
    ("lang", "parts"),
    [
        (
            "en",
            ["→ wait and pay only if asked to: costs ¥", "who complain: 10%", "the platform deducts it by itself"],
        ),
        ("zh", ["→ 等待，被要求时再赔：预计成本 ¥", "超时后投诉的买家：10%", "PLATFORM_PAYS_ITSELF"]),
    ],
)
def test_why_compares_the_ways_out_and_names_the_guesses(forestall: Any, lang: str, parts: list[str]) -> None:
    said = forestall(f"why {LATE}", lang)
    assert [] == [part for part in parts if part not in said.out]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_today_fits_into_eighty_columns_with_every_order_id_whole(
    forestall: Any, lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = document(forestall("today --json"))["pickups"]
    monkeypatch.setattr(output, "WIDTH", 80)
    said = forestall("today", lang)

    table = said.out.split("─\n")[1].split("\n\n")[0].splitlines()
    assert [] == [line for line in table if cell_len(line) > 80]
    assert {row["oldest"] for row in rows} <= set(said.out.split())
    assert len(table) <= 3 * len(rows)


@pytest.mark.parametrize("width", [70, 80, 100])
def test_order_ids_are_whole_in_the_list_of_orders_however_narrow(
    forestall: Any, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = {row["order_id"] for row in document(forestall("orders list --open --json"))["orders"]}
    monkeypatch.setattr(output, "WIDTH", width)

    assert ids <= set(forestall("orders list", "zh").out.split())


def test_no_chinese_sentence_has_a_colon_of_half_width(forestall: Any) -> None:
    """Between two words of Chinese; after a code or a number it is the code's."""
    said = "\n".join(forestall(line, "zh").out for line in ("today", "cases list", f"why {LATE}", "health"))
    assert [] == re.findall(r".*[\u4e00-\u9fff”）]: .*", said)


@pytest.mark.parametrize("line", ["today", "cases list", "tasks list", f"why {LATE}", "feeds rejected"])
def test_chinese_readers_meet_no_english_sentences(forestall: Any, line: str) -> None:
    said = forestall(line, "zh").out
    assert any("\u4e00" <= letter <= "\u9fff" for letter in said)
    for english in ("the ", "late by", "hand over", "not usable", "nothing"):
        assert english not in said


@pytest.mark.parametrize(
    ("line", "code", "part"),
    [
        ("today -c nowhere.toml", 78, "forestall init"),
        ("why NOPE", 2, "no order NOPE is known"),
        ("orders show 2970000000000000101 --shop pdd-outlet", 2, "(pdd-outlet)"),
        (f"why {LATE} --at yesterday", 2, "2026-06-01T08:00:00+08:00"),
        (f"why {LATE} --at 2020-01-01T00:00:00Z", 2, "was not known at"),
        ("cases show nope", 2, "forestall cases list"),
        ("cases snooze nope --until soon", 2, "--until"),
        ("tasks done nope", 2, "forestall tasks list"),
        ("replay nowhere", 65, "no such file or folder"),
        ("replay forestall.toml", 65, "nothing usable"),
        ("replay inbox --step 0m", 2, "--step"),
        ("today --hours 0", 2, "help: forestall today --help"),
        ("kill maybe", 2, "'on', 'off', 'status'"),
        ("frobnicate", 2, "No such command 'frobnicate'"),
        ("db backup forestall.db", 2, "exists already"),
        ("init .", 2, "exists already"),
    ],
)
def test_a_mistake_is_told_in_a_sentence_with_its_mend(forestall: Any, line: str, code: int, part: str) -> None:
    said = forestall(line)
    assert (code, "") == (said.code, said.out)
    assert part in said.err
    assert "Traceback" not in said.err


def test_a_beginning_without_orders_says_what_to_do(forestall: Any, tmp_path: Path) -> None:
    file = tmp_path / "new" / "forestall.toml"
    assert 0 == forestall(f"init {file.parent} --yes").code
    checked = forestall(f"check -c {file}")
    assert 0 == checked.code
    assert "nobody will be told" in checked.out
    for line, part in [
        ("today", "no order has been read yet"),
        ("orders list", "no such order"),
        ("cases list", "no case is open"),
        ("tasks list", "no task is open"),
        ("feeds rejected", "no file has been read yet: shop1"),
    ]:
        said = forestall(f"{line} -c {file}")
        assert (0, True) == (said.code, part in said.out), said


def test_the_version_is_told_and_nothing_else(forestall: Any) -> None:
    said = forestall("--version")
    assert (0, f"forestall {version('forestall')}\n", "") == (said.code, said.out, said.err)


def test_help_is_complete_and_short(forestall: Any) -> None:
    assert "  demo " in forestall("--help").out
    group = forestall("cases")
    assert 2 == group.code
    assert "takeover" in group.out + group.err
