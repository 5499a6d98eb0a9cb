"""Brings the schema to a revision. Safe to call from many replicas at once: one migrates, the others wait for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from service.db.pool import connect, translated

_FOLDER = Path(__file__).resolve().parents[2] / "alembic"
_LOCK = 0x41736964  # "Asid"; the relay's lock is its neighbour


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config


def head() -> str:
    """The newest revision that there is."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None, "there is at least one migration"
    return revision


def _migrate(connection: Connection, revision: str, *, down: bool) -> None:
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
    connection.commit()
    config = _config()
    config.attributes["connection"] = connection
    (command.downgrade if down else command.upgrade)(config, revision)
    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
    connection.commit()


async def _run(url: str, revision: str, *, down: bool) -> None:
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: connect(url), poolclass=NullPool)
    try:
        with translated():
            async with engine.connect() as connection:
                await connection.run_sync(_migrate, revision, down=down)
    finally:
        await engine.dispose()


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate up to ``revision``. Blocking: call it outside the event loop. Raises DatabaseUnavailableError."""
    asyncio.run(_run(url, revision, down=False))


def downgrade(url: str, revision: str) -> None:
    """Migrate down to ``revision`` (`base`: to nothing)."""
    asyncio.run(_run(url, revision, down=True))
