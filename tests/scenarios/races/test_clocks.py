"""Races between hosts whose clocks differ: only Redis's clock is compared."""

from __future__ import annotations

import pytest

from service.cache.entry import Outcome, Wish
from service.cache.policy import Policy
from tests.support.host_clock import host_clock, install_host_clocks
from tests.support.world import open_world

HOUR = 3600.0
MEASURED_MS = 1_000
"""How wrong a measurement of another clock may be, on a busy machine."""


@pytest.mark.parametrize("offset_seconds", [-HOUR, HOUR], ids=["behind", "ahead"])
async def test_r17_a_replica_whose_clock_is_wrong_fills_and_reads_as_the_others(world, monkeypatch, offset_seconds):
    """What one fills, the other hits, whoever's clock is wrong; nothing seems expired, or older than it is."""
    install_host_clocks(monkeypatch)
    policy = Policy(ttl_seconds=60, jitter=0)
    a = await world.replica(policy=policy)
    with host_clock(offset_seconds):
        b = await world.replica(policy=policy)
        await b.put(1, "x")
        assert await b.read("x") == 1
    young = Wish(max_age_seconds=30)
    assert (await a.get("x", wish=young)).outcome is Outcome.HIT
    await a.put(1, "y")
    assert await a.read("y") == 1
    with host_clock(offset_seconds):
        answer = await b.get("y", wish=young)
    assert answer.outcome is Outcome.HIT
    assert 0 < answer.ttl_ms <= 60_000 + MEASURED_MS
    assert 0 < int(await world.redis("PTTL", "cache:thing:x")) <= 60_000 + MEASURED_MS


@pytest.mark.parametrize("offset_seconds", [-HOUR, HOUR], ids=["behind", "ahead"])
async def test_r17_a_relay_whose_clock_is_wrong_grants_no_longer_than_the_bound(
    database_url, redis_url, monkeypatch, offset_seconds
):
    """A heartbeat lives on Redis's clock: neither an hour longer, nor dead on arrival."""
    install_host_clocks(monkeypatch)
    with host_clock(offset_seconds):
        async with open_world(database_url, redis_url, bound_seconds=30) as world:
            assert 0 < int(await world.redis("PTTL", "aside:hb")) <= 30_000
