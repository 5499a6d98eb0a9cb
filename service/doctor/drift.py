"""What Alembic finds to be different between the tables that are there and those that there should be, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from service.db.pool import connect, translated
from service.db.revision import VERSION_TABLE
from service.db.tables import metadata
from service.errors import DatabaseUnavailableError


async def drift_of(url: str) -> list[str]:
    """Tables of others in the same database are no drift, nor is an index that somebody added. Raises AsideError."""
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: connect(url), poolclass=NullPool)
    try:
        with translated():
            async with engine.connect() as connection:
                differences = await connection.run_sync(_compare)
    except DBAPIError as error:
        raise DatabaseUnavailableError(f"PostgreSQL refused: {type(error.orig).__name__}") from error
    finally:
        await engine.dispose()
    return list(_words(differences))


def _compare(connection: Connection) -> list[Any]:
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "version_table": VERSION_TABLE,
        "include_name": _is_ours,
        "include_object": _is_wanted,
    }
    found: list[Any] = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    return found


def _is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    return kind != "table" or name in metadata.tables


def _is_wanted(_object: Any, _name: str | None, kind: str, is_reflected: bool, compare_to: Any) -> bool:  # noqa: FBT001, Alembic's
    return not (kind == "index" and is_reflected and compare_to is None)


def _words(differences: list[Any]) -> Iterator[str]:
    for difference in differences:
        if isinstance(difference, list):  # several of one column
            for kind, _, table, column, *_ in difference:
                yield f"{kind.removeprefix('modify_')} of {table}.{column} was changed"
            continue
        kind, *what = difference
        verb, _, thing = str(kind).partition("_")
        name = f"{what[1]}.{what[2].name}" if thing == "column" else getattr(what[0], "name", str(what[0]))
        yield f"{thing} {name} {'is missing' if verb == 'add' else 'is not ours'}"
