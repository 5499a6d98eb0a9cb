"""The relay's script in memory and on a real server: the same grants in the same order, the same answers."""

from __future__ import annotations

from random import Random

import pytest

from service.cache.grants import Grant, Granter
from service.cache.keys import HEARTBEAT, WATERMARK
from service.cache.lane import connector
from service.cache.recorder import NullRecorder
from tests.simulation.direct import DirectRedis, redis_in_memory
from tests.support.valkey_commands import command

STEPS = 60


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
