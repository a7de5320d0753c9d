"""Playbooks and rule packs are kept as long as anything was decided by them: `why --at` uses those of that time."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from daemon.explanation import why
from daemon.shops import Shops
from daemon.store import policies
from daemon.store.database import Database, open_database
from daemon.store.journal import Journal, entries_of
from rules import packs
from rules.errors import PolicyError
from rules.instant import HOUR, format_utc
from rules.playbook import Playbook
from tests import databases
from tests.builders import a_playbook
from tests.daemon.builders import MORNING, TABLE, a_snapshot, count, rows, shops, take_in
from tests.daemon.commands import Said

NOON = MORNING + 4 * HOUR
BEFORE = a_playbook('name = "call", action = "task", lead = "24h"', version=1)
AFTER = a_playbook('name = "beg", action = "task", lead = "12h"', version=2)


def deciding_by(play: Playbook, **policy: Any) -> Shops:
    made = shops("north")
    shop = made.known["north"]
    made.known["north"] = replace(shop, policy=replace(shop.policy, playbook=play, **policy))
    return made


def begin(db: Database, here: Shops, now: int) -> None:
    """A start or reload of the daemon at `now`."""
    with db.begin() as tx:
        journal = Journal()
        policies.remember(tx, journal, here, now)
        journal.write(tx, now)


@pytest.fixture
def edited(db: Database) -> Shops:
    """An order paid in the morning; the playbook was edited at noon. The shops as they are now."""
    begin(db, deciding_by(BEFORE), MORNING)
    take_in(db, deciding_by(BEFORE), a_snapshot(), now=MORNING)
    begin(db, deciding_by(AFTER), NOON)
    return deciding_by(AFTER)


def told(db: Database, here: Shops, at: int | None) -> dict[str, Any]:
    with db.begin() as tx:
        document = why(tx, here, "north", "1", at, NOON + HOUR)
    assert document is not None
    return document


def steps(document: dict[str, Any]) -> list[str]:
    return [step["key"].rsplit("/", 1)[1] for step in document["steps"]]


@pytest.mark.parametrize(
    ("at", "step", "version", "since"),
    [(NOON - 1, "call", "test@1", MORNING), (NOON, "beg", "test@2", NOON), (NOON + HOUR, "beg", "test@2", NOON)],
)
def test_an_order_is_explained_by_the_playbook_of_that_time(
    db: Database, edited: Shops, at: int, step: str, version: str, since: int
) -> None:
    document = told(db, edited, at)
    assert [step] == steps(document)
    assert (version, "kept", format_utc(since)) == tuple(document["policy"][k] for k in ("playbook", "source", "since"))


def test_without_a_moment_todays_playbook_explains(db: Database, edited: Shops) -> None:
    document = told(db, edited, None)
    assert (["beg"], "test@2", "today") == (
        steps(document), document["policy"]["playbook"], document["policy"]["source"]
    )  # fmt: skip


def test_a_moment_before_anything_was_kept_is_explained_by_todays_and_that_is_said(db: Database) -> None:
    here = deciding_by(AFTER)
    take_in(db, here, a_snapshot(), now=MORNING)
    begin(db, here, NOON)
    document = told(db, here, MORNING)
    assert (["beg"], "today", None) == (steps(document), document["policy"]["source"], document["policy"]["since"])


def test_what_a_later_version_cannot_read_is_replaced_by_todays_and_that_is_said(db: Database, edited: Shops) -> None:
    texts = TABLE["policy_text"]
    with db.begin() as tx:
        tx.execute(update(texts).where(texts.c.digest == BEFORE.digest).values(text="name = 1"))
    document = told(db, edited, MORNING)
    assert (["beg"], "unreadable") == (steps(document), document["policy"]["source"])


def test_a_start_with_the_same_policy_leaves_nothing_new(db: Database) -> None:
    for hours in range(3):
        begin(db, deciding_by(BEFORE), MORNING + hours * HOUR)
    assert (1, 2, 1) == (count(db, "policy_use"), count(db, "policy_text"), count(db, "evidence"))


def test_going_back_to_an_earlier_playbook_is_a_use_of_its_own_and_keeps_one_text(db: Database, edited: Shops) -> None:
    begin(db, deciding_by(BEFORE), NOON + HOUR)
    assert [BEFORE.digest, AFTER.digest, BEFORE.digest] == [use["playbook"] for use in rows(db, "policy_use")]
    assert {BEFORE.text, AFTER.text, packs.shipped_text("taobao")} == {text["text"] for text in rows(db, "policy_text")}


def test_a_confirmed_row_is_a_new_policy(db: Database) -> None:
    begin(db, deciding_by(BEFORE), MORNING)
    begin(db, deciding_by(BEFORE, confirmed=frozenset({"row"})), NOON)
    with db.begin() as tx:
        before, after = (policies.in_force(tx, deciding_by(BEFORE).get("north"), at) for at in (MORNING, NOON))
    assert (frozenset(), frozenset({"row"})) == (before.policy.confirmed, after.policy.confirmed)


def test_a_persons_word_for_a_row_counts_from_the_moment_it_was_given(
    cli: Callable[..., Said], tmp_path: Path, boxes: None
) -> None:
    (tmp_path / "forestall.toml").write_text('[shops.north]\nplatform = "taobao"\nfeed = "memory"\n')
    row = packs.load("taobao").rows[0].id
    databases.put(tmp_path / "forestall.db")
    for line in ("tick", "policy confirm {row} --source page"):
        assert 0 == cli(line, row=row).code
    database = open_database(f"sqlite:///{tmp_path}/forestall.db")
    assert [0, 1] == [len(json.loads(use["confirmed"])) for use in rows(database, "policy_use")]
    database.close()


def test_a_changed_policy_is_evidence(db: Database, edited: Shops) -> None:
    with db.begin() as tx:
        entries = list(entries_of(tx, "north", "north/policy"))
    assert [("policy_changed", "test@1", BEFORE.digest), ("policy_changed", "test@2", AFTER.digest)] == [
        (entry["event"], entry["playbook"], entry["playbook_digest"]) for entry in entries
    ]


@pytest.mark.parametrize(("platform", "zone"), [("taobao", "Asia/Shanghai"), ("ebay", "Europe/Berlin")])
def test_a_kept_pack_is_the_pack_that_was_loaded(platform: str, zone: str) -> None:
    assert packs.load(platform, zone) == packs.kept(packs.shipped_text(platform), platform, zone)


def test_a_pack_of_another_version_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(PolicyError, match="of that time"):
        packs.kept("platform = 1", "taobao")
