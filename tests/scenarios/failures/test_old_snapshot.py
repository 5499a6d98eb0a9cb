"""Valkey comes back with the past: an old snapshot, with old values, an old heartbeat and an old watermark (R11)."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections import Counter

from service.embedded import Valkey
from tests.support.checker import violations
from tests.support.figures import show
from tests.support.load import Traffic, unanswered
from tests.support.service_process import ServiceProcess
from tests.support.valkey_commands import command

BUSY = [f"busy-{number}" for number in range(6)]
QUIET = [f"quiet-{number}" for number in range(80)]
"""Each is read once after the restart: a read that goes around the cache repairs what it finds there."""


def held(valkey: Valkey) -> dict[str, int]:
    """The version of each key that the cache holds, whether anybody trusts it or not."""
    entries = {key: command(valkey.url, "GET", f"cache:thing:{key}") or "" for key in [*BUSY, *QUIET]}
    versions = {key: re.match(r"V1 (\d+) ", entry) for key, entry in entries.items()}
    return {key: int(found[1]) for key, found in versions.items() if found}


async def test_no_old_value_is_served_after_valkey_came_back_with_an_old_snapshot(
    pair: list[ServiceProcess], pair_valkey: Valkey
) -> None:
    async with Traffic([replica.url for replica in pair], clients=4) as traffic:
        await traffic.until_cached()
        await asyncio.gather(*[traffic.write(key) for key in [*BUSY, *QUIET]])
        await asyncio.gather(*[traffic.read(key) for key in [*BUSY, *QUIET]])
        command(pair_valkey.url, "SAVE")
        past = pair_valkey.rdb.with_suffix(".past")
        shutil.copy(pair_valkey.rdb, past)
        snapshot = held(pair_valkey)
        written = await asyncio.gather(*[traffic.write(key) for key in [*BUSY, *QUIET]])

        # At once, while the heartbeat in the snapshot is alive.
        pair_valkey.kill()
        shutil.move(past, pair_valkey.rdb)
        pair_valkey.start()
        revived = held(pair_valkey)
        heartbeat_ms = int(command(pair_valkey.url, "PTTL", "aside:hb") or 0)
        async with traffic.hammering(BUSY, readers=4, writers=1, pause_seconds=0.02):
            at_once = [await traffic.read(key) for key in QUIET[:40]]
            await traffic.until_cached()
            afterwards = [await traffic.read(key) for key in QUIET[40:]]

    pair_valkey.rdb.unlink()
    newest = {write.key: write.version or 0 for write in written}
    show(f"\n{len(revived)} old entries revived, and a heartbeat that lives for {heartbeat_ms} ms more")
    show("at once:", Counter(read.outcome for read in at_once), "then:", Counter(read.outcome for read in afterwards))
    assert snapshot == revived  # the trap was set
    assert all(snapshot[key] < newest[key] for key in newest)
    assert heartbeat_ms > 0
    assert violations(traffic.history) == []
    assert unanswered(traffic.history) == []
    assert [read.version for read in [*at_once, *afterwards]] == [newest[key] for key in QUIET]
