"""No schema and no value can hang the service, reach out of it, or bring it down."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from service.domain.exact_json import parse_exact
from service.errors import ChecksBusyError, InvalidParameterError, SchemaViolationError, UnusableSchemaError
from service.schemas import SchemaChecker

LIMIT_SECONDS = 0.3
DOUBLING = {
    "$ref": "#/$defs/0",
    "$defs": {
        **{str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}, {"$ref": f"#/$defs/{n + 1}"}]} for n in range(60)},
        "60": {"type": "integer"},
    },
}
"""A few lines that ask for 2^60 steps."""


@pytest.fixture
async def checker() -> AsyncIterator[SchemaChecker]:
    checker = SchemaChecker(limit_seconds=LIMIT_SECONDS, wait_seconds=5)
    yield checker
    await checker.close()


async def check(checker: SchemaChecker, schema: object, value: object) -> None:
    await checker.check(parse_exact(json.dumps(schema)), parse_exact(json.dumps(value)))


async def test_what_satisfies_its_schema_passes(checker: SchemaChecker) -> None:
    await check(checker, {"minimum": 1}, 5)
    await check(checker, None, "anything")
    await check(checker, {"multipleOf": 0.01}, 0.29)
    await check(checker, {"format": "email"}, "no address at all: format is an annotation")


@pytest.mark.parametrize(
    ("schema", "value", "pointer"),
    [
        ({"maximum": 9007199254740992}, 9007199254740993, "/value"),
        ({"properties": {"a/b": {"items": {"type": "string"}}}}, {"a/b": ["x", 1]}, "/value/a~1b/1"),
        ({"unevaluatedProperties": False, "properties": {"a": True}}, {"b": 1}, "/value"),
        (False, 1, "/value"),
    ],
)
async def test_a_violation_names_its_place(checker: SchemaChecker, schema: object, value: object, pointer: str) -> None:
    with pytest.raises(SchemaViolationError) as caught:
        await check(checker, schema, value)
    assert [fault.pointer for fault in caught.value.faults] == [pointer]


async def test_a_violation_does_not_repeat_the_value(checker: SchemaChecker) -> None:
    with pytest.raises(SchemaViolationError) as caught:
        await check(checker, {"type": "integer"}, "s3cret")
    assert "s3cret" not in str(caught.value)


async def test_a_catastrophic_pattern_costs_linear_time(checker: SchemaChecker) -> None:
    started = time.monotonic()
    with pytest.raises(SchemaViolationError):
        await check(checker, {"pattern": "^(a+)+$"}, "a" * 500_000 + "!")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("pattern", ["(?=a)", r"(a)\1", "((a{1000}){1000}){1000}", "["])
async def test_a_pattern_that_cannot_be_matched_in_linear_time_is_refused(checker: SchemaChecker, pattern: str) -> None:
    with pytest.raises(UnusableSchemaError) as caught:
        await check(checker, {"pattern": pattern}, "a")
    assert caught.value.faults[0].pointer == "/schema/pattern"


async def test_a_schema_that_doubles_sixty_times_is_given_up_and_the_next_one_is_checked(
    checker: SchemaChecker,
) -> None:
    started = time.monotonic()
    with pytest.raises(UnusableSchemaError, match="too long to check"):
        await check(checker, DOUBLING, 1)
    assert time.monotonic() - started < LIMIT_SECONDS + 5
    await check(checker, {"minimum": 1}, 5)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"not": {"$ref": "#"}},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"items": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}, "minItems": 1},
        {"unevaluatedProperties": False, "$dynamicRef": "#"},
    ],
)
async def test_a_schema_that_recurses_for_ever_ends(checker: SchemaChecker, schema: object) -> None:
    deep: object = []
    for _ in range(55):
        deep = [deep]
    with suppress(InvalidParameterError):  # whatever it decides: it decides
        await check(checker, schema, deep)
    await check(checker, {"minimum": 1}, 5)


@pytest.mark.parametrize("depth", [60, 900])
async def test_a_deeply_nested_schema_ends(checker: SchemaChecker, depth: int) -> None:
    schema: object = {"type": "integer"}
    for _ in range(depth):
        schema = {"items": schema}
    with suppress(InvalidParameterError):
        await check(checker, schema, [[[[1]]]])
    await check(checker, {"minimum": 1}, 5)


@pytest.mark.parametrize("reference", ["http://127.0.0.1:1/s", "https://example.com/s", "file:///etc/passwd", "other"])
async def test_nothing_is_fetched(checker: SchemaChecker, reference: str) -> None:
    with pytest.raises(UnusableSchemaError):
        await check(checker, {"$ref": reference}, 1)


async def test_a_child_that_died_is_replaced(checker: SchemaChecker) -> None:
    await check(checker, {"minimum": 1}, 5)
    assert checker._process is not None
    os.kill(checker._process.pid, signal.SIGKILL)
    with pytest.raises(SchemaViolationError):
        await check(checker, {"minimum": 1}, 0)


async def test_a_client_that_goes_away_leaves_no_answer_for_the_next(checker: SchemaChecker) -> None:
    await check(checker, {"minimum": 1}, 5)
    asking = asyncio.create_task(check(checker, DOUBLING, 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    with pytest.raises(SchemaViolationError):
        await check(checker, {"minimum": 1}, 0)


async def test_who_waits_too_long_for_a_turn_is_told_to_come_again() -> None:
    checker = SchemaChecker(limit_seconds=1, wait_seconds=0.05)
    slow = asyncio.create_task(check(checker, DOUBLING, 1))
    await asyncio.sleep(0)
    with pytest.raises(ChecksBusyError):
        await check(checker, {"minimum": 1}, 5)
    await asyncio.gather(slow, return_exceptions=True)
    await checker.close()


async def test_the_child_sees_nothing_of_the_services_environment(
    checker: SchemaChecker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    await check(checker, {"minimum": 1}, 5)
    assert checker._process is not None
    environment = Path(f"/proc/{checker._process.pid}/environ")
    assert b"secret" not in await asyncio.to_thread(environment.read_bytes)
