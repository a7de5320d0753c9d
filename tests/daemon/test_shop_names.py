"""A shop under another name is the same shop; one that is given up is closed, and begins anew if it comes back."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel

from adapters import memory
from adapters.base import Page, Snapshot, StockReport
from daemon import config
from daemon.evidence import appeal, verify
from daemon.evidence.anchors import Recorded
from daemon.installation import build, usable
from daemon.scheduler import Parts, assemble, tick
from daemon.store import renames, retirement, sellers
from daemon.store.database import Database
from daemon.store.journal import Journal, entries_of
from rules.instant import HOUR, MINUTE
from tests.daemon import running
from tests.daemon.builders import MORNING, a_line, a_snapshot, an_event, broken_links, row, rows, stock_of
from tests.daemon.running import a_late_order, feed, sink

SOUTH = '[shops.south]\nplatform = "taobao"\nfeed = "memory"\n'
STEPS = range(0, 40, 3)
"""Hours at which the daemon looks in these stories."""


def text(*names: str) -> str:
    """A configuration with these shops."""
    head, _, tail = running.LIVE.partition("[shops.north]")
    table = 'platform = "taobao"\nfeed = "memory"\n'
    return head + "".join(f"[shops.{name}]\n{table}" for name in names) + tail.partition(table)[2]


def on(db: Database, now: int, *names: str) -> Parts:
    """The parts of an installation with these shops on a database."""
    settings = config.parse(tomllib.loads(text(*names)), Path("/nowhere/forestall.toml"))
    return assemble(db, usable(build(settings, privacy_key=b"k")), now)


def say(shop: str, *records: Snapshot | StockReport) -> None:
    feed(shop).push(Page(records=records))


def story(db: Database, first: str, then: str | None = None, at: int = 10) -> list[str]:
    """Three days of a shop called `first`, of which it is called `then` from hour `at` on; the keys that were told."""
    memory.reset()
    line = {"lines": {"1": a_line("A-1", quantity=2, listing_id="L9")}}
    parts = on(db, MORNING, first, "south")
    say(first, a_late_order("1", shop=first), a_snapshot("2", shop=first, **line), stock_of("A-1", 1, shop=first))
    say("south", a_snapshot("3", shop="south", **line))
    name = first
    for hour in STEPS:
        now = MORNING + hour * HOUR
        if then is not None and name == first and hour >= at:
            with db.begin() as tx:
                renames.rename(tx, first, then, now, "ann")
            name, parts = then, on(db, now, then, "south")
            memory.feed_box(then).pages = memory.feed_box(first).pages
        if hour == 15:
            say(name, a_snapshot("4", shop=name, at=now, ship_by=now + 5 * HOUR))
            say(name, an_event("buyer_reply", "1", at=now, shop=name))  # type: ignore[arg-type]
        tick(parts, now)
    return [message.key for message in sink().messages]


def state(db: Database) -> dict[str, Any]:
    """What there is to be read of a database, but for the moments of decisions and evidence."""
    chosen = {
        "orders": ("shop", "order_id", "status", "facts", "short", "is_open", "ship_by", "act_by"),
        "case": ("key", "shop", "order_id", "opened_at", "closed_at", "reason"),
        "action": ("key", "shop", "cause", "step", "outcome", "members", "reason"),
        "delivery": ("action_key", "shop", "outcome"),
        "member": ("cause", "case_key", "shop", "left_at"),
        "event": ("shop", "order_id", "event", "at"),
        "pool": ("home", "on_hand", "needed", "short"),
        "timer": ("kind", "shop", "id"),
        "feed": ("shop", "cursor"),
        "listing": ("shop", "listing_id"),
        "open_line": ("shop", "order_id", "line_id"),
    }
    return {name: {tuple(one[part] for part in parts) for one in rows(db, name)} for name, parts in chosen.items()}


def test_a_renamed_shop_goes_on_as_if_it_had_always_been_called_so(db: Database, tmp_path: Path) -> None:
    renamed = [key.replace("north", "nord") for key in story(db, "north", "nord")]
    found = state(db)
    with db.begin() as tx:
        for table in SQLModel.metadata.tables.values():
            tx.execute(table.delete())

    always = story(db, "nord")

    assert sorted(always) == sorted(renamed)
    wanted = state(db)
    assert wanted["timer"] <= found["timer"]
    assert {name: rows for name, rows in wanted.items() if name != "timer"} == {
        name: rows for name, rows in found.items() if name != "timer"
    }


def test_nothing_is_left_under_the_old_name_but_its_evidence(db: Database) -> None:
    story(db, "north", "nord")

    for table in SQLModel.metadata.tables.values():
        if table.name in ("evidence", "evidence_of", "meta"):
            continue
        for one in rows(db, table.name):
            said = {name: value for name, value in one.items() if name not in ("request", "error")}
            assert "north" not in str(said), f"{table.name}: {said}"


def test_a_table_with_shops_cannot_be_forgotten() -> None:
    moved = {table.name for table in renames.FACTS} | {"action", "case", "delivery", "member", "timer", "feed"}
    moved |= {"quarantine", "evidence", "evidence_of"}
    assert {name for name, table in SQLModel.metadata.tables.items() if "shop" in table.columns} == moved


def test_the_chains_of_both_names_are_whole_and_linked(db: Database) -> None:
    story(db, "north", "nord")

    with db.begin() as tx:
        assert [] == broken_links(tx)
        events = [entry["event"] for entry in entries_of(tx, "nord", "1")]
        assert {"observed", "case_opened", "action"} <= set(events)
        assert all(entry["key"].startswith("nord/") for entry in entries_of(tx, "nord", "1") if entry.get("key"))
        (last,) = [entry for entry in entries_of(tx, "nord", "nord/shop") if "hash" in entry]
    end = max(rows(db, "evidence", shop="north"), key=lambda link: link.seq)
    assert (end.seq, bytes(end.hash).hex()) == (last["seq"], last["hash"])
    assert "shop_renamed" in end.entries
    assert all(not found.damage for found in verify.every_chain(db, Recorded()))


def test_the_appeal_pack_of_an_order_tells_its_life_under_both_names_and_proves_it(db: Database) -> None:
    from daemon.evidence import packfile

    story(db, "north", "nord")
    shops = on(db, MORNING + 50 * HOUR, "nord", "south").installation.shops

    document = appeal.build(db, shops, "nord", "1", MORNING + 50 * HOUR)

    found, wrong = packfile.examine(packfile.Pack("pack", document, None), Recorded())
    assert ([], []) == (found.damage, wrong)
    assert "case_opened" in {item["event"] for item in document["timeline"]}
    document["earlier"][0]["links"][0]["hash"] = "00" * 32
    found, _ = packfile.examine(packfile.Pack("pack", document, None), Recorded())
    assert "altered" in {damage.kind for damage in found.damage}


def test_a_shop_that_ran_under_its_new_name_already_keeps_its_past_and_its_newest_facts(
    db: Database, boxes: None
) -> None:
    parts = on(db, MORNING, "north")
    say("north", a_late_order("1"), a_snapshot("2"))
    tick(parts, MORNING)
    with db.begin() as tx:
        Journal().write(tx, MORNING)
    later = MORNING + HOUR
    new = on(db, later, "nord")
    say("nord", a_late_order("1", shop="nord", at=later), a_snapshot("2", shop="nord", at=later, status="shipped"))
    tick(new, later)
    before = {action.key.partition("/")[2] for action in rows(db, "action", shop="north")}

    with db.begin() as tx:
        renames.rename(tx, "north", "nord", later + MINUTE)
    sink().messages.clear()
    tick(on(db, later + MINUTE, "nord"), later + MINUTE)

    assert "shipped" == row(db, "orders", order_id="2").status
    assert MORNING == row(db, "case", order_id="1").opened_at
    assert before <= {action.key.partition("/")[2] for action in rows(db, "action", shop="nord")}
    assert [] == sink().messages
    with db.begin() as tx:
        assert [] == broken_links(tx)


def test_a_name_that_comes_back_is_another_shop(db: Database, boxes: None) -> None:
    story(db, "north", "nord")
    now = MORNING + 50 * HOUR
    memory.reset()

    say("north", a_late_order("9", at=now, ship_by=now + 2 * HOUR))
    tick(on(db, now, "north", "nord", "south"), now)

    assert ["9"] == [order.order_id for order in rows(db, "orders", shop="north")]
    with db.begin() as tx:
        assert [] == broken_links(tx)
        assert [] == list(entries_of(tx, "nord", "9"))


# ---- a section that was only renamed


def drops(*sections: tuple[str, str]) -> str:
    """A configuration with these (shop, folder)."""
    head, _, tail = running.LIVE.partition("[shops.north]")
    shops = "".join(f'[shops.{name}]\nplatform = "taobao"\npath = "{path}"\n' for name, path in sections)
    return head + shops + tail.partition('feed = "memory"\n')[2]


@pytest.mark.parametrize(
    ("before", "after", "goes_on"),
    [
        ([("north", "in/a")], [("nord", "in/a")], ["nord"]),
        ([("north", "in/a"), ("south", "in/b")], [("nord", "./in/a"), ("south", "in/b")], ["nord", "south"]),
        ([("north", "in/a"), ("south", "in/b")], [("n", "in/a"), ("s", "in/b")], ["n", "s"]),
        ([("north", "in/a")], [("nord", "in/b")], ["nord", "north"]),
        ([("north", "in/a")], [("nord", "in/a"), ("nord2", "in/a")], ["nord", "nord2", "north"]),
        ([("north", "in/a")], [("north", "in/a"), ("nord", "in/a")], ["nord", "north"]),
    ],
)
def test_a_section_with_another_name_and_the_same_folder_is_the_same_shop(
    installed: Callable[..., Parts], tmp_path: Path, before: Any, after: Any, goes_on: list[str]
) -> None:
    for name in ("a", "b"):
        (tmp_path / "in" / name).mkdir(parents=True)
    parts = installed(drops(*before))
    with parts.database.begin() as tx:
        tx.exec_driver_sql("UPDATE feed SET cursor = shop")

    again = running.again(parts, drops(*after), MORNING + HOUR)

    assert goes_on == [one.shop for one in rows(again.database, "feed")]
    moved = {one.shop: one.cursor for one in rows(again.database, "feed") if one.cursor}
    assert {name for name, _ in before} == set(moved.values())


def test_a_renamed_section_tells_nothing_twice(installed: Callable[..., Parts], tmp_path: Path) -> None:
    memory_with = running.LIVE.replace('feed = "memory"', 'feed = "memory"\nmark = "1"')
    parts = installed(memory_with)
    say("north", a_late_order("1"))
    tick(parts, MORNING)
    memory.feed_box("nord").pages = memory.feed_box("north").pages
    assert sink().messages
    sink().messages.clear()

    tick(running.again(parts, memory_with.replace("north", "nord"), MORNING + MINUTE), MORNING + MINUTE)

    assert [] == sink().messages
    assert ["nord/1/late_shipment/1"] == [case.key for case in rows(parts.database, "case")]


# ---- another seller


def owned(north: str, south: str = "default") -> str:
    """Two shops and whose they are."""
    return (
        text("north", "south")
        .replace('feed = "memory"', f'feed = "memory"\nseller = "{north}"', 1)
        .replace("[shops.south]", f'[shops.south]\nseller = "{south}"')
    )


@pytest.mark.parametrize(("before", "after"), [("default", "mine"), ("mine", "default")])
def test_a_shop_of_another_seller_is_judged_by_his_stock_as_if_it_had_always_been_his(
    installed: Callable[..., Parts], tmp_path: Path, before: str, after: str
) -> None:
    def lived(first: str, then: str) -> dict[str, Any]:
        parts = installed(owned(first))
        line = {"lines": {"1": a_line("A-1", quantity=2)}, "ship_by": MORNING + 40 * HOUR}
        say("north", a_snapshot("1", **line), stock_of("A-1", 2))
        say("south", a_snapshot("2", shop="south", **line), stock_of("A-1", 2, shop="south", at=MORNING + 1))
        tick(parts, MORNING)
        parts = running.again(parts, owned(then), MORNING + MINUTE)
        say("north", a_snapshot("3", **line), stock_of("A-1", 2, at=MORNING + HOUR))
        for hours in (1, 2, 3):
            tick(parts, MORNING + hours * HOUR)
        sellers = {row.seller for table in sellers_tables() for row in rows(parts.database, table, shop="north")}
        found = {
            "short": {(order.shop, order.order_id): order.short for order in rows(parts.database, "orders")},
            "stock_out": {
                case.order_id for case in rows(parts.database, "case", violation="stock_out", closed_at=None)
            },
            "sellers": sellers,
        }
        parts.database.close()
        (tmp_path / "forestall.db").unlink()
        memory.reset()
        return found

    assert lived(after, after) == lived(before, after)


def sellers_tables() -> list[str]:
    """The tables whose rows are a shop's and a seller's."""
    return [table.name for table in sellers.OWNED if table.name not in ("timer", "policy_use")]


def test_a_table_with_sellers_cannot_be_forgotten() -> None:
    both = {name for name, table in SQLModel.metadata.tables.items() if {"shop", "seller"} <= set(table.columns.keys())}
    assert both == {table.name for table in sellers.OWNED}


# ---- given up


def test_a_shop_that_is_given_up_is_closed_with_its_reason(db: Database) -> None:
    story(db, "north")
    now = MORNING + 50 * HOUR
    shops = on(db, now, "south").installation.shops

    with db.begin() as tx:
        journal = Journal()
        closed = retirement.retire(tx, journal, shops, "north", now, "ann")
        journal.write(tx, now)
    sink().messages.clear()
    for hours in (1, 30, 80):
        tick(on(db, now + hours * HOUR, "south"), now + hours * HOUR)

    assert closed["cases"]
    assert {"SHOP_RETIRED"} == {case.reason for case in rows(db, "case", shop="north") if case.closed_at == now}
    assert [] == [case for case in rows(db, "case", shop="north") if case.closed_at is None]
    assert [] == rows(db, "timer", shop="north")
    assert not {one.outcome for one in rows(db, "action", shop="north")} & {"planned", "ready", "needs_human"}
    assert [] == [message for message in sink().messages if message.shop == "north"]
    assert ["south"] == [feed.shop for feed in rows(db, "feed")]
    with db.begin() as tx:
        assert [] == broken_links(tx)
        assert "SHOP_RETIRED" in {entry.get("reason") for entry in entries_of(tx, "north", "1")}


def test_a_shop_that_was_given_up_and_comes_back_is_watched_again(db: Database, boxes: None) -> None:
    parts = on(db, MORNING, "north")
    say("north", a_late_order("1"))
    tick(parts, MORNING)
    shops = on(db, MORNING, "south").installation.shops
    with db.begin() as tx:
        retirement.retire(tx, Journal(), shops, "north", MORNING + MINUTE)
    memory.reset()
    say("north", a_late_order("1"))

    tick(on(db, MORNING + HOUR, "north"), MORNING + HOUR)

    assert row(db, "orders").is_open
    assert 1 == len(rows(db, "case", closed_at=None))


# ---- the commands


@pytest.fixture
def folder(tmp_path: Path, installed: Callable[..., Parts]) -> Path:
    """An installation whose shop north became nord in the file."""
    parts = installed(text("north", "south"))
    say("north", a_late_order("1"))
    tick(parts, MORNING)
    parts.database.close()
    (tmp_path / "forestall.toml").write_text(text("nord", "south"))
    return tmp_path


def test_the_list_tells_what_is_configured_and_what_is_left(folder: Path, cli: Any) -> None:
    found = {one["shop"]: one for one in cli("shops list --json").document["shops"]}

    assert {"nord", "north", "south"} == set(found)
    assert (False, 1, 1) == tuple(found["north"][name] for name in ("configured", "open_orders", "open_cases"))
    assert "forestall shops rename OLD NEW" in cli("shops list").out


def test_a_shop_is_renamed_by_command(folder: Path, cli: Any) -> None:
    said = cli("shops rename north nord")

    assert (0, "north is nord now, with its orders, cases, tasks and evidence\n") == (said.code, said.out)
    assert ["nord/1/late_shipment/1"] == [case["key"] for case in cli("cases list --json").document["cases"]]
    assert 0 == cli("evidence verify --all").code
    assert 0 == cli("why 1").code


def test_a_shop_is_given_up_by_command(folder: Path, cli: Any) -> None:
    said = cli("shops retire north --json")

    assert (0, "north", 1, 1) == (said.code, *(said.document[name] for name in ("retired", "cases", "orders")))
    assert [] == cli("cases list --json").document["cases"]
    assert 0 == cli("evidence verify --all").code


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("shops rename nord other", "shop nord is still configured"),
        ("shops rename north other", "shop other is not configured: change [shops.north] to [shops.other]"),
        ("shops rename nobody nord", "no shop nobody is known; known are: north, south"),
        ("shops retire south", "shop south is still configured"),
        ("shops retire nobody", "no shop nobody is known"),
    ],
)
def test_a_command_that_has_no_meaning_says_what_to_do(folder: Path, cli: Any, line: str, says: str) -> None:
    said = cli(line)

    assert 2 == said.code
    assert says in said.err


def test_another_platform_is_another_shop(folder: Path, cli: Any) -> None:
    (folder / "forestall.toml").write_text(text("nord", "south").replace('"taobao"', '"jd"', 1))

    said = cli("shops rename north nord")

    assert (2, True) == (said.code, "they are different shops" in said.err)


def test_a_shop_whose_calls_are_under_way_is_renamed_later(
    tmp_path: Path, installed: Callable[..., Parts], cli: Any
) -> None:
    parts = installed(text("north", "south"))
    say("north", a_late_order("1"))
    parts.poller.poll(MORNING)
    parts.engine.decide(MORNING)
    with parts.database.begin() as tx:
        tx.exec_driver_sql("UPDATE action SET outcome = 'calling' WHERE kind = 'alert'")
    parts.database.close()
    (tmp_path / "forestall.toml").write_text(text("nord", "south"))

    said = cli("shops rename north nord")

    assert (75, True) == (said.code, "try again" in said.err)
