"""Entities in a dictionary, for the tests of what HTTP makes of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from service.cache.entry import Answer, Outcome, Settled, Wish
from service.cache.probe import Memory
from service.cache.recorder import NullRecorder, Recorder
from service.domain.batch import Write
from service.domain.entity import EntityKey, WriteCondition, WrittenRow
from service.domain.repeatable import Repeatable
from service.errors import NotFoundError, PreconditionFailedError
from service.services.api_keys import ApiKeys
from service.services.cache_state import CacheState, DatabaseSeen, Seen
from service.services.entities import Entities, Written
from service.services.feed import Feed
from service.services.health import Health, Readiness
from service.services.parameters import Parameters
from service.services.policies import Policies
from service.services.steering import Steering
from service.wiring import Services

MODIFIED_AT_MS = 1_795_161_600_500  # Fri, 20 Nov 2026 08:00:00.500 GMT


@dataclass
class StandIn:
    """What a test sets up, and what it may look at afterwards."""

    rows: dict[EntityKey, WrittenRow] = field(default_factory=dict)
    wishes: list[Wish] = field(default_factory=list)
    conditions: list[WriteCondition] = field(default_factory=list)
    waits: list[bool] = field(default_factory=list)
    settled: Settled = Settled.APPLIED
    answer: Answer = field(default_factory=lambda: Answer(Outcome.HIT, 0, None, 0))
    failure: BaseException | None = None
    readiness: Readiness = field(default_factory=lambda: Readiness(ready=True, components={"postgresql": "ok"}))
    recorder: Recorder = field(default_factory=NullRecorder)
    seen: Seen = field(
        default_factory=lambda: Seen(
            is_on=True,
            state="ok",
            since_seconds=5.0,
            heartbeat_age_seconds=0.1,
            relay="leading",
            audit="running",
            bound_seconds=2.0,
            memory=Memory(used_bytes=1, limit_bytes=2, policy="allkeys-lfu", evicted_keys=0),
            database=DatabaseSeen(available=True, away_seconds=0.0),
        )
    )
    version: int = 6
    batches: list[list[Write]] = field(default_factory=list)
    repeatables: list[Repeatable | None] = field(default_factory=list)
    """What each write was to be known by when it comes again."""
    parameters: object = None
    """What answers for parameters, in the tests that ask for some."""
    steering: object = None
    """The same for what steers the cache."""
    feed: object = None
    """The same for the feed of changes."""
    keys: object = None
    """The same for API keys. None: nobody is asked for one."""

    def services(self) -> Services:
        return Services(
            entities=cast(Entities, self),
            parameters=cast(Parameters, self.parameters),
            health=cast(Health, self),
            cache=cast(CacheState, self),
            policies=cast(Policies, self),
            steering=cast(Steering, self.steering),
            feed=cast(Feed, self.feed),
            keys=cast("ApiKeys | None", self.keys),
        )

    def holds(self, entity_type: str, entity_id: str, document: object = None, *, raw: bytes | None = None) -> int:
        """Put an entity there; returns its version."""
        body = json.dumps(document).encode() if raw is None else raw
        self.version += 1
        row = WrittenRow(self.version, body, MODIFIED_AT_MS, None, created=False)
        self.rows[EntityKey(entity_type, entity_id)] = row
        return self.version

    async def look(self) -> Seen:
        return self.seen

    async def ready(self) -> Readiness:
        return self.readiness

    async def get(self, key: EntityKey, wish: Wish) -> Answer:
        self.wishes.append(wish)
        if self.failure is not None:
            raise self.failure
        row = self.rows.get(key)
        if row is None:
            return self.answer._replace(outcome=Outcome.NEGATIVE_HIT)
        return self.answer._replace(version=row.version, body=row.body, modified_at_ms=row.modified_at_ms)

    async def put(
        self, key: EntityKey, document: bytes, *, condition: WriteCondition, ttl_seconds: float | None, wait: bool,
        repeatable: Repeatable | None = None,
    ) -> Written:  # fmt: skip
        self.repeatables.append(repeatable)
        created = key not in self.rows
        return self._write(key, document, condition, ttl_seconds=ttl_seconds, wait=wait, created=created)

    async def patch(
        self, key: EntityKey, patch: bytes, *, condition: WriteCondition, ttl_seconds: float | None, wait: bool,
        repeatable: Repeatable | None,
    ) -> Written:  # fmt: skip
        self.repeatables.append(repeatable)
        if key not in self.rows:
            raise NotFoundError("there is no such entity")
        return self._write(key, patch, condition, ttl_seconds=ttl_seconds, wait=wait, created=False)

    async def delete(
        self, key: EntityKey, *, condition: WriteCondition, wait: bool, repeatable: Repeatable | None
    ) -> Written:
        self.repeatables.append(repeatable)
        if key not in self.rows:
            raise NotFoundError("there is no such entity")
        return self._write(key, None, condition, ttl_seconds=None, wait=wait, created=False)

    async def write_batch(self, writes: Sequence[Write], *, wait: bool, repeatable: Repeatable | None) -> list[Written]:
        self.repeatables.append(repeatable)
        self.batches.append(list(writes))
        return [
            self._write(
                write.key,
                None if write.document is None else write.document.encode(),
                WriteCondition(),
                ttl_seconds=write.ttl_seconds,
                wait=wait,
                created=write.key not in self.rows,
            )
            for write in writes
        ]

    async def rehearse_batch(self, writes: Sequence[Write]) -> list[WrittenRow]:
        return [WrittenRow(1, None, MODIFIED_AT_MS, None, created=write.key not in self.rows) for write in writes]

    def _write(
        self,
        key: EntityKey,
        body: bytes | None,
        condition: WriteCondition,
        *,
        ttl_seconds: float | None,
        wait: bool,
        created: bool,
    ) -> Written:
        self.conditions.append(condition)
        self.waits.append(wait)
        if self.failure is not None:
            raise self.failure
        current = self.rows.get(key)
        missed = condition.if_match and (current is None or current.version not in condition.if_match)
        if missed or (condition.must_be_absent and current is not None):
            raise PreconditionFailedError(
                "it is another version", current_version=None if current is None else current.version
            )
        self.version += 1
        row = WrittenRow(self.version, body, MODIFIED_AT_MS, ttl_seconds, created)
        self.rows[key] = row
        if body is None:
            self.rows.pop(key)
        return Written(row, self.settled)
