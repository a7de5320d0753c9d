"""`check` tells all problems at once: none hides another, and what would stop a run is found before it."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.cli import app, session
from tests import databases
from tests.daemon.commands import Said, words

Cli = Callable[..., Said]
SHOP = '[shops.north]\nplatform = "taobao"\npath = "inbox"\n'
SLIPS = {
    '[mode]\ndefault = "lve"\n': "mode.default: ",
    '[daemon]\nsocet = "x"\n': 'daemon.socet: no such setting; remove it or correct its name (did you mean "socket"?)',
    '[shops.a]\nplatform = "jd"\nfeed = "fax"\n': "shops.a: no 'fax' in forestall.feeds",
    '[shops.b]\npath = "inbox"\npoll_s = 0\n': "shops.b.platform: is missing; add it",
    '[shops.c]\nplatform = "jd"\npath = "inbox"\ncurency = "CNY"\n': "shops.c.curency: no such setting; remove it or",
    '[shops.d]\nplatform = "jd"\npath = "nowhere"\n': "shops.d.path: there is no folder",
    '[alerts.e]\nsink = "pigeon"\nsecret = "env:NOWHERE"\n': "alerts.e: no 'pigeon' in forestall.sinks",
    '[alerts.f]\nsink = "webhook"\nurl = "http://127.0.0.1:9/"\nsecret = "word"\n': "alerts.f.secret: holds a secret",
    '[alerts.g]\nsink = "dingtalk"\nurl = "http://127.0.0.1:9/"\nsecret = "env:NOWHERE"\n': "the environment has no",
    '[alerts.h]\nsink = "webhook"\nurl = "http://127.0.0.1:9/"\nhours = "x"\n': "alerts.h.hours: 'x' is no ",
    '[playbook]\npath = "none.toml"\n': "none.toml",
    '[databse]\nurl = "x"\n': 'databse: no such setting; remove it or correct its name (did you mean "database"?)',
}
"""A slip, and what is said of it."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    databases.put(tmp_path / "forestall.db")
    return tmp_path


def checked(cli: Cli, folder: Path, text: str) -> Said:
    (folder / "forestall.toml").write_text(text)
    return cli("check --json")


@pytest.mark.parametrize("slip", SLIPS)
def test_each_slip_is_found(cli: Cli, folder: Path, slip: str) -> None:
    said = checked(cli, folder, SHOP + slip)

    assert 78 == said.code
    assert any(SLIPS[slip] in problem for problem in said.document["problems"]), said.document["problems"]


@pytest.mark.slow
@given(st.sets(st.sampled_from(sorted(SLIPS))))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_slip_hides_another(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str], slips: set[str]
) -> None:
    folder = tmp_path_factory.mktemp("slips")
    (folder / "inbox").mkdir()
    databases.put(folder / "forestall.db")
    file = folder / "forestall.toml"
    file.write_text(SHOP + "".join(sorted(slips)))
    capsys.readouterr()

    code = session.run_or_forward(app, words("check --json -c {file}", file=file))
    problems = Said(code, *capsys.readouterr()).document["problems"]

    missing = [SLIPS[slip] for slip in slips if not any(SLIPS[slip] in problem for problem in problems)]
    assert [] == missing
    assert (78 if slips else 0) == code


def test_a_port_that_is_taken_is_said_by_check_and_by_run_without_a_traceback(cli: Cli, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        said = checked(cli, folder, f'{SHOP}[daemon]\nmetrics = "{place}"\n')
        ran = cli("run")

    (problem,) = said.document["problems"]
    assert f"daemon.metrics: cannot listen on {place} (Address already in use); choose another port" in problem
    assert 69 == ran.code
    assert "cannot listen on" in ran.err
    assert "Traceback" not in ran.err


def test_a_file_that_is_no_text_is_said_in_words(cli: Cli, folder: Path) -> None:
    (folder / "forestall.toml").write_bytes(b"\xff\xfe[\0")

    said = cli("check")

    assert (78, True) == (said.code, "not UTF-8 text; save it as UTF-8" in said.out)
    assert "codec" not in said.out


@pytest.mark.parametrize("url", ["nonsense", "mysql://u:word@h/x", "postgresql://u:word@h:port/x", "", "sqlite:"])
@pytest.mark.parametrize("command", ["check", "tick", "today", "db upgrade", "kill status"])
def test_a_database_that_is_none_is_said_without_traceback_and_without_its_password(
    cli: Cli, folder: Path, url: str, command: str
) -> None:
    (folder / "forestall.toml").write_text(f'[database]\nurl = "{url}"\n{SHOP}')

    said = cli(command)

    assert 78 == said.code
    assert "database.url: is no database; write sqlite:///FILE or postgresql://USER@HOST/NAME" in said.out + said.err
    assert "word" not in said.out + said.err


@pytest.mark.parametrize("said", ["x", "127.0.0.1", ":9109", "127.0.0.1:0", "127.0.0.1:99999", "127.0.0.1:port"])
def test_an_address_of_metrics_that_is_none_is_a_problem(cli: Cli, folder: Path, said: str) -> None:
    problems = checked(cli, folder, f'{SHOP}[daemon]\nmetrics = "{said}"\n').document["problems"]

    assert any(f'daemon.metrics: {said!r} is no address; write "127.0.0.1:9109"' in problem for problem in problems)


@pytest.mark.parametrize(
    ("platform", "warned"),
    [
        ("pinduoduo", None),
        ("pdd", None),
        ("拼多多", None),
        ("taobaoo", "shops.s.platform: no rules are known for taobaoo: fines and contact rules are generic; did you"),
        ("shopee", "shops.s.platform: no rules are known for shopee: fines and contact rules are generic"),
    ],
)
def test_a_platform_nobody_knows_is_a_warning_with_the_nearest_known(
    cli: Cli, folder: Path, platform: str, warned: str | None
) -> None:
    said = checked(cli, folder, f'[shops.s]\nplatform = "{platform}"\npath = "inbox"\n').document

    found = [warning for warning in said["warnings"] if "no rules are known" in warning]
    assert [] == said["problems"]
    assert (found == []) if warned is None else found[0].startswith(warned)
