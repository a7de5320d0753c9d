"""`forestall alerts`, and where else people see what reached nobody: each with the other side's words and the mend."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from adapters.base import AuthFailed, Permanent, Transient, Uncertain
from adapters.memory import sink_box
from daemon import clock, silence
from rules.instant import HOUR
from tests import databases
from tests.daemon import running
from tests.daemon.builders import a_snapshot
from tests.daemon.commands import Said
from tests.daemon.running import say

Cli = Callable[..., Said]
WORDS = "sink 'ops' (chat.example): answered 401 (no such key): renew the credentials in its url or secret"
TOLD = "[ops] answered 401 (no such key): renew the credentials in its url or secret"
GESAGT = "[ops] 对方回应 401 (no such key)：请更新 url 或 secret 里的凭证"
LIVE = '[mode]\nalert = "live"\n' + running.LIVE.partition("[shops")[1] + running.LIVE.partition("[shops")[2]


@pytest.fixture
def folder(tmp_path: Path, cli: Cli, boxes: None) -> Path:
    """An installation whose alerts are live, with an order that must be told."""
    (tmp_path / "forestall.toml").write_text(LIVE)
    databases.put(tmp_path / "forestall.db")
    now = clock.now()
    say(a_snapshot("1", at=now, paid_at=now - HOUR, ship_by=now + 2 * HOUR))
    return tmp_path


def fails(times: int = 1, error: Exception | None = None) -> None:
    sink_box("ops").faults.fail_next(times, error or AuthFailed(WORDS))  # type: ignore[arg-type]


# ---- what reached nobody


@pytest.mark.parametrize(
    "command", ["today", "feeds status", "check", "alerts list", "alerts list --undelivered", "why 1"]
)
@pytest.mark.parametrize(("lang", "words"), [("en", TOLD), ("zh", GESAGT)])
def test_what_reached_nobody_is_said_wherever_people_look_in_the_words_of_the_other_side(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, lang: str, words: str
) -> None:
    monkeypatch.setenv("FORESTALL_LANG", lang)
    monkeypatch.setenv("COLUMNS", "200")
    fails()
    cli("tick")

    said = cli(command).out

    assert words.partition("] ")[2] in said
    assert "[ops]" in said


@pytest.mark.parametrize("command", ["today", "feeds status", "check", "alerts list --undelivered"])
def test_once_it_is_told_nothing_is_said_any_more(cli: Cli, folder: Path, command: str) -> None:
    cli("tick")

    assert "reached nobody" not in cli(command).out
    assert "401" not in cli(command).out


def test_it_is_the_first_line_of_today(cli: Cli, folder: Path) -> None:
    fails()
    cli("tick")

    first = cli("today").out.splitlines()[0]

    assert f"1 alert has reached nobody: {TOLD}; see forestall alerts list" in first


def test_what_may_have_arrived_is_said_to_be_perhaps_told(cli: Cli, folder: Path) -> None:
    fails(3, Uncertain("sink 'ops' (chat.example): no answer in 10 s; the message may have arrived", arrived=True))
    for _ in range(3):
        cli("tick")
        with closing(sqlite3.connect(folder / "forestall.db")) as database:
            database.executescript("UPDATE delivery SET due_at = 0; UPDATE receiver SET next_at = 0")

    (caveat,) = (one for one in cli("today --json").document["caveats"] if "undelivered" in one["code"])

    assert ("perhaps_undelivered", 1) == (caveat["code"], caveat["count"])


def test_a_receiver_that_takes_nothing_is_said_though_another_has_the_alerts(cli: Cli, folder: Path) -> None:
    (folder / "forestall.toml").write_text(LIVE + '[alerts.lead]\nsink = "memory"\n')
    fails()
    cli("tick")

    said = cli("today").out

    assert "[ops] takes nothing at present: answered 401" in said
    assert "reached nobody" not in said


def test_without_any_receiver_the_mend_is_to_enter_one(cli: Cli, folder: Path) -> None:
    (folder / "forestall.toml").write_text(LIVE.partition("[alerts")[0])
    cli("tick")

    document = cli("alerts list --undelivered --json").document

    assert [True] == [alert["undelivered"] for alert in document["alerts"]]
    assert "no receiver for alerts is entered: enter one under [alerts]" in cli("today").out


def test_machines_read_each_delivery_and_each_receiver(cli: Cli, folder: Path) -> None:
    fails()
    cli("tick")

    document = cli("alerts list --json").document
    (alert,) = document["alerts"]
    (delivery,) = alert["deliveries"]
    (receiver,) = document["receivers"]

    assert (True, "ops", 1, False, WORDS) == (
        alert["undelivered"],
        *(delivery[name] for name in ("receiver", "tries", "perhaps", "words")),
    )
    assert ("ops", 1, 1, WORDS) == tuple(receiver[name] for name in ("name", "tries", "waiting", "words"))
    assert receiver["unwell_since"] is not None


def test_a_receiver_nobody_has_tried_yet_is_named_until_it_is(cli: Cli, folder: Path) -> None:
    (folder / "forestall.toml").write_text(LIVE + '[alerts.pager]\nsink = "memory"\n')
    before = cli("check").out
    cli("alerts test ops")

    after = cli("check").out

    assert all(f"[{name}] has never been tried: forestall alerts test {name}" in before for name in ("ops", "pager"))
    assert ("[ops] has" in after, "[pager] has never been tried" in after) == (False, True)


# ---- a test message


def test_a_test_message_says_that_it_is_one_and_what_was_answered(cli: Cli, folder: Path) -> None:
    said = cli("alerts test")

    (message,) = sink_box("ops").messages
    assert (0, "Test message from Forestall", True) == (said.code, message.title, message.data["test"])
    assert "✓ [ops] took the test message (kept in memory): look whether it is there" in said.out


def test_a_test_message_goes_also_while_alerts_are_in_shadow(cli: Cli, folder: Path) -> None:
    (folder / "forestall.toml").write_text(LIVE.replace('alert = "live"', 'alert = "shadow"'))

    assert 0 == cli("alerts test ops").code
    assert 1 == len(sink_box("ops").messages)


def test_a_test_that_fails_says_why_and_how_to_mend_it(cli: Cli, folder: Path) -> None:
    fails()

    said = cli("alerts test --json")

    assert 69 == said.code
    assert {"receivers": [{"name": "ops", "taken": False, "answer": TOLD.partition("] ")[2]}]} == said.document


def test_every_receiver_is_tried_also_after_one_that_fails(cli: Cli, folder: Path) -> None:
    (folder / "forestall.toml").write_text(LIVE + '[alerts.pager]\nsink = "memory"\n')
    fails()

    said = cli("alerts test")

    assert (69, 1) == (said.code, len(sink_box("pager").messages))


def test_a_test_that_is_taken_sends_what_waits_at_the_next_pass(cli: Cli, folder: Path) -> None:
    fails()
    cli("tick")

    cli("alerts test")
    cli("tick")

    assert ["test", "north"] == [message.key.partition("/")[0] for message in sink_box("ops").messages]


def test_nothing_is_sent_for_a_test_while_the_kill_switch_is_on(cli: Cli, folder: Path) -> None:
    cli("kill on")

    said = cli("alerts test")

    assert (69, []) == (said.code, sink_box("ops").messages)
    assert "forestall kill off" in said.err


def test_a_sink_that_acts_on_buyers_or_money_is_never_tried(cli: Cli, folder: Path) -> None:
    (folder / "forestall.toml").write_text(LIVE + f'[alerts.platform]\nsink = "memory"\n{running.EVERY_EFFECT}\n')

    assert 0 == cli("alerts test").code
    assert [] == sink_box("platform").messages
    assert 2 == cli("alerts test platform").code


def test_a_name_nobody_knows_is_answered_with_those_that_are_known(cli: Cli, folder: Path) -> None:
    said = cli("alerts test opps")

    assert 2 == said.code
    assert "known are: ops" in said.err


# ---- the words


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (WORDS, GESAGT.partition("] ")[2]),
        ("sink 'a' (b): answered 503, not taken for now", "对方回应 503，暂时不收"),
        ("sink 'a' (b): refused with code 93000 (x): look the code up at the platform", "请到平台查这个代码"),
        ("sink 'a': no answer in 20 s; the message may have arrived", "20 秒内没有回应；消息可能已送达"),
        ("RuntimeError: a bug", "RuntimeError: a bug"),
        ("NO_SINK", "还没有填写提醒渠道：请在 [alerts] 下填写一个"),
    ],
)
def test_what_receivers_say_is_said_in_chinese(english: str, chinese: str) -> None:
    assert silence.said(english, "zh").endswith(chinese)


def test_what_somebody_elses_sink_says_stays_as_it_is() -> None:
    for error in (Permanent("no"), Transient("später"), Uncertain("?")):
        assert str(error) == silence.said(str(error), "zh")
