"""The tables in memory and PostgreSQL, side by side: the same statements in the same order, the same answers."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import asyncpg
import pytest

from service.db.changes import NO_HORIZON, RelaySession
from service.db.entities import EntityTable
from service.db.ledger import LedgerTable
from service.domain.entity import EntityKey, WriteCondition
from service.errors import AsideError, PreconditionFailedError
from tests.simulation.direct import DirectDatabase
from tests.support.reigns import database_of

KEYS = [("thing", name) for name in "abc"]
STEPS = 120


class RealSide:
    """PostgreSQL, and other people's sessions in it."""

    def __init__(self, url: str) -> None:
        self.database = database_of(url)
        self._url = url
        self._sessions: dict[int, asyncpg.Connection] = {}

    async def plain(self, session: int, key: tuple[str, str], document: bytes | None) -> None:
        if session not in self._sessions:
            self._sessions[session] = await asyncpg.connect(self._url)
            await self._sessions[session].execute("BEGIN")
        if document is None:
            await self._sessions[session].execute(
                "DELETE FROM entity WHERE entity_type = $1 AND id = $2 AND NOT deleted", *key
            )
        else:
            await self._sessions[session].execute(
                "INSERT INTO entity (entity_type, id, body) VALUES ($1, $2, $3::text::jsonb) ON CONFLICT "
                "(entity_type, id) DO UPDATE SET body = excluded.body, deleted = false",
                *key, document.decode(),
            )  # fmt: skip

    async def end(self, session: int, *, commits: bool) -> None:
        connection = self._sessions.pop(session, None)
        if connection is not None:
            await connection.execute("COMMIT" if commits else "ROLLBACK")
            await connection.close()

    async def truncate(self) -> None:
        connection = await asyncpg.connect(self._url)
        await connection.execute("TRUNCATE entity")
        await connection.close()


class Side:
    """Runs one step after the other, and says what came back; versions by the order in which they were first met."""

    def __init__(self, base: Any, database: Any) -> None:
        self._base = base
        self._table = EntityTable(database, max_body_bytes=1_000)
        self._ledger = LedgerTable(database)
        self._database = database
        self._names: dict[int, int] = {}
        self._newest: dict[tuple[str, str], int] = {}
        self._horizon = NO_HORIZON
        self._generations: list[str] = []
        self._session: RelaySession

    async def lead(self) -> None:
        session = await RelaySession.lead(self._database, idle_seconds=60)
        assert session is not None
        self._session = session
        await session.new_term()

    def _name(self, version: int) -> int:
        return 0 if version == 0 else self._names.setdefault(version, len(self._names) + 1)

    async def step(self, kind: str, key: tuple[str, str], number: int) -> Any:
        try:
            return await getattr(self, f"_{kind}")(key, number)
        except PreconditionFailedError as error:
            return "precondition", None if error.current_version is None else self._name(error.current_version)
        except AsideError as error:
            return type(error).__name__

    def _written(self, key: tuple[str, str], row: Any) -> Any:
        self._newest[key] = row.version
        return self._name(row.version), row.body, row.ttl_seconds, row.created

    async def _put(self, key, number):
        ttl = None if number % 2 else 5.0
        document = f'{{"n": {number}}}'
        return self._written(
            key, await self._table.put(EntityKey(*key), document, condition=WriteCondition(), ttl_seconds=ttl)
        )

    async def _create(self, key, number):
        condition = WriteCondition(must_be_absent=True)
        return self._written(
            key, await self._table.put(EntityKey(*key), '{"c": 1}', condition=condition, ttl_seconds=None)
        )

    async def _match(self, key, number):
        condition = WriteCondition(if_match=frozenset([self._newest.get(key, 1)]))
        return self._written(
            key, await self._table.put(EntityKey(*key), '{"m": 1}', condition=condition, ttl_seconds=None)
        )

    async def _delete(self, key, number):
        return self._written(key, await self._table.delete(EntityKey(*key), condition=WriteCondition()))

    async def _load(self, key, number):
        rows = await self._table.load([EntityKey(*each) for each in KEYS])
        return [(self._name(row.version), row.body, row.ttl_seconds) for row in rows]

    async def _load_covered(self, key, number):
        found = await self._table.load_with_coverage([EntityKey(*each) for each in KEYS])
        return [(self._name(row.version), row.body, covered, wait > 0) for row, (covered, wait) in found]

    async def _coverage(self, key, number):
        versions = sorted(set(self._newest.values()))
        return [(covered, wait > 0) for covered, wait in await self._ledger.coverages(versions)] if versions else []

    async def _note(self, key, number):
        await self._session.note(f"run{number % 2}", 60.0)
        return await self._session.granted_elsewhere_seconds(f"run{number % 2}") > 0

    async def _elsewhere(self, key, number):
        return await self._session.granted_elsewhere_seconds(f"run{number % 2}") > 0

    async def _poll(self, key, number):
        size = 1 + number % 3
        poll = await self._session.poll(self._horizon, page_size=size)
        page = list(poll.page)
        rest = await self._session.next_page(
            self._horizon, poll.horizon, page_size=100, after=page[-1].version if page else 0
        )
        if poll.generation not in self._generations:
            self._generations.append(poll.generation)
        if number % 2:
            self._horizon = poll.horizon
            await self._session.applied(poll.horizon, poll.generation)
        return [(self._name(each.version), each.name) for each in page + rest], len(self._generations)

    async def _next_epoch(self, key, number):
        await self._session.next_epoch()

    async def _truncate(self, key, number):
        await self._base.truncate()

    async def _plain(self, key, number):
        await self._base.plain(KEYS.index(key), key, b'{"p": %d}' % number if number % 4 else None)

    async def _end(self, key, number):
        await self._base.end(KEYS.index(key), commits=number % 4 != 0)

    async def close(self) -> None:
        for session in range(len(KEYS)):
            await self._base.end(session, commits=False)
        self._session.close()
        await self._database.close()


_KINDS = (
    ["put"] * 5 + ["create", "match", "delete", "delete", "load", "load_covered", "coverage", "note", "elsewhere"]
    + ["poll"] * 4 + ["plain"] * 4 + ["end"] * 4 + ["next_epoch", "truncate"]
)  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
async def test_both_answer_the_same(database_url: str, seed: int):
    real, memory = RealSide(database_url), DirectDatabase()
    sides = [Side(real, real.database), Side(memory, memory)]
    rng = Random(seed)
    held: set[tuple[str, str]] = set()
    told = []
    try:
        for side in sides:
            await side.lead()
        for number in range(STEPS):
            kind, key = rng.choice(_KINDS), rng.choice(KEYS)
            if (kind in ("put", "create", "match", "delete") and key in held) or (kind == "truncate" and held):
                continue  # it would wait for the row
            if kind == "plain":
                held.add(key)
            elif kind == "end":
                held.discard(key)
            told.append((kind, key[1], number))
            answers = [await side.step(kind, key, number) for side in sides]
            assert answers[0] == answers[1], told
            await asyncio.sleep(0)
    finally:
        for side in sides:
            await side.close()
