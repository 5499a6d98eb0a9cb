"""Who may use PostgreSQL when, and the border at which the driver's errors become Aside's.

Loads, writes, and lists with the like each have a share of the connections, so that none can starve another, and nobody
waits longer than the statement timeout for a place.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import NamedTuple

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from service.breaker import Breaker
from service.db.lending import Lending
from service.db.share import Share
from service.errors import (
    AsideError,
    DatabaseBusyError,
    DatabaseUnavailableError,
    SchemaMissingError,
    UnacceptableDocumentError,
    WriteOutcomeUnknownError,
)

log = structlog.get_logger(__name__)

_PROBE_SECONDS = 0.25
_DOWN = "PostgreSQL cannot be reached"
_CONNECTION_ERRORS = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a goodbye of the server has been read, the end of the connection not yet
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ReadOnlySQLTransactionError,  # a primary that was demoted under us
    asyncpg.ObjectNotInPrerequisiteStateError,  # a standby: it has no WAL of its own to name the timeline by
)
# Disk or memory full, too many locks; a deadlock or a conflict, of which PostgreSQL undid this side.
_BUSY_ERRORS = (asyncpg.InsufficientResourcesError, asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_BROKEN_ERRORS = (asyncpg.OperatorInterventionError, asyncpg.PostgresSystemError, asyncpg.InternalServerError)


async def connect(
    url: str, *, connect_timeout: float = 2.0, statement_timeout: float | None = None
) -> asyncpg.Connection:
    """A connection to a `postgres://`, `postgresql://` or `postgresql+asyncpg://` URL."""
    settings = {"application_name": "aside", "client_encoding": "UTF8"}
    if statement_timeout is not None:
        settings["statement_timeout"] = str(round(statement_timeout * 1000))
    return await asyncpg.connect(
        re.sub(r"^postgres(ql)?(\+asyncpg)?://", "postgresql://", url),
        timeout=connect_timeout,
        command_timeout=None if statement_timeout is None else statement_timeout + 0.25,
        server_settings=settings,
    )


@contextmanager
def translated() -> Iterator[None]:
    """The border: driver errors in, Aside's errors out. Anything else is a defect, and passes as it is."""
    try:
        yield
    except Exception as error:
        translation = _translation_of(error)
        if translation is error:
            raise
        raise translation from translation.__cause__


def _translation_of(error: Exception) -> Exception:
    """Aside's error, with the driver's as its cause; or the same error, where it is Aside's own or nobody's."""
    if isinstance(error, AsideError):
        return error
    if isinstance(error, DBAPIError):  # SQLAlchemy's wrapping, of what it asks when it connects for the first time
        cause = None if error.orig is None else error.orig.__cause__
        return _translation_of(cause) if isinstance(cause, Exception) else error
    translation = _words_for(error)
    if translation is None:
        return error
    translation.__cause__ = error
    return translation


def _words_for(error: Exception) -> AsideError | None:
    match error:
        case asyncpg.QueryCanceledError() | asyncpg.LockNotAvailableError():
            return DatabaseBusyError("PostgreSQL gave up on a statement that took too long")
        case TimeoutError():
            return DatabaseUnavailableError("PostgreSQL did not answer in time")
        case _ if isinstance(error, _CONNECTION_ERRORS):
            return DatabaseUnavailableError(_DOWN)
        case _ if isinstance(error, _BUSY_ERRORS):
            return DatabaseBusyError("PostgreSQL could not do it now")
        case _ if isinstance(error, _BROKEN_ERRORS):
            return DatabaseUnavailableError("PostgreSQL is in trouble")
        case asyncpg.UndefinedTableError() | asyncpg.UndefinedFunctionError() | asyncpg.UndefinedColumnError():
            return SchemaMissingError("the schema is missing: run `aside migrate`", retry_after_seconds=5)
        case asyncpg.DataError():
            return UnacceptableDocumentError("PostgreSQL cannot keep this document")
        case _:
            return None


class Usage(NamedTuple):
    """Connections of the pool at one moment: of the writers' share, of the browsers', of the others (loads, and what
    has no share of its own), each with how many there may be.
    """

    writing: int
    most_writing: int
    browsing: int
    most_browsing: int
    others: int
    most_others: int


def lending_of(engine: AsyncEngine, size: int, *, timeout_seconds: float) -> Lending:
    return Lending(engine, size, timeout_seconds=timeout_seconds, is_broken=_may_be_broken)


class Database:
    """Hands out connections, ``size`` at the most; counts those that are busy; knows whether PostgreSQL answers."""

    def __init__(
        self, url: str | Callable[[], str], *, load_connections: int, write_connections: int, spare_connections: int,
        connect_timeout_seconds: float, statement_timeout_seconds: float,
        browse_connections: int = 0,
    ) -> None:  # fmt: skip
        """A ``url`` that has to be asked for is asked for at each connect: its password may have been rotated."""
        self._url = url
        self._connect_timeout = connect_timeout_seconds
        self._statement_timeout = statement_timeout_seconds
        self._most_others = load_connections + spare_connections
        self.size = load_connections + write_connections + browse_connections + spare_connections
        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._create,
            pool_size=self.size,
            max_overflow=0,
            pool_reset_on_return=None,  # every statement is its own transaction
        )
        self._lending = lending_of(engine, self.size, timeout_seconds=statement_timeout_seconds)
        self._writers = Share(write_connections, work="write", plural="writes")
        self._browsers = Share(
            browse_connections or 1, work="bulk", plural="lists"
        )  # without a share: one at a time of the spare
        self._breaker = Breaker()
        self._probe: asyncio.Task[None] | None = None
        self._closed = False

    async def _create(self) -> asyncpg.Connection:
        url = self._url if isinstance(self._url, str) else self._url()
        return await connect(url, connect_timeout=self._connect_timeout, statement_timeout=self._statement_timeout)

    @property
    def available(self) -> bool:
        """False from the second failure in a row until a probe succeeds; meanwhile nobody waits for PostgreSQL."""
        return not self._breaker.is_open

    @property
    def unavailable_seconds(self) -> float:
        """How long it has not been `available`; 0 while it is."""
        return 0.0 if self._breaker.since is None else time.monotonic() - self._breaker.since

    @property
    def usage(self) -> Usage:
        """Who has how many connections at this moment; a place that is taken counts, although it may be empty yet."""
        writing, browsing = self._writers.busy, self._browsers.busy
        return Usage(
            writing=writing,
            most_writing=self._writers.size,
            browsing=browsing,
            most_browsing=self._browsers.size,
            others=max(0, self._lending.busy - writing - browsing),
            most_others=self._most_others,
        )

    async def dedicated(self) -> asyncpg.Connection:
        """A connection outside the pool, for a session that holds state (the relay's lock). The caller closes it."""
        with translated():
            return await self._create()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """An asyncpg connection of the pool, each statement its own transaction. May raise UnavailableError.

        The one place where a failure of PostgreSQL is judged: told to the breaker, and passed on as one error.
        """
        if self._breaker.is_open:
            raise DatabaseUnavailableError(_DOWN)
        try:
            async with self._lending.lent() as connection:
                yield connection
        except Exception as error:
            translation = _translation_of(error)
            if isinstance(translation, DatabaseUnavailableError | WriteOutcomeUnknownError):
                self._failed(translation)
            if translation is error:
                raise
            raise translation from translation.__cause__
        self._breaker.succeeded()

    def writing(self) -> AbstractAsyncContextManager[asyncpg.Connection]:
        """The same, within the writers' share. May raise OverloadedError at once."""
        return self._within(self._writers)

    def browsing(self) -> AbstractAsyncContextManager[asyncpg.Connection]:
        """The same, within the share of lists, histories, and whatever else reads past the cache."""
        return self._within(self._browsers)

    @asynccontextmanager
    async def _within(self, share: Share) -> AsyncIterator[asyncpg.Connection]:
        began = await share.take(timeout_seconds=self._statement_timeout)
        try:
            async with self.connection() as connection:
                yield connection
        finally:
            share.give_back(began)

    def _failed(self, error: AsideError) -> None:
        if self._breaker.failed(time.monotonic()) and not self._closed:
            log.warning("database_unreachable", reason=type(error.__cause__).__name__)
            self._probe = asyncio.get_running_loop().create_task(self._probe_until_back())

    async def _probe_until_back(self) -> None:
        while self._breaker.is_open:
            await asyncio.sleep(_PROBE_SECONDS)
            try:
                with translated():
                    async with asyncio.timeout(self._statement_timeout), self._lending.lent() as connection:
                        await connection.execute("SELECT 1")
            except AsideError:
                continue
            except Exception:
                # Without a probe PostgreSQL would stay out of use for ever: whatever it meets, it goes on.
                log.exception("database_probe_failed")
                continue
            self._breaker.succeeded()
            log.info("database_reachable")

    async def close(self) -> None:
        self._closed = True
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)
        await self._lending.close()


def _may_be_broken(error: BaseException) -> bool:
    """Only an answer of the server, or a refusal of ours, leaves a connection whose state is known.

    The end of a connection is an error of PostgreSQL's too, and may be known before the connection counts as closed.
    """
    if isinstance(error, (WriteOutcomeUnknownError, *_CONNECTION_ERRORS)):
        return True
    return not isinstance(error, asyncpg.PostgresError | AsideError)
