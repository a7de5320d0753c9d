"""The daemon as a process: what systemd, signals, a drop folder and other commands see of it."""

import json
import os
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from daemon import clock
from daemon.store.database import open_database
from rules.instant import HOUR, format_utc
from tests.adapters.fakes.background import background
from tests.adapters.fakes.peer import Peer, answers, peer
from tests.daemon import process
from tests.daemon.process import Running, ask, prepare, run, started
from tests.daemon.running import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

FILES = """
[mode]
default = "shadow"
[shops.north]
platform = "taobao"
path = "inbox/north"
timezone = "Asia/Shanghai"
poll_s = 1
"""
SOUTH = """
[shops.south]
platform = "taobao"
path = "inbox/south"
poll_s = 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    prepare(tmp_path, FILES)
    return tmp_path


def drop(folder: Path, order_id: str = "240601-1", shop: str = "north") -> None:
    """Put an order that must be shipped within three hours into the drop folder, rested enough to be read."""
    now = clock.now()
    record = {
        "observed_at": format_utc(now),
        "shop": shop,
        "order_id": order_id,
        "status": "paid",
        "paid_at": format_utc(now - HOUR),
        "ship_by": format_utc(now + 3 * HOUR),
        "paid_minor": 15000,
        "currency": "CNY",
    }
    file = folder / "inbox" / shop / f"{order_id}.jsonl"
    hidden = file.with_name(f".{file.name}")
    hidden.write_text(json.dumps(record) + "\n")
    old = now // 1_000_000 - 60
    os.utime(hidden, (old, old))
    hidden.rename(file)


def orders(folder: Path) -> list[str]:
    return [order["order_id"] for order in json.loads(ask(folder, "orders", "list", "--json")["out"])["orders"]]


# ---- systemd


@dataclass(frozen=True, slots=True)
class Ended:
    """A daemon that was told to end: its exit code, how long that took, what it told systemd, its log, its folder."""

    code: int
    took_s: float
    said: list[str]
    log: str
    folder: Path


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("ended")
    prepare(folder, FILES)
    with started(folder, WATCHDOG_USEC="400000") as running:
        running.hear("WATCHDOG=1")
        running.hear_more("WATCHDOG=1", 1)
        code, took_s = running.end()
        return Ended(code, took_s, running.said, running.log(), folder)


def test_the_end_is_clean_and_quick(ended: Ended) -> None:
    assert 0 == ended.code
    assert ended.took_s < 5


def test_systemd_hears_ready_signs_of_life_and_stopping(ended: Ended) -> None:
    assert ["READY=1", "STATUS=running", "WATCHDOG=1", "STOPPING=1"] == list(dict.fromkeys(ended.said))


def test_the_end_leaves_neither_socket_nor_lock_behind(ended: Ended) -> None:
    assert not (ended.folder / "forestall.sock").exists()
    open_database(f"sqlite:///{ended.folder}/forestall.db").close()


def test_the_end_says_nothing_of_tasks_that_were_lost(ended: Ended) -> None:
    assert "Traceback" not in ended.log
    assert "Task was destroyed" not in ended.log


def test_ctrl_c_and_impatience_end_as_cleanly(folder: Path) -> None:
    with started(folder) as daemon:
        daemon.signal(signal.SIGINT)
        daemon.signal(signal.SIGTERM)
        daemon.signal(signal.SIGTERM)
        code = daemon.process.wait(process.PATIENCE_S)
        daemon.end()

    assert 0 == code
    assert "WATCHDOG=1" not in daemon.said


def test_a_daemon_whose_configuration_is_missing_does_not_start(tmp_path: Path) -> None:
    ended = run("run", cwd=tmp_path)

    assert (78, "forestall.toml: no such file") == (ended.returncode, ended.stderr.partition(";")[0])


def test_a_daemon_whose_database_has_no_schema_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "forestall.toml").write_text("")
    ended = run("run", cwd=tmp_path)

    assert 78 == ended.returncode
    assert "run `forestall db upgrade`" in ended.stderr


def test_a_daemon_that_can_have_no_socket_says_which_setting_mends_it(folder: Path) -> None:
    (folder / "forestall.toml").write_text(FILES + f'[daemon]\nsocket = "{"x" * 200}"\n')
    ended = run("run", cwd=folder)

    assert 69 == ended.returncode
    assert "set [daemon] socket" in ended.stderr


# ---- the main job


@pytest.fixture
def hook() -> Iterator[Peer]:
    with background(peer(answers({}))) as listening:
        yield listening


def test_a_file_in_the_drop_folder_of_a_running_daemon_becomes_a_case_and_an_alert(tmp_path: Path, hook: Peer) -> None:
    alerts = f'alert = "live"\n[alerts.ops]\nsink = "webhook"\nurl = "{hook.url}"\n'
    prepare(tmp_path, FILES.replace('default = "shadow"\n', f'default = "shadow"\n{alerts}'))

    with started(tmp_path):
        drop(tmp_path)
        until(lambda: hook.seen, "the alert arrives", process.PATIENCE_S)
        cases = json.loads(ask(tmp_path, "cases", "list", "--json")["out"])["cases"]

    assert ["240601-1"] == hook.seen[0].document["data"]["orders"]  # type: ignore[index]
    assert ["north/240601-1/late_shipment/1"] == [case["key"] for case in cases]


def test_an_alert_is_told_once_over_a_restart(tmp_path: Path, hook: Peer) -> None:
    alerts = f'alert = "live"\n[alerts.ops]\nsink = "webhook"\nurl = "{hook.url}"\n'
    prepare(tmp_path, FILES.replace('default = "shadow"\n', f'default = "shadow"\n{alerts}'))

    with started(tmp_path) as first:
        drop(tmp_path)
        until(lambda: hook.seen, "the alert arrives", process.PATIENCE_S)
        until(lambda: first.events("alert.delivery"), "it is put down", process.PATIENCE_S)
        first.process.kill()
        first.process.wait()
    with started(tmp_path):
        drop(tmp_path, "240601-2")
        until(lambda: "240601-2" in orders(tmp_path), "the second file is read", process.PATIENCE_S)

    assert 1 == len(hook.seen)


# ---- other commands


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A daemon that knows one order at risk and goes on through all the tests below."""
    folder = tmp_path_factory.mktemp("office")
    prepare(folder, FILES)
    with started(folder) as running:
        drop(folder)
        until(lambda: orders(folder), "the order is known", process.PATIENCE_S)
        until(lambda: ask(folder, "cases", "show", CASE)["code"] == 0, "the case is open", process.PATIENCE_S)
        yield running


CASE = "north/240601-1/late_shipment/1"


def test_a_command_of_another_process_is_answered_by_the_daemon(office: Running) -> None:
    listed = run("orders", "list", "--json", cwd=office.folder)

    assert (0, True) == (listed.returncode, "240601-1" in listed.stdout)


def test_a_command_gets_the_exit_code_and_the_language_it_would_get_alone(office: Running) -> None:
    english = run("orders", "show", "nobody", cwd=office.folder)
    chinese = ask(office.folder, "orders", "show", "nobody", lang="zh")

    assert (2, 2) == (english.returncode, chinese["code"])
    assert "nobody" in english.stderr
    assert english.stderr != chinese["err"]


def test_a_file_named_by_a_command_stands_where_the_command_was_typed(office: Running) -> None:
    elsewhere = office.folder / "elsewhere"
    elsewhere.mkdir()

    done = run("db", "backup", "copy.db", "-c", "../forestall.toml", cwd=elsewhere)

    assert (0, "") == (done.returncode, done.stderr)
    assert (elsewhere / "copy.db").exists()


def test_the_socket_is_for_the_owner_and_the_group(office: Running) -> None:
    assert 0o660 == stat.S_IMODE((office.folder / "forestall.sock").stat().st_mode)


@pytest.mark.parametrize("words", [("run",), ("tick", "--at", "2026-06-01T00:00:00Z")])
def test_what_a_daemon_does_by_itself_is_busy_beside_it(office: Running, words: tuple[str, ...]) -> None:
    second = run(*words, cwd=office.folder)

    assert 75 == second.returncode
    assert "another Forestall process holds the database" in second.stderr


@pytest.mark.parametrize("word", ["run", "tick"])
def test_a_client_cannot_make_a_daemon_start_over(office: Running, word: str) -> None:
    assert 75 == ask(office.folder, word)["code"]


def test_a_broken_client_does_not_hurt_the_daemon(office: Running) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as broken:
        broken.connect(str(office.folder / "forestall.sock"))
        broken.sendall(b"[" * 60_000)

    assert 0 == ask(office.folder, "orders", "list")["code"]


def test_the_kill_switch_reaches_the_running_daemon(office: Running) -> None:
    told = run("kill", "on", "--json", cwd=office.folder)
    flag = (office.folder / "forestall.kill").exists()
    asked = ask(office.folder, "kill", "status", "--json")
    ask(office.folder, "kill", "off")

    assert "on" == json.loads(told.stdout)["kill"] == json.loads(asked["out"])["kill"]
    assert flag


def test_a_case_is_acknowledged_through_the_daemon(office: Running) -> None:
    done = ask(office.folder, "cases", "ack", CASE)
    shown = json.loads(ask(office.folder, "cases", "show", CASE, "--json")["out"])

    assert 0 == done["code"]
    assert shown["acked_at"] is not None


def test_why_is_answered_through_the_daemon(office: Running) -> None:
    told = json.loads(ask(office.folder, "why", "240601-1", "--json")["out"])

    assert "240601-1" == told["order"]


def test_check_beside_a_daemon_names_what_is_left_of_a_shop(office: Running, file: Path) -> None:
    file.write_text(FILES.replace("[shops.north]", "[shops.elsewhere]"))
    english, chinese = (run("check", cwd=office.folder, FORESTALL_LANG=lang).stdout for lang in ("en", "zh"))

    assert "shop north is not configured any more: " in english
    assert "配置里已经没有店铺 north" in chinese


# ---- reload


@pytest.fixture
def file(office: Running) -> Iterator[Path]:
    """The configuration of the office, put back afterwards."""
    path = office.folder / "forestall.toml"
    yield path
    path.write_text(FILES)


def test_a_good_file_is_taken_at_sighup(office: Running, file: Path) -> None:
    (office.folder / "inbox" / "south").mkdir()
    file.write_text(FILES + SOUTH)

    office.hear_after(signal.SIGHUP, "STATUS=reloaded")
    drop(office.folder, "south-1", "south")

    until(lambda: "south-1" in orders(office.folder), "the new shop is read", process.PATIENCE_S)


def test_a_bad_file_is_rejected_at_sighup_and_the_old_one_goes_on(office: Running, file: Path) -> None:
    file.write_text("[mode]\ndefault = 'lively'\n")

    office.hear_after(signal.SIGHUP, "STATUS=reload rejected, the old configuration goes on")
    rejected = office.events("reload.rejected")[-1]
    drop(office.folder, "after-1")

    assert ["forestall.toml: mode.default: Input should be 'shadow' or 'live'"] == rejected["problems"]
    until(lambda: "after-1" in orders(office.folder), "the old shop is read", process.PATIENCE_S)
