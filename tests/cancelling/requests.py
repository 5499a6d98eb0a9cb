"""Requests whose answers are checked: each names its own key, no key's version goes back, a version has one body."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from typing import Any

from service.cache.entry import NO_WISH, Answer
from service.domain.entity import ALWAYS, EntityKey
from service.domain.parameter import NOBODY, PARAMETER, Content
from service.domain.parameter_types import ParameterType
from service.errors import AsideError, SchemaViolationError
from tests.cancelling.findings import Findings
from tests.cancelling.graph import Graph
from tests.support.registers import Registers

KIND = "thing"
_NEVER = {"type": "array"}
_ALWAYS = {"type": "string"}

Request = Callable[[Graph, str], Awaitable[None]]


class Requests:
    """All requests of one storm. ``ids`` exist both as entities and as parameters.

    ``schema_weight`` in a thousand are checked against a JSON Schema: cancelling that costs a process each time.
    """

    def __init__(self, findings: Findings, rng: random.Random, *, ids: int, schema_weight: int = 1) -> None:
        self.ids = [f"id-{number}" for number in range(ids)]
        self._findings = findings
        self._rng = rng
        self._registers = Registers(bound_seconds=2.0)
        self._bodies: dict[int, bytes] = {}
        self._serial = itertools.count()
        self._mix: dict[Request, int] = {
            self.read: 750, self.read_parameter: 120, self.read_many: 30, self.write: 50, self.write_parameter: 20,
            self.write_with_schema: schema_weight,
        }  # fmt: skip
        self._weights = list(itertools.accumulate(self._mix.values()))

    def draw(self, count: int) -> list[tuple[Request, str]]:
        """Some ids are asked for far more often than others: they are read, loaded and written at the same time."""
        chosen = self._rng.choices(list(self._mix), cum_weights=self._weights, k=count)
        return [(request, self.ids[int(len(self.ids) * self._rng.random() ** 3)]) for request in chosen]

    async def run(self, request: Request, graph: Graph, entity_id: str) -> None:
        try:
            await request(graph, entity_id)
        except AsideError as error:
            self._findings.failed[type(error).__name__] += 1
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 (a storm ends with all that it found)
            self._findings.violated(f"{request.__name__} of {entity_id} met {error!r}")

    async def read(self, graph: Graph, entity_id: str) -> None:
        floors = self._registers.begin(name := f"{KIND}:{entity_id}")
        self._check(name, floors, await graph.entities.get(EntityKey(KIND, entity_id), NO_WISH))

    async def read_parameter(self, graph: Graph, entity_id: str) -> None:
        floors = self._registers.begin(name := f"{PARAMETER}:{entity_id}")
        self._check(name, floors, await graph.parameters.get(entity_id, NO_WISH))

    async def read_many(self, graph: Graph, entity_id: str) -> None:
        wanted = {entity_id, *self._rng.choices(self.ids, k=7)}
        floors = {each: self._registers.begin(f"{PARAMETER}:{each}") for each in wanted}
        answers = await graph.parameters.get_many(list(wanted), NO_WISH)
        for each, answer in answers.items():
            if isinstance(answer, Answer):
                self._check(f"{PARAMETER}:{each}", floors[each], answer)
            else:
                self._findings.failed[type(answer).__name__] += 1

    async def write(self, graph: Graph, entity_id: str) -> None:
        document = f'{{"key": "{entity_id}", "serial": {next(self._serial)}}}'.encode()
        written = await graph.entities.put(
            EntityKey(KIND, entity_id), document, condition=ALWAYS, ttl_seconds=None, wait=True
        )
        self._acknowledged(f"{KIND}:{entity_id}", written.row.version, written.row.body)

    async def write_parameter(self, graph: Graph, entity_id: str, *, schema: Any = None) -> None:
        content = Content(ParameterType.STRING, f"value {next(self._serial)}", schema=schema)
        written = await graph.parameters.put(
            entity_id, content, condition=ALWAYS, authorship=NOBODY, change_type=False, wait=True
        )
        self._acknowledged(f"{PARAMETER}:{entity_id}", written.row.version, written.row.body)

    async def write_with_schema(self, graph: Graph, entity_id: str) -> None:
        """The verdict must be this value's own, not that of the question before, whose asker has gone."""
        may_pass = self._rng.random() < 0.5
        try:
            await self.write_parameter(graph, entity_id, schema=_ALWAYS if may_pass else _NEVER)
        except SchemaViolationError:
            if may_pass:
                self._findings.violated(f"a value of {entity_id} was refused by somebody else's schema")
            self._findings.checked["refusal"] += 1
        else:
            if not may_pass:
                self._findings.violated(f"a value of {entity_id} passed by somebody else's schema")

    def _check(self, name: str, floors: Any, answer: Answer) -> None:
        self._findings.checked["read"] += 1
        self._check_body(name, answer.version, answer.body)
        stale = self._registers.answered(name, floors, answer.version)
        if stale is not None:
            self._findings.violated(f"{name}: version {answer.version} went back behind {stale.behind} ({answer})")

    def _acknowledged(self, name: str, version: int, body: bytes | None) -> None:
        self._findings.checked["write"] += 1
        self._check_body(name, version, body)
        self._registers.acknowledged(name, version)

    def _check_body(self, name: str, version: int, body: bytes | None) -> None:
        entity_id = name.partition(":")[2]
        if body is None or f'"key": "{entity_id}"'.encode() not in body:
            self._findings.violated(f"{name}: version {version} was answered with {body!r}")
        elif self._bodies.setdefault(version, body) != body:
            self._findings.violated(f"{name}: version {version} is both {self._bodies[version]!r} and {body!r}")
