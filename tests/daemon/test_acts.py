"""Acts of people on many cases and tasks at once: which are meant, what is answered, who did it, how it is undone."""

import io
import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, RowMapping, insert

from adapters.base import Page
from adapters.memory import feed_box
from daemon import acts, clock, control, tables
from daemon.cli import app, completion, session
from daemon.cli.session import Holder, run_for_client
from daemon.control import Request
from daemon.errors import Usage
from daemon.store import hands
from daemon.store.database import Database, open_database
from daemon.store.journal import Journal
from rules.instant import HOUR
from tests import databases
from tests.daemon.builders import MORNING, a_snapshot, broken_links, rows, said, shops, take_in
from tests.daemon.commands import Said

Cli = Callable[..., Said]
TEXT = """
[mode]
default = "shadow"
task = "live"
[shops.north]
platform = "taobao"
feed = "memory"
timezone = "Asia/Shanghai"
[shops.south]
platform = "jd"
feed = "memory"
timezone = "America/Sao_Paulo"
"""
CASE = "north/1/late_shipment/1"
TASK = f"{CASE}/ship"


def order(order_id: str, shop: str = "north", **facts: Any) -> None:
    """Let a shop say an order that must be shipped within three hours from now."""
    now = clock.now()
    times = {"paid_at": now - HOUR, "ship_by": now + 3 * HOUR}
    feed_box(shop).push(Page(records=[a_snapshot(order_id, at=now, shop=shop, **{**times, **facts})]))


@pytest.fixture
def at_work(tmp_path: Path, cli: Cli, boxes: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two shops: orders 1 and 2 in the north, 2 and 3 in the south, each late, with a case and a task to ship it."""
    monkeypatch.setenv("LOGNAME", "li")
    (tmp_path / "forestall.toml").write_text(TEXT)
    databases.put(tmp_path / "forestall.db")
    for order_id, shop in (("1", "north"), ("2", "north"), ("2", "south"), ("3", "south")):
        order(order_id, shop)
    assert 0 == cli("tick").code
    return tmp_path


@pytest.fixture
def database(at_work: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{at_work}/forestall.db")
    yield opened
    opened.close()


def evidence(folder: Path, shop: str) -> list[dict[str, Any]]:
    """All entries of a shop's chain."""
    opened = open_database(f"sqlite:///{folder}/forestall.db")
    with opened.begin() as tx:
        links = tx.exec_driver_sql(f"SELECT entries FROM evidence WHERE shop = '{shop}' ORDER BY seq").scalars().all()
    opened.close()
    return [entry for link in links for entry in json.loads(link)]


def execute(folder: Path, statement: str) -> None:
    opened = open_database(f"sqlite:///{folder}/forestall.db")
    with opened.begin() as tx:
        tx.exec_driver_sql(statement)
    opened.close()


def cases(cli: Cli, more: str = "--all") -> dict[str, Any]:
    return {case["key"]: case for case in cli(f"cases list {more} --json").document["cases"]}


def tasks(cli: Cli, more: str = "--all") -> dict[str, Any]:
    return {task["key"]: task for task in cli(f"tasks list {more} --json").document["tasks"]}


@pytest.mark.parametrize(
    ("act", "named", "done"),
    [
        ("tasks done", "1", [TASK]),
        ("tasks done", TASK, [TASK]),
        ("tasks done", f"{TASK} 1 1", [TASK]),
        ("tasks done", "1 3", [TASK, "south/3/late_shipment/1/ship"]),
        ("tasks done", "2 --shop south", ["south/2/late_shipment/1/ship"]),
        ("tasks done", "--all-matching --shop north", [TASK, "north/2/late_shipment/1/ship"]),
        ("tasks cancel", "--all-matching --kind ship --shop south",
         ["south/2/late_shipment/1/ship", "south/3/late_shipment/1/ship"]),
        ("cases ack", "1 3", [CASE, "south/3/late_shipment/1"]),
        ("cases takeover", "1 --kind late_shipment", [CASE]),
        ("cases resolve", "--all-matching --shop north", [CASE, "north/2/late_shipment/1"]),
        ("cases snooze --until 2h", "1", [CASE]),
    ],
)  # fmt: skip
def test_those_are_meant_that_are_named(cli: Cli, at_work: Path, act: str, named: str, done: list[str]) -> None:
    said = cli(f"{act} {named} --json")

    answers = said.document["answers"]
    assert (0, sorted(done)) == (said.code, sorted(one["key"] for one in answers))
    assert ({"done"}, len(done)) == ({one["did"] for one in answers}, said.document["done"])


@pytest.mark.parametrize(
    "line",
    [
        "cases ack --all-matching --kind stock_out",
        "tasks done --all-matching --kind delist",
        "tasks done --all-matching --kind agree_new_date",
        "cases list --kind dispute",
        "tasks list --kind compensate",
    ],
)
def test_a_kind_of_which_there_is_none_today_is_no_mistake(cli: Cli, at_work: Path, line: str) -> None:
    said = cli(line)

    assert (0, "") == (said.code, said.err)


def test_keys_and_orders_are_read_from_stdin(cli: Cli, at_work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{TASK}\r\n\n 3 \n"))
    monkeypatch.setattr(session, "_typed", type(session._typed)("typed", default=None))
    said = cli("tasks done - --json")

    assert [TASK, "south/3/late_shipment/1/ship"] == [one["key"] for one in said.document["answers"]]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("tasks done 2", "order 2 is known in several shops: north, south; add --shop"),
        ("cases ack 1 2", "order 2 is known in several shops: north, south; add --shop"),
        ("cases ack", "name keys or orders"),
        ("cases ack 1 --all-matching", "name keys or orders"),
        ("cases ack --all-matching --undo", "--undo takes keys or orders"),
        ("cases ack 1 --kind nonsense", "nothing is of kind 'nonsense'; there is late_shipment"),
        ("tasks done 1 --shop west", "no shop west is known"),
        ("cases snooze 1", "give --until TIME, or --undo"),
        ("cases snooze 1 --until 2h --undo", "give --until TIME, or --undo"),
        ("cases snooze 1 --until soon", "--until: 'soon' names no time"),
        ("tasks done nobody", "no task and no order 'nobody'"),
        ("cases ack nobody", "no case and no order 'nobody'"),
        ("cases ack 1 --shop south", "order 1 has no case"),
    ],
)
def test_what_is_not_clear_is_a_mistake_of_usage_and_changes_nothing(
    cli: Cli, at_work: Path, line: str, part: str
) -> None:
    before = (cases(cli), tasks(cli))

    said = cli(line)

    assert (2, "") == (said.code, said.out)
    assert part in said.err
    assert before == (cases(cli), tasks(cli))


def test_a_batch_counts_done_already_and_refused(cli: Cli, at_work: Path) -> None:
    cli(f"tasks done {TASK}")
    cli("cases resolve 3")

    done, counted = cli("tasks done 1 3 nobody"), cli("cases ack 1 3 --json")

    assert (1, "no task and no order 'nobody'; `forestall tasks list` shows the keys\n") == (done.code, done.err)
    assert "task done: south/3/late_shipment/1/ship" in done.out
    assert done.out.endswith("1 done, 1 were so before, 1 refused\n")
    assert (1, 1, 0, 1) == (counted.code, *(counted.document[did] for did in ("done", "already", "refused")))
    assert "south/3/late_shipment/1 is closed already" == counted.document["answers"][1]["why"]


@pytest.mark.parametrize(
    ("act", "name"),
    [("tasks done", TASK), ("tasks cancel", "1"), ("cases ack", "1"), ("cases takeover", CASE), ("cases resolve", "1")],
)
def test_what_was_so_before_says_by_whom(
    cli: Cli, at_work: Path, monkeypatch: pytest.MonkeyPatch, act: str, name: str
) -> None:
    cli(f"{act} {name}")
    monkeypatch.setenv("LOGNAME", "wang")

    again = cli(f"{act} {name} --json")

    (answer,) = again.document["answers"]
    assert (0, "wang") == (again.code, again.document["by"])
    assert ("already", "li", True) == (answer["did"], answer["by"], answer["at"] is not None)
    assert "was so before (li, t" in cli(f"{act} {name}").out


REASONS = {
    "tasks done": ("TASK_DONE", "TASK_REOPENED"),
    "tasks cancel": ("TASK_CANCELLED", "TASK_REOPENED"),
    "cases ack": ("ACKNOWLEDGED", "ACK_UNDONE"),
    "cases snooze": ("SNOOZED", "WOKEN"),
    "cases takeover": ("HUMAN_TAKEOVER", "HANDED_BACK"),
    "cases resolve": ("RESOLVED_BY_PERSON", "REOPENED"),
}


@pytest.mark.parametrize("act", REASONS)
def test_each_act_has_its_reverse_and_both_say_in_evidence_who(cli: Cli, at_work: Path, act: str) -> None:
    before = (cases(cli), tasks(cli))
    until = " --until 2h" if "snooze" in act else ""

    done = cli(f"{act} 1{until}")
    between = (cases(cli), tasks(cli))
    undone = cli(f"{act} 1 --undo")
    after = (cases(cli), tasks(cli))

    assert (0, 0) == (done.code, undone.code), done.err + undone.err
    assert before != between
    if "resolve" in act:
        assert "REOPENED" == after[0][CASE].pop("reason")
        before[0][CASE].pop("reason")
    assert before == after
    said = [(one["reason"], one.get("by")) for one in evidence(at_work, "north") if one.get("by")]
    assert [(reason, "li") for reason in REASONS[act]] == said
    assert "was so before" in cli(f"{act} 1 --undo").out


def test_a_case_that_was_reopened_stands_in_today_again(cli: Cli, at_work: Path) -> None:
    before = cli("today --json").document["pickups"]
    cli("cases resolve 1")
    cli("tick")
    between = cli("today --json").document["pickups"]

    cli("cases resolve 1 --undo")
    cli("tick")

    assert before != between
    assert before == cli("today --json").document["pickups"]
    assert cases(cli)[CASE]["closed_at"] is None
    assert 0 == cli("evidence verify --all").code


def test_what_ended_by_itself_is_not_reopened(cli: Cli, at_work: Path) -> None:
    order("1", status="shipped", shipped_at=clock.now(), collected_at=clock.now())
    execute(at_work, "UPDATE timer SET due_at = 0 WHERE kind = 'feed'")
    cli("tick")

    case, task = cli(f"cases resolve {CASE} --undo"), cli(f"tasks done {TASK} --undo")

    assert (1, 1) == (case.code, task.code)
    assert "was not closed by a person" in case.err
    assert "was not done or cancelled by a person" in task.err


def test_a_note_of_a_call_that_may_have_been_made_survives_its_end_and_its_undoing(cli: Cli, at_work: Path) -> None:
    execute(at_work, f"UPDATE action SET note = 'timed out' WHERE key = '{TASK}'")

    cli(f"tasks done {TASK} --note 'T-17'")

    assert "timed out; T-17" == tasks(cli)[TASK]["note"]


def test_a_silence_is_told_in_the_shops_time_and_beyond_the_deadline_with_a_warning(
    cli: Cli, at_work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    said = cli("cases snooze 1 3 --until 'tomorrow 08:30'")

    assert 0 == said.code
    assert f"quiet until tomorrow 08:30: {CASE}" in said.out
    assert "that is after its deadline" in said.out
    zone = ZoneInfo("America/Sao_Paulo")
    here = datetime.fromtimestamp(clock.now() / 1e6, zone)
    silent = cases(cli)["south/3/late_shipment/1"]["snoozed_until"]
    local = datetime.fromisoformat(silent).astimezone(zone)
    assert ("08:30", 1) == (local.strftime("%H:%M"), (local.date() - here.date()).days)


def test_a_short_silence_has_no_warning(cli: Cli, at_work: Path) -> None:
    assert "deadline" not in cli("cases snooze 1 --until 10m").out


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("cases ack 1", f"已标记为知悉，不再提醒：{CASE}"),
        ("cases takeover 1", f"已由您接手：{CASE}"),
        ("cases resolve 1", f"已关闭：{CASE}"),
        ("tasks done 1", f"待办已完成：{TASK}"),
        ("tasks cancel 1", f"待办已取消：{TASK}"),
        ("cases snooze 1 --until 10分钟", "已暂缓到 "),
        ("tasks done nobody", "没有待办也没有订单 'nobody'；编号见 forestall tasks list"),
    ],
)
def test_acts_say_in_chinese_what_was_really_done(
    cli: Cli, at_work: Path, monkeypatch: pytest.MonkeyPatch, line: str, wanted: str
) -> None:
    monkeypatch.setenv("FORESTALL_LANG", "zh")
    said = cli(line)

    assert (said.out + said.err).startswith(wanted)


def test_the_user_at_the_other_end_of_the_socket_is_who_acts(at_work: Path, database: Database) -> None:
    from daemon import config
    from daemon.installation import build

    holder = Holder(database, build(config.load(at_work / "forestall.toml"), adapters=False))
    asked = Request(argv=["cases", "ack", "-"], lang="en", cwd=at_work, user="zhang", stdin="1\n")

    said = run_for_client(app, holder, asked)

    assert (0, f"marked as seen, no more alerts: {CASE}\n") == (said["code"], said["out"])
    with database.begin() as tx:
        entries = tx.exec_driver_sql("SELECT entries FROM evidence WHERE shop = 'north' ORDER BY seq DESC").scalar()
    assert "zhang" == json.loads(entries or "[]")[0]["by"]


@pytest.mark.parametrize("columns", [80, 100])
def test_what_a_daemon_answers_is_as_wide_as_the_window_of_who_asked(
    database: Database, at_work: Path, columns: int
) -> None:
    from daemon import config
    from daemon.installation import build

    holder = Holder(database, build(config.load(at_work / "forestall.toml"), adapters=False))
    asked = Request(argv=["orders", "list"], lang="en", cwd=at_work, columns=columns)

    lines = run_for_client(app, holder, asked)["out"].splitlines()

    assert columns >= max(map(len, lines))


def test_why_says_who_did_what(cli: Cli, at_work: Path) -> None:
    cli("cases takeover 1")
    cli("tasks done 1")
    said = cli("why 1")

    people = cli("why 1 --json").document["people"]
    assert [("HUMAN_TAKEOVER", "li"), ("TASK_DONE", "li")] == [(one["reason"], one["by"]) for one in people]
    part = said.out.split("What people did")[1]
    assert "late shipment: a person has taken over  (li)" in part
    assert "What people did" not in cli("why 3").out


@pytest.mark.parametrize("width", [30, 40, 80, 120])
@pytest.mark.parametrize("line", ["cases list", "tasks list"])
def test_a_key_is_a_line_of_its_own_however_narrow_the_window(
    cli: Cli, at_work: Path, monkeypatch: pytest.MonkeyPatch, line: str, width: int
) -> None:
    order("x" * 60)
    execute(at_work, "UPDATE timer SET due_at = 0 WHERE kind = 'feed'")
    cli("tick")
    monkeypatch.setattr("daemon.cli.output.WIDTH", width)

    shown = {row.strip() for row in cli(line).out.splitlines()}

    assert set(cases(cli) if "cases" in line else tasks(cli, "")) <= shown


@pytest.mark.parametrize("thing", ["cases", "tasks"])
def test_an_empty_list_soothes_only_where_nothing_was_left_out_and_nothing_is_doubtful(
    cli: Cli, at_work: Path, thing: str
) -> None:
    calm = {"cases": "nothing is at risk", "tasks": "nothing is left for people to do"}[thing]
    cli("cases resolve --all-matching --shop south")
    filtered = cli(f"{thing} list --shop south")
    cli("cases resolve --all-matching")
    doubtful = cli(f"{thing} list")

    assert "nothing with these filters\n" == filtered.out
    assert calm not in doubtful.out
    assert "! nobody" in doubtful.out or "! alerts" in doubtful.out


def test_a_batch_is_one_transaction_on_both_databases(db: Database) -> None:
    north = shops("north", "south")
    take_in(db, north, *(said(name, shop=shop) for name, shop in (("1", "north"), ("2", "north"), ("2", "south"))))
    with db.begin() as tx:
        keys = [f"{shop}/{name}/late_shipment/1" for name, shop in (("1", "north"), ("2", "north"), ("2", "south"))]
        common = {"seller": "default", "violation": "late_shipment", "episode": 1, "opened_at": MORNING}
        tx.execute(
            insert(tables.Case),
            [{**common, "key": one, "shop": one.split("/")[0], "order_id": one.split("/")[1]} for one in keys],
        )

    def acknowledge(choice: acts.Choice, by: str, *, broken: bool = False) -> list[acts.Answer]:
        def act(tx: Connection, journal: Journal, case: RowMapping) -> None:
            hands.acknowledge(tx, journal, case, MORNING + 1, by)
            if broken and case["shop"] == "south":
                raise RuntimeError("broken")

        with db.begin() as tx:
            return acts.carry_out(tx, "case", choice, act, MORNING + 1)

    with pytest.raises(RuntimeError):
        acknowledge(acts.Choice(everything=True), "li", broken=True)
    with pytest.raises(Usage, match="north, south"):
        acknowledge(acts.Choice(names=("1", "2")), "li")
    assert {None} == {row["acked_at"] for row in rows(db, "case")}
    assert ["done"] * 2 == [one.did for one in acknowledge(acts.Choice(everything=True, shop="north"), "li")]
    again = acknowledge(acts.Choice(everything=True, kind="late_shipment"), "wang")
    assert [("already", "li"), ("already", "li"), ("done", "")] == [(one.did, one.by) for one in again]
    with db.begin() as tx:
        assert [] == broken_links(tx)


# ---- completion


@pytest.fixture
def complete(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], list[str]]:
    """What bash is told when the tabulator is pressed at the end of a line."""
    return lambda line: completed(cli, monkeypatch, capsys, line)


def completed(cli: Cli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str) -> list[str]:
    monkeypatch.setenv("_FORESTALL_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    with pytest.raises(SystemExit):
        cli("")
    said = capsys.readouterr()
    monkeypatch.delenv("_FORESTALL_COMPLETE", raising=False)
    assert "" == said.err
    return said.out.split()


def test_keys_and_orders_are_completed(cli: Cli, at_work: Path, complete: Callable[[str], list[str]]) -> None:
    cli("cases resolve 3")

    assert [CASE, "north/2/late_shipment/1"] == complete("forestall cases ack n")
    assert {"1", "2"} == set(complete("forestall cases ack ")) - set(cases(cli))
    assert [TASK] == complete("forestall tasks done north/1")
    assert ["3"] == complete("forestall why 3")
    assert ["3"] == complete("forestall orders show 3")


def test_a_running_daemon_is_asked_for_what_can_be_completed(
    at_work: Path, database: Database, complete: Callable[[str], list[str]]
) -> None:
    from daemon import config
    from daemon.installation import build

    holder = Holder(database, build(config.load(at_work / "forestall.toml"), adapters=False))

    def answer(request: Request) -> dict[str, Any]:
        os.environ.pop("_FORESTALL_COMPLETE")  # which only the client's process has
        return run_for_client(app, holder, request)

    server = control.Server(at_work / "forestall.sock", answer)
    server.start()
    try:
        assert [TASK] == complete("forestall tasks done north/1")
        assert ["3"] == complete("forestall orders show 3")
    finally:
        server.stop()


def test_where_nothing_can_be_known_nothing_is_said(tmp_path: Path, complete: Callable[[str], list[str]]) -> None:
    for text in (None, "", "[database\n", '[database]\nurl = "postgresql://nowhere/x"\n'):
        if text is not None:
            (tmp_path / "forestall.toml").write_text(text)
        assert [] == complete("forestall cases ack n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[daemon]\nsocket = "my.sock"',
        '[database]\nurl = "sqlite:///data/f.db"',
        '[database]\nurl = "sqlite:////v/f.db"',
    ],
)
def test_completion_looks_where_the_daemon_is(tmp_path: Path, text: str) -> None:
    from daemon import config

    file = tmp_path / "forestall.toml"
    file.write_text(text)
    made = config.load(file)

    socket, database = completion.places(file)

    assert (control.path_of(made), config.url_of(made)) == (socket, f"sqlite:///{database}")


# ---- property


ACTS = [
    *("cases ack {}", "cases ack {} --undo", "cases takeover {}", "cases takeover {} --undo"),
    *("cases resolve {}", "cases resolve {} --undo", "cases snooze {} --until 1h", "cases snooze {} --undo"),
    *("tasks done {}", "tasks done {} --undo", "tasks cancel {}", "tasks cancel {} --undo", "tick"),
]


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from(["1", CASE, TASK, "3"])), max_size=8))
def test_whatever_people_do_every_answer_is_counted_and_the_evidence_holds(
    cli: Cli, at_work: Path, lines: list[tuple[str, str]]
) -> None:
    for line, name in lines:
        said = cli(f"{line.format(name)} --json")
        if line == "tick":
            assert 0 == said.code
            continue
        document = said.document
        counts = [sum(one["did"] == did for one in document["answers"]) for did in ("done", "already", "refused")]
        assert counts == [document["done"], document["already"], document["refused"]]
        assert (said.code == 0) == (document["refused"] == 0)
    assert 0 == cli("evidence verify --all").code
