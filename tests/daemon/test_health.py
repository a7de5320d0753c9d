"""Shop health from what the store knows: which incidents count, over which days, told when, shown how."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from freezegun import freeze_time
from sqlalchemy import text

from daemon import clock
from daemon.scheduler import Parts, tick
from daemon.shops import Shops
from daemon.store import health
from daemon.store.database import Database
from rules.health import Budget, Reading
from rules.instant import DAY, HOUR, MINUTE, format_utc, parse, to_datetime
from tests import databases
from tests.daemon.builders import MORNING, a_snapshot, an_event, count, rows, said, shops, take_in
from tests.daemon.commands import Said
from tests.daemon.running import LIVE, say, sink

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
            "SELECT at, points FROM incident WHERE shop = 'a' AND kind = 'x' AND at >= 1 ORDER BY at, order_id",
        )
        plans += (" ".join(str(row) for row in tx.execute(text(explain + query))) for query in queries)
    assert ["paid" in plans[0], "paid" in plans[1]] == [True, True], plans
    wanted = "SEARCH incident USING PRIMARY KEY" if db.is_sqlite else "pk_incident"
    assert [True, True] == [wanted in plan for plan in plans[2:]], plans


# ---- penalty points


def with_line(line: int | None, platform: str = "taobao") -> Shops:
    """Shop north, whose seller states this line."""
    made = shops("north", platform=platform)
    made.known["north"] = replace(made.get("north"), points_line=line)
    return made


def points_of(db: Database, line: int | None = None, now: int = MORNING, platform: str = "taobao") -> list[Reading]:
    with db.begin() as tx:
        found = health.readings(tx, with_line(line, platform).get("north"), now)
    return [one for one in found if one.gauge.metric == "points"]


def deducted(db: Database, points: int, order_id: str = "1", at: int = MORNING) -> None:
    take_in(db, shops("north"), an_event("points_deducted", order_id, at, points=points))


def test_points_are_put_down_once_whoever_repeats_them(db: Database) -> None:
    deducted(db, 3)
    deducted(db, 3)
    deducted(db, 2, at=MORNING + HOUR)
    deducted(db, 1, order_id="2")
    assert [3, 1, 2] == [row["points"] for row in rows(db, "incident", kind="points_deducted")]
    (found,) = points_of(db, now=MORNING + HOUR)
    assert (6, "no_line", None) == (found.count, found.state, found.left)


def test_points_are_evidence(db: Database) -> None:
    deducted(db, 3)
    (entry,) = [row["entries"] for row in rows(db, "evidence") if "points_deducted" in row["entries"]]
    assert '"points":3' in entry


def test_other_events_say_nothing_of_points_in_the_evidence(db: Database) -> None:
    take_in(db, shops("north"), an_event("complaint"))
    assert [] == [row["entries"] for row in rows(db, "evidence") if "points" in row["entries"]]


def test_points_that_were_not_seen_yet_are_not_told(db: Database) -> None:
    take_in(db, shops("north"), an_event("points_deducted", points=3), now=MORNING + HOUR)
    (before,), (after,) = points_of(db, now=MORNING + HOUR - 1), points_of(db, now=MORNING + HOUR)
    assert (("points",), (), 3) == (before.missing, after.missing, after.count)


def test_points_of_last_year_are_told_and_nought_counts_today(db: Database) -> None:
    deducted(db, 9, at=parse("2026-12-31T23:59:59+08:00"))
    midnight = parse("2027-01-01T00:00:00+08:00")
    (before,), (after,) = points_of(db, 12, midnight - 1), points_of(db, 12, midnight)
    assert (9, 0, ()) == (before.count, after.count, after.missing)


@pytest.mark.parametrize(("line", "shown"), [(None, 0), (12, 1)])
def test_a_platform_that_counts_nothing_shows_points_where_somebody_speaks_of_them(
    db: Database, line: int | None, shown: int
) -> None:
    assert shown == len(points_of(db, line, platform="generic"))
    deducted(db, 1)
    assert 1 == len(points_of(db, line, platform="generic"))


@pytest.mark.parametrize(("points", "left"), [(8, None), (9, 2), (12, 0)])
def test_points_near_the_sellers_line_are_in_the_budget_of_the_next_morning(
    db: Database, points: int, left: int | None
) -> None:
    december = parse("2026-12-31T08:00:00+08:00") - DAY
    deducted(db, points, at=december)
    today, tomorrow = ("north", december + HOUR), ("north", december + DAY)
    with db.begin() as tx:
        held = health.Budgets().at(tx, with_line(12), [today, tomorrow])
        unstated = health.Budgets().at(tx, with_line(None), [tomorrow])
    assert {} == unstated
    assert ([] if left is None else [(tomorrow, left)]) == [(at, budget.points_left) for at, budget in held.items()]


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


def looked_at_again(parts: Parts) -> str:
    (timer,) = rows(parts.database, "timer", kind="health")
    return format_utc(timer["due_at"])


def test_a_shop_far_from_every_line_is_looked_at_again_when_the_windows_move(installed: Install) -> None:
    parts = installed()
    tick(parts, MORNING)
    assert "2026-06-01T16:00:00Z" == looked_at_again(parts)  # midnight in Shanghai


def test_a_shop_near_a_line_is_looked_at_every_hour(installed: Install) -> None:
    parts = installed()
    disputes(parts, 4, MORNING)
    assert format_utc(MORNING + 3 * MINUTE + HOUR) == looked_at_again(parts)


def test_a_days_line_that_orders_threaten_by_time_alone_is_looked_at_every_hour(installed: Install) -> None:
    parts = installed(LIVE.replace("taobao", "pinduoduo"))
    tick(parts, MORNING)
    assert format_utc(MORNING + HOUR) == looked_at_again(parts)


def test_a_new_incident_makes_a_quiet_shop_due_at_once(installed: Install) -> None:
    parts = installed()
    tick(parts, MORNING)
    take_in(parts.database, parts.installation.shops, an_event("complaint", at=MORNING + MINUTE))
    (timer,) = rows(parts.database, "timer", kind="health")
    assert MORNING + MINUTE == timer["due_at"]


def test_facts_alone_make_no_health_timer(db: Database) -> None:
    """A replay has none: nothing of it may come due there."""
    called_in(db, "1")
    assert [] == rows(db, "timer", kind="health")


# ---- the command


@pytest.fixture
def at(request: pytest.FixtureRequest) -> str:
    """The moment of a command: in the middle of a month unless a test names another one."""
    return str(getattr(request, "param", "2026-06-16T10:00:00+08:00"))


@pytest.fixture
def folder(tmp_path: Path, cli: Cli, boxes: None, at: str) -> Iterator[Path]:
    """A Taobao shop with four orders about which the platform was called in just now, and a shop without lines."""
    shops_of = "".join(f'[shops.{name}]\nplatform = "{of}"\nfeed = "memory"\n' for name, of in PLATFORMS.items())
    (tmp_path / "forestall.toml").write_text(shops_of)
    databases.put(tmp_path / "forestall.db")
    with freeze_time(to_datetime(parse(at)), real_asyncio=True):
        now = clock.now()
        say(*(a_snapshot(str(n), now, paid_at=now - MINUTE, flags=["intervention_requested"]) for n in range(4)))
        assert 0 == cli("tick").code
        yield tmp_path


@pytest.mark.parametrize(
    ("at", "missing"),
    [
        ("2026-06-16T10:00:00+08:00", ["history"]),
        ("2026-06-30T23:59:00+08:00", ["history"]),
        ("2026-07-01T00:01:00+08:00", []),  # nothing of July was before this data
        ("2028-02-29T23:59:59+08:00", ["history"]),
        ("2026-12-31T23:30:00+08:00", ["history"]),
        ("2026-12-31T16:01:00Z", []),  # the first of January in the shop's zone
    ],
    indirect=["at"],
)
def test_health_as_a_document(cli: Cli, folder: Path, missing: list[str]) -> None:
    found = {(one["metric"], one["period"]): one for one in cli("health --shop north --json").document["readings"]}
    month = found["DM-1", "month"]
    assert (4, 6, 1, "near", "campaigns") == tuple(
        month[name] for name in ("count", "crosses_at", "headroom", "state", "effect")
    )
    assert missing == month["missing"]
    assert {"DM-1", "DM-3", "DM-7", "points"} == {metric for metric, _ in found}


def points_shown(cli: Cli) -> list[tuple[object, ...]]:
    wanted = ("shop", "period", "count", "headroom", "state", "missing")
    readings = cli("health --json").document["readings"]
    return [tuple(one[name] for name in wanted) for one in readings if one["metric"] == "points"]


def test_points_that_nobody_told_are_missing_from_the_document(cli: Cli, folder: Path) -> None:
    assert [("north", "year", None, None, "unknown", ["points"])] == points_shown(cli)


def test_points_as_a_document(cli: Cli, tmp_path: Path, boxes: None) -> None:
    (tmp_path / "forestall.toml").write_text('[shops.north]\nplatform = "generic"\nfeed = "memory"\npoints_line = 12\n')
    databases.put(tmp_path / "forestall.db")
    say(an_event("points_deducted", "0", clock.now(), points=11))
    assert 0 == cli("tick").code
    assert [("north", "year", 11, 0, "near", [])] == points_shown(cli)
    assert "your own: 12 points" in " ".join(cli("health").out.split())


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "en",
            (
                *("platform called in", "near the line", "2 more by", "no line of the platform is known for: plain"),
                "! north, points: nobody has told any penalty points",
            ),
        ),
        ("zh", ("平台介入", "接近红线", "再有 2 笔", "没有这些店铺的平台红线数据：plain", "没有任何扣分记录")),
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
