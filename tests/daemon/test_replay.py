"""`forestall replay`: recorded orders through the production engine, the same bytes whatever the step."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daemon.lines import sort_key
from rules.instant import HOUR, format_utc, parse
from tests.daemon.commands import Said

Cli = Callable[..., Said]
START = parse("2026-06-01T08:00:00+08:00")


def at(hours: float) -> str:
    return format_utc(START + int(hours * HOUR))


def an_order(order_id: str, hours: float = 0, **facts: Any) -> dict[str, Any]:
    ordinary = {
        "observed_at": at(hours),
        "shop": "north",
        "platform": "taobao",
        "order_id": order_id,
        "status": "paid",
        "paid_at": at(0),
        "ship_by": at(48),
        "paid_minor": 15000,
        "currency": "CNY",
    }
    return {**ordinary, **facts}


STOCKED = [{"line_id": "1", "sku": "A-1", "listing_id": "L9", "quantity": 2, "stock": 5}]
ORDERS = [
    an_order("1"),
    an_order("2", 1, ship_by=at(30)),
    an_order("3", 2.5, shop="east", platform="pinduoduo"),
    an_order("2", 20, status="shipped", shipped_at=at(20)),
    an_order("1", 50, flags=["urged"]),
    {"observed_at": at(26), "shop": "north", "order_id": "1", "event": "buyer_reply", "at": at(26)},
]
WITH_STOCK = [
    *(an_order(str(n), n / 7, lines=STOCKED, ship_by=at(40 + n)) for n in range(6)),
    {"observed_at": at(9), "shop": "north", "sku": "A-1", "listing_id": "L9", "stock": 3},
    an_order("0", 12, status="shipped", shipped_at=at(12)),
    {"observed_at": at(33), "shop": "north", "sku": "A-1", "listing_id": "L9", "stock": 30},
]


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    return written(tmp_path / "tape.jsonl", ORDERS)


def written(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def replayed(cli: Cli, tape: Path, more: str = "") -> list[dict[str, Any]]:
    """The decision lines of a replay."""
    said = cli("replay {tape} --out lines.jsonl --json " + more, tape=tape)
    assert 0 == said.code, said.err
    return [json.loads(line) for line in Path("lines.jsonl").read_text().splitlines()]


def test_a_replay_needs_no_configuration(cli: Cli, tape: Path) -> None:
    said = cli("replay {tape} --json", tape=tape)

    assert (0, 3, 5) == (said.code, said.document["orders"], said.document["snapshots"])
    assert {"late_shipment": 3} == said.document["cases"]


def test_every_row_that_could_not_be_used_is_named(cli: Cli, tape: Path) -> None:
    tape.write_text(tape.read_text() + "{\n" * 60)

    said = cli("replay {tape} --json", tape=tape)

    assert 60 == said.document["quarantined"]
    assert (50, True) == (said.err.count("tape.jsonl:"), "… and 10 more" in said.err)


def test_a_place_that_cannot_be_written_is_told_before_time_moves(cli: Cli, tape: Path, tmp_path: Path) -> None:
    said = cli("replay {tape} --out {file}", tape=tape, file=tmp_path / "nowhere" / "lines")

    assert (69, "") == (said.code, said.out)
    assert "cannot be written" in said.err


def test_time_that_would_run_backwards_is_a_mistake_of_usage(cli: Cli, tape: Path) -> None:
    assert 2 == cli("replay {tape} --from 2026-07-01T00:00:00Z --until 2026-06-01T00:00:00Z", tape=tape).code


def test_a_replay_leaves_nothing_behind(cli: Cli, tape: Path, tmp_path: Path) -> None:
    cli("replay {tape} --json", tape=tape)

    assert [tape] == list(tmp_path.iterdir())


def test_nothing_is_performed_whatever_the_configuration_says(cli: Cli, tape: Path, tmp_path: Path) -> None:
    (tmp_path / "forestall.toml").write_text(
        '[mode]\ndefault = "live"\n[shops.north]\nplatform = "taobao"\nfeed = "memory"\n'
    )

    outcomes = {line["outcome"] for line in replayed(cli, tape) if line["event"] == "action"}

    assert {"shadow"} == outcomes


@pytest.mark.slow
@pytest.mark.parametrize("records", [pytest.param(ORDERS, id="orders"), pytest.param(WITH_STOCK, id="stock")])
def test_the_step_changes_no_byte(cli: Cli, tmp_path: Path, records: list[dict[str, Any]]) -> None:
    tape = written(tmp_path / "tape.jsonl", records)
    seen = set()
    for step in ("1m", "1h", "6h", "5d"):
        replayed(cli, tape, f"--step {step}")
        seen.add(Path("lines.jsonl").read_bytes())

    assert 1 == len(seen)
    assert seen.pop()


def test_the_order_of_files_and_lines_changes_no_byte_where_times_differ(cli: Cli, tmp_path: Path) -> None:
    forth = replayed(cli, written(tmp_path / "forth.jsonl", ORDERS))
    back = replayed(cli, written(tmp_path / "back.jsonl", ORDERS[::-1]))

    assert forth == back


def test_the_digest_is_over_the_bytes_of_the_lines(cli: Cli, tape: Path, tmp_path: Path) -> None:
    said = cli("replay {tape} --out lines.jsonl --json", tape=tape)

    assert hashlib.sha256((tmp_path / "lines.jsonl").read_bytes()).hexdigest() == said.document["decisions_sha256"]


def test_lines_are_sorted_and_compact(cli: Cli, tape: Path, tmp_path: Path) -> None:
    lines = replayed(cli, tape)
    raw = (tmp_path / "lines.jsonl").read_bytes()

    assert sorted(lines, key=sort_key) == lines
    assert raw.endswith(b"}\n")
    assert b'": ' not in raw
    assert b"\r" not in raw


def test_a_line_has_the_keys_of_the_contract_in_their_order(cli: Cli, tape: Path) -> None:
    keys = (
        "at shop order_id cause members case event action step key reason ship_by act_by amount_minor currency "
        "template channel outcome pack playbook"
    )

    assert [keys.split()] * 3 == [list(line) for line in replayed(cli, tape)[:3]]


def test_bad_lines_are_counted_and_the_exit_code_is_zero(cli: Cli, tape: Path) -> None:
    with tape.open("a") as file:
        file.write("{\nnonsense\n")

    said = cli("replay {tape} --json", tape=tape)

    assert (0, 2) == (said.code, said.document["quarantined"])


def test_nothing_usable_is_exit_code_65(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("nonsense\n")

    said = cli("replay bad.jsonl --json")

    assert (65, "") == (said.code, said.out)
    assert "nothing usable in 1 files" in said.err


def test_from_takes_older_facts_as_known_from_the_start(cli: Cli, tape: Path) -> None:
    lines = replayed(cli, tape, f"--from {at(26)}")

    assert {at(26)} == {line["at"] for line in lines[:1]}
    assert all(line["at"] >= at(26) for line in lines)


def test_until_ends_the_story_and_counts_what_is_pending(cli: Cli, tape: Path) -> None:
    said = cli("replay {tape} --out lines.jsonl --json --until {until}", tape=tape, until=at(25))
    lines = [json.loads(line) for line in Path("lines.jsonl").read_text().splitlines()]

    assert all(line["at"] <= at(25) for line in lines)
    assert said.document["pending"] > 0


def test_by_default_a_replay_goes_on_for_three_days_after_the_last_deadline(cli: Cli, tape: Path) -> None:
    last = replayed(cli, tape, f"--until {at(48 + 72 + 2)}")

    assert last == replayed(cli, tape)


def test_observed_at_is_for_rows_without_a_time(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"shop,order_id,status,paid_at,ship_by\nnorth,1,paid,{at(0)},{at(3)}\n")

    without = cli("replay a.csv")
    given = cli("replay a.csv --json --observed-at {at}", at=at(0))

    assert (65, 0) == (without.code, given.code)
    assert {"late_shipment": 1} == given.document["cases"]


@pytest.mark.parametrize(
    "options", ["--step 0m", "--step soon", "--step=-1h", "--from yesterday", "--until 2026-06-31T08:00:00"]
)
def test_an_option_without_meaning_is_a_mistake_of_usage(cli: Cli, tape: Path, options: str) -> None:
    said = cli("replay {tape} " + options, tape=tape)

    assert (2, "") == (said.code, said.out)
    assert options.split("=")[0].split()[0] in said.err


def test_a_configuration_that_was_named_must_exist(cli: Cli, tape: Path) -> None:
    assert 78 == cli("replay {tape} -c nowhere.toml", tape=tape).code


def test_an_unknown_shop_has_the_zone_and_pack_of_its_platform(cli: Cli, tape: Path) -> None:
    packs = {line["shop"]: line["pack"].partition("@")[0] for line in replayed(cli, tape) if line["order_id"]}

    assert {"north": "taobao", "east": "pinduoduo"} == packs


def test_people_read_a_summary(cli: Cli, tape: Path) -> None:
    said = cli("replay {tape}", tape=tape)

    assert 0 == said.code
    assert "3 orders" in said.out


def test_a_platform_may_stand_in_the_lines_as_people_call_it(cli: Cli, tmp_path: Path) -> None:
    paid = '"status":"paid","paid_at":"2026-06-01T07:58:00+08:00"'
    line = f'{{{{"observed_at":"2026-06-01T08:00:00+08:00","shop":"n","platform":"{{}}","order_id":"1",{paid}}}}}\n'
    said = []
    for name in ("pinduoduo", "拼多多", "PDD"):
        (tmp_path / "a.jsonl").write_text(line.format(name))
        said.append(cli("replay a.jsonl --json").document)

    assert 1 == len({one["decisions_sha256"] for one in said})
    assert {"late_shipment": 1} == said[0]["cases"]
