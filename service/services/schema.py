"""Bringing the schema up while the service already listens, as soon as PostgreSQL can be reached."""

from __future__ import annotations

import asyncio

import structlog

from service.db.parameters import example_note
from service.db.pool import Database
from service.db.revision import HEAD
from service.db.sql import sql
from service.errors import UnavailableError

log = structlog.get_logger(__name__)

_RETRY_SECONDS = 0.5
EXAMPLE_PARAMETER = (
    "app:config:max_users",
    example_note(),
    '{"type": "integer", "value": 100, "description": "How many users may be active at once", '
    '"schema": {"minimum": 1, "maximum": 1000}}',
)
EXAMPLE = ("country", "JP", '{"alpha_2": "JP", "alpha_3": "JPN", "name": "Japan", "numeric": "392", "flag": "🇯🇵"}')


async def migrate_when_reachable(url: str, database: Database, *, with_example: bool) -> None:
    """Try until it succeeds. ``with_example`` adds what `/docs` shows, if its keys are new."""
    while True:
        try:
            await asyncio.to_thread(_upgrade, url)
            if with_example:
                async with database.connection() as connection:
                    await connection.execute(sql("example"), *EXAMPLE)
                    await connection.execute(sql("example_parameter"), *EXAMPLE_PARAMETER)
        except UnavailableError as error:
            log.warning("migration_waits", reason=str(error))
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            log.info("schema_ready", revision=HEAD)
            return


def _upgrade(url: str) -> None:
    from service.db.migrations import upgrade  # noqa: PLC0415 (Alembic: slow to import, and needed here only)

    upgrade(url)
