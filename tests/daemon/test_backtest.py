"""`policy backtest` and `policy diff`: a playbook judged by what became of recorded orders, and against another."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rules.instant import DAY, HOUR, format_utc, parse
from tests.daemon.commands import Said

Cli = Callable[..., Said]
START = parse("2026-06-01T08:00:00+08:00")
DUE = START + 2 * DAY
END = START + 9 * DAY
REMIND = 'name = "remind"\nversion = 1\n[alerts]\nleads = ["24h"]\n'
ASK = REMIND.replace("remind", "ask") + '[[late_shipment.steps]]\nname = "ask"\naction = "negotiate"\nlead = "12h"\n'


def line(order_id: str, at: int, **facts: Any) -> dict[str, Any]:
    times = {name: format_utc(value) for name, value in facts.items() if name.endswith(("_at", "_by")) and value}
    return {
        "observed_at": format_utc(at), "shop": "north", "platform": "taobao", "order_id": order_id, **facts, **times
    }  # fmt: skip


def paid(order_id: str, at: int = START, **facts: Any) -> dict[str, Any]:
    ordinary = {"status": "paid", "paid_at": START, "ship_by": DUE, "paid_minor": 10000, "currency": "CNY"}
    return line(order_id, at, **{**ordinary, **facts})


def shipped(order_id: str, at: int, **facts: Any) -> dict[str, Any]:
    return line(order_id, at, status="shipped", **{"shipped_at": at, **facts})


def recording(folder: Path, *lines: dict[str, Any], end: int = END) -> None:
    """A recording that goes on to `end`: another order of the shop, cancelled unpaid, is told then."""
    last = line("last", end, status="cancelled")
    told = sorted([*lines, last], key=lambda one: one["observed_at"])
    (folder / "r.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told))
    (folder / "remind.toml").write_text(REMIND)
    (folder / "ask.toml").write_text(ASK)


def words(cli: Cli, playbook: str) -> dict[str, list[str]]:
    document = cli("policy backtest r.jsonl --playbook {p} --json", p=playbook).document
    return {
        word: [one["order_id"] for one in document[word]["list"]]
        for word in ("helped", "wasted", "missed", "unchanged")
        if document[word]["list"]
    }


def test_each_order_gets_the_word_its_life_deserves(cli: Cli, tmp_path: Path) -> None:
    recording(
        tmp_path,
        *(paid("late"), shipped("late", DUE + HOUR)),
        *(paid("asked-for-nothing"), shipped("asked-for-nothing", DUE - HOUR)),
        *(paid("early"), shipped("early", START + HOUR)),
        *(paid("told-too-late", at=DUE + HOUR), shipped("told-too-late", DUE + 2 * HOUR)),
    )
    wanted = {
        "helped": ["late"],
        "wasted": ["asked-for-nothing"],
        "missed": ["told-too-late"],
        "unchanged": ["early"],
    }
    assert wanted == words(cli, "ask.toml")


def test_telling_only_the_seller_wastes_nothing_and_can_help(cli: Cli, tmp_path: Path) -> None:
    recording(
        tmp_path, paid("late"), shipped("late", DUE + HOUR), paid("in-time"), shipped("in-time", DUE - HOUR)
    )  # fmt: skip
    assert {"helped": ["late"], "unchanged": ["in-time"]} == words(cli, "remind.toml")
    document = cli("policy backtest r.jsonl --playbook remind.toml --json").document
    assert (1, 1) == (document["helped"]["told"], document["unchanged"]["told"])


@pytest.mark.parametrize(("after", "word"), [(0, "unchanged"), (1_000_000, "helped")])
def test_late_begins_after_the_deadline(cli: Cli, tmp_path: Path, after: int, word: str) -> None:
    recording(tmp_path, paid("1"), shipped("1", DUE + after))
    assert {word: ["1"]} == words(cli, "remind.toml")


def test_an_order_that_is_never_shipped_is_late_as_far_as_the_recording_goes(cli: Cli, tmp_path: Path) -> None:
    recording(tmp_path, paid("1"))
    assert {"helped": ["1"]} == words(cli, "remind.toml")


def test_a_scan_counts_where_the_feed_knows_it(cli: Cli, tmp_path: Path) -> None:
    recording(
        tmp_path, paid("1", collected_at=None), shipped("1", DUE - HOUR), line("1", DUE + HOUR, collected_at=DUE + HOUR)
    )
    assert {"helped": ["1"]} == words(cli, "remind.toml")


@pytest.mark.parametrize(
    ("lines", "end", "why"),
    [
        ([paid("1", status="unpaid")], END, "never_owed"),
        ([paid("1"), line("1", START + HOUR, status="cancelled")], END, "closed_unshipped"),
        ([paid("1")], DUE - HOUR, "recording_ends"),
        ([paid("1"), shipped("1", DUE + HOUR, shipped_at=None)], END, "time_unknown"),
    ],
)
def test_what_the_recording_does_not_tell_is_not_judged(
    cli: Cli, tmp_path: Path, lines: list[dict[str, Any]], end: int, why: str
) -> None:
    recording(tmp_path, *lines, end=end)
    document = cli("policy backtest r.jsonl --playbook remind.toml --json").document
    assert {"never_owed": 1, why: 1 + (why == "never_owed")} == document["not_judged"]


def test_cancelled_after_it_was_seen_late_is_late(cli: Cli, tmp_path: Path) -> None:
    recording(tmp_path, paid("1"), paid("1", at=DUE + HOUR), line("1", DUE + DAY, status="cancelled"))
    assert {"helped": ["1"]} == words(cli, "remind.toml")


def test_money_is_what_the_platform_would_have_charged(cli: Cli, tmp_path: Path) -> None:
    recording(
        tmp_path, paid("late"), shipped("late", DUE + HOUR), paid("blind", at=DUE + 1), shipped("blind", DUE + DAY)
    )
    document = cli("policy backtest r.jsonl --playbook remind.toml --json").document
    stake = document["helped"]["list"][0]["stake_minor"]
    assert stake > 0
    assert ({"CNY": stake}, {"CNY": stake}) == (document["helped"]["money_minor"], document["missed"]["money_minor"])
    assert ({}, {}) == (document["wasted"]["money_minor"], document["unchanged"]["money_minor"])


def test_a_table_names_the_orders_behind_each_number(cli: Cli, tmp_path: Path) -> None:
    lines = [one for n in range(7) for one in (paid(f"late-{n}"), shipped(f"late-{n}", DUE + HOUR))]
    recording(tmp_path, *lines)
    said = cli("policy backtest r.jsonl --playbook remind.toml")
    row = next(one for one in said.out.splitlines() if one.startswith("helped"))
    assert (True, False) == ("late-4" in row, "late-5" in row)
    assert "late-6" in cli("policy backtest r.jsonl --playbook remind.toml --most 9").out


# ---- diff


def test_a_difference_is_told_for_each_order(cli: Cli, tmp_path: Path) -> None:
    recording(tmp_path, paid("late"), shipped("late", DUE + HOUR), paid("early"), shipped("early", START + HOUR))
    document = cli("policy diff remind.toml ask.toml r.jsonl --json").document
    assert ["late"] == [one["order_id"] for one in document["orders"]]
    (change,) = document["orders"][0]["changes"]
    assert ("ask", None, format_utc(DUE - 12 * HOUR)) == (change["step"], change["a"], change["b"]["at"])
    assert ("remind@1", "ask@1", 1) == (
        document["a"]["playbook"], document["b"]["playbook"], document["b"]["actions"]["negotiate"]
    )  # fmt: skip
    said = cli("policy diff remind.toml ask.toml r.jsonl")
    assert ["late [north]", f"  late_shipment/1 ask: – → {format_utc(DUE - 12 * HOUR)}"] == said.out.splitlines()[:2]


def test_the_same_playbook_changes_nothing(cli: Cli, tmp_path: Path) -> None:
    recording(tmp_path, paid("late"), shipped("late", DUE + HOUR))
    document = cli("policy diff ask.toml ask.toml r.jsonl --json").document
    assert ([], {}) == (document["orders"], document["money_minor"])


def test_a_step_that_moves_is_a_change(cli: Cli, tmp_path: Path) -> None:
    recording(tmp_path, paid("late"), shipped("late", DUE + HOUR))
    (tmp_path / "sooner.toml").write_text(ASK.replace('lead = "12h"', 'lead = "20h"'))
    (change,) = cli("policy diff ask.toml sooner.toml r.jsonl --json").document["orders"][0]["changes"]
    assert (format_utc(DUE - 12 * HOUR), format_utc(DUE - 20 * HOUR)) == (change["a"]["at"], change["b"]["at"])


def test_a_step_that_both_leave_out_for_the_same_reason_is_no_change(cli: Cli, tmp_path: Path) -> None:
    told = line("late", START + HOUR)
    agreed = {**told, "event": "date_agreed", "at": told["observed_at"]}
    recording(tmp_path, paid("late"), shipped("late", DUE + HOUR), agreed)
    pay = '[[late_shipment.steps]]\nname = "pay"\naction = "compensate"\nafter = "{after}"\n'
    for name, after in (("at-once", "0m"), ("later", "30m")):
        (tmp_path / f"{name}.toml").write_text(REMIND + pay.format(after=after))
    document = cli("policy diff at-once.toml later.toml r.jsonl --json").document
    assert ([], 0) == (document["orders"], document["b"]["actions"].get("compensate", 0))


def test_a_wrong_playbook_is_78_one_that_is_not_there_2_and_nothing_usable_65(cli: Cli, tmp_path: Path) -> None:
    recording(tmp_path, paid("1"))
    (tmp_path / "bad.toml").write_text("name = 1")
    (tmp_path / "empty.jsonl").write_text("")
    assert 78 == cli("policy diff ask.toml bad.toml r.jsonl").code
    assert 2 == cli("policy backtest r.jsonl --playbook nowhere.toml").code
    assert 65 == cli("policy backtest empty.jsonl").code
