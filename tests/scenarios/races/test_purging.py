"""Races of a purge with whatever is loading at that moment. The row changes in a way that only a purge can tell of."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from service.cache.entry import Outcome
from service.cache.policy import Policy
from service.cache.sweeping import BEGINNING, Step, SweepLane
from service.db.epochs import MOST_TYPES, Epochs
from service.services.purging import PurgeWanted, Purging
from tests.support.purges import change_unseen, give_up, purging_of, walk
from tests.support.replica import KIND, Replica
from tests.support.waiting import eventually
from tests.support.warmings import begin_warming
from tests.support.world import World

EAGER = Policy(early_refresh_beta=1e12)


async def _loading(world: World) -> tuple[Replica, asyncio.Task[int | None]]:
    """A reader that has loaded 1 under its lease, and stands before its fill; the row says 2 by now."""
    replica = await world.replica()
    await replica.put(1)
    replica.gates.loaded.hold()
    reader = replica.begin_read()
    await replica.gates.loaded.reached()
    await change_unseen(world, 2)
    return replica, reader


async def test_p1_a_fill_under_way_does_not_outlive_a_purge_of_its_key(world):
    """
    Reader A:  lease ── loads 1 ───────────── fills 1: no lease, refused
    purge:                         removes x
    reader B:                                                             must see 2
    """
    a, reader = await _loading(world)
    assert await purging_of(world, a).names(KIND, ["x", "y"], dry_run=False) == 1
    a.gates.loaded.release()
    await reader
    assert await (await world.replica()).read() == 2


async def test_p2_a_fill_under_way_does_not_outlive_a_purge_of_its_prefix(world):
    """
    Reader A:  lease ── loads 1 ─────────────────────── fills 1: no lease, refused
    purge:                         walks, removes x
    reader B:                                                                       must see 2
    """
    a, reader = await _loading(world)
    assert await walk(purging_of(world, a), PurgeWanted(entity_type=KIND, prefix="x")) == {"keys": 1, "purged": 1}
    a.gates.loaded.release()
    await reader
    assert await (await world.replica()).read() == 2


@pytest.mark.parametrize("entity_type", [KIND, None])
async def test_p3_a_fill_under_way_does_not_outlive_the_epoch_of_its_type_or_of_everything(world, entity_type):
    """
    Reader A:  lease, epoch 1 ── loads 1 ──────────────────────── fills 1, labelled with epoch 1
    purge:                                 epoch 2 ── heartbeat 2
    reader B:                                                                        must see 2
    """
    a, reader = await _loading(world)
    await give_up(world, purging_of(world, a), entity_type)
    a.gates.loaded.release()
    await reader
    b = await world.replica()
    assert await b.read() == 2
    assert (await b.get()).outcome is Outcome.HIT


async def test_p4_an_early_refresh_under_way_does_not_bring_back_what_was_given_up(world):
    """
    refresh:   loads 1 ───────────────────────────────────────────── puts 1, epoch 1: dropped
    purge:                epoch 2 ── heartbeat 2
    reader B:                                     loads 2 ── fills 2
    reader C:                                                                                  must see 2
    """
    a, b = await world.replica(policy=EAGER), await world.replica()
    await a.put(1)
    assert await a.read() == 1
    a.gates.loaded.hold()
    assert await a.read() == 1
    await a.gates.loaded.reached()
    await change_unseen(world, 2)
    await give_up(world, purging_of(world, b))
    assert await b.read() == 2
    a.gates.loaded.release()
    await a.settle_down()
    assert await (await world.replica()).read() == 2


async def test_p5_a_warming_under_way_does_not_bring_back_what_was_given_up(world, warmer):
    """
    Warming:  leases, epoch 1 ── reads 1 ─────────────────────────── fills 1, labelled with epoch 1
    purge:                                 epoch 2 ── heartbeat 2
    reader B:                                                                          must see 2
    """
    warmer.gates.loaded.hold()
    warming = begin_warming(warmer)
    await warmer.gates.loaded.reached()
    await change_unseen(world, 2)
    await give_up(world, purging_of(world, warmer))
    warmer.gates.loaded.release()
    await warming
    assert await (await world.replica()).read() == 2


async def test_p6_a_type_counts_as_given_up_only_when_no_heartbeat_says_otherwise(world):
    """
    purge:     epoch 2 ── heartbeat 1 ── waits ─────────────── done
    relay:                                       heartbeat 2
    """
    replica = await world.replica()
    await replica.put(1)
    assert await replica.read() == 1
    await world.relay.carry()
    giving_up = asyncio.create_task(purging_of(world, replica).give_up(KIND))

    async def is_committed() -> bool:
        return bool(await world.sql("SELECT FROM type_epoch"))

    await eventually(is_committed)
    assert (await replica.get()).outcome is Outcome.HIT
    assert not giving_up.done()
    await world.relay.carry()
    await giving_up
    assert (await replica.get()).outcome is Outcome.MISS


async def test_p7_without_a_heartbeat_a_type_is_given_up_when_none_of_before_can_be_alive(quick_world):
    """B after the commit: what is granted later was polled later, and has the epoch."""
    replica = await quick_world.replica()
    await quick_world.redis("DEL", "aside:hb")
    began_at = asyncio.get_running_loop().time()
    await purging_of(quick_world, replica).give_up(KIND)
    assert asyncio.get_running_loop().time() - began_at >= quick_world.bound_seconds


async def test_p8_the_walk_after_a_given_up_type_frees_what_is_old_and_leaves_what_is_new(world):
    replica = await world.replica()
    for each in ("x", "y", "z"):
        await replica.put(1, each)
        await replica.read(each)
    await world.relay.carry()  # told of these writes together with the epoch, the cache would be rid of them at once
    purging = purging_of(world, replica)
    await give_up(world, purging)
    assert (await replica.get("y")).outcome is Outcome.MISS
    assert await walk(purging, PurgeWanted(entity_type=KIND)) == {"keys": 3, "purged": 2}
    assert await world.cached("x") is None
    assert (await replica.get("y")).outcome is Outcome.HIT


async def test_p9_a_purge_that_only_counts_takes_nothing_away(world):
    replica = await world.replica()
    await replica.put(1)
    await replica.read()
    purging = purging_of(world, replica)
    assert await purging.names(KIND, ["x"], dry_run=True) == 1
    wanted = PurgeWanted(entity_type=KIND, prefix="", dry_run=True)
    assert await walk(purging, wanted) == {"keys": 1, "purged": 0}
    assert (await replica.get()).outcome is Outcome.HIT


async def test_p10_of_too_many_types_given_up_one_more_gives_up_everything(world):
    """The heartbeat stays short."""
    replica = await world.replica()
    await replica.put(1)
    await replica.read()
    epochs = Epochs(replica.table._database)
    for number in range(MOST_TYPES):
        await epochs.next_of_type(f"type{number}")
    await world.relay.carry()
    assert (await replica.get()).outcome is Outcome.HIT
    await epochs.next_of_type("one-more")
    await world.relay.carry()
    assert (await replica.get()).outcome is Outcome.MISS
    assert await world.sql("SELECT FROM type_epoch") == []
    assert " " not in await world.redis("GET", "aside:hb")


async def test_p11_where_the_leader_knows_no_epochs_of_types_everything_is_given_up(quick_world):
    """As while replicas are exchanged for those of a newer version, one by one.

    purge:     epoch 2 of the type ─────────── B ── epoch 2 of everything ─────────────── done
    relay:                          heartbeat 1                            heartbeat 2
    """
    quick_world.relay.session.knows_types = False
    replica = await quick_world.replica()
    await replica.put(1)
    assert await replica.read() == 1
    await change_unseen(quick_world, 2)
    await give_up(quick_world, purging_of(quick_world, replica))
    assert await replica.read() == 2
    assert await quick_world.sql("SELECT FROM type_epoch") == []


async def test_p12_what_a_version_without_epochs_of_types_fills_beside_them_is_nobodys(world):
    """It takes the whole heartbeat for a generation, so its entries have a blank too many."""
    replica = await world.replica()
    await replica.put(1)
    await give_up(world, purging_of(world, replica), "another")
    _, _, heartbeat = (await world.redis("GET", "aside:hb")).partition("|")
    assert " another:" in heartbeat
    assert await replica.read() == 1
    await world.redis("SET", f"cache:{KIND}:x", f"V1 1 {heartbeat} 1 1 9999999999999 9999999999999 1 {KIND}:x\n{{}}")
    assert await replica.read() == 1
    assert (await replica.get()).outcome is Outcome.HIT


class _LateLane(SweepLane):
    """The relay's poll comes just after the purge's time is over: before its second look at the heartbeat."""

    def __init__(self, world: World, replica: Replica) -> None:
        super().__init__(replica.redis, replica.recorder)
        self._relay = world.relay
        self._looks = 0

    async def label_in_force(self, name: str) -> bytes | None:
        self._looks += 1
        if self._looks == 2:
            await self._relay.carry()
        return await super().label_in_force(name)


async def test_p13_a_heartbeat_that_comes_just_after_its_time_is_no_sign_of_an_older_leader(world):
    """
    purge:     epoch 2 of the type ── waited long enough, no heartbeat with it ──────────── looks again: it is there
    relay:                                                                      heartbeat 2
    """
    replica = await world.replica()
    purging = Purging(_LateLane(world, replica), Epochs(replica.table._database), bound_seconds=0)
    await purging.give_up(KIND)
    assert [record["entity_type"] for record in await world.sql("SELECT entity_type FROM type_epoch")] == [KIND]


class _ShrinkingLane(SweepLane):
    """One step finds everything, as in a table that shrinks."""

    def __init__(self, replica: Replica) -> None:
        super().__init__(replica.redis, replica.recorder)
        self.dropped: list[int] = []

    async def scan(self, cursor: bytes, prefix: str) -> Step:
        keys: list[bytes] = []
        while True:
            found, cursor = await super().scan(cursor, prefix)
            keys += found
            if cursor == BEGINNING:
                return Step(keys, cursor)

    async def drop(self, keys: Sequence[bytes]) -> int:
        self.dropped.append(len(keys))
        return await super().drop(keys)


async def test_however_many_keys_a_step_finds_few_are_dropped_at_once(world):
    for number in range(120):
        await world.redis("SET", f"cache:{KIND}:x{number}", "anything")
    replica = await world.replica()
    lane = _ShrinkingLane(replica)
    purging = Purging(lane, Epochs(replica.table._database), bound_seconds=world.bound_seconds)
    assert await walk(purging, PurgeWanted(entity_type=KIND, prefix="x")) == {"keys": 120, "purged": 120}
    assert lane.dropped == [50, 50, 20]
