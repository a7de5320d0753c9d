"""When things run: the service in a thread of this process, its jobs, its end, and what an edited playbook wakes."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from daemon import clock, config, control
from daemon import service as process
from daemon.cli import service as service_command
from daemon.errors import Busy
from daemon.scheduler import Parts, assemble, begin, tick
from daemon.service import Service
from daemon.store import meta, timers
from daemon.store.database import open_database
from rules import playbook
from rules.instant import HOUR, MINUTE
from tests import databases
from tests.builders import a_playbook
from tests.daemon import running
from tests.daemon.builders import MORNING, due, row, rows
from tests.daemon.running import PATIENCE_S, a_late_order, feed, keys, say, sink, told, until

Install = Callable[..., Parts]
TWO = running.LIVE + '[shops.south]\nplatform = "taobao"\nfeed = "memory"\n'


@contextmanager
def serving(folder: Path, text: str = TWO, handler: Any = lambda *_: lambda request: {"code": 0}) -> Iterator[Service]:
    """The service in a thread, ready for work; stopped at the end."""
    (folder / "forestall.toml").write_text(text)
    databases.put(folder / "forestall.db")
    service = Service(path=folder / "forestall.toml", handler=handler)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            service.run()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        until(lambda: failed or (folder / "forestall.sock").exists(), "the service is up")
        yield service
    finally:
        service.stop()
        thread.join(60)
        assert not thread.is_alive()
        assert [] == failed


def an_order_now(order_id: str, shop: str) -> Any:
    """An order that must be shipped within three hours from this moment on."""
    now = clock.now()
    return a_late_order(order_id, shop=shop, at=now, paid_at=now - HOUR, ship_by=now + 3 * HOUR)


# ---- the service


@pytest.mark.slow
def test_a_feed_that_stalls_does_not_delay_another_shop(tmp_path: Path, boxes: None) -> None:
    feed("north").faults.stall_next()
    say(an_order_now("2", "south"), shop="south")

    with serving(tmp_path) as service:
        until(lambda: rows(service.parts.database, "case"), "the other shop's order is decided")
        until(lambda: keys(sink()), "and told")

        assert ["south/2/late_shipment/1"] == [case.key for case in rows(service.parts.database, "case")]


@pytest.mark.slow
def test_a_sink_that_stalls_delays_neither_decisions_nor_another_sink(tmp_path: Path, boxes: None) -> None:
    sink("ops").faults.stall_next()
    say(an_order_now("1", "north"), shop="north")

    with serving(tmp_path, TWO + '[alerts.lead]\nsink = "memory"\n[daemon]\ncall_timeout = "3s"\n') as service:
        until(lambda: len(told(sink("lead"))) == 1, "the other sink is told")
        say(an_order_now("2", "south"), shop="south")
        with service.parts.database.begin() as tx:
            timers.wake(tx, timers.FEED, [("south", "feed", "default", 0)])
        until(lambda: len(told(sink("lead"))) == 2, "and told again")


@pytest.mark.slow
def test_decisions_wait_a_minute_at_most_for_a_first_poll(
    tmp_path: Path, boxes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "POLL_GRACE_S", 1)
    feed("north").faults.stall_next()

    with serving(tmp_path) as service:
        until(lambda: not service.parts.engine.waiting_for_poll, "the wait is over")


@pytest.mark.slow
def test_the_end_is_the_last_sign_of_life(tmp_path: Path, boxes: None) -> None:
    with serving(tmp_path):
        asked = clock.now()

    url = config.url_of(config.load(tmp_path / "forestall.toml"))
    with closing(open_database(url)) as database, database.begin() as tx:
        assert asked <= int(meta.get(tx, "alive_at") or 0)


@pytest.mark.slow
def test_a_second_service_finds_the_database_busy(tmp_path: Path, boxes: None) -> None:
    with serving(tmp_path), pytest.raises(Busy) as busy:
        Service(path=tmp_path / "forestall.toml", handler=lambda *_: lambda request: {}).run()

    assert 75 == busy.value.exit_code


@pytest.mark.slow
def test_a_hop_that_fails_is_logged_and_runs_again(
    tmp_path: Path, boxes: None, monkeypatch: pytest.MonkeyPatch, logs: list[dict[str, Any]]
) -> None:
    failures = iter([RuntimeError("once")])

    def flaky(self: Service) -> None:
        for failure in failures:
            raise failure
        sound(self)

    sound = Service._dispatch
    monkeypatch.setattr(Service, "_dispatch", flaky)
    say(an_order_now("1", "north"), shop="north")

    with serving(tmp_path):
        until(lambda: keys(sink()), "the alert is told all the same")

    assert ["dispatch"] == [entry["hop"] for entry in logs if entry["event"] == "hop.failed"]


@pytest.mark.slow
@pytest.mark.parametrize("hours", [-1, -24 * 3652])
def test_a_clock_that_is_set_while_the_daemon_runs_stops_nothing(
    tmp_path: Path, boxes: None, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    right, wrong = clock.now, list[int]()
    monkeypatch.setattr(clock, "now", lambda: right() + sum(wrong))

    with serving(tmp_path, TWO.replace('feed = "memory"', 'feed = "memory"\npoll_s = 1')):
        say(an_order_now("1", "north"), shop="north")
        until(lambda: told(sink()), "the first order is told")
        wrong.append(hours * HOUR)
        say(an_order_now("2", "south"), shop="south")
        until(lambda: "'2'" in str([message.data.get("orders") for message in sink().messages]), "so is the next one")


@pytest.mark.slow
def test_a_command_renames_a_shop_of_a_running_daemon_which_then_reads_the_file(tmp_path: Path, boxes: None) -> None:
    with serving(tmp_path, TWO, service_command._handler) as service:
        say(an_order_now("1", "north"), shop="north")
        until(lambda: told(sink()), "the order is told")
        (tmp_path / "forestall.toml").write_text(TWO.replace("north", "nord"))
        argv = ["shops", "rename", "north", "nord", "-c", str(tmp_path / "forestall.toml")]
        socket_file = tmp_path / "forestall.sock"

        until(lambda: (control.forward(socket_file, argv, "en") or {"code": 1})["code"] == 0, "no call is under way")
        until(lambda: "nord" in service.parts.installation.shops.known, "the file is read")

        assert ["nord/1/late_shipment/1"] == [case.key for case in rows(service.parts.database, "case")]
        assert {"nord", "south"} == {row.shop for row in rows(service.parts.database, "feed")}


def test_a_hop_that_stands_still_gives_no_sign_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(path=tmp_path / "forestall.toml", handler=lambda *_: lambda request: {})
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listener:
        listener.bind(str(tmp_path / "n"))
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "n"))
        now = clock.monotonic()

        service._beats.update(decide=now - 121, dispatch=now)
        service._watchdog()
        with contextlib.suppress(BlockingIOError):
            assert listener.recv(100) == b""
        service._beats.update(decide=now)
        service._watchdog()

        assert b"WATCHDOG=1" == listener.recv(100)


# ---- a start


def test_a_start_asks_every_feed_at_once(installed: Install) -> None:
    parts = installed(TWO)
    tick(parts, MORNING)

    begin(parts, MORNING + 1)

    assert ["feed", "feed"] == due(parts.database, "feed", MORNING + 1)
    assert {"north", "south"} == parts.engine.waiting_for_poll


def test_orders_wait_for_the_first_poll_of_their_shop_only(installed: Install) -> None:
    parts = installed(TWO)
    say(a_late_order("1"))
    say(a_late_order("2", shop="south"), shop="south")
    parts.poller.poll(MORNING)
    parts.engine.waiting_for_poll = {"north"}

    parts.engine.decide(MORNING)

    assert ["south/2/late_shipment/1"] == [case.key for case in rows(parts.database, "case")]


def test_what_a_killed_process_held_is_free_at_a_start(installed: Install) -> None:
    parts = installed()
    with parts.database.begin() as tx:
        timers.claim(tx, timers.FEED, MORNING, 10)

    begin(parts, MORNING + 1)

    assert ["feed"] == due(parts.database, "feed", MORNING + 1)


def test_the_start_delay_holds_calls_back(installed: Install) -> None:
    parts = installed(running.LIVE + '[daemon]\nstart_delay = "5m"\n')

    begin(parts, MORNING)

    assert MORNING + 5 * MINUTE == parts.dispatcher.quiet_until


# ---- one pass


def test_one_pass_polls_decides_and_dispatches(installed: Install) -> None:
    parts = installed()
    say(a_late_order())

    did = tick(parts, MORNING)

    assert 1 == did["polled"]
    assert did["decided"] >= 2
    assert 1 == len(keys(sink()))


def test_a_second_pass_at_the_same_moment_does_nothing(installed: Install) -> None:
    parts = installed()
    say(a_late_order())
    tick(parts, MORNING)

    assert {"polled": 0, "decided": 0, "dispatched": 0} == tick(parts, MORNING)


# ---- an edited playbook


def edited(parts: Parts, plays: playbook.Playbook, now: int) -> Parts:
    """The same installation after its playbook was edited."""
    shops = parts.installation.shops
    shops.playbook = plays
    for name, shop in shops.known.items():
        shops.known[name] = replace(shop, policy=replace(shop.policy, playbook=plays))
    return assemble(parts.database, parts.installation, now)


def test_an_edited_playbook_wakes_open_orders_and_repeats_no_step(installed: Install) -> None:
    parts = installed()
    say(a_late_order())
    tick(parts, MORNING)
    before = {action.key: action.outcome_at for action in rows(parts.database, "action", kind="task")}
    plays = a_playbook('name = "ship", action = "task", lead = "24h"\nname = "phone", action = "task", lead = "24h"')

    tick(edited(parts, plays, MORNING + MINUTE), MORNING + MINUTE)

    after = {action.key: action.outcome_at for action in rows(parts.database, "action", kind="task")}
    assert "north/1/late_shipment/1/phone" in after
    assert before == {key: at for key, at in after.items() if key in before}


def test_every_decision_says_which_playbook_it_used(installed: Install) -> None:
    parts = installed()
    say(a_late_order())
    tick(parts, MORNING)
    plays = a_playbook('name = "phone", action = "task", lead = "24h"', version=7)

    tick(edited(parts, plays, MORNING + MINUTE), MORNING + MINUTE)

    used = {action.step: action.playbook for action in rows(parts.database, "action", kind="task")}
    assert ("default@1", "test@7") == (used["ship"], used["phone"])


def test_an_unchanged_playbook_wakes_nobody(installed: Install) -> None:
    parts = installed()
    say(a_late_order())
    tick(parts, MORNING)
    before = row(parts.database, "timer", kind="order").due_at

    assemble(parts.database, parts.installation, MORNING + MINUTE)

    assert before == row(parts.database, "timer", kind="order").due_at


def test_new_leads_of_alerts_reach_causes_that_were_told_already(installed: Install) -> None:
    parts = installed()
    say(a_late_order(ship_by=MORNING + 6 * HOUR))
    tick(parts, MORNING)
    sink().messages.clear()
    plays = a_playbook('name = "ship", action = "task", lead = "24h"', alerts='leads = ["24h", "5h"]')
    parts = edited(parts, plays, MORNING + MINUTE)

    tick(parts, MORNING + MINUTE)
    tick(parts, MORNING + HOUR)

    assert 1 == len([message for message in sink().messages if "orders" in message.data])


def test_the_clean_up_records_the_heads_of_the_evidence_beside_the_database(
    tmp_path: Path, installed: Callable[..., Parts]
) -> None:
    service = Service(path=tmp_path / "forestall.toml", handler=lambda *_: lambda request: {})
    service.parts = installed()

    service._housekeeping()
    service._housekeeping()

    (anchor,) = (tmp_path / "forestall.anchors.jsonl").read_text().splitlines()
    assert '"shop":"north"' in anchor


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        pytest.param('[database]\nurl = "sqlite:///other.db"', "database.url", id="database"),
        pytest.param('[daemon]\nsocket = "other.sock"', "daemon.socket", id="socket"),
        pytest.param('[daemon]\nmetrics = "127.0.0.1:9109"', "daemon.metrics", id="metrics"),
    ],
)
def test_a_reload_that_needs_a_restart_is_rejected_by_name(
    tmp_path: Path, installed: Install, logs: list[MutableMapping[str, Any]], changed: str, place: str
) -> None:
    service = Service(path=tmp_path / "forestall.toml", handler=lambda *_: lambda request: {})
    service.parts = before = installed()
    service.path.write_text(f"{running.LIVE}\n{changed}\n")

    service.reload()

    assert service.parts is before
    rejected = [entry["problems"] for entry in logs if entry["event"] == "reload.rejected"]
    assert [[f"{place}: changed, which needs a restart; restart the daemon, or put the old value back"]] == rejected


def test_a_reload_waits_for_a_hop_under_way_and_holds_the_next_back(tmp_path: Path, installed: Install) -> None:
    """A hop that still had the old shops would see timers of new ones that it does not know."""
    service = Service(path=tmp_path / "forestall.toml", handler=lambda *_: lambda request: {})
    service.parts = before = installed()
    service.path.write_text(TWO)
    seen: list[Parts] = []
    under_way, go_on = threading.Event(), threading.Event()

    def hop() -> None:
        seen.append(service.parts)
        under_way.set()
        go_on.wait(PATIENCE_S)
        seen.append(service.parts)

    hops = [threading.Thread(target=service._beating("poll", hop)) for _ in range(2)]
    hops[0].start()
    under_way.wait(PATIENCE_S)
    reload = threading.Thread(target=service.reload)
    reload.start()
    reload.join(0.2)
    go_on.set()
    reload.join(PATIENCE_S)
    hops[1].start()
    for thread in hops:
        thread.join(PATIENCE_S)

    assert [before, before] == seen[:2]
    assert [service.parts, service.parts] == seen[2:]
    assert service.parts is not before


def test_a_reload_that_says_the_same_database_in_other_words_is_taken(tmp_path: Path, installed: Install) -> None:
    service = Service(path=tmp_path / "forestall.toml", handler=lambda *_: lambda request: {})
    service.parts = before = installed()
    service.path.write_text(f'{running.LIVE}\n[database]\nurl = "sqlite:///{tmp_path}/forestall.db"\n')

    service.reload()

    assert service.parts is not before
