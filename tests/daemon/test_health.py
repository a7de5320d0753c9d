"""Shop health from what the store knows: which incidents count, over which days, told when, shown how."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from daemon import clock
from daemon.scheduler import Parts, tick
from daemon.store import health
from daemon.store.database import Database
from rules.health import Budget, Reading
from rules.instant import DAY, HOUR, MINUTE, parse
from tests.daemon.builders import MORNING, a_snapshot, an_event, count, rows, said, shops, take_in
from tests.daemon.commands import Said
from tests.daemon.running import say, sink

JUNE = parse("2026-06-01T00:00:00+08:00")
Install = Callable[..., Parts]
Cli = Callable[..., Said]
PLATFORMS = {"north": "taobao", "plain": "generic"}


def reading(
    db: Database, metric: str, period: str = "rolling", now: int = MORNING, platform: str = "taobao"
) -> Reading:
    with db.begin() as tx:
        found = health.readings(tx, shops("north", platform=platform).get("north"), now)
    (only,) = [one for one in found if (one.gauge.metric, one.gauge.period) == (metric, period)]
    return only


def called_in(db: Database, *order_ids: str, at: int = MORNING) -> None:
    """The platform is called in about these orders."""
    take_in(db, shops("north"), *(an_event("intervention", order_id, at) for order_id in order_ids))


def test_an_intervention_told_by_an_event_counts(db: Database) -> None:
    called_in(db, "1", "2")
    assert 2 == reading(db, "DM-1").count


def test_an_intervention_told_by_a_flag_counts_from_the_snapshot_that_first_shows_it(db: Database) -> None:
    take_in(db, shops("north"), a_snapshot("1"))
    take_in(db, shops("north"), said("1", MORNING + HOUR, flags=["intervention_requested"]))
    take_in(db, shops("north"), said("1", MORNING + 2 * HOUR, flags=["intervention_requested", "urged"]))
    assert [MORNING + HOUR] == [row["at"] for row in rows(db, "incident")]


def test_an_order_told_twice_counts_once(db: Database) -> None:
    take_in(db, shops("north"), a_snapshot("1", flags=["intervention_requested"]))
    called_in(db, "1", at=MORNING + HOUR)
    called_in(db, "1", at=MORNING + HOUR)
    assert 2 == count(db, "incident")
    assert 1 == reading(db, "DM-1", now=MORNING + DAY).count


def test_other_flags_and_events_are_no_incidents(db: Database) -> None:
    take_in(db, shops("north"), a_snapshot("1", flags=["urged"]), an_event("buyer_reply"))
    assert 0 == count(db, "incident")


@pytest.mark.parametrize(
    ("at", "counted"),
    [
        (parse("2026-05-05T00:00:00+08:00") - 1, 0),
        (parse("2026-05-05T00:00:00+08:00"), 1),
        (MORNING, 1),
    ],
)
def test_28_days_end_with_today(db: Database, at: int, counted: int) -> None:
    called_in(db, "1", at=at)
    assert counted == reading(db, "DM-1").count


@pytest.mark.parametrize(("at", "counted"), [(JUNE - 1, 0), (JUNE, 1)])
def test_a_month_begins_at_local_midnight(db: Database, at: int, counted: int) -> None:
    called_in(db, "1", at=at)
    assert counted == reading(db, "DM-1", "month").count


@pytest.mark.parametrize(("paid_at", "trades"), [(parse("2026-05-05T00:00:00+08:00") - 1, 1), (JUNE - 27 * DAY, 2)])
def test_trades_are_the_orders_paid_in_the_window(db: Database, paid_at: int, trades: int) -> None:
    take_in(db, shops("north"), a_snapshot("1"), a_snapshot("2", paid_at=paid_at), a_snapshot("3", paid_at=None))
    assert trades == reading(db, "DM-1").trades


def test_orders_of_another_shop_are_its_own_affair(db: Database) -> None:
    both = shops("north", "south")
    take_in(db, both, a_snapshot("1", shop="south"), an_event("intervention", "1", shop="south"))
    assert (0, None) == (reading(db, "DM-1").count, reading(db, "DM-1").trades)


def test_what_was_not_seen_yet_does_not_count(db: Database) -> None:
    take_in(db, shops("north"), an_event("intervention", at=MORNING), now=MORNING + HOUR)
    assert 0 == reading(db, "DM-1", now=MORNING + HOUR - 1).count
    assert 1 == reading(db, "DM-1", now=MORNING + HOUR).count


def test_rulings_count_and_what_nobody_ruled_on_may_still(db: Database) -> None:
    called_in(db, "1", "2", "3")
    take_in(db, shops("north"), an_event("ruled_against", "1"), an_event("ruled_for", "2"))
    found = reading(db, "DM-3")
    assert (1, 1, "rulings" in found.missing) == (found.count, found.pending, True)
    assert 3 == reading(db, "DM-1").count


def test_complaints_are_counted_where_no_line_is_known(db: Database) -> None:
    """C062: count and share of 30 local days; one more than 29 days old is out. No source names the line."""
    made = shops("north", platform="pinduoduo")
    told = [a_snapshot(str(n)) for n in range(4)]
    complaints = [an_event("complaint", name, at) for name, at in (("1", MORNING), ("2", MORNING - 29 * DAY))]
    old = an_event("complaint", "3", MORNING - 30 * DAY)
    take_in(db, made, *(replace(one, platform="pinduoduo") for one in told), *complaints, old, now=MORNING)
    found = reading(db, "S003-complaints", platform="pinduoduo")
    assert (2, 4, 5_000, "no_line", None) == (found.count, found.trades, found.rate_bp, found.state, found.left)


def test_a_closed_refund_is_no_cry_for_help(db: Database) -> None:
    called_in(db, "1", "2")
    take_in(db, shops("north"), an_event("complaint", "3"), an_event("refund_closed", "2", MORNING + HOUR))
    assert 2 == reading(db, "DM-7", now=MORNING + HOUR).count
    assert 3 == reading(db, "DM-7", now=MORNING).count


def test_stock_outs_of_a_day_and_those_that_threaten(db: Database) -> None:
    """The day before had 7 orders; today one is flagged, another is short and due today."""
    mine = shops("north", platform="pinduoduo")
    earlier = [a_snapshot(f"e{number}", JUNE - HOUR, paid_at=JUNE - HOUR) for number in range(7)]
    take_in(db, mine, *earlier, a_snapshot("1", flags=["out_of_stock"]), a_snapshot("2", ship_by=MORNING + HOUR))
    with db.begin() as tx:
        for order_id in ("1", "2"):
            tx.execute(
                text(
                    'INSERT INTO "case" (key, seller, shop, order_id, violation, episode, opened_at, reason, '
                    "taken_over) VALUES (:id, 'default', 'north', :id, 'stock_out', 1, :at, '', :no)"
                ),
                {"id": order_id, "at": MORNING, "no": False},
            )
    found = reading(db, "PD-S2", "day", platform="pinduoduo")
    assert (1, 1, 2, 2) == (found.count, found.pending, found.forecast, found.trades)


NEXT_DAY = MORNING + DAY
MONTH_END = parse("2026-07-01T00:00:00+08:00")


def budgets_at(db: Database, *instants: int, counted: health.Budgets | None = None) -> dict[tuple[str, int], Budget]:
    """What shop north can afford at these instants; its neighbour never appears."""
    counted = counted or health.Budgets()
    with db.begin() as tx:
        return counted.at(tx, shops("north"), [(name, at) for at in instants for name in ("north", "south")])


def test_a_budget_is_known_only_near_a_line(db: Database) -> None:
    called_in(db, "1", "2")
    assert {} == budgets_at(db, NEXT_DAY)
    called_in(db, "3", "4", at=MORNING + HOUR)
    assert {("north", NEXT_DAY): Budget(disputes_left=1, until=MONTH_END)} == budgets_at(db, NEXT_DAY)


def test_what_happens_in_a_day_changes_the_budget_of_the_next(db: Database) -> None:
    called_in(db, "1", "2", "3", "4")
    midnight = parse("2026-06-02T00:00:00+08:00")
    assert [("north", midnight)] == list(budgets_at(db, MORNING + HOUR, midnight - 1, midnight))


def test_a_budget_is_counted_once_a_day(db: Database) -> None:
    counted = health.Budgets()
    assert {} == budgets_at(db, NEXT_DAY, counted=counted)
    called_in(db, "1", "2", "3", "4")
    assert {} == budgets_at(db, NEXT_DAY + HOUR, counted=counted)


def test_counting_uses_indexes_only(db: Database) -> None:
    """At a million orders a scan would take a second; an index takes some milliseconds."""
    plans: list[str] = []
    with db.begin() as tx:
        explain = "EXPLAIN QUERY PLAN " if db.is_sqlite else "EXPLAIN "
        if not db.is_sqlite:
            tx.execute(text("SET LOCAL enable_seqscan = off"))
        queries = (
            "SELECT count(*) FROM orders WHERE shop = 'a' AND paid_at >= 1 AND paid_at < 9",
            "SELECT min(paid_at) FROM orders WHERE shop = 'a' AND paid_at IS NOT NULL",
            "SELECT order_id, min(at) FROM incident WHERE shop = 'a' AND kind IN ('x') AND at >= 1 GROUP BY order_id",
        )
        plans += (" ".join(str(row) for row in tx.execute(text(explain + query))) for query in queries)
    assert ["paid" in plans[0], "paid" in plans[1]] == [True, True], plans
    wanted = "SEARCH incident USING PRIMARY KEY" if db.is_sqlite else "pk_incident"
    assert wanted in plans[2]


def disputes(parts: Parts, number: int, now: int) -> None:
    """So many orders of which the platform is called in, one minute apart."""
    for index in range(number):
        say(a_snapshot(f"d{index}", now + index * MINUTE, flags=["intervention_requested"]))
        tick(parts, now + index * MINUTE)


def health_alerts(parts: Parts) -> list[str]:
    return [row["key"] for row in rows(parts.database, "action", step="health")]


def test_the_seller_is_told_before_the_line_and_when_it_is_crossed(installed: Install) -> None:
    parts = installed()
    disputes(parts, 2, MORNING)
    assert [] == health_alerts(parts)
    disputes(parts, 4, MORNING + HOUR)
    assert ["north/health:DM-1.month/near/2026-06-01"] == health_alerts(parts)
    (message,) = [one for one in sink().messages if "health" in one.key]
    assert "[north] platform called in (DM-1): near the line" == message.title
    assert "3 more by 06-30 23:59 and campaigns close; expected by then: 6" in message.text
    disputes(parts, 6, MORNING + 2 * HOUR)
    assert "north/health:DM-1.month/over/2026-06-01" in health_alerts(parts)


@pytest.mark.slow
def test_a_line_that_stays_near_is_told_once_a_day_of_new_disputes(installed: Install) -> None:
    parts = installed()
    disputes(parts, 5, MORNING)
    for hour in range(1, 60):
        tick(parts, MORNING + hour * HOUR)
    month = [key for key in health_alerts(parts) if "DM-1.month" in key]
    assert ["north/health:DM-1.month/near/2026-06-01"] == month


def test_what_was_told_is_evidence(installed: Install) -> None:
    parts = installed()
    disputes(parts, 4, MORNING)
    found = [row["entries"] for row in rows(parts.database, "evidence") if "LINE_NEAR" in row["entries"]]
    assert 1 == len(found)


def test_a_new_incident_makes_a_quiet_shop_due_at_once(installed: Install) -> None:
    parts = installed()
    tick(parts, MORNING)
    (timer,) = rows(parts.database, "timer", kind="health")
    assert MORNING + HOUR == timer["due_at"]
    take_in(parts.database, parts.installation.shops, an_event("complaint", at=MORNING + MINUTE))
    (timer,) = rows(parts.database, "timer", kind="health")
    assert MORNING + MINUTE == timer["due_at"]


def test_facts_alone_make_no_health_timer(db: Database) -> None:
    """A replay has none: nothing of it may come due there."""
    called_in(db, "1")
    assert [] == rows(db, "timer", kind="health")


# ---- the command


@pytest.fixture
def folder(tmp_path: Path, cli: Cli, boxes: None) -> Path:
    """A Taobao shop with four orders about which the platform was called in just now, and a shop without lines."""
    shops_of = "".join(f'[shops.{name}]\nplatform = "{of}"\nfeed = "memory"\n' for name, of in PLATFORMS.items())
    (tmp_path / "forestall.toml").write_text(shops_of)
    assert 0 == cli("db upgrade").code
    now = clock.now()
    say(*(a_snapshot(str(n), now, paid_at=now - MINUTE, flags=["intervention_requested"]) for n in range(4)))
    assert 0 == cli("tick").code
    return tmp_path


def test_health_as_a_document(cli: Cli, folder: Path) -> None:
    found = {(one["metric"], one["period"]): one for one in cli("health --shop north --json").document["readings"]}
    month = found["DM-1", "month"]
    assert (4, 6, 1, "near", "campaigns") == tuple(
        month[name] for name in ("count", "crosses_at", "headroom", "state", "effect")
    )
    assert ["history"] == month["missing"]
    assert {"DM-1", "DM-3", "DM-7"} == {metric for metric, _ in found}


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "en",
            ("platform called in", "near the line", "2 more by", "no line of the platform is known for: plain"),
        ),
        ("zh", ("平台介入", "接近红线", "再有 2 笔", "没有这些店铺的平台红线数据：plain")),
    ],
)
def test_health_as_a_screen(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, lang: str, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("FORESTALL_LANG", lang)
    shown = "".join(cli("health").out.split())
    assert [] == [word for word in words if "".join(word.split()) not in shown]


def test_health_of_an_unknown_shop_names_those_that_are_known(cli: Cli, folder: Path) -> None:
    shown = cli("health --shop west")
    assert (2, True) == (shown.code, "north, plain" in shown.err)


def test_today_warns_of_a_line_that_is_near(cli: Cli, folder: Path) -> None:
    assert "[north] platform called in (DM-1): 2 more by" in cli("today").out
