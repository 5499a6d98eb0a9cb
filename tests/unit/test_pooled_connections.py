"""Which errors leave a pooled connection fit for the next one who takes it."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from service.db.pool import _may_be_broken
from service.errors import PreconditionFailedError, WriteOutcomeUnknownError

BROKEN = (
    asyncpg.ConnectionDoesNotExistError("gone"),
    asyncpg.AdminShutdownError("goodbye"),
    asyncpg.InternalClientError("out of step"),
    ConnectionResetError(),
    TimeoutError(),
    asyncio.CancelledError(),
    WriteOutcomeUnknownError("who knows"),
)
FIT = (
    asyncpg.QueryCanceledError("too long"),
    asyncpg.UniqueViolationError("twice"),
    asyncpg.DeadlockDetectedError("undone"),
    PreconditionFailedError("no", current_version=1),
)


@pytest.mark.parametrize("error", BROKEN, ids=lambda error: type(error).__name__)
def test_a_connection_that_broke_is_not_given_to_the_next(error: BaseException) -> None:
    assert _may_be_broken(error)


@pytest.mark.parametrize("error", FIT, ids=lambda error: type(error).__name__)
def test_an_answer_of_the_server_costs_no_connection(error: BaseException) -> None:
    assert not _may_be_broken(error)
