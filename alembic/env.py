"""Runs the migrations, one replica at a time, over the connection that `service.db.migrations` hands in."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from service.db.revision import VERSION_TABLE
from service.db.tables import metadata


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
