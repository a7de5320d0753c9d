"""No screen says that all is well while orders may be hidden, nobody watches them, or nobody would be told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters import memory
from adapters.base import Page, Rejected, Snapshot, Transient
from daemon import caveats, clock, i18n
from daemon.cli import app, session
from rules.instant import DAY, HOUR
from tests import databases
from tests.daemon.commands import Said, words

Cli = Callable[..., Said]
SOOTHING = ("nothing has to be handed over", "没有必须发出的订单", "everything could be used", "读到的文件都能用")
SHOP = '[shops.north]\nplatform = "generic"\nfeed = "memory"\n'
SINK = '[alerts.ops]\nsink = "memory"\n'
LIVE = '[mode]\nalert = "live"\n'
WELL = LIVE + SHOP + SINK


@pytest.fixture
def folder(tmp_path: Path, boxes: None) -> Path:
    """An installation of one shop in which nothing is wrong, with an empty database."""
    (tmp_path / "forestall.toml").write_text(WELL)
    databases.put(tmp_path / "forestall.db")
    return tmp_path


def order(order_id: str = "1", **facts: Any) -> Snapshot:
    """A paid order that is due in three days."""
    now = clock.now()
    ordinary: dict[str, Any] = {"status": "paid", "paid_at": now - HOUR, "ship_by": now + 3 * DAY}
    return Snapshot(
        observed_at=now, shop="north", order_id=order_id, platform="generic", fields=ordinary | facts, lines={}
    )


def say(*records: Snapshot, refused: bool = False, at: int | None = None) -> None:
    said = (Rejected(source="a.csv", line=None, reason="the file is empty", mend="export again"),) if refused else ()
    memory.feed_box("north").push(Page(records=list(records), rejected=list(said), watermark=at or clock.now()))


def test_a_quiet_day_is_called_quiet_when_nothing_speaks_against_it(cli: Cli, folder: Path) -> None:
    say(order())
    cli("tick")

    said = cli("today")

    assert "nothing has to be handed over in the next 24 h" in said.out
    assert [] == cli("today --json").document["caveats"]


WRONG = {
    "nothing_read": lambda folder: None,
    "refused": lambda folder: say(order(), refused=True),
    "unwatched": lambda folder: say(order(), order("2", ship_by=None)),
    "failing": lambda folder: memory.feed_box("north").faults.fail_next(9, Transient("down")),
    "stale": lambda folder: say(order(), at=clock.now() - 2 * DAY),
    "alerts_shadow": lambda folder: (folder / "forestall.toml").write_text(SHOP + SINK),
    "no_sink": lambda folder: (folder / "forestall.toml").write_text(LIVE + SHOP),
    "kill_switch": lambda folder: (folder / "forestall.kill").touch(),
    "no_shop": lambda folder: (folder / "forestall.toml").write_text(LIVE + SINK),
}
"""How each state comes about, by the code of its caveat."""


@pytest.mark.parametrize("code", WRONG)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_doubt_stands_on_the_first_lines_with_a_mend_and_nothing_soothes(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, code: str, lang: str
) -> None:
    WRONG[code](folder)
    cli("tick")
    monkeypatch.setenv("FORESTALL_LANG", lang)

    first, *_ = said = cli("today").out.splitlines()

    assert first.startswith("⚠ ")
    assert [] == [text for text in SOOTHING if any(text in line for line in said)]
    assert code in [one["code"] for one in cli("today --json").document["caveats"]]
    assert first in cli("feeds status").out


@pytest.mark.slow
@given(codes=st.sets(st.sampled_from(sorted({*WRONG} - {"no_shop"}))), lang=st.sampled_from(["en", "zh"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_combination_of_states_makes_today_say_that_nothing_is_to_be_done(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str], codes: set[str], lang: str
) -> None:
    memory.reset()
    folder = tmp_path_factory.mktemp("state")
    databases.put(folder / "forestall.db")
    text = "".join(part for part, code in ((LIVE, "alerts_shadow"), (SINK, "no_sink")) if code not in codes)
    (folder / "forestall.toml").write_text(text + SHOP)
    for code in sorted(codes - {"alerts_shadow", "no_sink"}):
        WRONG[code](folder)
    if not codes & {"nothing_read", "refused", "unwatched", "stale"}:
        say(order())

    def run(line: str) -> Said:
        capsys.readouterr()
        with i18n.speaking(lang):
            code = session.run_or_forward(app, words(line, file=folder / "forestall.toml"))
        return Said(code, *capsys.readouterr())

    run("tick -c {file}")
    said = run("today -c {file}").out

    assert bool(codes) == (not any(text in said for text in SOOTHING))
    assert said.startswith("⚠ ") == bool(codes)


def test_refusals_are_told_until_a_person_has_dealt_with_them_and_new_ones_again(cli: Cli, folder: Path) -> None:
    say(order(), refused=True)
    cli("tick")
    assert "1 file could not be used" in cli("today").out

    assert "1 refusal is marked as dealt with" in cli("feeds rejected --seen").out
    assert [] == cli("today --json").document["caveats"]
    assert 1 == cli("feeds status --json").document["feeds"][0]["quarantined"]
    assert "a.csv: the file is empty" in cli("feeds rejected").out


def test_unwatched_orders_are_counted_by_what_they_lack(cli: Cli, folder: Path) -> None:
    say(order("1", ship_by=None), order("2", ship_by=None, paid_at=None), order("3"))
    cli("tick")

    (north,) = cli("feeds status --json").document["feeds"]

    assert (2, {"NO_DEADLINE": 1, "NO_PAYMENT_TIME": 1}) == (north["unwatched"], north["unwatched_why"])
    said = cli("today").out
    assert "[north] 2 orders cannot be watched (no deadline 1, no payment time 1): 1, 2; export with status" in said
    assert "of 1 order that is known and watched, none falls due" in said


@pytest.mark.parametrize(
    ("error", "plain"), [("Transient: no answer", "no answer"), ("no answer", "no answer"), ("shop a: b", "shop a: b")]
)
def test_the_name_of_an_error_is_for_logs(error: str, plain: str) -> None:
    assert plain == caveats.plain(error)


def test_what_was_dropped_without_harm_is_counted_by_name(cli: Cli, folder: Path) -> None:
    dropped = {"Buyer Note": 3, "(rows that are no orders)": 2}
    memory.feed_box("north").push(Page(records=[order()], watermark=clock.now(), unknown_keys=dropped))
    cli("tick")

    assert dropped == cli("feeds status --json").document["feeds"][0]["dropped"]
