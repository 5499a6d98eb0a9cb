"""Keys, made as `aside keys` makes them: in the database itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from service.db.api_keys import ApiKeyTable
from service.db.pool import Database
from service.domain.parameter import Authorship
from service.domain.scopes import parse_scopes
from service.services.api_keys import ApiKeys, NewKey

R = TypeVar("R")
EVERYTHING = ("read:*", "write:*", "steer:*", "observe:*", "admin:*")


def make_key(url: str, name: str, *scopes: str, lifetime_seconds: float | None = None) -> NewKey:
    return with_keys(
        url,
        lambda keys: keys.create(
            name, parse_scopes(scopes), lifetime_seconds=lifetime_seconds, authorship=Authorship("tests")
        ),
    )


def revoke_key(url: str, key_id: str) -> None:
    with_keys(url, lambda keys: keys.revoke(key_id, authorship=Authorship("tests")))


def with_keys(url: str, do: Callable[[ApiKeys], Awaitable[R]]) -> R:
    """From where no event loop runs."""

    async def run() -> R:
        database = Database(
            url,
            load_connections=0,
            write_connections=1,
            spare_connections=0,
            connect_timeout_seconds=5,
            statement_timeout_seconds=5,
        )
        try:
            return await do(ApiKeys(ApiKeyTable(database)))
        finally:
            await database.close()

    return asyncio.run(run())


def bearer(key: NewKey | str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key if isinstance(key, str) else key.text}"}
