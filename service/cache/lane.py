"""One connection to Redis that serves one exchange at a time. Knows which server it talks to; bounds every wait.

redis-py opens and parses; its pool and its retries are left out: an exchange needs to know the `run_id` of the very
server that answers it, and a paused server must cost one timeout, not a retry policy.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha1
from typing import Any
from urllib.parse import unquote, urlsplit

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.credentials import CredentialProvider
from redis.exceptions import NoScriptError, ReadOnlyError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from service.addresses import without_credentials
from service.cache.patience import Patience
from service.cache.scripts import SOURCES
from service.errors import CacheUnavailableError

_RUN_ID = re.compile(rb"run_id:([0-9a-f]+)")
_SHA = {name: sha1(source, usedforsecurity=False).hexdigest().encode() for name, source in SOURCES.items()}

Connect = Callable[[], AbstractConnection]
Argument = bytes | str | int
Commands = Sequence[tuple[Argument, ...]]
Again = Callable[[], Iterable[Argument]]


class CacheExchangeError(CacheUnavailableError):
    """An exchange that failed. ``kind``: timeout, connection, or response (the server is there, and refuses)."""

    def __init__(self, detail: str, *, kind: str) -> None:
        super().__init__(detail)
        self.kind = kind


class _Rotated(CredentialProvider):
    """The user and the password that a URL has when a connection is opened."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        parts = urlsplit(self._url())
        password = unquote(parts.password or "")
        return (unquote(parts.username), password) if parts.username else (password,)


def connector(url: str | Callable[[], str], *, client_name: str = "aside") -> Connect:
    """Makes unopened connections to a `redis://`, `rediss://`, `valkey://`, `valkeys://` or `unix://` URL.

    Of one that has to be asked for, user and password are asked for whenever a connection is opened.
    """
    options: dict[str, Any] = {}
    if not isinstance(url, str):
        address, url = url, url()
        if urlsplit(url).password:
            options["credential_provider"] = _Rotated(address)
            url = without_credentials(url)
    if not url.startswith("unix://"):
        options["socket_keepalive"] = True
    pool: ConnectionPool = ConnectionPool.from_url(
        re.sub(r"^valkey(s?)://", r"redis\1://", url),
        protocol=3,
        legacy_responses=False,
        socket_timeout=None,
        client_name=client_name,
        **options,
    )

    def make() -> AbstractConnection:
        connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]
        connection.pack_commands = _packed  # type: ignore[assignment, method-assign]
        return connection

    return make


def _packed(commands: Iterable[tuple[Any, ...]]) -> list[bytes]:
    """The bytes of commands. redis-py's own packing is Python: ten times the price for a hundred keys."""
    return [pack_command(command) for command in commands]


class Lane:
    """A connection that is opened when first needed, and again after it broke."""

    def __init__(self, connect: Connect, *, timeout_seconds: float) -> None:
        self._connection = connect()
        self._timeout = timeout_seconds
        self.run_id = b""
        self._outdated = False
        self._turn = asyncio.Lock()

    async def call(self, *command: Argument, once: bool = False) -> Any:
        """One command and its reply. A connection that broke while idle is opened anew, once, within the same time."""
        [reply] = await self._bounded([command], once=once)
        return reply

    async def calls(self, commands: Commands) -> list[Any]:
        """Several commands in one go, and their replies. If the server refuses one, that is the error of all."""
        return await self._bounded(commands, once=False)

    async def script(
        self, name: str, keys: list[str], args: Iterable[Argument], *, once: bool = False, again: Again | None = None
    ) -> Any:
        """Run one of the four scripts. ``once``: only on the connection as it is; a broken one is an error.

        ``again``: what to say in place of ``args`` whenever it is sent once more. A copy that was given up may still
        arrive, much later; without ``again`` it must do no harm then.
        """
        named: list[Argument] = [len(keys), *keys]
        try:
            return await self._evaluate(["EVALSHA", _SHA[name], *named], args, once=once, again=again)
        except NoScriptError:  # SCRIPT FLUSH
            args = args if again is None else again()
            return await self._evaluate(["EVAL", SOURCES[name], *named], args, once=once, again=again)

    async def _evaluate(
        self, head: list[Argument], args: Iterable[Argument], *, once: bool, again: Again | None
    ) -> Any:
        others = None if again is None else lambda: [(*head, *again())]
        [reply] = await self._bounded([(*head, *args)], once=once, others=others)
        return reply

    async def _bounded(
        self, commands: Commands, *, once: bool, others: Callable[[], Commands] | None = None
    ) -> list[Any]:
        """``others``: to be sent in place of these, where they have to be sent again."""
        try:
            async with Patience(self._timeout), self._turn:
                return await self._exchange(commands, once=once, others=others)
        except NoScriptError:
            raise
        except ReadOnlyError as error:  # a primary that was demoted under us: the address may lead elsewhere by now
            await self.close()
            raise CacheExchangeError("Redis is a replica", kind="connection") from error
        except ResponseError as error:
            raise CacheExchangeError(_first_word(error), kind="response") from error
        except (RedisError, OSError) as error:
            await self.close()
            raise _failure(error) from error

    async def _exchange(self, commands: Commands, *, once: bool, others: Callable[[], Commands] | None) -> list[Any]:
        if self._outdated and not once:
            await self.close()
        if self._connection.is_connected:
            try:
                return await self._send(commands)
            except ResponseError:
                raise
            except (RedisError, OSError):
                if once:
                    raise
                await self.close()
                commands = commands if others is None else others()
        elif once:
            raise ConnectionResetError("the connection that this exchange was bound to is gone")
        await self._open()
        return await self._send(commands)

    async def _send(self, commands: Sequence[tuple[Argument, ...]]) -> list[Any]:
        """All replies are read, whatever they are: what stays in the socket would be taken for the next one's."""
        connection = self._connection
        await self._write(connection.pack_commands(commands))
        replies, refusal = [], None
        for _ in commands:
            try:
                replies.append(await connection.read_response())
            except ResponseError as error:
                refusal = refusal or error
        if refusal is not None:
            raise refusal
        return replies

    async def _write(self, packed: Any) -> None:
        try:
            await self._connection.send_packed_command(packed, check_health=False)
        except RuntimeError as error:  # uvloop's word for a connection that was reset while nobody used it
            raise ConnectionResetError("the connection was reset") from error

    async def _open(self) -> None:
        """Connect, learn the server's run_id, and leave the scripts with it, in one round trip."""
        connection = self._connection
        await connection.connect()  # type: ignore[no-untyped-call]
        setup: list[tuple[Argument, ...]] = [("INFO", "server")]
        setup += [("SCRIPT", "LOAD", source) for source in SOURCES.values()]
        await self._write(connection.pack_commands(setup))
        info, *_ = [await connection.read_response() for _ in setup]
        found = _RUN_ID.search(info if isinstance(info, bytes) else str(info).encode())
        if found is None:
            raise ConnectionResetError("the server does not tell its run_id")
        self.run_id = found.group(1)

    def outdate(self) -> None:
        """Let the next exchange begin on a new connection: the address may lead to another server by now."""
        self._outdated = True

    async def close(self) -> None:
        self._outdated = False
        await self._connection.disconnect(nowait=True)


async def do_not_touch(lane: Lane) -> None:
    """From now on what this connection reads does not count as a use of its key. May raise CacheUnavailableError."""
    try:
        await lane.call("CLIENT", "NO-TOUCH", "ON")
    except CacheExchangeError as failure:
        if failure.kind != "response":  # Redis before 7.2 knows no such thing
            raise


def _failure(error: Exception) -> CacheExchangeError:
    if isinstance(error, TimeoutError | RedisTimeoutError):
        return CacheExchangeError("Redis did not answer in time", kind="timeout")
    return CacheExchangeError(f"Redis cannot be reached ({type(error).__name__})", kind="connection")


def _first_word(error: ResponseError) -> str:
    """The code of an error reply (`OOM`, `READONLY`, …). The rest may quote keys or arguments."""
    return f"Redis refused: {str(error).split(' ', 1)[0]}"
