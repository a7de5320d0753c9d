"""Reading recorded files: which shop a row belongs to, which zone it is in, what could not be used."""

import gzip
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from daemon import config
from daemon.errors import NoInput
from daemon.recording import Recording, record
from rules.instant import parse

MORNING = "2026-06-01T08:00:00+08:00"


def a_line(order_id: str = "1", **facts: Any) -> dict[str, Any]:
    return {"observed_at": MORNING, "shop": "north", "order_id": order_id, "status": "paid", **facts}


def a_file(path: Path, *lines: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(line) if isinstance(line, dict) else line}\n" for line in lines))
    return path


def recorded(*roots: Path, text: str | None = None, observed_at: int | None = None) -> Recording:
    settings = config.parse(tomllib.loads(text), roots[0].parent / "forestall.toml") if text is not None else None
    return record(roots, settings, observed_at)


def test_good_and_bad_lines_are_counted_apart(tmp_path: Path) -> None:
    made = recorded(a_file(tmp_path / "a.jsonl", a_line("1"), "{", a_line("2"), a_line("2", status="lost")))

    assert ({("north", "1"), ("north", "2")}, 2, 2) == (made.orders, made.snapshots, len(made.rejected))


def test_a_bad_line_is_named_with_file_line_and_mend(tmp_path: Path) -> None:
    (bad,) = recorded(a_file(tmp_path / "a.jsonl", a_line(), "{")).rejected

    assert ("a.jsonl", 2) == (bad.source, bad.line)
    assert bad.reason
    assert bad.mend


def test_files_are_read_in_name_order_and_packed_ones_too(tmp_path: Path) -> None:
    a_file(tmp_path / "b" / "2.jsonl", a_line("2"))
    a_file(tmp_path / "a" / "1.jsonl", a_line("1"))
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(json.dumps(a_line("3")).encode() + b"\n"))

    played = [one.order_id for one in recorded(tmp_path).tape.play()]  # type: ignore[union-attr]

    assert ["1", "2", "3"] == played


def test_a_shop_nobody_configured_takes_the_platform_of_its_records(tmp_path: Path) -> None:
    made = recorded(
        a_file(tmp_path / "a.jsonl", a_line(platform="taobao"), a_line(shop="east", platform="jd"), a_line(shop="west"))
    )

    assert {"north": "taobao", "east": "jd", "west": "generic"} == made.platforms


def test_a_platform_that_only_a_later_line_names_is_the_shops(tmp_path: Path) -> None:
    made = recorded(a_file(tmp_path / "a.jsonl", a_line("1"), a_line("2", platform="taobao"), a_line("3")))

    assert {"north": "taobao"} == made.platforms


def test_an_export_says_its_platform_by_its_headers(tmp_path: Path) -> None:
    file = a_file(tmp_path / "orders202606011800.csv", "订单号,订单状态,拼单成功时间", "1,待发货,2026-06-01 08:00:00")

    assert {"pinduoduo": "pinduoduo"} == recorded(file, observed_at=parse(MORNING)).platforms


def test_the_first_problem_is_named_with_its_line_where_nothing_is_usable(tmp_path: Path) -> None:
    with pytest.raises(NoInput, match=r"a\.jsonl:1: .*→"):
        recorded(a_file(tmp_path / "a.jsonl", a_line(status="PAID")))


def test_local_times_of_a_chinese_platform_are_in_shanghai(tmp_path: Path) -> None:
    made = recorded(a_file(tmp_path / "a.jsonl", a_line(platform="jd", observed_at="2026-06-01 08:00:00")))

    assert parse(MORNING) == made.tape.first


def test_local_times_of_any_other_shop_are_refused(tmp_path: Path) -> None:
    made = recorded(a_file(tmp_path / "a.jsonl", a_line(), a_line("2", observed_at="2026-06-01 08:00:00")))

    assert (1, 1) == (made.snapshots, len(made.rejected))


def test_a_configured_shop_refuses_lines_of_another_platform(tmp_path: Path) -> None:
    file = a_file(tmp_path / "a.jsonl", a_line("1", platform="taobao"), a_line("2", platform="jd"))
    made = recorded(file, text='[shops.north]\nplatform = "taobao"\npath = "inbox"\n')

    (bad,) = made.rejected
    assert "the line says platform 'jd', but shop north is on taobao" == bad.reason


def test_a_configured_shop_reads_local_times_in_its_own_zone(tmp_path: Path) -> None:
    file = a_file(tmp_path / "a.jsonl", a_line(observed_at="2026-06-01 08:00:00"))
    made = recorded(file, text='[shops.north]\nplatform = "generic"\npath = "inbox"\ntimezone = "America/Sao_Paulo"\n')

    assert parse("2026-06-01T08:00:00-03:00") == made.tape.first


def test_rows_without_a_time_take_the_time_given(tmp_path: Path) -> None:
    made = recorded(a_file(tmp_path / "a.csv", "shop,order_id,status", "north,1,paid"), observed_at=parse(MORNING))

    assert parse(MORNING) == made.tape.first


def test_rows_without_any_time_are_not_usable(tmp_path: Path) -> None:
    with pytest.raises(NoInput, match=r"nothing usable in 1 files; the first problem: a\.csv"):
        recorded(a_file(tmp_path / "a.csv", "shop,order_id,status", "north,1,paid"))


def test_a_folder_without_files_has_nothing_usable(tmp_path: Path) -> None:
    with pytest.raises(NoInput, match="nothing usable in 0 files") as refused:
        recorded(tmp_path)

    assert 65 == refused.value.exit_code


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoInput, match="nowhere: no such file or folder"):
        recorded(tmp_path / "nowhere")


def test_a_file_in_the_folder_of_a_shop_belongs_to_it(tmp_path: Path) -> None:
    file = a_file(tmp_path / "inbox" / "2026-06-01_0800.csv", "order_id,status,paid", "7,paid,12.50")
    columns = 'order_id = "order_id"\nstatus = "status"\npaid_minor = { column = "paid", unit = "major" }\n'
    shop = f'[shops.south]\nplatform = "generic"\npath = "inbox"\ntimezone = "UTC"\n[shops.south.columns]\n{columns}'
    settings = config.parse(tomllib.loads(shop), tmp_path / "forestall.toml")

    assert {("south", "7")} == record([file], settings).orders


def test_a_tape_plays_in_order_of_time_and_ties_as_they_were_read(tmp_path: Path) -> None:
    late = a_line("late", observed_at="2026-06-01T09:00:00+08:00")
    made = recorded(a_file(tmp_path / "a.jsonl", late, a_line("2"), a_line("1")))

    assert ["2", "1", "late"] == [one.order_id for one in made.tape.play()]  # type: ignore[union-attr]
