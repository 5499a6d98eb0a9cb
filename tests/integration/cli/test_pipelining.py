"""What a client that pipelines, and goes away, leaves in the log."""

from __future__ import annotations

import asyncpg

from tests.cancelling.wire import Wire, get, put
from tests.support.waiting import eventually

PATH = "/v1/entities/thing/x"
_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"""


async def test_a_client_that_leaves_with_requests_in_the_pipeline_causes_no_error(replicas, database_url):
    """
    Client:   PUT, GET in one go ...................... goes away
    service:                     PUT waits for a lock .............. is done: there is nobody to tell
    """
    [service] = replicas(1)
    wire, other = await Wire.open(service.url), await Wire.open(service.url)
    [written] = other.send(put(PATH, b'{"n": 1}'))
    version = (await written).version
    database = await asyncpg.connect(database_url)
    async with database.transaction():
        await database.execute("SELECT FROM entity FOR UPDATE")
        wire.send(put(PATH, b'{"n": 2}'), get(PATH))
        await eventually(lambda: _waits(database))
        wire.reset()
        for _ in range(3):  # by then the service has met the end of the other connection
            [alive] = other.send(get("/livez"))
            assert (await alive).status == 200
    await eventually(lambda: _is_newer(other, version))
    await database.close()
    other.close()
    assert service.terminate() == 0
    assert "Exception in ASGI application" not in service.log


async def _waits(database: asyncpg.Connection) -> bool:
    return bool(await database.fetchval(_WAITING))


async def _is_newer(wire: Wire, version: int) -> bool:
    [reply] = wire.send(get(PATH))
    return (await reply).version > version
