"""Bringing the schema up while the service already listens, as soon as PostgreSQL can be reached."""

from __future__ import annotations

import asyncio

import structlog

from service.db import migrations
from service.db.pool import Database
from service.db.sql import sql
from service.errors import UnavailableError

log = structlog.get_logger(__name__)

_RETRY_SECONDS = 0.5
EXAMPLE = ("country", "JP", '{"alpha_2": "JP", "alpha_3": "JPN", "name": "Japan", "numeric": "392", "flag": "🇯🇵"}')


async def migrate_when_reachable(url: str, database: Database, *, with_example: bool) -> None:
    """Try until it succeeds. ``with_example`` adds one entity, if its key has never been used, for `/docs` to show."""
    while True:
        try:
            await asyncio.to_thread(migrations.upgrade, url)
            if with_example:
                async with database.connection() as connection:
                    await connection.execute(sql("example"), *EXAMPLE)
        except UnavailableError as error:
            log.warning("migration_waits", reason=str(error))
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            log.info("schema_ready", revision=migrations.head())
            return
