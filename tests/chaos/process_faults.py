"""Processes that are killed, stand still, are told to end, or find the disk full."""

from __future__ import annotations

import asyncio
import resource
import shutil
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from service.embedded.errors import EmbeddedError
from service.embedded.server import Server
from tests.chaos.fault_kinds import kind, number_of
from tests.chaos.plan import Fault
from tests.chaos.stage import Stage

START_SECONDS = 120.0
"""Patience, not a limit: where a machine does much besides, imports alone may take half a minute."""
_UNLIMITED = resource.RLIM_INFINITY
_WAL_TOO_SMALL = 1_000_000
"""Bytes. Less than a segment of the log has: the next write of the log beyond it fails, which PostgreSQL takes for the
end of the world (PANIC), and so do its attempts to recover."""
_SEGMENT_BYTES = 4 * 1024 * 1024


@kind("kill replica")
@asynccontextmanager
async def kill_replica(stage: Stage, fault: Fault) -> AsyncIterator[None]:
    replica = stage.replicas[number_of(fault.target)]
    await asyncio.to_thread(replica.kill)
    try:
        yield
    finally:
        await asyncio.to_thread(replica.launch)
        await asyncio.to_thread(replica.wait_until_live, START_SECONDS)


@kind("freeze replica")
@asynccontextmanager
async def freeze_replica(stage: Stage, fault: Fault) -> AsyncIterator[None]:
    number = number_of(fault.target)
    await asyncio.to_thread(stage.freeze, number)
    try:
        yield
    finally:
        await asyncio.to_thread(stage.thaw, number)


@kind("rolling restart")
@asynccontextmanager
async def rolling_restart(stage: Stage, fault: Fault) -> AsyncIterator[None]:
    """Each ends in order and is back before the next one ends."""
    yield
    for replica in stage.replicas:
        await asyncio.to_thread(replica.terminate, 30)
        await asyncio.to_thread(replica.launch)
        await asyncio.to_thread(replica.wait_until_live, START_SECONDS)
        await asyncio.sleep(fault.seconds)


@kind("kill redis")
@asynccontextmanager
async def kill_redis(stage: Stage, _fault: Fault) -> AsyncIterator[None]:
    """It comes back empty, or with whatever snapshot was written last."""
    async with _gone(stage.redis.primary):
        yield


@kind("kill primary")
@asynccontextmanager
async def kill_primary(stage: Stage, _fault: Fault) -> AsyncIterator[None]:
    """The replica takes over; what was the primary comes back as one, until Sentinel tells it otherwise."""
    async with _gone(await stage.redis.current_primary()):
        yield
    await stage.redis.until_in_sync()


@kind("sentinel failover")
@asynccontextmanager
async def sentinel_failover(stage: Stage, _fault: Fault) -> AsyncIterator[None]:
    assert stage.redis.sentinel is not None
    from tests.support.valkey_commands import command

    with suppress(OSError, RuntimeError):
        await asyncio.to_thread(command, stage.redis.sentinel.url, "SENTINEL", "FAILOVER", "aside")
    yield
    await stage.redis.until_in_sync()


@kind("kill postgres")
@asynccontextmanager
async def kill_postgres(stage: Stage, _fault: Fault) -> AsyncIterator[None]:
    async with _gone(stage.postgres):
        yield


@kind("freeze redis")
@asynccontextmanager
async def freeze_redis(stage: Stage, _fault: Fault) -> AsyncIterator[None]:
    async with _standing_still(await stage.redis.current_primary()):
        yield
    if stage.redis.sentinel is not None:
        await stage.redis.until_in_sync()


@kind("freeze postgres")
@asynccontextmanager
async def freeze_postgres(stage: Stage, _fault: Fault) -> AsyncIterator[None]:
    async with _standing_still(stage.postgres):
        yield


@kind("redis restarted from an older snapshot")
@asynccontextmanager
async def old_snapshot(stage: Stage, fault: Fault) -> AsyncIterator[None]:
    """What it held when the last fault of this kind ended comes back; the first of its kind takes one for itself."""
    server = stage.redis.primary
    if stage.snapshot is None:
        await asyncio.to_thread(_take_snapshot, stage)
        await asyncio.sleep(fault.seconds)
    async with _gone(server):
        if stage.snapshot is not None:
            await asyncio.to_thread(shutil.copy, stage.snapshot, server.rdb)
        yield
    await asyncio.to_thread(_take_snapshot, stage)
    server.rdb.unlink(missing_ok=True)


def _take_snapshot(stage: Stage) -> None:
    server = stage.redis.primary
    if stage.redis.tell("SAVE") == "OK":
        stage.snapshot = server.folder / "older.rdb"
        shutil.copy(server.rdb, stage.snapshot)
        server.rdb.unlink(missing_ok=True)


@kind("postgres disk full")
@asynccontextmanager
async def postgres_disk_full(stage: Stage, fault: Fault) -> AsyncIterator[None]:
    """No file may grow beyond a limit, as `prlimit --fsize` sets it: writes fail with EFBIG.

    If tables are larger than a segment of the log, half of the time only they cannot grow: statements fail. Else the
    log cannot be written: PostgreSQL panics, cannot recover, and is started again when there is room.
    """
    server = stage.postgres
    tables = max((file.stat().st_size for file in (server.data / "base").glob("*/*")), default=0)
    gentle = tables > _SEGMENT_BYTES and int(fault.at * 100) % 2 == 0
    limit = max(_SEGMENT_BYTES, tables // 8192 * 8192) if gentle else _WAL_TOO_SMALL
    _limit_files({server.pid, *server._children()}, limit)
    try:
        yield
    finally:
        if server.is_running:
            _limit_files({server.pid, *server._children()}, _UNLIMITED)
        await _alive_again(server)


@kind("redis disk full")
@asynccontextmanager
async def redis_disk_full(stage: Stage, _fault: Fault) -> AsyncIterator[None]:
    """No snapshot can be written, so Redis refuses all writes (MISCONF): `stop-writes-on-bgsave-error`, as it is by
    default wherever snapshots are configured.

    Its log must stay shorter than the limit, as a Redis that cannot write to a file that is too large is killed by
    SIGXFSZ. Where that happens it is started again, as after a crash.
    """
    redis, server = stage.redis, stage.redis.primary
    await asyncio.to_thread(redis.tell, "CONFIG", "SET", "save", "3600 1000000")
    _limit_files({server.pid}, max(16_384, server.log.stat().st_size + 4_096))
    await asyncio.to_thread(redis.tell, "BGSAVE")
    try:
        yield
    finally:
        if server.is_running:
            _limit_files({server.pid}, _UNLIMITED)
            await asyncio.to_thread(redis.tell, "BGSAVE")
            await asyncio.sleep(0.2)
            await asyncio.to_thread(redis.tell, "CONFIG", "SET", "save", "")  # without snapshots, no MISCONF
        await _alive_again(server)  # not before: a PING too is answered with MISCONF
        server.rdb.unlink(missing_ok=True)


def _limit_files(pids: Iterable[int], soft: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


@asynccontextmanager
async def _gone(server: Server) -> AsyncIterator[None]:
    await asyncio.to_thread(server.kill)
    try:
        yield
    finally:
        await _alive_again(server)


async def _alive_again(server: Server) -> None:
    """PostgreSQL that could not recover ends by itself, at a moment of its own choice."""
    for attempt in range(5):
        try:
            await asyncio.to_thread(server.start)
        except EmbeddedError:
            if attempt == 4:
                raise
            await asyncio.sleep(0.3)
        else:
            await asyncio.sleep(0.2)
            if server.is_running:
                return


@asynccontextmanager
async def _standing_still(server: Server) -> AsyncIterator[None]:
    await asyncio.to_thread(server.pause)
    try:
        yield
    finally:
        await asyncio.to_thread(server.resume)
