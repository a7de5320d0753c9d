"""Appeal packs: what is in them, what is not, and that nobody can change one unseen."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from adapters.base import Page
from adapters.memory import feed_box
from daemon import clock
from daemon.evidence import appeal, packfile
from daemon.evidence.anchors import Recorded
from daemon.evidence.packfile import Pack
from daemon.store.database import open_database
from rules.instant import HOUR
from tests import databases
from tests.daemon.builders import TABLE, a_line, a_snapshot
from tests.daemon.commands import Said

Cli = Callable[..., Said]
TEXT = """
[mode]
default = "shadow"
task = "live"
[shops.north]
platform = "taobao"
feed = "memory"
"""
EVIDENCE = TABLE["evidence"]


@pytest.fixture
def folder(tmp_path: Path, cli: Cli, boxes: None) -> Path:
    """An installation in which orders 1 and 2 are nearly late and something was decided about each."""
    (tmp_path / "forestall.toml").write_text(TEXT)
    databases.put(tmp_path / "forestall.db")
    now = clock.now()
    private = {"buyer": "b-91", "remark": "ring twice", "kept": {"phone": "13800138000"}}
    facts: dict[str, Any] = {"paid_at": now - HOUR, "ship_by": now + 3 * HOUR, "lines": {"1": a_line(title="lamp")}}
    odd = a_snapshot("<b>3</b>", at=now, category="<script>alert(1)</script>")
    records = [a_snapshot("1", at=now, **facts), a_snapshot("2", at=now, **facts, **private), odd]
    feed_box("north").push(Page(records=records))
    assert 0 == cli("tick").code
    return tmp_path


def exported(cli: Cli, order: str = "1", name: str = "pack.html") -> dict[str, Any]:
    assert 0 == cli("evidence export {order} --out {name}", order=order, name=name).code
    document: dict[str, Any] = json.loads(Path(name).with_suffix(".json").read_text())
    return document


def put(document: dict[str, Any], *, fits: bool = True) -> None:
    """Write a changed document; `fits`: with a hash of the whole that fits it."""
    if fits:
        document["digest"] = appeal.digest(document)
    Path("pack.json").write_text(json.dumps(document))
    Path("pack.html").unlink(missing_ok=True)


def tampered(folder: Path, **values: object) -> None:
    """Change the link in which the orders were first seen: the second, after the one that tells the policy."""
    database = open_database(f"sqlite:///{folder}/forestall.db")
    with database.begin() as tx:
        tx.execute(update(EVIDENCE).where(EVIDENCE.c.shop == "north", EVIDENCE.c.seq == 2).values(**values))
    database.close()


def kinds(said: Said) -> list[str]:
    return [one["kind"] for chain in said.document["chains"] for one in chain["damage"]]


def parts(said: Said) -> list[str]:
    return [part for chain in said.document["chains"] for part in chain["parts"]]


def test_a_pack_tells_what_happened_in_order(cli: Cli, folder: Path) -> None:
    document = exported(cli)
    events = [one["event"] for one in document["timeline"]]
    assert ["observed", "case_opened"] == events[:2]
    assert {"action", "outcome"} <= set(events)
    assert ("1", "north", "taobao") == (document["order_id"], document["shop"], document["platform"])
    assert ["platform"] == [one["source"] for one in document["candidates"] if one["effective"]]
    assert document["pack"].startswith("taobao@")
    assert ["default@1"] == [law["playbook"] for law in document["policies"]]
    said = {message["step"]: message["text"] for message in document["messages"]}
    assert "pack it and hand it over" in said["ship"]
    assert ["needs_human"] == list({one["outcome"] for one in document["receipts"]})


def test_a_pack_shows_no_other_order_and_nothing_a_person_wrote(cli: Cli, folder: Path) -> None:
    exported(cli, "2")
    for text in (Path("pack.json").read_text(), Path("pack.html").read_text()):
        assert [] == [word for word in ("ring twice", "13800138000", "north/1/") if word in text]


def test_an_alert_that_named_the_order_is_told_without_the_other_names(cli: Cli, folder: Path) -> None:
    alerts = [one for one in exported(cli)["timeline"] if one.get("action") == "alert"]
    assert [True] == [one["withheld"] for one in alerts]
    assert "members" not in alerts[0]


@pytest.mark.parametrize("name", ["pack.html", "pack.json", "pack.zip"])
def test_a_pack_is_whole_in_each_of_its_forms(cli: Cli, folder: Path, name: str) -> None:
    assert 0 == cli("evidence export 1 --out {name}", name=name).code
    said = cli("evidence verify {name} --json", name=name)
    assert (0, True, []) == (said.code, said.document["ok"], kinds(said))
    assert 0 < said.document["chains"][0]["links"]


def test_a_pack_can_be_checked_where_nothing_is_installed(cli: Cli, folder: Path) -> None:
    cli("evidence export 1 --out pack.zip")
    (folder / "forestall.toml").unlink()
    said = cli("evidence verify pack.zip")
    assert (0, True) == (said.code, "no anchor to compare with" in said.err)


def test_the_same_pack_gives_the_same_bytes(cli: Cli, folder: Path) -> None:
    document = exported(cli)
    packfile.write(document, folder / "a.zip")
    first = (folder / "a.zip").read_bytes()
    packfile.write(document, folder / "a.zip")
    assert first == (folder / "a.zip").read_bytes()
    assert ["a.html", "a.json"] == zipfile.ZipFile(folder / "a.zip").namelist()


def test_the_page_speaks_the_language_of_the_one_who_asked(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORESTALL_LANG", "zh")
    exported(cli)
    page = Path("pack.html").read_text()
    assert "订单 1 的证据" in page
    monkeypatch.setenv("FORESTALL_LANG", "en")
    assert 0 == cli("evidence verify pack.html").code


def test_what_a_shop_says_is_never_markup(cli: Cli, folder: Path) -> None:
    exported(cli, "<b>3</b>")
    page = Path("pack.html").read_text()
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "<b>" not in page


# ---- tampering with a pack


def test_a_changed_word_is_altered(cli: Cli, folder: Path) -> None:
    document = exported(cli)
    document["order"]["paid_minor"] = 1
    put(document, fits=False)
    said = cli("evidence verify pack.json --json")
    assert (1, ["document"]) == (said.code, parts(said))


def test_a_changed_page_is_altered(cli: Cli, folder: Path) -> None:
    exported(cli)
    page = Path("pack.html")
    page.write_text(page.read_text().replace("150.00", "1500.00"))
    said = cli("evidence verify pack.html --json")
    assert (1, ["page"]) == (said.code, parts(said))


def test_a_timeline_that_its_proof_does_not_bear_out_is_altered(cli: Cli, folder: Path) -> None:
    document = exported(cli)
    document["timeline"][0]["at"] = "2026-01-01T00:00:00Z"
    put(document)
    assert ["timeline"] == parts(cli("evidence verify pack.json --json"))


def test_a_changed_entry_of_the_proof_is_altered(cli: Cli, folder: Path) -> None:
    document = exported(cli)
    shown = next(one for one in document["chain"]["links"][0]["entries"] if "entry" in one)
    shown["entry"] = shown["entry"].replace("15000", "16000")
    put(document)
    assert ["altered"] == kinds(cli("evidence verify pack.json --json"))


def test_a_link_taken_out_of_a_pack_is_missing(cli: Cli, folder: Path) -> None:
    document = exported(cli)
    del document["chain"]["links"][1]
    put(document)
    assert ["missing"] == kinds(cli("evidence verify pack.json --json"))


def test_a_tail_taken_off_a_pack_is_cut(cli: Cli, folder: Path) -> None:
    document = exported(cli)
    del document["chain"]["links"][-1]
    put(document)
    assert ["cut"] == kinds(cli("evidence verify pack.json --json"))


def test_a_pack_made_of_another_chain_is_rewritten_by_the_databases_witness(cli: Cli, folder: Path) -> None:
    exported(cli)
    tampered(folder, hash=b"x" * 32)
    assert ["rewritten"] == kinds(cli("evidence verify pack.json --json"))


def test_a_database_that_lost_what_a_pack_proves_is_cut(cli: Cli, folder: Path) -> None:
    document = exported(cli)
    database = open_database(f"sqlite:///{folder}/forestall.db")
    with database.begin() as tx:
        tx.execute(EVIDENCE.delete().where(EVIDENCE.c.seq == document["chain"]["head"]["seq"]))
    database.close()
    said = cli("evidence verify pack.json --json")
    assert (1, [[], ["cut"]]) == (said.code, [[d["kind"] for d in c["damage"]] for c in said.document["chains"]])


def test_a_file_that_is_no_pack_is_a_mistake_of_usage(cli: Cli, folder: Path) -> None:
    Path("x.json").write_text("{}")
    for line in ("evidence verify x.json", "evidence verify nowhere.zip", "evidence verify", "evidence verify x --all"):
        assert 2 == cli(line).code, line


def test_parts_that_are_no_longer_what_they_were_are_a_finding_not_a_crash(cli: Cli, folder: Path) -> None:
    document = exported(cli) | {"chain": {"links": [{"seq": "x"}], "head": None, "before": ""}}
    checked, wrong = packfile.examine(Pack("x", document, None), Recorded())
    assert ([], ["document"]) == (checked.damage, wrong)


# ---- the commands


def test_anchors_are_printed_to_be_kept_and_kept_beside_the_database(cli: Cli, folder: Path) -> None:
    said = cli("evidence anchor")
    assert said.out == (folder / "forestall.anchors.jsonl").read_text()
    assert {"shop", "seq", "hash", "at"} == set(cli("evidence anchor --json").document["anchors"][0])


def test_all_chains_are_checked_against_the_anchors(cli: Cli, folder: Path) -> None:
    cli("evidence anchor")
    said = cli("evidence verify --all --json")
    assert (0, True, 1) == (said.code, said.document["ok"], said.document["chains"][0]["anchors"])
    tampered(folder, at=1)
    said = cli("evidence verify --all --json")
    assert (1, False, ["altered"]) == (said.code, said.document["ok"], kinds(said))


def test_a_pack_kept_elsewhere_is_an_anchor(cli: Cli, folder: Path, tmp_path: Path) -> None:
    document = exported(cli)
    head = document["chain"]["head"]["seq"]
    database = open_database(f"sqlite:///{folder}/forestall.db")
    with database.begin() as tx:
        tx.execute(EVIDENCE.delete().where(EVIDENCE.c.seq == head))
    database.close()
    assert 0 == cli("evidence verify --all").code
    said = cli("evidence verify --all --anchors pack.json --json")
    assert (1, ["cut"]) == (said.code, kinds(said))


def test_without_any_anchor_that_is_said(cli: Cli, folder: Path) -> None:
    assert "no anchor to compare with" in cli("evidence verify --all").err


def test_a_pack_of_a_damaged_chain_is_written_and_the_damage_told(cli: Cli, folder: Path) -> None:
    tampered(folder, at=1)
    said = cli("evidence export 1 --out pack.html")
    assert (1, True) == (said.code, "evidence verify --all" in said.err)


def test_a_place_that_cannot_be_written_is_69(cli: Cli, folder: Path) -> None:
    assert 69 == cli("evidence export 1 --out nowhere/pack.zip").code
