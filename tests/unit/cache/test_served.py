"""Which names the audit is told of."""

from __future__ import annotations

from collections import Counter

from service.cache.served import Served


def test_one_in_so_many_hits_is_kept_on_average() -> None:
    served, gaps = Served(one_in=10), [0]
    gaps = [served.note(f"t:{number}") for number in range(4_000)]
    assert 9.5 < sum(gaps) / len(gaps) < 10.5
    assert min(gaps) == 1


def test_each_name_is_taken_once_and_the_latest_first() -> None:
    served = Served(kept=4)
    for name in ("a", "b", "c", "b", "d", "e"):
        served.note(name)
    assert served.take(2) == ["e", "d"]
    assert served.take(9) == ["b", "c"]
    assert served.take(1) == []


async def test_a_key_that_is_read_often_is_told_often() -> None:
    from tests.support.memory_engine import World

    world, told = World(), Counter[str]()
    for name in ("t:often", "t:seldom"):
        world.cache(name, 1, b"1")
    replica = world.replica()

    def on_hit(name: str) -> int:
        told[name] += 1
        return 7

    replica.engine._on_hit = on_hit
    for number in range(7_000):
        await replica.engine.get("t:seldom" if number % 10 == 0 else "t:often", world.policy)
    assert told.total() == 1_000
    assert told["t:often"] == 900
