"""Valkey comes back with the past: an old snapshot, with old values, an old heartbeat and an old watermark (R11)."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from service.embedded import Valkey, private_valkey
from tests.support.checker import violations
from tests.support.figures import show
from tests.support.fleet import fleet
from tests.support.load import Traffic, unanswered
from tests.support.service_process import ServiceProcess
from tests.support.valkey_commands import command

BUSY = [f"busy-{number}" for number in range(6)]
QUIET = [f"quiet-{number}" for number in range(80)]
"""Each is read once after the restart: a read that goes around the cache repairs what it finds there."""

KEYS = [*BUSY, *QUIET]


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    with private_valkey() as server:
        yield server


@pytest.fixture
def patient_pair(tmp_path: Path, database_url: str, valkey: Valkey) -> Iterator[list[ServiceProcess]]:
    """B leaves a busy machine the time to kill a Valkey and to revive it. A database that no other pair leads."""
    urls = {"DATABASE_URL": database_url, "REDIS_URL": valkey.url}
    with fleet(tmp_path, 2, ASIDE_BOUND_SECONDS="5", **urls) as replicas:
        yield replicas


def held(valkey: Valkey) -> dict[str, int]:
    """The version of each key that the cache holds, whether anybody trusts it or not."""
    with redis.Redis.from_url(valkey.url) as client:
        entries = client.mget([f"cache:thing:{key}" for key in KEYS])
    versions = {key: re.match(rb"V1 (\d+) ", entry or b"") for key, entry in zip(KEYS, entries, strict=True)}
    return {key: int(found[1]) for key, found in versions.items() if found}


async def test_no_old_value_is_served_after_valkey_came_back_with_an_old_snapshot(
    patient_pair: list[ServiceProcess], valkey: Valkey
) -> None:
    async with Traffic([replica.url for replica in patient_pair], clients=4) as traffic:
        await traffic.until_cached(within_seconds=60)
        await asyncio.gather(*[traffic.write(key) for key in KEYS])
        await asyncio.gather(*[traffic.read(key) for key in KEYS])
        command(valkey.url, "SAVE")
        past = valkey.rdb.with_suffix(".past")
        shutil.copy(valkey.rdb, past)
        snapshot = held(valkey)
        written = await asyncio.gather(*[traffic.write(key) for key in KEYS])

        # At once, while the heartbeat in the snapshot is alive.
        valkey.kill()
        shutil.move(past, valkey.rdb)
        valkey.start()
        heartbeat_ms = int(command(valkey.url, "PTTL", "aside:hb") or 0)
        revived = held(valkey)
        async with traffic.hammering(BUSY, readers=4, writers=1, pause_seconds=0.02):
            at_once = [await traffic.read(key) for key in QUIET[:40]]
            await traffic.until_cached(within_seconds=60)
            afterwards = [await traffic.read(key) for key in QUIET[40:]]

    newest = {write.key: write.version or 0 for write in written}
    show(f"\n{len(revived)} old entries revived, and a heartbeat that lives for {heartbeat_ms} ms more")
    show("at once:", Counter(read.outcome for read in at_once), "then:", Counter(read.outcome for read in afterwards))
    assert snapshot == revived  # the trap was set
    assert all(snapshot[key] < newest[key] for key in newest)
    assert heartbeat_ms > 0
    assert violations(traffic.history) == []
    assert unanswered(traffic.history) == []
    assert [read.version for read in [*at_once, *afterwards]] == [newest[key] for key in QUIET]
