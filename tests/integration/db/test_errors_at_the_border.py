"""Driver errors in, Aside's errors out: every class that asyncpg knows has its place, and the rest are defects."""

from __future__ import annotations

import asyncpg
import pytest
from asyncpg import exceptions
from sqlalchemy.exc import DBAPIError

from service.db.pool import translated
from service.errors import (
    AsideError,
    DatabaseBusyError,
    DatabaseUnavailableError,
    NotFoundError,
    SchemaMissingError,
    UnacceptableDocumentError,
    UnavailableError,
)

PROMISED: dict[type[BaseException], type[AsideError]] = {
    OSError: DatabaseUnavailableError,
    ConnectionResetError: DatabaseUnavailableError,
    TimeoutError: DatabaseUnavailableError,
    asyncpg.InterfaceError: DatabaseUnavailableError,
    asyncpg.InternalClientError: DatabaseUnavailableError,  # a connection that broke, and has not noticed yet
    asyncpg.PostgresConnectionError: DatabaseUnavailableError,
    asyncpg.ConnectionDoesNotExistError: DatabaseUnavailableError,
    asyncpg.ConnectionFailureError: DatabaseUnavailableError,
    asyncpg.CannotConnectNowError: DatabaseUnavailableError,
    asyncpg.AdminShutdownError: DatabaseUnavailableError,
    asyncpg.CrashShutdownError: DatabaseUnavailableError,
    asyncpg.TooManyConnectionsError: DatabaseUnavailableError,
    asyncpg.InvalidPasswordError: DatabaseUnavailableError,
    asyncpg.InvalidAuthorizationSpecificationError: DatabaseUnavailableError,
    asyncpg.InvalidCatalogNameError: DatabaseUnavailableError,
    asyncpg.ReadOnlySQLTransactionError: DatabaseUnavailableError,
    asyncpg.QueryCanceledError: DatabaseBusyError,
    asyncpg.LockNotAvailableError: DatabaseBusyError,
    asyncpg.UndefinedTableError: SchemaMissingError,
    asyncpg.UndefinedFunctionError: SchemaMissingError,
    asyncpg.DataError: UnacceptableDocumentError,
    asyncpg.UntranslatableCharacterError: UnacceptableDocumentError,
    asyncpg.NumericValueOutOfRangeError: UnacceptableDocumentError,
}

# What the server says about itself, not about the statement: trying again later may help.
ABOUT_THE_SERVER = ("08", "53", "57")
TRANSIENT = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)


def crossed(kind: type[BaseException]) -> BaseException:
    """What comes out where this goes in."""
    with pytest.raises(BaseException) as out, translated():  # noqa: PT011 (whatever it is)
        raise kind("secret detail")
    return out.value


@pytest.mark.parametrize("kind", PROMISED, ids=lambda kind: kind.__name__)
def test_it_does_so_too_where_sqlalchemy_has_wrapped_it(kind: type[BaseException]):
    """As where the first connection is made and PostgreSQL stands still: what SQLAlchemy then asks is cancelled."""
    dbapi_error = Exception("of the adapter")
    dbapi_error.__cause__ = kind("secret detail")
    with pytest.raises(PROMISED[kind]) as out, translated():
        raise DBAPIError("SELECT 1", None, dbapi_error)
    assert "secret" not in str(out.value)


@pytest.mark.parametrize("kind", PROMISED, ids=lambda kind: kind.__name__)
def test_a_driver_error_becomes_what_is_promised_and_tells_nothing_of_the_statement(kind: type[BaseException]):
    error = crossed(kind)
    assert type(error) is PROMISED[kind]
    assert "secret" not in str(error)
    assert isinstance(error.__cause__, kind)


def about_the_server() -> list[type[asyncpg.PostgresError]]:
    known = {each for each in vars(exceptions).values() if isinstance(each, type)}
    return sorted(
        {
            each
            for each in known
            if issubclass(each, asyncpg.PostgresError)
            and str(getattr(each, "sqlstate", None) or "").startswith(ABOUT_THE_SERVER)
        },
        key=lambda each: each.__name__,
    )


@pytest.mark.parametrize("kind", [*about_the_server(), *TRANSIENT], ids=lambda kind: kind.__name__)
def test_what_is_not_the_statements_fault_is_worth_another_try(kind: type[asyncpg.PostgresError]):
    assert isinstance(crossed(kind), UnavailableError)


@pytest.mark.parametrize("kind", [ValueError, asyncpg.PostgresSyntaxError, asyncpg.UniqueViolationError])
def test_a_defect_passes_as_it_is(kind: type[BaseException]):
    assert type(crossed(kind)) is kind


def test_our_own_errors_pass_as_they_are():
    with pytest.raises(NotFoundError, match="mine"), translated():
        raise NotFoundError("mine")
