"""Migrations make the tables that `daemon/tables.py` describes, on both databases.

Until the first release the one migration is written anew from the tables:
.venv/bin/python -m tests.daemon.test_migrations
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text
from sqlmodel import SQLModel

from daemon import tables
from daemon.errors import SchemaOutdated
from daemon.store import database
from daemon.store.database import Database, check_schema, open_database, revisions, upgrade

INITIAL = database.MIGRATIONS / "versions" / "0001_initial.py"
OURS = {
    model.__tablename__: model.__table__
    for model in vars(tables).values()
    if isinstance(model, type) and issubclass(model, SQLModel) and hasattr(model, "__table__")
}
SECOND = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("timer") as batch:
        batch.add_column(sa.Column("hint", sa.Text(), nullable=True))
        batch.alter_column("error", new_column_name="last_error")


def downgrade() -> None:
    with op.batch_alter_table("timer") as batch:
        batch.alter_column("last_error", new_column_name="error")
        batch.drop_column("hint")
"""


def rewrite() -> None:
    """Write 0001_initial.py anew from the tables."""
    INITIAL.unlink(missing_ok=True)
    with create_engine("sqlite://").begin() as connection:
        config = database._alembic(connection)
        config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        command.revision(config, message="initial", rev_id="0001", autogenerate=True)


@pytest.fixture
def two_migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The migrations as a later version would have them: in a folder with a difficult name, and one more."""
    folder = tmp_path / "50% of it" / "migrations"
    shutil.copytree(database.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "0002_hint.py").write_text(SECOND)
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", folder)
        yield folder


def downgrade(db: Database, revision: str) -> None:
    with db.begin() as connection:
        command.downgrade(database._alembic(connection), revision)


def is_ours(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
    return kind != "table" or name in OURS


def differences(db: Database) -> list[Any]:
    with db.begin() as connection:
        options = {"compare_type": True, "include_object": is_ours}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), SQLModel.metadata))


def schema(connection: Connection) -> dict[str, Any]:
    """All that the database itself says about our tables: columns, keys, indexes, and SQLite's own words."""
    found = inspect(connection)
    said: dict[str, Any] = {
        name: (
            sorted((column["name"], str(column["type"]), column["nullable"]) for column in found.get_columns(name)),
            found.get_pk_constraint(name),
            sorted((index["name"], index["column_names"], index["unique"]) for index in found.get_indexes(name)),
        )
        for name in found.get_table_names()
        if name != "alembic_version"
    }
    if connection.dialect.name == "sqlite":
        rows = connection.execute(
            text("SELECT name, sql FROM sqlite_master WHERE sql <> '' AND name <> 'alembic_version'")
        )
        said |= {f"sql of {name}": " ".join(sql.replace('"', "").split()) for name, sql in rows}
    return said


def test_the_newest_migration_is_known_without_alembic(own_db: Database) -> None:
    newest = ScriptDirectory(str(database.MIGRATIONS)).get_current_head()

    assert (newest, newest) == revisions(own_db)


def test_migrations_leave_nothing_to_do(empty_db: Database) -> None:
    upgrade(empty_db)
    assert [] == differences(empty_db)


def test_migrated_tables_are_those_the_models_would_make(empty_db: Database) -> None:
    with empty_db.begin() as connection:
        SQLModel.metadata.create_all(connection, tables=list(OURS.values()))
        wanted = schema(connection)
        SQLModel.metadata.drop_all(connection, tables=list(OURS.values()))
    upgrade(empty_db)
    with empty_db.begin() as connection:
        assert wanted == schema(connection)


def test_narrow_tables_have_no_rowid(tmp_path: Path) -> None:
    db = open_database(f"sqlite:///{tmp_path}/forestall.db")
    upgrade(db)
    with db.begin() as connection:
        found = connection.execute(text("SELECT name FROM sqlite_master WHERE sql LIKE '%WITHOUT ROWID%'"))
        assert {"timer", "seen", "open_line", "evidence_of"} <= set(found.scalars())
    db.close()


def test_up_down_and_up_again_ends_where_it_began(empty_db: Database) -> None:
    upgrade(empty_db)
    with empty_db.begin() as connection:
        first = schema(connection)
    downgrade(empty_db, "base")
    with empty_db.begin() as connection:
        assert {} == schema(connection)
    upgrade(empty_db)
    with empty_db.begin() as connection:
        assert first == schema(connection)


def test_upgrading_twice_changes_nothing_and_keeps_the_rows(own_db: Database) -> None:
    with own_db.begin() as connection:
        connection.execute(OURS["meta"].insert(), {"name": "a", "value": "b"})
    upgrade(own_db)
    with own_db.begin() as connection:
        assert [("a", "b")] == connection.execute(text("SELECT name, value FROM meta")).all()
    check_schema(own_db)


def test_an_empty_database_is_refused_with_the_mend(empty_db: Database) -> None:
    with pytest.raises(SchemaOutdated, match=r"is empty, this version needs \d+: run `forestall db upgrade`"):
        check_schema(empty_db)


def test_an_old_revision_is_refused_with_the_mend_and_upgraded_with_its_rows(
    own_db: Database, two_migrations: Path
) -> None:
    timer = {"kind": "order", "shop": "north", "id": "1", "seller": "s", "shard": 3, "due_at": 7, "error": "so"}
    with own_db.begin() as connection:
        connection.execute(OURS["timer"].insert(), timer)
    with pytest.raises(
        SchemaOutdated, match="is at revision 0001, this version needs 0002: run `forestall db upgrade`"
    ):
        check_schema(own_db)
    upgrade(own_db)
    check_schema(own_db)
    with own_db.begin() as connection:
        assert [("1", 7, "so", None)] == connection.execute(
            text("SELECT id, due_at, last_error, hint FROM timer")
        ).all()
    downgrade(own_db, "0001")
    with own_db.begin() as connection:
        assert [("1", 7, "so")] == connection.execute(text("SELECT id, due_at, error FROM timer")).all()
        assert "WITHOUT ROWID" in schema(connection).get("sql of timer", "WITHOUT ROWID")
    assert [] == differences(own_db)


def test_a_database_of_a_later_version_is_refused_and_left_alone(own_db: Database) -> None:
    with own_db.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for attempt in (check_schema, upgrade):
        with pytest.raises(SchemaOutdated, match=r"revision 9999, which this version does not know.* later version"):
            attempt(own_db)
    assert "9999" == revisions(own_db)[0]


def test_a_failing_migration_leaves_the_old_schema_whole(own_db: Database, two_migrations: Path) -> None:
    broken = two_migrations / "versions" / "0002_hint.py"
    broken.write_text(SECOND.replace('op.batch_alter_table("timer")', 'op.batch_alter_table("nowhere")', 1))
    broken.write_text(
        broken.read_text().replace("def upgrade() -> None:", 'def upgrade() -> None:\n    op.drop_table("meta")')
    )
    with pytest.raises(Exception, match="nowhere"):
        upgrade(own_db)
    with own_db.begin() as connection:
        assert "meta" in inspect(connection).get_table_names()
    assert ("0001", "0002") == revisions(own_db)


def test_a_database_in_memory_has_the_schema() -> None:
    db = open_database("sqlite://")
    check_schema(db)
    upgrade(db)
    assert [] == differences(db)
    db.close()


if __name__ == "__main__":
    rewrite()
