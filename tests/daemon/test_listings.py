"""`forestall listings`: dry first, through the outbox, with its mistakes named."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from daemon import clock
from daemon.store import listings
from daemon.store.database import Database, open_database
from rules.instant import DAY, HOUR, MINUTE
from tests import databases
from tests.daemon.builders import MORNING, a_line, a_snapshot, rows, shops, take_in
from tests.daemon.commands import Said
from tests.daemon.running import say

Cli = Callable[..., Said]
TEXT = """
[mode]
delist = "live"
relist = "live"
[shops.north]
platform = "taobao"
feed = "memory"
[playbook]
path = "playbook.toml"
"""
PLAYBOOK = """
name = "mine"
version = 1
[alerts]
leads = ["24h"]
[pool]
margin_percent = 20
protected = ["north/L3"]
"""


@pytest.fixture
def folder(tmp_path: Path, cli: Cli, boxes: None) -> Path:
    """A shop that is short of three listings' stock; nothing is stopped by itself."""
    (tmp_path / "forestall.toml").write_text(TEXT)
    (tmp_path / "playbook.toml").write_text(PLAYBOOK)
    databases.put(tmp_path / "forestall.db")
    now = clock.now()
    lines = {f"{n}": a_line(f"SKU-{n}", listing_id=f"L{n}", stock=0, **PRICE[n]) for n in PRICE}
    say(a_snapshot("1", now, paid_at=now - HOUR, ship_by=now + 3 * DAY, lines=lines))
    assert 0 == cli("tick").code
    return tmp_path


PRICE: dict[int, dict[str, int | None]] = {1: {"unit_minor": 5_000}, 2: {"unit_minor": None}, 3: {"unit_minor": 5_000}}


def kinds(folder: Path) -> list[tuple[str, str]]:
    """Kind and outcome of what was ordered about listings."""
    db = open_database(f"sqlite:///{folder}/forestall.db")
    found = [(row["step"], row["outcome"]) for row in rows(db, "action") if row["step"].endswith(("L1", "L2", "L3"))]
    db.close()
    return found


def test_the_plan_shows_the_sum_of_every_short_listing(cli: Cli, folder: Path) -> None:
    found = cli("listings plan --json").document["listings"]
    assert [
        ("north/L1", "stop", "STOCK_OUT", 450, 100),
        ("north/L2", "ask", "NO_PRICE", None, None),
        ("north/L3", "keep", "PROTECTED", None, None),
    ] == [tuple(one[name] for name in ("listing", "verdict", "reason", "cost_minor", "gain_minor")) for one in found]


def test_what_is_short_without_a_listing_is_named_and_never_called_covered(
    cli: Cli, tmp_path: Path, boxes: None
) -> None:
    (tmp_path / "forestall.toml").write_text(TEXT.split("[playbook]")[0])
    databases.put(tmp_path / "forestall.db")
    now = clock.now()
    lines = {"1": a_line("SKU-9", stock=0)}
    say(a_snapshot("9", now, paid_at=now - HOUR, ship_by=now + 3 * DAY, lines=lines))
    cli("tick")

    assert ["SKU-9"] == cli("listings plan --json").document["nameless"]
    assert "SKU-9" in cli("listings plan").out
    assert "covers every" not in cli("listings plan").out


def test_who_ordered_a_stop_is_in_the_evidence(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "mei")
    cli("listings apply --yes")

    db = open_database(f"sqlite:///{folder}/forestall.db")
    entries = " ".join(str(row["entries"]) for row in rows(db, "evidence"))
    db.close()
    assert '"by":"mei"' in entries


@pytest.mark.parametrize(("lang", "words"), [("en", ("¥4.50", "you decide")), ("zh", ("下架", "由您决定"))])
def test_the_plan_as_a_screen(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, lang: str, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("FORESTALL_LANG", lang)
    shown = cli("listings plan").out
    assert [] == [word for word in words if word not in shown]


def test_without_yes_nothing_is_done(cli: Cli, folder: Path) -> None:
    said = cli("listings apply")
    assert (0, True) == (said.code, "add --yes" in said.out)
    assert [] == kinds(folder)


def test_apply_stops_what_the_sum_says_and_undo_takes_it_back(cli: Cli, folder: Path) -> None:
    assert ["north/pool:SKU-1/stock_out/1/delist/north/L1"] == cli("listings apply --yes --json").document["keys"]
    assert [("delist:north/L1", "planned")] == kinds(folder)
    assert "north/L1 is stopped already" in cli("listings apply north/L1 --yes").err
    assert ["north/pool:SKU-1/stock_out/1/relist/north/L1"] == cli("listings undo --yes --json").document["keys"]
    assert [] == cli("listings undo --yes --json").document["keys"]


def test_a_person_may_stop_what_the_sum_leaves_open(cli: Cli, folder: Path) -> None:
    assert "1 listing will be stopped" in cli("listings apply north/L2 --yes").out
    assert [("delist:north/L2", "planned")] == kinds(folder)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("listings apply north/L3 --yes", "north/L3 is protected by the playbook"),
        ("listings apply north/L4 --yes", "no listing north/L4 is short or was stopped"),
        ("listings undo north/L1 --yes", "north/L1 was not stopped by Forestall"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is(cli: Cli, folder: Path, line: str, wrong: str) -> None:
    said = cli(line)
    assert (2, True) == (said.code, wrong in said.err)
    assert [] == kinds(folder)


# ---- the store, on both databases


def test_the_next_sale_is_like_the_order_that_is_due_last(db: Database) -> None:
    one, two = ({"1": a_line(unit_minor=price)} for price in (100, 200))
    take_in(db, shops("north"), a_snapshot("late", lines=two, ship_by=MORNING + 9 * DAY), a_snapshot("soon", lines=one))
    with db.begin() as tx:
        found = listings.last_sale(tx, "default", "A-1")
        assert None is listings.last_sale(tx, "default", "B-2")
    assert found is not None
    assert ("late", 200) == (found[0].order_id, found[1].unit_minor)


def test_listings_are_counted_by_shop(db: Database) -> None:
    both = shops("north", "south")
    of = {name: {"1": a_line(listing_id="L1"), "2": a_line("B-2", listing_id=name)} for name in ("L1", "L2")}
    take_in(db, both, a_snapshot("1", lines=of["L2"]), a_snapshot("2", shop="south", lines=of["L1"]))
    with db.begin() as tx:
        assert (2, 1, 0) == tuple(listings.count_of(tx, shop) for shop in ("north", "south", "west"))


def test_stops_of_a_day_are_counted_by_the_listings_shop(db: Database) -> None:
    made = {
        "seller": "default",
        "shop": "north",
        "violation": "stock_out",
        "episode": 1,
        "kind": "delist",
        "at": MORNING,
    }
    stops = [
        ("1", "delist:north/L1", "settled", MORNING),
        ("2", "delist:north/L2", "settled", MORNING - 1),
        ("3", "delist:south/L1", "settled", MORNING),
        ("4", "delist:north/L3", "refused", MORNING),
        ("5", "delist:north/L4", "ready", MORNING + MINUTE),
        ("6", "delist:north/L5", "shadow", MORNING),
    ]
    with db.begin() as tx:
        for key, step, outcome, at in stops:
            tx.execute(
                listings.A.insert().values(**made, key=key, step=step, outcome=outcome, outcome_at=at, reason="")
            )
        assert 2 == listings.stopped_since(tx, "north", MORNING)
        assert 1 == listings.stopped_since(tx, "north", MORNING, but="1")
        assert 1 == listings.stopped_since(tx, "south", MORNING)


def test_what_open_orders_show_to_be_wrong_is_named_once_for_each_listing(cli: Cli, folder: Path) -> None:
    """C069, C073: the exit code tells a script."""
    assert [] == cli("listings lint --json").document["findings"]
    (folder / "forestall.toml").write_text(TEXT + '[shops.pdd]\nplatform = "pinduoduo"\nfeed = "memory"\n')
    now = clock.now()
    one, two = (
        a_snapshot(
            name, now, "pdd", paid_at=now, flags=["customised"], lines={"1": a_line(listing_id="P1", title=title)}
        )
        for name, title in (("2", "预售 衬衫"), ("3", "衬衫"))
    )
    done = a_snapshot("4", now, "pdd", status="cancelled", flags=["customised"], lines={"1": a_line(listing_id="P2")})
    say(*(replace(told, platform="pinduoduo") for told in (one, two, done)), shop="pdd")
    assert 0 == cli("tick").code
    shown = cli("listings lint --json")
    assert (
        1,
        [
            {"listing": "pdd/P1", "code": "CUSTOMISED_NOT_PRESALE", "orders": 2, "order_id": "3"},
            {"listing": "pdd/P1", "code": "TITLE_SAYS_PRESALE", "orders": 1, "order_id": "2"},
        ],
    ) == (shown.code, shown.document["findings"])


def test_wrong_listings_as_a_screen(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """C072: the presale of the shop's listing ends tomorrow."""
    monkeypatch.setenv("FORESTALL_LANG", "zh")
    assert "没有发现" in cli("listings lint").out
    (folder / "forestall.toml").write_text(TEXT + '[shops.west]\nplatform = "taobao"\nfeed = "memory"\n')
    now = clock.now()
    lines = {"1": a_line(listing_id="L7")}
    say(a_snapshot("2", now, "west", flags=["presale"], presale_ship_by=now + DAY, lines=lines), shop="west")
    assert 0 == cli("tick").code
    shown = cli("listings lint").out
    assert [] == [word for word in ("west/L7", "PRESALE_ENDS", "三天内到期") if word not in shown]


def test_titles_are_searched_on_both_databases(db: Database) -> None:
    lines = {"1": a_line(listing_id="L1", title="新款预售")}
    made = shops("north")
    take_in(db, made, a_snapshot("1", lines=lines), a_snapshot("2"), a_snapshot("3", status="refunded", lines=lines))
    with db.begin() as tx:
        assert ["1"] == [order.order_id for order in listings.told_ahead(tx)]
