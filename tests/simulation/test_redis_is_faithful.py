"""Scripts in memory and on a real server, where the store's contract does not reach: grants, leases asked for again."""

from __future__ import annotations

from random import Random

import pytest

from service.cache.grants import Grant, Granter
from service.cache.keys import HEARTBEAT, WATERMARK
from service.cache.lane import Lane, connector
from service.cache.lease_attempts import LeaseAttempts
from service.cache.recorder import NullRecorder
from tests.simulation.direct import DirectRedis, redis_in_memory
from tests.support.valkey_commands import command

STEPS = 60
HELD = (
    "L1 t 3\n", "L1 t.2 3\n", "L1 t.3 3\n", "L1 u 0\n", "L1 u.2 0\n", "L1 other 3\n",
    "V1 3 g.1 1 1 1 1 1 thing:a\n{}", "V1 3 g.2 1 1 1 1 1 thing:a\n{}", "of some other format",
)  # fmt: skip
"""What may be at a key, for one wish under the token t and one under u."""


@pytest.mark.parametrize("seed", range(3))
async def test_both_grant_the_same(redis_url: str, seed: int):
    memory, rng = redis_in_memory(), Random(seed)
    granters = [
        Granter(connect, NullRecorder(), timeout_seconds=2.0)
        for connect in (connector(redis_url), lambda: DirectRedis(memory))
    ]
    for granter in granters:
        await granter.now_ms()
    for number in range(STEPS):
        name, held = f"thing:{rng.choice('ab')}", rng.randrange(1, 6)
        value = rng.choice([b"L1 t1 %d\n" % held, b"V1 %d g.1 1 1 1 1 1 %s\n{}" % (held, name.encode()), b"other"])
        if rng.random() < 0.5:
            command(redis_url, "SET", f"cache:{name}", value.decode())
            memory.memory.set(f"cache:{name}", value)
        dies_in_ms = rng.choice([-5, 60_000])
        horizon = rng.choice(["", f"{number + 1}:{number + 1}:"])
        generation = rng.choice(["g.1", "g.1", "g.2"])
        term, poll, version = rng.randrange(1, 3), rng.randrange(1, 30), rng.randrange(1, 6)
        answers = []
        for granter in granters:
            grant = Grant(generation, term, poll, [name], [version], horizon, await granter.now_ms() + dies_in_ms)
            answers.append((await granter.grant(grant), await granter.watermark()))
        assert answers[0] == answers[1]
        for key in (HEARTBEAT, WATERMARK, f"cache:{name}"):
            ours = memory.memory.get(key)
            theirs = command(redis_url, "GET", key)
            assert (ours is None) == (theirs is None)
            if key != HEARTBEAT and ours is not None:
                assert ours.decode() == theirs
    for granter in granters:
        await granter.close()


@pytest.mark.parametrize("purpose", ["read", "write"])
@pytest.mark.parametrize("held", [None, *HELD])
@pytest.mark.parametrize("attempt", [1, 2, 3])
async def test_both_lease_the_same_to_every_attempt(redis_url: str, purpose: str, held: str | None, attempt: int):
    memory = redis_in_memory()
    lanes = [Lane(connect, timeout_seconds=2.0) for connect in (connector(redis_url), lambda: DirectRedis(memory))]
    keys = [HEARTBEAT, "cache:thing:a", "cache:thing:b"]
    for key, value in zip(keys, ("run|g.1", held, held), strict=True):
        if value is not None:
            command(redis_url, "SET", key, value)
            memory.memory.set(key, value.encode())
    attempts = LeaseAttempts(60_000, purpose, [b"t", b"u"])
    args = [attempts.first(), *[attempts.again() for _ in range(1, attempt)]][-1]
    answers = [await lane.script("lease", keys, args) for lane in lanes]
    assert answers[0] == answers[1]
    for key in keys:
        assert command(redis_url, "GET", key) == (memory.memory.get(key) or b"").decode()
    for lane in lanes:
        await lane.close()
