"""From a configuration to running parts: every part that cannot be made is told, with its place."""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from daemon import config
from daemon.errors import ConfigError
from daemon.installation import Installation, build, shop_settings, usable
from rules.calendars import is_open
from rules.model import Kind

NORTH = '[shops.north]\nplatform = "taobao"\npath = "inbox"\n'


def made(folder: Path, text: str, *, adapters: bool = True) -> Installation:
    settings = config.parse(tomllib.loads(text), folder / "forestall.toml")
    return build(settings, privacy_key=b"k", adapters=adapters)


def test_a_drop_folder_stands_beside_the_configuration_and_can_be_read_only_once(tmp_path: Path) -> None:
    north = made(tmp_path, NORTH).shops.get("north")

    assert ("taobao", "Asia/Shanghai", "none") == (north.platform, north.policy.zone.key, north.fresh_read)


def test_a_shop_outside_china_has_utc_unless_it_says_otherwise(tmp_path: Path) -> None:
    shops = made(tmp_path, NORTH.replace("taobao", "generic")).shops

    assert "UTC" == shops.get("north").policy.zone.key


def test_problems_of_several_parts_are_told_together(tmp_path: Path) -> None:
    problems = made(
        tmp_path,
        """
        [shops.a]
        platform = "taobao"
        feed = "fax"
        [shops.b]
        platform = "taobao"
        [shops.c]
        platform = "taobao"
        feed = "nowhere.module:Feed"
        [shops.d]
        platform = "taobao"
        path = "inbox"
        [[shops.d.maintenance]]
        since = "soon"
        until = "later"
        [alerts.e]
        sink = "pigeon"
        [alerts.f]
        sink = "webhook"
        [alerts.g]
        sink = "dingtalk"
        url = "http://127.0.0.1:9/x"
        secret = "file:missing.secret"
        [alerts.h]
        sink = "webhook"
        url = "http://127.0.0.1:9/x"
        kinds = ["compensate"]
        """,
    ).problems

    places = [problem.partition(": ")[0] for problem in problems]

    assert ["shops.a", "shops.b", "shops.c", "shops.d", "alerts.e", "alerts.f", "alerts.g", "alerts.h"] == places


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('feed = "fax"', "known: files", id="unknown feed"),
        pytest.param('feed = "nowhere.module:Feed"', 'write "module:Class" of an importable class', id="no module"),
        pytest.param('feed = "daemon.clock:Feed"', "has no attribute 'Feed'", id="no class"),
        pytest.param('feed = "files"', "needs path", id="no path"),
    ],
)
def test_a_feed_that_cannot_be_made_says_how_to_mend_it(tmp_path: Path, text: str, said: str) -> None:
    (problem,) = made(tmp_path, f'[shops.north]\nplatform = "taobao"\n{text}').problems

    assert said in problem


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        pytest.param('stale_afer = "6h"', 'shops.north.stale_afer: {no} (did you mean "stale_after"?)', id="ours"),
        pytest.param('curency = "CNY"', 'shops.north.curency: {no} (did you mean "currency"?)', id="the feed's"),
        pytest.param('access_token = "env:HOME"', "shops.north.access_token: {no}", id="another feed's"),
    ],
)
def test_a_setting_that_no_files_shop_has_is_refused(tmp_path: Path, setting: str, said: str) -> None:
    problems = made(tmp_path, NORTH + setting).problems

    assert [said.format(no="no such setting; remove it or correct its name")] == problems


def test_a_misspelt_path_is_named_beside_the_missing_one(tmp_path: Path) -> None:
    problems = made(tmp_path, NORTH.replace("path", "pth")).problems

    assert 'shops.north.pth: no such setting; remove it or correct its name (did you mean "path"?)' in problems


def test_what_a_feed_takes_is_handed_on(tmp_path: Path) -> None:
    assert [] == made(tmp_path, NORTH + 'currency = "EUR"').problems


def test_a_feed_that_judges_its_settings_itself_is_handed_all(tmp_path: Path) -> None:
    assert [] == made(tmp_path, '[shops.north]\nplatform = "jd"\nfeed = "memory"\ngateway = "x"').problems


OPEN_ON_WEEKDAYS = '[shops.north.warehouse]\nopen = "Mon-Fri 09:00-18:00"\npickups = ["17:00"]\n'


@pytest.mark.parametrize(
    ("country", "day", "leaves"),
    [
        pytest.param("", "2026-10-01", True, id="only its hours count"),
        pytest.param('country = "CN"\n', "2026-10-01", False, id="a day off"),
        pytest.param('country = "CN"\n', "2026-10-10", True, id="a made-up Saturday"),
        pytest.param('country = "DE"\n', "2026-10-01", True, id="another country"),
    ],
)
def test_days_off_of_the_country_close_the_warehouse(tmp_path: Path, country: str, day: str, leaves: bool) -> None:
    store = made(tmp_path, NORTH + country + OPEN_ON_WEEKDAYS).shops.get("north").policy.warehouse

    assert store is not None
    assert leaves == is_open(store, date.fromisoformat(day))


def test_an_unknown_country_is_refused_also_where_nothing_closes(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"shops\.north\.country: no holidays are known for 'XX' \(mend: write an ISO"
    ):
        made(tmp_path, NORTH + 'country = "XX"')


def test_a_sink_is_refused_kinds_it_cannot_carry_out(tmp_path: Path) -> None:
    text = '[alerts.ops]\nsink = "webhook"\nurl = "http://127.0.0.1:9/"\nkinds = ["alert", "compensate"]'

    assert ["alerts.ops: webhook cannot carry out compensate; remove them from kinds"] == made(tmp_path, text).problems


@pytest.mark.parametrize(
    ("more", "daemon"), [("timeout_s = 30", ""), ("timeout_s = 8", '[daemon]\ncall_timeout = "5s"\n')]
)
def test_a_sink_that_waits_longer_than_any_call_may_take_is_named(tmp_path: Path, more: str, daemon: str) -> None:
    text = f'{daemon}[alerts.ops]\nsink = "webhook"\nurl = "http://127.0.0.1:9/"\n{more}\n'

    (problem,) = made(tmp_path, text).problems

    assert problem.startswith("alerts.ops: timeout_s = ")
    assert problem.endswith("lower it, or raise [daemon] call_timeout")


def test_a_secret_reaches_the_sink_and_no_message(tmp_path: Path) -> None:
    (tmp_path / "d.secret").write_text("SEChunter2")
    (tmp_path / "d.secret").chmod(0o600)
    text = '[alerts.ops]\nsink = "dingtalk"\nurl = "http://127.0.0.1:9/x"\nsecret = "file:d.secret"\nsecrt = "x"'

    (problem,) = made(tmp_path, text).problems

    assert "secrt" in problem
    assert "hunter2" not in problem


def test_a_playbook_that_cannot_be_read_is_told_with_the_rest(tmp_path: Path) -> None:
    (tmp_path / "plays.toml").write_text("name = 1\n")
    problems = made(tmp_path, NORTH + '[playbook]\npath = "plays.toml"\n[alerts.ops]\nsink = "pigeon"').problems

    assert 2 == len(problems)
    assert "plays.toml" in problems[0]


def test_a_playbook_may_only_use_approved_texts(tmp_path: Path) -> None:
    step = (
        'name = "tell", action = "contact", lead = "8h", channel = "platform_chat", intent = "delay_notice", '
        'template = "sorry_sold_out", hours = "09:00-21:00"'
    )
    alerts = '[alerts]\nleads = ["24h"]\n'
    (tmp_path / "plays.toml").write_text(
        f'name = "mine"\nversion = 1\n{alerts}[late_shipment]\nsteps = [{{ {step} }}]\n'
    )
    (problem,) = made(tmp_path, NORTH + '[playbook]\npath = "plays.toml"').problems

    assert "plays.toml:6: late_shipment.steps.tell.template: no approved text 'sorry_sold_out'; known: " in problem


def test_modes_of_kinds_beat_the_default(tmp_path: Path) -> None:
    shops = made(tmp_path, '[mode]\ndefault = "live"\ncompensate = "shadow"').shops

    assert ("shadow", "live") == (shops.mode(Kind.COMPENSATE), shops.mode(Kind.ALERT))


def test_commands_that_only_read_need_no_adapters(tmp_path: Path) -> None:
    installation = made(tmp_path, NORTH + '[alerts.ops]\nsink = "pigeon"', adapters=False)

    assert ({}, {}, []) == (installation.feeds, installation.sinks.outlets, installation.problems)


def test_an_installation_with_problems_is_not_used(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"alerts\.ops: no 'pigeon'"):
        usable(made(tmp_path, '[alerts.ops]\nsink = "pigeon"'))


def test_shops_of_one_seller_share_its_pools_and_others_do_not(tmp_path: Path) -> None:
    shops = made(tmp_path, NORTH + NORTH.replace("north", "south") + 'seller = "other"\n').shops

    assert ("default", "other") == (shops.get("north").seller, shops.get("south").seller)


def test_a_field_may_be_mapped_to_several_columns_and_say_whose_amount_it_is(tmp_path: Path) -> None:
    text = """
        [shops.s]
        platform = "generic"
        path = "inbox"
        [shops.s.columns]
        order_id = ["Name", "Order"]
        status = [{ column = "A", values = { x = "paid" } }, { column = "B", values = { y = "refunded" } }]
        paid_minor = { column = "Price", unit = "major", per = "line" }
    """
    settings = config.parse(tomllib.loads(text), tmp_path / "forestall.toml")
    columns = shop_settings("s", settings.shops["s"], settings, b"k").columns

    assert ("Name", ["Order"]) == (columns["order_id"].column, [one.column for one in columns["order_id"].also])
    assert [{"y": "refunded"}] == [one.values for one in columns["status"].also]
    assert "line" == columns["paid_minor"].per


@pytest.mark.parametrize(
    ("entry", "mend"),
    [
        ('paid_att = "Paid"', 'columns.paid_att: there is no such field; write "paid_at", or keep the column'),
        ('Ship_by = "X"', 'columns.Ship_by: there is no such field; write "ship_by", or keep the column'),
        (
            'status = { column = "S", values = { x = "payed" } }',
            '\'x\' means "payed", which is no status; write "paid"',
        ),
        ('status = { column = "S", values = { x = "urged" } }', '"urged" is a flag; write "flag:urged"'),
        ('status = [{ column = "S" }, { column = "T", values = { y = "sent" } }]', "which is no status"),
        ('status = ["S", "S"]', "one column is named twice"),
    ],
)
def test_a_slip_in_a_map_is_told_before_any_file_is_read(tmp_path: Path, entry: str, mend: str) -> None:
    problems = made(tmp_path, f'{NORTH}[shops.north.columns]\norder_id = "id"\n{entry}\n').problems

    assert [True] == [mend in problem and problem.startswith("shops.north: ") for problem in problems]


def test_a_slip_in_a_history_is_told_too(tmp_path: Path) -> None:
    problems = made(tmp_path, f'{NORTH}[shops.north.history]\nshiped = "sent"\n').problems

    assert ['history.shiped: there is no such stage; write "shipped"'] == [one.split("north: ")[-1] for one in problems]
