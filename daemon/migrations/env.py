"""Alembic's way in: migrations run on the connection that `daemon.store.database` hands over, in its transaction."""

from alembic import context
from sqlmodel import SQLModel

import daemon.tables  # noqa: F401 - defines the tables

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
