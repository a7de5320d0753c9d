"""The configuration file: read as a whole, every problem told at once with its place and its mend."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from daemon import config
from daemon.config import Config
from daemon.errors import ConfigError
from rules.hours import Hours
from rules.instant import HOUR
from tests.project import ROOT

NORTH = '[shops.north]\nplatform = "taobao"\n'


def read(folder: Path, text: str) -> Config:
    file = folder / "forestall.toml"
    file.write_text(text, "utf-8")
    return config.load(file)


def problems(folder: Path, text: str) -> list[str]:
    """What is wrong with it, without the file's name at the front of every line."""
    with pytest.raises(ConfigError) as refused:
        read(folder, text)
    return [line.removeprefix(f"{folder}/forestall.toml: ") for line in str(refused.value).splitlines()]


def test_an_empty_file_is_an_installation_without_shops_in_shadow(tmp_path: Path) -> None:
    made = read(tmp_path, "")

    assert ("shadow", {}, {}) == (made.mode.default, made.shops, made.alerts)


def test_the_example_that_is_shipped_can_be_read() -> None:
    made = config.load(ROOT / "deploy/forestall.example.toml")

    assert made.shops


def test_zones_durations_and_hours_are_read_once_and_for_all(tmp_path: Path) -> None:
    made = read(
        tmp_path,
        NORTH
        + 'timezone = "Asia/Shanghai"\nstale_after = "6h"\n[alerts.ops]\nsink = "memory"\nhours = "08:00-22:00"\n',
    )

    assert ZoneInfo("Asia/Shanghai") == made.shops["north"].timezone
    assert 6 * HOUR == made.shops["north"].stale_after
    assert Hours.parse("08:00-22:00") == made.alerts["ops"].hours


@pytest.mark.parametrize("line", ["0", "-3", "1.5", '"many"'])
def test_a_line_of_points_is_a_whole_number_from_one(tmp_path: Path, line: str) -> None:
    assert "shops.north.points_line: " in "".join(problems(tmp_path, NORTH + f"points_line = {line}\n"))


def test_every_problem_is_told_at_once_with_its_dotted_key(tmp_path: Path) -> None:
    told = problems(
        tmp_path,
        """
        [database]
        urll = "sqlite:///x.db"
        [mode]
        default = "lively"
        [shops.north]
        timezone = "Mars/Olympus"
        stale_after = "6 parsecs"
        poll_s = 0
        app_secret = "hunter2"
        [shops.north.warehouse]
        open = "Mon-Sat 09:00-18:00"
        pickups = ["23:00"]
        [alerts.ops]
        sink = "webhook"
        hours = "22-8"
        """,
    )

    places = [line.partition(": ")[0] for line in told]

    assert [
        "shops.north.app_secret",
        "database.urll",
        "mode.default",
        "shops.north.platform",
        "shops.north.timezone",
        "shops.north.stale_after",
        "shops.north.poll_s",
        "shops.north.warehouse",
        "alerts.ops.hours",
    ] == places


def test_every_line_of_an_error_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, "[mode]\ndefault = 1\nalert = 2\n[database]\nx = 1\n")

    lines = str(refused.value).splitlines()

    assert 3 == len(lines)
    assert all(line.startswith(f"{tmp_path}/forestall.toml: ") for line in lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            NORTH + 'timezone = "Shanghai"',
            "shops.north.timezone: no time zone 'Shanghai'; write one like \"Asia/Shanghai\"",
            id="zone",
        ),
        pytest.param(
            NORTH + 'stale_after = "6"',
            'shops.north.stale_after: \'6\' is no duration (mend: write "48h", "30m", "2d" or "PT4H")',
            id="duration",
        ),
        pytest.param(
            '[alerts.ops]\nsink = "memory"\nhours = "8-22"',
            "alerts.ops.hours: '8-22' is no opening hours; write \"09:00-21:00\"",
            id="hours",
        ),
        pytest.param("[shops.north]", "shops.north.platform: is missing; add it", id="missing"),
        pytest.param(
            '[mode]\ncompensat = "live"',
            'mode.compensat: no such setting; remove it or correct its name (did you mean "compensate"?)',
            id="misspelt",
        ),
        pytest.param(
            "[databse]",
            'databse: no such setting; remove it or correct its name (did you mean "database"?)',
            id="section",
        ),
        pytest.param('base = "/tmp"', "base: no such setting; remove it or correct its name", id="base"),
        pytest.param(
            "[alerts.ops]\nsink = 'memory'\nkinds = ['bark']",
            "alerts.ops.kinds.0: Input should be 'alert', 'task', 'negotiate', 'contact', 'compensate', 'delist' or "
            "'relist'",
            id="kind",
        ),
    ],
)
def test_a_problem_says_what_is_wrong_and_how_to_mend_it(tmp_path: Path, text: str, expected: str) -> None:
    assert [expected] == problems(tmp_path, text)


@pytest.mark.parametrize("section", ["database", "mode", "playbook", "daemon"])
def test_an_unknown_key_in_a_section_of_our_own_is_refused(tmp_path: Path, section: str) -> None:
    (told,) = problems(tmp_path, f"[{section}]\ncolour = 1")

    assert told.startswith(f"{section}.colour: no such setting")


def test_an_unknown_key_of_a_shop_belongs_to_its_feed(tmp_path: Path) -> None:
    made = read(tmp_path, NORTH + 'gateway = "http://127.0.0.1:8081"\npage = 50\n')

    assert {"gateway": "http://127.0.0.1:8081", "page": "50"} == made.shops["north"].options


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param(NORTH + 'app_secret = "hunter2"', "shops.north.app_secret", id="text"),
        pytest.param(NORTH + "access_token = 31337", "shops.north.access_token", id="number"),
        pytest.param(
            NORTH + '[shops.north.oauth]\nrefresh_token = "hunter2"', "shops.north.oauth.refresh_token", id="deep"
        ),
        pytest.param('[alerts.ops]\nsink = "smtp"\npassword = "hunter2"', "alerts.ops.password", id="alert"),
    ],
)
def test_a_literal_secret_is_refused_and_not_repeated(tmp_path: Path, text: str, place: str) -> None:
    (told,) = problems(tmp_path, text)

    assert f"{place}: holds a secret; write cred:NAME, file:PATH or env:NAME instead" == told


def test_no_problem_repeats_a_secret_that_stands_in_the_wrong_place(tmp_path: Path) -> None:
    told = problems(tmp_path, '[mode]\npasswort = "hunter2"\n[database]\nurl = ["hunter2"]\n')

    assert "hunter2" not in "\n".join(told)


@pytest.mark.parametrize("reference", ["cred:pdd_token", "file:pdd.secret", "env:PDD"])
def test_a_reference_to_a_secret_is_kept_as_written(tmp_path: Path, reference: str) -> None:
    made = read(tmp_path, NORTH + f'app_secret = "{reference}"')

    assert reference == made.shops["north"].options["app_secret"]


def test_the_environment_overrides_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORESTALL_MODE__COMPENSATE", "live")
    monkeypatch.setenv("FORESTALL_DATABASE__URL", "sqlite:///other.db")

    made = read(tmp_path, '[mode]\ncompensate = "shadow"\nalert = "live"\n')

    assert ("live", "live", "sqlite:///other.db") == (made.mode.compensate, made.mode.alert, made.database.url)


def test_the_environment_reaches_one_key_of_one_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORESTALL_SHOPS__NORTH__POLL_S", "5")

    made = read(tmp_path, NORTH)

    assert ("taobao", 5) == (made.shops["north"].platform, made.shops["north"].poll_s)


def test_a_wrong_value_in_the_environment_is_told_like_one_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORESTALL_MODE__DEFAULT", "lively")

    assert ["mode.default: Input should be 'shadow' or 'live'"] == problems(tmp_path, "")


def test_relative_paths_start_at_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "forestall.toml").write_text("")
    monkeypatch.chdir(tmp_path)

    made = config.load(Path("etc/forestall.toml"))

    assert folder == made.base
    assert f"sqlite:///{folder}/forestall.db" == config.url_of(made)


def test_the_environment_cannot_move_the_place_where_relative_paths_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORESTALL_BASE", "/elsewhere")

    assert tmp_path == read(tmp_path, "").base


@pytest.mark.parametrize("url", ["sqlite:////var/lib/x.db", "postgresql+psycopg://db/x", "sqlite:///", "sqlite://"])
def test_a_database_that_is_no_relative_file_stays_as_it_is(tmp_path: Path, url: str) -> None:
    made = read(tmp_path, f'[database]\nurl = "{url}"')

    assert url == config.url_of(made)


def test_a_file_that_is_missing_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"forestall.toml: no such file; run `forestall init`") as refused:
        config.load(tmp_path / "forestall.toml")

    assert 78 == refused.value.exit_code


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"[mode\n", "not valid TOML", id="toml"),
        pytest.param(b"\xff\xfe", "not UTF-8 text; save it as UTF-8", id="not utf-8"),
    ],
)
def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "forestall.toml"
    file.write_bytes(content)

    with pytest.raises(ConfigError, match=said):
        config.load(file)


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(tmp_path)
