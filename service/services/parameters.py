"""Parameters: reads through the cache, checked writes through it, and a history beside it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from service.cache.carried import Then
from service.cache.engine import Engine
from service.cache.entry import Answer, Glance, Wish
from service.cache.keys import name_of
from service.cache.policy import Policy
from service.db.pages import Page
from service.db.parameter_history import ParameterHistory, RecordedVersion, VersionPage
from service.db.parameters import ParameterTable
from service.domain.difference import Operation, difference
from service.domain.entity import EntityKey, WriteCondition, WrittenRow
from service.domain.exact_json import parse_exact
from service.domain.parameter import PARAMETER, Authorship, Content, content_of, with_value
from service.domain.repeatable import Repeatable
from service.errors import (
    ConflictError,
    NotFoundError,
    PreconditionFailedError,
    TypeChangeError,
)
from service.schemas import SchemaChecker
from service.services.reading import Answers, read_many
from service.services.repeats import Repeats
from service.services.writing import Writer, Written

NEWEST = 2**63 - 1
_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a write would have done. ``version`` is the one it would have replaced; None: there is none."""

    would: Literal["create", "update", "delete"]
    version: int | None
    patch: list[Operation]


class Parameters:
    """Use cases. Every method may raise UnavailableError.

    A write that is ``repeatable`` is done once, however often it is asked for, and may raise KeyReusedError and
    RepeatUnderWayError as well.
    """

    def __init__(
        self, engine: Engine, table: ParameterTable, *, history: ParameterHistory, checker: SchemaChecker,
        writer: Writer, repeats: Repeats, policy_of: Callable[[str], Policy],
    ) -> None:  # fmt: skip
        self._engine = engine
        self._table = table
        self._history = history
        self._checker = checker
        self._writer = writer
        self._repeats = repeats
        self._policy_of = policy_of

    async def get(self, key: str, wish: Wish, glance: Glance | None = None) -> Answer:
        """``body`` None: it does not exist. Raises NotCachedError."""
        return await self._engine.get(name_of(PARAMETER, key), self._policy_of(PARAMETER), wish, glance)

    def glance(self, key: str, then: Then) -> None:
        """See `Engine.glance`."""
        self._engine.glance(name_of(PARAMETER, key), self._policy_of(PARAMETER), then)

    async def get_many(self, keys: Sequence[str], wish: Wish) -> Answers:
        """One MGET, and at most one query."""
        return await read_many(self._engine, PARAMETER, keys, policy=self._policy_of(PARAMETER), wish=wish)

    async def put(
        self, key: str, content: Content, *, condition: WriteCondition, authorship: Authorship, change_type: bool,
        wait: bool, repeatable: Repeatable | None = None,
    ) -> Written:  # fmt: skip
        """Create or replace. Raises UnusableSchemaError, SchemaViolationError, PreconditionFailedError,
        TypeChangeError.
        """
        again = await self._again(repeatable, key, wait=wait)
        if again is not None:
            return again
        await self._checker.check(content.schema, content.value)

        def transact() -> Awaitable[WrittenRow]:
            return self._table.put(
                key, content, condition=condition, authorship=authorship, change_type=change_type,
                repeatable=repeatable,
            )  # fmt: skip

        return await self._writer.write(EntityKey(PARAMETER, key), transact, wait=wait)

    async def _again(self, repeatable: Repeatable | None, key: str, *, wait: bool) -> Written | None:
        return await self._repeats.of_one(repeatable, EntityKey(PARAMETER, key), wait=wait)

    async def put_value(
        self, key: str, value: str, *, condition: WriteCondition, authorship: Authorship, wait: bool,
        repeatable: Repeatable | None = None,
    ) -> Written:  # fmt: skip
        """Set the value alone, a checked JSON text: type, description, schema and lifetime stay what they are.

        Read, checked, and written on condition that nobody wrote meanwhile; if somebody did, once more. Raises
        NotFoundError, InvalidParameterError, SchemaViolationError, PreconditionFailedError, ConflictError.
        """
        again = await self._again(repeatable, key, wait=wait)
        if again is not None:
            return again
        for _ in range(_ATTEMPTS):
            current = await self._history.now(key)
            _require(condition, current)
            if current is None:
                raise NotFoundError("there is no such parameter")
            content = with_value(_content(current), value)
            await self._checker.check(content.schema, content.value, value_at="")
            try:
                return await self._put_over(
                    current.version, key, content, authorship=authorship, wait=wait, repeatable=repeatable
                )
            except PreconditionFailedError:
                if condition.if_match:
                    raise
        raise ConflictError(f"{key} is being written by others all the time: try again")

    async def _put_over(
        self, version: int, key: str, content: Content, *, authorship: Authorship, wait: bool,
        repeatable: Repeatable | None,
    ) -> Written:  # fmt: skip
        same = WriteCondition(if_match=frozenset({version}))

        def transact() -> Awaitable[WrittenRow]:
            return self._table.put(
                key, content, condition=same, authorship=authorship, change_type=False, repeatable=repeatable
            )

        return await self._writer.write(EntityKey(PARAMETER, key), transact, wait=wait)

    async def delete(
        self, key: str, *, condition: WriteCondition, authorship: Authorship, wait: bool,
        repeatable: Repeatable | None = None,
    ) -> Written:  # fmt: skip
        """Leave a tombstone. Raises NotFoundError, PreconditionFailedError."""
        again = await self._again(repeatable, key, wait=wait)
        if again is not None:
            return again

        def transact() -> Awaitable[WrittenRow]:
            return self._table.delete(key, condition=condition, authorship=authorship, repeatable=repeatable)

        return await self._writer.write(EntityKey(PARAMETER, key), transact, wait=wait)

    async def rollback(
        self, key: str, version: int, *, condition: WriteCondition, authorship: Authorship, change_type: bool,
        wait: bool, repeatable: Repeatable | None = None,
    ) -> Written:  # fmt: skip
        """Write what an old version held, as a new version. It was checked when it was written.

        Raises NotFoundError, ConflictError where that version is a deletion, and what `put` raises.
        """
        again = await self._again(repeatable, key, wait=wait)
        if again is not None:
            return again
        old = await self.version(key, version)
        if old.content is None:
            raise ConflictError(f"version {version} is the deletion of {key}: there is no value to go back to")
        content = content_of(parse_exact(old.content))
        said = Authorship(authorship.actor, authorship.reason or f"rollback to version {version}")

        def transact() -> Awaitable[WrittenRow]:
            return self._table.put(
                key, content, condition=condition, authorship=said, change_type=change_type, kind="rolled_back",
                repeatable=repeatable,
            )  # fmt: skip

        return await self._writer.write(EntityKey(PARAMETER, key), transact, wait=wait)

    async def rehearse_put(
        self, key: str, content: Content, *, condition: WriteCondition, change_type: bool
    ) -> Rehearsal:
        """Everything that a `put` checks, against what is stored now; nothing is written. Raises what `put` raises."""
        await self._checker.check(content.schema, content.value)
        current = await self._history.now(key)
        _require(condition, current)
        if current is None:
            return Rehearsal("create", None, [{"op": "add", "path": "", "value": content.tree}])
        before = _content(current)
        if before.type is not content.type and not change_type:
            raise TypeChangeError(f"the parameter is of type {before.type}; to change it, ask for ?change_type=true")
        return Rehearsal("update", current.version, difference(before.tree, content.tree))

    async def rehearse_delete(self, key: str, *, condition: WriteCondition) -> Rehearsal:
        """Whether a `delete` would succeed. Raises what it raises."""
        current = await self._history.now(key)
        _require(condition, current)
        if current is None:
            raise NotFoundError("there is no such parameter")
        return Rehearsal("delete", current.version, [{"op": "remove", "path": ""}])

    async def page(self, *, prefix: str, after: str, limit: int) -> Page:
        return await self._table.page(prefix=prefix, after=after, limit=limit)

    async def version(self, key: str, version: int) -> RecordedVersion:
        """A version, a deletion too. Raises NotFoundError."""
        found = await self._history.version(key, version)
        if found is None:
            raise no_version(key, version)
        return found

    async def as_of(self, key: str, at: datetime) -> RecordedVersion | None:
        """What held at a moment; None where nothing did, or where it is forgotten."""
        return await self._history.as_of(key, at)

    async def versions(self, key: str, *, below: int, limit: int) -> VersionPage:
        """Newest first. Raises NotFoundError where there has never been such a parameter, or all of it is forgotten."""
        page = await self._history.versions(key, below=below, limit=limit)
        if not page.documents and below == NEWEST:
            raise no_versions()
        return page

    async def difference(self, key: str, before: int, after: int | None) -> list[Operation]:
        """What happened between two versions; ``after`` None: the present one. Raises NotFoundError."""
        old = await self.version(key, before)
        new = await self._history.now(key) if after is None else await self.version(key, after)
        if old.content is None:
            return [] if new is None or new.content is None else [_added(_content(new))]
        if new is None or new.content is None:
            return [{"op": "remove", "path": ""}]
        return difference(_content(old).tree, _content(new).tree)


def no_version(key: str, version: int) -> NotFoundError:
    return NotFoundError(f"no version {version} of {key} is known: there was none, or it is forgotten")


def no_versions() -> NotFoundError:
    return NotFoundError("no version of such a parameter is known")


def _added(content: Content) -> Operation:
    return {"op": "add", "path": "", "value": content.tree}


def _content(recorded: RecordedVersion) -> Content:
    assert recorded.content is not None
    return content_of(parse_exact(recorded.content))


def _require(condition: WriteCondition, current: RecordedVersion | None) -> None:
    version = None if current is None else current.version
    if condition.must_be_absent and version is not None:
        raise PreconditionFailedError("the parameter exists", current_version=version)
    wanted = condition.if_match
    if wanted is not None and (version is None or (wanted and version not in wanted)):
        raise PreconditionFailedError("the parameter is not what the request expects", current_version=version)
