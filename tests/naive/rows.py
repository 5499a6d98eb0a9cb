"""Rows of PostgreSQL as the naive strategies read and write them: one statement, one transaction, one connection."""

from __future__ import annotations

import asyncio
from typing import Self

import asyncpg

LOAD = "SELECT version, body::text FROM entity WHERE entity_type = 'thing' AND id = $1"
WRITE = "UPDATE entity SET body = $2::text::jsonb WHERE entity_type = 'thing' AND id = $1 RETURNING version, body::text"
INSERT = "INSERT INTO entity (entity_type, id, body) SELECT 'thing', id, body::jsonb FROM unnest($1::text[], $2::text[]) AS k (id, body)"  # noqa: E501


class Row:
    """``payload`` is what is cached: the version, a blank, the body."""

    __slots__ = ("payload", "version")

    def __init__(self, version: int, payload: bytes) -> None:
        self.version = version
        self.payload = payload


def row_of(payload: bytes) -> Row:
    return Row(int(payload[: payload.index(b" ")]), payload)


class Rows:
    """A pool of connections that stay as they are between two users: as quick as the driver is."""

    def __init__(self) -> None:
        self._all: list[asyncpg.Connection] = []
        self._idle: asyncio.LifoQueue[asyncpg.Connection] = asyncio.LifoQueue()

    @classmethod
    async def open(cls, url: str, *, connections: int) -> Self:
        rows = cls()
        for _ in range(connections):
            connection = await asyncpg.connect(url)
            rows._all.append(connection)
            rows._idle.put_nowait(connection)
        return rows

    async def load(self, key: str) -> Row:
        return await self._run(LOAD, key)

    async def write(self, key: str, body: str) -> Row:
        """Committed when this returns."""
        return await self._run(WRITE, key, body)

    async def _run(self, statement: str, *arguments: str) -> Row:
        connection = await self._idle.get()
        try:
            version, body = await connection.fetchrow(statement, *arguments)
        finally:
            self._idle.put_nowait(connection)
        return Row(version, f"{version} {body}".encode())

    async def insert(self, keys: list[str], bodies: list[str]) -> None:
        await self._all[0].execute(INSERT, keys, bodies)

    def close(self) -> None:
        for connection in self._all:
            connection.terminate()
