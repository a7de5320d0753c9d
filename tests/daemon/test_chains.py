"""Chains of evidence: what was altered, is missing, was cut off or rewritten is told apart, on both databases."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import delete, select, update

from daemon.evidence import anchors, verify
from daemon.evidence.anchors import Recorded
from daemon.evidence.chain import MOST_DAMAGE, Checked, Damage, check
from daemon.store import links
from daemon.store.database import Database
from daemon.store.journal import Journal, body_hash, entry_hash, link_hash
from daemon.store.links import Link
from rules.instant import DAY, HOUR
from tests.daemon.builders import MORNING, TABLE, rows

EVIDENCE = TABLE["evidence"]


def written(db: Database, count: int, shop: str = "north", start: int = 0) -> None:
    """A chain of `count` links, each with two entries."""
    for number in range(start, start + count):
        journal = Journal()
        for order_id in ("1", f"o{number}"):
            journal.note(shop, order_id, {"event": "fact", "order_id": order_id, "n": number})
        with db.begin() as tx:
            journal.write(tx, MORNING + number)


def recorded(db: Database, *places: int, shop: str = "north") -> Recorded:
    """What somebody wrote down of a chain while it was whole."""
    known = Recorded()
    with db.begin() as tx:
        for seq in places:
            known.add(shop, seq, links.hash_at(tx, shop, seq) or b"")
    return known


def damage(db: Database, known: Recorded | None = None, shop: str = "north") -> list[tuple[str, int, int]]:
    found = {checked.shop: checked for checked in verify.every_chain(db, known or Recorded())}
    return [(one.kind, one.first, one.last) for one in found[shop].damage]


def change(db: Database, seq: int, shop: str = "north", **values: object) -> None:
    with db.begin() as tx:
        tx.execute(update(EVIDENCE).where(EVIDENCE.c.shop == shop, EVIDENCE.c.seq == seq).values(**values))


def remove(db: Database, *seqs: int, shop: str = "north") -> None:
    with db.begin() as tx:
        for table in (EVIDENCE, TABLE["evidence_of"]):
            tx.execute(delete(table).where(table.c.shop == shop, table.c.seq.in_(seqs)))


def rewrite(db: Database, since: int, shop: str = "north") -> None:
    """Change a link and compute every hash from there anew, as somebody who knows how would."""
    with db.begin() as tx:
        before = links.hash_at(tx, shop, since - 1) or b""
        chain = tx.execute(select(EVIDENCE).where(EVIDENCE.c.shop == shop, EVIDENCE.c.seq >= since)).all()
        for row in sorted(chain, key=lambda row: row.seq):
            entries = row.entries.replace('"n":', '"m":')
            body = links.body_of(entries)
            assert body is not None
            before = link_hash(before, shop, row.seq, row.at, body)
            where = (EVIDENCE.c.shop == shop, EVIDENCE.c.seq == row.seq)
            tx.execute(update(EVIDENCE).where(*where).values(entries=entries, hash=before))


def test_a_chain_that_nobody_touched_is_whole(db: Database) -> None:
    written(db, 5)
    assert [] == damage(db, recorded(db, 1, 3, 5))


@pytest.mark.parametrize("seq", [1, 3, 5])
def test_a_changed_entry_is_altered(db: Database, seq: int) -> None:
    written(db, 5)
    change(db, seq, entries=rows(db, "evidence")[seq - 1]["entries"].replace('"n":', '"n": 1'))
    assert [("altered", seq, seq)] == damage(db, recorded(db, 5))


@pytest.mark.parametrize("values", [{"at": MORNING + DAY}, {"entries": "[]"}, {"entries": "not JSON"}])
def test_another_time_or_other_entries_are_altered(db: Database, values: dict[str, object]) -> None:
    written(db, 5)
    change(db, 3, **values)
    assert [("altered", 3, 3)] == damage(db)


def test_a_link_whose_hash_was_made_to_fit_no_longer_fits_the_next(db: Database) -> None:
    written(db, 5)
    with db.begin() as tx:
        before = links.hash_at(tx, "north", 2) or b""
    entries = '[{"event":"fact","order_id":"1","n":9}]'
    made = link_hash(before, "north", 3, MORNING + 2, links.body_of(entries) or b"")
    change(db, 3, entries=entries, hash=made)
    assert [("altered", 4, 4)] == damage(db)


@pytest.mark.parametrize(("gone", "span"), [((3,), (3, 3)), ((2, 3, 4), (2, 4)), ((1,), (1, 1)), ((1, 2), (1, 2))])
def test_links_that_are_gone_are_missing(db: Database, gone: tuple[int, ...], span: tuple[int, int]) -> None:
    written(db, 5)
    known = recorded(db, 5)
    remove(db, *gone)
    assert [("missing", *span)] == damage(db, known)


def test_a_tail_that_is_gone_shows_only_by_an_anchor(db: Database) -> None:
    written(db, 5)
    known = recorded(db, 2, 5)
    remove(db, 4, 5)
    assert [] == damage(db)
    assert [("cut", 4, 5)] == damage(db, known)


def test_a_chain_of_which_nothing_is_left_is_cut(db: Database) -> None:
    written(db, 3)
    known = recorded(db, 3)
    remove(db, 1, 2, 3)
    assert [("cut", 1, 3)] == damage(db, known)


def test_a_chain_computed_anew_shows_only_by_an_anchor(db: Database) -> None:
    written(db, 6)
    known = recorded(db, 2, 5, 6)
    rewrite(db, 4)
    assert [] == damage(db)
    assert [("rewritten", 3, 6)] == damage(db, known)


def test_a_chain_that_was_cut_and_went_on_is_rewritten(db: Database) -> None:
    written(db, 5)
    known = recorded(db, 3, 5)
    remove(db, 5)
    written(db, 2, start=50)
    assert [("rewritten", 4, 5)] == damage(db, known)


def test_each_kind_of_harm_is_told_beside_the_others(db: Database) -> None:
    written(db, 12)
    known = recorded(db, 2, 9, 12)
    change(db, 2, at=1)
    remove(db, 5, 12)
    rewrite(db, 8)
    assert [("altered", 2, 2), ("missing", 5, 5), ("rewritten", 3, 9), ("cut", 12, 12)] == damage(db, known)


def test_two_anchors_that_contradict_each_other_accuse_the_chain(db: Database) -> None:
    written(db, 3)
    known = recorded(db, 2)
    known.add("north", 2, b"another")
    assert [("rewritten", 1, 2)] == damage(db, known)


def test_each_shop_has_its_own_chain(db: Database) -> None:
    written(db, 3)
    written(db, 3, shop="south")
    change(db, 2, shop="south", at=1)
    assert ([], [("altered", 2, 2)]) == (damage(db), damage(db, shop="south"))
    with db.begin() as tx:
        assert [("north", 3), ("south", 3)] == [(head.shop, head.seq) for head in links.heads(tx)]


def test_a_chain_longer_than_a_page_is_read_in_order_and_whole(db: Database) -> None:
    written(db, links.PAGE * 2 + 1)
    assert list(range(1, links.PAGE * 2 + 2)) == [link.seq for link in links.links(db, "north")]
    assert [links.PAGE, links.PAGE + 1] == [
        link.seq for link in links.links(db, "north", links.PAGE - 1, links.PAGE + 1)
    ]


def test_a_chain_of_any_length_is_checked_in_the_same_memory() -> None:
    def chain(count: int) -> Iterator[Link]:
        before, body = b"", body_hash([entry_hash(b"{}")])
        for seq in range(1, count + 1):
            before = link_hash(before, "north", seq, seq, body)
            yield Link(seq, seq, body, before)

    def peak(count: int) -> int:
        tracemalloc.start()
        assert count == check("north", chain(count), {}).links
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(20_000) < peak(200) + 4_000


def test_very_much_damage_is_counted_not_kept() -> None:
    odd = (Link(seq, 0, b"", b"") for seq in range(2, 1000, 2))
    found = check("north", odd, {})
    assert (MOST_DAMAGE, 499 - MOST_DAMAGE) == (len(found.damage), found.unlisted)


def test_neighbours_of_one_kind_are_one_finding() -> None:
    found = Checked("north")
    for seq in (3, 4, 6):
        found.add(Damage("altered", seq, seq))
    assert [Damage("altered", 3, 4), Damage("altered", 6, 6)] == found.damage


# ---- anchors


def test_an_anchor_is_a_line_that_is_read_back(db: Database, tmp_path: Path) -> None:
    written(db, 3)
    file = tmp_path / "anchors.jsonl"
    anchors.record(db, file, MORNING)
    known = verify.recorded([file], None)
    assert recorded(db, 3).of == known.of
    assert ["at", "shop", "seq", "hash"] == list(msgspec.json.decode(file.read_bytes()))


def test_heads_are_recorded_once_a_day(db: Database, tmp_path: Path) -> None:
    written(db, 1)
    file = tmp_path / "anchors.jsonl"
    told = [anchors.daily(db, file, MORNING + hours * HOUR) for hours in (0, 1, 23, 24, 25)]
    assert [True, False, False, True, False] == told
    assert 2 == len(file.read_text().splitlines())


def test_a_file_that_was_taken_away_is_begun_again(db: Database, tmp_path: Path) -> None:
    written(db, 1)
    anchors.daily(db, tmp_path / "a", MORNING)
    assert anchors.daily(db, tmp_path / "b", MORNING + HOUR)


def test_a_torn_line_is_named_and_harms_nobody(db: Database, tmp_path: Path) -> None:
    written(db, 2)
    file = tmp_path / "anchors.jsonl"
    anchors.record(db, file, MORNING)
    with file.open("a") as stream:
        stream.write('{"at":"2026-06-01T0')
    known = verify.recorded([file], None)
    assert (["anchors.jsonl:2"], {2}) == (known.unreadable, set(known.of["north"]))
