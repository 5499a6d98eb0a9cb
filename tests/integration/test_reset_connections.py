"""A connection to Redis that was reset while nobody used it, on the event loop that the service runs on."""

from __future__ import annotations

import uvloop

from service.cache.lane import Lane, connector
from tests.support.proxy import Proxy
from tests.support.waiting import eventually


def test_the_next_exchange_opens_a_connection_anew(redis_url: str) -> None:
    """Uvloop raises RuntimeError there, which is no OSError: the request that met it would be answered with 500."""

    async def exchange() -> None:
        async with Proxy.open(redis_url) as proxy:
            lane = Lane(connector(proxy.url), timeout_seconds=5)
            assert await lane.call("PING") == b"PONG"
            proxy.slam()
            writer = lane._connection._writer
            assert writer is not None
            await eventually(writer.transport.is_closing)
            assert await lane.call("PING") == b"PONG"
            await lane.close()

    uvloop.run(exchange())
