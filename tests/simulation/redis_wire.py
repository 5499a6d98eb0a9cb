"""The client's end of a connection to the simulated Redis, as `service.cache.lane` uses redis-py's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError

from tests.simulation.network import Channel, Link, open_channel
from tests.simulation.redis_server import RedisServer


class RedisWire:
    """See `redis.asyncio.connection.AbstractConnection`. ``address`` says which server answers there now."""

    def __init__(self, link: Link, address: Callable[[], RedisServer], name: str) -> None:
        self._link = link
        self._address = address
        self._name = name
        self._channel: Channel | None = None

    @property
    def is_connected(self) -> bool:
        return self._channel is not None

    async def connect(self) -> None:
        if self._channel is None:
            self._channel = await open_channel(self._link, self._address(), self._name)
            if self._channel is None:
                raise RedisConnectionError("Connection refused.")

    def pack_commands(self, commands: Sequence[Any]) -> Any:
        """One command goes as itself: by its name, or its script's, the weather knows whether it is slow."""
        return commands[0] if len(commands) == 1 else list(commands)

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002
        if self._channel is None:
            await self.connect()
        assert self._channel is not None
        self._channel.send(command)

    async def read_response(self, *, disconnect_on_error: bool = True) -> Any:
        channel = self._channel
        if channel is None:
            raise RedisConnectionError("not connected")
        try:
            while not channel.inbox:
                if channel.is_broken:
                    raise RedisConnectionError("Connection closed by server.")  # noqa: TRY301
                channel.waiter = self._link.loop.create_future()
                await channel.waiter
        except BaseException:
            if disconnect_on_error:
                await self.disconnect(nowait=True)
            raise
        replies = channel.inbox[0]
        item = replies.pop(0)
        if not replies:
            channel.inbox.popleft()
        if isinstance(item, Exception):
            raise item
        return item

    async def disconnect(self, nowait: bool = False) -> None:  # noqa: FBT001, FBT002
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
