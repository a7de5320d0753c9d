"""Commands without a daemon: they take the lock themselves. Exit codes, one JSON document, and what each leaves."""

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Page
from adapters.memory import feed_box
from daemon import clock
from daemon.store.database import open_database
from rules.instant import HOUR, format_utc, parse
from tests import databases
from tests.daemon.builders import a_snapshot
from tests.daemon.commands import Said

Cli = Callable[..., Said]
TEXT = """
[mode]
default = "shadow"
task = "live"
[shops.north]
platform = "taobao"
feed = "memory"
[shops.south]
platform = "jd"
feed = "memory"
"""


def order(order_id: str, at: int | None = None, shop: str = "north", **facts: Any) -> None:
    """Let a shop say an order that must be shipped within three hours from now, as it was `at` (now)."""
    now = clock.now()
    times = {"paid_at": now - HOUR, "ship_by": now + 3 * HOUR}
    feed_box(shop).push(Page(records=[a_snapshot(order_id, at=at or now, shop=shop, **{**times, **facts})]))


@pytest.fixture
def folder(tmp_path: Path, cli: Cli, boxes: None) -> Path:
    """An installation with an empty database."""
    (tmp_path / "forestall.toml").write_text(TEXT)
    databases.put(tmp_path / "forestall.db")
    return tmp_path


@pytest.fixture
def held(folder: Path) -> Iterator[None]:
    """Another program holds the database, and answers nobody."""
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield
    os.close(descriptor)


# ---- tick


def test_a_pass_is_told_in_numbers(cli: Cli, folder: Path) -> None:
    order("1")

    said = cli("tick --json")

    assert {"polled", "decided", "dispatched", "at_risk", "new_tasks", "unwatched"} < set(said.document)
    assert 0 == said.code
    assert 2 == said.document["polled"]


def test_a_pretended_pass_forces_shadow(cli: Cli, folder: Path) -> None:
    order("1")

    cli("tick --at {at}", at=format_utc(clock.now() + 60_000_000))

    assert [] == cli("tasks list --json").document["tasks"]
    assert 1 == len(cli("cases list --json").document["cases"])


def test_a_pretended_pass_leaves_alone_a_database_where_something_was_live(cli: Cli, folder: Path) -> None:
    order("1")
    cli("tick")

    said = cli("tick --at 2026-06-01T08:00:00Z")

    assert (2, "") == (said.code, said.out)


def test_a_pretended_pass_knows_nothing_that_came_later(cli: Cli, folder: Path) -> None:
    order("1")

    cli("tick --at 2020-01-01T00:00:00Z")

    assert [] == cli("orders list --json").document["orders"]


def test_a_pretended_pass_can_be_repeated(cli: Cli, folder: Path) -> None:
    order("1")
    at = format_utc(clock.now() + 60_000_000)

    assert (0, 0) == (cli("tick --at {at}", at=at).code, cli("tick --at {at}", at=at).code)


def test_a_moment_is_read_in_the_zone_that_all_shops_share(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/Sao_Paulo")
    at = parse("2026-06-01T08:00:00+08:00")
    order("1", at, paid_at=at - HOUR, ship_by=at + HOUR)

    cli("tick --at '2026-06-01 07:59'")

    assert [] == cli("orders list --all --json").document["orders"]


@pytest.mark.parametrize("text", ["noon", "2026-06-31 08:00", "2026-13-01T00:00:00Z"])
def test_a_moment_that_is_none_is_a_mistake_of_usage(cli: Cli, folder: Path, text: str) -> None:
    said = cli("tick --at {text}", text=text)

    assert 2 == said.code
    assert "--at" in said.err


# ---- exit codes


EVERYTHING = [
    "orders list", "orders show 1", "cases list", "cases show x", "why 1", "tasks list", "feeds status",
    "feeds rejected", "today", "db current", "kill status", "policy show",
]  # fmt: skip


@pytest.mark.parametrize("line", [line for line in EVERYTHING if line != "kill status"])
def test_another_program_that_holds_the_database_is_75(cli: Cli, held: None, line: str) -> None:
    said = cli(line)

    assert (75, "") == (said.code, said.out)
    assert "another Forestall process holds the database" in said.err


@pytest.mark.parametrize("line", EVERYTHING)
def test_a_configuration_that_is_missing_is_78(cli: Cli, line: str) -> None:
    said = cli(line)

    assert (78, "") == (said.code, said.out)
    assert "forestall.toml" in said.err


@pytest.mark.parametrize("line", [line for line in EVERYTHING if line not in ("kill status", "db current")])
def test_a_database_without_a_schema_is_78(cli: Cli, tmp_path: Path, line: str) -> None:
    (tmp_path / "forestall.toml").write_text(TEXT)
    said = cli(line)

    assert 78 == said.code
    assert "forestall db upgrade" in said.err


def test_a_database_that_cannot_be_reached_is_69(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "forestall.toml").write_text('[database]\nurl = "sqlite:///nowhere/forestall.db"\n')

    assert 69 == cli("orders list").code


@pytest.mark.parametrize("line", ["frobnicate", "orders", "orders show", "orders list --shops x", "cases snooze x"])
def test_a_command_line_without_meaning_is_2(cli: Cli, folder: Path, line: str) -> None:
    assert 2 == cli(line).code


@pytest.mark.parametrize(
    "line",
    [
        *("orders show nobody", "why nobody", "cases show nobody", "cases ack nobody", "tasks done nobody"),
        *("orders list --shop nobody", "cases list --shop nobody", "tasks list --shop nobody"),
        *("feeds rejected --shop nobody", "health --shop nobody"),
    ],
)
def test_a_name_nobody_knows_is_2(cli: Cli, folder: Path, line: str) -> None:
    said = cli(line)

    assert (2, "") == (said.code, said.out)
    assert "nobody" in said.err


@pytest.mark.parametrize("line", ["today --csv {file}", "db backup {file}"])
def test_a_file_that_cannot_be_written_is_69_and_says_why(cli: Cli, folder: Path, line: str) -> None:
    said = cli(line, file=folder / "nowhere" / "file")

    assert 69 == said.code
    assert f"{folder / 'nowhere' / 'file'}: cannot be written (" in said.err


def test_an_order_in_several_shops_is_2_and_names_the_candidates(cli: Cli, folder: Path) -> None:
    order("1", shop="north")
    order("1", shop="south")
    cli("tick")

    for line in ("orders show 1", "why 1"):
        said = cli(line)
        assert 2 == said.code
        assert "north, south" in said.err
        assert "--shop" in said.err


def test_an_order_in_several_shops_is_found_by_its_shop(cli: Cli, folder: Path) -> None:
    order("1", shop="north")
    order("1", shop="south")
    cli("tick")

    assert "south" == cli("orders show 1 --shop south --json").document["shop"]


# ---- one document


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("orders list --json", {"orders"}),
        ("cases list --json", {"cases"}),
        ("tasks list --json", {"tasks"}),
        ("feeds status --json", {"feeds"}),
        ("feeds rejected --json", {"rejected"}),
        ("today --json", {"now", "hours", "pickups", "open_tasks"}),
        ("why 1 --json", {"order", "ship_by", "act_by", "candidates", "rules", "steps"}),
        ("db current --json", {"current", "head"}),
        ("kill status --json", {"kill", "by", "at"}),
        ("check --json", {"problems", "warnings"}),
    ],
)
def test_json_is_one_document(cli: Cli, folder: Path, line: str, keys: set[str]) -> None:
    order("1")
    cli("tick")

    said = cli(line)

    assert keys <= set(said.document)
    assert 1 == said.out.count("\n")


def test_an_order_in_json_has_the_keys_of_the_contract(cli: Cli, folder: Path) -> None:
    order("1")
    cli("tick")

    (listed,) = cli("orders list --json").document["orders"]

    keys = {"shop", "order_id", "status", "paid_minor", "currency", "paid_at", "ship_by", "act_by", "at_risk"}
    assert keys <= set(listed)
    assert listed["at_risk"] is True


def test_scripts_see_all_orders_and_people_the_open_ones(cli: Cli, folder: Path) -> None:
    order("open")
    order("done-9", status="completed")
    cli("tick")

    everything = [found["order_id"] for found in cli("orders list --json").document["orders"]]
    opened = [found["order_id"] for found in cli("orders list --json --open").document["orders"]]

    assert (["done-9", "open"], ["open"]) == (sorted(everything), opened)
    assert "done-9" not in cli("orders list").out


def test_a_feed_in_json_has_the_keys_of_the_contract(cli: Cli, folder: Path) -> None:
    cli("tick")

    feeds = cli("feeds status --json").document["feeds"]

    keys = {"shop", "last_success", "watermark", "lag_s", "quarantined", "error"}
    assert [("north", True), ("south", True)] == [(feed["shop"], keys <= set(feed)) for feed in feeds]


# ---- people's hands


def test_a_task_is_done_once(cli: Cli, folder: Path) -> None:
    order("1")
    cli("tick")
    (task, *_) = cli("tasks list --json").document["tasks"]

    done = cli("tasks done {key} --note packed", key=task["key"])
    again = cli("tasks done {key}", key=task["key"])

    assert (0, 0) == (done.code, again.code)
    assert "was so before" in again.out
    assert task["key"] not in [open_one["key"] for open_one in cli("tasks list --json").document["tasks"]]


def test_a_task_leaves_the_list_with_its_case(cli: Cli, folder: Path) -> None:
    order("1")
    cli("tick")
    before = cli("tasks list --json").document["tasks"]

    cli("cases resolve north/1/late_shipment/1")

    assert (["ship"], []) == ([task["step"] for task in before], cli("tasks list --json").document["tasks"])
    assert 0 == cli("today --json").document["open_tasks"]


def test_a_task_says_how_old_what_it_says_is(cli: Cli, folder: Path) -> None:
    seen = clock.now() - HOUR
    order("1", seen)
    cli("tick")

    (task,) = cli("tasks list --json").document["tasks"]

    assert format_utc(seen) == task["as_of"]


def test_a_case_is_acknowledged_snoozed_taken_over_and_resolved(cli: Cli, folder: Path) -> None:
    order("1")
    cli("tick")
    key = "north/1/late_shipment/1"

    codes = [
        cli(f"cases ack {key}").code,
        cli(f"cases snooze {key} --until 2099-01-01T00:00:00Z").code,
        cli(f"cases takeover {key}").code,
        cli(f"cases resolve {key}").code,
        cli(f"cases resolve {key}").code,
    ]

    assert [0, 0, 0, 0, 0] == codes
    assert [] == cli("cases list --json").document["cases"]


# ---- kill


def test_the_kill_switch_goes_on_and_off(cli: Cli, folder: Path) -> None:
    told = [cli(f"kill {state} --json").document["kill"] for state in ("status", "on", "status", "off", "status")]

    assert ["off", "on", "on", "off", "off"] == told


def test_the_kill_switch_says_who_turned_it(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "mei")
    assert None is cli("kill status --json").document["by"]
    for state in ("on", "status", "off"):
        assert " (mei, today " in cli(f"kill {state}").out
    assert "mei" == cli("kill status --json").document["by"]


def test_the_kill_switch_works_with_the_database_gone(cli: Cli, folder: Path) -> None:
    (folder / "forestall.toml").write_text('[database]\nurl = "postgresql+psycopg://127.0.0.1:9/none"\n')

    said = cli("kill on --json")

    assert (0, "on") == (said.code, said.document["kill"])
    assert (folder / "forestall.kill").exists()
    assert "on" == cli("kill status --json").document["kill"]


def test_the_kill_switch_is_not_taken_off_with_the_database_gone(cli: Cli, folder: Path) -> None:
    (folder / "forestall.toml").write_text('[database]\nurl = "postgresql+psycopg://127.0.0.1:9/none"\n')
    cli("kill on")

    assert 69 == cli("kill off").code
    assert (folder / "forestall.kill").exists()


def test_while_another_program_holds_the_database_the_flag_is_set_all_the_same(
    cli: Cli, held: None, folder: Path
) -> None:
    said = cli("kill on")

    assert 75 == said.code
    assert (folder / "forestall.kill").exists()


# ---- db


def test_a_new_database_is_made_and_brought_up_to_date_once(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "forestall.toml").write_text("")
    before = cli("db current --json")

    first, second = cli("db upgrade"), cli("db upgrade")
    after = cli("db current --json")

    assert (1, None) == (before.code, before.document["current"])
    assert (0, 0, 0) == (first.code, second.code, after.code)
    assert after.document["head"] == after.document["current"]
    assert first.out != second.out


def test_a_backup_below_a_file_is_refused_in_words(cli: Cli, folder: Path) -> None:
    (folder / "plain").touch()

    said = cli("db backup plain/copy.db")

    assert (69, "") == (said.code, said.out)
    assert "cannot be written (Not a directory)" in said.err


def test_a_backup_can_be_opened_and_is_not_written_over(cli: Cli, folder: Path) -> None:
    order("1")
    cli("tick")
    (folder / "safe").mkdir()

    first, second = cli("db backup safe/copy.db"), cli("db backup safe/copy.db")

    assert (0, 2) == (first.code, second.code)
    copy = open_database(f"sqlite:///{folder}/safe/copy.db")
    with copy.begin() as tx:
        assert ("1",) == tx.exec_driver_sql("SELECT order_id FROM orders").one()
    copy.close()


# ---- check


def test_a_good_installation_passes_its_check(cli: Cli, folder: Path) -> None:
    said = cli("check --json")

    assert (0, []) == (said.code, said.document["problems"])


def test_a_check_lists_every_problem_at_once(cli: Cli, folder: Path) -> None:
    (folder / "forestall.toml").write_text(
        '[playbook]\npath = "none.toml"\n[shops.a]\nplatform = "taobao"\nfeed = "fax"\n[alerts.b]\nsink = "pigeon"\n'
        '[database]\nurl = "sqlite:///nowhere/x.db"\n'
    )
    said = cli("check --json")

    assert 78 == said.code
    told = "\n".join(said.document["problems"])
    assert all(part in told for part in ("none.toml", "shops.a", "alerts.b", "nowhere"))


def test_a_check_lists_every_mistake_of_the_file_at_once(cli: Cli, folder: Path) -> None:
    (folder / "forestall.toml").write_text('[mode]\ndefault = "x"\n[shops.a]\n[daemon]\nlanguage = "fr"\n')
    said = cli("check")

    assert 78 == said.code
    assert all(part in said.out for part in ("mode.default", "shops.a.platform", "daemon.language"))


def test_a_check_while_a_daemon_runs_is_no_problem(cli: Cli, held: None) -> None:
    assert 0 == cli("check").code


def test_a_check_warns_when_nobody_will_be_told(cli: Cli, folder: Path) -> None:
    warnings = cli("check --json").document["warnings"]

    assert any(warning.startswith("nobody will be told") for warning in warnings)


def test_a_check_never_shows_a_secret(cli: Cli, folder: Path) -> None:
    (folder / "forestall.toml").write_text('[shops.a]\nplatform = "taobao"\napp_secret = "hunter2"\n')
    said = cli("check --json")

    assert 78 == said.code
    assert "hunter2" not in said.out + said.err


# ---- init


def test_a_new_installation_can_be_used_at_once(cli: Cli, tmp_path: Path) -> None:
    made = cli("init shop --yes")
    checked = cli("check -c shop/forestall.toml --json")
    ticked = cli("tick -c shop/forestall.toml")

    assert (0, 0, 0) == (made.code, checked.code, ticked.code)
    assert "shadow" in (tmp_path / "shop" / "forestall.toml").read_text()


def test_an_installation_is_not_written_over(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "forestall.toml").write_text("# mine\n")

    assert 2 == cli("init --yes").code
    assert "# mine\n" == (tmp_path / "forestall.toml").read_text()


def test_a_configuration_named_in_the_environment_is_used(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("FORESTALL_CONFIG", str(folder / "forestall.toml"))
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))

    assert 0 == cli("orders list --json").code
