"""Any sequence of batches leaves what it would leave in a dict, or is refused where the dict refuses it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from itertools import count
from typing import Any

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.db.batches import BatchTable
from service.domain.batch import Verb, Write
from service.domain.entity import EntityKey, WriteCondition
from service.errors import BatchRefusedError
from tests.integration.db.conftest import make_database

_kinds = count()
NAMES = ["a", "b", "c", "d"]
SCALARS = st.none() | st.integers(-3, 3) | st.text("xyz", max_size=2)
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.dictionaries(st.sampled_from("pq"), inner, max_size=2), max_leaves=4)
CONDITIONS = st.sampled_from(["none", "none", "none", "any", "current", "old", "absent"])
STEPS = st.tuples(st.sampled_from(list(Verb)), st.sampled_from(NAMES), DOCUMENTS, CONDITIONS)
BATCHES = st.lists(st.lists(STEPS, min_size=1, max_size=4, unique_by=lambda step: step[1]), min_size=1, max_size=6)


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396, as it is written there."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


class Model:
    """Documents and versions of those that exist."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}
        self.versions: dict[str, int] = {}

    def refused(self, steps: list[Any]) -> set[int]:
        return {place for place, step in enumerate(steps) if not self._may(*step)}

    def _may(self, verb: Verb, name: str, _document: Any, condition: str) -> bool:
        there = name in self.documents
        match condition:
            case "absent" if verb is Verb.PUT:
                return not there
            case "any" | "current":
                return there
            case "old":
                return False
            case _:
                return there or verb is Verb.PUT

    def apply(self, steps: list[Any], versions: list[int]) -> None:
        for (verb, name, document, _), version in zip(steps, versions, strict=True):
            assert version > self.versions.get(name, 0)
            self.versions[name] = version
            if verb is Verb.DELETE:
                del self.documents[name]
            else:
                self.documents[name] = document if verb is Verb.PUT else merged(self.documents[name], document)

    def condition(self, verb: Verb, name: str, wanted: str) -> WriteCondition:
        match wanted:
            case "any":
                return WriteCondition(if_match=frozenset())
            case "current":
                return WriteCondition(if_match=frozenset({self.versions.get(name, 1)}))
            case "old":
                return WriteCondition(if_match=frozenset({self.versions.get(name, 1) - 1}))
            case "absent" if verb is Verb.PUT:
                return WriteCondition(must_be_absent=True)
            case _:
                return WriteCondition()


def test_batches_do_what_a_dict_does_and_rehearsals_foretell_it(module_database_url: str):
    with asyncio.Runner() as runner:
        database = make_database(module_database_url)
        sql = runner.run(connected(module_database_url))
        table = BatchTable(database, max_body_bytes=1 << 20)

        @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(BATCHES)
        def run(batches: list[list[Any]]) -> None:
            runner.run(compare(table, sql, f"kind{next(_kinds)}", batches))

        try:
            run()
        finally:
            runner.run(database.close())
            runner.run(sql.close())


async def connected(url: str) -> asyncpg.Connection:
    return await asyncpg.connect(url)


async def compare(table: BatchTable, sql: asyncpg.Connection, kind: str, batches: list[list[Any]]) -> None:
    model = Model()
    for steps in batches:
        writes = [
            Write(
                verb,
                EntityKey(kind, name),
                None if verb is Verb.DELETE else json.dumps(document),
                model.condition(verb, name, condition),
            )
            for verb, name, document, condition in steps
        ]
        expected = model.refused(steps)
        assert await refused(table.rehearse(writes)) == expected
        if expected:
            assert await refused(table.write(writes, with_bodies=True)) == expected
            continue
        rows = await table.write(writes, with_bodies=True)
        model.apply(steps, [row.version for row in rows])
        for row, (_, name, _, _) in zip(rows, steps, strict=True):
            assert (None if row.body is None else json.loads(row.body)) == model.documents.get(name)
    records = await sql.fetch("SELECT id, body::text FROM entity WHERE entity_type = $1 AND NOT deleted", kind)
    assert {record["id"]: json.loads(record["body"]) for record in records} == model.documents


async def refused(attempt: Awaitable[object]) -> set[int]:
    """The places of the writes that cannot be done; none where all can."""
    try:
        await attempt
    except BatchRefusedError as error:
        return {refusal.place for refusal in error.refusals}
    return set()
