"""The private PostgreSQL server of the suite itself."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests import postgres

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).parent.parent
A_TEST_RUN = """
import sys
from tests import postgres
with postgres.server() as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def test_a_test_starts_with_an_empty_database(pg_database: str) -> None:
    assert [(0,)] == rows(pg_database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")


def test_two_databases_do_not_see_one_another(pg_server: postgres.Server) -> None:
    with pg_server.database() as one, pg_server.database() as other:
        rows(one, "CREATE TABLE only_here (n int)")
        assert [(None,)] == rows(other, "SELECT to_regclass('only_here')::text")


def test_a_template_is_prepared_once_and_copied(pg_server: postgres.Server) -> None:
    prepared = []

    def prepare(url: str) -> None:
        prepared.append(url)
        rows(url, "CREATE TABLE stock AS SELECT 7 AS units")

    for _ in range(2):
        with pg_server.database(template=pg_server.template("stock", prepare)) as url:
            assert [(7,)] == rows(url, "SELECT units FROM stock")
    assert 1 == len(prepared)


def test_the_server_listens_on_no_network_address(pg_url: str) -> None:
    if os.environ.get("FORESTALL_TEST_PG"):
        pytest.skip("the server is not ours")
    assert [("",)] == rows(pg_url, "SHOW listen_addresses")


def test_the_server_ends_when_the_tests_are_killed() -> None:
    if os.environ.get("FORESTALL_TEST_PG"):
        pytest.skip("the server is not ours")
    child = subprocess.Popen(
        [sys.executable, "-c", A_TEST_RUN], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        assert [(1,)] == rows(url, "SELECT 1")
        child.send_signal(signal.SIGKILL)
    assert wait_until_gone(url)


def wait_until_gone(url: str) -> bool:
    directory = Path(str(make_url(url).query["host"]))
    waiting = subprocess.run(
        [
            "/bin/sh",
            "-c",
            'for i in $(seq 200); do [ -e "$0" ] || exit 0; sleep 0.1; done; exit 1',
            directory,
        ],
        check=False,
    )
    plain = make_url(url).set(drivername="postgresql").render_as_string()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(plain, connect_timeout=2)
    return waiting.returncode == 0
